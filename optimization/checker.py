"""The independent checker: is a plan allowed, and what is it worth. It shares no code with any solver.

A plan is `touches`: whole numbers over pairs (bool = at most one touch each).
Values follow section 4 of the data contract: V(S) = sum of v - overlap x sum over pairs of touches of the smaller positive v, where
two touches of one channel are a pair of touches too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimization.problem import Limit, PlanInputError, Problem

RELATIVE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Violation:
    """One broken rule: by how much (pairs or units of the limit), and a pair that takes part (-1 where none does)."""

    rule: str
    label: str
    amount: float
    pair: int


def check_plan(problem: Problem, touches: np.ndarray, use: np.ndarray | None = None) -> list[Violation]:
    """Everything in which a plan breaks the problem; an empty list is an allowed plan.

    Soft floors are not broken, see `shortfalls`. PlanInputError for anything but whole numbers >= 0, one per pair.
    use (limits): `uses_of` this plan, where it is known already.
    """
    _check_shape(problem, touches)
    chosen = touches > 0
    found = _finite(problem) + _eligibility(problem, chosen) + _most_touches(problem, touches) + _pins(problem, chosen)
    for limit, used in zip(problem.limits, uses_of(problem, touches) if use is None else use, strict=True):
        excess = _excess(limit, float(used))
        if limit.hardness != "soft" and excess > 0:
            found.append(Violation(limit.rule, limit.label, excess, _example(_counted(problem, limit), chosen)))
    for cap in problem.caps:
        over = np.bincount(cap.group, weights=touches[cap.pairs], minlength=len(cap.upper)) - cap.upper
        if np.any(over > 0):
            group = int(np.argmax(over))
            found.append(Violation(cap.rule, cap.label, float(over[over > 0].sum()), _example(cap.pairs[cap.group == group], chosen)))
    for row in problem.exclusive:
        least = np.ones(row.members.shape[1]) if row.least is None else np.array(row.least)
        broken = np.flatnonzero((touches[row.members] >= least).all(axis=1))
        if len(broken):
            found.append(Violation(row.rule, row.label, float(len(broken)), int(row.members[broken[0], 0])))
    return found


def use_of(problem: Problem, limit: Limit, touches: np.ndarray) -> float:
    """What a plan uses of a limit, in the limit's unit."""
    grid, open_pairs = (part.reshape(len(problem.hcp_ids), len(problem.channels)) for part in (touches, problem.eligible))
    if len(limit.hcps) < len(grid):
        grid, open_pairs = grid[limit.hcps], open_pairs[limit.hcps]
    if limit.counts == "hcps":
        return float(np.count_nonzero(((grid > 0) & open_pairs & (limit.use != 0)).any(axis=1)))
    if limit.use.ndim == 1:
        return float((grid * open_pairs).sum(axis=0, dtype=np.int64) @ limit.use)
    return float((grid * open_pairs * limit.use).sum())


def uses_of(problem: Problem, touches: np.ndarray) -> np.ndarray:
    """(limits) what a plan uses of every limit, in the limit's unit."""
    return np.array([use_of(problem, limit, touches) for limit in problem.limits], dtype=np.float64)


def shortfalls(problem: Problem, touches: np.ndarray) -> np.ndarray:
    """HCPs missing on each soft floor, 0 for every other limit; one entry per limit."""
    missing = [max(0.0, limit.bound - use_of(problem, limit, touches)) if limit.hardness == "soft" else 0.0 for limit in problem.limits]
    return np.array(missing, dtype=np.float64)


def objective_of(problem: Problem, touches: np.ndarray) -> tuple[float, float, np.ndarray]:
    """(objective, penalty, plan_value): sum of V over HCPs, cost of soft shortfalls, and V shared out over the planned pairs.

    plan_value is float over pairs, of all touches of the pair together, 0 where not planned. Negative touches keep their value; the
    others share the rest of V in proportion to theirs. All in KPI units.
    """
    plan_value = np.zeros(problem.pair_count)
    pairs = np.flatnonzero(touches)
    value, count = problem.value[pairs], touches[pairs].astype(np.float64)
    gain = np.maximum(value, 0.0)
    hcps = pairs // len(problem.channels)
    order = np.lexsort((pairs, -gain, hcps))
    opens = np.r_[True, hcps[order][1:] != hcps[order][:-1]] if len(order) else np.empty(0, dtype=bool)
    group = np.cumsum(opens) - 1
    value, count, gain = value[order], count[order], gain[order]
    # In falling order of gain the touch of rank r is the smaller one in exactly r pairs; `before` is the rank of a pair's first touch.
    before = np.cumsum(count) - count
    before -= before[np.flatnonzero(opens)[group]]
    total = np.bincount(group, weights=gain * count, minlength=int(opens.sum()))
    lost = np.bincount(group, weights=gain * count * (before + (count - 1) / 2), minlength=int(opens.sum())) * problem.settings.overlap
    share = np.divide(total - lost, total, out=np.zeros(len(total)), where=total > 0)
    plan_value[pairs[order]] = count * np.where(value < 0, value, gain * share[group])
    missing = shortfalls(problem, touches)
    penalty = float(missing.sum()) * floor_penalty(problem) if missing.any() else 0.0
    return float(plan_value.sum()), penalty, plan_value


