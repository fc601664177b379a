"""Snowflake through its connector: names in upper case, rows in Arrow, writes staged first and then put in place in one transaction.

Tried on an emulated account, never on a live one (docs/snowflake_live.md). DDL commits on Snowflake: a load that is killed changes no
row that was there, but tables that were missing may already stand there, empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError
from nba.warehouse.names import quoted, with_placeholders
from nba.warehouse.target import Target

if TYPE_CHECKING:
    import pyarrow as pa

    from nba.project import Table
    from nba.warehouse.door import StoredTable

LONGEST_NAME = 255
STAGED = "NBA_LOAD_"  # temporary tables of one load


def connection_settings(target: Target) -> dict[str, Any]:
    """What the connector is told, from the target's entries by dbt-snowflake's own reading of them."""
    from dbt.adapters.snowflake.connections import SnowflakeCredentials

    entries = {name: value for name, value in target.settings.items() if name not in ("type", "threads") and value is not None}
    credentials = SnowflakeCredentials.from_dict(SnowflakeCredentials.translate_aliases(entries))
    names = ("account", "database", "schema", "warehouse", "role", "host", "port", "protocol")
    found = {name: value for name in names if (value := getattr(credentials, name, None)) not in (None, "")}
    return {**found, "autocommit": True, "application": "nba", **credentials.auth_args()}


class SnowflakeWarehouse:
    """A Snowflake database behind the door. `tables` and `columns` give names in lower case, `quoted` writes them in upper case."""

    engine = "snowflake"
    utc_now = "cast(convert_timezone('UTC', current_timestamp()) as timestamp_ntz)"

    def __init__(self, target: Target, reader: str | None = None) -> None:
        """`reader`: role that may read the tables that are created here."""
        from nba.warehouse.door import StoreLimits

        try:
            import snowflake.connector
        except ImportError as error:
            raise NbaError(f"target {target.name} needs dbt-snowflake and its connector: install requirements/snowflake.lock") from error
        self.limits = StoreLimits("Snowflake", LONGEST_NAME)
        self.place, self.reader = f"target {target.name}", reader
        try:
            self.connection = snowflake.connector.connect(**connection_settings(target))
        except snowflake.connector.Error as error:
            raise NbaError(f"cannot open target {target.name}: {' '.join(str(error).split())}") from error

    def query(self, sql: str, values: Mapping[str, Any] | None = None) -> pa.Table:
        with self.connection.cursor() as cursor:
            cursor.execute(*_written(sql, values))
            found = cursor.fetch_arrow_all(force_return_table=True)
        return found.rename_columns([name.lower() for name in found.column_names])

    def rows(self, sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            return [tuple(row) for row in cursor.execute(*_written(sql, values)).fetchall()]

    def execute(self, sql: str, values: Mapping[str, Any] | None = None) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(*_written(sql, values))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Rows only: DDL inside commits what came before it."""
        self.execute("begin")
        try:
            yield
        except BaseException:
            self.execute("rollback")
            raise
        self.execute("commit")

    def tables(self, schema: str | None = None) -> list[StoredTable]:
        from nba.warehouse.door import StoredTable

        found = self.rows(
            "select table_schema, table_name, table_type = 'VIEW' from information_schema.tables "
            "where table_schema <> 'INFORMATION_SCHEMA' and table_schema = coalesce(upper($schema), table_schema)",
            {"schema": schema},
        )
        return [StoredTable(schema.lower(), name.lower(), bool(is_view)) for schema, name, is_view in found]

    def columns(self, schema: str, name: str) -> list[str]:
        found = self.rows(
            "select lower(column_name) from information_schema.columns "
            "where table_schema = upper($schema) and table_name = upper($name) order by ordinal_position",
            {"schema": schema, "name": name},
        )
        return [column for (column,) in found]

    def batches(self, schema: str, name: str) -> pa.RecordBatchReader:
        return self.query(f"select * from {self._place(schema, name)}").to_reader()

    def quoted(self, name: str) -> str:
        return quoted(name.upper())

    def create_schema(self, schema: str) -> None:
        self.execute(f"create schema if not exists {self.quoted(schema)}")

    def create_table(self, schema: str, table: Table) -> None:
        columns = ", ".join(f"{self.quoted(column.name)} {column.data_type}" for column in table.columns)
        self.execute(f"create table {self._place(schema, table.name)} ({columns})")
        if self.reader:
            self.execute(f"grant select on table {self._place(schema, table.name)} to role {self.quoted(self.reader)}")

    def hold(self, schema: str) -> None:
        """Not kept: two loads at once replace the rows one after the other, each whole."""

    def replace_tables(self, scratch_file: Path, schema: str, tables: Sequence[Table], done: Callable[[str], None]) -> None:
        from nba.warehouse.duckdb_file import DuckDBWarehouse

        scratch = DuckDBWarehouse(scratch_file, read_only=True)
        try:
            self.create_schema(schema)
            names = {table.name: self._stage(schema, table, scratch) for table in tables}
        finally:
            scratch.close()
        with self.transaction():
            for name, columns in names.items():
                listed = ", ".join(self.quoted(column) for column in columns)
                self.execute(f"delete from {self._place(schema, name)}")
                self.execute(
                    f"insert into {self._place(schema, name)} ({listed}) select {listed} from {self._place(schema, STAGED + name)}"
                )
                done(name)
        for name in names:
            self.execute(f"drop table {self._place(schema, STAGED + name)}")

    def close(self) -> None:
        self.connection.close()

    def _stage(self, schema: str, table: Table, scratch: Any) -> list[str]:
        """Put a table's rows into a temporary one, create the lasting one where it is missing; the names of the columns."""
        from snowflake.connector.pandas_tools import write_pandas

        staged = self._place(schema, STAGED + table.name)
        declared = {column.name: column.data_type for column in table.columns}
        types = {column: declared.get(column, str(kind).lower()) for column, kind, *_ in scratch.rows(f"describe raw.{quoted(table.name)}")}
        columns = ", ".join(f"{self.quoted(column)} {kind}" for column, kind in types.items())
        self.execute(f"create or replace temporary table {staged} ({columns})")
        there = self.columns(schema, table.name)
        if there and set(there) != set(types):
            raise NbaError(f"{schema}.{table.name} gets other columns: drop it first. No row was changed")
        if not there:
            self.execute(f"create table {self._place(schema, table.name)} ({columns})")
        for batch in scratch.batches("raw", table.name):
            frame = batch.to_pandas().rename(columns=str.upper)
            if len(frame):
                write_pandas(
                    self.connection,
                    frame,
                    (STAGED + table.name).upper(),
                    schema=schema.upper(),
                    quote_identifiers=True,
                    use_logical_type=True,
                )
        return list(types)

    def _place(self, schema: str, name: str) -> str:
        return f"{self.quoted(schema)}.{self.quoted(name)}"


def _written(sql: str, values: Mapping[str, Any] | None) -> tuple[str, dict[str, Any] | None]:
    """The statement in the connector's notation, and its values."""
    if not values:
        return sql, None
    return with_placeholders(sql.replace("%", "%%"), "%({})s".format), dict(values)
