"""Lift of the plan arm over the control arm: what happened to HCPs because they were planned for, cycle by cycle and over all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nba.measurement.cells import comparison_cells, cross_fitted_slopes, fold_of
from nba.measurement.estimate import Estimate, ratio_interval, weighted_mean
from nba.measurement.rows import POOLED, HcpCycles, hcp_cycles

MIN_ARM_UNITS = 10  # drawn units of an arm below which no lift is claimed: the t interval leans on too few
MIN_FIRST_STAGE_F = 10.0  # weakest difference of touches that a per-touch effect may be divided by (Staiger and Stock 1997)
ESTIMATORS = ("itt", "adjusted", "per_touch")
LIFT_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("measured_cycle", "comparison", "outcome", "estimator", "status", "reason")]
    + [(name, pa.int64()) for name in ("plan_hcps", "control_hcps", "plan_units", "control_units", "left_out_hcps", "cells")]
    + [
        (name, pa.float64())
        for name in (
            "own_stratum_share",
            "lift",
            "lift_low",
            "lift_high",
            "standard_error",
            "total_lift",
            "total_low",
            "total_high",
            "control_mean",
            "touch_difference",
            "first_stage_f",
            "predicted_lift",
            "predicted_ratio",
        )
    ]
)


@dataclass(frozen=True)
class ArmMeans:
    """Means of the two arms over the same cells: outcome as it is, outcome less what covariates say, touches."""

    control: Estimate
    itt: Estimate
    adjusted: Estimate
    touches: Estimate


def measured_lift(hcps: pa.Table) -> pa.Table:
    """Rows of measured_lift, three for each cycle and for `pooled`; no rows without past cycles.

    hcps: measure_hcps, one row per measured cycle and HCP. Estimators: `itt`, difference in means of the drawn arms within strata (HCPs
    weighted by 1 / arm_probability, strata by their HCPs of the arm `plan`); `adjusted`, the same on KPI less what the KPI before the draw
    says of it; `per_touch`, `adjusted` over the difference in touches, an effect per executed touch among those whom the arm moves
    (Imbens and Angrist 1994). Errors are clustered by drawn unit over all cycles.
    """
    data = hcp_cycles(hcps)
    rows: list[dict[str, object]] = []
    for name, mask in data.scopes():
        rows += _scope_rows(data, name, mask)
    return pa.Table.from_pylist(rows, schema=LIFT_SCHEMA)


def _scope_rows(data: HcpCycles, name: str, mask: np.ndarray) -> list[dict[str, object]]:
    status, reason = why_not_measured(data, name)
    with_control = np.bincount(data.cycle[data.arm == "control"], minlength=len(data.cycles)) > 0
    of_plan = mask & (data.arm == "plan")
    base: dict[str, object] = {"measured_cycle": name, "comparison": "plan-control"}
    if status == "measured":
        compared = mask & with_control[data.cycle] & np.isin(data.arm, ("plan", "control"))
        drawn = compared & (data.arm_probability < 1) & ~np.isnan(data.kpi)
        part = data.only(drawn)
        treated = part.arm == "plan"
        cell, own, cells = comparison_cells(part.cycle, part.stratum, part.wider, treated, part.unit)
        part, treated, own, cell = part.only(cell >= 0), treated[cell >= 0], own[cell >= 0], cell[cell >= 0]
        units = [len(np.unique(part.unit[side])) for side in (treated, ~treated)]
        base |= {
            "plan_hcps": int(treated.sum()),
            "control_hcps": int((~treated).sum()),
            "plan_units": units[0],
            "control_units": units[1],
            "left_out_hcps": int(compared.sum()) - len(cell),
            "cells": cells,
        }
        if min(units) < MIN_ARM_UNITS:
            status, reason = "thin", f"{min(units)} drawn units in an arm: at least {MIN_ARM_UNITS} are needed"
        else:
            base |= {"own_stratum_share": float(own.mean()), "predicted_lift": _mean(part.predicted[treated])}
            means, predicted = arm_means(part, treated, cell, cells), base["predicted_lift"]
            found = [_figures(means, part, estimator, int(treated.sum()), predicted) for estimator in ESTIMATORS[:2]]
            return [base | row for row in (*found, per_touch(means, part))]
    base |= {"status": status, "reason": reason, "predicted_lift": _mean(data.predicted[of_plan])}
    outcome = {"itt": "kpi", "adjusted": "kpi", "per_touch": "kpi_per_touch"}
    return [base | {"estimator": estimator, "outcome": outcome[estimator]} for estimator in ESTIMATORS]


def why_not_measured(data: HcpCycles, name: str) -> tuple[str, str | None]:
    """(status, reason) of a cycle or of all, from arms and dates alone; `measured` without a reason where figures may be tried."""
    numbers = range(len(data.cycles)) if name == POOLED else (data.cycles.index(name),)
    chosen = np.isin(data.cycle, list(numbers))
    has = {arm: np.bincount(data.cycle[chosen & (data.arm == arm)], minlength=len(data.cycles)) > 0 for arm in ("control", "explore")}
    if not has["control"].any():
        if has["explore"].any():
            return "no_control", "no HCP was drawn into the arm control"
        return "observational", "no arms were drawn: who was touched was chosen, so no lift is claimed"
    if not (has["control"] & data.kpi_known).any():
        return "not_yet_known", "the KPI of the cycle is not wholly known yet"
    return "measured", None


def arm_means(part: HcpCycles, treated: np.ndarray, cell: np.ndarray, cells: int) -> ArmMeans:
    """The arms compared within cells; every cell counts by its HCPs of the arm plan."""
    share = np.bincount(cell[treated], minlength=cells) / max(int(treated.sum()), 1)
    weight = 1.0 / part.arm_probability
    explained = cross_fitted_slopes(part.kpi, part.covariates, cell, fold_of(part.unit))
    found = {}
    for name, values in (("kpi", part.kpi), ("less", part.kpi - explained), ("touches", part.touches)):
        sides = []
        for side in (treated, ~treated):
            # each cycle's means cost degrees of freedom, but the units of all cycles are the same ones
            taken = len(np.unique(cell[side])) / max(len(np.unique(part.cycle[side])), 1)
            sides.append(weighted_mean(values, np.where(side, weight, 0.0), cell, share, part.unit, taken))
        found[name] = sides
    differences = {name: sides[0].minus(sides[1], part.unit) for name, sides in found.items()}
    return ArmMeans(found["kpi"][1], differences["kpi"], differences["less"], differences["touches"])


def _figures(means: ArmMeans, part: HcpCycles, estimator: str, hcps: int, predicted: float) -> dict[str, object]:
    lift = means.itt if estimator == "itt" else means.adjusted
    low, high = lift.interval(part.unit)
    return {
        "outcome": "kpi",
        "estimator": estimator,
        "status": "measured",
        "lift": lift.value,
        "lift_low": low,
        "lift_high": high,
        "standard_error": lift.error(part.unit),
        "total_lift": hcps * lift.value,
        "total_low": hcps * low,
        "total_high": hcps * high,
        "control_mean": means.control.value,
        "predicted_ratio": predicted / lift.value if lift.value > 0 else None,
    }


def per_touch(means: ArmMeans, part: HcpCycles) -> dict[str, object]:
    """The row of the estimator per_touch: null with a reason where touches are unknown or hardly differ between the arms."""
    row: dict[str, object] = {"outcome": "kpi_per_touch", "estimator": "per_touch", "predicted_lift": None}
    if not part.touches_known[np.unique(part.cycle)].all():
        return row | {"status": "not_yet_known", "reason": "the touches of the cycle are not wholly known yet"}
    error = means.touches.error(part.unit)
    strength = (means.touches.value / error) ** 2 if error > 0 else (np.inf if means.touches.value else 0.0)
    row |= {"touch_difference": means.touches.value, "first_stage_f": float(strength) if np.isfinite(strength) else None}
    if strength < MIN_FIRST_STAGE_F or means.touches.value <= 0:
        said = f"{means.touches.value:.3g} touches more per HCP, F = {strength:.3g} (least {MIN_FIRST_STAGE_F:g})"
        return row | {"status": "weak", "reason": f"the plan hardly raised touches: {said}"}
    low, high = ratio_interval(means.adjusted, means.touches, part.unit)
    return row | {"status": "measured", "lift": means.adjusted.value / means.touches.value, "lift_low": low, "lift_high": high}


def _mean(values: np.ndarray) -> float | None:
    return float(values.mean()) if len(values) else None
