"""Blocked days to eligible runs, on blocks made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from optimization.eligibility import eligible_runs, first_blockers
from optimization.problem import Block


def block(*entries: tuple[int, int, int], rule: str = "window") -> Block:
    table = np.array(entries, dtype=np.int64).reshape(-1, 3)
    return Block(rule, table[:, 0], table[:, 1], table[:, 2], np.zeros(len(table), dtype=int), [rule])


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], (0, 9)),
        ([(0, 0, 9)], (-1, -1)),
        ([(0, 0, 4), (0, 5, 9)], (-1, -1)),
        ([(0, 5, 9), (0, 0, 4)], (-1, -1)),
        ([(0, 3, 3)], (4, 9)),
        ([(0, 6, 6)], (0, 5)),
        ([(0, 4, 5)], (0, 3)),  # four days on either side: the earlier
        ([(0, 0, 8), (0, 2, 3)], (9, 9)),  # one entry inside another
        ([(0, 1, 7), (0, 2, 3), (0, 9, 9)], (0, 0)),
        ([(0, 0, 1), (0, 4, 4), (0, 8, 9)], (5, 7)),
        ([(0, 0, 1), (0, 1, 4), (0, 4, 6)], (7, 9)),
    ],
)
def test_longest_run_of_open_days(entries, expected):
    earliest, latest = eligible_runs([block(*entries)], 2, 10)
    assert (earliest[0], latest[0]) == expected
    assert (earliest[1], latest[1]) == (0, 9)


def test_runs_are_found_across_blocks_of_several_rules():
    earliest, latest = eligible_runs([block((1, 0, 2)), block((1, 5, 9), (0, 9, 9), rule="consent")], 3, 10)
    assert earliest.tolist() == [0, 3, 0]
    assert latest.tolist() == [8, 4, 9]


def test_one_day_cycles():
    earliest, latest = eligible_runs([block((1, 0, 0))], 2, 1)
    assert (earliest.tolist(), latest.tolist()) == ([0, -1], [0, -1])


def test_first_blocker_is_the_first_in_order_and_eligible_pairs_have_none():
    blocks = [block((0, 0, 9), (1, 0, 1), rule="window"), block((0, 0, 0), rule="consent")]
    places = first_blockers(blocks, np.array([False, True, False]), ["consent", "window"])
    assert places.tolist() == [0, -1, -1]


def test_random_blocks_against_day_by_day():
    rng = np.random.default_rng(3)
    entries = [(int(pair), *sorted(int(day) for day in rng.integers(0, 12, 2))) for pair in rng.integers(0, 40, 90)]
    earliest, latest = eligible_runs([block(*entries[:50]), block(*entries[50:])], 40, 12)
    for pair in range(40):
        shut = np.zeros(12, dtype=bool)
        for _, first, last in [entry for entry in entries if entry[0] == pair]:
            shut[first : last + 1] = True
        runs = [(last - first + 1, -first) for first in range(12) for last in range(first, 12) if not shut[first : last + 1].any()]
        length, start = max(runs, default=(0, 1))
        assert (earliest[pair], latest[pair]) == ((-start, -start + length - 1) if length else (-1, -1))
