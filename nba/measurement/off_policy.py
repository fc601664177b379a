"""What other policies would have brought, judged from HCPs of the arm explore, whose action was drawn with known probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nba.measurement.cells import FOLDS, fold_of, ridge
from nba.measurement.estimate import Estimate, effective_size, weighted_mean
from nba.measurement.rows import HcpCycles, MeasurementInputError, codes, day_text, hcp_cycles

NONE = "none"
MIN_EFFECTIVE_SIZE = 30.0  # weighted HCPs that took the policy's action below which no value is claimed
MAX_WEIGHT_SHARE = 0.2  # of one HCP in the total weight: above it the value is that HCP's story
ESTIMATORS = ("ips", "snips", "dr")
VALUES = ("propensity", "is_drawn", "expected_impact")
OFF_POLICY_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("measured_cycle", "policy", "estimator", "status", "reason")]
    + [("explore_hcps", pa.int64()), ("matched_hcps", pa.int64())]
    + [
        (name, pa.float64())
        for name in ("effective_size", "max_weight_share", "value", "value_low", "value_high", "lift", "lift_low", "lift_high")
    ]
)


@dataclass(frozen=True)
class Draws:
    """Explore HCPs by cycle with what they could have drawn: HCPs x actions, action 0 is `none`, the others are channels in order.

    row: place of each HCP in the HcpCycles it was made from. chance: probability of each action given the arm explore, 0 = not open.
    impact: expected impact of one touch, 0 for none and where unknown. taken: the action drawn.
    """

    actions: tuple[str, ...]
    row: np.ndarray
    chance: np.ndarray
    impact: np.ndarray
    taken: np.ndarray


def off_policy_value(hcps: pa.Table, explore: pa.Table) -> pa.Table:
    """Rows of off_policy_value: cycle (and `pooled`) x policy x estimator; no rows where no HCP explored.

    hcps: measure_hcps. explore: measure_explore (measured_cycle, hcp_id, channel with `none`, propensity, is_drawn, expected_impact).
    Policies: `none`; `uniform` over what the HCP could draw; `best_impact`, the open channel of the largest positive expected impact;
    `always:<channel>` where open, else none. Estimators: inverse propensity (Horvitz and Thompson 1952), self-normalised (Swaminathan and
    Joachims 2015), doubly robust with a cross-fitted linear outcome model (Dudik et al. 2011). value: mean KPI per HCP and cycle; lift:
    value less that of `none`. HCPs count by 1 / arm_probability; errors are clustered by HCP.
    """
    data = hcp_cycles(hcps)
    draws = explore_draws(data, explore)
    rows: list[dict[str, object]] = []
    for name, mask in data.scopes():
        chosen = mask[draws.row]
        if chosen.any():
            rows += _scope_rows(data, draws, name, chosen)
    return pa.Table.from_pylist(rows, schema=OFF_POLICY_SCHEMA)


def explore_draws(data: HcpCycles, explore: pa.Table) -> Draws:
    """The draws of HCPs of the arm explore; HCPs without exactly one drawn action of positive probability are an error."""
    explore = explore.set_column(explore.column_names.index("measured_cycle"), "measured_cycle", day_text(explore["measured_cycle"]))
    explorers = np.flatnonzero(data.arm == "explore")
    place = {(data.cycles[data.cycle[row]], data.hcps[data.hcp[row]]): row for row in explorers}
    keys = zip(explore["measured_cycle"].to_pylist(), explore["hcp_id"].cast(pa.string()).to_pylist(), strict=True)
    found = np.array([place.get(key, -1) for key in keys], dtype=np.int64)
    kept = found >= 0
    channel, channels = codes(explore["channel"])
    actions = (NONE, *(name for name in channels if name != NONE))
    action = np.array([actions.index(name) for name in channels], dtype=np.int64)[channel[kept]] if kept.any() else np.zeros(0, np.int64)
    row, spot = np.unique(found[kept], return_inverse=True)
    drawn_from = explore.filter(pa.array(kept))
    values = {name: drawn_from[name].cast(pa.float64()).to_numpy(zero_copy_only=False) for name in VALUES}
    chance, impact, drawn = (np.zeros((len(row), len(actions))) for _ in range(3))
    chance[spot, action] = np.nan_to_num(values["propensity"])
    impact[spot, action] = np.nan_to_num(values["expected_impact"])
    drawn[spot, action] = np.nan_to_num(values["is_drawn"])
    impact[:, 0] = 0.0
    taken = drawn.argmax(axis=1)
    if len(row) and (np.any(drawn.sum(axis=1) != 1) or np.any(chance[np.arange(len(row)), taken] <= 0)):
        raise MeasurementInputError("explore_distribution: every HCP of the arm explore has one drawn action, of positive propensity")
    if len(row) and np.any(np.abs(chance.sum(axis=1) - 1.0) > 1e-6):
        raise MeasurementInputError("explore_distribution: the propensities of an HCP sum to 1")
    return Draws(actions, row, chance, impact, taken)


def policies(draws: Draws) -> dict[str, np.ndarray]:
    """Name -> probability of each action for each HCP; only actions that the draw could give are ever chosen."""
    is_open, hcps = draws.chance > 0, len(draws.row)

    def fixed(action: np.ndarray) -> np.ndarray:
        chosen = np.zeros_like(draws.chance)
        chosen[np.arange(hcps), action] = 1.0
        return chosen

    best = np.where(is_open, draws.impact, -np.inf)
    best[:, 0] = 0.0
    idle, even = fixed(np.zeros(hcps, np.int64)), is_open / is_open.sum(axis=1, keepdims=True)
    found = {NONE: idle, "uniform": even, "best_impact": fixed(best.argmax(axis=1))}
    for action, name in enumerate(draws.actions[1:], start=1):
        if is_open[:, action].any():
            found[f"always:{name}"] = fixed(np.where(is_open[:, action], action, 0))
    return found


def _scope_rows(data: HcpCycles, draws: Draws, name: str, chosen: np.ndarray) -> list[dict[str, object]]:
    known = chosen & data.kpi_known[data.cycle[draws.row]]
    usable = known & ~np.isnan(data.kpi[draws.row])
    part = Draws(draws.actions, draws.row[usable], draws.chance[usable], draws.impact[usable], draws.taken[usable])
    hcps, rows = data.only(part.row), []
    plans = policies(Draws(draws.actions, draws.row[chosen], draws.chance[chosen], draws.impact[chosen], draws.taken[chosen]))
    judged = policies(part) if usable.any() else {}
    outcome = outcome_model(hcps, part) if usable.any() else None
    for policy in plans:
        for estimator in ESTIMATORS:
            row: dict[str, object] = {"measured_cycle": name, "policy": policy, "estimator": estimator, "explore_hcps": int(usable.sum())}
            if policy not in judged:
                row |= {"status": "not_yet_known", "reason": "the KPI of the cycle is not wholly known yet"}
            else:
                row |= _judged(hcps, part, outcome, judged, policy, estimator)
            rows.append(row)
    return rows


def _judged(
    hcps: HcpCycles, draws: Draws, outcome: np.ndarray, judged: dict[str, np.ndarray], policy: str, estimator: str
) -> dict[str, object]:
    weight = matched_weight(hcps, draws, judged[policy])
    size, share = effective_size(weight), float(weight.max() / weight.sum()) if weight.sum() > 0 else 1.0
    row: dict[str, object] = {
        "matched_hcps": int(np.count_nonzero(weight)),
        "effective_size": size,
        "max_weight_share": share if weight.sum() > 0 else None,
    }
    if size < MIN_EFFECTIVE_SIZE or share > MAX_WEIGHT_SHARE:
        said = f"{size:.1f} effective HCPs drew its action (least {MIN_EFFECTIVE_SIZE:g}), one carries {share:.0%} of the weight"
        said += f" (most {MAX_WEIGHT_SHARE:.0%})"
        return row | {"status": "thin", "reason": said}
    _, cluster = np.unique(hcps.hcp, return_inverse=True)
    value = policy_value(hcps, draws, outcome, judged[policy], estimator)
    low, high = value.interval(cluster)
    row |= {"status": "measured", "reason": None, "value": value.value, "value_low": low, "value_high": high}
    idle = matched_weight(hcps, draws, judged[NONE])
    if policy == NONE or effective_size(idle) < MIN_EFFECTIVE_SIZE or idle.max() / idle.sum() > MAX_WEIGHT_SHARE:
        return row | {"reason": None if policy == NONE else "too few HCPs drew none: no lift"}
    lift = value.minus(policy_value(hcps, draws, outcome, judged[NONE], estimator), cluster)
    low, high = lift.interval(cluster)
    return row | {"lift": lift.value, "lift_low": low, "lift_high": high}


def matched_weight(hcps: HcpCycles, draws: Draws, policy: np.ndarray) -> np.ndarray:
    """Weight of each HCP in the policy's value: how much likelier the policy takes its action than the draw, over its arm_probability."""
    at = np.arange(len(draws.row)), draws.taken
    return policy[at] / draws.chance[at] / hcps.arm_probability


