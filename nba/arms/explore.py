"""What explore HCPs get: one action, or none, from a published distribution that leaves `resource_share` of every limit unhurt.

Every explore HCP starts with the same probability for each eligible channel and for none. Where the expected use of a limit is above
resource_share of it, the probabilities of the actions that use it are multiplied by what it leaves, and none gets the rest; an action
that uses several such limits takes the smallest of their factors, so that one pass is enough for all of them. Pinned actions are
deducted first. A draw never breaks a limit: HCPs come in an order drawn by hash, and one whose action no longer fits gets none. Where
that can happen the probability is not what was asked for; it is then estimated by replaying the whole draw with other hashes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nba.arms.hashing import hashes
from optimization.arms import EXPLORE
from optimization.checker import uses_of
from optimization.problem import Problem

EXACT, REPLAYED = "exact", "replayed"
NONE = "none"  # the channel of no action
REPLAYS, FEWEST_REPLAYS, REPLAYED_CELLS = 999, 199, 60_000_000
IMPOSSIBLE = 1e-12  # a limit that is exceeded less often than this is taken for safe


@dataclass(frozen=True)
class ExploreDraw:
    """hcps (n): numbers in the problem; support (n, channels): eligible channels; propensity (n, channels + 1): the last one is none;
    drawn (n): channel or -1; is_replayed (n): the propensities are estimates."""

    hcps: np.ndarray
    support: np.ndarray
    propensity: np.ndarray
    drawn: np.ndarray
    is_replayed: np.ndarray

    def pairs(self, channels: int) -> np.ndarray:
        """The drawn actions as pairs of the problem."""
        taken = self.drawn >= 0
        return self.hcps[taken].astype(np.int64) * channels + self.drawn[taken]


@dataclass(frozen=True)
class _Uses:
    """Use of the upper limits by one action of each cell (explore HCP x channel): cell i has entries start[i]..start[i + 1]."""

    start: np.ndarray
    limit: np.ndarray
    use: np.ndarray
    cell: np.ndarray
    left: np.ndarray
    bound: np.ndarray


def draw_explore(problem: Problem, arm: np.ndarray, resource_share: float, replays: int | None = None) -> ExploreDraw:
    """The draw of one cycle. problem: before `with_arms`; arm (hcps): place in `optimization.arms.ARMS`; replays: how often the draw is
    replayed where its probabilities are not known exactly (None = as often as the size allows)."""
    channels = len(problem.channels)
    hcps = np.flatnonzero(np.asarray(arm) == EXPLORE)
    support = single_actions(problem).reshape(-1, channels)[hcps]
    uses = _uses(problem, hcps, support)
    chance = scaled(support / (support.sum(axis=1, keepdims=True) + 1.0), uses, resource_share)
    key = hashes(problem.hcp_ids[hcps].tolist(), problem.settings.seed, f"{problem.settings.cycle_start.isoformat()}|explore")
    unsafe = _unsafe(chance, uses)
    while True:
        drawn, _ = _replayed(chance, uses, unsafe, key, 0, 1)
        broken = _broken(uses, drawn, channels) & ~unsafe
        if not broken.any():
            break
        unsafe |= broken
    at_risk = np.zeros(len(hcps), dtype=bool)
    risky = unsafe[uses.limit] & (chance.ravel()[uses.cell] > 0)
    at_risk[uses.cell[risky] // max(1, channels)] = True
    if at_risk.any():
        often = int(np.clip(REPLAYED_CELLS // chance[at_risk].size, FEWEST_REPLAYS, REPLAYS)) if replays is None else replays
        _, kept = _replayed(chance, uses, unsafe, key, 0, often + 1)
        chance = np.where(at_risk[:, None], chance * kept / (often + 1), chance)
    propensity = np.column_stack([chance, np.maximum(1.0 - chance.sum(axis=1), 0.0)])
    return ExploreDraw(hcps, support, propensity, drawn, at_risk)


def single_actions(problem: Problem) -> np.ndarray:
    """(pairs) bool: one touch of the pair and nothing else is allowed by the rules inside the HCP."""
    found = problem.eligible & np.tile(np.asarray(problem.most_touches) >= 1, len(problem.hcp_ids))
    for cap in problem.caps:
        found[cap.pairs[np.asarray(cap.upper)[cap.group] < 1]] = False
    for row in problem.exclusive:
        if row.members.shape[1] == 1 and (row.least is None or row.least[0] <= 1):
            found[row.members[:, 0]] = False
    return found


def scaled(chance: np.ndarray, uses: _Uses, resource_share: float) -> np.ndarray:
    """The probabilities with expected use at or below resource_share of every limit, and below what the pins leave of it."""
    flat = chance.ravel()
    expected = np.bincount(uses.limit, weights=flat[uses.cell] * uses.use, minlength=len(uses.left))
    wanted = np.minimum(resource_share * uses.bound, uses.left)
    factor = np.minimum(1.0, np.divide(wanted, expected, out=np.ones(len(expected)), where=expected > 0))
    smallest = np.ones(len(flat))
    np.minimum.at(smallest, uses.cell, factor[uses.limit])
    return (flat * smallest).reshape(chance.shape)


def _uses(problem: Problem, hcps: np.ndarray, support: np.ndarray) -> _Uses:
    """The upper limits as entries, less what pinned actions use of them."""
    channels = len(problem.channels)
    pinned = np.zeros(problem.pair_count, dtype=np.int16)
    pinned[problem.pins] = 1
    used = uses_of(problem, pinned)
    cells, limits, amounts = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)], [np.empty(0)]
    for number, limit in enumerate(problem.limits):
        if limit.side != "max":
            continue
        _, mine, theirs = np.intersect1d(hcps, limit.hcps, assume_unique=True, return_indices=True)
        table = np.broadcast_to(limit.use, (len(mine), channels)) if limit.use.ndim == 1 else limit.use[theirs]
        row, channel = np.nonzero((table > 0) & support[mine])
        cells.append(mine[row] * channels + channel)
        limits.append(np.full(len(row), number))
        amounts.append(table[row, channel])
    cell, limit, use = np.concatenate(cells), np.concatenate(limits), np.concatenate(amounts)
    order = np.argsort(cell, kind="stable")
    start = np.searchsorted(cell[order], np.arange(len(hcps) * channels + 1))
    bound = np.array([limit.bound for limit in problem.limits], dtype=np.float64)
    return _Uses(start, limit[order], use[order], cell[order], np.maximum(bound - used, 0.0), bound)


def _unsafe(chance: np.ndarray, uses: _Uses) -> np.ndarray:
    """(limits) bool: the draw may exceed what is left of the limit: neither ruled out by the largest use, nor as good as impossible by
    Bernstein's inequality (Boucheron, Lugosi, Massart 2013, section 2.8)."""
    count, channels = len(uses.left), max(1, chance.shape[1])
    weight = chance.ravel()[uses.cell]
    possible = weight > 0
    limit, use, hcp = uses.limit[possible], uses.use[possible], uses.cell[possible] // channels
    order = np.lexsort((-use, hcp, limit))
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(limit[order]) != 0) | (np.diff(hcp[order]) != 0)
    most = np.bincount(limit[order][first], weights=use[order][first], minlength=count)
    expected = np.bincount(limit, weights=use * weight[possible], minlength=count)
    spread = np.bincount(limit, weights=use**2 * weight[possible], minlength=count)
    largest = np.zeros(count)
    np.maximum.at(largest, limit, use)
    room = np.maximum(uses.left - expected, 0.0)
    bound = 2 * (spread + largest * room / 3)
    odds = np.exp(-np.divide(room**2, bound, out=np.zeros(count), where=bound > 0))
    return (most > uses.left) & (odds > IMPOSSIBLE)


def _replayed(
    chance: np.ndarray, uses: _Uses, checked: np.ndarray, key: np.ndarray, first: int, last: int
) -> tuple[np.ndarray, np.ndarray]:
    """(drawn channels of the replay `last - 1`, in how many replays each action would have fitted); only checked limits are looked at."""
    from nba.arms.kernels import replay

    kept, drawn = np.zeros(chance.shape, dtype=np.int64), np.full(len(chance), -1, dtype=np.int64)
    mine = checked[uses.limit]
    start = np.concatenate([[0], np.cumsum(mine)])[uses.start].astype(np.int64)
    replay(chance, start, uses.limit[mine].astype(np.int64), uses.use[mine], uses.left, key, first, last, kept, drawn)
    return drawn, kept


def _broken(uses: _Uses, drawn: np.ndarray, channels: int) -> np.ndarray:
    """(limits) bool: the drawn actions use more than is left."""
    taken = np.zeros(len(uses.start) - 1)
    some = np.flatnonzero(drawn >= 0)
    taken[some * channels + drawn[some]] = 1.0
    use = np.bincount(uses.limit, weights=taken[uses.cell] * uses.use, minlength=len(uses.left))
    return use > uses.left * (1 + 1e-9) + 1e-9
