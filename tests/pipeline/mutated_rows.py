"""What the generator of mutated folders does to names, columns, cells, rows and rules."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING, Any

from hostile_texts import HOSTILE

if TYPE_CHECKING:
    from mutated_folders import Given

Change = Callable[["Given", Random, int], None]
ODD_COLUMNS = ("order", "select", "it's", "a b", 'a"b', "", "Größe", "x" * 80, "1st", "{{ x }}", "xmin", "c0", "hcp_id ", "rowid")
DATES = ("31.12.2025", "2025-02-30", "12/31/2025", "0001-01-01", "9999-12-31", "2025-13-01", "20250106", "soon", "1e9")
NUMBERS = (1e300, -1e300, 1e13, 3e9, 2**63, -1, -0.0, 0.5, 1e-300, float("nan"), float("inf"), float("-inf"), "abc", "1,5", "١٢", "0x10")


def _rows(given: Given, random: Random, share: float = 0.2) -> list[list[Any]]:
    """A few rows, at least one."""
    if not given.rows:
        return []
    return random.sample(given.rows, max(1, min(len(given.rows), int(len(given.rows) * share * random.random()))))


def _of_kind(given: Given, random: Random, *kinds: type) -> int | None:
    """A column that holds a value of one of these types; None where there is none."""
    fits = [place for place in range(len(given.names)) if any(type(row[place]) in kinds for row in given.rows[:50])]
    return random.choice(fits) if fits else None


def set_cells(value: Callable[[Any, int], Any], *kinds: type, share: float = 0.2) -> Change:
    """A change of some cells of one column of the given types (none given: of any)."""

    def change(given: Given, random: Random, variant: int) -> None:
        place = _of_kind(given, random, *kinds) if kinds else random.randrange(len(given.names)) if given.names else None
        if place is not None:
            for row in _rows(given, random, share):
                row[place] = value(row[place], variant)

    return change


def every_cell(value: Callable[[Any, int], Any], *kinds: type) -> Change:
    def change(given: Given, random: Random, variant: int) -> None:
        place = _of_kind(given, random, *kinds) if kinds else random.randrange(len(given.names)) if given.names else None
        for row in given.rows if place is not None else ():
            row[place] = value(row[place], variant)

    return change


def drop_column(given: Given, random: Random, variant: int) -> None:
    place = random.randrange(len(given.names))
    given.names.pop(place)
    for row in given.rows:
        row.pop(place)


def double_column(given: Given, random: Random, variant: int) -> None:
    """The same column twice, under the same name, another case, or blanks around it."""
    place = random.randrange(len(given.names))
    given.names.append((given.names[place], given.names[place].upper(), f" {given.names[place]} ")[variant % 3])
    for row in given.rows:
        row.append(row[place])


def rename_column(given: Given, random: Random, variant: int) -> None:
    place = random.randrange(len(given.names))
    name = given.names[place]
    given.names[place] = (name.upper(), f"  {name}", name.replace("_", " "), f"{name}_", name + "\u200b", *ODD_COLUMNS)[
        variant % (5 + len(ODD_COLUMNS))
    ]


def odd_columns(given: Given, random: Random, variant: int) -> None:
    """Columns that the contract does not know, some with names that SQL does not like."""
    for turn in range(1 + variant % 3):
        given.names.append(ODD_COLUMNS[(variant + turn) % len(ODD_COLUMNS)])
        values = ("a", "'", '"', "{{ 1 }}", "; drop table x", None, "1", "0.5")
        for row in given.rows:
            row.append(random.choice(values))


def shuffle_columns(given: Given, random: Random, variant: int) -> None:
    order = random.sample(range(len(given.names)), len(given.names))
    given.names[:] = [given.names[place] for place in order]
    for row in given.rows:
        row[:] = [row[place] for place in order]


def swap_columns(given: Given, random: Random, variant: int) -> None:
    if len(given.names) > 1:
        one, other = random.sample(range(len(given.names)), 2)
        for row in given.rows:
            row[one], row[other] = row[other], row[one]


def double_rows(given: Given, random: Random, variant: int) -> None:
    given.rows += [list(row) for row in _rows(given, random)]


def drop_rows(given: Given, random: Random, variant: int) -> None:
    gone = {id(row) for row in _rows(given, random, 1.5)}
    given.rows[:] = [row for row in given.rows if id(row) not in gone]


def shift_periods(given: Given, random: Random, variant: int) -> None:
    """Some periods on other days: mixed grains, another grid, or far away."""
    place = _of_kind(given, random, datetime.date)
    if place is not None:
        days = (1, 3, 7, -7, 28, 365, -3650, 100000)[variant % 8]
        for row in given.rows if variant % 2 else _rows(given, random):
            if isinstance(row[place], datetime.date):
                row[place] = row[place] + datetime.timedelta(days=days)


def last_periods(given: Given, random: Random, variant: int) -> None:
    """Only the newest or only the oldest periods."""
    place = _of_kind(given, random, datetime.date)
    if place is not None:
        starts = sorted({row[place] for row in given.rows if row[place] is not None})
        kept = set(starts[-(1 + variant % 6) :] if variant % 2 else starts[: 1 + variant % 12])
        given.rows[:] = [row for row in given.rows if row[place] in kept]


COLUMN_CHANGES: Mapping[str, Change] = {
    "drop_column": drop_column,
    "double_column": double_column,
    "rename_column": rename_column,
    "odd_columns": odd_columns,
    "shuffle_columns": shuffle_columns,
    "swap_columns": swap_columns,
    "empty_column": every_cell(lambda cell, variant: None),
    "column_of_text": every_cell(lambda cell, variant: ("x", "true", "2025-01-06", "1", " ")[variant % 5]),
    "column_as_text": every_cell(
        lambda cell, variant: None if cell is None else (f" {cell} ", f"{cell}.0", f"+{cell}")[variant % 3], int, float
    ),
}
CELL_CHANGES: Mapping[str, Change] = {
    "null_cells": set_cells(lambda cell, variant: None),
    "blank_cells": set_cells(lambda cell, variant: ("", " ", "\t", "NULL", "n/a", "\u00a0")[variant % 6]),
    "wrong_numbers": set_cells(lambda cell, variant: NUMBERS[variant % len(NUMBERS)], int, float),
    "every_number": every_cell(lambda cell, variant: NUMBERS[variant % len(NUMBERS)], int, float),
    "negative": every_cell(lambda cell, variant: None if cell is None else -cell, int, float),
    "huge": every_cell(lambda cell, variant: None if cell is None else cell * (10.0 ** (variant % 16)), int, float),
    "wrong_dates": set_cells(lambda cell, variant: DATES[variant % len(DATES)], datetime.date),
    "time_of_day": set_cells(lambda cell, variant: f"{cell} {('00:00:00', '08:30:00', '25:00')[variant % 3]}", datetime.date),
    "future": set_cells(lambda cell, variant: cell and cell + datetime.timedelta(days=7 * (1 + variant % 900)), datetime.date),
    "hostile_text": set_cells(lambda cell, variant: HOSTILE[variant % len(HOSTILE)], str),
    "hostile_everywhere": every_cell(lambda cell, variant: cell and f"{cell}{HOSTILE[variant % len(HOSTILE)]}", str),
    "one_text": every_cell(lambda cell, variant: HOSTILE[variant % len(HOSTILE)], str),
    "other_case": set_cells(lambda cell, variant: cell and (cell.upper(), f" {cell}", cell.lower())[variant % 3], str),
    "booleans": every_cell(lambda cell, variant: ("yes", "maybe", "1", None)[variant % 4], bool),
}
ROW_CHANGES: Mapping[str, Change] = {
    "double_rows": double_rows,
    "drop_rows": drop_rows,
    "shuffle_rows": lambda given, random, variant: random.shuffle(given.rows),
    "header_only": lambda given, random, variant: given.rows.clear(),
    "first_rows": lambda given, random, variant: given.rows.__delitem__(slice(1 + variant % 5, None)),
    "shift_periods": shift_periods,
    "last_periods": last_periods,
}

RULE_ROWS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "rule_budget": (
        {"channel": "telepathy", "max_cost": 5.0},
        {"max_cost": 0.0},
        {"max_cost": -1.0},
        {"territory_id": "*", "max_cost": 1.0},
    ),
    "rule_channel_capacity": (
        {"channel": "email", "min_actions": 5.0, "max_actions": 2.0},
        {"channel": "email", "min_actions": 400.0},
        {"channel": "*", "max_actions": 0.0},
        {"channel": "email", "territory_id": "nowhere", "min_actions": 3.0},
    ),
    "rule_contact_limit": (
        {"max_actions": 0.0},
        {"attribute": "shoe_size", "value": "4", "max_actions": 1.0},
        {"max_actions": 1.0, "window_days": 400},
    ),
    "rule_coverage_floor": (
        {"channel": "*", "min_hcps": 500.0, "hardness": "hard"},
        {"attribute": "decile", "operator": ">=", "value": "many", "min_hcps": 1.0},
        {"attribute": "specialty", "operator": "in", "value": "a|'|;", "min_hcps": 1.0},
    ),
    "rule_override": (
        {"hcp_id": "H0000001", "channel": "email", "action": "pin"},
        {"hcp_id": "H0000001", "channel": "email", "action": "forbid"},
        {"hcp_id": "*", "channel": "*", "action": "forbid", "reason": "'); drop table x; --"},
        {"hcp_id": "nobody", "channel": "email", "action": "pin"},
    ),
    "rule_exclusion": ({"hcp_id": None, "channel": None, "reason": "{{ all }}"}, {"hcp_id": "*", "channel": "email"}),
    "rule_min_gap": ({"last_channel": "*", "channel": "*", "min_days": 4000}, {"last_channel": "fax", "channel": "email", "min_days": 1}),
    "rule_holdout": (
        {"arm": "control", "share": 1.0},
        {"arm": "explore", "share": 0.9, "resource_share": 0.0},
        {"arm": "pilot", "share": 0.1},
    ),
    "rule_rep_capacity": ({"rep_id": "*", "max_minutes": 0.0}, {"rep_id": "R", "channel": "email", "max_minutes": 1.0}),
    "rule_incompatible": ({"channel_a": "email", "channel_b": "email"}, {"channel_a": "*", "channel_b": "email"}),
    "rule_access": ({"rep_access": "*", "channel": "*"}, {"rep_access": "never", "channel": "email"}),
    "rule_channel_window": (
        {"channel": "email", "available_from": datetime.date(2030, 1, 1), "available_to": datetime.date(2020, 1, 1)},
        {"channel": "*", "available_from": datetime.date(1990, 1, 1), "available_to": datetime.date(1990, 1, 2)},
    ),
    "rule_consent": (
        {"hcp_id": None, "channel": None, "status": "opt_out"},
        {"hcp_id": "H0000001", "channel": "email", "status": "perhaps"},
    ),
}


def add_rule(tables: dict[str, Given], place: int, variant: int) -> None:
    """One row more in a rule table: unknown channels, bounds that contradict each other or that nobody can keep."""
    name = sorted(RULE_ROWS)[place % len(RULE_ROWS)]
    if name in tables:
        row = RULE_ROWS[name][variant % len(RULE_ROWS[name])]
        tables[name].rows.append([row.get(column) for column in tables[name].names])


def empty_rules(tables: dict[str, Given], place: int, variant: int) -> None:
    """No consent at all, or no rule of any kind."""
    for name in ("rule_consent",) if variant % 2 else [name for name in tables if name.startswith("rule_")]:
        if name in tables:
            tables[name].rows.clear()


def all_rules_lost(tables: dict[str, Given], place: int, variant: int) -> None:
    for name in [name for name in tables if name.startswith("rule_")]:
        del tables[name]


def two_rules(tables: dict[str, Given], place: int, variant: int) -> None:
    for turn in range(2):
        add_rule(tables, place, variant + turn)


def every_rule(tables: dict[str, Given], place: int, variant: int) -> None:
    for turn in range(place % (len(RULE_ROWS) + 1)):
        add_rule(tables, turn, variant)


RULE_CHANGES: Mapping[str, Callable[[dict[str, Any], int, int], None]] = {
    "add_rule": add_rule,
    "two_rules": two_rules,
    "every_rule": every_rule,
    "empty_rules": empty_rules,
    "all_rules_lost": all_rules_lost,
}
