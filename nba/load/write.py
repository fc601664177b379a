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

    from nba.warehouse import Warehouse

PROGRESS_ROWS = 100_000


def existing_rows(target: Warehouse, schema: str, contract: Contract) -> dict[str, int]:
    """Number of rows of every table of the contract that the schema holds already."""
    there = [table.name for table in target.tables(schema) if table.name.lower() in contract.names]
    other = sorted(name for name in there if target.limits.tells_case and name != name.lower())
    if other:
        raise NbaError(f"schema {schema} holds {', '.join(other)}: the names of the contract are in small letters, rename them first")
    count = f"select count(*) from {target.quoted(schema)}."
    return {name.lower(): target.rows(count + target.quoted(name))[0][0] for name in there}


def copy_existing(target: Warehouse, schema: str, scratch: duckdb.DuckDBPyConnection, table: str) -> None:
    """Copy one table of the target as it is into the scratch database, so that the whole that will stand there is checked."""
    scratch.register("kept_rows", target.batches(schema, table))
    scratch.execute(f"create or replace table {SCRATCH_SCHEMA}.{quoted(table)} as select * from kept_rows")
    scratch.unregister("kept_rows")


def create_empty_sql(schema: str, table: Table) -> str:
    """The statement that creates one table of the contract without rows in the scratch database, every declared column typed."""
    columns = ", ".join(f"{quoted(column.name)} {column.data_type}" for column in table.columns)
    return f"create or replace table {quoted(schema)}.{quoted(table.name)} ({columns})"


def refuse_views(target: Warehouse, schema: str, tables: Iterable[str]) -> None:
    """A view of a table's name cannot be replaced by a table: say so before any work."""
    taken = sorted({table.name.lower() for table in target.tables(schema) if table.is_view} & set(tables))
    if taken:
        raise NbaError(
            f"schema {schema} holds views of these names: {', '.join(taken)}. Drop them or load into another --schema. Nothing was written."
        )


def replace_tables(
    target: Warehouse,
    scratch_file: Path,
    schema: str,
    tables: Mapping[Table, int],
    say: Callable[[str], None],
    prefix: str = "",
) -> None:
    """Put the scratch database's tables into the target's schema in one transaction: all of them or, after any error or kill, none.

    `tables` maps each table to its number of rows, for the progress lines and the audit log of the rooms with that prefix.
    """
    from nba.audit import record

    rows = {table.name: count for table, count in tables.items()}
    waiting = set(rows)

    def done(name: str) -> None:
        waiting.discard(name)
        if not waiting:
            # in the same transaction: what stands there is told, and what is told stands there
            record(target, prefix, "inputs_loaded", schema, {"tables": rows})
        if rows[name] >= PROGRESS_ROWS:
            say(f"writing {schema}.{name}: {rows[name]:,} rows")

    target.replace_tables(scratch_file, schema, list(tables), done)
