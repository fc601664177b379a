"""Schema `published` as plain rows, from either engine, and how two of them differ (contract, section 6: parity)."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

# a login is that of one account, and the run that rules are compared with is another one there
EXEMPT = {"run_id", "base_run_id", "changed_by", "published_at", "seconds", "code_version", "model_version"}
RELATIVE = 1e-6
Published = dict[str, tuple[list[str], list[tuple[Any, ...]]]]  # table -> (columns, rows in one order)


def of_duckdb(connection: Any, schema: str = "published") -> Published:
    """Every table of the schema."""
    tables = connection.execute("select table_name from information_schema.tables where table_schema = ? order by 1", [schema]).fetchall()
    found = {}
    for (name,) in tables:
        read = connection.execute(f"select * from {schema}.{name} {_which(name)}")
        columns = [column[0].lower() for column in read.description]
        found[name] = in_one_order(columns, read.fetchall())
    return found


def of_snowflake(connection: Any, schema: str = "published") -> Published:
    """Every view of the schema, by the connector."""
    cursor = connection.cursor()
    listed = cursor.execute(
        f"select table_name from information_schema.views where table_schema = '{schema.upper()}' order by 1"
    ).fetchall()
    found = {}
    for (name,) in listed:
        read = cursor.execute(f"select * from {schema}.{name} {_which(name.lower())}")
        columns = [column[0].lower() for column in read.description]
        found[name.lower()] = in_one_order(columns, read.fetchall())
    return found


def differences(one: Published, other: Published) -> list[str]:
    """In words, at most a few per table; empty when the two are equal by the contract."""
    said = [f"table {name} is on one side only" for name in sorted(set(one) ^ set(other))]
    for name in sorted(set(one) & set(other)):
        (columns, rows), (other_columns, other_rows) = one[name], other[name]
        if columns != other_columns:
            said.append(f"{name}: columns {columns} and {other_columns}")
        elif len(rows) != len(other_rows):
            said.append(f"{name}: {len(rows)} and {len(other_rows)} rows")
        else:
            pairs = (
                (row, column, a, b)
                for row, (left, right) in enumerate(zip(rows, other_rows, strict=True))
                for column, a, b in zip(columns, left, right, strict=True)
            )
            unequal = [f"{name}.{column} row {row}: {a!r} and {b!r}" for row, column, a, b in pairs if not _same(a, b)]
            said += [*unequal[:5], *([f"{name}: {len(unequal)} values differ"] if len(unequal) > 5 else [])]
    return said


def _which(name: str) -> str:
    return "where is_published" if name == "plan_history" else ""


def in_one_order(columns: list[str], rows: list[tuple[Any, ...]]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Rows without the exempt columns, plain values, in an order that both engines give."""
    kept = [place for place, name in enumerate(columns) if name not in EXEMPT]
    plain = [tuple(_plain(row[place]) for place in kept) for row in rows]
    return [columns[place] for place in kept], sorted(plain, key=_place)


def _place(row: tuple[Any, ...]) -> tuple[list[str], list[str]]:
    """Rows are ordered by texts, dates and booleans, then by numbers without the digits in which engines may differ."""
    numbers = [value for value in row if isinstance(value, (int, float)) and not isinstance(value, bool)]
    others = [value for value in row if value is None or isinstance(value, (str, date, bool))]
    return [f"{'0' if value is None else '1'}{value}" for value in others], [f"{value:.5e}" for value in numbers]


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bool) or value is None or isinstance(value, (str, datetime, date)):
        return value
    return float(value) if isinstance(value, float) or hasattr(value, "dtype") else value


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, (int, float)) and isinstance(b, (int, float)) and not isinstance(a, bool):
        return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=1e-9) or (a != a and b != b)
    return type(a) is type(b) and a == b
