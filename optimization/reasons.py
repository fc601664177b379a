"""Why each pair is, or is not, in the plan: what the prices say about it, and what forcing it in would cost its HCP.

value_short = max(0, best priced value of the HCP - its best priced value with the pair forced in) (contract section 4).
Everything is worked out channel by channel over all HCPs, in codes: no Python object per pair.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optimization.arms import decided_by_arm
from optimization.problem import Limit, Problem

if TYPE_CHECKING:
    from optimization.solve import Solution

KINDS = ("holdout", "rule", "no_value", "price", "better_alternative", "tie")
TIE = 1e-9  # relative to the largest value of a touch: closer than this is the same value
NOTHING = -1


@dataclass(frozen=True)
class Reasons:
    """Arrays over pairs; NOTHING or nan where they have nothing to say, as for every planned pair.

    kind (int8): place in KINDS; rule (int16): place in `rules`, the rule that shuts the pair out or whose price is too high;
    limit (int32): number of the limit named; value_short: KPI units, nan where a rule or an arm speaks;
    price_cost: KPI units over all touches of a planned pair, 0 where not planned.
    """

    kind: np.ndarray
    rule: np.ndarray
    rules: list[str]
    limit: np.ndarray
    value_short: np.ndarray
    price_cost: np.ndarray


def explain(problem: Problem, solution: Solution) -> Reasons:
    """Reason of every pair without a touch; the first that applies of KINDS."""
    shape = (len(problem.hcp_ids), len(problem.channels))
    kind, rule = np.full(shape, NOTHING, dtype=np.int8), np.full(shape, NOTHING, dtype=np.int16)
    limit, short = np.full(shape, NOTHING, dtype=np.int32), np.full(shape, np.nan)
    rules = _rule_names(problem)
    code_of_limit = np.array([rules.index(x.rule) for x in problem.limits], dtype=np.int16)
    touches, eligible, value, forced, blocker = (
        x.reshape(shape) for x in (solution.touches, problem.eligible, problem.value, solution.forced, problem.blocked_by)
    )
    tie = TIE * max(float(np.abs(problem.value[problem.eligible]).max(initial=0.0)), 1e-12)
    costs = [(number, _rows(x), signed * x.use) for number, x, signed in _priced(problem, solution.price)]
    for channel in range(shape[1]):
        cost, dearest = _stand_alone_cost(costs, shape[0], channel)
        allowed = eligible[:, channel] & np.isfinite(forced[:, channel])
        gap = np.maximum(solution.best - np.where(allowed, forced[:, channel], 0.0), 0.0)
        gap[gap <= tie] = 0.0
        worth = value[:, channel]
        tests = [~allowed, worth <= 0, (worth - cost <= tie) & (dearest >= 0), gap > 0]
        said = np.select(tests, [np.int8(KINDS.index(x)) for x in KINDS[1:5]], np.int8(KINDS.index("tie")))
        open_ = touches[:, channel] <= 0
        kind[open_, channel] = said[open_]
        short[open_ & allowed, channel] = gap[open_ & allowed]
        dear = open_ & (said == KINDS.index("price"))
        limit[dear, channel] = dearest[dear]
        rule[dear, channel] = code_of_limit[dearest[dear]]
    shut = (kind == KINDS.index("rule")) & ~eligible
    rule[shut] = blocker[shut]
    own = np.flatnonzero((kind == KINDS.index("rule")) & eligible)
    rule.ravel()[own] = _own_rule(problem, own, rules)
    held = np.flatnonzero(decided_by_arm(problem))
    kind.ravel()[held], rule.ravel()[held], limit.ravel()[held], short.ravel()[held] = KINDS.index("holdout"), NOTHING, NOTHING, np.nan
    return Reasons(kind.ravel(), rule.ravel(), rules, limit.ravel(), short.ravel(), price_cost(problem, solution.touches, solution.price))


def price_cost(problem: Problem, touches: np.ndarray, price: np.ndarray) -> np.ndarray:
    """Per pair: sum of price x use of all its touches; where a limit counts HCPs, the counted pairs of one HCP share its use equally."""
    shape = (len(problem.hcp_ids), len(problem.channels))
    cost = np.zeros(shape)
    planned = np.where(problem.eligible, touches, 0).reshape(shape)
    for _, limit, signed in _priced(problem, price):
        rows = _rows(limit)
        if limit.counts == "hcps":
            counted = (planned[rows] > 0) & (limit.use != 0)
            cost[rows] += signed * counted / np.maximum(counted.sum(axis=1, keepdims=True), 1)
        else:
            cost[rows] += signed * limit.use * planned[rows]
    return cost.ravel()


def silent(problem: Problem) -> Reasons:
    """The reasons where there is no plan: none."""
    size = problem.pair_count
    codes = [np.full(size, NOTHING, dtype=kind) for kind in (np.int8, np.int16, np.int32)]
    return Reasons(codes[0], codes[1], [], codes[2], np.full(size, np.nan), np.zeros(size))


def _priced(problem: Problem, price: np.ndarray) -> Iterator[tuple[int, Limit, float]]:
    """The limits that cost something, by number, with their price: negative where a touch helps to reach a minimum."""
    for number in np.flatnonzero(price > 0).tolist():
        limit = problem.limits[number]
        yield number, limit, float(price[number]) * (1.0 if limit.side == "max" else -1.0)


def _rows(limit: Limit) -> slice | np.ndarray:
    """The limit's HCPs as an index: a slice where that says the same, which copies nothing."""
    if len(limit.hcps) and limit.hcps[-1] - limit.hcps[0] + 1 == len(limit.hcps):
        return slice(int(limit.hcps[0]), int(limit.hcps[-1]) + 1)
    return limit.hcps