def floor_penalty(problem: Problem) -> float:
    """KPI units per HCP missing on a soft floor: the setting, else twice the largest V(S) of one HCP over its allowed sets."""
    if problem.settings.floor_penalty is not None:
        return problem.settings.floor_penalty
    from optimization.allowed_sets import largest_value

    return 2.0 * largest_value(problem)


def _check_shape(problem: Problem, touches: np.ndarray) -> None:
    if touches.shape != (problem.pair_count,) or touches.dtype.kind not in "biu":
        raise PlanInputError(f"touches must be {problem.pair_count} whole numbers, not {touches.dtype} of shape {touches.shape}")
    if touches.dtype.kind == "i" and touches.min(initial=0) < 0:
        raise PlanInputError(f"touches must be >= 0, not {touches.min()}")


def _finite(problem: Problem) -> list[Violation]:
    wrong = np.flatnonzero(~np.isfinite(problem.value))
    return [Violation("value", "expected impact is not a finite number", float(len(wrong)), int(wrong[0]))] if len(wrong) else []


def _eligibility(problem: Problem, chosen: np.ndarray) -> list[Violation]:
    """Chosen pairs without an eligible day, by first blocker, and chosen pairs whose run a block or the cycle's end cuts."""
    found = []
    wrong = np.flatnonzero(chosen & ~problem.eligible)
    for place in np.unique(problem.blocked_by[wrong]).tolist():
        pairs = wrong[problem.blocked_by[wrong] == place]
        rule = problem.blockers[place] if place >= 0 else "eligibility"
        found.append(Violation(rule, "pair without an eligible day", float(len(pairs)), int(pairs[0])))
    days = (problem.settings.cycle_end - problem.settings.cycle_start).days
    inside = (problem.earliest >= 0) & (problem.earliest <= problem.latest) & (problem.latest < days)
    outside = np.flatnonzero(chosen & problem.eligible & ~inside)
    if len(outside):
        found.append(Violation("eligibility", "eligible run outside the cycle", float(len(outside)), int(outside[0])))
    run = chosen & problem.eligible & inside
    for block in problem.blocks:
        cut = run[block.pairs] & (block.first <= problem.latest[block.pairs]) & (block.last >= problem.earliest[block.pairs])
        if cut.any():
            found.append(Violation(block.rule, "blocked day inside an eligible run", float(cut.sum()), int(block.pairs[np.argmax(cut)])))
    return found


def _most_touches(problem: Problem, touches: np.ndarray) -> list[Violation]:
    over = touches.reshape(len(problem.hcp_ids), len(problem.channels)).astype(np.int64) - problem.most_touches
    if not np.any(over > 0):
        return []
    return [Violation("max_touches", "more touches than the catalogue allows", float(over[over > 0].sum()), int(np.argmax(over)))]


def _pins(problem: Problem, chosen: np.ndarray) -> list[Violation]:
    missing = np.flatnonzero(~chosen[problem.pins])
    pairs = problem.pins[missing]
    rules = np.where(np.isin(pairs, problem.drawn), "holdout", "override").tolist()
    labels = [problem.pin_labels[place] for place in missing.tolist()]
    return [Violation(rule, label, 1.0, pair) for rule, label, pair in zip(rules, labels, pairs.tolist(), strict=True)]


def _excess(limit: Limit, use: float) -> float:
    """How far a use is beyond the bound, 0 within the relative tolerance."""
    beyond = use - limit.bound if limit.side == "max" else limit.bound - use
    return beyond if beyond > RELATIVE_TOLERANCE * abs(limit.bound) + 1e-9 else 0.0


def _counted(problem: Problem, limit: Limit) -> np.ndarray:
    """The eligible pairs that a limit counts."""
    pairs = limit.entries(len(problem.channels))[0]
    return pairs[problem.eligible[pairs]]


def _example(pairs: np.ndarray, chosen: np.ndarray) -> int:
    taken = pairs[chosen[pairs]]
    return int(taken[0]) if len(taken) else int(pairs[0]) if len(pairs) else -1
