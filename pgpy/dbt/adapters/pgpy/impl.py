"""The adapter: dbt-postgres plus Python models and seeds, both written with COPY in dbt's own transaction."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from dbt.adapters.base.impl import available, log_code_execution
from dbt.adapters.contracts.connection import AdapterResponse
from dbt.adapters.pgpy.column_types import postgres_columns, quoted
from dbt.adapters.pgpy.connections import PgpyConnectionManager, ReadConnections, logger
from dbt.adapters.pgpy.copying import CopySource, binary_of_batches, csv_of_rows
from dbt.adapters.pgpy.named_locks import NamedLocks
from dbt.adapters.pgpy.python_model import failure, returned_batches
from dbt.adapters.postgres.impl import PostgresAdapter

# One for each connection, and a connection runs one node at a time.
PYTHON_RESULT = 'pg_temp."dbt_pgpy_result"'
READ_BYTES = 1 << 20


class PgpyAdapter(PostgresAdapter):
    ConnectionManager = PgpyConnectionManager
    connections: PgpyConnectionManager

    @classmethod
    def type(cls) -> str:
        return "pgpy"

    @cached_property
    def locks(self) -> NamedLocks:
        return NamedLocks(self.config.credentials)

    @available.parse_none
    def hold_lock(self, name: str, seconds: float = 0.0) -> str | None:
        """Keep the lock `name` of the database until this run of dbt ends; None, or after `seconds` of waiting who else has it."""
        return self.locks.hold(name, seconds)

    @available.parse(lambda *_, **__: False)
    def has_lost_lock(self) -> bool:
        """Whether a lock of `hold_lock` is held no longer, because its connection ended."""
        return self.locks.are_lost()

    def cleanup_connections(self) -> None:
        self.locks.release()
        super().cleanup_connections()

    @available.parse(lambda *_, **__: PYTHON_RESULT)
    def python_result(self) -> str:
        """The temporary table that holds the rows of the Python model that runs on this connection."""
        return PYTHON_RESULT

    @log_code_execution
    def submit_python_job(self, parsed_model: dict[str, Any], compiled_code: str) -> AdapterResponse:
        """Run the model here and COPY its rows into `python_result()`, inside the transaction that dbt commits or rolls back."""
        name = parsed_model["name"]
        reads = ReadConnections(self.config.credentials)
        source = CopySource(())
        try:
            reader = returned_batches(name, compiled_code, reads)
            columns = postgres_columns(reader.schema)
            source = CopySource(binary_of_batches(reader))
            return self._write_result(columns, source)
        except Exception as error:
            raise failure(name, source.problem or error) from error
        finally:
            reads.close()

    def _write_result(self, columns: dict[str, str], source: CopySource) -> AdapterResponse:
        """Make `python_result()` with these columns and fill it. Numerics travel as text, which PostgreSQL then converts exactly."""
        numerics = {name: kind for name, kind in columns.items() if kind.startswith("numeric")}
        typed = ", ".join(f"{quoted(name)} {'text' if name in numerics else kind}" for name, kind in columns.items())
        self.execute(f"drop table if exists {PYTHON_RESULT}", auto_begin=True)
        self.execute(f"create temporary table {PYTHON_RESULT.removeprefix('pg_temp.')} ({typed})")
        response = self._copy(f"copy {PYTHON_RESULT} from stdin (format binary, encoding 'utf8')", source)
        if numerics:
            changes = (f"alter column {quoted(name)} type {kind} using {quoted(name)}::{kind}" for name, kind in numerics.items())
            self.execute(f"alter table {PYTHON_RESULT} {', '.join(changes)}")
        return response

    @available.parse_none
    def copy_seed(self, table: str, columns: str, agate_table: Any) -> str:
        """COPY the rows of a seed into `table`; the statement, for dbt's record of the node."""
        statement = f"copy {table} ({columns}) from stdin (format csv, encoding 'utf8')"
        self._copy(statement, CopySource(csv_of_rows(agate_table.rows)))
        return statement

    def _copy(self, statement: str, source: CopySource) -> AdapterResponse:
        """Run `copy ... from stdin` in dbt's open transaction, which is rolled back if PostgreSQL or `source` refuses a row."""
        connection = self.connections.get_thread_connection()
        if not connection.transaction_open:
            self.connections.begin()
        logger.debug(f"On {connection.name}: {statement}")
        with self.connections.exception_handler(statement):
            cursor = connection.handle.cursor()
            cursor.copy_expert(statement, source, size=READ_BYTES)
            return self.connections.get_response(cursor)
