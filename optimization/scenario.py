"""What if: the same problem with other bounds, floors, forced and forbidden pairs.

A `Scenario` says what is different, `apply` makes the problem of it. Nothing is solved here and the problem given is left as it is.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from optimization.arms import arm_of, cut_to_reach, words_of
from optimization.keys import key_text, limit_id
from optimization.problem import Limit, Problem

HOW = ("set", "add", "multiply")
SIDES, UNITS, HARDNESS = ("max", "min"), ("cost", "minutes", "touches", "hcps"), ("soft", "hard")
KEYS = ("limit_id", "rule", "side", "unit", "channel", "territory_id", "rep_id", "attribute", "operator", "value")
NEAR = 3  # names suggested for one that nobody has
BESIDE = 40  # neighbours in the order of ids among which those are looked for


class ScenarioError(ValueError):
    """A scenario that says nothing sensible of this problem; the text names field, value and what is there instead."""


@dataclass(frozen=True)
class LimitChange:
    """Another bound, or another hardness, for every limit whose key agrees with `where`.

    where: part of a limit's key -> its value; None = the key must be empty there (all together); a part that is absent may be anything.
    how: bound becomes `amount`, bound + amount or bound x amount; None leaves it. A floor's bound is what was asked for, before it is cut
    to what is reachable. hardness: `soft` or `hard`, for coverage floors only.
    """

    where: Mapping[str, str | None]
    how: str | None = None
    amount: float = 0.0
    hardness: str | None = None

    def __post_init__(self) -> None:
        unknown = [key for key in self.where if key not in KEYS]
        if unknown or not self.where:
            raise ScenarioError(f"limit: {unknown[0] if unknown else 'nothing'} is no key of a limit; keys are {', '.join(KEYS)}")
        if self.how is None and self.hardness is None:
            raise ScenarioError(f"limit {self.wanted}: give a new bound or a new hardness")
        if self.how is not None and self.how not in HOW:
            raise ScenarioError(f"limit {self.wanted}: how {self.how!r} must be one of {', '.join(HOW)}")
        if not math.isfinite(self.amount):
            raise ScenarioError(f"limit {self.wanted}: amount {self.amount} must be a finite number")
        if self.hardness not in (None, *HARDNESS):
            raise ScenarioError(f"limit {self.wanted}: hardness {self.hardness!r} must be soft or hard")

    @property
    def wanted(self) -> str:
        """The choice in words, for messages."""
        return ", ".join(f"{key} {'null' if value is None else value}" for key, value in self.where.items())

    def of(self, bound: float) -> float:
        """The new bound for a present one."""
        if self.how is None:
            return bound
        return {"set": self.amount, "add": bound + self.amount, "multiply": bound * self.amount}[self.how]


@dataclass(frozen=True)
class NewLimit:
    """A limit that the rules do not have: cost, rep minutes or touches of all eligible pairs in scope against a bound."""

    bound: float
    side: str = "max"
    unit: str = "cost"
    channel: str | None = None
    territory_id: str | None = None
    rep_id: str | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.bound) and self.bound >= 0):
            raise ScenarioError(f"new limit: bound {self.bound:g} must be a finite number >= 0")
        if self.side not in SIDES or self.unit not in UNITS[:3]:
            raise ScenarioError(f"new limit: side {self.side!r} must be max or min, unit {self.unit!r} one of {', '.join(UNITS[:3])}")


@dataclass(frozen=True)
class Scenario:
    """What differs from the problem as the rules state it. forced, forbidden: (hcp_id, channel); forced = at least one touch.

    Limits change in the order given, so that a later change sees what an earlier one left.
    """

    changes: Sequence[LimitChange] = ()
    new_limits: Sequence[NewLimit] = ()
    forced: Sequence[tuple[str, str]] = ()
    forbidden: Sequence[tuple[str, str]] = ()
    title: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for name in ("forced", "forbidden"):
            for pair in getattr(self, name):
                if len(pair) != 2 or not all(isinstance(part, str) and part for part in pair):
                    raise ScenarioError(f"{name}: {pair!r} must be an hcp_id and a channel")
        both = sorted(set(self.forced) & set(self.forbidden))
        if both:
            raise ScenarioError(f"forced: {both[0][0]} by {both[0][1]} is forbidden by the same scenario")

    @property
    def is_empty(self) -> bool:
        return not (self.changes or self.new_limits or self.forced or self.forbidden)


def apply(problem: Problem, scenario: Scenario) -> Problem:
    """The problem of the scenario; arrays that do not change are shared. Raises ScenarioError for names that the problem does not have,
    for a bound below 0, and for a forced pair that no rule allows."""
    limits = list(problem.limits)
    for change in scenario.changes:
        for number in matching(limits, change.where):
            limits[number] = _changed(limits[number], change)
    changed = _forbid(problem, [pair_of(problem, *pair) for pair in scenario.forbidden])
    for new in scenario.new_limits:
        limits.append(_made(problem, new, limits))
    changed = replace(changed, limits=[cut_to_reach(changed, limit) for limit in limits])
    return force(changed, [pair_of(problem, *pair) for pair in scenario.forced])


def pair_of(problem: Problem, hcp_id: str, channel: str) -> int:
    """Number of the pair; ScenarioError names the nearest names for one that is not there."""
    place = int(np.searchsorted(problem.hcp_ids, hcp_id)) if len(problem.hcp_ids) else 0
    if place >= len(problem.hcp_ids) or problem.hcp_ids[place] != hcp_id:
        beside = problem.hcp_ids[max(0, place - BESIDE) : place + BESIDE].tolist()
        like = near(hcp_id, beside) or (f"; its ids are like {beside[0]}" if beside else "")
        raise ScenarioError(f"hcp_id {hcp_id}: no such HCP in this run{like}")
    if channel not in problem.channels:
        raise ScenarioError(f"channel {channel}: no such channel; there are {', '.join(problem.channels)}")
    return place * len(problem.channels) + problem.channels.index(channel)


def force(problem: Problem, pairs: Sequence[int]) -> Problem:
    """The problem with these pairs pinned; ScenarioError for one that is not eligible, naming the rule that blocks it."""
    new = [pair for pair in dict.fromkeys(pairs) if pair not in set(problem.pins.tolist())]
    for pair in new:
        if arm_of(problem, pair) != "plan":
            what = "gets nothing" if arm_of(problem, pair) == "control" else "gets what was drawn for it"
            raise ScenarioError(f"{words_of(problem, pair)} cannot be forced: the HCP is in the arm {arm_of(problem, pair)}, which {what}")
        if not problem.eligible[pair] or problem.most_touches[pair % len(problem.channels)] < 1:
            rule = problem.blocker_of(np.array([pair]))[0] or "max_touches"
            raise ScenarioError(f"{words_of(problem, pair)} cannot be forced: blocked by {rule}")
    labels = [f"forced: {words_of(problem, pair)}" for pair in new]
    pins = np.concatenate([problem.pins, np.array(new, dtype=np.int64)])
    return replace(problem, pins=pins, pin_labels=[*problem.pin_labels, *labels])


def matching(limits: Sequence[Limit], where: Mapping[str, str | None]) -> list[int]:
    """Numbers of the limits whose key agrees with `where`; ScenarioError names what comes near when there is none."""
    wanted = {key: _bare(value) if key == "rule" else value for key, value in where.items()}
    found = [number for number, limit in enumerate(limits) if all(_part(limit, key) == value for key, value in wanted.items())]
    if not found:
        raise ScenarioError(f"no limit has {LimitChange(where, 'add').wanted}{_limits_near(limits, wanted)}")
    return found


def near(name: str, names: Sequence[str]) -> str:
    """`; near: a, b` with the names most like one that is not there, or nothing."""
    found = difflib.get_close_matches(name, [text for text in names if text], n=NEAR, cutoff=0.5)
    return f"; near: {', '.join(found)}" if found else ""


def _bare(rule: str | None) -> str | None:
    """A rule as limits call it: rule_budget and budget are the same."""
    return None if rule is None else rule.removeprefix("rule_")


def _part(limit: Limit, key: str) -> str | None:
    value = getattr(limit, key)
    return _bare(value) if key == "rule" else value


def _limits_near(limits: Sequence[Limit], wanted: Mapping[str, str | None]) -> str:
    """The limits that agree with most of the choice."""
    if "limit_id" in wanted:
        known = near(str(wanted["limit_id"]), [limit.limit_id for limit in limits])
        return known or "; the limits of this run are in published.constraint_prices"
    agree = [sum(_part(limit, key) == value for key, value in wanted.items()) for limit in limits]
    best = max(agree, default=0)
    if best == 0:
        return f"; rules with limits here: {', '.join(sorted({limit.rule for limit in limits})) or 'none'}"
    close = [f"{limit.label} ({limit.limit_id})" for limit, count in zip(limits, agree, strict=True) if count == best]
    return f"; near: {', '.join(close[:NEAR])}"


def _changed(limit: Limit, change: LimitChange) -> Limit:
    if change.hardness is not None and limit.counts != "hcps":
        raise ScenarioError(f"limit {limit.label}: only coverage floors can be made soft or hard")
    asked = limit.bound if limit.requested is None else limit.requested
    bound = change.of(asked)
    if not (math.isfinite(bound) and bound >= 0):
        raise ScenarioError(f"limit {limit.label}: the new bound {bound:g} must be a finite number >= 0")
    if limit.counts != "hcps":
        return replace(limit, bound=bound)
    return replace(limit, bound=bound, requested=bound, hardness=change.hardness or limit.hardness)


def _forbid(problem: Problem, pairs: Sequence[int]) -> Problem:
    if not pairs:
        return problem
    pinned = set(problem.pins.tolist()) & set(pairs)
    if pinned:
        why = "it was drawn for exploration" if min(pinned) in set(problem.drawn.tolist()) else "it is pinned by an override"
        raise ScenarioError(f"{words_of(problem, min(pinned))} cannot be forbidden: {why}")
    where = np.array(pairs, dtype=np.int64)
    where = where[problem.eligible[where]]
    eligible, earliest, latest, blocked_by = (
        np.array(part) for part in (problem.eligible, problem.earliest, problem.latest, problem.blocked_by)
    )
    eligible[where], earliest[where], latest[where], blocked_by[where] = False, -1, -1, len(problem.blockers)
    blockers = [*problem.blockers, "scenario"]
    return replace(problem, eligible=eligible, earliest=earliest, latest=latest, blocked_by=blocked_by, blockers=blockers)


def _made(problem: Problem, new: NewLimit, limits: Sequence[Limit]) -> Limit:
    """A new limit over the HCPs and channels in its scope, with the id it would have if a rule table named it."""
    per_touch = {"cost": problem.cost, "minutes": problem.minutes, "touches": np.ones(len(problem.channels))}[new.unit]
    use = np.array(per_touch, dtype=np.float64)
    if new.channel is not None:
        if new.channel not in problem.channels:
            raise ScenarioError(f"channel {new.channel}: no such channel; there are {', '.join(problem.channels)}")
        use[[channel != new.channel for channel in problem.channels]] = 0.0
    inside = np.ones(len(problem.hcp_ids), dtype=bool)
    for name, names, codes in (
        (new.territory_id, problem.territory_names, problem.territory),
        (new.rep_id, problem.rep_names, problem.rep),
    ):
        if name is not None:
            if name not in names:
                raise ScenarioError(f"new limit: there is no {name} in this run{near(name, names)}")
            inside &= codes == names.index(name)
    scope = [part for part in (new.channel, new.territory_id, new.rep_id) if part is not None]
    label = f"{'most' if new.side == 'max' else 'least'} {new.unit}{' of ' + ', '.join(scope) if scope else ' in total'} (scenario)"
    rule = {"cost": "budget", "minutes": "rep_capacity", "touches": "channel_capacity"}[new.unit]
    made = Limit(
        limit_id="",
        rule=rule,
        side=new.side,
        unit=new.unit,
        label=label,
        bound=new.bound,
        hcps=np.flatnonzero(inside).astype(np.int32),
        use=use,
        channel=new.channel,
        territory_id=new.territory_id,
        rep_id=new.rep_id,
    )
    twins = sum(key_text(limit) == key_text(made) for limit in limits)
    return replace(made, limit_id=limit_id(key_text(made), twins))
