"""Scenarios as people write them: options of the command line, or a YAML file, in the words of the rule tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError

if TYPE_CHECKING:
    from optimization.problem import Problem
    from optimization.scenario import LimitChange, NewLimit, Scenario

AMOUNT = re.compile(r"(?P<sign>[+-]?)(?P<number>\d+(?:\.\d*)?|\.\d+)(?P<percent>%?)")
# columns of a rule table that hold a bound -> side and unit of the limit it makes
BOUNDS = {
    "max_cost": ("max", "cost"),
    "max_minutes": ("max", "minutes"),
    "max_actions": ("max", "touches"),
    "min_actions": ("min", "touches"),
    "min_hcps": ("min", "hcps"),
}
# rule table -> (columns with a bound, columns that choose the limit)
RULES = {
    "rule_budget": (("max_cost",), ("channel", "territory_id")),
    "rule_channel_capacity": (("min_actions", "max_actions"), ("channel", "territory_id")),
    "rule_rep_capacity": (("max_minutes", "max_actions"), ("rep_id", "territory_id", "channel")),
    "rule_coverage_floor": (("min_hcps",), ("territory_id", "attribute", "operator", "value", "channel")),
}
FLOOR = "rule_coverage_floor"
TOTAL_BUDGET = {"rule": "budget", "side": "max", "unit": "cost", "channel": None, "territory_id": None}
FILE_KEYS = ("title", "budget", "limits", "floors", "new_limits", "force", "forbid")


def amount_of(text: str, where: str) -> tuple[str, float]:
    """(how, amount) of `500`, `+500`, `-500`, `+10%` or `-10%`."""
    found = AMOUNT.fullmatch(str(text).strip())
    if not found or (found["percent"] and not found["sign"]):
        raise NbaError(f"{where}: {str(text)!r} is no amount; write 500, +500, -500, +10% or -10%")
    number = float(found["number"]) * (-1.0 if found["sign"] == "-" else 1.0)
    if found["percent"]:
        return "multiply", 1.0 + number / 100.0
    return ("add" if found["sign"] else "set"), number


def budget_parts(problem: Problem, text: str, where: str = "--budget") -> tuple[list[LimitChange], list[NewLimit]]:
    """The total budget changed, or made where the rules have none."""
    from optimization.scenario import LimitChange, NewLimit

    how, amount = amount_of(text, where)
    if any(all(getattr(limit, key) == value for key, value in TOTAL_BUDGET.items()) for limit in problem.limits):
        return [LimitChange(TOTAL_BUDGET, how, amount)], []
    if how != "set":
        raise NbaError(f"{where} {text}: this run has no total budget that could change by that; give an amount")
    return [], [NewLimit(amount)]


def limit_change(text: str) -> LimitChange:
    """`LIMIT_ID=AMOUNT`."""
    from optimization.scenario import LimitChange

    limit_id, equals, amount = text.partition("=")
    if not equals or not limit_id:
        raise NbaError(f"--limit {text}: write LIMIT_ID=AMOUNT, for example 8cd6d92099f387a8=+10%")
    return LimitChange({"limit_id": limit_id.strip()}, *amount_of(amount, f"--limit {limit_id}"))


def rule_changes(text: str) -> list[LimitChange]:
    """`RULE:column=value:...:bound=AMOUNT`, the columns those of the rule table."""
    rule, _, rest = text.partition(":")
    return row_changes(rule.strip(), _columns(rest, f"--set {text}"), f"--set {text}")


def floor_changes(text: str) -> list[LimitChange]:
    """`column=value:...:min_hcps=AMOUNT:hardness=soft|hard` of rule_coverage_floor."""
    return row_changes(FLOOR, _columns(text, f"--floor {text}"), f"--floor {text}")


def row_changes(rule: str, columns: Mapping[str, str], where: str) -> list[LimitChange]:
    """One change per bound that a row in the words of the rule table names."""
    from optimization.scenario import LimitChange

    table = rule if rule.startswith("rule_") else f"rule_{rule}"
    if table not in RULES:
        raise NbaError(f"{where}: {rule} is no rule with limits that several HCPs share; those are {', '.join(RULES)}")
    bounds, keys = RULES[table]
    settings = (*bounds, "hardness") if table == FLOOR else bounds
    unknown = [name for name in columns if name not in (*settings, *keys)]
    if unknown:
        raise NbaError(f"{where}: {table} has no {unknown[0]}; choose by {', '.join(keys)} and set {', '.join(settings)}")
    chosen = {name: _null(value) for name, value in columns.items() if name in keys}
    hardness = columns.get("hardness")
    found = []
    for column in bounds:
        if column in columns:
            side, unit = BOUNDS[column]
            found.append(
                LimitChange({"rule": table, "side": side, "unit": unit, **chosen}, *amount_of(columns[column], where), hardness=hardness)
            )
    if not found and hardness is not None:
        found.append(LimitChange({"rule": table, **chosen}, hardness=hardness))
    if not found:
        raise NbaError(f"{where}: give a new {' or '.join(settings)}")
    return found


def read_scenario(path: Path) -> dict[str, Any]:
    """A scenario file as a mapping of texts, lists and mappings; NbaError names what is wrong with it."""
    import yaml

    try:
        # every scalar stays text: YAML itself would read +500 as 500
        found = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
    except OSError as error:
        raise NbaError(f"cannot read {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise NbaError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise NbaError(f"{path} is not a YAML mapping; its keys may be {', '.join(FILE_KEYS)}")
    unknown = [name for name in found if name not in FILE_KEYS]
    if unknown:
        raise NbaError(f"{path}: {unknown[0]} is no part of a scenario; parts are {', '.join(FILE_KEYS)}")
    return found


def file_scenario(problem: Problem, given: Mapping[str, Any], path: Path) -> Scenario:
    """The scenario of a file's mapping."""
    from optimization.scenario import LimitChange, NewLimit, Scenario

    changes, new_limits = budget_parts(problem, given["budget"], f"{path}: budget") if "budget" in given else ([], [])
    for row in _rows(given, "limits", path):
        where = f"{path}: limits"
        if "limit_id" in row:
            if set(row) != {"limit_id", "to"}:
                raise NbaError(f"{where}: beside limit_id give `to`, the new bound, and nothing else")
            changes.append(LimitChange({"limit_id": row["limit_id"]}, *amount_of(row["to"], where)))
        else:
            changes += row_changes(row.get("rule", ""), {name: value for name, value in row.items() if name != "rule"}, where)
    for row in _rows(given, "floors", path):
        changes += row_changes(FLOOR, row, f"{path}: floors")
    for row in _rows(given, "new_limits", path):
        new_limits.append(_new_limit(row, f"{path}: new_limits", NewLimit))
    forced, forbidden = (_pairs(given, name, path) for name in ("force", "forbid"))
    return Scenario(changes, new_limits, forced, forbidden, title=given.get("title", ""))


