"""Passes over the blocks: better prices for the wide limits, and the columns that good plans of every block are made of.

At the prices of z_LP every block (`blocks.py`) is solved as an integer problem. Where reps lose minutes because whole visits do not
fill them, those prices are not the best ones for the wide limits. A small linear program over the block plans found so far (Dantzig and
Wolfe, 1960, by block) says which prices would be, within a trust box around the first ones (Marsten, Hogan and Blankenship, 1975). Any
prices give a valid bound; the lowest is kept. The columns of all block plans together are what the last integer programs choose from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from optimization.prices import largest_value
from optimization.sets import HcpSets
from optimization.shared import SharedLimits

BOX = 0.05  # prices of wide limits stay within this share of their first value


@dataclass(frozen=True)
class BlockPlans:
    """One pass: prices (limits), a column per HCP, the bound at these prices; per group of HCPs the value less penalties (worth) and
    the signed scaled use of wide limits (groups, wide limits)."""

    price: np.ndarray
    columns: np.ndarray
    bound: float
    worth: np.ndarray
    use: np.ndarray


@dataclass(frozen=True)
class Wide:
    """Wide limits in their scaled, signed form: use <= bound, first prices, box of the prices per scaled unit."""

    number: np.ndarray
    bound: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray


def wide_box(sets: HcpSets, shared: SharedLimits, price: np.ndarray, wide: np.ndarray, loosening_cost: np.ndarray) -> Wide:
    """The box around `price` (limits)."""
    number = np.flatnonzero(wide)
    scale, unit = shared.scale[number], largest_value(sets)
    scaled = price[number] * scale
    radius = np.maximum(BOX * scaled, 1e-3 * unit)
    highest = np.minimum(scaled + radius, loosening_cost[number] * scale)
    return Wide(number, shared.sign[number] * shared.bound[number] / scale, np.clip(scaled - radius, 0.0, highest), highest)


def next_prices(wide: Wide, plans: list[BlockPlans]) -> tuple[np.ndarray, float]:
    """(prices per scaled unit, lowest bound that any prices of the box can have as far as the plans know).

    maximise sum over groups and passes: worth x Share - highest x Over + lowest x Under
    sum of use x Share - Over + Under <= bound per wide limit; the shares of a group sum to 1.
    """
    groups, passes, limits = len(plans[0].worth), len(plans), len(wide.number)
    use = sparse.csr_matrix(np.vstack([plan.use for plan in plans]).T)
    one = sparse.identity(limits)
    share = sparse.hstack([sparse.identity(groups)] * passes + [sparse.csr_matrix((groups, 2 * limits))])
    top = max(1e-12, max(float(np.abs(plan.worth).max(initial=0.0)) for plan in plans))
    gain = np.concatenate([*(plan.worth for plan in plans), -wide.highest, wide.lowest]) / top
    gain[np.isneginf(gain)] = -1e9
    answer = linprog(
        -gain, A_ub=sparse.hstack([use, -one, one]), b_ub=wide.bound, A_eq=share, b_eq=np.ones(groups), bounds=(0, None), method="highs"
    )
    if answer.status != 0:
        return np.clip(np.zeros(limits), wide.lowest, wide.highest), -math.inf
    return np.clip(-answer.ineqlin.marginals * top, wide.lowest, wide.highest), -float(answer.fun) * top


def price_again(shared: SharedLimits, wide: Wide, plans: list[BlockPlans], enough: float) -> np.ndarray | None:
    """Prices (limits) for one more pass; None when no prices of the box can lower the bound by `enough`, or these were tried before.

    Half way from the best prices so far: the linear program alone jumps from edge to edge of the box (Wentges, 1997).
    """
    if len(wide.number) == 0:
        return None
    best = min(plans, key=lambda plan: plan.bound)
    scaled, reachable = next_prices(wide, plans)
    if best.bound - reachable <= enough:
        return None
    price = best.price.copy()
    price[wide.number] = (price[wide.number] + scaled / shared.scale[wide.number]) / 2
    return None if any(np.allclose(price, plan.price, rtol=1e-6, atol=0.0) for plan in plans) else price
