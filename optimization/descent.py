"""Prices near the minimum of the bound, without a linear program: a descent by signs."""

from __future__ import annotations

import numpy as np

from optimization.shared import Pricing

PASSES = 120


def descend(pricing: Pricing, ceiling: np.ndarray, start: np.ndarray | None = None, passes: int = PASSES) -> np.ndarray:
    """Prices (limits) near the minimum: each moves by its own step against the sign of its slack (Rprop: Riedmiller and Braun, 1993).

    Some hundred passes over all columns do, because prices hardly interact. ceiling (limits): the highest a price may be; start: prices of
    a problem much like this one.
    """
    sets, shared = pricing.sets, pricing.shared
    top = max(float(sets.values.max(initial=0.0)), 1e-12)
    price = np.zeros(shared.count) if start is None else np.clip(start, 0.0, ceiling)
    step = (0.02 if start is None else 0.002) * top / shared.scale
    before, lowest, kept = np.zeros(shared.count), np.inf, price
    for _ in range(passes):
        best, columns = pricing.best(price)
        bound = float(best.sum() + (shared.sign * price * shared.bound).sum())
        if bound < lowest:
            lowest, kept = bound, price
        side = np.sign(shared.sign * (shared.total_use(sets, columns) - shared.bound))
        step = np.where(side * before > 0, 1.3 * step, np.where(side * before < 0, 0.5 * step, step))
        before, last, price = side, price, np.clip(price + side * step, 0.0, ceiling)
        if np.all(np.abs(price - last) * shared.scale <= 1e-7 * top):
            break
    return kept
