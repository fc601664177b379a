"""Appending to the audit log from a command, in the transaction of what it tells of."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nba.audit.chain import COLUMNS, Event

if TYPE_CHECKING:
    from nba.warehouse import Warehouse

TABLE = "audit_log"
ACTOR = "NBA_ACTOR"
# the login, not the role that a command takes on; a DuckDB file has no logins
LOGINS = {"postgres": "select cast(session_user as text)", "snowflake": "select current_user()"}


def record(
    warehouse: Warehouse,
    prefix: str,
    event: str,
    subject: str | None = None,
    details: Mapping[str, Any] | None = None,
    by: str | None = None,
    run_id: str | None = None,
) -> Event | None:
    """Append one event to the log of the rooms with that prefix; the event, or None where no build has opened a log yet, or where this
    login may not append to it (with roles, only the builder may).

    To be called inside `warehouse.transaction()`: the event then stands or falls with what it tells of. On PostgreSQL it waits for
    others who append, and they wait until the transaction ends. `by`: who acts (default: `actor`).
    """
    if not has_log(warehouse, prefix) or not _may_append(warehouse, f"{prefix}memory"):
        return None
    schema = f"{prefix}memory"
    if warehouse.engine == "postgres":
        # the same lock as the macro hold_log takes
        key = f"nba audit log of {schema}"
        warehouse.rows("select pg_advisory_xact_lock(hashtextextended($key, 0))", {"key": key})
    table = f"{warehouse.quoted(schema)}.{warehouse.quoted(TABLE)}"
    newest = warehouse.rows(f"select sequence, hash from {table} where sequence = (select max(sequence) from {table})")
    ((now,),) = warehouse.rows(f"select {warehouse.utc_now}")
    last, previous = newest[0] if newest else (0, "")
    text = json.dumps(dict(details or {}), sort_keys=True, ensure_ascii=False, default=str)
    sealed = Event(last + 1, now, by or actor(warehouse), event, run_id, subject, text, previous).sealed
    values = {name: getattr(sealed, name) for name in COLUMNS}
    names = ", ".join(COLUMNS)
    warehouse.execute(f"insert into {table} ({names}) values ({', '.join(f'${name}' for name in COLUMNS)})", values)
    return sealed


def actor(warehouse: Warehouse) -> str:
    """Who acts, as the macro acting_user has it: NBA_ACTOR, else the login, on DuckDB the user of the operating system."""
    said = os.environ.get(ACTOR, "").strip()
    if said:
        return said
    if warehouse.engine in LOGINS:
        return str(warehouse.rows(LOGINS[warehouse.engine])[0][0])
    return next((name for key in ("USER", "LOGNAME", "USERNAME") if (name := os.environ.get(key, ""))), "unknown")


def has_log(warehouse: Warehouse, prefix: str) -> bool:
    """Whether a build has opened the log of the rooms with that prefix."""
    return any(table.name.lower() == TABLE for table in warehouse.tables(f"{prefix}memory"))


def _may_append(warehouse: Warehouse, schema: str) -> bool:
    if warehouse.engine != "postgres":
        return True
    # asked first: an error would undo what the event tells of
    rights = " and ".join(f"has_table_privilege($table, '{right}')" for right in ("select", "insert"))
    place = f"{warehouse.quoted(schema)}.{warehouse.quoted(TABLE)}"
    return bool(warehouse.rows(f"select has_schema_privilege($schema, 'usage') and {rights}", {"schema": schema, "table": place})[0][0])