def option_scenario(
    problem: Problem,
    budget: str | None,
    limits: Sequence[str],
    rules: Sequence[str],
    floors: Sequence[str],
    forced: Sequence[Sequence[str]],
    forbidden: Sequence[Sequence[str]],
) -> Scenario:
    """The scenario of the command line's options."""
    from optimization.scenario import Scenario

    changes, new_limits = budget_parts(problem, budget) if budget is not None else ([], [])
    changes += [limit_change(text) for text in limits]
    changes += [change for text in rules for change in rule_changes(text)]
    changes += [change for text in floors for change in floor_changes(text)]
    return Scenario(changes, new_limits, [(h, c) for h, c in forced], [(h, c) for h, c in forbidden])


def together(first: Scenario, second: Scenario) -> Scenario:
    """What both say, the second's changes after the first's."""
    from optimization.scenario import Scenario

    return Scenario(
        [*first.changes, *second.changes],
        [*first.new_limits, *second.new_limits],
        list(dict.fromkeys([*first.forced, *second.forced])),
        list(dict.fromkeys([*first.forbidden, *second.forbidden])),
        first.title or second.title,
    )


def _columns(text: str, where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(":"):
        name, equals, value = part.partition("=")
        # the operator >= holds an equals sign of its own
        if part.startswith("operator="):
            name, value = "operator", part.removeprefix("operator=")
        if not equals or not name.strip() or not value.strip():
            raise NbaError(f"{where}: {part!r} must be column=value, and parts are put together with colons")
        if name.strip() in found:
            raise NbaError(f"{where}: {name.strip()} is there twice")
        found[name.strip()] = value.strip()
    return found


def _null(value: str) -> str | None:
    return None if value.lower() in ("null", "none", "~", "") else value


def _rows(given: Mapping[str, Any], name: str, path: Path) -> list[dict[str, str]]:
    rows = given.get(name) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise NbaError(f"{path}: {name} must be a list of mappings")
    return rows


def _pairs(given: Mapping[str, Any], name: str, path: Path) -> list[tuple[str, str]]:
    rows = given.get(name) or []
    found = (
        [(row.get("hcp_id"), row.get("channel")) if isinstance(row, dict) else tuple(row) for row in rows]
        if isinstance(rows, list)
        else [()]
    )
    if not all(len(pair) == 2 and all(isinstance(part, str) and part for part in pair) for pair in found):
        raise NbaError(f"{path}: {name} must be a list of [hcp_id, channel]")
    return found


def _new_limit(row: Mapping[str, str], where: str, make: type[NewLimit]) -> NewLimit:
    bounds = [name for name in row if name in BOUNDS and name != "min_hcps"]
    keys = {name: _null(value) for name, value in row.items() if name in ("channel", "territory_id", "rep_id")}
    if len(bounds) != 1 or len(keys) + 1 != len(row):
        raise NbaError(
            f"{where}: give one of max_cost, max_minutes, max_actions, min_actions, and channel, territory_id, rep_id to narrow it"
        )
    how, amount = amount_of(row[bounds[0]], where)
    if how != "set":
        raise NbaError(f"{where}: {bounds[0]} {row[bounds[0]]} must be an amount without a sign: the limit is new")
    side, unit = BOUNDS[bounds[0]]
    return make(amount, side, unit, **keys)
