"""Lift of drawn arms against worlds whose truth is known, and what is said where there is nothing to say."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from measured_world import Simulated, cycle_day, simulated
from replications import Replications

from nba.measurement.cells import comparison_cells
from nba.measurement.lift import LIFT_SCHEMA, measured_lift
from nba.measurement.rows import MeasurementInputError

TIMES = 200
FIRST = str(cycle_day(0))


def rows(hcps: pa.Table, scope: str = FIRST) -> dict[str, dict]:
    return {row["estimator"]: row for row in measured_lift(hcps).to_pylist() if row["measured_cycle"] == scope}


def changed(table: pa.Table, **columns: list | np.ndarray) -> pa.Table:
    for name, values in columns.items():
        place = table.column_names.index(name)
        table = table.set_column(place, name, pa.array(values, table.schema.field(name).type))
    return table


@cache
def replications(times: int = TIMES, scope: str = FIRST, **world) -> tuple[Replications, list[Simulated]]:
    found, worlds = Replications(), []
    for seed in range(times):
        made = simulated(seed, **world)
        truth = {"itt": made.lift, "adjusted": made.lift, "per_touch": made.per_touch}
        found.add((name, row["lift"], row["lift_low"], row["lift_high"], truth[name]) for name, row in rows(made.hcps, scope).items())
        worlds.append(made)
    return found, worlds


@pytest.mark.parametrize("estimator", ["itt", "adjusted", "per_touch"])
def test_intervals_cover_the_truth_and_estimates_are_unbiased(estimator: str):
    found, worlds = replications()
    assert len(found.covers[estimator]) >= 150
    assert 0.84 <= found.coverage(estimator) <= 0.96
    assert abs(found.bias_in_errors(estimator)) < 2
    # HCPs with touches against HCPs without them say several times as much: the plan and the reps go where prescriptions are
    assert np.mean([world.naive for world in worlds]) > 3 * np.mean([world.lift for world in worlds])


def test_what_the_kpi_before_says_makes_the_interval_narrower():
    found, _ = replications()
    assert found.width("adjusted") < 0.85 * found.width("itt")
    assert found.spread("adjusted") < 0.85 * found.spread("itt")


def test_without_an_effect_alarms_are_as_rare_as_the_level_says():
    found, _ = replications(effect=0.0)
    # 200 draws: 10% + 2 standard errors
    assert max(found.false_alarms(name) for name in ("itt", "adjusted", "per_touch")) <= 0.10 + 2 * math.sqrt(0.09 / TIMES)


@pytest.mark.long
@pytest.mark.parametrize(
    ("scope", "world"),
    [
        (FIRST, {"hcps": 900, "unit": "hco"}),
        ("pooled", {"hcps": 600, "cycles": 3}),
        ("pooled", {"hcps": 900, "cycles": 3, "unit": "hco"}),
        (FIRST, {"hcps": 3000}),
    ],
    ids=["groups", "three cycles", "three cycles of groups", "many"],
)
def test_intervals_cover_for_groups_and_over_cycles(scope: str, world: dict):
    found, _ = replications(400, scope, **world)
    for estimator in ("itt", "adjusted", "per_touch"):
        assert 0.84 <= found.coverage(estimator) <= 0.96, estimator
        assert abs(found.bias_in_errors(estimator)) < 2.5, estimator


def test_errors_that_ignore_the_drawn_units_would_be_too_small():
    """The same table, once as drawn and once as if every HCP had been drawn alone."""
    worlds = [simulated(seed, hcps=900, cycles=2, unit="hco") for seed in range(5)]
    drawn = np.mean([rows(world.hcps, "pooled")["itt"]["standard_error"] for world in worlds])
    alone = []
    for world in worlds:
        keys = zip(world.hcps["hcp_id"].to_pylist(), world.hcps["measured_cycle"].to_pylist(), strict=True)
        alone.append(changed(world.hcps, unit_id=[f"{hcp} {cycle}" for hcp, cycle in keys]))
    assert drawn > 1.2 * np.mean([rows(table, "pooled")["itt"]["standard_error"] for table in alone])


def by_hand(kpi: dict[str, list[float]], **more: list) -> pa.Table:
    """One stratum: arm -> KPI of its HCPs."""
    arms = [arm for arm, values in kpi.items() for _ in values]
    probability = {"plan": 0.5, "control": 0.5, "explore": 0.25}
    count = len(arms)
    table = simulated(0, hcps=count).hcps
    flat = {name: np.zeros(count) for name in ("kpi_before", "kpi_long_before", "touches", "predicted", "best_impact")}
    given = {
        "arm": arms,
        "arm_probability": [probability[arm] for arm in arms],
        "kpi": [value for values in kpi.values() for value in values],
        "stratum": ["T1|1"] * count,
        **flat,
        **more,
    }
    return changed(table, **given)


def test_lift_is_the_difference_in_means_with_neymans_error():
    plan, control = [3.0, 5.0, 4.0, 6.0, 7.0] * 4, [2.0, 1.0, 3.0] * 4
    found = rows(by_hand({"plan": plan, "control": control}, predicted=[2.0] * 20 + [0.0] * 12))["itt"]
    error = math.sqrt(np.var(plan, ddof=1) / 20 + np.var(control, ddof=1) / 12)
    assert (found["lift"], found["standard_error"]) == (pytest.approx(3.0), pytest.approx(error))
    assert (found["plan_hcps"], found["control_hcps"], found["cells"], found["left_out_hcps"]) == (20, 12, 1, 0)
    assert (found["total_lift"], found["control_mean"]) == (pytest.approx(60.0), pytest.approx(2.0))
    assert (found["predicted_lift"], found["predicted_ratio"]) == (pytest.approx(2.0), pytest.approx(2 / 3))
    assert found["lift_low"] + found["lift_high"] == pytest.approx(6.0)


def test_per_touch_divides_by_the_touches_that_the_plan_adds():
    touches = [2.0, 2.0, 2.0, 0.0] * 5 + [0.0, 0.0, 0.0, 0.0, 1.0] * 4
    found = rows(by_hand({"plan": [6.0, 7.0, 5.0, 4.0] * 5, "control": [2.0, 3.0, 2.5, 2.5, 2.5] * 4}, touches=touches))["per_touch"]
    assert found["touch_difference"] == pytest.approx(1.5 - 0.2)
    assert found["lift"] == pytest.approx((5.5 - 2.5) / 1.3)
    assert found["lift_low"] < found["lift"] < found["lift_high"]


def test_a_plan_that_nobody_follows_has_no_effect_per_touch():
    found = rows(by_hand({"plan": [3.0, 4.0] * 10, "control": [3.5, 2.5] * 10}, touches=[1.0, 0.0] * 20))
    assert found["itt"]["status"] == "measured"
    assert (found["per_touch"]["status"], found["per_touch"]["lift"]) == ("weak", None)
    assert "F = 0 (least 10)" in found["per_touch"]["reason"]


@pytest.mark.parametrize(
    ("arms", "more", "status", "says"),
    [
        ({"plan": [1.0] * 40}, {"arm_probability": [1.0] * 40}, "observational", "no arms were drawn"),
        ({"plan": [1.0] * 20, "explore": [1.0] * 20}, {}, "no_control", "arm control"),
        ({"plan": [1.0] * 20, "control": [1.0] * 20}, {"is_kpi_known": [False] * 40}, "not_yet_known", "not wholly known"),
        ({"plan": [1.0, 2.0] * 15, "control": [1.0] * 9}, {}, "thin", "9 drawn units in an arm: at least 10"),
    ],
    ids=["observational", "no control", "not yet known", "thin"],
)
def test_no_lift_is_claimed_without_a_reason_to(arms: dict, more: dict, status: str, says: str):
    for scope in (FIRST, "pooled"):
        found = rows(by_hand(arms, **more), scope)
        assert {row["status"] for row in found.values()} == {status}
        assert all(row["lift"] is None and says in row["reason"] for row in found.values())
        assert scope == "pooled" or found["itt"]["predicted_lift"] is not None


def test_hcps_that_could_only_be_planned_for_are_no_evidence():
    table = by_hand({"plan": [5.0, 6.0] * 10, "control": [1.0, 2.0] * 10})
    pinned = changed(table.slice(0, 5), arm_probability=[1.0] * 5, kpi=[900.0] * 5, hcp_id=list("abcde"), unit_id=list("abcde"))
    found = rows(pa.concat_tables([table, pinned]))["itt"]
    assert (found["lift"], found["left_out_hcps"]) == (pytest.approx(4.0), 5)


def test_pooled_takes_the_cycles_that_are_known_and_had_arms():
    drawn = simulated(3, cycles=3).hcps
    number = drawn["measured_cycle"].to_pylist()
    first, last = cycle_day(0), cycle_day(2)
    table = changed(
        drawn,
        is_kpi_known=[day != last for day in number],
        arm=["plan" if day == first else arm for day, arm in zip(number, drawn["arm"].to_pylist(), strict=True)],
        arm_probability=[1.0 if day == first else p for day, p in zip(number, drawn["arm_probability"].to_pylist(), strict=True)],
    )
    found = {row["measured_cycle"]: row for row in measured_lift(table).to_pylist() if row["estimator"] == "itt"}
    statuses = {name: row["status"] for name, row in found.items()}
    assert statuses == {str(first): "observational", str(cycle_day(1)): "measured", str(last): "not_yet_known", "pooled": "measured"}
    assert found["pooled"]["lift"] == pytest.approx(found[str(cycle_day(1))]["lift"])


def test_the_order_of_rows_changes_nothing():
    table = simulated(5, cycles=2, unit="hco").hcps
    mixed = table.take(np.random.default_rng(1).permutation(table.num_rows))
    assert measured_lift(table).equals(measured_lift(mixed))


def test_no_past_cycles_give_an_empty_typed_table():
    found = measured_lift(simulated(0, hcps=30).hcps.slice(0, 0))
    assert (found.num_rows, found.schema) == (0, LIFT_SCHEMA)


@pytest.mark.parametrize("probability", [0.0, 1.5, float("nan")])
def test_an_impossible_probability_is_an_error(probability: float):
    table = simulated(0, hcps=30).hcps
    with pytest.raises(MeasurementInputError, match=r"arm_probability must lie in \(0, 1\]"):
        measured_lift(changed(table, arm_probability=[probability] * 30))


def test_a_column_that_is_missing_is_named():
    with pytest.raises(MeasurementInputError, match="measure_hcps lacks the column stratum"):
        measured_lift(simulated(0, hcps=30).hcps.drop_columns("stratum"))


def test_cells_are_strata_where_both_arms_have_units_and_wider_where_not():
    stratum = np.repeat([0, 1, 2, 3], [20, 20, 20, 20])  # strata 0 and 1 are of class 0, strata 2 and 3 of class 1
    treated = np.ones(80, bool)
    treated[[0, 1, 2, 3, 4, 20, 40, 41, 42, 43, 44, 60, 61, 62, 63, 64]] = False
    cell, own, cells = comparison_cells(np.zeros(80, int), stratum, stratum // 2, treated, np.arange(80))
    # what stratum 1 leaves over is too little: class 0 becomes one cell; class 1 keeps its strata
    assert cells == 3
    assert len(set(cell[:40])) == 1 and not own[:40].any()
    assert own[40:].all() and len(set(cell[40:])) == 2
    alone, _, _ = comparison_cells(np.zeros(80, int), stratum, stratum // 2, np.ones(80, bool), np.arange(80))
    assert set(alone) == {-1}
