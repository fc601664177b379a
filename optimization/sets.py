"""Every allowed set of touches of every HCP, never written out: HCPs that may do the same share one list of sets.

Rules inside one HCP (contact limits, incompatible channels, gaps, pins) are spent here: a set that breaks one is never listed. What is
left for prices and solver are the limits that several HCPs share. A set of an HCP is a column; column numbers run through the HCPs in
order, and owner, kind and value of a column are computed when they are asked for: a million HCPs have forty million columns.

Envelope: at most 62 channels, at most `MOST_SETS` allowed sets for one HCP and `MOST_COLUMNS` in all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from optimization.problem import PlanInputError, Problem

MOST_SETS = 20_000
MOST_COLUMNS = 400_000_000

Rule = tuple[tuple[int, ...], tuple[int, ...] | int]  # channels and the most touches of all of them, or what they may not all have


class BeyondEnvelope(PlanInputError):
    """The allowed sets of an HCP, or of all, are too many to be looked at one by one."""


@dataclass(frozen=True)
class HcpSets:
    """Allowed sets as columns, grouped by HCP, in a fixed order (fewer touches first, then by channel order).

    values (hcps, channels): value of one touch, 0 where not eligible; overlap: as in `PlanSettings`; bonus (hcps, channels) or None: value
    of a channel being touched at all, whatever the touches;
    list_of (hcps): which list of sets an HCP has; list_start (lists + 1), list_kind: the kinds of each list; touches (kinds, channels);
    start (hcps + 1): HCP h owns columns start[h]..start[h+1]-1; pinned (hcps): has a pin.
    An HCP without pins owns the empty set as its first column; an HCP whose pins allow no set owns none.
    """

    values: np.ndarray
    overlap: float
    list_of: np.ndarray
    list_start: np.ndarray
    list_kind: np.ndarray
    touches: np.ndarray
    start: np.ndarray
    pinned: np.ndarray
    bonus: np.ndarray | None = None
    threads: int = 1

    @property
    def hcp_count(self) -> int:
        return len(self.start) - 1

    @property
    def channel_count(self) -> int:
        return self.values.shape[1]

    @property
    def column_count(self) -> int:
        return int(self.start[-1])

    def owner_of(self, columns: np.ndarray) -> np.ndarray:
        """HCP of each column."""
        return np.searchsorted(self.start, columns, side="right") - 1

    def kind_of(self, columns: np.ndarray) -> np.ndarray:
        """Row of `touches` of each column."""
        hcp = self.owner_of(columns)
        return self.list_kind[self.list_start[self.list_of[hcp]] + columns - self.start[hcp]]

    def value_of(self, columns: np.ndarray) -> np.ndarray:
        """V(S) of each column, bonus included, in KPI units."""
        from optimization.kernels import column_values

        hcp = self.owner_of(columns)
        kind = self.list_kind[self.list_start[self.list_of[hcp]] + columns - self.start[hcp]]
        return column_values(self.kernel, hcp, kind)

    def touches_of(self, columns: np.ndarray) -> np.ndarray:
        """(pairs) int16: touches of every pair in a plan of one column per HCP."""
        return self.touches[self.kind_of(columns)].ravel().astype(np.int16)

    def columns_of(self, touches: np.ndarray) -> np.ndarray:
        """The column of each HCP that equals the touches of a plan, -1 where the HCP's own rules do not allow it."""
        wanted = touches.reshape(-1, self.channel_count)
        number = {row.tobytes(): kind for kind, row in enumerate(np.ascontiguousarray(self.touches))}
        asked, which = distinct_rows(np.ascontiguousarray(wanted.astype(self.touches.dtype)))
        kind = np.array([number.get(row.tobytes(), -1) for row in asked], dtype=np.int64)[which]
        found = np.full(self.hcp_count, -1, dtype=np.int64)
        for one in range(len(self.list_start) - 1):
            mine = np.flatnonzero(self.list_of == one)
            place = np.full(len(self.touches) + 1, -1, dtype=np.int64)
            kinds = self.list_kind[self.list_start[one] : self.list_start[one + 1]]
            place[kinds] = np.arange(len(kinds))
            at = place[kind[mine]]
            found[mine] = np.where(at >= 0, self.start[mine] + at, -1)
        return found

    @cached_property
    def items(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(first item per kind, channel, touches): the channels that a kind touches, as flat lists."""
        kind, channel = np.nonzero(self.touches)
        first = np.searchsorted(kind, np.arange(len(self.touches) + 1)).astype(np.int64)
        return first, channel.astype(np.int32), self.touches[kind, channel].astype(np.float64)

    @cached_property
    def kernel(self) -> tuple:
        """What every kernel asks for about values and sets, in its order."""
        bonus = np.zeros((0, self.channel_count)) if self.bonus is None else self.bonus
        return (self.values, bonus, self.overlap, self.list_of, self.list_start, self.list_kind, *self.items)


def build_sets(problem: Problem, threads: int = 1) -> HcpSets:
    """The allowed sets of a problem. Raises BeyondEnvelope where there are too many."""
    hcps, channels = len(problem.hcp_ids), len(problem.channels)
    if channels > 62:
        raise BeyondEnvelope(f"{channels} channels are more than the planner holds (62)")
    eligible = np.asarray(problem.eligible, dtype=bool).reshape(hcps, channels)
    pins = np.zeros(hcps * channels, dtype=bool)
    pins[problem.pins] = True
    pins = pins.reshape(hcps, channels) & eligible
    values = np.where(eligible, problem.value.reshape(hcps, channels), 0.0)
    most = np.asarray(problem.most_touches, dtype=np.int64)
    return sets_of(values, problem.settings.overlap, eligible, pins, most, OwnRules.of(problem), threads, problem.hcp_ids)


@dataclass(frozen=True)
class OwnRules:
    """Rules inside one HCP: entry i says that HCP owner[i] has rule number[i] of `rules`."""

    owner: np.ndarray
    number: np.ndarray
    rules: list[Rule]

    @classmethod
    def of(cls, problem: Problem) -> OwnRules:
        channels = len(problem.channels)
        registry: dict[Rule, int] = {}
        owners, numbers = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for cap in problem.caps:
            group = np.asarray(cap.group, dtype=np.int64)
            mask, owner = np.zeros(len(cap.upper), dtype=np.int64), np.full(len(cap.upper), -1, dtype=np.int64)
            np.bitwise_or.at(mask, group, np.int64(1) << (cap.pairs % channels))
            owner[group] = cap.pairs // channels
            upper = np.floor(np.asarray(cap.upper, dtype=np.float64) + 1e-9).astype(np.int64)
            here = np.flatnonzero(owner >= 0)
            table, which = distinct_rows(np.column_stack([mask[here], upper[here]]))
            known = [registry.setdefault((_channels_in(int(m)), int(u)), len(registry)) for m, u in table]
            owners.append(owner[here])
            numbers.append(np.array(known, dtype=np.int64)[which])
        for rule in problem.exclusive:
            members = np.asarray(rule.members, dtype=np.int64)
            if members.size == 0:
                continue
            least = rule.least or (1,) * members.shape[1]
            table, which = distinct_rows(members % channels)
            known = [registry.setdefault((tuple(row), least), len(registry)) for row in table.tolist()]
            owners.append(members[:, 0] // channels)
            numbers.append(np.array(known, dtype=np.int64)[which])
        return cls(np.concatenate(owners), np.concatenate(numbers), list(registry))


def sets_of(
    values: np.ndarray,
    overlap: float,
    eligible: np.ndarray,
    pins: np.ndarray,
    most: np.ndarray,
    own: OwnRules,
    threads: int = 1,
    names: np.ndarray | None = None,
) -> HcpSets:
    """The allowed sets of HCPs given as tables (hcps, channels); most (channels): touches of one HCP at most."""
    hcps = len(values)
    list_of, examples = _classes(eligible, pins, own)
    lists = _Lists(most)
    wanted = np.zeros(hcps, dtype=bool)
    wanted[examples] = True
    rules_of: dict[int, list[Rule]] = {}
    mine = np.flatnonzero(wanted[own.owner]) if len(own.owner) else np.empty(0, dtype=np.int64)
    for hcp, number in zip(own.owner[mine].tolist(), own.number[mine].tolist(), strict=True):
        rules_of.setdefault(hcp, []).append(own.rules[number])
    which = np.array([lists.number(eligible[h], pins[h], rules_of.get(h, ()), h if names is None else names[h]) for h in examples.tolist()])
    list_of = which[list_of].astype(np.int32) if hcps else np.empty(0, dtype=np.int32)
    sizes = np.array([len(x) for x in lists.kinds], dtype=np.int64)
    start = np.concatenate([[0], np.cumsum(sizes[list_of])]).astype(np.int64) if hcps else np.zeros(1, dtype=np.int64)
    if start[-1] > MOST_COLUMNS:
        raise BeyondEnvelope(f"{start[-1]} allowed sets of touches are more than the planner looks at ({MOST_COLUMNS}); {ADVICE}")
    touches = np.array(list(lists.numbers), dtype=np.int16).reshape(len(lists.numbers), values.shape[1])
    list_kind = np.concatenate([np.empty(0, dtype=np.int64), *lists.kinds]).astype(np.int32)
    list_start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return HcpSets(
        np.ascontiguousarray(values, dtype=np.float64),
        float(overlap),
        list_of,
        list_start,
        list_kind,
        touches,
        start,
        pins.any(axis=1),
        threads=threads,
    )


ADVICE = "add a row to rule_contact_limit with max_actions of 3 or less"


@dataclass
class _Lists:
    """Lists of allowed sets as they are met: each distinct one is enumerated once."""

    most: np.ndarray
    numbers: dict[tuple[int, ...], int] = field(default_factory=dict)
    kinds: list[np.ndarray] = field(default_factory=list)
    known: dict[tuple, int] = field(default_factory=dict)

    def number(self, eligible: np.ndarray, pins: np.ndarray, rules: Iterable[Rule], name: object) -> int:
        free = tuple(np.flatnonzero(eligible & (self.most > 0)).tolist())
        binding = frozenset(rule for rule in (self._within(rule, free) for rule in rules) if rule is not None)
        key = (free, tuple(np.flatnonzero(pins).tolist()), binding)
        if key not in self.known:
            sets = self._allowed(free, key[1], sorted(binding, key=repr), name)
            kinds = np.array([self.numbers.setdefault(one, len(self.numbers)) for one in sets], dtype=np.int64)
            self.known[key] = len(self.kinds)
            self.kinds.append(kinds)
        return self.known[key]

    def _within(self, rule: Rule, free: tuple[int, ...]) -> Rule | None:
        """The rule among the channels that are open to the HCP, None where it cannot bind."""
        channels, limit = rule
        if isinstance(limit, tuple):
            possible = all(c in free and self.most[c] >= k for c, k in zip(channels, limit, strict=True))
            return rule if possible else None
        inside = tuple(c for c in channels if c in free)
        return (inside, limit) if sum(int(self.most[c]) for c in inside) > limit else None

    def _allowed(self, free: tuple[int, ...], pins: tuple[int, ...], rules: list[Rule], name: object) -> list[tuple[int, ...]]:
        """The allowed sets that hold the pins. Own rules are upper limits, so a broken set has no allowed superset: sets grow by one
        touch at a time (in channel order) and broken ones are dropped at once."""
        width = len(self.most)

        def holds(one: list[int]) -> bool:
            for channels, limit in rules:
                if isinstance(limit, tuple):
                    if all(one[c] >= k for c, k in zip(channels, limit, strict=True)):
                        return False
                elif sum(one[c] for c in channels) > limit:
                    return False
            return True

        first = [1 if c in pins else 0 for c in range(width)]
        level = [(first, 0)] if holds(first) and all(c in free for c in pins) else []
        found: list[tuple[int, ...]] = []
        while level:
            found.extend(tuple(one) for one, _ in level)
            if len(found) > MOST_SETS:
                raise BeyondEnvelope(
                    f"hcp_id {name} has more than {MOST_SETS} allowed sets of touches ({len(free)} free channels); {ADVICE}"
                )
            grown = []
            for one, place in level:
                for i in range(place, len(free)):
                    if one[free[i]] < self.most[free[i]]:
                        more = one.copy()
                        more[free[i]] += 1
                        if holds(more):
                            grown.append((more, i))
            level = grown
        return sorted(found, key=lambda one: (sum(one), one[::-1]))


def _classes(eligible: np.ndarray, pins: np.ndarray, own: OwnRules) -> tuple[np.ndarray, np.ndarray]:
    """(class number per HCP, one example HCP per class): same open channels, same pins, same rules.

    HCPs are told apart by a 64-bit sum of random numbers of what they have: exact but for one chance in 1e7 at a million classes.
    """
    hcps, channels = eligible.shape
    draw = np.random.default_rng(20_011).integers(1, 2**63 - 1, size=2 * channels + len(own.rules), dtype=np.int64).view(np.uint64)
    label = np.zeros(hcps, dtype=np.uint64)
    for channel in range(channels):
        label[eligible[:, channel]] += draw[channel]
        label[pins[:, channel]] += draw[channels + channel]
    np.add.at(label, own.owner, draw[2 * channels + own.number])
    _, examples, number = np.unique(label, return_index=True, return_inverse=True)
    return number, examples


def _channels_in(mask: int) -> tuple[int, ...]:
    return tuple(c for c in range(mask.bit_length()) if mask >> c & 1)


def distinct_rows(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(distinct rows, which one each row is). Rows are told apart by one mixed number first: far faster than by columns."""
    if len(table) == 0:
        return table, np.empty(0, dtype=np.int64)
    weight = np.random.default_rng(7).integers(1, 2**63 - 1, size=table.shape[1], dtype=np.int64).view(np.uint64)
    mixed = (table.astype(np.int64).view(np.uint64) * weight).sum(axis=1, dtype=np.uint64)
    _, example, which = np.unique(mixed, return_index=True, return_inverse=True)
    return table[example], which
