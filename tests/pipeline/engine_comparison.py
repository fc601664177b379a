"""What readers find in schema `published` on two engines, held side by side as the contract words it (section 6, parity).

Text, dates, booleans and whole numbers must be the same, doubles within 1e-6 relative, columns of the same kind in the same order, and
rows the same whatever their order. Tables are found in the databases, never listed here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from postgres_server import PostgresServer
from published_content import EXEMPT

ROOT = Path(__file__).resolve().parents[2]
RELATIVE = 1e-6
# Below this a number is the rest of a difference of two larger ones.
ABSOLUTE = 1e-12
KINDS = {
    "varchar": "text",
    "text": "text",
    "integer": "whole",
    "bigint": "whole",
    "double": "double",
    "double precision": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
    "timestamp without time zone": "timestamp",
}
COLUMNS = """
    select column_name, data_type
    from information_schema.columns
    where table_schema = '{}' and table_name = '{}'
    order by ordinal_position
"""
TABLES = "select table_name from information_schema.tables where table_schema = '{}' order by 1"
Query = Callable[[str], Sequence[tuple[Any, ...]]]


@dataclass(frozen=True)
class Published:
    """One table: `kinds` by column in order, without what the contract exempts, and rows in that order of columns."""

    kinds: Mapping[str, str]
    rows: Sequence[tuple[Any, ...]]


def promised_tables() -> set[str]:
    """The published tables as their properties name them, which the contract lists."""
    names = [yaml.safe_load(path.read_text())["models"][0] for path in sorted((ROOT / "models" / "published").glob("published__*.yml"))]
    return {model["config"]["alias"] for model in names}


def published_on_duckdb(db_path: Path, schema: str = "published") -> dict[str, Published]:
    import duckdb

    with duckdb.connect(str(db_path), read_only=True) as connection:
        return _published(lambda text: connection.execute(text).fetchall(), schema)


def published_on_postgres(server: PostgresServer, database: str, schema: str = "published") -> dict[str, Published]:
    return _published(lambda text: server.run_sql(database, text), schema)


def _published(query: Query, schema: str) -> dict[str, Published]:
    found = {}
    for (table,) in query(TABLES.format(schema)):
        kinds = {name: KINDS.get(given.lower(), given) for name, given in query(COLUMNS.format(schema, table)) if name not in EXEMPT}
        columns = ", ".join(f'"{name}"' for name in kinds)
        # of the history the runs that are compared: those of earlier builds may differ in number
        condition = "where is_published" if table == "plan_history" else ""
        found[table] = Published(kinds, query(f"select {columns} from {schema}.{table} {condition}"))
    return found


def differences(ours: Mapping[str, Published], theirs: Mapping[str, Published]) -> list[str]:
    """What is not equal, one line each; empty when the engines agree."""
    lines = [f"{table} is on one engine only" for table in sorted(set(ours) ^ set(theirs))]
    for table in sorted(set(ours) & set(theirs)):
        lines += [f"{table}: {line}" for line in _table_differences(ours[table], theirs[table])]
    return lines


def _table_differences(one: Published, other: Published) -> list[str]:
    if list(one.kinds.items()) != list(other.kinds.items()):
        return [f"columns {sorted(set(one.kinds.items()) ^ set(other.kinds.items())) or 'in another order'}"]
    exact = [place for place, kind in enumerate(one.kinds.values()) if kind != "double"]
    ours, theirs = (_by_exact_part(table.rows, exact) for table in (one, other))
    counts = [Counter({key: len(rows) for key, rows in found.items()}) for found in (ours, theirs)]
    lines = [f"{number} rows {key} on the first only" for key, number in list((counts[0] - counts[1]).items())[:3]]
    lines += [f"{number} rows {key} on the second only" for key, number in list((counts[1] - counts[0]).items())[:3]]
    if lines:
        return lines
    names = list(one.kinds)
    for key, rows in ours.items():
        for row, same in zip(rows, theirs[key], strict=True):
            apart = [names[place] for place in range(len(names)) if place not in exact and not _close(row[place], same[place])]
            lines += [f"{name} of {key}: {row[names.index(name)]!r} and {same[names.index(name)]!r}" for name in apart]
    return lines[:5]


def _by_exact_part(rows: Sequence[tuple[Any, ...]], exact: Sequence[int]) -> dict[tuple[Any, ...], list[tuple[Any, ...]]]:
    """Rows by all that must be the same; those that share it in the order of their doubles."""
    found: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(tuple(row[place] for place in exact), []).append(row)
    for same in found.values():
        same.sort(key=lambda row: [(value is not None, value if isinstance(value, float) else 0.0) for value in row])
    return found


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=RELATIVE, abs_tol=ABSOLUTE) or (math.isnan(one) and math.isnan(other))
