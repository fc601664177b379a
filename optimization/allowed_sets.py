"""The largest V(S) of one HCP in the run, over the sets that the rules inside an HCP allow.

HCPs are visited in falling order of an upper bound (their best values, as many as their caps leave), in batches whose
subsets are all valued at once, until no remaining bound beats the best set found: exact, and mostly over after one batch.
"""

from __future__ import annotations

import numpy as np

from optimization.problem import Problem

BATCH_CELLS = 2_000_000


def largest_value(problem: Problem) -> float:
    """Largest V(S) (KPI units) over HCPs and their allowed sets: eligible pairs, caps, exclusive pairs, pins; at least 0.

    Pins on ineligible pairs, and HCPs whose pins break their own rules, do not count.
    """
    width = len(problem.channels)
    bound = _bounds(problem)
    order = np.argsort(-bound, kind="stable")
    best, place, step = 0.0, 0, 16
    while place < len(order) and bound[order[place]] > best:
        batch = order[place : place + step]
        best = max(best, _best_of(problem, batch[bound[batch] > best]))
        place += step
        step = min(step * 4, max(1, BATCH_CELLS >> width))
    return best


def _gains(problem: Problem) -> np.ndarray:
    gain = np.where(problem.eligible, np.maximum(problem.value, 0.0), 0.0)
    return gain.reshape(-1, len(problem.channels))


def _bounds(problem: Problem) -> np.ndarray:
    """Per HCP: V of its largest positive values, as many as its caps leave."""
    width = len(problem.channels)
    eligible = problem.eligible.reshape(-1, width).sum(axis=1)
    room = eligible.copy()
    for cap in problem.caps:
        size = np.bincount(cap.group, minlength=len(cap.upper))
        owner = np.zeros(len(cap.upper), dtype=np.int64)
        owner[cap.group] = cap.pairs // width
        used = size > 0
        np.minimum.at(room, owner[used], (eligible[owner] - size + cap.upper)[used])
    ranked = -np.sort(-_gains(problem), axis=1)
    rank = np.arange(width)
    kept = ranked * np.maximum(1 - problem.settings.overlap * rank, 0.0)
    return np.where(rank < room[:, None], kept, 0.0).sum(axis=1)


def _best_of(problem: Problem, hcps: np.ndarray) -> float:
    """Largest V(S) among these HCPs, every subset of their channels tried."""
    width = len(problem.channels)
    subsets = (np.arange(1 << width)[:, None] >> np.arange(width)) & 1 == 1
    allowed = _allowed(problem, hcps, subsets)
    value = problem.value.reshape(-1, width)[hcps]
    gain = np.maximum(value, 0.0)
    falling = np.argsort(-gain, axis=1, kind="stable")
    total = value @ subsets.T.astype(np.float64)
    rank = np.zeros_like(total)
    for step in range(width):
        column = falling[:, step]
        taken = subsets[:, column].T
        total -= problem.settings.overlap * np.where(taken, gain[np.arange(len(hcps)), column][:, None] * rank, 0.0)
        rank += taken
    total[~allowed] = -np.inf
    return float(total.max(initial=0.0))


def _allowed(problem: Problem, hcps: np.ndarray, subsets: np.ndarray) -> np.ndarray:
    """(HCPs, subsets): which subsets the HCP's own rules allow."""
    width = len(problem.channels)
    place = np.full(len(problem.hcp_ids), -1)
    place[hcps] = np.arange(len(hcps))
    bits = subsets.astype(np.float64)
    shut = (~problem.eligible.reshape(-1, width)[hcps]).astype(np.float64)
    allowed = shut @ bits.T == 0
    for cap in problem.caps:
        inside = np.flatnonzero(place[cap.pairs // width] >= 0)
        groups, local = np.unique(cap.group[inside], return_inverse=True)
        member = np.zeros((len(groups), width))
        member[local, cap.pairs[inside] % width] = 1
        owner = np.zeros(len(groups), dtype=np.int64)
        owner[local] = place[cap.pairs[inside] // width]
        for group in range(len(groups)):
            allowed[owner[group]] &= bits @ member[group] <= cap.upper[groups[group]]
    for row in problem.exclusive:
        for members in row.members[place[row.members[:, 0] // width] >= 0]:
            allowed[place[members[0] // width]] &= ~subsets[:, members % width].all(axis=1)
    for pin in problem.pins[problem.eligible[problem.pins]]:
        if place[pin // width] >= 0:
            allowed[place[pin // width]] &= subsets[:, pin % width]
    return allowed
