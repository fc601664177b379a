"""The tables to look at, typed, in a DuckDB of their own in memory: from a folder of files or from a schema of any target."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError

if TYPE_CHECKING:
    import duckdb

    from nba.warehouse import Warehouse

# table -> column -> type; the first columns up to None must be there, the others are null where they are not
TABLES: dict[str, dict[str, str]] = {
    "hcp_master": {"hcp_id": "text", "decile": "double", "rep_id": "text", "territory_id": "text"},
    "engagement_history": {
        "hcp_id": "text",
        "channel": "text",
        "period_start": "date",
        "touches": "double",
        "responses": "double",
        "known_at": "timestamp",
    },
    "kpi_metrics": {"hcp_id": "text", "period_start": "date", "kpi_value": "double", "market_value": "double", "known_at": "timestamp"},
    "engagement_action_catalog": {
        "channel": "text",
        "expected_uplift": "double",
        "uplift_basis": "text",
        "requires_consent": "boolean",
    },
    "rule_consent": {"hcp_id": "text", "channel": "text", "status": "text", "captured_at": "timestamp"},
    "rule_exclusion": {"hcp_id": "text", "channel": "text"},
    "rule_override": {"hcp_id": "text", "channel": "text"},
}
NEEDED = {
    "hcp_master": ("hcp_id",),
    "engagement_history": ("hcp_id", "channel", "period_start", "touches"),
    "kpi_metrics": ("hcp_id", "period_start", "kpi_value"),
    "engagement_action_catalog": ("channel", "expected_uplift"),
}


def from_tables(tables: Mapping[str, Any]) -> duckdb.DuckDBPyConnection:
    """A connection with one typed table for each of TABLES, given pandas or Arrow tables by name; those that are not given are empty."""
    connection = _memory()
    for name, table in tables.items():
        if name in TABLES:
            connection.register("given", table)
            _type(connection, name, "given")
            connection.unregister("given")
    return _completed(connection)


def from_folder(folder: Path, project_dir: Path) -> duckdb.DuckDBPyConnection:
    """The same from `<table>.csv` and `<table>.parquet` files; NbaError for a folder without the four inputs or a file that cannot be
    read."""
    import duckdb

    from nba.load.folder import list_folder
    from nba.project import read_contract
    from nba.warehouse import one_file

    listing = list_folder(folder, read_contract(project_dir))
    connection = _memory()
    for file in listing.files:
        if file.table not in TABLES:
            continue
        reader = "read_csv($path, all_varchar = true, header = true)" if file.is_csv else "read_parquet($path)"
        try:
            connection.execute(f"create temp table given as select * from {reader}", {"path": one_file(file.path)})
        except duckdb.Error as error:
            raise NbaError(f"{file.path.name} cannot be read: {' '.join(str(error).split())[:300]}") from error
        _type(connection, file.table, "given")
        connection.execute("drop table given")
    return _completed(connection)


def from_warehouse(warehouse: Warehouse, schema: str, names: Mapping[str, str], rule_schema: str) -> duckdb.DuckDBPyConnection:
    """The same from tables of a schema, of which only the columns in TABLES are read; `names`: own names of inputs."""
    from nba.warehouse import Relation

    there = {(table.schema.lower(), table.name.lower()): table for table in warehouse.tables()}
    connection = _memory()
    for name, columns in TABLES.items():
        own = rule_schema if name.startswith("rule_") else schema
        found = there.get((own.lower(), str(names.get(name, name)).lower()))
        if found is None:
            continue
        given = [column for column in warehouse.columns(found.schema, found.name) if column in columns]
        if not given:
            continue
        connection.register("given", Relation(warehouse, found.schema, found.name, tuple(given)).to_arrow_table())
        _type(connection, name, "given")
        connection.unregister("given")
    return _completed(connection)


def _memory() -> duckdb.DuckDBPyConnection:
    from nba.warehouse import open_file

    return open_file(Path(":memory:"))


def _type(connection: duckdb.DuckDBPyConnection, name: str, given: str) -> None:
    """One table of the contract out of `given`: what cannot be read as its type is null, and blank text too."""
    there = {row[0].lower(): row[0] for row in connection.execute(f"describe {given}").fetchall()}
    missing = [column for column in NEEDED.get(name, ()) if column not in there]
    if missing:
        raise NbaError(f"{name} lacks the column(s) {', '.join(missing)}: add them, the columns are described in models/base/_sources.yml")
    selected = [
        f"try_cast(nullif(trim(cast({_quoted(there[column])} as text)), '') as {kind}) as {column}"
        if column in there
        else f"cast(null as {kind}) as {column}"
        for column, kind in TABLES[name].items()
    ]
    connection.execute(f"create table {name} as select {', '.join(selected)} from {given}")


def _completed(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    there = {row[0] for row in connection.execute("select table_name from information_schema.tables").fetchall()}
    missing = [name for name in NEEDED if name not in there]
    if missing:
        raise NbaError(
            f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: these four inputs are needed: {', '.join(NEEDED)}"
        )
    for name in TABLES:
        if name not in there:
            typed = ", ".join(f"{column} {kind}" for column, kind in TABLES[name].items())
            connection.execute(f"create table {name} ({typed})")
    return connection


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
