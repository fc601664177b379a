"""The whole problem as one readable Pyomo model, straight from the rows that the rules yield.

One variable per touch of a pair, nothing enumerated, nothing priced, nothing left out; it shares no code with the solver. Values are
those of section 4 of the data contract, exact for overlaps in [0, 0.5] and any most_touches.
Sets are upper case, parameters lower case, variables Camel.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from optimization.checker import floor_penalty
from optimization.problem import Problem

if TYPE_CHECKING:
    import pyomo.environ as pyo


class NoPlan(Exception):
    """No plan keeps all hard limits, rules inside an HCP and pins."""


def build_reference(problem: Problem) -> pyo.ConcreteModel:
    """The model: touches, their overlap, the rules inside an HCP, the limits that HCPs share, the value of the plan. NoPlan where a
    pin or a limit without any touch to count already shows it."""
    import pyomo.environ as pyo

    model = pyo.ConcreteModel()
    declare_touches(model, problem)
    declare_overlap(model, problem)
    declare_rules_inside(model, problem)
    declare_reached(model, problem)
    declare_limits(model, problem)
    declare_value(model, problem)
    return model


def declare_touches(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Eligible pairs and their touches, first to last."""
    import pyomo.environ as pyo

    most = np.tile(problem.most_touches, len(problem.hcp_ids))
    pairs = np.flatnonzero(problem.eligible & (most >= 1)).tolist()
    model.PAIRS = pyo.Set(initialize=pairs)
    model.TOUCHES = pyo.Set(initialize=[(pair, k) for pair in pairs for k in range(1, int(most[pair]) + 1)], dimen=2)
    model.Touch = pyo.Var(model.TOUCHES, domain=pyo.Binary)

    def in_order(model: pyo.ConcreteModel, pair: int, k: int):
        """A touch comes after the one before it.

        Touch[p, k] <= Touch[p, k - 1]

        | symbol | meaning | unit |
        |---|---|---|
        | Touch[p, k] | 1 if pair p gets at least k touches | 0/1 |
        """
        return pyo.Constraint.Skip if k == 1 else model.Touch[pair, k] <= model.Touch[pair, k - 1]

    def pinned(model: pyo.ConcreteModel, pair: int):
        """A pinned pair gets at least one touch.

        Touch[p, 1] = 1

        | symbol | meaning | unit |
        |---|---|---|
        | Touch[p, 1] | 1 if pair p gets a touch | 0/1 |
        """
        return model.Touch[pair, 1] == 1

    pins = np.unique(problem.pins).tolist()
    if not set(pins) <= set(pairs):
        raise NoPlan("a pinned pair is not eligible")
    model.PINS = pyo.Set(initialize=pins)
    model.InOrder = pyo.Constraint(model.TOUCHES, rule=in_order)
    model.Pinned = pyo.Constraint(model.PINS, rule=pinned)


