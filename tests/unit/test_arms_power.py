"""The smallest detectable lift: by hand, by simulation, with whole units, and where nothing can be said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from nba.arms.power import plan_power, residual_sd, smallest_lift


def panel(hcps=400, cycles=7, clusters=None, seed=0):
    """KPI per HCP and cycle, newest first: a level of the HCP, noise, and a shock that its cluster shares in every cycle."""
    rng = np.random.default_rng(seed)
    level, noise = rng.gamma(4.0, 2.0, (hcps, 1)), rng.normal(0, 1.0, (hcps, cycles))
    shared = 0 if clusters is None else rng.normal(0, 1.0, (clusters.max() + 1, cycles))[clusters]
    return level + noise + shared


def frames(kpi, arms, units=None):
    hcps = [f"h{i:04d}" for i in range(len(kpi))]
    draw = pd.DataFrame({"hcp_id": hcps, "arm": arms, "unit_id": hcps if units is None else units})
    past = pd.DataFrame(
        [(hcp, back, value, True) for hcp, row in zip(hcps, kpi, strict=True) for back, value in enumerate(row)],
        columns=["hcp_id", "cycles_back", "kpi_value", "is_known"],
    )
    actions = pd.DataFrame({"hcp_id": hcps, "plan_value": 0.5})
    return draw, past, actions[draw["arm"] != "control"]


def test_by_hand():
    # z(0.975) + z(0.8) = 1.959964 + 0.841621; sqrt(1 / 100 + 1 / 400) = 0.1118034
    assert smallest_lift(2.0, 100, 400) == pytest.approx(2.801585 * 2 * 0.1118034, rel=1e-6)
    assert smallest_lift(2.0, 0, 400) == float("inf")


def test_a_lift_of_that_size_is_found_in_four_of_five_draws():
    kpi, rng, found, tries = panel(600, 2), np.random.default_rng(1), 0, 1000
    sd = residual_sd(kpi, np.arange(600))
    lift = smallest_lift(sd, 120, 480)
    design = np.column_stack([np.ones(600), kpi[:, 1]])
    for _ in range(tries):
        treated = rng.permutation(600) >= 120
        columns = np.column_stack([design, treated])
        outcome = kpi[:, 0] + lift * treated
        beta = np.linalg.lstsq(columns, outcome, rcond=None)[0]
        left = outcome - columns @ beta
        error = np.sqrt(left @ left / 597 * np.linalg.inv(columns.T @ columns)[2, 2])
        found += beta[2] / error > 1.96
    assert found / tries == pytest.approx(0.8, abs=0.05)


def test_hcps_that_move_together_are_worth_less():
    clusters = np.repeat(np.arange(40), 10)
    kpi = panel(400, 2, clusters)
    alone, together = residual_sd(kpi, np.arange(400)), residual_sd(kpi, clusters)
    assert together > 1.7 * alone
    assert residual_sd(panel(400, 2), clusters) < 1.3 * residual_sd(panel(400, 2), np.arange(400))


def test_several_cycles_together_find_smaller_lifts():
    table = plan_power(*frames(panel(), ["control"] * 40 + ["explore"] * 20 + ["plan"] * 340)).to_pandas()
    assert table["cycles"].tolist() == [1, 3, 6]
    assert set(table["control_hcps"]) == {40}
    assert set(table["plan_hcps"]) == {340}
    assert table["smallest_lift"].is_monotonic_decreasing
    assert table["expected_lift"].tolist() == pytest.approx([0.5] * 3)
    assert table["is_detectable"].tolist() == [bool(lift <= 0.5) for lift in table["smallest_lift"]]


def test_what_cannot_be_said_is_null():
    short = plan_power(*frames(panel(cycles=3), ["control"] * 40 + ["plan"] * 360)).to_pylist()
    assert short[0]["smallest_lift"] > 0
    assert (short[1]["smallest_lift"], short[1]["is_detectable"]) == (None, None)
    nobody = plan_power(*frames(panel(), ["plan"] * 400)).to_pylist()
    assert {row["smallest_lift"] for row in nobody} == {row["expected_lift"] for row in nobody} == {None}
    few = plan_power(*frames(panel(hcps=6), ["control"] * 3 + ["plan"] * 3)).to_pylist()
    assert {row["residual_sd"] for row in few} == {None}


def test_order_of_rows_does_not_matter():
    draw, past, actions = frames(panel(), ["control"] * 40 + ["plan"] * 360)
    mixed = [frame.sample(frac=1, random_state=3) for frame in (draw, past, actions)]
    assert plan_power(*mixed) == plan_power(draw, past, actions)
