"""Reps apart: groups of HCPs that share only a few wide limits, each solved as an integer problem of its own.

Wide limits (a total budget, a channel's capacity) are priced, every other limit stays exact inside its block (Lagrangian
decomposition; Geoffrion 1974). Two things come of it: an upper bound at most as high as price_bound,
    sum over blocks of the block's exact optimum at the wide prices + sum over wide limits of sign x price x bound,
and one column per HCP that fills every rep's time exactly, the core of a good plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimization.prices import Prices
from optimization.sets import HcpSets, SharedLimits, priced_values

BLOCK_HCPS = 600  # a block may grow to so many HCPs; a limit that would join more is wide


@dataclass(frozen=True)
class Block:
    """One group of HCPs with the limits inside it: a small problem whose values are net of the wide prices.

    columns: its columns in the whole problem's numbering; sets, shared, prices, loosening_cost: as in `solve`, for the block alone.
    """

    columns: np.ndarray
    sets: HcpSets
    shared: SharedLimits
    prices: Prices
    loosening_cost: np.ndarray


def partition(shared: SharedLimits, hcp_count: int) -> tuple[np.ndarray, np.ndarray]:
    """(block number per HCP, wide flag per limit): limits with few HCPs are joined first, as long as blocks stay small."""
    label = np.arange(hcp_count)
    size = np.ones(hcp_count, dtype=np.int64)
    width = shared.features.shape[1]
    members = [
        np.unique(shared.coefficient.indices[a:b] // width)
        for a, b in zip(shared.coefficient.indptr[:-1], shared.coefficient.indptr[1:], strict=True)
    ]
    wide = np.zeros(shared.count, dtype=bool)
    for number in sorted(range(shared.count), key=lambda n: (len(members[n]), n)):
        roots = np.unique(label[members[number]])
        if len(roots) == 0 or size[roots].sum() > BLOCK_HCPS:
            wide[number] = True
        elif len(roots) > 1:
            label[np.isin(label, roots)] = roots[0]
            size[roots[0]] = size[roots].sum()
    return np.unique(label, return_inverse=True)[1], wide


def block_problems(
    sets: HcpSets, shared: SharedLimits, prices: Prices, loosening_cost: np.ndarray, label: np.ndarray, wide: np.ndarray
) -> list[Block]:
    """The blocks that have a limit of their own; HCPs without one take their best column at the prices."""
    features = shared.features.shape[1]
    by_feature = shared.coefficient.tocsc()
    net = _net_values(sets, shared, prices, wide)
    inside = np.unique(shared.coefficient[np.flatnonzero(~wide)].indices // features)  # HCPs with a limit that is not wide
    inside = inside[np.argsort(label[inside], kind="stable")]
    starts = np.flatnonzero(np.r_[True, np.diff(label[inside]) > 0]) if len(inside) else np.empty(0, dtype=np.int64)
    found = []
    for hcps in np.split(inside, starts[1:]) if len(inside) else []:
        cells = (hcps[:, None] * features + np.arange(features)[None, :]).ravel()
        rows = by_feature[:, cells].tocsr()
        own = np.flatnonzero((np.diff(rows.indptr) > 0) & ~wide)
        if len(own):
            found.append(_block(sets, shared, prices, loosening_cost, net, hcps, own, rows[own]))
    return found


def _net_values(sets: HcpSets, shared: SharedLimits, prices: Prices, wide: np.ndarray) -> np.ndarray:
    """V(S) of every column less what it pays for wide limits."""
    return priced_values(sets, shared, np.where(wide, prices.price, 0.0))


def _block(
    sets: HcpSets,
    shared: SharedLimits,
    prices: Prices,
    loosening_cost: np.ndarray,
    net: np.ndarray,
    hcps: np.ndarray,
    own: np.ndarray,
    rows: object,
) -> Block:
    counts = np.diff(sets.start)[hcps]
    start = np.concatenate([[0], np.cumsum(counts)])
    columns = np.repeat(sets.start[:-1][hcps] - start[:-1], counts) + np.arange(start[-1])
    mine = replace(
        sets,
        start=start,
        hcp=np.repeat(np.arange(len(hcps), dtype=np.int32), counts),
        kind=sets.kind[columns],
        value=net[columns],
        pinned=sets.pinned[hcps],
    )
    limits = SharedLimits(shared.sign[own], shared.bound[own], shared.soft[own], shared.features, rows)
    price, best = prices.price[own], prices.best[hcps]
    bound = float(best.sum() + (limits.sign * price * limits.bound).sum())
    return Block(
        columns, mine, limits, Prices(price, bound, prices.priced[columns], best, np.empty(0, dtype=np.int64), 0), loosening_cost[own]
    )
