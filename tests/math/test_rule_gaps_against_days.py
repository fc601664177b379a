"""Gaps between the planned touches of one HCP, against a brute force that puts every touch on every day."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise, permutations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from optimization.build import build_problem
from optimization.checker import check_plan
from optimization.problem import PlanSettings
from optimization.rules.gap_sets import largest_examined

START, DAYS = date(2026, 1, 5), 8
SETTINGS = PlanSettings(START, START + timedelta(days=DAYS))


def day(number: int) -> date:
    return START + timedelta(days=number)


def can_be_dated(touches: tuple[int, ...], runs, gaps) -> bool:
    """Whether some day for each touch, and some order within each day, keeps every gap: all assignments are tried."""
    items = [channel for channel, count in enumerate(touches) for _ in range(count)]

    def place(number: int, dated: list[tuple[int, int]]) -> bool:
        if number == len(items):
            return True
        first, last = runs[items[number]]
        # Touches of one channel are alike: their days may be taken as ascending.
        first = max([first, *(at for at, channel in dated if channel == items[number])])
        return any(
            keeps([*dated, (at, items[number])]) and place(number + 1, [*dated, (at, items[number])]) for at in range(first, last + 1)
        )

    def keeps(dated: list[tuple[int, int]]) -> bool:
        days = sorted({at for at, _ in dated})
        groups = [[channel for at, channel in dated if at == number] for number in days]
        apart = all(
            later - at >= gaps[one][other]
            for at, mine in zip(days, groups, strict=True)
            for later, theirs in zip(days, groups, strict=True)
            if later > at
            for one in mine
            for other in theirs
        )
        return apart and all(
            any(
                all(gaps[one][other] == 0 for place, one in enumerate(order) for other in order[place + 1 :])
                for order in permutations(group)
            )
            for group in groups
        )

    return place(0, [])


def problem_of(runs, rows, most):
    channels = [f"c{number}" for number in range(len(runs))]
    windows = [(channel, day(first), day(last)) for channel, (first, last) in zip(channels, runs, strict=True)]
    tables = {
        "hcps": pd.DataFrame({"hcp_id": ["a"]}),
        "catalog": pd.DataFrame({"channel": channels, "unit_cost": 1.0, "max_touches": most}),
        "scores": pd.DataFrame({"hcp_id": "a", "channel": channels, "expected_impact": 1.0}),
        "rule_channel_window": pd.DataFrame(windows, columns=["channel", "available_from", "available_to"]),
        "rule_min_gap": pd.DataFrame(rows, columns=["last_channel", "channel", "min_days"]).astype(object),
    }
    return build_problem(tables, SETTINGS)


def gap_table(rows, width):
    gaps = [[0] * width for _ in range(width)]
    for before, after, days in rows:
        for one, other in product(range(width), repeat=2):
            if before in (None, f"c{one}") and after in (None, f"c{other}"):
                gaps[one][other] = max(gaps[one][other], days)
    return gaps


@st.composite
def worlds(draw):
    width = draw(st.integers(1, 3))
    runs = [tuple(sorted(draw(st.tuples(st.integers(0, DAYS - 1), st.integers(0, DAYS - 1))))) for _ in range(width)]
    name = st.none() | st.sampled_from([f"c{number}" for number in range(width)])
    rows = draw(st.lists(st.tuples(name, name, st.integers(0, 5)), min_size=1, max_size=4))
    most = draw(st.lists(st.integers(1, 4 if width < 3 else 2), min_size=width, max_size=width))
    return runs, rows, most


@settings(max_examples=250, deadline=None, derandomize=True, phases=[Phase.generate])
@given(worlds())
def test_exactly_what_can_be_dated_is_allowed(world):
    runs, rows, most = world
    problem, gaps = problem_of(*world), gap_table(rows, len(runs))
    for touches in product(*(range(count + 1) for count in most)):
        allowed = check_plan(problem, np.array(touches)) == []
        assert allowed == can_be_dated(touches, runs, gaps), (touches, runs, rows, most)


@pytest.mark.parametrize("seed", range(6))
def test_beyond_the_exact_line_nothing_is_allowed_that_cannot_be_dated(seed):
    rng = np.random.default_rng(seed)
    width, most = 4, [3, 3, 3, 2]
    runs = [tuple(sorted(rng.integers(0, DAYS, 2).tolist())) for _ in range(width)]
    rows = [(f"c{a}", f"c{b}", int(rng.integers(0, 3))) for a, b in product(range(width), repeat=2)]
    assert largest_examined(np.array(most)) < sum(most)
    problem, gaps = problem_of(runs, rows, most), gap_table(rows, width)
    fitting = 0
    for touches in product(*(range(count + 1) for count in most)):
        if check_plan(problem, np.array(touches)) == []:
            assert can_be_dated(touches, runs, gaps), (touches, runs, rows)
            fitting += 1
        elif sum(touches) <= 4:
            assert not can_be_dated(touches, runs, gaps), (touches, runs, rows)
    assert fitting > width


@pytest.mark.parametrize(
    ("room", "expected"),
    [([1] * 6, 6), ([1] * 7, 4), ([1] * 8, 4), ([5, 5], 10), ([2, 2, 2], 6), ([3, 3, 3, 2], 5), ([28, 28], 10), ([1] * 20, 3)],
)
def test_where_the_exact_line_is(room, expected):
    assert largest_examined(np.array(room)) == expected


@pytest.mark.parametrize(("run", "gap", "room"), list(zip([(0, 7), (0, 6), (3, 7), (2, 2)], [7, 7, 2, 1], [2, 1, 3, 1], strict=True)))
def test_a_channels_gap_to_itself_leaves_room_for_so_many_touches(run, gap, room):
    problem = problem_of([run], [("c0", "c0", gap)], [4])
    allowed = [check_plan(problem, np.array([touches])) == [] for touches in range(5)]
    assert allowed == [touches <= room for touches in range(5)]
    assert [cap.label for cap in problem.caps] == ["gap of c0 to itself"]


def test_touches_without_a_gap_to_themselves_share_a_day():
    problem = problem_of([(0, 7), (0, 7)], [("c0", "c1", 7), ("c1", "c0", 8)], [4, 3])
    assert check_plan(problem, np.array([4, 3])) == []  # all of c0 on the first day, all of c1 on the last
    problem = problem_of([(0, 7), (0, 6)], [("c0", "c1", 7), ("c1", "c0", 8)], [4, 3])
    assert [(row.least, row.label) for row in problem.exclusive] == [(None, "gap between c0 and c1")]


def test_the_row_names_how_many_touches():
    problem = problem_of([(0, 6), (0, 6)], [("c0", "c0", 4), (None, "c1", 4), ("c1", None, 3)], [2, 1])
    assert [(row.least, row.label) for row in problem.exclusive] == [((2, 1), "gap between 2 touches of c0 and c1")]
    assert all(one <= other for one, other in pairwise(problem.exclusive[0].members[0]))
