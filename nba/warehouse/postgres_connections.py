"""Settings of a PostgreSQL target as dbt reads them, and connections that read in Arrow as of one moment."""

from __future__ import annotations

from typing import Any

from dbt.adapters.pgpy.connections import PgpyCredentials, ReadConnections
from dbt_common.dataclass_schema import ValidationError

from nba.errors import NbaError
from nba.warehouse.target import Target


def credentials_of(target: Target) -> PgpyCredentials:
    """The target's entries as dbt-postgres understands them; NbaError names what is missing or wrong."""
    entries = {name: value for name, value in target.settings.items() if name not in ("type", "threads") and value is not None}
    entries = {"application_name": "nba", "schema": "nba", **PgpyCredentials.translate_aliases(entries)}
    try:
        entries["port"] = int(entries.get("port", 5432))
        PgpyCredentials.validate(entries)
        return PgpyCredentials.from_dict(entries)
    except (ValidationError, ValueError) as error:
        # the check of types quotes the value that is wrong, be it the password; so would the cause in a traceback
        text = str(error).splitlines()[0].replace(str(entries.get("password") or "\0"), "***")
        raise NbaError(f"target {target.name} in profiles.yml cannot be used: {text}") from None


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
