"""DuckDB: one file, one writer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError
from nba.warehouse.names import quoted

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from nba.project import Table
    from nba.warehouse.door import StoredTable

BATCH_ROWS = 100_000


def open_file(path: Path, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to a DuckDB file; its folder is created. NbaError when another process holds it or it is no DuckDB file."""
    import duckdb

    try:
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
        return duckdb.connect(str(path), read_only=read_only)
    except (duckdb.Error, OSError) as error:
        text = " ".join(str(error).split())
        if "could not set lock" in text.lower():
            holder = text[text.find("(PID") :].split(")")[0] + ")" if "(PID" in text else ""
            raise NbaError(
                f"{path} is open in another process {holder}: close it (a DuckDB file has one writer) and run again".replace("  ", " ")
            ) from error
        raise NbaError(f"cannot open {path}: {text}") from error


class DuckDBWarehouse:
    """A DuckDB file behind the door; the file's own lock keeps other writers out."""

    engine = "duckdb"
    utc_now = "cast(current_timestamp at time zone 'UTC' as timestamp)"

    def __init__(self, path: Path, read_only: bool = False) -> None:
        from nba.warehouse.door import StoreLimits

        self.limits = StoreLimits("DuckDB")
        self.connection = open_file(path, read_only)

    def query(self, sql: str, values: Mapping[str, Any] | None = None) -> pa.Table:
        return self.connection.sql(sql, params=dict(values or {})).to_arrow_table()

    def rows(self, sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, dict(values or {})).fetchall()

    def execute(self, sql: str, values: Mapping[str, Any] | None = None) -> None:
        self.connection.execute(sql, dict(values or {}))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        import duckdb

        self.connection.execute("begin transaction")
        try:
            yield
        except BaseException:
            # an error as hard as a full disk has ended the transaction already, and its own text is the one to be read
            with suppress(duckdb.Error):
                self.connection.execute("rollback")
            raise
        self.connection.execute("commit")

    def tables(self, schema: str | None = None) -> list[StoredTable]:
        from nba.warehouse.door import StoredTable

        found = self.rows(
            "select table_schema, table_name, table_type = 'VIEW' from information_schema.tables "
            "where table_catalog = current_database() and table_schema = coalesce($schema, table_schema)",
            {"schema": schema},
        )
        return [StoredTable(*row) for row in found]

    def columns(self, schema: str, name: str) -> list[str]:
        return [row[0].lower() for row in self.rows(f"describe {quoted(schema)}.{quoted(name)}")]

    def batches(self, schema: str, name: str) -> pa.RecordBatchReader:
        return self.connection.sql(f"select * from {quoted(schema)}.{quoted(name)}").to_arrow_reader(BATCH_ROWS)

    def quoted(self, name: str) -> str:
        return quoted(name)

    def create_schema(self, schema: str) -> None:
        self.execute(f"create schema if not exists {quoted(schema)}")

    def create_table(self, schema: str, table: Table) -> None:
        columns = ", ".join(f"{quoted(column.name)} {column.data_type}" for column in table.columns)
        self.execute(f"create table {quoted(schema)}.{quoted(table.name)} ({columns})")

    def hold(self, schema: str) -> None:
        """Nothing to do: nobody else can open the file."""

    def replace_tables(self, scratch_file: Path, schema: str, tables: Sequence[Table], done: Callable[[str], None]) -> None:
        import duckdb

        escaped = str(scratch_file).replace("'", "''")
        self.execute(f"attach '{escaped}' as nba_scratch (read_only)")
        try:
            with self.transaction():
                self.create_schema(schema)
                for table in tables:
                    name = quoted(table.name)
                    self.execute(f"create or replace table {quoted(schema)}.{name} as select * from nba_scratch.raw.{name}")
                    done(table.name)
        finally:
            with suppress(duckdb.Error):
                self.execute("detach nba_scratch")

    def close(self) -> None:
        self.connection.close()
