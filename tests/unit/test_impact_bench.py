"""The judges of the impact benchmark: plans keep the limits, measures are what their names say, broken runs are simply repeated."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.impact.measures import interval_measures, interval_score, value_measures
from benchmarks.impact.methods import METHODS
from benchmarks.impact.methods.fixed_effects import fixed_effects
from benchmarks.impact.observed import Observed, features, observe, past_cycles
from benchmarks.impact.run import Row, done_rows, groups_of, rows_wanted
from benchmarks.impact.value import best_plan, breaks
from benchmarks.impact.worlds import draw_world


@pytest.fixture(scope="module")
def seen() -> Observed:
    return observe(draw_world("proportional", 300, 60, 4))


@pytest.mark.parametrize("name", [name for name in METHODS if METHODS[name].is_light])
def test_every_plan_keeps_the_limits_and_none_beats_the_oracle(seen: Observed, name: str) -> None:
    truth = seen.world.true_matrix()
    most = truth[best_plan(seen.world, truth)].sum()
    answer = METHODS[name].function(seen)
    for plan in answer.plans if answer.plans is not None else [best_plan(seen.world, answer.score)]:
        assert breaks(seen.world, plan) == []
        assert 0 < truth[plan].sum() <= most * 1.002


def test_a_broken_plan_is_seen(seen: Observed) -> None:
    said = breaks(seen.world, np.ones_like(seen.world.true_matrix(), dtype=bool))
    assert len(said) > len(seen.world.limits.rep_capacity) and said[-1].startswith("actions per HCP")


def test_only_what_was_known_is_seen(seen: Observed) -> None:
    """Nothing that became known after cycle start changes what a method gets."""
    world = seen.world
    cut = dict(world.tables)
    for name in ("engagement", "kpi"):
        known = np.array(world.tables[name]["known_from"].to_pylist()) <= world.cycle_start
        assert not known.all()
        cut[name] = world.tables[name].filter(known)
    again = observe(dataclasses.replace(world, tables=cut))
    np.testing.assert_array_equal(features(seen, seen.periods), features(again, again.periods))
    assert seen.lag > 0 and np.isnan(seen.kpi[-seen.lag :]).all() and not np.isnan(seen.kpi[past_cycles(seen)[0]]).all()


def test_interval_measures_by_hand() -> None:
    truth = np.array([[1.0, 0.0], [2.0, 5.0]])
    low, high = np.array([[0.5, -1.0], [2.5, 1.0]]), np.array([[1.5, 1.0], [3.0, 4.0]])
    np.testing.assert_allclose(interval_score(truth, low, high), [[1.0, 2.0], [0.5 + 20 * 0.5, 3.0 + 20 * 1.0]])
    found = interval_measures(truth, low, high, np.array([[True, False], [False, False]]), ["a", "b"])
    assert found["coverage_by_channel"] == {"a": 0.5, "b": 0.5} and found["coverage_planned"] == 1.0
    assert found["interval_score"] == pytest.approx((1 + 2 + 10.5 + 23) / 4 / 2)


def test_value_measures_by_hand() -> None:
    found = value_measures(np.array([[2.0, 1.0]]), np.array([[True, False]]), np.array([[3.0, 9.0]]))
    assert (found["gain"], found["predicted"], found["predicted_over_true"]) == (2.0, 3.0, 1.5)
    nothing = value_measures(np.zeros((1, 2)), np.array([[True, False]]), np.array([[3.0, 9.0]]))
    assert nothing["predicted_over_true"] is None and nothing["predicted"] == 3.0


def test_fixed_effects_find_an_additive_effect() -> None:
    """Where the effect is the same for all sizes the coefficients lie near it, of touches at any time in the cycle."""
    world = draw_world("additive", 1500, 78, 2)
    found = fixed_effects(observe(world)).score.mean(axis=0)[0]
    assert 0.4 < found / world.true_matrix().mean(axis=0)[0] < 1.2


def test_rows_that_failed_are_run_again(tmp_path: Path) -> None:
    rows = rows_wanted("base,additive", "100", 40, "1", "quick")
    assert {row.method for row in rows} == set(METHODS) - {"causal_forest"}
    groups = groups_of(rows)
    assert sorted(len(group) for group in groups)[-1] == sum(m.is_light for m in METHODS.values()) and sum(map(len, groups)) == len(rows)
    file = tmp_path / "rows.jsonl"
    given = [dataclasses.asdict(row) | {"status": status} for row, status in zip(rows, ("done", "error", "killed"), strict=False)]
    file.write_text("\n".join(json.dumps(row) for row in given))
    assert done_rows(file) == {rows[0], rows[2]}
    assert Row(**{k: v for k, v in given[0].items() if k != "status"}).command.endswith("--methods oracle --again")


def test_unknown_names_are_said() -> None:
    with pytest.raises(ValueError, match="method 'magic' must be one of oracle, ceiling"):
        rows_wanted("all", "100", 40, "1", "magic")
