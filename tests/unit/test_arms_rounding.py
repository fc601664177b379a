"""Expected numbers to whole ones: neighbours only, sums kept, no bias, and an end whatever the last digits."""

from __future__ import annotations

import numpy as np
import pytest

from nba.arms.rounding import rounded


def table(rng, rows, control, explore):
    sizes = rng.integers(1, 40, rows).astype(np.float64)
    return np.column_stack([sizes * (1 - control - explore), sizes * control, sizes * explore])


@pytest.mark.parametrize("shares", [(0.1, 0.1), (1 / 3, 1 / 7), (0.07, 0.0), (0.123456789, 0.3), (0.5, 0.5), (1.0, 0.0), (1e-3, 0.02)])
@pytest.mark.parametrize("rows", [1, 2, 3, 50, 20_000])
def test_cells_and_sums_go_to_a_neighbouring_whole_number(rows, shares):
    for seed in range(3):
        expected = table(np.random.default_rng(seed), rows, *shares)
        found = rounded(np.maximum(expected, 0.0), np.uint64(seed))
        assert np.all(np.abs(found - expected) < 1 + 1e-6)
        assert np.all(found.sum(axis=1) == np.rint(expected.sum(axis=1)))
        assert np.all(np.abs(found.sum(axis=0) - expected.sum(axis=0)) < 1 + 1e-6)
        assert found.min() >= 0


def test_every_expectation_is_kept():
    expected = table(np.random.default_rng(5), 12, 0.17, 0.11)
    draws = 20_000
    mean = sum(rounded(expected, np.uint64(7919 * seed)) for seed in range(draws)) / draws
    assert np.all(np.abs(mean - expected) < 4.5 * 0.5 / np.sqrt(draws))


def test_sums_over_the_first_rows_are_near_too():
    expected = table(np.random.default_rng(1), 400, 0.1, 0.15)
    found = rounded(expected, np.uint64(3))
    assert np.abs(np.cumsum(found - expected, axis=0)).max() < 3
