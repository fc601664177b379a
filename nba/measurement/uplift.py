"""Uplift (Qini) curves: what treating the HCPs of highest expected impact first brings, from randomised rows alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nba.measurement.cells import cross_fitted_slopes, fold_of
from nba.measurement.estimate import Estimate, effective_size, weighted_mean
from nba.measurement.lift import MIN_ARM_UNITS
from nba.measurement.off_policy import NONE, Draws, explore_draws
from nba.measurement.rows import HcpCycles, hcp_cycles

SHARES = tuple(number / 10 for number in range(1, 11))
MIN_EFFECTIVE_SIZE = 30.0  # of either side of a whole comparison, below which no curve is drawn
UPLIFT_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("measured_cycle", "comparison", "channel")]
    + [("share", pa.float64()), ("status", pa.string()), ("reason", pa.string())]
    + [(name, pa.int64()) for name in ("treated_hcps", "untreated_hcps")]
    + [(name, pa.float64()) for name in ("gain", "gain_low", "gain_high", "qini", "qini_low", "qini_high")]
)


@dataclass(frozen=True)
class Comparison:
    """Two randomised groups. row: places in the HcpCycles; treated; weight: 1 / probability of row and side; score: what ranks HCPs."""

    name: str
    channel: str
    row: np.ndarray
    treated: np.ndarray
    weight: np.ndarray
    score: np.ndarray


def uplift_curve(hcps: pa.Table, explore: pa.Table) -> pa.Table:
    """Rows of uplift_curve: cycle (and `pooled`) x comparison x channel x share of HCPs, those of highest expected impact first.

    Comparisons: `plan-control`, channel `all`, ranked by the best eligible expected impact; `explore-none`, per channel those who drew it
    against those who drew none, and `all` (anything against none). gain: KPI per HCP of the whole comparison when that share is treated:
    share x difference in means within it (Radcliffe 2007). qini: area between the gains and the straight line to the last one. HCPs are
    ranked within their cycle; the KPI is taken less what the KPI before the draw says of it.
    """
    data = hcp_cycles(hcps)
    draws = explore_draws(data, explore)
    rows: list[dict[str, object]] = []
    for name, mask in data.scopes():
        usable = mask & data.kpi_known[data.cycle] & ~np.isnan(data.kpi)
        for comparison in comparisons(data, draws, usable):
            rows += _curve_rows(data, name, comparison)
    return pa.Table.from_pylist(rows, schema=UPLIFT_SCHEMA)


def comparisons(data: HcpCycles, draws: Draws, usable: np.ndarray) -> list[Comparison]:
    """What can be compared among the usable rows; HCPs that could only be on one side are left out."""
    found = []
    with_control = np.bincount(data.cycle[data.arm == "control"], minlength=len(data.cycles)) > 0
    drawn = usable & with_control[data.cycle] if len(data.cycles) else usable
    row = np.flatnonzero(drawn & np.isin(data.arm, ("plan", "control")) & (data.arm_probability < 1) & ~np.isnan(data.best_impact))
    if len(row):
        found.append(
            Comparison("plan-control", "all", row, data.arm[row] == "plan", 1.0 / data.arm_probability[row], data.best_impact[row])
        )
    at = usable[draws.row]
    idle = draws.chance[:, 0]
    mean_impact = (draws.chance * draws.impact).sum(axis=1) / np.where(idle < 1, 1.0 - idle, 1.0)
    touched = [("all", 1.0 - idle, mean_impact, draws.taken != 0)]
    for action, name in enumerate(draws.actions[1:], start=1):
        touched.append((name, draws.chance[:, action], draws.impact[:, action], draws.taken == action))
    for channel, chance, score, treated in touched:
        kept = at & (chance > 0) & (idle > 0) & (treated | (draws.taken == 0))
        if kept.any():
            weight = 1.0 / np.where(treated, chance, idle)[kept] / data.arm_probability[draws.row[kept]]
            found.append(Comparison(f"explore-{NONE}", channel, draws.row[kept], treated[kept], weight, score[kept]))
    return found


def _curve_rows(data: HcpCycles, name: str, comparison: Comparison) -> list[dict[str, object]]:
    part, treated = data.only(comparison.row), comparison.treated
    cluster = part.unit if comparison.name == "plan-control" else part.hcp
    _, cluster = np.unique(cluster, return_inverse=True)
    base: dict[str, object] = {"measured_cycle": name, "comparison": comparison.name, "channel": comparison.channel}
    sizes = [effective_size(comparison.weight[side]) for side in (treated, ~treated)]
    units = [len(np.unique(cluster[side])) for side in (treated, ~treated)]
    if min(sizes) < MIN_EFFECTIVE_SIZE or min(units) < MIN_ARM_UNITS:
        said = (
            f"one side has {min(sizes):.1f} effective HCPs (least {MIN_EFFECTIVE_SIZE:g}), {min(units)} drawn units (least {MIN_ARM_UNITS})"
        )
        base |= {"status": "thin", "reason": said} | _counts(treated, np.ones(len(treated), bool))
        return [base | {"share": share} for share in SHARES]
    place = rank_share(part, comparison)
    outcome = part.kpi - cross_fitted_slopes(part.kpi, part.covariates, part.cycle, fold_of(cluster))
    gains = [gain(outcome, treated, comparison.weight, place <= share + 1e-12, share, part.cycle, cluster) for share in SHARES]
    area = qini(gains)
    low, high = area.interval(cluster) if area else (None, None)
    whole = {"qini": area.value if area else None, "qini_low": low, "qini_high": high}
    return [base | {"share": share} | _point(found, cluster) | _counts(treated, place <= share + 1e-12) | whole
            for share, found in zip(SHARES, gains, strict=True)]  # fmt: skip


def rank_share(part: HcpCycles, comparison: Comparison) -> np.ndarray:
    """Share of the weight of the row's cycle, both sides, that ranks no lower, in (0, 1]: by score, ties by HCP."""
    order = np.lexsort((part.hcp, -comparison.score, part.cycle))
    weight, cycle = comparison.weight[order], part.cycle[order]
    running = np.cumsum(weight)
    _, first, code = np.unique(cycle, return_index=True, return_inverse=True)
    before = running[first] - weight[first]
    total = np.bincount(code, weight)
    place = np.empty(len(order))
    # half of the row's own weight: a row belongs to the share in which its middle lies
    place[order] = (running - weight / 2 - before[code]) / total[code]
    return place


