"""Arms of a run: control HCPs get nothing, explore HCPs the one action that was drawn for them, or none.

Both are said with what a problem has already, a cap of 0 or 1 touches and a pin on the drawn action: solver, reference, checker,
proof and diagnosis need to know nothing else. What explore actions use is gone from the limits before the plan arm is solved, and
their value is in the objective and in every bound alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from optimization.problem import HcpCap, Limit, PlanInputError, Problem

if TYPE_CHECKING:
    from optimization.solve import Solution

ARMS = ("plan", "control", "explore")
PLAN, CONTROL, EXPLORE = range(len(ARMS))
RULE = "holdout"


def with_arms(problem: Problem, arm: np.ndarray, drawn: Sequence[int] | np.ndarray = ()) -> Problem:
    """The problem in which only the plan arm is left to choose; the same object where everybody is in it.

    arm (hcps): place in ARMS; drawn: the pairs of explore HCPs that were drawn, one touch each, at most one for an HCP. Soft floors
    are cut to what can still be reached. PlanInputError for a draw that is none, and for a pin on an HCP outside the plan arm.
    """
    arm = np.asarray(arm, dtype=np.int8)
    drawn = np.sort(np.asarray(drawn, dtype=np.int64))
    if not arm.any():
        return problem
    _check(problem, arm, drawn)
    channels = len(problem.channels)
    held = np.flatnonzero(arm != PLAN)
    upper = np.isin(held, drawn // channels).astype(np.int64)
    pairs = (held[:, None] * channels + np.arange(channels)).ravel()
    cap = HcpCap(RULE, "the arm of the HCP", pairs, np.repeat(np.arange(len(held)), channels), upper)
    changed = replace(
        problem,
        arm=arm,
        drawn=drawn,
        caps=[*problem.caps, cap],
        pins=np.concatenate([problem.pins, drawn]),
        pin_labels=[*problem.pin_labels, *(f"explore draw of {words_of(problem, pair)}" for pair in drawn.tolist())],
    )
    return replace(changed, limits=[cut_to_reach(changed, limit) for limit in changed.limits])


def without_arms(problem: Problem) -> Problem:
    """The problem as it was before `with_arms`, floors as they are."""
    own = ~np.isin(problem.pins, problem.drawn)
    return replace(
        problem,
        arm=None,
        drawn=np.empty(0, dtype=np.int64),
        caps=[cap for cap in problem.caps if cap.rule != RULE],
        pins=problem.pins[own],
        pin_labels=[label for label, kept in zip(problem.pin_labels, own, strict=True) if kept],
    )


def cut_to_reach(problem: Problem, limit: Limit) -> Limit:
    """A floor with the HCPs that a plan can reach: eligible ones of the plan arm, and those whose drawn action counts. A soft floor is
    cut to them, a hard one stays as it was asked for; any other limit stays as it is."""
    if limit.counts != "hcps" or limit.side != "min":
        return limit
    open_pairs = open_to_plans(problem).reshape(-1, len(problem.channels))[limit.hcps]
    reachable = float(np.count_nonzero((open_pairs & (limit.use != 0)).any(axis=1)))
    asked = limit.bound if limit.requested is None else limit.requested
    return replace(limit, reachable=reachable, bound=min(asked, reachable) if limit.hardness == "soft" else asked)


def open_to_plans(problem: Problem) -> np.ndarray:
    """(pairs) bool: eligible, and either of the plan arm or drawn."""
    if problem.arm is None:
        return problem.eligible
    found = problem.eligible & np.repeat(problem.arm == PLAN, len(problem.channels))
    found[problem.drawn] = True
    return found


def decided_by_arm(problem: Problem) -> np.ndarray:
    """(pairs) bool: has no action because of the HCP's arm: every pair of a control, and of an explore HCP the eligible ones not drawn."""
    if problem.arm is None:
        return np.zeros(problem.pair_count, dtype=bool)
    arm = np.repeat(problem.arm, len(problem.channels))
    found = (arm == CONTROL) | ((arm == EXPLORE) & problem.eligible)
    found[problem.drawn] = False
    return found


