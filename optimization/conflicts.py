"""Which limits and pins cannot hold together, and the smallest loosening that lets a plan exist.

Order: pins on blocked pairs and pins against the rules inside their HCP (closed form, per HCP); limits that no plan keeps even
without any other limit (closed form, summed over HCPs); then the cheapest loosening of all hard limits together, each measured against
its own bound (`loosening.py`), and per loosened group the few limits that really stand against each other (deletion filter, Chinneck
2008, ch. 6). Loosening every limit by its number lets a plan exist; a little less of any one does not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from optimization.eligibility import pair_blocks
from optimization.loosening import Census, Loosening, least_excess, take_census
from optimization.problem import Limit, Problem
from optimization.sets import BeyondEnvelope, HcpSets, build_sets
from optimization.shared import SharedLimits, build_shared

COLUMNS = ["rule", "limit_id", "label", "limit_value", "loosening", "direction", "problem", "what_to_do"]
MEMBERS = 500  # profiles of HCPs looked at at once
CLEAR = 1e-7  # scaled loosening above which limits conflict
FILTERED = 80  # at most this many limits are tried one by one; of a larger group whole parts only
NAMED = 6  # limits named in a sentence
FIELD = {
    ("budget", "max", "cost"): "max_cost",
    ("channel_capacity", "min", "touches"): "min_actions",
    ("channel_capacity", "max", "touches"): "max_actions",
    ("rep_capacity", "max", "minutes"): "max_minutes",
    ("rep_capacity", "max", "touches"): "max_actions",
    ("coverage_floor", "min", "hcps"): "min_hcps",
}


@dataclass(frozen=True)
class _Scene:
    """Sets and limits of a problem whose impossible pins are left out."""

    problem: Problem
    sets: HcpSets
    shared: SharedLimits
    hard: np.ndarray

    def excess(self, bound: np.ndarray, kept: np.ndarray, whole: bool) -> Loosening:
        """The least loosening of the kept limits at these bounds, all others dropped."""
        return least_excess(self.shared, bound, self.cost, self.census.classes(np.sort(kept)), whole)

    @cached_property
    def census(self) -> Census:
        return take_census(self.sets, self.shared)

    @cached_property
    def cost(self) -> np.ndarray:
        """(limits) what a scaled unit of loosening costs: loosening is measured against the limit itself, at least one largest touch."""
        return self.shared.scale / np.maximum(np.abs(self.shared.bound), self.shared.scale)


def diagnose(problem: Problem, say: Callable[[str], None] = lambda line: None) -> pd.DataFrame:
    """One row per conflicting pin or limit: rule (table), limit_id, label, limit_value, loosening, direction (`raise`, `lower`,
    `remove`, or `keep` for a limit that stands against a loosened one), problem, what_to_do. Empty when a plan exists."""
    try:
        rows, sound = _pin_conflicts(problem)
        sets = build_sets(sound)
    except BeyondEnvelope:
        return pd.DataFrame([_undivided(problem)], columns=COLUMNS)
    scene = _Scene(sound, sets, build_shared(sound, sets), np.array([x.hardness != "soft" for x in problem.limits], dtype=bool))
    bound = scene.shared.bound.copy()
    for number, amount in _alone(scene):
        rows.append(_limit_row(problem.limits[number], amount, True, []))
        bound[number] += scene.shared.sign[number] * amount
    say(f"conflicts: {len(rows)} found in closed form")
    rows += _together(scene, bound, say)
    return pd.DataFrame(rows, columns=COLUMNS)


def _undivided(problem: Problem) -> dict:
    """The one row about a proven conflict of HCPs with too many allowed sets for its limits to be told apart."""
    hard = [x for x in problem.limits if x.hardness != "soft"]
    tables = ", ".join(sorted({_table(x.rule) for x in hard})) or "rule_override"
    text = f"the {len(hard)} hard limits and {len(problem.pins)} pins cannot hold together; which of them is not told where one HCP may get"
    text += " so many different sets of touches"
    advice = f"loosen limits of {tables}, or add a row to rule_contact_limit with max_actions of 3 or less and build again to see which"
    return _row(
        "rule_override" if not hard else _table(hard[0].rule), "", "all hard limits together", np.nan, np.nan, "remove", text, advice
    )


def _pin_conflicts(problem: Problem) -> tuple[list[dict], Problem]:
    """Rows about pins, and the problem without the pins that cannot hold."""
    labels = dict(zip(problem.pins.tolist(), problem.pin_labels, strict=True))
    blocked = problem.pins[~problem.eligible[problem.pins]]
    reasons = pair_blocks(problem)
    reasons = reasons[reasons["pair"].isin(blocked)] if len(blocked) else reasons.iloc[:0]
    rows = []
    for pin in np.unique(blocked).tolist():
        mine = reasons[reasons["pair"] == pin]
        causes = [f"{r}: {d}" if d else str(r) for r, d in zip(mine["rule"], mine["detail"], strict=True)] or [str(problem.blocker_of(pin))]
        text = f"{labels[pin]} cannot be kept: no day of the cycle is open ({'; '.join(causes)})"
        tables = ", ".join(sorted({_table(str(r)) for r in mine["rule"]} - {"rule_override"})) or "the blocking rule"
        rows.append(
            _row("rule_override", "", labels[pin], np.nan, np.nan, "remove", text, f"remove the pin, or the rows of {tables} that block it")
        )
    sound = replace(
        problem, pins=np.setdiff1d(problem.pins, blocked), pin_labels=[labels[p] for p in np.setdiff1d(problem.pins, blocked).tolist()]
    )
    sets = build_sets(sound)
    for hcp in np.flatnonzero(np.diff(sets.start) == 0).tolist():
        rows.append(_own_row(sound, hcp, labels))
    broken = np.flatnonzero(np.diff(sets.start) == 0)
    keep = ~np.isin(sound.pins // len(problem.channels), broken)
    return rows, replace(sound, pins=sound.pins[keep], pin_labels=[labels[p] for p in sound.pins[keep].tolist()])


def _own_row(problem: Problem, hcp: int, labels: dict[int, str]) -> dict:
    """The row about an HCP whose pins break a rule inside the HCP: the first cap or exclusion that they break."""
    mine = np.unique(problem.pins[problem.pins // len(problem.channels) == hcp])
    names = ", ".join(labels[p] for p in mine.tolist())
    for cap in problem.caps:
        count = np.bincount(cap.group, weights=np.isin(cap.pairs, mine), minlength=len(cap.upper))
        for group in np.flatnonzero(count > np.asarray(cap.upper)).tolist():
            if cap.pairs[cap.group == group][0] // len(problem.channels) == hcp:
                excess, upper = float(count[group] - cap.upper[group]), float(cap.upper[group])
                text = f"HCP {problem.hcp_ids[hcp]} is pinned to {count[group]:g} touches ({names}), {cap.label} leaves {upper:g}"
                advice = f"remove {excess:g} of the pins in rule_override, or raise max_actions of {_table(cap.rule)} by {excess:g}"
                return _row(_table(cap.rule), "", cap.label, upper, excess, "raise", text, advice)
    for row in problem.exclusive:
        if np.any(np.isin(row.members, mine).all(axis=1) & (row.members[:, 0] // len(problem.channels) == hcp)):
            text = f"HCP {problem.hcp_ids[hcp]} is pinned to actions that may not go together ({names}): {row.label}"
            return _row(
                _table(row.rule),
                "",
                row.label,
                np.nan,
                np.nan,
                "remove",
                text,
                f"remove one of the pins in rule_override, or the row of {_table(row.rule)}",
            )
    return _row(
        "rule_override",
        "",
        names,
        np.nan,
        np.nan,
        "remove",
        f"the pins of HCP {problem.hcp_ids[hcp]} cannot hold together",
        "remove one of the pins",
    )


def _alone(scene: _Scene) -> list[tuple[int, float]]:
    """(limit, excess) of hard limits that no plan keeps even when every other limit is dropped."""
    shared, sets, found = scene.shared, scene.sets, []
    features = shared.features(sets)[sets.list_kind]
    # HCPs of one profile and one list of sets can use the same
    lists = len(sets.list_start) - 1
    key, counts = np.unique(shared.profile.astype(np.int64) * lists + sets.list_of, return_counts=True)
    profile, which = key // lists, key % lists
    for number in np.flatnonzero(scene.hard).tolist():
        row = shared.coefficient[number]
        members, place = np.unique(row.indices // shared.width, return_inverse=True)
        use = np.zeros((len(members), shared.width))
        use[place, row.indices % shared.width] = shared.sign[number] * row.data
        excess = -shared.sign[number] * shared.bound[number]
        for first in range(0, len(members), MEMBERS):
            part = members[first : first + MEMBERS]
            least = np.minimum.reduceat(features @ use[first : first + MEMBERS].T, sets.list_start[:-1], axis=0)
            mine = np.flatnonzero(np.isin(profile, part))
            excess += float(counts[mine] @ least[which[mine], np.searchsorted(part, profile[mine])])
        if excess > 1e-6 * abs(shared.bound[number]) + 1e-9:
            found.append((number, excess))
    return found


def _together(scene: _Scene, bound: np.ndarray, say: Callable[[str], None]) -> list[dict]:
    """Rows about limits that cannot hold together, group by group."""
    limits, rows, sign = scene.problem.limits, [], scene.shared.sign
    hard = np.flatnonzero(scene.hard)
    if scene.shared.count == 0 or scene.sets.column_count == 0:
        return []
    slack = scene.excess(bound, hard, whole=True).excess * scene.shared.scale
    suspects = hard
    while np.any(slack > 0):
        group, suspects = _minimal_group(scene, bound, hard, suspects, slack)
        named = [n for n in group if slack[n] > 0] or np.flatnonzero(slack > 0).tolist()
        say(f"conflicts: {len(group)} limits against each other")
        for number in named:
            rows.append(_limit_row(limits[number], float(slack[number]), False, [limits[n].label for n in group if n != number]))
            bound[number] += sign[number] * slack[number]
            slack[number] = 0.0
        partners = [limits[n].label for n in named]
        rows += [_partner_row(limits[n], partners) for n in group if n not in named]
    seen: set[str] = set()
    return [row for row in rows if row["direction"] != "keep" or not (row["limit_id"] in seen or seen.add(row["limit_id"]))]


def _minimal_group(
    scene: _Scene, bound: np.ndarray, hard: np.ndarray, suspects: np.ndarray, slack: np.ndarray
) -> tuple[list[int], np.ndarray]:
    """(a few of the hard limits that already cannot hold together: none of them can be dropped; the limits to suspect next time)."""

    def clash(numbers: list[int]) -> bool:
        kept = np.array(numbers, dtype=np.int64)
        if scene.excess(bound, kept, whole=False).total > CLEAR:
            return True  # not even fractions of sets hold them
        return not fractional and scene.excess(bound, kept, whole=True).total > CLEAR

    found = scene.excess(bound, suspects, whole=False)
    if found.total <= CLEAR and len(suspects) < len(hard):
        suspects = hard
        found = scene.excess(bound, suspects, whole=False)
    fractional = found.total > CLEAR
    # Where fractions of sets conflict already, the limits with a price are a proof of it (Farkas), and only they need be looked at.
    group = [n for n in suspects.tolist() if found.price[n] > 0] if fractional else hard.tolist()
    suspects = np.array(group, dtype=np.int64)
    blocks = [group[i : i + max(1, len(group) // 8)] for i in range(0, len(group), max(1, len(group) // 8))]
    for part in blocks if len(group) > 8 else []:  # whole blocks first, so that hundreds of limits take few solves
        rest = [n for n in group if n not in part]
        if clash(rest):
            group = rest
    if len(group) > FILTERED:
        return group, suspects
    for number in sorted(group, key=lambda n: (slack[n] > 0, n)):
        rest = [n for n in group if n != number]
        if clash(rest):
            group = rest
    return group, suspects


def _limit_row(limit: Limit, amount: float, alone: bool, against: list[str]) -> dict:
    upper = limit.side == "max"
    value = limit.bound + amount if upper else limit.bound - amount
    verb = "raise" if upper else "lower"
    needed = "at least {} needed" if upper else "at most {} can be reached"
    state = needed.format(f"{value:.10g} {limit.unit} {'are' if upper else ''}".strip())
    context = (
        "even if every other limit were dropped"
        if alone
        else "while these hold: " + _names(against)
        if against
        else "while all other limits hold"
    )
    text = f"{limit.label} is {limit.bound:.10g} {limit.unit}, but {state} {context}"
    field = FIELD.get((limit.rule, limit.side, limit.unit), "the limit")
    advice = f"{verb} {field} in {_table(limit.rule)} ({limit.label}) from {limit.bound:.10g} to {value:.10g}"
    if upper and value < 0:
        advice = f"{field} in {_table(limit.rule)} ({limit.label}) must not be negative"
    if limit.rule == "coverage_floor":
        advice += ", or make it soft"
    return _row(_table(limit.rule), limit.limit_id, limit.label, limit.bound, amount, verb, text, advice)


def _partner_row(limit: Limit, partners: list[str]) -> dict:
    text = f"{limit.label} ({limit.bound:.10g} {limit.unit}) stands against {_names(partners)}"
    advice = f"nothing, once {_names(partners)} {'is' if len(partners) == 1 else 'are'} loosened; or loosen this one instead"
    return _row(_table(limit.rule), limit.limit_id, limit.label, limit.bound, 0.0, "keep", text, advice)


def _names(labels: list[str]) -> str:
    more = len(labels) - NAMED
    return ", ".join(labels) if more <= 1 else ", ".join(labels[:NAMED]) + f" and {more} more"


def _table(rule: str) -> str:
    names = {"window": "rule_channel_window", "no_rep": "hcp_master (rep_id)"}
    return names.get(rule, rule if rule.startswith("rule_") else f"rule_{rule}")


def _row(*values: object) -> dict:
    return dict(zip(COLUMNS, values, strict=True))
