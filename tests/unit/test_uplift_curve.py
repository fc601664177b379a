"""Uplift curves from drawn rows against worlds whose truth is known."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from measured_world import ADHERENCE, Simulated, cycle_day, simulated
from replications import Replications

from nba.measurement.uplift import SHARES, UPLIFT_SCHEMA, uplift_curve

TIMES, LONG_TIMES = 60, 300
FIRST = str(cycle_day(0))
WORLD = {"hcps": 1500, "shares": {"control": 0.2, "explore": 0.4}}
CURVES = [("plan-control", "all"), ("explore-none", "all"), ("explore-none", "rep_visit")]


def true_gains(effect: np.ndarray, score: np.ndarray) -> list[float]:
    """KPI per HCP when the HCPs of highest score are treated, for every share."""
    ranked = effect[np.argsort(-score, kind="stable")]
    return [float(ranked[: round(share * len(ranked))].sum() / len(ranked)) for share in SHARES]


def truths(made: Simulated) -> dict[tuple[str, str], list[float]]:
    hcps = made.hcps.to_pandas()
    explore = made.explore.to_pandas()
    touched = explore[explore["channel"] != "none"]
    weighted = (touched["propensity"] * touched["expected_impact"]).groupby(touched["hcp_id"]).sum()
    mean = (weighted / touched.groupby("hcp_id")["propensity"].sum()).to_numpy()
    visit = explore.loc[explore["channel"] == "rep_visit", "expected_impact"].to_numpy()
    return {
        ("plan-control", "all"): true_gains(ADHERENCE * hcps["predicted"].to_numpy(), hcps["best_impact"].to_numpy()),
        ("explore-none", "all"): true_gains(mean, mean),
        ("explore-none", "rep_visit"): true_gains(visit, visit),
    }


def area(gains: list[float]) -> float:
    """Area between the curve and the straight line, point by point."""
    curve, line = [0.0, *gains], [share * gains[-1] for share in (0.0, *SHARES)]
    above = [a - b for a, b in zip(curve, line, strict=True)]
    return sum((left + right) / 2 * 0.1 for left, right in pairwise(above))


@cache
def replications(times: int) -> Replications:
    found = Replications()
    for seed in range(times):
        made = simulated(seed, **WORLD)
        truth = truths(made)
        for row in uplift_curve(made.hcps, made.explore).to_pylist():
            curve = (row["comparison"], row["channel"])
            if row["measured_cycle"] == FIRST and curve in truth:
                gains = truth[curve]
                name = f"{curve} {row['share']}"
                found.add([(name, row["gain"], row["gain_low"], row["gain_high"], gains[SHARES.index(row["share"])])])
                if row["share"] == 1.0:
                    found.add([(f"{curve} qini", row["qini"], row["qini_low"], row["qini_high"], area(gains))])
    return found


def check_points(curve: tuple[str, str], times: int, least: float, most: float) -> None:
    found = replications(times)
    for point in (0.3, 0.5, 1.0, "qini"):
        name = f"{curve} {point}"
        assert len(found.errors[name]) >= 0.95 * times
        assert least <= found.coverage(name) <= most, name
        assert abs(found.bias_in_errors(name)) < 3, name


@pytest.mark.parametrize("curve", CURVES, ids=" ".join)
def test_gains_and_qini_are_unbiased_and_covered(curve: tuple[str, str]):
    # 60 draws: 90% give or take 2.5 standard errors
    check_points(curve, TIMES, 0.80, 1.0)


@pytest.mark.long
@pytest.mark.parametrize("curve", CURVES, ids=" ".join)
def test_gains_and_qini_are_covered_in_many_draws(curve: tuple[str, str]):
    check_points(curve, LONG_TIMES, 0.84, 0.96)


def test_a_ranking_that_knows_the_effect_has_a_qini_above_a_random_one():
    known, random = [], []
    for seed in range(10):
        made = simulated(seed, **WORLD)
        place = made.hcps.column_names.index("best_impact")
        shuffled = made.hcps.set_column(place, "best_impact", pa.array(np.random.default_rng(seed).random(made.hcps.num_rows)))
        for hcps, kept in ((made.hcps, known), (shuffled, random)):
            rows = [row for row in uplift_curve(hcps, made.explore).to_pylist() if row["comparison"] == "plan-control"]
            kept.append(rows[0]["qini"])
    assert np.mean(known) > 0.1
    assert abs(np.mean(random)) < 0.3 * np.mean(known)


def test_a_curve_by_hand():
    """100 HCPs in pairs; the effect of the ten best pairs is 10, of all others 0."""
    hcps = simulated(0, hcps=100).hcps
    number = np.arange(100)
    given = {
        "arm": ["plan" if n % 2 else "control" for n in number],
        "arm_probability": [0.5] * 100,
        "kpi": 2.0 + 10.0 * ((number < 20) & (number % 2 == 1)),
        "best_impact": 100.0 - number,
        "kpi_before": np.zeros(100),
        "kpi_long_before": np.zeros(100),
    }
    for name, values in given.items():
        hcps = hcps.set_column(hcps.column_names.index(name), name, pa.array(values))
    rows = uplift_curve(hcps, simulated(0, hcps=10).explore.slice(0, 0)).to_pylist()
    first = [row for row in rows if row["measured_cycle"] == FIRST]
    assert [row["share"] for row in first] == list(SHARES)
    # within the upper tenth there are 5 pairs: too few to say; from the upper fifth on the gain is that of ten pairs
    assert (first[0]["status"], first[0]["gain"]) == ("thin", None)
    assert [row["gain"] for row in first[1:]] == pytest.approx([2.0] * 9)
    assert {(row["treated_hcps"], row["untreated_hcps"]) for row in first[1:2]} == {(10, 10)}
    assert first[0]["qini"] is None


def test_thin_sides_give_null_and_say_why():
    made = simulated(2, hcps=200)
    rows = [row for row in uplift_curve(made.hcps, made.explore).to_pylist() if row["channel"] == "webinar"]
    assert {(row["status"], row["gain"], row["qini"]) for row in rows} == {("thin", None, None)}
    assert all("effective HCPs (least 30)" in row["reason"] for row in rows)


def test_the_order_of_rows_changes_nothing():
    made = simulated(5, hcps=800, cycles=2, unit="hco", shares={"explore": 0.4})
    draw = np.random.default_rng(1)
    mixed = [table.take(draw.permutation(table.num_rows)) for table in (made.hcps, made.explore)]
    assert uplift_curve(made.hcps, made.explore).equals(uplift_curve(*mixed))


def test_without_past_cycles_the_table_is_empty_and_typed():
    made = simulated(1, hcps=60)
    found = uplift_curve(made.hcps.slice(0, 0), made.explore.slice(0, 0))
    assert (found.num_rows, found.schema) == (0, UPLIFT_SCHEMA)
