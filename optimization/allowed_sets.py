"""The largest V(S) of one HCP in the run, over the sets that the rules inside an HCP allow.

HCPs are visited in falling order of an upper bound (their best values, as many as their caps leave), in batches whose
subsets are all valued at once, until no remaining bound beats the best set found: exact, and mostly over after one batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimization.problem import Problem

BATCH_CELLS = 4_000_000


@dataclass(frozen=True)
class Caps:
    """Rules inside one HCP as: of the channels in bit mask `mask` at most `upper` for HCP `owner`; one entry per rule row."""

    owner: np.ndarray
    mask: np.ndarray
    upper: np.ndarray


def largest_value(problem: Problem) -> float:
    """Largest V(S) (KPI units) over HCPs and their allowed sets: eligible pairs, caps, exclusive pairs, pins; at least 0.

    Pins on ineligible pairs, and HCPs whose pins break their own rules, do not count.
    """
    caps = _inner_caps(problem)
    bound = _bounds(problem, caps)
    order = np.argsort(-bound, kind="stable")
    largest_step = max(64, BATCH_CELLS >> len(problem.channels))
    best, place, step = 0.0, 0, 16
    while place < len(order) and bound[order[place]] > best * (1 + 1e-12):
        batch = order[place : place + step]
        best = max(best, _best_of(problem, caps, batch[bound[batch] > best]))
        place += step
        step = min(step * 4, largest_step)
    return best


def _inner_caps(problem: Problem) -> Caps:
    """Caps and exclusive rows alike: k pairs that may not all be chosen are k pairs of which at most k - 1 are."""
    width = len(problem.channels)
    owner, mask, upper = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for cap in problem.caps:
        holder = np.full(len(cap.upper), -1)
        holder[cap.group] = cap.pairs // width
        bits = np.bincount(cap.group, weights=(1 << (cap.pairs % width)).astype(np.float64), minlength=len(cap.upper))
        owner.append(holder[holder >= 0])
        mask.append(bits.astype(np.int64)[holder >= 0])
        upper.append(np.floor(cap.upper[holder >= 0] * (1 + 1e-6)).astype(np.int64))
    for row in problem.exclusive:
        owner.append(row.members[:, 0] // width)
        mask.append((1 << (row.members % width)).sum(axis=1))
        upper.append(np.full(len(row.members), row.members.shape[1] - 1))
    return Caps(np.concatenate(owner), np.concatenate(mask), np.concatenate(upper))


def _bounds(problem: Problem, caps: Caps) -> np.ndarray:
    """Per HCP: V of its largest positive values, as many as its caps leave."""
    width = len(problem.channels)
    eligible = problem.eligible.reshape(-1, width)
    gain = np.where(eligible, np.maximum(problem.value.reshape(-1, width), 0.0), 0.0)
    open_bits = (eligible * (1 << np.arange(width))).sum(axis=1)
    room = eligible.sum(axis=1)
    free = np.bitwise_count(open_bits[caps.owner] & ~caps.mask)
    np.minimum.at(room, caps.owner, free + caps.upper)
    ranked = -np.sort(-gain, axis=1)
    kept = ranked * np.maximum(1 - problem.settings.overlap * np.arange(width), 0.0)
    return np.where(np.arange(width) < room[:, None], kept, 0.0).sum(axis=1)


def _best_of(problem: Problem, caps: Caps, hcps: np.ndarray) -> float:
    """Largest V(S) among these HCPs, every subset of their channels tried."""
    width = len(problem.channels)
    subsets = np.arange(1 << width)
    taken = (subsets[:, None] >> np.arange(width)) & 1 == 1
    value = problem.value.reshape(-1, width)[hcps]
    gain = np.maximum(value, 0.0)
    falling = np.argsort(-gain, axis=1, kind="stable")
    total = value @ taken.T.astype(np.float64)
    rank = np.zeros(total.shape, dtype=np.int8)
    for step in range(width):
        column = falling[:, step]
        holds = taken.T[column]
        total -= problem.settings.overlap * gain[np.arange(len(hcps)), column][:, None] * (rank * holds)
        rank += holds
    total[~_allowed(problem, caps, hcps, subsets)] = -np.inf
    return float(total.max(initial=0.0))


def _allowed(problem: Problem, caps: Caps, hcps: np.ndarray, subsets: np.ndarray) -> np.ndarray:
    """(HCPs, subsets): which subsets the HCP's own rules allow."""
    width = len(problem.channels)
    place = np.full(len(problem.hcp_ids), -1)
    place[hcps] = np.arange(len(hcps))
    shut = (~problem.eligible.reshape(-1, width)[hcps] * (1 << np.arange(width))).sum(axis=1)
    allowed = (shut[:, None] & subsets) == 0
    here = np.flatnonzero(place[caps.owner] >= 0)
    kinds, kind_of = np.unique(np.stack([caps.mask[here], caps.upper[here]], axis=1), axis=0, return_inverse=True)
    for kind, (mask, upper) in enumerate(kinds):
        allowed[place[caps.owner[here[kind_of.ravel() == kind]]]] &= np.bitwise_count(subsets & mask) <= upper
    for pin in problem.pins[problem.eligible[problem.pins] & (place[problem.pins // width] >= 0)]:
        allowed[place[pin // width]] &= subsets >> (pin % width) & 1 == 1
    return allowed
