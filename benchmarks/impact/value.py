"""What a score is worth: the plan it leads to under the world's limits, and that plan's true gain.

A plan is the rounded continuous optimum where that is within the gap of its bound, else `optimization.allocate` finds one.
The gain of a plan is the sum of the true impact of its touches, each as if alone, for every method and for the oracle alike.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from benchmarks.impact.people import Floats
from benchmarks.impact.worlds import ImpactWorld, Limits
from optimization import allocate

GAP = 1e-3
FEW_VALUES = 0.5  # distinct scores per pair, below which so many plans tie that proving the best one takes forever


def allowed_pairs(limits: Limits, hcps: int) -> np.ndarray:
    """(hcps, channels) bool: a rep channel needs a rep."""
    return (limits.hcp_rep[:, None] >= 0) | (limits.rep_minutes[None, :] == 0) if hcps else np.zeros((0, len(limits.unit_cost)), bool)


def best_plan(world: ImpactWorld, score: Floats, gap: float = GAP) -> np.ndarray:
    """(hcps, channels) bool: the choice of largest total score under the limits; pairs with a score of 0 or less are left out."""
    limits = world.limits
    hcp, channel = np.nonzero(allowed_pairs(limits, len(score)) & (score > 0))
    chosen = np.zeros(score.shape, bool)
    if len(hcp) == 0:
        return chosen
    rows, upper = limit_rows(limits, hcp, channel)
    value = score[hcp, channel] / score[hcp, channel].max()
    rounded, bound = _rounded_plan(world, hcp, channel, value, rows, upper)
    reached = value[rounded[hcp, channel]].sum() >= (1 - gap) * bound
    if reached or len(np.unique(value)) < FEW_VALUES * len(value):
        return rounded
    found = allocate(value, hcp, limits.most_actions, rows, np.full(len(upper), -np.inf), upper, gap)
    chosen[hcp[found.chosen], channel[found.chosen]] = True
    return chosen


def _rounded_plan(
    world: ImpactWorld, hcp: np.ndarray, channel: np.ndarray, value: Floats, rows: sparse.csr_matrix, upper: Floats
) -> tuple[np.ndarray, float]:
    """(plan, bound): the continuous optimum, largest parts first, filled up by value; its value bounds every plan's. Ties between HCPs are
    broken at random, the same way every time, by less than a tenth of the gap."""
    from scipy.optimize import linprog

    broken = value * (1 + 1e-4 * np.random.default_rng(0).random(len(value)))
    one = sparse.csr_matrix((np.ones(len(hcp)), (hcp, np.arange(len(hcp)))), shape=(len(world.limits.hcp_rep), len(hcp)))
    bounds = np.concatenate([upper, np.full(one.shape[0], float(world.limits.most_actions))])
    found = linprog(-broken, A_ub=sparse.vstack([rows, one]), b_ub=bounds, bounds=(0, 1), method="highs")
    order = np.lexsort((-broken, -np.round(found.x, 6)))
    return filled_plan(world, (hcp * len(world.limits.unit_cost) + channel)[order]), -float(found.fun)


def limit_rows(limits: Limits, hcp: np.ndarray, channel: np.ndarray) -> tuple[sparse.csr_matrix, Floats]:
    """(rows over these pairs, upper bounds): budget, minutes of every rep, touches of every channel that has a limit."""
    reps, pair = len(limits.rep_capacity), np.arange(len(hcp))
    timed = limits.rep_minutes[channel] > 0
    capped = np.flatnonzero(np.isfinite(limits.channel_actions))
    place = np.full(len(limits.unit_cost), -1)
    place[capped] = np.arange(len(capped))
    counted = place[channel] >= 0
    row = np.concatenate([np.zeros(len(pair), int), 1 + limits.hcp_rep[hcp[timed]], 1 + reps + place[channel[counted]]])
    column = np.concatenate([pair, pair[timed], pair[counted]])
    use = np.concatenate([limits.unit_cost[channel], limits.rep_minutes[channel[timed]], np.ones(int(counted.sum()))])
    matrix = sparse.csr_matrix((use, (row, column)), shape=(1 + reps + len(capped), len(pair)))
    return matrix, np.concatenate([[limits.budget], limits.rep_capacity, limits.channel_actions[capped]])


def filled_plan(world: ImpactWorld, order: np.ndarray) -> np.ndarray:
    """(hcps, channels) bool: pairs taken one after the other in this order (pair = hcp x channels + channel) as long as limits allow."""
    limits = world.limits
    width = len(limits.unit_cost)
    hcps = len(limits.hcp_rep)
    allowed = allowed_pairs(limits, hcps).ravel()
    money, minutes = limits.budget, limits.rep_capacity.tolist()
    left, actions = limits.channel_actions.tolist(), [limits.most_actions] * hcps
    cost, time, rep = limits.unit_cost.tolist(), limits.rep_minutes.tolist(), limits.hcp_rep.tolist()
    chosen = np.zeros(hcps * width, bool)
    for pair in order[allowed[order]].tolist():
        hcp, channel = divmod(pair, width)
        if actions[hcp] < 1 or left[channel] < 1 or cost[channel] > money or (time[channel] > 0 and time[channel] > minutes[rep[hcp]]):
            continue
        chosen[pair] = True
        money, actions[hcp], left[channel] = money - cost[channel], actions[hcp] - 1, left[channel] - 1
        if time[channel] > 0:
            minutes[rep[hcp]] -= time[channel]
    return chosen.reshape(hcps, width)


def breaks(world: ImpactWorld, plan: np.ndarray) -> list[str]:
    """Limits that a plan breaks, in words; empty for an allowed plan."""
    hcp, channel = np.nonzero(plan)
    rows, upper = limit_rows(world.limits, hcp, channel)
    use = rows @ np.ones(len(hcp))
    said = [f"limit {k}: {use[k]:g} of {upper[k]:g}" for k in np.flatnonzero(use > upper * (1 + 1e-6) + 1e-9)]
    if (plan.sum(axis=1) > world.limits.most_actions).any() or (plan & ~allowed_pairs(world.limits, len(plan))).any():
        said.append("actions per HCP, or a rep channel without a rep")
    return said
