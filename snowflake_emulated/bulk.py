"""Rows in bulk, put into DuckDB directly: INSERT ... VALUES with thousands of rows, as dbt sends its seeds (fakesnow takes minutes over
it), and COPY INTO of Parquet files on a stage, as Snowpark writes frames (fakesnow does not read its stage name)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

INSERT = re.compile(r"insert\s+(?P<over>overwrite\s+)?into\s+(?P<table>[\w.\"]+)\s*\((?P<columns>[^)]*)\)\s*values\s*", re.IGNORECASE)
VALUE = re.compile(r"\s*('(?:[^'\\]|\\.|'')*'|[^,()']+)\s*([,)])\s*", re.DOTALL)
COPY = re.compile(
    r"copy\s+into\s+(?P<table>[\w.\"]+)\s*\((?P<columns>[^)]*)\)\s*from\s*\(\s*select\s.*?from\s+'@(?P<stage>[\w.\"]+)/?'\s*\)"
    r"\s*file_format\s*=\s*\(\s*type\s*=\s*parquet",
    re.IGNORECASE | re.DOTALL,
)
COPIED = (
    'select \'{file}\' as "file", \'LOADED\' as "status", {rows} as "rows_parsed", {rows} as "rows_loaded", 1 as "error_limit", '
    '0 as "errors_seen", null as "first_error", null as "first_error_line", null as "first_error_character", '
    'null as "first_error_column_name"'
)
ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "b": "\b", "f": "\f"}


def insert_values(plain: str, connection: Any) -> int | None:
    """Rows inserted through the DuckDB connection of the session; None for any other statement, which then goes the usual way."""
    found = INSERT.match(plain[:4000])
    if found is None or len(plain) < 2000:
        return None
    import pyarrow as pa

    rows = _rows(plain, found.end())
    columns = [name.strip().strip('"').upper() for name in found["columns"].split(",")]
    if rows is None or any(len(row) != len(columns) for row in rows):
        return None
    table = found["table"].upper()
    given = pa.table({f"c{n}": pa.array([row[n] for row in rows], pa.string()) for n in range(len(columns))})
    names = ", ".join(f'"{name}"' for name in columns)
    connection.register("given_rows", given)
    try:
        if found["over"]:
            connection.execute(f"delete from {table}")
        connection.execute(f"insert into {table} ({names}) select * from given_rows")
    finally:
        connection.unregister("given_rows")
    return len(rows)


def copy_parquet(plain: str, connection: Any, stages: Path, database: str) -> str | None:
    """The answer to a COPY of Parquet files after it is done; None for any other statement.

    stages: the folder of all stages; database: of the session.
    """
    found = COPY.match(plain)
    if found is None:
        return None
    parts = [part.strip('"') for part in found["stage"].split(".")]
    folder = stages.joinpath(*([database, *parts] if len(parts) == 2 else parts))
    columns = ", ".join(one.strip() for one in found["columns"].split(","))
    said = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        rows = connection.execute(
            f"insert into {found['table']} ({columns}) select {columns} from read_parquet(?)", [str(path)]
        ).fetchone()[0]
        said.append(COPIED.format(file=path.name, rows=rows))
        path.unlink()
    return " union all ".join(said)


def _rows(plain: str, at: int) -> list[list[str | None]] | None:
    """The literal rows from this place on; None when there is anything but literals."""
    rows: list[list[str | None]] = []
    while at < len(plain):
        if plain[at] != "(":
            return None
        at, row, closed = at + 1, [], False
        while not closed:
            found = VALUE.match(plain, at)
            if found is None:
                return None
            row.append(_value(found[1].strip()))
            at, closed = found.end(), found[2] == ")"
        rows.append(row)
        at += len(plain[at : at + 1]) if plain[at : at + 1] == "," else 0
        while at < len(plain) and plain[at].isspace():
            at += 1
    return rows


def _value(literal: str) -> str | None:
    if literal.upper() == "NULL":
        return None
    if not literal.startswith("'"):
        return literal
    return re.sub(r"\\(.)|''", lambda one: ESCAPED.get(one[1], one[1]) if one[1] else "'", literal[1:-1], flags=re.DOTALL)