def _stand_alone_cost(costs: list[tuple[int, slice | np.ndarray, np.ndarray]], hcps: int, channel: int) -> tuple[np.ndarray, np.ndarray]:
    """Per HCP for one touch of the channel and nothing else: sum of price x use over the limits, and the number of the limit with the
    largest one (NOTHING where none costs). costs: number, HCPs and price x use of one touch of each limit."""
    cost, top, which = np.zeros(hcps), np.zeros(hcps), np.full(hcps, NOTHING, dtype=np.int32)
    for number, rows, use in costs:
        part = use[..., channel]
        if part.ndim == 0 and part == 0:
            continue
        cost[rows] += part
        if part.max() > 0:
            dearer = part > top[rows]
            top[rows] = np.where(dearer, part, top[rows])
            which[rows] = np.where(dearer, number, which[rows])
    return cost, which


def _rule_names(problem: Problem) -> list[str]:
    """Every rule that can speak, the blockers first, so that `blocked_by` is a place in this list too."""
    others = [x.rule for part in (problem.limits, problem.exclusive, problem.caps) for x in part]
    return list(dict.fromkeys([*problem.blockers, *others]))


def _own_rule(problem: Problem, pairs: np.ndarray, rules: list[str]) -> np.ndarray:
    """For eligible pairs that no allowed set holds: the rule inside the HCP that one touch of the pair breaks, alone or beside a touch
    of each of the HCP's pins."""
    found = np.full(problem.pair_count, NOTHING, dtype=np.int16)
    if not len(pairs):
        return found[pairs]
    pinned = np.zeros(problem.pair_count, dtype=bool)
    pinned[problem.pins] = True
    for row in reversed(problem.exclusive):
        if row.least is not None and max(row.least) > 1:
            continue  # one touch each does not break it
        members = np.asarray(row.members)
        held = pinned[members]
        for position in range(members.shape[1]):
            others = np.delete(held, position, axis=1)
            found[members[others.all(axis=1), position]] = rules.index(row.rule)
    for cap in reversed(problem.caps):
        count = np.bincount(cap.group, weights=pinned[cap.pairs], minlength=len(cap.upper))
        full = count[cap.group] + ~pinned[cap.pairs] > np.asarray(cap.upper)[cap.group]
        found[cap.pairs[full]] = rules.index(cap.rule)
    return found[pairs]
