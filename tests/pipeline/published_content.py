"""What a reader finds in schema `published`, as one hash per table: equal hashes mean equal rows, to the last bit of every number."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# What the contract lets differ between two builds of the same inputs.
EXEMPT = {"run_id", "published_at", "seconds", "code_version", "model_version"}
COLUMNS = """
    select table_name, column_name
    from information_schema.columns
    where table_schema = '{}' and table_name not like '%\\_\\_dbt\\_%' escape '\\'
    order by table_name, ordinal_position
"""
Query = Callable[[str], Sequence[tuple[Any, ...]]]


def published_hashes(db_path: Path, schema: str = "published", exempt: set[str] | None = None, least: int = 18) -> dict[str, str]:
    """Table -> hash of its rows in one order over all columns but the exempt ones; of `plan_history` only the row of the published run."""
    import duckdb

    with duckdb.connect(str(db_path), read_only=True) as connection:
        return content_hashes(lambda text: connection.execute(text).fetchall(), schema, exempt, least)


def content_hashes(
    query: Query, schema: str = "published", exempt: set[str] | None = None, least: int = 18, is_history_whole: bool = False
) -> dict[str, str]:
    """As `published_hashes`, on any engine. `is_history_whole`: every row of `plan_history` counts, not only that of the published run.

    What dbt puts aside for a moment while it replaces a view is no table of this schema.
    """
    columns: dict[str, list[str]] = {}
    for table, column in query(COLUMNS.format(schema)):
        columns.setdefault(table, []).append(column)
    assert len(columns) >= least, f"schema {schema} holds only {sorted(columns)}"
    left_out = EXEMPT if exempt is None else exempt
    hashes = {}
    for table, names in columns.items():
        kept = [name for name in names if name not in left_out]
        only_published = " where is_published" if table == "plan_history" and not is_history_whole else ""
        listed = ", ".join(f'"{name}"' for name in kept)
        hashes[table] = _hash(kept, query(f"select {listed} from {schema}.{table}{only_published}"))
    return hashes


def _hash(names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> str:
    digest = hashlib.sha256("\x1f".join(names).encode())
    # repr of a double is exact: it reads back as the same bits
    for row in sorted(map(repr, rows)):
        digest.update(row.encode())
    return f"{len(rows)} rows {digest.hexdigest()}"
