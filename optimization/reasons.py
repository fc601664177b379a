"""Why each pair is, or is not, in the plan: what the prices say about it, and what forcing it in would cost its HCP.

value_short = max(0, best priced value of the HCP - best priced value among its sets that hold the pair) (contract section 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimization.problem import Problem
from optimization.sets import HcpSets, SharedLimits
from optimization.solve import Solution

TIE = 1e-9  # relative to the largest value: closer than this is the same value


@dataclass(frozen=True)
class Reasons:
    """Arrays over pairs, None or nan where they say nothing. kind, rule: text; limit: number of the limit named, -1 where none;
    value_short: KPI units, nan for planned pairs and where a rule speaks; price_cost: KPI units, 0 for pairs not planned."""

    kind: np.ndarray
    rule: np.ndarray
    limit: np.ndarray
    value_short: np.ndarray
    price_cost: np.ndarray


def explain(problem: Problem, solution: Solution) -> Reasons:
    """Reason of every pair; the first that applies of rule, no_value, price, better_alternative, tie."""
    size = problem.pair_count
    planned = np.zeros(size, dtype=bool)
    planned[solution.pairs] = True
    forced = forced_values(solution.sets, solution.prices.priced, solution.prices.best)
    cost, dearest = _stand_alone_cost(problem, solution.prices.price)
    short = np.where(np.isfinite(forced), np.maximum(0.0, _per_pair(problem, solution.prices.best) - forced), np.nan)
    tie = TIE * max(float(np.abs(solution.sets.value).max(initial=0.0)), 1e-12)
    short[short <= tie] = 0.0
    by_rule = ~problem.eligible | ~np.isfinite(forced)
    tests = [by_rule, problem.value <= 0, problem.value - cost <= tie, short > 0]
    kind = np.select(tests, ["rule", "no_value", "price", "better_alternative"], "tie").astype(object)
    limit = np.where((kind == "price") & ~planned, dearest, -1)
    rule = np.full(size, None, dtype=object)
    named = limit >= 0
    rule[named] = np.array([x.rule for x in problem.limits], dtype=object)[limit[named]] if named.any() else None
    rule[~problem.eligible] = problem.blocker_of(np.flatnonzero(~problem.eligible))
    shut = np.flatnonzero(problem.eligible & by_rule)
    rule[shut] = _own_rule(problem, shut)
    kind[planned], rule[planned], short[planned] = None, None, np.nan
    return Reasons(kind, rule, limit, short, _price_cost(problem, solution.prices.price, planned))


def forced_values(sets: HcpSets, priced: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Per pair: best priced value among the HCP's allowed sets that hold the pair, -inf where none does."""
    forced = np.full((sets.hcp_count, sets.channel_count), -np.inf)
    if sets.column_count:
        for channel in range(sets.channel_count):
            with_channel = np.where(sets.bits[sets.kind, channel] > 0, priced, -np.inf)
            forced[:, channel] = np.maximum.reduceat(with_channel, sets.start[:-1])
    return forced.ravel()


def limit_use(sets: HcpSets, shared: SharedLimits, columns: np.ndarray) -> np.ndarray:
    """What the plan uses of each limit, in the limit's unit."""
    return shared.total_use(sets, columns)


def _per_pair(problem: Problem, per_hcp: np.ndarray) -> np.ndarray:
    return np.repeat(per_hcp, len(problem.channels))


def _stand_alone_cost(problem: Problem, price: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per pair taken alone: sum of price x use over the limits, and the limit with the largest one (-1 where none costs)."""
    cost, top, which = np.zeros(problem.pair_count), np.zeros(problem.pair_count), np.full(problem.pair_count, -1, dtype=np.int64)
    for number in np.flatnonzero(price > 0):
        limit = problem.limits[number]
        pairs, coefficients = limit.entries(len(problem.channels))
        keep = problem.eligible[pairs]
        pairs, part = pairs[keep], price[number] * coefficients[keep] * (1.0 if limit.side == "max" else -1.0)
        np.add.at(cost, pairs, part)
        dearer = part > top[pairs]
        top[pairs[dearer]], which[pairs[dearer]] = part[dearer], number
    return cost, which


def _price_cost(problem: Problem, price: np.ndarray, planned: np.ndarray) -> np.ndarray:
    """Sum of price x use of each planned pair; where a limit counts HCPs, the counted pairs of one HCP share its use equally."""
    cost, channels = np.zeros(problem.pair_count), len(problem.channels)
    for number in np.flatnonzero(price > 0):
        limit = problem.limits[number]
        pairs, coefficients = limit.entries(channels)
        taken = planned[pairs]
        pairs, sign = pairs[taken], 1.0 if limit.side == "max" else -1.0
        if limit.counts == "touches":
            use = coefficients[taken]
        else:
            _, place, counted = np.unique(pairs // channels, return_inverse=True, return_counts=True)
            use = 1.0 / counted[place]
        np.add.at(cost, pairs, sign * price[number] * use)
    return cost


def _own_rule(problem: Problem, pairs: np.ndarray) -> np.ndarray:
    """For eligible pairs that no allowed set holds: the rule inside the HCP that the pair breaks, alone or beside the HCP's pins."""
    rule = np.full(problem.pair_count, None, dtype=object)
    pinned = np.zeros(problem.pair_count, dtype=bool)
    pinned[problem.pins] = True
    for row in reversed(problem.exclusive):
        members = np.asarray(row.members)
        held = pinned[members]
        for position in range(members.shape[1]):
            others = np.delete(held, position, axis=1)
            rule[members[others.all(axis=1), position]] = row.rule
    for cap in reversed(problem.caps):
        count = np.bincount(cap.group, weights=pinned[cap.pairs], minlength=len(cap.upper))
        full = count[cap.group] + ~pinned[cap.pairs] > np.asarray(cap.upper)[cap.group]
        rule[cap.pairs[full]] = cap.rule
    return rule[pairs]
