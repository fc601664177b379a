"""Values of policies from drawn actions against worlds whose truth is known, and null where the draws do not carry them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest
from measured_world import CHANNELS, cycle_day, simulated
from replications import Replications

from nba.measurement.off_policy import OFF_POLICY_SCHEMA, off_policy_value
from nba.measurement.rows import MeasurementInputError

TIMES = 200
FIRST = str(cycle_day(0))
POLICIES = ["none", "uniform", "best_impact", *(f"always:{channel}" for channel in CHANNELS)]
WORLD = {"hcps": 1000, "shares": {"explore": 0.6}}


def found_in(hcps: pa.Table, explore: pa.Table, scope: str = FIRST) -> dict[tuple[str, str], dict]:
    rows = off_policy_value(hcps, explore).to_pylist()
    return {(row["policy"], row["estimator"]): row for row in rows if row["measured_cycle"] == scope}


@cache
def replications() -> Replications:
    found = Replications()
    for seed in range(TIMES):
        made = simulated(seed, **WORLD)
        for (policy, estimator), row in found_in(made.hcps, made.explore).items():
            truth = made.policy[policy]
            found.add([(f"{policy} {estimator}", row["value"], row["value_low"], row["value_high"], truth)])
            lift = (row["lift"], row["lift_low"], row["lift_high"], truth - made.policy["none"])
            found.add([(f"{policy} {estimator} lift", *lift)])
    return found


@pytest.mark.parametrize("estimator", ["ips", "snips", "dr"])
@pytest.mark.parametrize("policy", POLICIES)
def test_values_are_unbiased_and_lifts_are_covered(policy: str, estimator: str):
    found = replications()
    name = f"{policy} {estimator}"
    assert len(found.errors[name]) == TIMES
    # six policies by three estimators: 3 standard errors
    assert abs(found.bias_in_errors(name)) < 3
    # the truth is that of these HCPs, whose own differences the interval of a value allows for once more
    assert found.coverage(name) >= 0.84
    if policy != "none":
        assert abs(found.bias_in_errors(f"{name} lift")) < 3
        assert 0.84 <= found.coverage(f"{name} lift") <= 0.96


@pytest.mark.parametrize("policy", POLICIES)
def test_a_model_of_the_outcome_narrows_the_interval(policy: str):
    found = replications()
    assert found.width(f"{policy} dr") < found.width(f"{policy} snips") < found.width(f"{policy} ips")
    assert found.spread(f"{policy} dr") < 0.8 * found.spread(f"{policy} ips")


@pytest.mark.long
def test_without_an_effect_alarms_are_as_rare_as_the_level_says():
    found = Replications()
    for seed in range(400):
        made = simulated(seed, effect=0.0, **WORLD)
        for (policy, estimator), row in found_in(made.hcps, made.explore).items():
            found.add([(f"{policy} {estimator}", row["lift"], row["lift_low"], row["lift_high"], 0.0)])
    assert found.alarms
    assert all(found.false_alarms(name) <= 0.13 for name in found.alarms)


def test_a_value_by_hand():
    """80 HCPs, even odds: none brings 1, email 3; the policies are plain means."""
    hcps = simulated(0, hcps=80).hcps
    taken = [number % 2 for number in range(80)]
    keys = {"arm": ["explore"] * 80, "arm_probability": [0.25] * 80, "kpi": [1.0 + 2.0 * t for t in taken]}
    for name, values in keys.items():
        hcps = hcps.set_column(hcps.column_names.index(name), name, pa.array(values))
    found = found_in(hcps, draws_by_hand(hcps, taken, [0.5] * 80))
    assert {policy for policy, _ in found} == {"none", "uniform", "best_impact", "always:email"}
    for policy, value, size in (("none", 1.0, 40), ("always:email", 3.0, 40), ("best_impact", 3.0, 40), ("uniform", 2.0, 80)):
        for estimator in ("ips", "snips"):
            row = found[policy, estimator]
            assert row["value"] == pytest.approx(value), policy
            assert (row["effective_size"], row["max_weight_share"], row["explore_hcps"]) == (
                pytest.approx(size),
                pytest.approx(1 / size),
                80,
            )
    assert found["always:email", "snips"]["lift"] == pytest.approx(2.0)


def draws_by_hand(hcps: pa.Table, taken: list[int], chance: list[float]) -> pa.Table:
    """none or email; chance is that of email."""
    keys, rows = zip(hcps["measured_cycle"].to_pylist(), hcps["hcp_id"].to_pylist(), taken, chance, strict=True), []
    for day, hcp, is_touched, email in keys:
        for name, odds in (("none", 1.0 - email), ("email", email)):
            drawn = {"channel": name, "propensity": odds, "is_drawn": bool(is_touched) == (name == "email")}
            rows.append({"measured_cycle": day, "hcp_id": hcp, "expected_impact": 1.0, **drawn})
    return pa.Table.from_pylist(rows)


@pytest.mark.parametrize(
    ("taken", "chance", "says"),
    [
        ([1] * 20 + [0] * 60, [0.25] * 80, "20.0 effective HCPs drew its action (least 30)"),
        ([1] * 40 + [0] * 40, [0.001] + [0.5] * 79, "one carries 93% of the weight (most 20%)"),
    ],
    ids=["few", "one weight"],
)
def test_thin_support_gives_null_and_says_why(taken: list[int], chance: list[float], says: str):
    hcps = simulated(0, hcps=80).hcps
    for name, values in {"arm": ["explore"] * 80, "arm_probability": [0.25] * 80}.items():
        hcps = hcps.set_column(hcps.column_names.index(name), name, pa.array(values))
    found = found_in(hcps, draws_by_hand(hcps, taken, chance))
    for estimator in ("ips", "snips", "dr"):
        row = found["always:email", estimator]
        assert (row["status"], row["value"], row["lift"]) == ("thin", None, None)
        assert says in row["reason"]


def test_a_kpi_that_is_not_known_yet_gives_null():
    made = simulated(1)
    hcps = made.hcps.set_column(made.hcps.column_names.index("is_kpi_known"), "is_kpi_known", pa.array([False] * made.hcps.num_rows))
    rows = off_policy_value(hcps, made.explore).to_pylist()
    assert {(row["status"], row["value"]) for row in rows} == {("not_yet_known", None)}


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda row: row | {"is_drawn": False}, "has one drawn action, of positive propensity"),
        (lambda row: row | {"propensity": row["propensity"] * 0.9}, "the propensities of an HCP sum to 1"),
    ],
    ids=["nothing drawn", "odds that do not sum"],
)
def test_draws_that_cannot_be_are_an_error(spoil, says: str):
    made = simulated(1, hcps=100)
    explore = pa.Table.from_pylist([spoil(row) for row in made.explore.to_pylist()], schema=made.explore.schema)
    with pytest.raises(MeasurementInputError, match=says):
        off_policy_value(made.hcps, explore)


def test_the_order_of_rows_changes_nothing():
    made = simulated(5, cycles=2, unit="hco", shares={"explore": 0.5})
    draw = np.random.default_rng(1)
    mixed = [table.take(draw.permutation(table.num_rows)) for table in (made.hcps, made.explore)]
    assert off_policy_value(made.hcps, made.explore).equals(off_policy_value(*mixed))


def test_without_draws_the_table_is_empty_and_typed():
    made = simulated(1, hcps=60)
    for hcps in (made.hcps, made.hcps.slice(0, 0)):
        found = off_policy_value(hcps, made.explore.slice(0, 0))
        assert (found.num_rows, found.schema) == (0, OFF_POLICY_SCHEMA)
