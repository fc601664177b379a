"""Rules that block days: exclusion, consent, access, no_rep, window, override, one sentence of the contract per case."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from rule_world import DAYS, HCPS, details, names, problem_of, run

from optimization.problem import PlanInputError

WHOLE = (0, DAYS - 1)


def test_without_rules_only_the_pair_that_lacks_a_rep_is_closed():
    problem = problem_of()
    assert names(problem, (~problem.eligible).nonzero()[0]) == ["d.call"]
    assert details(problem, "d.call") == {"no_rep": "no rep assigned"}
    assert run(problem, "a.call") == WHOLE


@pytest.mark.parametrize(
    ("row", "pair", "expected"),
    [
        pytest.param({"hcp_id": "a", "channel": "web"}, "a.web", None, id="pair"),
        pytest.param({"hcp_id": "a", "channel": "web"}, "a.call", WHOLE, id="other channel stays open"),
        pytest.param({"hcp_id": "a", "channel": None}, "a.call", None, id="null channel is all"),
        pytest.param({"hcp_id": None, "channel": "web"}, "d.web", None, id="null hcp is all"),
        pytest.param({"hcp_id": "a", "channel": "web", "valid_from": "2026-01-10"}, "a.web", (0, 4), id="from is inclusive"),
        pytest.param({"hcp_id": "a", "channel": "web", "valid_to": date(2026, 1, 10)}, "a.web", (6, 27), id="to is inclusive"),
        pytest.param({"hcp_id": "a", "channel": "web", "valid_to": "2026-01-04"}, "a.web", WHOLE, id="over before the cycle"),
        pytest.param({"hcp_id": "a", "channel": "web", "valid_from": "2026-02-02"}, "a.web", WHOLE, id="starts on cycle end"),
        pytest.param({"hcp_id": "a", "channel": "web", "valid_to": "2026-02-01"}, "a.web", None, id="through the last day"),
        pytest.param({"hcp_id": "zz", "channel": "web"}, "a.web", WHOLE, id="unknown hcp"),
    ],
)
def test_exclusion(row, pair, expected):
    assert run(problem_of(rule_exclusion=[row]), pair) == expected


def test_exclusion_speaks_with_its_reason_and_unknown_names_are_reported():
    problem = problem_of(rule_exclusion=[{"hcp_id": "a", "channel": "web", "reason": "trial"}, {"hcp_id": "zz", "channel": None}])
    assert details(problem, "a.web") == {"exclusion": "excluded: trial"}
    assert problem.warnings == ["rule_exclusion.hcp_id: 1 row(s) name what this run does not have, for example zz"]


def consent(*rows) -> list[dict]:
    keys = ("hcp_id", "channel", "status", "captured_at", "expires_at")
    return [dict(zip(keys, row, strict=False)) for row in rows]


@pytest.mark.parametrize(
    ("rows", "pair", "expected"),
    [
        pytest.param([], "a.email", None, id="empty table: nobody opted in"),
        pytest.param([], "a.web", WHOLE, id="no row, no consent required: open"),
        pytest.param([("a", "email", "opt_in", "2026-01-04 23:59")], "a.email", WHOLE, id="captured before the cycle"),
        pytest.param([("a", "email", "opt_in", "2026-01-05")], "a.email", None, id="captured at cycle start: ignored"),
        pytest.param([("a", "web", "opt_out", "2025-01-01")], "a.web", None, id="an opt-out blocks any channel"),
        pytest.param([("a", None, "opt_out", "2025-01-01")], "a.call", None, id="null channel is all channels"),
        pytest.param([("a", None, "opt_in", "2025-01-01")], "a.email", WHOLE, id="an opt-in for all channels"),
        pytest.param(
            [("a", "email", "opt_out", "2025-01-01"), ("a", None, "opt_in", "2025-02-01")], "a.email", WHOLE, id="latest decides: in"
        ),
        pytest.param(
            [("a", "email", "opt_in", "2025-01-01"), ("a", None, "opt_out", "2025-02-01")], "a.email", None, id="latest decides: out"
        ),
        pytest.param([("a", None, "opt_in", "2025-01-01"), ("a", "email", "opt_out", "2025-01-01")], "a.email", None, id="tie is opt-out"),
        pytest.param([("a", "email", "opt_in", None)], "a.email", None, id="opt-in without date is opt-out"),
        pytest.param([("a", "web", "opt_in", None), ("a", "web", "opt_in", "2025-06-01")], "a.web", None, id="no date beats every date"),
        pytest.param(
            [("a", "email", "opt_out", "2025-01-01"), ("a", "email", "opt_in", "2026-02-01")],
            "a.email",
            None,
            id="late opt-in leaves the opt-out",
        ),
        pytest.param(
            [("a", "email", "opt_in", "2025-01-01"), ("a", "email", "opt_out", "2026-02-01")], "a.email", None, id="late opt-out counts"
        ),
        pytest.param([("a", "email", "opt_in", "2025-01-01", "2026-01-10")], "a.email", (0, 4), id="through the day before expiry"),
        pytest.param([("a", "email", "opt_in", "2025-01-01", "2026-01-05")], "a.email", None, id="expires at cycle start"),
        pytest.param([("a", "web", "opt_in", "2025-01-01", "2025-06-01")], "a.web", WHOLE, id="expiry without a need for consent"),
        pytest.param(
            [("a", "email", "opt_in", "2025-01-01", None), ("a", None, "opt_in", "2025-01-01", "2026-01-10")],
            "a.email",
            (0, 4),
            id="two opt-ins of one moment: the shorter",
        ),
        pytest.param(
            [(None, "email", "opt_in", "2025-01-01"), ("b", None, "opt_out", "2025-02-01")], "a.email", WHOLE, id="null hcp is all"
        ),
    ],
)
def test_consent(rows, pair, expected):
    assert run(problem_of(rule_consent=consent(*rows)), pair) == expected


def test_consent_details_and_the_channel_on_which_nobody_may_be_contacted():
    problem = problem_of(rule_consent=consent(("a", None, "opt_out", "2025-03-01"), ("b", "email", "opt_in", "2025-01-01", "2026-01-05")))
    assert details(problem, "a.call") == {"consent": "opted out of Rep visit on 2025-03-01"}
    assert details(problem, "b.email") == {"consent": "opt-in for E-mail ends before 2026-01-05"}
    assert details(problem, "c.email") == {"consent": "no opt-in for E-mail"}
    assert problem.warnings == ["nobody may be contacted by E-mail: no HCP has a live opt-in"]


def test_time_zones_of_consent_are_read_as_utc():
    captured = pd.to_datetime(["2026-01-04 23:30-05:00"])  # 04:30 on cycle start in UTC
    table = pd.DataFrame({"hcp_id": ["a"], "channel": ["email"], "status": ["opt_in"], "captured_at": captured})
    assert run(problem_of(rule_consent=table), "a.email") is None


@pytest.mark.parametrize(
    ("row", "closed"),
    [
        ({"rep_access": "no_see", "channel": "call"}, ["b.call"]),
        ({"rep_access": "restricted", "channel": None}, ["c.call", "c.email", "c.web"]),
        ({"rep_access": None, "channel": "web"}, ["a.web", "b.web", "c.web", "d.web"]),
    ],
)
def test_access(row, closed):
    problem = problem_of(rule_access=[row])
    assert names(problem, (problem.blocker_of(slice(None)) == "access").nonzero()[0]) == closed


def test_unknown_access_counts_as_restricted():
    problem = problem_of(
        hcps=HCPS.assign(rep_access=["?", None, "open", "open"]), rule_access=[{"rep_access": "restricted", "channel": "web"}]
    )
    assert names(problem, (problem.blocker_of(slice(None)) == "access").nonzero()[0]) == ["a.web", "b.web"]


@pytest.mark.parametrize(
    ("rows", "pair", "expected"),
    [
        pytest.param([("web", None, "2026-01-10", "2026-01-12")], "d.web", (5, 7), id="inclusive on both sides"),
        pytest.param([("web", None, "2026-01-10", "2026-01-12")], "a.call", WHOLE, id="no row, always open"),
        pytest.param([("web", "N", None, "2026-01-12")], "a.web", (0, 7), id="territory"),
        pytest.param([("web", "N", None, None)], "c.web", None, id="rows for other territories only: closed"),
        pytest.param([("web", "*", None, None)], "d.web", None, id="* is every territory, not none"),
        pytest.param([("web", None, None, "2026-01-07"), ("web", "N", "2026-01-08", None)], "a.web", WHOLE, id="union"),
        pytest.param([("web", None, None, "2026-01-07"), ("web", "N", "2026-01-20", None)], "a.web", (15, 27), id="longest run"),
        pytest.param([("web", None, None, "2026-01-07"), ("web", None, "2026-01-30", None)], "a.web", (0, 2), id="earliest on ties"),
        pytest.param([("web", None, "2026-03-01", None)], "a.web", None, id="later than the cycle"),
        pytest.param([("web", None, "2025-12-01", "2025-12-30")], "a.web", None, id="earlier than the cycle"),
        pytest.param([("web", None, "2026-01-20", "2026-01-10")], "a.web", None, id="ends before it begins"),
    ],
)
def test_window(rows, pair, expected):
    table = pd.DataFrame(rows, columns=["channel", "territory_id", "available_from", "available_to"])
    assert run(problem_of(rule_channel_window=table), pair) == expected


def test_window_detail():
    table = [{"channel": "web", "territory_id": "N"}]
    assert details(problem_of(rule_channel_window=table), "c.web") == {"window": "web is not available in this cycle"}


@pytest.mark.parametrize(
    ("row", "expected", "pins"),
    [
        pytest.param({"action": "forbid"}, None, [], id="forbid"),
        pytest.param({"action": "forbid", "valid_to": "2026-01-06"}, (2, 27), [], id="forbid on some days"),
        pytest.param({"action": "forbid", "valid_to": "2025-12-31"}, WHOLE, [], id="forbid outside the cycle"),
        pytest.param({"action": "pin"}, WHOLE, ["a.web"], id="pin"),
        pytest.param({"action": "pin", "valid_from": "2026-01-07", "valid_to": "2026-01-08"}, (2, 3), ["a.web"], id="pin on some days"),
        pytest.param({"action": "pin", "valid_from": "2026-02-02"}, WHOLE, [], id="pin outside the cycle is ignored"),
    ],
)
def test_override(row, expected, pins):
    problem = problem_of(rule_override=[{"hcp_id": "a", "channel": "web"} | row])
    assert run(problem, "a.web") == expected
    assert names(problem, problem.pins) == pins
    assert len(problem.pin_labels) == len(pins)


def test_a_pin_on_a_blocked_pair_stays_a_pin():
    problem = problem_of(rule_override=[{"hcp_id": "d", "channel": "call", "action": "pin"}])
    assert names(problem, problem.pins) == ["d.call"]
    assert run(problem, "d.call") is None
    assert problem.pin_labels == ["pin of d on Rep visit"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"hcp_id": "a", "channel": None, "action": "pin"}, "rule_override: a pin must name one hcp_id and one channel"),
        ({"hcp_id": "a", "channel": "web", "action": "maybe"}, "rule_override.action: 'maybe' is neither pin nor forbid"),
    ],
)
def test_override_refuses(row, message):
    with pytest.raises(PlanInputError) as error:
        problem_of(rule_override=[row])
    assert str(error.value) == message


def test_first_blocker_follows_the_contract_and_every_blocker_is_a_row():
    problem = problem_of(
        rule_override=[{"hcp_id": "d", "channel": "call", "action": "forbid", "created_by": "Kim", "reason": "moved"}],
        rule_exclusion=[{"hcp_id": "d", "channel": "call", "valid_to": "2026-01-05"}],
        rule_access=[{"rep_access": "open", "channel": "call"}],
        rule_channel_window=[{"channel": "call", "territory_id": "N"}],
        rule_consent=consent(("d", None, "opt_out", "2025-03-01")),
    )
    assert problem.blocker_of(10 - 1) == "exclusion"  # d.call is the first of d's three pairs
    assert list(details(problem, "d.call")) == ["exclusion", "consent", "access", "no_rep", "window", "override"]
    assert details(problem, "d.call")["override"] == "forbidden by Kim: moved"
