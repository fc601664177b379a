"""At least so many HCPs of a kind get an action.

Table rule_coverage_floor: distinct HCPs with an action in scope >= min_hcps. territory_id null = everybody together, `*` =
each territory; channel null = any channel that takes a rep's time, `*` = any channel; attribute, operator and value choose
the HCPs (value `*` with `=` = each value separately). Soft (the default): the floor is min(min_hcps, reachable), and a
shortfall costs a penalty. Hard: the floor stays as asked, and above what is reachable it is a conflict.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from optimization.problem import Limit, PlanInputError, RuleYield
from optimization.rules.context import Context, unknown_names
from optimization.rules.scopes import attribute_values, matching_hcps
from optimization.rules.tables import Table


def declare(context: Context) -> RuleYield:
    """One floor per row, territory and value; a floor of 0 says nothing."""
    table = context.tables["rule_coverage_floor"]
    matches: dict[tuple[str | None, str, str | None], np.ndarray] = {}
    limits = []
    for row in np.flatnonzero(table["min_hcps"] > 0):
        attribute, operator = table["attribute"][row], table["operator"][row] or "="
        for value in _values(context, attribute, operator, table["value"][row]):
            key = (attribute, operator, value)
            if key not in matches:
                matches[key] = matching_hcps(context, "rule_coverage_floor", *key)
            for territory, hcps in context.territory_scopes(table["territory_id"][row]):
                limits.append(_floor(context, table, int(row), (territory, *key), hcps[matches[key][hcps]]))
    warnings = unknown_names("rule_coverage_floor", "channel", table["channel"], context.channel_codes(table["channel"]))
    return RuleYield(limits=limits, warnings=warnings)


def _values(context: Context, attribute: str | None, operator: str, value: str | None) -> Iterator[str | None]:
    if attribute is None or value != "*" or operator != "=":
        yield value
    else:
        yield from sorted(attribute_values(context, "rule_coverage_floor", attribute)[1])


def _floor(context: Context, table: Table, row: int, key: tuple[str | None, str | None, str, str | None], hcps: np.ndarray) -> Limit:
    territory, attribute, operator, value = key
    channel, asked = table["channel"][row], float(table["min_hcps"][row])
    hardness = (table["hardness"][row] or "soft").strip().lower()
    if hardness not in ("soft", "hard"):
        raise PlanInputError(f"rule_coverage_floor.hardness: {hardness!r} is neither soft nor hard")
    codes = context.rep_channels if channel is None else context.channel_named(channel)
    reachable = float(np.count_nonzero(context.open_pairs[hcps][:, codes].any(axis=1)))
    return Limit(
        limit_id="",
        rule="coverage_floor",
        side="min",
        unit="hcps",
        label=_label(context, channel, key),
        bound=asked if hardness == "hard" else min(asked, reachable),
        hcps=hcps,
        use=context.per_touch(codes),
        counts="hcps",
        hardness=hardness,
        requested=asked,
        reachable=reachable,
        channel=channel,
        territory_id=territory,
        attribute=attribute,
        value=value,
        operator=None if attribute is None else operator,
    )


def _label(context: Context, channel: str | None, key: tuple[str | None, str | None, str, str | None]) -> str:
    territory, attribute, operator, value = key
    text = "coverage of HCPs"
    if attribute is not None and value is not None:
        text += f" with {attribute} {operator} {value}"
    text += "" if territory is None else f" in territory {territory}"
    if channel == "*":
        return f"{text} by any channel"
    return f"{text} by any rep channel" if channel is None else f"{text} by {context.label_of(channel)}"