def gain(
    outcome: np.ndarray, treated: np.ndarray, weight: np.ndarray, top: np.ndarray, share: float, cycle: np.ndarray, cluster: np.ndarray
) -> Estimate | None:
    """share x difference in means of the two sides among the rows of `top`, within cycles; None below MIN_ARM_UNITS on a side."""
    _, cell = np.unique(cycle, return_inverse=True)
    sides = [np.where(top & side, weight, 0.0) for side in (treated, ~treated)]
    if any(len(np.unique(cluster[side > 0])) < MIN_ARM_UNITS for side in sides):
        return None
    # cycles without one of the sides say nothing of the difference
    total = np.bincount(cell, sides[0])
    both = (total > 0) & (np.bincount(cell, sides[1]) > 0)
    if not both.any():
        return None
    mixed = np.where(both, total, 0.0) / total[both].sum()
    means = [weighted_mean(outcome, side, cell, mixed, cluster) for side in sides]
    return means[0].minus(means[1], cluster).times(share)


def qini(gains: list[Estimate | None]) -> Estimate | None:
    """Area between the gains and the straight line from 0 to the last one, by the trapezoid rule; None where a gain is missing."""
    if any(found is None for found in gains):
        return None
    last, step = gains[-1], SHARES[0]
    weight = np.array([step] * (len(gains) - 1) + [step / 2 - 0.5])
    value = float(sum(w * found.value for w, found in zip(weight, gains, strict=True)))
    influence = sum(w * found.influence for w, found in zip(weight, gains, strict=True))
    return Estimate(value, influence, last.degrees)


def _point(found: Estimate | None, cluster: np.ndarray) -> dict[str, object]:
    if found is None:
        return {"status": "thin", "reason": f"fewer than {MIN_ARM_UNITS} drawn units on one side within this share"}
    low, high = found.interval(cluster)
    return {"status": "measured", "gain": found.value, "gain_low": low, "gain_high": high}


def _counts(treated: np.ndarray, top: np.ndarray) -> dict[str, object]:
    return {"treated_hcps": int((treated & top).sum()), "untreated_hcps": int((~treated & top).sum())}
