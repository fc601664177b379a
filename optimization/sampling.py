"""Prices of very many blocks under a few wide limits: a sample of blocks tells most of what all of them would.

The sample is priced exactly under its share of the wide limits, every block then finds its own prices at those of the wide limits, and
the sample's share is corrected by what all blocks together use: a Newton step whose curvature is the sample's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from optimization.blocks import Blocks
from optimization.shared import Pricing

SAMPLED_HCPS, SAMPLED_AGAIN = 12_000, 3_000  # the second where prices of a problem much like this one are known
CORRECTIONS = 2  # of the sample by what all blocks use
FIRST_STEPS, NEXT_STEPS = 60, 16  # tries of every block to improve its own prices


@dataclass(frozen=True)
class _Sample:
    """Some blocks as a problem of their own. rows: limits of the whole that it has; share: its HCPs over all."""

    pricing: Pricing
    rows: np.ndarray
    share: float


def sampled_prices(pricing: Pricing, blocks: Blocks, ceiling: np.ndarray, start: np.ndarray | None, exact: bool) -> np.ndarray:
    """Prices (limits) near the minimum; ceiling (limits): the highest a price may be; start: prices of a problem much like this one;
    exact: the blocks' own prices follow the last move of the wide ones too."""
    shared = pricing.shared
    sample = _sample(pricing, blocks, SAMPLED_HCPS if start is None else SAMPLED_AGAIN)
    from optimization.prices import solve_prices

    here, wide = np.flatnonzero(blocks.wide[sample.rows]), np.flatnonzero(blocks.wide)
    bound = sample.pricing.shared.bound.copy()
    bound[here] *= sample.share
    price = np.zeros(shared.count) if start is None else np.clip(start, 0.0, ceiling)
    own = None  # a start far off makes the sample's linear program long: it begins from nothing, the blocks from the start
    for number in range(CORRECTIONS + 1):
        limits = replace(sample.pricing.shared, bound=bound)
        own = solve_prices(sample.pricing.sets, limits, ceiling[sample.rows], start=own).price
        if number == 0 and start is None:
            price[blocks.row] = _usual(blocks, sample, own)[blocks.row]
        price[wide] = own[here]
        if number == CORRECTIONS and not exact:
            break  # a last small move of the wide prices: what it asks of the blocks' own is left to whoever solves them next
        steps = FIRST_STEPS if number == 0 else NEXT_STEPS
        found = blocks.solve(price, ceiling, steps, np.zeros(blocks.count), 0, 1, 0.0 if exact else 1e-7)
        price = found.price
        used = shared.total_use(pricing.sets, found.columns)
        bound[here] += sample.share * (shared.bound - used)[wide]
    return price


def _usual(blocks: Blocks, sample: _Sample, own: np.ndarray) -> np.ndarray:
    """(limits) the sample's prices where it has them, elsewhere their mean by place in the block."""
    count = blocks.pricing.shared.count
    place = np.zeros(count, dtype=np.int64)
    place[blocks.row] = np.arange(len(blocks.row)) - np.repeat(blocks.row_start[:-1], np.diff(blocks.row_start))
    inside = sample.rows[~blocks.wide[sample.rows]]
    sums = np.bincount(place[inside], weights=own[~blocks.wide[sample.rows]], minlength=place.max() + 1)
    known = np.bincount(place[inside], minlength=place.max() + 1)
    found = (sums / np.maximum(known, 1))[place]
    found[sample.rows] = own
    return found


def _sample(pricing: Pricing, blocks: Blocks, hcps_wanted: int) -> _Sample:
    """Blocks evenly spread over all, about so many HCPs of them."""
    sets, shared = pricing.sets, pricing.shared
    wanted = max(2, round(blocks.count * min(1.0, hcps_wanted / len(blocks.hcp))))
    chosen = np.unique(np.linspace(0, blocks.count - 1, wanted).round().astype(np.int64))
    hcps = np.sort(np.concatenate([blocks.hcp[blocks.hcp_start[b] : blocks.hcp_start[b + 1]] for b in chosen.tolist()]))
    rows = np.concatenate([blocks.row[blocks.row_start[b] : blocks.row_start[b + 1]] for b in chosen.tolist()])
    rows = np.sort(np.concatenate([rows, np.flatnonzero(blocks.wide)]))
    counts = np.diff(sets.list_start)[sets.list_of[hcps]]
    mine = replace(
        sets,
        values=sets.values[hcps],
        bonus=None if sets.bonus is None else sets.bonus[hcps],
        list_of=sets.list_of[hcps],
        start=np.concatenate([[0], np.cumsum(counts)]),
        pinned=sets.pinned[hcps],
    )
    profiles, profile = np.unique(shared.profile[hcps], return_inverse=True)
    cells = (profiles[:, None].astype(np.int64) * shared.width + np.arange(shared.width)).ravel()
    limits = replace(
        shared,
        sign=shared.sign[rows],
        bound=shared.bound[rows],
        soft=shared.soft[rows],
        profile=profile.astype(np.int32),
        profile_count=len(profiles),
        coefficient=sparse.csr_matrix(shared.coefficient[rows].tocsc()[:, cells]),
    )
    return _Sample(Pricing(mine, limits), rows, len(hcps) / sets.hcp_count)