def declare_overlap(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Couples of touches of one HCP on two channels that both have value: they overlap. (Those on one channel are in `total`.)"""
    import pyomo.environ as pyo

    width, most = len(problem.channels), problem.most_touches
    by_hcp: dict[int, list[int]] = {}
    for pair in model.PAIRS:
        if problem.value[pair] > 0 and problem.settings.overlap > 0:
            by_hcp.setdefault(pair // width, []).append(pair)
    couples = [
        (one, k, other, n)
        for mine in by_hcp.values()
        for one, other in combinations(mine, 2)
        for k in range(1, int(most[one % width]) + 1)
        for n in range(1, int(most[other % width]) + 1)
    ]
    model.COUPLES = pyo.Set(initialize=couples, dimen=4)
    model.Both = pyo.Var(model.COUPLES, domain=pyo.NonNegativeReals)

    def both_made(model: pyo.ConcreteModel, p: int, k: int, q: int, n: int):
        """Two touches overlap when both are made; overlap only costs, so nothing else need hold Both down.

        Both[p, k, q, n] >= Touch[p, k] + Touch[q, n] - 1

        | symbol | meaning | unit |
        |---|---|---|
        | Both[p, k, q, n] | 1 if touch k of pair p and touch n of pair q are made | 0/1 |
        """
        return model.Both[p, k, q, n] >= model.Touch[p, k] + model.Touch[q, n] - 1

    model.BothMade = pyo.Constraint(model.COUPLES, rule=both_made)


def declare_rules_inside(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Contact limits, incompatible channels and gaps: rules inside one HCP."""
    import pyomo.environ as pyo

    groups = _groups(model, problem)
    clashes = [
        list(zip(members, row.least or [1] * len(members), strict=True)) for row in problem.exclusive for members in row.members.tolist()
    ]
    model.CAPS = pyo.RangeSet(0, len(groups) - 1)
    model.CLASHES = pyo.RangeSet(0, len(clashes) - 1)

    def capped(model: pyo.ConcreteModel, g: int):
        """The pairs of a group get at most so many touches together.

        sum over p in group g, k: Touch[p, k] <= most[g]

        | symbol | meaning | unit |
        |---|---|---|
        | most[g] | touches that the group may get | touches |
        """
        pairs, most = groups[g]
        return pyo.quicksum(touch for pair in pairs for touch in _touches_of(model, problem, pair)) <= most

    def not_together(model: pyo.ConcreteModel, r: int):
        """Of pairs that clash, not all get as many touches as make them clash.

        sum over p in row r: Touch[p, least[r, p]] <= pairs of r - 1

        | symbol | meaning | unit |
        |---|---|---|
        | least[r, p] | touches of pair p from which on it clashes | touches |
        """
        if any(member not in model.TOUCHES for member in clashes[r]):
            return pyo.Constraint.Skip
        return pyo.quicksum(model.Touch[member] for member in clashes[r]) <= len(clashes[r]) - 1

    model.Capped = pyo.Constraint(model.CAPS, rule=capped)
    model.NotTogether = pyo.Constraint(model.CLASHES, rule=not_together)


def declare_reached(model: pyo.ConcreteModel, problem: Problem) -> None:
    """HCPs reached, for the limits that count HCPs."""
    import pyomo.environ as pyo

    pairs_of: dict[tuple[int, int], list[int]] = {}
    for number, limit in enumerate(problem.limits):
        if limit.counts == "hcps":
            for pair in limit.entries(len(problem.channels))[0].tolist():
                if pair in model.PAIRS:
                    pairs_of.setdefault((number, pair // len(problem.channels)), []).append(pair)
    model.REACHES = pyo.Set(initialize=list(pairs_of), dimen=2)
    model.REACHING = pyo.Set(initialize=[(*reach, pair) for reach, pairs in pairs_of.items() for pair in pairs], dimen=3)
    model.Reached = pyo.Var(model.REACHES, bounds=(0, 1))

    def reached(model: pyo.ConcreteModel, number: int, hcp: int):
        """An HCP is reached only by a touch on a pair that counts.

        Reached[l, h] <= sum over p of h that count in l: Touch[p, 1]

        | symbol | meaning | unit |
        |---|---|---|
        | Reached[l, h] | 1 if limit l counts HCP h | 0/1 |
        """
        return model.Reached[number, hcp] <= pyo.quicksum(model.Touch[pair, 1] for pair in pairs_of[number, hcp])

    def counted(model: pyo.ConcreteModel, number: int, hcp: int, pair: int):
        """And every touch on a pair that counts reaches them.

        Reached[l, h] >= Touch[p, 1]

        | symbol | meaning | unit |
        |---|---|---|
        | Reached[l, h] | 1 if limit l counts HCP h | 0/1 |
        """
        return model.Reached[number, hcp] >= model.Touch[pair, 1]

    model.ReachedOnlySo = pyo.Constraint(model.REACHES, rule=reached)
    model.ReachedThen = pyo.Constraint(model.REACHING, rule=counted)


def declare_limits(model: pyo.ConcreteModel, problem: Problem) -> None:
    """Limits that HCPs share; a soft floor may be missed at a penalty."""
    import pyomo.environ as pyo

    soft = [number for number, limit in enumerate(problem.limits) if limit.hardness == "soft"]
    uses = [_use(model, problem, number) for number in range(len(problem.limits))]
    for limit, use in zip(problem.limits, uses, strict=True):
        missed = limit.bound < 0 if limit.side == "max" else limit.bound > 0
        if not use and missed and limit.hardness != "soft":
            raise NoPlan(f"{limit.label}: nothing counts, so {limit.bound:g} cannot hold")
    model.SOFT = pyo.Set(initialize=soft)
    model.LIMITS = pyo.Set(initialize=[number for number, use in enumerate(uses) if use or number in soft])
    model.Shortfall = pyo.Var(model.SOFT, domain=pyo.NonNegativeReals)

    def within(model: pyo.ConcreteModel, number: int):
        """What the plan uses of a limit keeps to its bound; a soft floor is kept with its shortfall added.

        max: sum over p, k: use[l, p] Touch[p, k] <= bound[l]
        min: sum over p, k: use[l, p] Touch[p, k] + Shortfall[l] >= bound[l]
        where HCPs are counted: sum over h: Reached[l, h] in place of the sum over p, k

        | symbol | meaning | unit |
        |---|---|---|
        | use[l, p] | use of limit l by one touch of pair p | unit of l |
        | bound[l] | the limit | unit of l |
        | Shortfall[l] | how far a soft floor is missed | unit of l |
        """
        limit, used = problem.limits[number], pyo.quicksum(each * variable for each, variable in uses[number])
        if limit.side == "max":
            return used <= limit.bound
        return used + (model.Shortfall[number] if number in model.SOFT else 0) >= limit.bound

    model.Within = pyo.Constraint(model.LIMITS, rule=within)


def declare_value(model: pyo.ConcreteModel, problem: Problem) -> None:
    """What the plan is worth."""
    import pyomo.environ as pyo

    value, gain, overlap = problem.value, np.maximum(problem.value, 0.0), problem.settings.overlap
    penalty = floor_penalty(problem) if len(model.SOFT) else 0.0

    def total(model: pyo.ConcreteModel):
        """Value of all touches, less what they lose to each other, less the penalty of missed floors.

        maximise sum over p, k: (v[p] - overlap (k - 1) v+[p]) Touch[p, k]
                 - sum over p, k, q, n: overlap min(v+[p], v+[q]) Both[p, k, q, n]
                 - sum over l: penalty Shortfall[l]

        | symbol | meaning | unit |
        |---|---|---|
        | v[p], v+[p] | expected impact of one touch; the same, 0 where negative | KPI |
        | overlap | share of the smaller value lost by two touches; touch k meets k - 1 others of its pair | 1 |
        | penalty | KPI per unit of shortfall | KPI |
        """
        touches = pyo.quicksum(float(value[p] - overlap * (k - 1) * gain[p]) * model.Touch[p, k] for p, k in model.TOUCHES)
        lost = pyo.quicksum(float(overlap * min(gain[p], gain[q])) * model.Both[p, k, q, n] for p, k, q, n in model.COUPLES)
        return touches - lost - pyo.quicksum(penalty * model.Shortfall[number] for number in model.SOFT)

    model.Total = pyo.Objective(rule=total, sense=pyo.maximize)


def _touches_of(model: pyo.ConcreteModel, problem: Problem, pair: int) -> list:
    return [model.Touch[pair, k] for k in range(1, int(problem.most_touches[pair % len(problem.channels)]) + 1)]


def _groups(model: pyo.ConcreteModel, problem: Problem) -> list[tuple[list[int], float]]:
    """(pairs that can be touched, most touches) of every group of every cap that has any."""
    groups = []
    for cap in problem.caps:
        members: list[list[int]] = [[] for _ in cap.upper]
        for pair, group in zip(cap.pairs.tolist(), cap.group.tolist(), strict=True):
            if pair in model.PAIRS:
                members[group].append(pair)
        groups += [(pairs, float(most)) for pairs, most in zip(members, cap.upper, strict=True) if pairs]
    return groups


def _use(model: pyo.ConcreteModel, problem: Problem, number: int) -> list[tuple[float, pyo.Var]]:
    """(use, variable) of everything that a limit counts."""
    limit = problem.limits[number]
    if limit.counts == "hcps":
        return [(1.0, model.Reached[reach]) for reach in model.REACHES if reach[0] == number]
    pairs, uses = (column.tolist() for column in limit.entries(len(problem.channels)))
    known = [(pair, use) for pair, use in zip(pairs, uses, strict=True) if pair in model.PAIRS]
    return [(use, touch) for pair, use in known for touch in _touches_of(model, problem, pair)]
