"""The allowed sets of HCPs that have too many to be listed: described by what they must keep, and a pool of those that were generated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from optimization.problem import Problem
from optimization.sets import HcpSets, distinct_rows
from optimization.shared import SharedLimits

NOT_A_CAP = -2  # in place of the touches that a cap leaves (-1: not even none)


@dataclass(frozen=True)
class AllSets:
    """The allowed sets of every HCP, described, not listed.

    values (hcps, channels): value of one touch, 0 where not eligible; least, most (hcps, channels) int64: touches, from pins and catalogue;
    own rules: entry i of rule_start[h]..rule_start[h + 1] is a row of `need`: for a cap (is_cap) 1 for counted channels and `limit`
    touches at most, else touches that may not all be reached, `size` channels of them.
    """

    values: np.ndarray
    overlap: float
    least: np.ndarray
    most: np.ndarray
    rule_start: np.ndarray
    rule: np.ndarray
    is_cap: np.ndarray
    need: np.ndarray
    limit: np.ndarray
    size: np.ndarray

    @classmethod
    def of(cls, problem: Problem) -> AllSets:
        hcps, channels = len(problem.hcp_ids), len(problem.channels)
        eligible = np.asarray(problem.eligible, dtype=bool).reshape(hcps, channels)
        least = np.zeros((hcps, channels), dtype=np.int64)
        least.ravel()[problem.pins] = 1
        return cls(
            np.where(eligible, problem.value.reshape(hcps, channels), 0.0),
            problem.settings.overlap,
            least,
            np.where(eligible, np.asarray(problem.most_touches, dtype=np.int64), 0),
            *_own_rules(problem),
        )

    @cached_property
    def unit(self) -> float:
        """Largest |value| of a touch: the unit of tolerances."""
        return float(np.abs(self.values).max(initial=0.0)) or 1.0

    def _head(self, scopes: np.ndarray) -> tuple:
        longest, widest = int(np.diff(self.rule_start).max(initial=0)), int(self.most.sum(axis=1).max(initial=0))
        own = (self.rule_start, self.rule, self.is_cap, self.need, self.limit, self.size)
        return (self.values, np.zeros((0, self.values.shape[1])), self.overlap, self.least, self.most, scopes, *own, longest, widest)

    def best(
        self, shared: SharedLimits, price: np.ndarray, hcps: np.ndarray | None = None, forced: int = -1
    ) -> tuple[np.ndarray, np.ndarray]:
        """(best priced value, touches (hcps, channels) of a set reaching it) per HCP, -inf where no set is allowed.

        hcps: the HCPs asked (None = all); forced: a channel that must be touched.
        """
        from optimization.generated_kernel import best_of_hcps

        hcps = np.arange(len(self.values)) if hcps is None else hcps
        best, found = np.empty(len(hcps)), np.zeros((len(hcps), self.values.shape[1]), dtype=np.int16)
        cost = shared.cost(price)
        best_of_hcps(*self._head(shared.scopes), cost, shared.profile, 1e-12 * self.unit, hcps, forced, best, found)
        return best, found

    def above(self, shared: SharedLimits, price: np.ndarray, threshold: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray] | None:
        """(HCP, touches) of every set with a priced value of at least its HCP's threshold; None when they are more than `most`."""
        from optimization.generated_kernel import sets_above

        owner, priced = np.empty(most, dtype=np.int64), np.empty(most)
        found = np.empty((most, self.values.shape[1]), dtype=np.int16)
        count = sets_above(
            *self._head(shared.scopes), shared.cost(price), shared.profile, 1e-12 * self.unit, threshold, owner, found, priced
        )
        return None if count > most else (owner[:count].copy(), found[:count].copy())

    def forced(self, shared: SharedLimits, price: np.ndarray) -> np.ndarray:
        """(pairs) best priced value of the HCP with the pair forced in, -inf where no allowed set holds it."""
        best, touches = self.best(shared, price)
        found = np.where(touches > 0, best[:, None], -np.inf)
        for channel in range(self.values.shape[1]):
            others = np.flatnonzero((touches[:, channel] == 0) & (self.most[:, channel] > 0))
            found[others, channel] = self.best(shared, price, others, channel)[0]
        return found.ravel()

    def allows(self, touches: np.ndarray) -> np.ndarray:
        """(hcps) whether these touches (hcps, channels) keep the rules inside each HCP."""
        fine = ((touches >= self.least) & (touches <= self.most)).all(axis=1)
        owner = np.repeat(np.arange(len(touches)), np.diff(self.rule_start))
        need, mine = self.need[self.rule], touches[owner]
        within = (mine * (need > 0)).sum(axis=1) <= self.limit[self.rule]
        apart = ((mine < need) & (need > 0)).any(axis=1)
        np.logical_and.at(fine, owner, np.where(self.is_cap[self.rule], within, apart))
        return fine

    def without_values(self) -> AllSets:
        """The same sets, all worth nothing."""
        return replace(self, values=np.zeros_like(self.values))


