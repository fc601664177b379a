"""Reading the target's present tables and replacing them, all in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nba.errors import NbaError
from nba.load.tables import SCRATCH_SCHEMA
from nba.project import Contract, Table
from nba.warehouse import quoted

if TYPE_CHECKING:
    import duckdb

PROGRESS_ROWS = 100_000


def existing_rows(target: duckdb.DuckDBPyConnection, schema: str, contract: Contract) -> dict[str, int]:
    """Number of rows of every table of the contract that the schema holds already."""
    found = target.execute(
        "select lower(table_name), table_name from information_schema.tables where table_schema = ? and table_catalog = current_database()",
        [schema],
    ).fetchall()
    names = {lower: name for lower, name in found if lower in contract.names}
    return {lower: target.sql(f"select count(*) from {quoted(schema)}.{quoted(name)}").fetchall()[0][0] for lower, name in names.items()}


def copy_existing(target: duckdb.DuckDBPyConnection, schema: str, scratch: duckdb.DuckDBPyConnection, table: str) -> None:
    """Copy one table of the target as it is into the scratch database, so that the whole that will stand there is checked."""
    kept_rows = target.sql(f"select * from {quoted(schema)}.{quoted(table)}").to_arrow_reader(100_000)
    scratch.register("kept_rows", kept_rows)
    scratch.execute(f"create or replace table {SCRATCH_SCHEMA}.{quoted(table)} as select * from kept_rows")
    scratch.unregister("kept_rows")


def create_empty_sql(schema: str, table: Table, if_missing: bool = False) -> str:
    """The statement that creates one table of the contract without rows, every declared column typed."""
    columns = ", ".join(f"{quoted(column.name)} {column.data_type}" for column in table.columns)
    return f"create {'table if not exists' if if_missing else 'or replace table'} {quoted(schema)}.{quoted(table.name)} ({columns})"


def refuse_views(target: duckdb.DuckDBPyConnection, schema: str, tables: Iterable[str]) -> None:
    """A view of a table's name cannot be replaced by a table: say so before any work."""
    views = target.execute(
        "select lower(table_name) from information_schema.tables where table_schema = ? and table_type = 'VIEW'", [schema]
    ).fetchall()
    taken = sorted({name for (name,) in views} & set(tables))
    if taken:
        raise NbaError(
            f"schema {schema} holds views of these names: {', '.join(taken)}. Drop them or load into another --schema. Nothing was written."
        )


def replace_tables(
    target: duckdb.DuckDBPyConnection,
    scratch_file: Path,
    schema: str,
    tables: Mapping[str, int],
    say: Callable[[str], None],
) -> None:
    """Put the scratch database's tables into the target's schema in one transaction: all of them or, after any error or kill, none.

    `tables` maps each name to its number of rows, for the progress lines.
    """
    escaped = str(scratch_file).replace("'", "''")
    target.execute(f"attach '{escaped}' as nba_scratch (read_only)")
    try:
        target.execute("begin transaction")
        try:
            target.execute(f"create schema if not exists {quoted(schema)}")
            for name, rows in tables.items():
                target.execute(
                    f"create or replace table {quoted(schema)}.{quoted(name)} as select * from nba_scratch.{SCRATCH_SCHEMA}.{quoted(name)}"
                )
                if rows >= PROGRESS_ROWS:
                    say(f"writing {schema}.{name}: {rows:,} rows")
            target.execute("commit")
        except BaseException:
            target.execute("rollback")
            raise
    finally:
        target.execute("detach nba_scratch")