def arm_of(problem: Problem, pair: int) -> str:
    """Name of the arm of the pair's HCP."""
    return ARMS[PLAN if problem.arm is None else int(problem.arm[pair // len(problem.channels)])]


def words_of(problem: Problem, pair: int) -> str:
    """A pair in words: `H0001 by email`."""
    return f"{problem.hcp_ids[pair // len(problem.channels)]} by {problem.channels[pair % len(problem.channels)]}"


def shadow_channels(problem: Problem, solution: Solution) -> np.ndarray:
    """(hcps) int16: the channel a control HCP would have got at the final prices, -1 where none and for everybody else.

    Of the set with the best priced value among those the HCP's own rules allow, the channel whose touches are worth most: their share
    of V(S) less price x use; the first channel of equal ones.
    """
    from optimization.checker import objective_of
    from optimization.reasons import price_cost

    shape = (len(problem.hcp_ids), len(problem.channels))
    found = np.full(shape[0], -1, dtype=np.int16)
    if problem.arm is None or not np.any(problem.arm == CONTROL):
        return found
    free = without_arms(problem)
    controls = np.flatnonzero(problem.arm == CONTROL)
    touches = np.zeros(shape, dtype=np.int16)
    touches[controls] = best_touches(free, solution, controls)
    flat = touches.ravel()
    worth = objective_of(replace(free, limits=[]), flat)[2] - price_cost(free, flat, solution.price)
    worth = np.where(touches > 0, worth.reshape(shape), -np.inf)[controls]
    reached = np.isfinite(worth).any(axis=1)
    found[controls[reached]] = np.argmax(worth[reached], axis=1)
    return found


def best_touches(free: Problem, solution: Solution, hcps: np.ndarray) -> np.ndarray:
    """(these HCPs, channels) touches of the best priced set of each at the prices of the solution, by the kernels that priced the plan.

    free: a problem without arms; the solution is of the same HCPs and limits."""
    from optimization.generated_sets import AllSets
    from optimization.sets import BeyondEnvelope, OwnRules, sets_of
    from optimization.shared import Pricing

    shape = (len(free.hcp_ids), len(free.channels))
    eligible = free.eligible.reshape(shape)[hcps].astype(bool)
    values = np.where(eligible, free.value.reshape(shape)[hcps], 0.0)
    own, place = OwnRules.of(free), np.full(shape[0], -1)
    place[hcps] = np.arange(len(hcps))
    mine = place[own.owner] >= 0
    rules = OwnRules(place[own.owner[mine]], own.number[mine], own.rules)
    try:
        if solution.sets.channel_count > 62:
            raise BeyondEnvelope("more channels than sets can hold")
        most = np.asarray(free.most_touches, dtype=np.int64)
        sets = sets_of(values, free.settings.overlap, eligible, np.zeros_like(eligible), most, rules, names=free.hcp_ids[hcps])
    except BeyondEnvelope:
        return AllSets.of(free).best(solution.shared, solution.price, hcps)[1]
    shared = replace(solution.shared, profile=solution.shared.profile[hcps])
    _, columns = Pricing(sets, shared).best(solution.price)
    return sets.touches_of(columns).reshape(eligible.shape)


def _check(problem: Problem, arm: np.ndarray, drawn: np.ndarray) -> None:
    if len(arm) != len(problem.hcp_ids) or arm.min() < 0 or arm.max() >= len(ARMS):
        raise PlanInputError(f"arm: one place in {', '.join(ARMS)} for each of {len(problem.hcp_ids)} HCPs is needed")
    channels = len(problem.channels)
    owner = drawn // channels
    if len(np.unique(owner)) < len(owner):
        raise PlanInputError("drawn: an explore HCP gets one action at most")
    for wrong, why in (
        (arm[owner] != EXPLORE, "its HCP is not in the arm explore"),
        (~problem.eligible[drawn], "it is not eligible"),
        (problem.most_touches[drawn % channels] < 1, "the catalogue allows no touch"),
    ):
        if wrong.any():
            raise PlanInputError(f"drawn: {words_of(problem, int(drawn[np.argmax(wrong)]))} cannot be: {why}")
    pinned = problem.pins[arm[problem.pins // channels] != PLAN]
    if len(pinned):
        where = words_of(problem, int(pinned[0]))
        raise PlanInputError(f"rule_override: the pin of {where} is of an HCP outside the arm plan; leave it out of the draw")