@dataclass(frozen=True)
class Pool:
    """Some of the sets. hcp (n,), touches (n, channels) int16: sorted by HCP, touches in all, then channel order; every HCP's least set
    (its pins and nothing else) is among them."""

    hcp: np.ndarray
    touches: np.ndarray

    def joined(self, hcp: np.ndarray, touches: np.ndarray) -> Pool:
        """With more sets, each kept once."""
        return Pool.of(np.concatenate([self.hcp, hcp]), np.vstack([self.touches, touches]))

    @classmethod
    def of(cls, hcp: np.ndarray, touches: np.ndarray) -> Pool:
        order = np.lexsort((*touches.T, touches.sum(axis=1), hcp))
        hcp, touches = hcp[order], touches[order]
        new = np.ones(len(hcp), dtype=bool)
        new[1:] = (hcp[1:] != hcp[:-1]) | (touches[1:] != touches[:-1]).any(axis=1)
        return cls(hcp[new], touches[new])

    def sets(self, every: AllSets) -> HcpSets:
        """The pool as columns; HCPs with the same sets share a list."""
        hcps = len(every.values)
        kinds, kind = distinct_rows(self.touches)
        start = np.searchsorted(self.hcp, np.arange(hcps + 1)).astype(np.int64)
        draw = np.random.default_rng(20_021).integers(1, 2**63 - 1, size=len(kinds), dtype=np.int64).view(np.uint64)
        label = np.zeros(hcps, dtype=np.uint64)
        np.add.at(label, self.hcp, draw[kind])
        _, example, list_of = np.unique(label, return_index=True, return_inverse=True)
        lists = [kind[start[h] : start[h + 1]] for h in example.tolist()]
        edge = np.concatenate([[0], np.cumsum([len(x) for x in lists])]).astype(np.int64)
        pinned = every.least.any(axis=1)
        values = np.ascontiguousarray(every.values)
        flat = np.concatenate([np.empty(0, dtype=np.int64), *lists]).astype(np.int32)
        return HcpSets(values, every.overlap, list_of.astype(np.int32), edge, flat, kinds, start, pinned)


def _own_rules(problem: Problem) -> tuple[np.ndarray, ...]:
    """(rule_start, rule, is_cap, need, limit, size) of `AllSets`: rules of the same channels and numbers are one row."""
    hcps, channels = len(problem.hcp_ids), len(problem.channels)
    owners, rows = [np.empty(0, dtype=np.int64)], [np.empty((0, channels + 1), dtype=np.int64)]
    for cap in problem.caps:
        group, owner = np.asarray(cap.group, dtype=np.int64), np.full(len(cap.upper), -1)
        row = np.zeros((len(cap.upper), channels + 1), dtype=np.int64)
        row[group, cap.pairs % channels] = 1
        row[:, channels] = np.maximum(np.floor(np.asarray(cap.upper, dtype=np.float64) + 1e-9), -1)
        owner[group] = cap.pairs // channels
        owners.append(owner[owner >= 0])
        rows.append(row[owner >= 0])
    for clash in problem.exclusive:
        members = np.asarray(clash.members, dtype=np.int64)
        if members.size == 0:
            continue
        row = np.zeros((len(members), channels + 1), dtype=np.int64)
        np.put_along_axis(row, members % channels, np.broadcast_to(clash.least or (1,) * members.shape[1], members.shape), axis=1)
        row[:, channels] = NOT_A_CAP
        owners.append(members[:, 0] // channels)
        rows.append(row)
    owner = np.concatenate(owners)
    table, number = distinct_rows(np.concatenate(rows))
    order = np.argsort(owner, kind="stable")
    rule_start = np.searchsorted(owner[order], np.arange(hcps + 1)).astype(np.int64)
    need, limit = np.ascontiguousarray(table[:, :channels]), table[:, channels].copy()
    return rule_start, number[order], limit != NOT_A_CAP, need, limit, (need > 0).sum(axis=1)
