"""Eligible days of random rule tables, against a slow reference that asks the contract pair by pair and day by day."""

from __future__ import annotations

import time
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from optimization.build import build_problem, pair_blocks
from optimization.problem import PlanSettings

HCP, CHANNEL, TERRITORY = ["a", "b", "c"], ["call", "email"], ["N", "S"]
START, DAYS = date(2026, 1, 5), 9
SETTINGS = PlanSettings(START, START + timedelta(days=DAYS))


def day(number: int) -> date:
    return START + timedelta(days=number)


DAY = st.integers(-6, DAYS + 3).map(day)
MAYBE_DAY = st.none() | DAY
PAST = st.integers(-12, -1).map(day)


def rows_of(most: int = 4, **columns):
    names = list(columns)
    return st.lists(st.tuples(*columns.values()), max_size=most).map(lambda rows: pd.DataFrame(rows, columns=names).astype(object))


def maybe(names: list[str]):
    return st.none() | st.sampled_from(names)


TABLES = st.fixed_dictionaries(
    {
        "rule_exclusion": rows_of(2, hcp_id=maybe(HCP), channel=maybe(CHANNEL), valid_from=MAYBE_DAY, valid_to=MAYBE_DAY),
        "rule_consent": rows_of(
            6,
            hcp_id=st.sampled_from(HCP),
            channel=maybe(CHANNEL),
            status=st.sampled_from(["opt_in", "opt_in", "opt_in", "opt_out"]),
            captured_at=st.none() | st.integers(-4, 2).map(day),
            expires_at=MAYBE_DAY,
        ),
        "rule_access": rows_of(1, rep_access=maybe(["open", "restricted", "no_see"]), channel=st.sampled_from(CHANNEL)),
        "rule_channel_window": rows_of(
            3, channel=maybe(CHANNEL), territory_id=maybe(TERRITORY), available_from=MAYBE_DAY, available_to=MAYBE_DAY
        ),
        "rule_min_gap": rows_of(2, last_channel=maybe([*CHANNEL, "fax"]), channel=maybe(CHANNEL), min_days=st.integers(0, 14)),
        "rule_contact_limit": rows_of(
            2,
            channel=maybe(CHANNEL),
            attribute=maybe(["territory_id"]),
            value=maybe(TERRITORY),
            max_actions=st.integers(0, 3),
            window_days=st.none() | st.integers(1, 15),
        ),
        "rule_override": rows_of(
            2,
            hcp_id=st.sampled_from(HCP),
            channel=st.sampled_from(CHANNEL),
            action=st.sampled_from(["pin", "forbid"]),
            valid_from=MAYBE_DAY,
            valid_to=MAYBE_DAY,
        ),
        "touch_days": rows_of(
            4, hcp_id=st.sampled_from(HCP), channel=st.sampled_from([*CHANNEL, "fax"]), touch_date=PAST, touches=st.integers(0, 2)
        ),
        "prior_actions": rows_of(2, hcp_id=st.sampled_from(HCP), channel=st.sampled_from(CHANNEL), latest_date=PAST),
        "hcps": st.tuples(*[st.tuples(maybe(TERRITORY), maybe(["R"]), maybe(["open", "restricted", "no_see"])) for _ in HCP]).map(
            lambda rows: pd.DataFrame(
                [(hcp, *row) for hcp, row in zip(HCP, rows, strict=True)], columns=["hcp_id", "territory_id", "rep_id", "rep_access"]
            )
        ),
    }
)
CATALOG = pd.DataFrame({"channel": CHANNEL, "unit_cost": 1.0, "rep_minutes": [30, 0], "requires_consent": [False, True]})


def records(table: pd.DataFrame) -> list[dict]:
    return [{key: None if pd.isna(value) else value for key, value in row.items()} for row in table.to_dict("records")]


def within(row, first, last, at):
    return (row[first] is None or row[first] <= at) and (row[last] is None or at <= row[last])


def blockers(said, hcp, channel, at) -> list[str]:
    """Rules that close this day for this pair, read sentence by sentence from the contract."""
    found = []
    me = next(row for row in said["hcps"] if row["hcp_id"] == hcp)

    def named(row):
        return row["hcp_id"] in (None, hcp) and row["channel"] in (None, channel)

    if any(named(row) and within(row, "valid_from", "valid_to", at) for row in said["rule_exclusion"]):
        found.append("exclusion")
    if not consented(said, named, channel, at):
        found.append("consent")
    access = me["rep_access"] or "restricted"
    if any(row["rep_access"] in (None, access) and row["channel"] == channel for row in said["rule_access"]):
        found.append("access")
    if channel == "call" and me["rep_id"] is None:
        found.append("no_rep")
    windows = [row for row in said["rule_channel_window"] if row["channel"] in (None, channel)]
    here = [row for row in windows if row["territory_id"] in (None, me["territory_id"])]
    if windows and not any(within(row, "available_from", "available_to", at) for row in here):
        found.append("window")
    known = [(row["channel"], row["touch_date"], row["touches"]) for row in said["touch_days"] if row["hcp_id"] == hcp]
    known += [(row["channel"], row["latest_date"], 1) for row in said["prior_actions"] if row["hcp_id"] == hcp]
    for row in said["rule_min_gap"]:
        lasts = [on for used, on, count in known if count > 0 and row["last_channel"] in (None, used)]
        if row["channel"] in (None, channel) and lasts and (at - max(lasts)).days < row["min_days"]:
            found.append("min_gap")
    for row in said["rule_contact_limit"]:
        if row["channel"] not in (None, channel) or (row["attribute"] and row["value"] and me["territory_id"] != row["value"]):
            continue
        window = 0 if row["window_days"] is None else row["window_days"]
        used = sum(count for name, on, count in known if row["channel"] in (None, name) and (at - on).days < window)
        if used + 1 > row["max_actions"]:
            found.append("contact_limit")
    for row in said["rule_override"]:
        touches_cycle = any(within(row, "valid_from", "valid_to", day(number)) for number in range(DAYS))
        if named(row) and touches_cycle and within(row, "valid_from", "valid_to", at) == (row["action"] == "forbid"):
            found.append("override")
    return found


