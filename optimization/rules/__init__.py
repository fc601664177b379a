"""The business rules, one file each, in the order in which they are named as blockers.

A rule declares days (which days are blocked for which pairs, and pins), rows (limits over the pairs that stay eligible),
or both. Nothing outside its file knows the rule: solver, checker and diagnosis read what it declares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from optimization.problem import RuleYield
from optimization.rules import (
    access,
    budget,
    channel_capacity,
    channel_window,
    consent,
    contact_limit,
    coverage_floor,
    exclusion,
    incompatible,
    min_gap,
    no_rep,
    override,
    rep_capacity,
    suppression,
)
from optimization.rules.context import Context

Declare = Callable[[Context], RuleYield]


@dataclass(frozen=True)
class Rule:
    """One business rule and the table it is written in: `days` is asked before eligible runs are known, `rows` after."""

    name: str
    table: str
    days: Declare | None = None
    rows: Declare | None = None

    def __post_init__(self) -> None:
        if self.days is None and self.rows is None:
            raise ValueError(f"rule {self.name} declares neither days nor rows")


RULES: tuple[Rule, ...] = (
    Rule("exclusion", "rule_exclusion", days=exclusion.declare),
    Rule("consent", "rule_consent", days=consent.declare),
    Rule("access", "rule_access", days=access.declare),
    Rule("no_rep", "hcp_master", days=no_rep.declare),
    Rule("window", "rule_channel_window", days=channel_window.declare),
    Rule("min_gap", "rule_min_gap", days=min_gap.declare_days, rows=min_gap.declare_rows),
    Rule("contact_limit", "rule_contact_limit", days=contact_limit.declare_days, rows=contact_limit.declare_rows),
    Rule("override", "rule_override", days=override.declare),
    Rule("override", "suggestion_feedback", days=suppression.declare),
    Rule("budget", "rule_budget", rows=budget.declare),
    Rule("channel_capacity", "rule_channel_capacity", rows=channel_capacity.declare),
    Rule("rep_capacity", "rule_rep_capacity", rows=rep_capacity.declare),
    Rule("incompatible", "rule_incompatible", rows=incompatible.declare),
    Rule("coverage_floor", "rule_coverage_floor", rows=coverage_floor.declare),
)


def table_of(rule: str) -> str:
    """The table in which a rule is written, by the rule's name in limits, blocks and violations."""
    return next(item.table for item in RULES if item.name == rule)
