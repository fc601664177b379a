"""PostgreSQL: dbt's own settings and connections, reads in Arrow, writes by COPY in one transaction.

Settings, reading and copying are those of the adapter (pgpy/dbt/adapters/pgpy), which Python models use as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError
from nba.warehouse import postgres_catalogue as catalogue
from nba.warehouse.names import quoted, with_placeholders
from nba.warehouse.target import Target

if TYPE_CHECKING:
    import pyarrow as pa

    from nba.project import Table
    from nba.warehouse.door import StoredTable
    from nba.warehouse.duckdb_file import DuckDBWarehouse

MOST_COLUMNS = 1600
# columns that every PostgreSQL table has already
SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})
LOCK_WAIT = "60s"
# Views of this room stand on the tables of a load; every build makes them anew.
VIEWS_OF_THE_BUILD = "base"


class PostgresWarehouse:
    """A PostgreSQL database behind the door. Reading only, everything is seen as of one moment."""

    engine = "postgres"
    utc_now = "cast(current_timestamp at time zone 'UTC' as timestamp)"

    def __init__(self, target: Target, read_only: bool = False, reader: str | None = None) -> None:
        """`reader`: role that may read the tables that are created here."""
        import psycopg2
        from dbt.adapters.pgpy.column_types import NAME_BYTES
        from dbt.adapters.pgpy.connections import libpq_settings

        from nba.warehouse.door import StoreLimits
        from nba.warehouse.postgres_connections import credentials_of

        self.limits = StoreLimits("PostgreSQL", NAME_BYTES, MOST_COLUMNS, SYSTEM_COLUMNS, takes_zero_byte=False, tells_case=True)
        self.credentials = credentials_of(target)
        self.place = f"database {self.credentials.database} at {self.credentials.host}:{self.credentials.port}"
        self.read_only, self.reader = read_only, reader
        self._reads: Any = None
        try:
            self.connection = psycopg2.connect(**libpq_settings(self.credentials))
            if self.credentials.role:
                self.connection.cursor().execute(f"set role {self.credentials.role}")
                self.connection.commit()
        except psycopg2.Error as error:
            raise NbaError(
                f"cannot open {self.place} as {self.credentials.user}: {_first_line(error)}. Target {target.name} of profiles.yml says "
                "where the server is and who asks"
            ) from error
        self.connection.set_session(isolation_level="REPEATABLE READ", readonly=True) if read_only else self._commit_each(True)

    def query(self, sql: str, values: Mapping[str, Any] | None = None) -> pa.Table:
        """What is committed: rows of an open transaction are not seen."""
        return self._read(f"({self._written(sql, values)}) as answer").to_arrow_table()

    def rows(self, sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with self._said(), self.connection.cursor() as cursor:
            cursor.execute(self._written(sql, values))
            return cursor.fetchall()

    def execute(self, sql: str, values: Mapping[str, Any] | None = None) -> None:
        with self._said(), self.connection.cursor() as cursor:
            cursor.execute(self._written(sql, values))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self._commit_each(False)
        try:
            yield
            with self._said():
                self.connection.commit()
        except BaseException:
            if not self.connection.closed:
                self.connection.rollback()
            raise
        finally:
            if not self.connection.closed:
                self._commit_each(True)

    def tables(self, schema: str | None = None) -> list[StoredTable]:
        from nba.warehouse.door import StoredTable

        return [StoredTable(*row) for row in self.rows(catalogue.TABLES, {"schema": schema})]

    def columns(self, schema: str, name: str) -> list[str]:
        return [column.lower() for column in self._types(f"{quoted(schema)}.{quoted(name)}")]

    def batches(self, schema: str, name: str) -> pa.RecordBatchReader:
        return self._read(f"{quoted(schema)}.{quoted(name)}").to_arrow_reader()

    def quoted(self, name: str) -> str:
        return quoted(name)

    def create_schema(self, schema: str) -> None:
        # asked first: `if not exists` wants the right to create schemas even where there is nothing to create
        if self.rows("select 1 from pg_namespace where nspname = $schema", {"schema": schema}):
            return
        self.execute(f"create schema {quoted(schema)}")
        if self.reader:
            self.execute(f"grant usage on schema {quoted(schema)} to {quoted(self.reader)}")

    def create_table(self, schema: str, table: Table) -> None:
        self._create(f"{quoted(schema)}.{quoted(table.name)}", {column.name: column.data_type for column in table.columns})

    def hold(self, schema: str) -> None:
        key = f"nba writes into {schema}"
        if not self.rows("select pg_try_advisory_lock(hashtextextended($key, 0))", {"key": key})[0][0]:
            raise NbaError(f"another nba command is writing into schema {schema} of {self.place}: wait for its end and run again")

    def replace_tables(self, scratch_file: Path, schema: str, tables: Sequence[Table], done: Callable[[str], None]) -> None:
        from nba.warehouse.duckdb_file import DuckDBWarehouse

        scratch = DuckDBWarehouse(scratch_file, read_only=True)
        try:
            with self.transaction():
                # a build that reads these tables right now is waited for, but not for ever
                self.execute(f"set local lock_timeout = '{LOCK_WAIT}'")
                self.create_schema(schema)
                for table in tables:
                    self._replace(f"{quoted(schema)}.{quoted(table.name)}", storable_batches(scratch, table.name))
                    done(table.name)
        finally:
            scratch.close()

    def close(self) -> None:
        if self._reads is not None:
            self._reads.close()
        self.connection.close()

    def _replace(self, place: str, batches: pa.RecordBatchReader) -> None:
        from dbt.adapters.pgpy.column_types import postgres_columns
        from dbt.adapters.pgpy.copying import CopySource, binary_of_batches

        # the scratch tables have the contract's types already
        types = postgres_columns(batches.schema)
        present = self._types(place)
        if present == types:
            # views, indexes and grants stay
            self.execute(f"truncate table {place}")
        else:
            if present:
                self._drop(place)
            self._create(place, types)
        columns = ", ".join(quoted(name) for name in types)
        source = CopySource(binary_of_batches(batches))
        with self._said(f"{place} was refused: "), self.connection.cursor() as cursor:
            try:
                cursor.copy_expert(f"copy {place} ({columns}) from stdin (format binary, encoding 'utf8')", source)
            except Exception as error:
                if source.problem is None:
                    raise
                raise NbaError(f"{place}: {source.problem}. Nothing was written") from error
            cursor.execute(f"analyze {place}")

    def _create(self, place: str, types: Mapping[str, str]) -> None:
        self.execute(f"create table {place} ({', '.join(f'{quoted(name)} {kind}' for name, kind in types.items())})")
        if self.reader:
            self.execute(f"grant select on {place} to {quoted(self.reader)}")

    def _drop(self, place: str) -> None:
        """Drop a table whose columns change, with the views that a build makes on it; NbaError where somebody else's stand on it."""
        views = self.rows(catalogue.DEPENDENT_VIEWS, {"place": place})
        others = [f"{schema}.{name}" for schema, name in views if not schema.endswith(VIEWS_OF_THE_BUILD)]
        if others:
            raise NbaError(
                f"{place} gets other columns, but views stand on it: {', '.join(others)}. Drop them or load into another --schema. "
                "Nothing was written."
            )
        self.execute(f"drop table {place} cascade")

    def _types(self, place: str) -> dict[str, str]:
        """Column -> type as PostgreSQL writes it, in order; empty where the table is not there."""
        return dict(self.rows(catalogue.COLUMNS, {"place": place}))

    def _read(self, relation: str) -> Any:
        """The adapter's relation over a table or a query in brackets."""
        from dbt.adapters.pgpy.connections import ReadConnections
        from dbt.adapters.pgpy.reading import Relation

        from nba.warehouse.postgres_connections import SnapshotConnections

        if self._reads is None and self.read_only:
            self._reads = SnapshotConnections(self.credentials, self.rows("select pg_export_snapshot()")[0][0])
        elif self._reads is None:
            self._reads = ReadConnections(self.credentials)
        return Relation(relation, self._reads)

    def _written(self, sql: str, values: Mapping[str, Any] | None) -> str:
        """The statement with its values as literals."""
        with self.connection.cursor() as cursor:
            return cursor.mogrify(with_placeholders(sql.replace("%", "%%"), "%({})s".format), dict(values or {})).decode()

    def _commit_each(self, each: bool) -> None:
        self.connection.autocommit = each

    @contextmanager
    def _said(self, begin: str = "") -> Iterator[None]:
        """Turn what the user can put right into a message."""
        import psycopg2

        errors = psycopg2.errors
        try:
            yield
        except errors.InsufficientPrivilege as error:
            who = self.credentials.role or self.credentials.user
            raise NbaError(
                f"{begin}{who} may not do this in {self.place}: {_first_line(error)}. docs/roles.md says who may what"
            ) from error
        except errors.LockNotAvailable as error:
            raise NbaError(
                f"{begin}the tables are in use, by a build or by a reader, for more than {LOCK_WAIT}. Nothing was written"
            ) from error
        except (psycopg2.DataError, psycopg2.IntegrityError, errors.ProgramLimitExceeded) as error:
            raise NbaError(f"{begin}{_first_line(error)}. Nothing was written") from error
        except psycopg2.OperationalError as error:
            raise NbaError(f"{begin}{self.place}: {_first_line(error)}. What was under way is undone") from error


def storable_batches(scratch: DuckDBWarehouse, name: str) -> pa.RecordBatchReader:
    """A table of the scratch file, a part at a time; whole numbers beyond the engine's own become doubles."""
    # the bar would count the server's time as this query's
    scratch.execute("set enable_progress_bar = false")
    columns = scratch.rows(f"describe raw.{quoted(name)}")
    selected = [
        f"cast({quoted(column)} as double) as {quoted(column)}" if kind == "UBIGINT" else quoted(column) for column, kind, *_ in columns
    ]
    return scratch.connection.sql(f"select {', '.join(selected)} from raw.{quoted(name)}").to_arrow_reader(100_000)


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
