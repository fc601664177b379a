"""Gaps, contact limits and incompatible channels: days blocked by history, and what may be planned together."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations, permutations, product

import numpy as np
import pandas as pd
import pytest
from rule_world import CATALOG, DAYS, START, cap_rows, details, problem_of, run, together, world

from optimization.build import build_problem
from optimization.problem import PlanSettings

WHOLE = (0, DAYS - 1)


def touches(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["hcp_id", "channel", "touch_date", "touches"])


def gaps(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["last_channel", "channel", "min_days"])


@pytest.mark.parametrize(
    ("rows", "history", "pair", "expected"),
    [
        pytest.param([("web", "call", 10)], [("a", "web", "2026-01-04", 1)], "a.call", (9, 27), id="allowed from last + min_days"),
        pytest.param([("web", "call", 10)], [("a", "web", "2026-01-04", 1)], "a.web", WHOLE, id="directed"),
        pytest.param([("web", "call", 10)], [("a", "web", "2026-01-04", 0)], "a.call", WHOLE, id="zero touches are none"),
        pytest.param([("web", "call", 10)], [("b", "web", "2026-01-04", 1)], "a.call", WHOLE, id="of this hcp"),
        pytest.param(
            [("web", "call", 10)], [("a", "web", "2025-12-28", 1), ("a", "web", "2026-01-04", 2)], "a.call", (9, 27), id="latest touch"
        ),
        pytest.param([(None, "call", 10)], [("a", "fax", "2026-01-04", 1)], "a.call", (9, 27), id="null last channel is any, old ones too"),
        pytest.param([("web", None, 10)], [("a", "web", "2026-01-04", 1)], "a.email", (9, 27), id="null channel is any"),
        pytest.param([("web", "call", 40)], [("a", "web", "2026-01-04", 1)], "a.call", None, id="longer than the cycle"),
        pytest.param([("web", "call", 1)], [("a", "web", "2026-01-04", 1)], "a.call", WHOLE, id="one day"),
        pytest.param([("web", "call", 5), (None, "call", 9)], [("a", "web", "2026-01-04", 1)], "a.call", (8, 27), id="longest of two rows"),
        pytest.param([("call", "call", 10)], [("a", "call", "2026-01-04", 1)], "a.call", (9, 27), id="same channel"),
    ],
)
def test_min_gap_against_history(rows, history, pair, expected):
    assert run(problem_of(rule_min_gap=gaps(*rows), touch_days=touches(*history)), pair) == expected


def test_min_gap_counts_published_actions_on_their_latest_date():
    prior = [{"hcp_id": "a", "channel": "web", "latest_date": "2026-01-06"}]
    problem = problem_of(rule_min_gap=gaps(("web", "call", 10)), prior_actions=prior)
    assert run(problem, "a.call") == (11, 27)


def test_min_gap_says_which_touch_stands_in_the_way():
    problem = problem_of(rule_min_gap=gaps(("call", "web", 60)), touch_days=touches(("a", "call", "2025-12-28", 1)))
    assert details(problem, "a.web") == {"min_gap": "last Rep visit on 2025-12-28, 60 days must pass"}


def windows(**runs) -> pd.DataFrame:
    rows = [(name, START + timedelta(days=first), START + timedelta(days=last)) for name, (first, last) in runs.items()]
    return pd.DataFrame(rows, columns=["channel", "available_from", "available_to"])


@pytest.mark.parametrize(
    ("rows", "runs", "expected"),
    [
        pytest.param([("call", "web", 27)], {}, [], id="room for one order"),
        pytest.param([("call", "web", 28), ("web", "call", 27)], {}, [], id="the other order has room"),
        pytest.param([("call", "web", 28), ("web", "call", 28), ("web", "email", 1)], {}, [("a.call", "a.web")], id="no order has room"),
        pytest.param([("call", "web", 28)], {}, [], id="one direction only: the other order is free"),
        pytest.param([("call", "web", 9)], {"call": (0, 4), "web": (5, 12)}, [], id="12 - 0 >= 9"),
        pytest.param([("call", "web", 13)], {"call": (0, 4), "web": (5, 12)}, [("a.call", "a.web")], id="web can never come first"),
        pytest.param([("call", "call", 28)], {}, [], id="a channel's gap to itself"),
        pytest.param(
            [
                ("call", "web", 14),
                ("web", "call", 14),
                ("web", "email", 5),
                ("email", "web", 5),
                ("call", "email", 14),
                ("email", "call", 14),
            ],
            {"call": (10, 17)},
            [("a.call", "a.email", "a.web")],
            id="each two fit, three do not",
        ),
        pytest.param([("call", "web", 14), ("web", "email", 14)], {}, [], id="a chain has a way round"),
    ],
)
def test_min_gap_within_the_plan(rows, runs, expected):
    problem = problem_of(rule_min_gap=gaps(*rows), rule_channel_window=windows(**runs))
    assert [row for row in together(problem) if row[0].startswith("a.")] == expected


@pytest.mark.parametrize(("days", "caps"), [(14, 2), (13, None), (28, 1)])
def test_one_gap_between_any_two_actions_is_a_cap(days, caps):
    problem = problem_of(rule_min_gap=gaps((None, None, days)), hcps=[{"hcp_id": "a", "rep_id": "R"}])
    assert together(problem) == []
    assert cap_rows(problem) == ({"room that gaps leave": [(["a.call", "a.email", "a.web"], caps)]} if caps else {})


def fits(runs: list[tuple[int, int]], wait: np.ndarray) -> bool:
    """Slow truth: some dates inside the runs respect every gap in some order of the actions."""
    for order in permutations(range(len(runs))):
        for days in product(*(range(first, last + 1) for first, last in runs)):
            if all(days[b] - days[a] >= wait[a, b] for a, b in combinations(order, 2)):
                return True
    return False


@pytest.mark.parametrize("seed", range(25))
def test_sets_of_actions_against_every_order_and_date(seed):
    rng = np.random.default_rng(seed)
    channels = [f"c{number}" for number in range(4)]
    settings = PlanSettings(START, START + timedelta(days=6))
    catalog = pd.DataFrame({"channel": channels, "unit_cost": 1.0})
    rows = [(rng.choice([*channels, None]), rng.choice([*channels, None]), int(rng.integers(0, 7))) for _ in range(rng.integers(1, 7))]
    runs = {name: tuple(sorted(int(day) for day in rng.integers(0, 6, 2))) for name in channels}
    tables = world(catalog=catalog, rule_min_gap=gaps(*rows), rule_channel_window=windows(**runs), hcps=[{"hcp_id": "a"}])
    wait = np.zeros((4, 4), dtype=int)
    for last, following, days in rows:
        for one, other in product(range(4), repeat=2):
            if last in (None, channels[one]) and following in (None, channels[other]):
                wait[one, other] = max(wait[one, other], days)
    problem = build_problem(tables, settings)
    forbidden = together(problem)
    room = min((upper for groups in cap_rows(problem).values() for _, upper in groups), default=4)
    for size in (2, 3, 4):
        for chosen in combinations(range(4), size):
            names = {f"a.{channels[code]}" for code in chosen}
            allowed = not any(set(row) <= names for row in forbidden) and size <= room
            assert allowed == fits([runs[channels[code]] for code in chosen], wait[np.ix_(chosen, chosen)]), (names, rows, runs)


def test_beyond_six_linked_channels_four_actions_are_safe():
    catalog = pd.DataFrame({"channel": [f"c{number}" for number in range(8)], "unit_cost": 1.0})
    everyone = {"catalog": catalog, "hcps": [{"hcp_id": "a"}]}
    problem = problem_of(**everyone, rule_min_gap=gaps((None, None, 9)))
    assert [(len(pairs), upper) for pairs, upper in cap_rows(problem)["room that gaps leave"]] == [(8, 4)]  # 27 days hold four
    problem = problem_of(**everyone, rule_min_gap=gaps((None, None, 5)))
    assert [(len(pairs), upper) for pairs, upper in cap_rows(problem)["room that gaps leave"]] == [(8, 4)]  # six would fit, four are safe
    assert problem_of(**everyone, rule_min_gap=gaps((None, None, 3))).caps == []  # all eight fit: 21 days


def limits(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["channel", "attribute", "value", "max_actions", "window_days"])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            [(None, None, None, 2, None)],
            {
                "contact limit": [
                    (["a.call", "a.email", "a.web"], 2),
                    (["b.call", "b.email", "b.web"], 2),
                    (["c.call", "c.email", "c.web"], 2),
                ]
            },
            id="all channels together; d has only two pairs",
        ),
        pytest.param([(None, "specialty", "cardio", 1, None)], {"contact limit": [(["b.call", "b.email", "b.web"], 1)]}, id="by attribute"),
        pytest.param(
            [(None, "decile", "4", 1, None)], {"contact limit": [(["b.call", "b.email", "b.web"], 1)]}, id="number against number"
        ),
        pytest.param(
            [(None, "specialty", "onco", 2, None), (None, "decile", "9", 1, None)],
            {"contact limit": [(["a.call", "a.email", "a.web"], 1), (["c.call", "c.email", "c.web"], 2)]},
            id="all rows hold",
        ),
        pytest.param([("*", None, None, 1, None), ("web", None, None, 1, None)], {}, id="one touch per channel never binds"),
    ],
)
def test_contact_limit_caps(rows, expected):
    assert cap_rows(problem_of(rule_contact_limit=limits(*rows))) == expected


def test_contact_limit_of_zero_closes_the_pair():
    problem = problem_of(rule_contact_limit=limits(("web", "specialty", "onco", 0, None)))
    assert details(problem, "a.web") == {"contact_limit": "contact limit of web: none allowed"}
    assert run(problem, "b.web") == WHOLE


@pytest.mark.parametrize(
    ("row", "history", "expected"),
    [
        # A touch on 2026-01-04 is day -1: inside (d - 10, d] through day 8.
        pytest.param(("web", 1, 10), [("a", "web", "2026-01-04", 1)], (9, 27), id="leaves the window after window_days"),
        pytest.param(("web", 2, 10), [("a", "web", "2026-01-04", 1)], WHOLE, id="room for one more"),
        pytest.param(("web", 2, 10), [("a", "web", "2026-01-04", 2)], (9, 27), id="two touches of one period"),
        pytest.param(("web", 2, 10), [("a", "web", "2025-12-28", 1), ("a", "web", "2026-01-04", 1)], (2, 27), id="the older leaves first"),
        pytest.param(("web", 1, 10), [("a", "call", "2026-01-04", 1)], WHOLE, id="another channel"),
        pytest.param((None, 1, 10), [("a", "fax", "2026-01-04", 1)], (9, 27), id="all channels count, old ones too"),
        pytest.param(("web", 1, 90), [("a", "web", "2026-01-04", 1)], None, id="longer than the cycle"),
        pytest.param(("web", 1, None), [("a", "web", "2026-01-04", 1)], WHOLE, id="no window: this cycle only"),
    ],
)
def test_contact_limit_window(row, history, expected):
    channel, most, window = row
    problem = problem_of(rule_contact_limit=limits((channel, None, None, most, window)), touch_days=touches(*history))
    assert run(problem, "a.web") == expected


def test_planned_touches_share_what_history_left_of_the_window():
    history = touches(("a", "web", "2026-01-04", 1))
    problem = problem_of(rule_contact_limit=limits((None, None, None, 3, 30)), touch_days=history)
    assert cap_rows(problem) == {"contact limit in 30 days": [(["a.call", "a.email", "a.web"], 2)]}  # the others have three pairs for three
    prior = [{"hcp_id": "a", "channel": "web", "latest_date": "2026-01-04"}]
    problem = problem_of(rule_contact_limit=limits((None, None, None, 3, 30)), prior_actions=prior)
    assert cap_rows(problem) == {"contact limit in 30 days": [(["a.call", "a.email", "a.web"], 2)]}


def test_contact_limits_count_touches():
    several = CATALOG.assign(max_touches=[3, 1, 2])  # email, call, web
    caps = cap_rows(problem_of(catalog=several, rule_contact_limit=limits((None, None, None, 5, None), ("email", None, None, 2, None))))
    everything = ["a.call", "a.email", "a.web"], ["b.call", "b.email", "b.web"], ["c.call", "c.email", "c.web"]
    assert caps["contact limit"] == [(pairs, 5) for pairs in map(list, everything)]  # d's two pairs hold five touches, no more
    assert caps["contact limit of E-mail"] == [([f"{hcp}.email"], 2) for hcp in "abcd"]


@pytest.mark.parametrize(("given", "left"), [({}, 2), ({"touches": 2}, 1), ({"touches": None}, 2)])
def test_published_actions_count_with_their_touches(given, left):
    prior = [{"hcp_id": "a", "channel": "web", "latest_date": "2026-01-04"} | given]
    caps = cap_rows(problem_of(rule_contact_limit=limits((None, None, None, 3, 30)), prior_actions=prior))
    assert caps == {"contact limit in 30 days": [(["a.call", "a.email", "a.web"], left)]}


@pytest.mark.parametrize(("most", "expected"), [(None, 1), (0.0, 0), (2.0, 2), (2.9, 2), (1e9, 10_000)])
def test_most_touches_come_from_the_catalogue(most, expected):
    problem = problem_of(catalog=CATALOG.assign(max_touches=[1, 1, most]))
    assert problem.most_touches.tolist() == [1, 1, expected]
    assert problem.eligible[2] == (expected > 0)  # a.web


def test_catalogue_without_touches_closes_the_channel():
    problem = problem_of(catalog=CATALOG.assign(max_touches=[1, 1, 0]))
    assert details(problem, "a.web") == {"contact_limit": "the catalogue allows no touch"}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("web", "call")], [("a.call", "a.web"), ("b.call", "b.web"), ("c.call", "c.web")]),
        ([("web", "call"), ("call", "web")], [("a.call", "a.web"), ("b.call", "b.web"), ("c.call", "c.web")]),
        ([("web", "web")], []),
        ([("web", "fax")], []),
    ],
)
def test_incompatible(rows, expected):
    problem = problem_of(rule_incompatible=pd.DataFrame(rows, columns=["channel_a", "channel_b"]))
    assert together(problem) == expected
