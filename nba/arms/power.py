"""The smallest lift that a design can detect: two-sided 5 per cent, 80 per cent power, plan arm against control.

Outcome: an HCP's KPI per cycle, averaged over the cycles measured together; the known cycle before them explains what it can of it
(analysis of covariance, Deng and others 2013, "CUPED"). What is left has a variance that the past tells: the same regression on the
newest known cycles. Where whole organisations or territories are drawn, residuals within one are added up before they are squared
(the sandwich of Liang and Zeger 1986): HCPs who go up and down together are worth less than as many independent ones.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

LEVEL, POWER = 0.05, 0.8
CYCLES = (1, 3, 6)
FEWEST_HCPS = 10  # with fewer, a variance is a guess


def smallest_lift(residual_sd: float, control: int, plan: int) -> float:
    """KPI per HCP and cycle; residual_sd: of one HCP's mean KPI per cycle, as large as its units make it; inf without one of the arms."""
    if control < 1 or plan < 1:
        return float("inf")
    normal = NormalDist()
    return (normal.inv_cdf(1 - LEVEL / 2) + normal.inv_cdf(POWER)) * residual_sd * (1 / control + 1 / plan) ** 0.5


def residual_sd(kpi: np.ndarray, unit: np.ndarray) -> float:
    """Standard deviation of what the KPI before does not explain, inflated for units.

    kpi (hcps, cycles + 1): newest cycle first, the last column is the cycle before those measured together; unit (hcps): codes.
    nan with fewer than `FEWEST_HCPS`.
    """
    if len(kpi) < FEWEST_HCPS:
        return float("nan")
    outcome, before = kpi[:, :-1].mean(axis=1), kpi[:, -1]
    design = np.column_stack([np.ones(len(kpi)), before])
    left = outcome - design @ np.linalg.lstsq(design, outcome, rcond=None)[0]
    variance = float(left @ left) / (len(kpi) - 2)
    sums = np.bincount(unit, weights=left)
    inflation = float(sums @ sums) / float(left @ left) if left @ left > 0 else 1.0
    groups = len(np.unique(unit))
    return float(np.sqrt(variance * (max(inflation, 1.0) if groups < len(kpi) else 1.0)))


def plan_power(arms: Any, kpi: Any, actions: Any) -> pa.Table:
    """The table `plan_power`. arms: `draw_arms`; kpi: `plan_kpi_cycles`; actions: `plan_actions`.

    Numbers are null where there is no control arm, where nothing is planned for anybody, or where the past is too short for them.
    """
    import pyarrow as pa

    from nba.plan_inputs import as_frame

    draw = as_frame(arms)[["hcp_id", "arm", "unit_id"]].set_index("hcp_id").sort_index()
    planned = as_frame(actions)
    control, plan = (int((draw["arm"] == arm).sum()) for arm in ("control", "plan"))
    worth = planned["plan_value"].to_numpy(dtype=np.float64)[planned["hcp_id"].map(draw["arm"]).to_numpy() == "plan"]
    expected = float(np.sort(worth).sum()) / plan if plan and control else None
    past = as_frame(kpi)
    wide = past[past["is_known"].astype(bool)].pivot(index="hcp_id", columns="cycles_back", values="kpi_value").sort_index()
    wide = wide[wide.index.isin(draw.index)]
    rows = []
    for cycles in CYCLES:
        known = wide.reindex(columns=range(cycles + 1)).dropna()
        sd = residual_sd(known.to_numpy(dtype=np.float64), draw.loc[known.index, "unit_id"].factorize()[0]) if control and plan else np.nan
        lift = smallest_lift(sd, control, plan)
        is_given = bool(np.isfinite(lift))
        rows.append(
            {"cycles": cycles, "control_hcps": control, "plan_hcps": plan, "residual_sd": sd if np.isfinite(sd) else None}
            | {"smallest_lift": lift if is_given else None, "expected_lift": expected}
            | {"is_detectable": bool(expected >= lift) if is_given and expected is not None else None}
        )
    types = [("cycles", pa.int32()), ("control_hcps", pa.int32()), ("plan_hcps", pa.int32()), ("residual_sd", pa.float64())]
    types += [("smallest_lift", pa.float64()), ("expected_lift", pa.float64()), ("is_detectable", pa.bool_())]
    return pa.Table.from_pylist(rows, pa.schema(types))
