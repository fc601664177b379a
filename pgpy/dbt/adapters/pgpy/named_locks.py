"""Locks that one process keeps for a whole run of dbt: advisory locks on a connection of their own, which no node closes.

The server itself gives a lock up when that connection ends, so a killed run leaves none behind.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Any

from dbt.adapters.pgpy.connections import libpq_settings
from dbt.adapters.postgres.connections import PostgresCredentials

HOLDERS = """
select coalesce(string_agg(
    format('%%s of %%s, connected since %%s', pid, usename, to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS TZ')), '; '
), '')
from pg_locks
inner join pg_stat_activity using (pid)
where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())
    and (classid::bigint << 32) | objid::bigint = %s and objsubid = 1
"""
# A run may leave the connection idle for hours; the setting is there from PostgreSQL 14 on.
STAY = "select set_config(name, '0', false) from pg_settings where name = 'idle_session_timeout'"


class NamedLocks:
    """The locks of one database that this process holds. A name is any text; two processes that say the same name exclude each other."""

    def __init__(self, credentials: PostgresCredentials) -> None:
        self._credentials = credentials
        self._connection: Any = None
        self._names: set[str] = set()
        self._asking = threading.Lock()

    def hold(self, name: str, seconds: float = 0.0) -> str | None:
        """Take the lock and keep it; None once it is held. After `seconds` of waiting: who has it (process, user, since when)."""
        from psycopg2.errors import LockNotAvailable

        if name in self._names and self._connection is not None and not self._connection.closed:
            return None
        key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        with self._open().cursor() as cursor:
            # a limit of 0 would mean to wait for ever
            cursor.execute("select set_config('lock_timeout', %s, false)", [f"{max(1, round(seconds * 1000))}ms"])
            try:
                cursor.execute("select pg_advisory_lock(%s)", [key])
            except LockNotAvailable:
                cursor.execute(HOLDERS, [key])
                return f"process {cursor.fetchone()[0] or 'unknown'}"
        self._names.add(name)
        return None

    def are_lost(self) -> bool:
        """Whether locks that were taken are held no longer: the server ended the connection. May be asked from any thread."""
        import psycopg2

        if not self._names or self._connection is None:
            return False
        with self._asking:
            try:
                with self._connection.cursor() as cursor:
                    cursor.execute("select 1")
            except psycopg2.Error:
                return True
        return False

    def release(self) -> None:
        """Give up all locks."""
        connection, self._connection = self._connection, None
        self._names.clear()
        if connection is not None:
            connection.close()

    def _open(self) -> Any:
        import psycopg2

        if self._connection is None or self._connection.closed:
            self._names.clear()
            self._connection = psycopg2.connect(**libpq_settings(self._credentials))
            self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                cursor.execute(STAY)
        return self._connection