def policy_value(hcps: HcpCycles, draws: Draws, outcome: np.ndarray, policy: np.ndarray, estimator: str) -> Estimate:
    """Mean KPI per HCP under the policy. outcome: HCPs x actions, the cross-fitted prediction (read by `dr` alone)."""
    one_cell = np.zeros(len(draws.row), np.int64)
    _, cluster = np.unique(hcps.hcp, return_inverse=True)
    whole, ratio = 1.0 / hcps.arm_probability, matched_weight(hcps, draws, policy) * hcps.arm_probability
    everything = np.ones(1)
    if estimator == "snips":
        return weighted_mean(hcps.kpi, whole * ratio, one_cell, everything, cluster)
    if estimator == "ips":
        return weighted_mean(ratio * hcps.kpi, whole, one_cell, everything, cluster)
    seen = outcome[np.arange(len(draws.row)), draws.taken]
    return weighted_mean((policy * outcome).sum(axis=1) + ratio * (hcps.kpi - seen), whole, one_cell, everything, cluster)


def outcome_model(hcps: HcpCycles, draws: Draws) -> np.ndarray:
    """KPI expected under each action, HCPs x actions, from HCPs of the other folds: linear in covariates, cycle and action."""
    _, unit = np.unique(hcps.hcp, return_inverse=True)
    _, cycle = np.unique(hcps.cycle, return_inverse=True)
    fold, actions = fold_of(unit), len(draws.actions)
    common = np.column_stack([hcps.covariates, np.eye(int(cycle.max()) + 1)[cycle]])
    design = np.column_stack([common, np.eye(actions)[draws.taken]])
    predicted = np.zeros((len(unit), actions))
    for number in range(FOLDS):
        others, mine = fold != number, fold == number
        if not others.any() or not mine.any():
            continue
        slopes = ridge(design[others], hcps.kpi[others])
        predicted[mine] = (common[mine] @ slopes[: common.shape[1]])[:, None] + slopes[None, common.shape[1] :]
    return predicted
