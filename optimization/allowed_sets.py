"""The largest V(S) of one HCP in the run, over the sets of touches that the rules inside an HCP allow.

HCPs are visited in falling order of an upper bound (their best touches, as many as their caps leave) until no remaining bound beats
the best set found: exact, and mostly over after one batch. Where few numbers of touches per channel are possible, all of them are valued
at once for a batch of HCPs; else HCP by HCP, touches of the best channel first, with the same bound on what is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from optimization.problem import Problem

MOST_KINDS = 4096
BATCH_CELLS = 1_000_000


@dataclass(frozen=True)
class OwnRules:
    """Upper limits inside one HCP, one entry per limit: its HCP `owner` breaks it if touches of the channels flagged in `counted`
    (rules, channels) exceed `upper`; and if every channel reaches its number in `least` (rows, channels; 0 = any number)."""

    owner: np.ndarray
    counted: np.ndarray
    upper: np.ndarray
    row_owner: np.ndarray
    least: np.ndarray

    def alone(self, number: int) -> OwnRules:
        """The rules of one HCP."""
        caps, rows = self.owner == number, self.row_owner == number
        return OwnRules(self.owner[caps], self.counted[caps], self.upper[caps], self.row_owner[rows], self.least[rows])

    def of(self, hcps: np.ndarray, place: np.ndarray) -> OwnRules:
        """The rules of these HCPs, owners renumbered; place: an array over all HCPs to work on, -1 before and after."""
        place[hcps] = np.arange(len(hcps))
        caps, rows = place[self.owner] >= 0, place[self.row_owner] >= 0
        mine = OwnRules(place[self.owner[caps]], self.counted[caps], self.upper[caps], place[self.row_owner[rows]], self.least[rows])
        place[hcps] = -1
        return mine


def largest_value(problem: Problem) -> float:
    """Largest V(S) (KPI units) over HCPs and their allowed sets: eligible pairs, caps, exclusive touches, pins; at least 0.

    Pins on ineligible pairs, and HCPs whose pins break their own rules, do not count.
    """
    if problem.pair_count == 0:
        return 0.0
    rules, most = _own_rules(problem), _most(problem)
    gain = np.maximum(problem.value.reshape(most.shape), 0.0)
    room = _room(most, rules)
    bound = _bounds(gain, most, room, problem.settings.overlap)
    kinds = _kinds(most.max(axis=0), _useful(problem, most, int(room.max(initial=0))))
    order = np.argsort(-bound, kind="stable")
    place, best, at, step = np.full(len(most), -1), 0.0, 0, 16
    while at < len(order) and bound[order[at]] > best * (1 + 1e-12):
        batch = order[at : at + step]
        batch = batch[bound[batch] > best]
        mine = rules.of(batch, place)
        if kinds is not None:
            best = max(best, _best_of_kinds(problem, mine, most, batch, kinds))
        else:
            for number, hcp in enumerate(batch.tolist()):
                if bound[hcp] > best:
                    best = _best_of_one(problem, mine.alone(number), most[hcp], hcp, best)
        at += step
        step = min(step * 4, max(16, BATCH_CELLS // max(1, 0 if kinds is None else len(kinds))))
    return best


def _most(problem: Problem) -> np.ndarray:
    """(HCPs, channels) touches that each pair may get at most."""
    return problem.eligible.reshape(len(problem.hcp_ids), -1) * problem.most_touches


def _pinned(problem: Problem, hcps: np.ndarray) -> np.ndarray:
    """(these HCPs, channels): pinned pairs that are eligible."""
    width = len(problem.channels)
    pins = problem.pins[problem.eligible[problem.pins]]
    return np.isin(hcps[:, None] * width + np.arange(width), pins)


def _own_rules(problem: Problem) -> OwnRules:
    width = len(problem.channels)
    nobody, nothing = np.empty(0, dtype=np.int64), np.empty((0, width), dtype=np.int16)
    owner, counted, upper, row_owner, least = [nobody], [nothing.astype(bool)], [nobody], [nobody], [nothing]
    for cap in problem.caps:
        holder, flags = np.full(len(cap.upper), -1), np.zeros((len(cap.upper), width), dtype=bool)
        holder[cap.group] = cap.pairs // width
        flags[cap.group, cap.pairs % width] = True
        owner.append(holder[holder >= 0])
        counted.append(flags[holder >= 0])
        upper.append(np.floor(np.asarray(cap.upper)[holder >= 0] * (1 + 1e-6)).astype(np.int64))
    for row in problem.exclusive:
        table = np.zeros((len(row.members), width), dtype=np.int16)
        np.put_along_axis(table, row.members % width, np.broadcast_to(1 if row.least is None else row.least, row.members.shape), axis=1)
        row_owner.append(row.members[:, 0] // width)
        least.append(table)
    return OwnRules(*(np.concatenate(part) for part in (owner, counted, upper, row_owner, least)))


def _room(most: np.ndarray, rules: OwnRules) -> np.ndarray:
    """Touches that each HCP can get at most, by any one of its caps."""
    room = most.sum(axis=1)
    outside = np.where(rules.counted, 0, most[rules.owner]).sum(axis=1)
    np.minimum.at(room, rules.owner, outside + np.maximum(rules.upper, 0))
    return room


def _bounds(gain: np.ndarray, most: np.ndarray, room: np.ndarray, overlap: float) -> np.ndarray:
    """Per HCP: V of its best touches, as many as there is room for and as add to it."""
    falling = np.argsort(-gain, axis=1, kind="stable")
    ranked, left, total, before = np.take_along_axis(gain, falling, axis=1), room.copy(), np.zeros(len(gain)), np.zeros(len(gain))
    for place in range(gain.shape[1]):
        touches = np.minimum(most[np.arange(len(most)), falling[:, place]], left)
        # The touch of rank r adds gain x (1 - overlap x r): none is taken once that is not positive.
        taken = np.clip(np.ceil(1 / overlap) - before, 0, touches) if overlap else touches
        total += ranked[:, place] * (taken - overlap * (taken * before + taken * (taken - 1) / 2))
        before, left = before + taken, left - touches
    return total


def _useful(problem: Problem, most: np.ndarray, room: int) -> int:
    """Touches of one HCP beyond which its largest V never grows: its room, or so many that another adds nothing, and its pins."""
    if problem.settings.overlap == 0:
        return room
    pins = np.bincount(problem.pins // len(problem.channels)).max(initial=0) if len(problem.pins) else 0
    return min(room, int(np.ceil(1 / problem.settings.overlap)) + int(pins))


def _kinds(most: np.ndarray, total: int) -> np.ndarray | None:
    """(kinds, channels): every number of touches per channel, at most `total` together; None where there are too many."""
    kinds = np.zeros((1, 0), dtype=np.int64)
    for limit in most.tolist():
        counts = np.arange(min(limit, total) + 1)
        if len(kinds) * len(counts) > 16 * MOST_KINDS:
            return None
        kinds = np.column_stack([np.repeat(kinds, len(counts), axis=0), np.tile(counts, len(kinds))])
        kinds = kinds[kinds.sum(axis=1) <= total]
        if len(kinds) > MOST_KINDS:
            return None
    return kinds


def _best_of_kinds(problem: Problem, rules: OwnRules, most: np.ndarray, hcps: np.ndarray, kinds: np.ndarray) -> float:
    """Largest V among these HCPs, every kind tried."""
    value, pinned = problem.value.reshape(most.shape)[hcps], _pinned(problem, hcps)
    gain, counts = np.maximum(value, 0.0), kinds.astype(np.float64)
    total = value @ counts.T
    falling, before = np.argsort(-gain, axis=1, kind="stable"), np.zeros((len(hcps), len(kinds)))
    for place in range(most.shape[1]):
        column = falling[:, place]
        touches = counts.T[column]
        total -= problem.settings.overlap * gain[np.arange(len(hcps)), column][:, None] * touches * (before + (touches - 1) / 2)
        before += touches
    broken = np.zeros(total.shape, dtype=bool)
    for channel, counted in enumerate(kinds.T):
        broken |= counted > most[hcps, channel][:, None]
        broken |= (counted == 0) & pinned[:, channel][:, None]
    _break(broken, rules.owner, np.column_stack([rules.counted, rules.upper]), lambda row: kinds @ row[:-1] > row[-1])
    _break(broken, rules.row_owner, rules.least, lambda row: (kinds >= row).all(axis=1))
    return float(np.where(broken, -np.inf, total).max(initial=0.0))


def _break(broken: np.ndarray, owner: np.ndarray, rows: np.ndarray, breaks: Callable[[np.ndarray], np.ndarray]) -> None:
    """Mark the kinds that break a rule; rules of the same text are asked once."""
    distinct, which = np.unique(rows, axis=0, return_inverse=True)
    for number, row in enumerate(distinct):
        broken[owner[which.ravel() == number]] |= breaks(row)


def _best_of_one(problem: Problem, rules: OwnRules, most: np.ndarray, hcp: int, best: float) -> float:
    """Largest V of one HCP if it is above `best`, found by branch and bound: channels in falling order of value."""
    width, overlap = len(most), problem.settings.overlap
    value = problem.value[hcp * width : hcp * width + width]
    pinned = _pinned(problem, np.array([hcp]))[0]
    order = np.argsort(-value, kind="stable")
    worth, useful = np.maximum(value[order], 0.0), int(np.ceil(1 / overlap)) if overlap else int(most.sum())

    def above(place: int, before: int) -> float:
        """Bound on what the channels from `place` on can add."""
        total = 0.0
        for channel, gain in zip(order[place:], worth[place:], strict=True):
            taken = max(0, min(int(most[channel]), useful - before))
            total += gain * (taken - overlap * (taken * before + taken * (taken - 1) / 2))
            before += taken
        return total

    def follow(place: int, touches: np.ndarray, total: float) -> None:
        nonlocal best
        if np.any(rules.counted @ touches > rules.upper) or np.any((touches >= rules.least).all(axis=1)):
            return  # upper limits: more touches break them too
        if place == width:
            best = max(best, total)
            return
        before, channel = int(touches.sum()), int(order[place])
        if total + above(place, before) <= best:
            return
        top = int(most[channel]) if value[channel] > 0 else int(pinned[channel])
        free = (rules.upper - rules.counted @ touches)[rules.counted[:, channel]]
        top = min(top, int(free.min(initial=top)), max(int(pinned[channel]), useful - before))
        for count in range(top, int(pinned[channel]) - 1, -1):
            added = count * value[channel] - overlap * worth[place] * count * (before + (count - 1) / 2)
            following = touches.copy()
            following[channel] = count
            follow(place + 1, following, total + added)

    follow(0, np.zeros(width, dtype=np.int64), 0.0)
    return best
