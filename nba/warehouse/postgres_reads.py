"""Connections that read PostgreSQL in Arrow, all as of one moment where nothing may change in between."""

from __future__ import annotations

from typing import Any

from dbt.adapters.pgpy.connections import PgpyCredentials, ReadConnections


class SnapshotConnections(ReadConnections):
    """The adapter's reading connections, each in a transaction that cannot write and sees the exported `snapshot` only."""

    def __init__(self, credentials: PgpyCredentials, snapshot: str) -> None:
        super().__init__(credentials)
        self._snapshot = snapshot

    def _open(self) -> Any:
        connection = super()._open()
        with connection.cursor() as cursor:
            cursor.execute("begin transaction isolation level repeatable read, read only")
            cursor.execute(f"set transaction snapshot '{self._snapshot}'")
        return connection
