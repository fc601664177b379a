"""What a reader finds in schema `published`, as one hash per table: equal hashes mean equal rows, to the last bit of every number."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

# What the contract lets differ between two builds of the same inputs.
EXEMPT = {"run_id", "published_at", "seconds", "code_version", "model_version"}


def published_hashes(db_path: Path, schema: str = "published", exempt: set[str] | None = None, least: int = 18) -> dict[str, str]:
    """Table -> hash of its rows in one order over all columns but the exempt ones; of `plan_history` only the row of the published run."""
    import duckdb

    left_out = EXEMPT if exempt is None else exempt
    with duckdb.connect(str(db_path), read_only=True) as connection:
        listed = connection.execute(
            "select table_name from information_schema.tables where table_schema = ? order by 1", [schema]
        ).fetchall()
        assert len(listed) >= least, f"schema {schema} holds only {listed}"
        return {table: _hash(connection, schema, table, left_out) for (table,) in listed}


def _hash(connection: Any, schema: str, table: str, left_out: set[str]) -> str:
    names = [name for name in connection.table(f"{schema}.{table}").columns if name not in left_out]
    columns = ", ".join(f'"{name}"' for name in names)
    only_published = "where is_published" if table == "plan_history" else ""
    found = connection.execute(f"select {columns} from {schema}.{table} {only_published} order by all").fetchall()
    digest = hashlib.sha256("\x1f".join(names).encode())
    for row in found:
        # repr of a double is exact: it reads back as the same bits
        digest.update(repr(row).encode())
    return f"{len(found)} rows {digest.hexdigest()}"
