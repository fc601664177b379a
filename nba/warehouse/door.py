"""What a command may do with a warehouse, whatever its engine: read a query as Arrow, run statements, list tables, replace tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nba.errors import NbaError
from nba.warehouse.target import Target, resolve_target

if TYPE_CHECKING:
    import pyarrow as pa

    from nba.project import Table

BUILD_FIRST = "run `dbt build` first"
QUOTED_NAME = re.compile(r'"((?:[^"]|"")*)"')


@dataclass(frozen=True)
class StoredTable:
    """A table or view as the catalogue has it, under its own name."""

    schema: str
    name: str
    is_view: bool


@dataclass(frozen=True)
class StoreLimits:
    """What an engine cannot store. `engine`: its name in a message; `name_bytes`: longest column name, None = any; `columns`: most
    columns of a table, None = any; `reserved`: column names of its own; `takes_zero_byte`: whether text may hold the character 0;
    `tells_case`: whether names that differ by case are different names."""

    engine: str
    name_bytes: int | None = None
    columns: int | None = None
    reserved: frozenset[str] = frozenset()
    takes_zero_byte: bool = True
    tells_case: bool = False


class Warehouse(Protocol):
    """One open target. Queries take `$name` placeholders and a mapping of their values; names come in the engine's own case.

    `engine`: `duckdb`, `postgres` or `snowflake`; `limits`: what it cannot store; `utc_now`: SQL of the moment in UTC as a timestamp
    without a zone.
    """

    engine: str
    limits: StoreLimits
    utc_now: str

    def query(self, sql: str, values: Mapping[str, Any] | None = None) -> pa.Table:
        """The rows of a query as Arrow, column names in lower case."""

    def rows(self, sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a small query, inside the open transaction where there is one."""

    def execute(self, sql: str, values: Mapping[str, Any] | None = None) -> None:
        """One statement."""

    def transaction(self) -> AbstractContextManager[None]:
        """What runs inside happens whole, or after an error or a kill not at all."""

    def tables(self, schema: str | None = None) -> list[StoredTable]:
        """Tables and views of a schema (None: of all); without rights on a schema they are still listed."""

    def columns(self, schema: str, name: str) -> list[str]:
        """Column names of a table or view, in lower case, in their order."""

    def batches(self, schema: str, name: str) -> pa.RecordBatchReader:
        """A whole table, a part at a time."""

    def quoted(self, name: str) -> str:
        """A name as a quoted identifier of this engine."""

    def create_schema(self, schema: str) -> None:
        """Create a schema that is not there."""

    def create_table(self, schema: str, table: Table) -> None:
        """Create a table of the contract without rows, every declared column typed."""

    def hold(self, schema: str) -> None:
        """Keep other commands from writing into a schema until this connection closes; NbaError when another one does."""

    def replace_tables(self, scratch_file: Path, schema: str, tables: Sequence[Table], done: Callable[[str], None]) -> None:
        """Put those tables of `raw` of a scratch DuckDB file into the schema, all or nothing; `done(name)` after each."""

    def close(self) -> None:
        """Close the connection; an open transaction is undone."""


@dataclass(frozen=True)
class Relation:
    """A table or view of a warehouse that is read when asked for, with the part of DuckDB's relations that the planner uses."""

    warehouse: Warehouse
    schema: str
    name: str
    selected: tuple[str, ...] | None = None
    condition: str = ""

    @property
    def columns(self) -> list[str]:
        return list(self.selected) if self.selected is not None else self.warehouse.columns(self.schema, self.name)

    def project(self, names: str) -> Relation:
        """Only these columns: quoted names separated by commas."""
        return replace(self, selected=tuple(name.replace('""', '"') for name in QUOTED_NAME.findall(names)))

    def filter(self, condition: str) -> Relation:
        """Only the rows where an SQL condition holds."""
        return replace(self, condition=f"{self.condition} and ({condition})" if self.condition else f"({condition})")

    def to_arrow_table(self) -> pa.Table:
        """The rows, read now."""
        quoted = self.warehouse.quoted
        names = "*" if self.selected is None else ", ".join(quoted(name) for name in self.selected)
        where = f" where {self.condition}" if self.condition else ""
        return self.warehouse.query(f"select {names} from {quoted(self.schema)}.{quoted(self.name)}{where}")


def connect(target: str | None, project_dir: Path, reader: str | None = None) -> Warehouse:
    """A target of the project's profile (None = its default) opened for writing; NbaError says why it cannot be.

    `reader`: role that may read what is created on this connection, where the engine has roles.
    """
    return open_target(resolve_target(target, project_dir), read_only=False, reader=reader)


@contextmanager
def reading(target: str | None, project_dir: Path, otherwise: str = BUILD_FIRST) -> Iterator[Warehouse]:
    """A connection that cannot write and that sees one state throughout; NbaError with what to do `otherwise` where nothing is there."""
    resolved = resolve_target(target, project_dir)
    if resolved.engine == "duckdb" and not resolved.path.is_file():
        raise NbaError(f"there is no warehouse at {resolved.path}: {otherwise}")
    warehouse = open_target(resolved, read_only=True)
    try:
        yield warehouse
    finally:
        warehouse.close()


def open_target(target: Target, read_only: bool, reader: str | None = None) -> Warehouse:
    """The warehouse class of the target's engine, connected."""
    if target.engine == "postgres":
        from nba.warehouse.postgres import PostgresWarehouse

        return PostgresWarehouse(target, read_only, reader)
    if target.engine == "snowflake":
        from nba.warehouse.snowflake import SnowflakeWarehouse

        return SnowflakeWarehouse(target, reader)
    from nba.warehouse.duckdb_file import DuckDBWarehouse

    return DuckDBWarehouse(target.path, read_only)
