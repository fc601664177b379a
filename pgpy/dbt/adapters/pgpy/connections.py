"""Credentials and connections: dbt's own are those of dbt-postgres; reads get ADBC connections with the same settings."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dbt.adapters.contracts.connection import Connection
from dbt.adapters.events.logging import AdapterLogger
from dbt.adapters.postgres.connections import PostgresConnectionManager, PostgresCredentials
from dbt_common.exceptions import DbtDatabaseError

logger = AdapterLogger("Pgpy")
# A build that was killed in a long statement would keep its tables locked until the statement ends. The setting came with PostgreSQL 14,
# and not for every system that a server runs on.
NOTICE_DEAD_CLIENTS = """
select set_config(name, '5s', false)
from pg_settings
where name = 'client_connection_check_interval' and setting = '0' and version() ~ 'linux'
"""


@dataclass
class PgpyCredentials(PostgresCredentials):
    """The profile of dbt-postgres, key by key."""

    @property
    def type(self) -> str:
        return "pgpy"


class PgpyConnectionManager(PostgresConnectionManager):
    TYPE = "pgpy"

    @classmethod
    def open(cls, connection: Connection) -> Connection:
        """As dbt-postgres opens it, and the profile's role holds: it is set inside a transaction, whose rollback would undo it."""
        was_open = connection.state == "open"
        opened = super().open(connection)
        if not was_open:
            with opened.handle.cursor() as cursor:
                cursor.execute(NOTICE_DEAD_CLIENTS)
            opened.handle.commit()
        return opened


def libpq_settings(credentials: PostgresCredentials) -> dict[str, str]:
    """What libpq is told, as dbt-postgres tells it: host, user, TLS, keepalives, time limit, search path. Holds the password."""
    settings: dict[str, Any] = {
        "host": credentials.host,
        "port": credentials.port,
        "user": credentials.user,
        "password": credentials.password,
        "dbname": credentials.database,
        "connect_timeout": credentials.connect_timeout,
        "keepalives_idle": credentials.keepalives_idle or None,
        "sslmode": credentials.sslmode,
        "sslcert": credentials.sslcert,
        "sslkey": credentials.sslkey,
        "sslrootcert": credentials.sslrootcert,
        "application_name": credentials.application_name,
    }
    if credentials.search_path:
        settings["options"] = "-c search_path=" + credentials.search_path.replace(" ", "\\ ")
    return {name: str(value) for name, value in settings.items() if value is not None and value != ""}


class ReadConnections:
    """ADBC connections for the reads of one Python model: opened when needed, used again, closed together.

    A connection carries one stream at a time, so a model that reads two tables side by side gets two. They commit every statement: a
    model that computes for an hour holds no lock and no snapshot meanwhile. May be used from several threads.
    """

    def __init__(self, credentials: PostgresCredentials) -> None:
        self._credentials = credentials
        self._idle: list[Any] = []
        self._lent: dict[Any, Any] = {}  # connection -> the cursor that is in use on it
        self._lock = threading.Lock()
        self._closed = False

    @contextlib.contextmanager
    def cursor(self) -> Iterator[Any]:
        """An ADBC cursor on a connection that nobody else uses until the end of the block."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        connection = connection or self._open()
        reusable = False
        try:
            with connection.cursor() as cursor:
                with self._lock:
                    self._lent[connection] = cursor
                yield cursor
            reusable = True
        finally:
            with self._lock:
                self._lent.pop(connection, None)
                reusable = reusable and not self._closed
                if reusable:
                    self._idle.append(connection)
            if not reusable:
                connection.close()

    def close(self) -> None:
        """Close every connection, also under a stream that was not read to its end: it would keep its table from being replaced."""
        with self._lock:
            self._closed = True
            lent, self._lent = self._lent, {}
            idle, self._idle = self._idle, []
        for connection, cursor in lent.items():
            cursor.close()
            connection.close()
        for connection in idle:
            connection.close()

    def _open(self) -> Any:
        import adbc_driver_manager
        import adbc_driver_postgresql.dbapi
        from psycopg2.extensions import make_dsn

        dsn = make_dsn(**libpq_settings(self._credentials))
        for attempt in range(self._credentials.retries + 1):
            try:
                connection = adbc_driver_postgresql.dbapi.connect(dsn, autocommit=True)
                break
            except adbc_driver_manager.OperationalError as error:
                problem = self.without_password(str(error))
            if attempt < self._credentials.retries:
                logger.debug(f"Reading connection failed, trying again: {problem}")
                time.sleep(attempt * attempt)
        else:
            raise DbtDatabaseError(f"no connection to read with: {problem}")
        if self._credentials.role:
            with connection.cursor() as cursor:
                cursor.execute(f"set role {self._credentials.role}")
        return connection

    def without_password(self, text: str) -> str:
        """The text of an error as it may be shown and logged."""
        return text.replace(self._credentials.password, "***") if self._credentials.password else text
