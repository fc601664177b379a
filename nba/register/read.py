"""Versions of the engagement model as memory keeps them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError

if TYPE_CHECKING:
    from nba.warehouse import Warehouse

LEAST_LETTERS = 6


def schema_of(project_dir: Path, switches: dict[str, Any]) -> str:
    """The schema of memory."""
    from nba.whatif.live import schema_prefix

    return f"{schema_prefix(project_dir, switches)}memory"


def has(warehouse: Warehouse, schema: str, name: str) -> bool:
    """Whether a schema has the table."""
    return any(table.name.lower() == name for table in warehouse.tables(schema))


def find_version(warehouse: Warehouse, schema: str, version: str | None) -> dict[str, Any]:
    """The newest row of a version, named whole or by its first letters (None: the published champion), with its model_json.

    NbaError where nothing is kept, where no version or several begin like that.
    """
    if not has(warehouse, schema, "model_versions"):
        raise NbaError(f"there is no {schema}.model_versions: no build has kept a model yet, run `dbt build` first")
    table = f"{warehouse.quoted(schema)}.{warehouse.quoted('model_versions')}"
    if version is None:
        version = _champion(warehouse, schema, table)
    listed = warehouse.rows(f"select distinct model_version from {table}")
    known = sorted(name for (name,) in listed if name.startswith(version))
    if len(version) < LEAST_LETTERS:
        raise NbaError(f"'{version}' is too short to name a version: give at least {LEAST_LETTERS} letters of it")
    if len(known) != 1:
        found = (
            f"{len(known)} versions begin with '{version}': give more of it" if known else f"there is no version '{version}' in {schema}"
        )
        raise NbaError(f"{found}. Versions: {', '.join(sorted(name[:12] for (name,) in listed))}")
    # a run that failed says nothing of a stage while there is one that was published
    rows = warehouse.query(
        f"""select kept.* from {table} as kept
        left join (select run_id, max(published_at) as published_at from {_publications(warehouse, schema)} group by run_id) as log
            on kept.run_id = log.run_id
        where kept.model_version = $version
        order by case when log.run_id is null then 1 else 0 end, kept.cycle_start desc, log.published_at desc""",
        {"version": known[0]},
    ).to_pylist()
    return rows[0] | {"model_json": _text(warehouse, schema, rows)}


def approvals_of(warehouse: Warehouse, schema: str, version: str) -> list[dict[str, Any]]:
    """Approvals of a version, oldest first."""
    if not has(warehouse, schema, "model_approvals"):
        return []
    table = f"{warehouse.quoted(schema)}.{warehouse.quoted('model_approvals')}"
    return warehouse.query(f"select * from {table} where model_version = $version order by approved_at", {"version": version}).to_pylist()


def _publications(warehouse: Warehouse, schema: str) -> str:
    return f"{warehouse.quoted(schema)}.{warehouse.quoted('publications')}"


def _champion(warehouse: Warehouse, schema: str, table: str) -> str:
    log = _publications(warehouse, schema)
    pointer = f"(select run_id from {log} where published_at = (select max(published_at) from {log}))"
    rows = warehouse.rows(f"select model_version from {table} where stage = 'champion' and run_id = {pointer}")
    if not rows:
        raise NbaError("nothing is published yet, so there is no champion: name a VERSION")
    return rows[0][0]


def _text(warehouse: Warehouse, schema: str, rows: list[dict[str, Any]]) -> str | None:
    """The model's text, from the run that fitted it, else from a run in which it scored."""
    kept = [row["model_json"] for row in rows if row["model_json"]]
    if kept:
        return kept[0]
    table = f"{warehouse.quoted(schema)}.{warehouse.quoted('models')}"
    found = warehouse.rows(f"select model_json from {table} where model_version = $version", {"version": rows[0]["model_version"]})
    return found[0][0] if found else None