def consented(said, named, channel, at) -> bool:
    rows = [row for row in said["rule_consent"] if named(row)]
    if any(row["captured_at"] is None for row in rows):
        return False
    rows = [row for row in rows if row["status"] == "opt_out" or row["captured_at"] < START]
    if not rows:
        return channel != "email"
    newest = max(row["captured_at"] for row in rows)
    last = [row for row in rows if row["captured_at"] == newest]
    if any(row["status"] == "opt_out" for row in last):
        return False
    return channel != "email" or all(row["expires_at"] is None or at < row["expires_at"] for row in last)


def longest_run(open_days: list[bool]) -> tuple[int, int]:
    best = (-1, -1)
    for first in range(DAYS):
        for last in range(first, DAYS):
            if all(open_days[first : last + 1]) and (best[0] < 0 or last - first > best[1] - best[0]):
                best = (first, last)
    return best


@settings(max_examples=120, deadline=None, derandomize=True, phases=[Phase.generate])
@given(TABLES)
def test_eligible_days_and_blockers(tables):
    scores = pd.DataFrame([(hcp, channel, 1.0) for hcp in HCP for channel in CHANNEL], columns=["hcp_id", "channel", "expected_impact"])
    problem = build_problem(tables | {"catalog": CATALOG, "scores": scores}, SETTINGS)
    blocks = pair_blocks(problem)
    said = {name: records(table) for name, table in tables.items()}
    order = ["exclusion", "consent", "access", "no_rep", "window", "min_gap", "contact_limit", "override"]
    for pair in range(6):
        by_day = [blockers(said, HCP[pair // 2], CHANNEL[pair % 2], day(number)) for number in range(DAYS)]
        expected = longest_run([not rules for rules in by_day])
        assert (problem.earliest[pair], problem.latest[pair]) == expected
        assert problem.eligible[pair] == (expected[0] >= 0)
        all_rules = sorted({rule for rules in by_day for rule in rules}, key=order.index)
        if problem.eligible[pair]:
            all_rules = []
        assert blocks.loc[blocks["pair"] == pair, "rule"].tolist() == all_rules
        assert problem.blocker_of(pair) == (all_rules[0] if all_rules else None)


def large_world(hcps: int) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(7)
    channels = ["call", "email", "mail", "phone", "remote", "webinar"]
    ids = np.array([f"H{number:07d}" for number in range(hcps)])
    unit = np.arange(hcps) // 150
    pick = rng.integers(0, hcps, hcps)
    past = pd.Timestamp(START) - pd.to_timedelta(1 + 7 * rng.integers(0, 8, hcps), unit="D")
    return {
        "hcps": pd.DataFrame({"hcp_id": ids, "territory_id": [f"T{code}" for code in unit], "rep_id": [f"R{code}" for code in unit]}),
        "catalog": pd.DataFrame(
            {"channel": channels, "unit_cost": 5.0, "rep_minutes": [30, 0, 0, 10, 20, 0], "requires_consent": [0, 1, 0, 0, 0, 1]}
        ),
        "scores": pd.DataFrame({"hcp_id": np.repeat(ids, 6), "channel": channels * hcps, "expected_impact": rng.gamma(2, 0.1, 6 * hcps)}),
        "touch_days": pd.DataFrame({"hcp_id": ids[pick], "channel": rng.choice(channels, hcps), "touch_date": past, "touches": 1}),
        "rule_consent": pd.DataFrame({"hcp_id": ids, "channel": None, "status": "opt_in", "captured_at": past}),
        "rule_budget": pd.DataFrame({"channel": [None, "*"], "territory_id": [None, "*"], "max_cost": [1e5, 5e3]}),
        "rule_rep_capacity": pd.DataFrame({"rep_id": ["*"], "max_minutes": [2400]}),
        "rule_min_gap": pd.DataFrame({"last_channel": [None], "channel": [None], "min_days": [3]}),
        "rule_contact_limit": pd.DataFrame({"channel": [None], "max_actions": [3], "window_days": [30]}),
    }


def test_twenty_thousand_hcps_build_in_seconds():
    tables = large_world(20_000)
    began = time.perf_counter()
    problem = build_problem(tables, SETTINGS)
    assert time.perf_counter() - began < 10  # about one second on an idle core
    assert len(problem.limits) == 1 + 6 * 134 + 134


@pytest.mark.parametrize("hcps", [1, 2])
def test_one_hcp_is_enough(hcps):
    problem = build_problem(large_world(hcps), SETTINGS)
    assert problem.pair_count == 6 * hcps
