"""dbt in process on small data: one run, the inputs it reads, the tables it leaves behind."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from parsing import compile_templates_once, refuse_queries_while_parsing

ROOT = Path(__file__).resolve().parents[2]

RunDbt = Callable[..., Any]
WriteInputs = Callable[..., None]
ReadTable = Callable[[Path, str], pd.DataFrame]


def contract_tables() -> dict[str, dict[str, str]]:
    """Columns and types of every input and rule table, as the source properties state them."""
    properties = yaml.safe_load((ROOT / "models" / "base" / "_sources.yml").read_text())
    tables = [table for source in properties["sources"] for table in source["tables"]]
    return {table["name"]: {column["name"]: column["data_type"] for column in table["columns"]} for table in tables}


def optional_tables() -> set[str]:
    properties = yaml.safe_load((ROOT / "models" / "base" / "_sources.yml").read_text())
    return {table["name"] for source in properties["sources"] for table in source["tables"] if not table["meta"]["required"]}


@pytest.fixture(scope="session", autouse=True)
def parse_of_dbt() -> Iterator[None]:
    """What holds for every parse of dbt in this process; a build in a process of its own is as users have it."""
    with pytest.MonkeyPatch.context() as patch:
        compile_templates_once(patch)
        refuse_queries_while_parsing(patch)
        yield


@pytest.fixture(scope="session")
def run_dbt(tmp_path_factory: pytest.TempPathFactory) -> RunDbt:
    """`run_dbt(args, db_path, variables=None, check=True)`: one dbt command on a DuckDB file, in this process.

    Target and logs lie in a temporary folder shared by the session, so that the same file and variables are parsed once.
    Returns dbt's result; with `check` a failed command fails the test with the messages of the nodes that failed.
    """
    folder = tmp_path_factory.mktemp("dbt")

    def run(args: Sequence[str], db_path: Path, variables: Mapping[str, Any] | None = None, check: bool = True) -> Any:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        paths = [
            "--project-dir",
            str(ROOT),
            "--profiles-dir",
            str(ROOT),
            "--target-path",
            str(folder / "target"),
            "--log-path",
            str(folder / "logs"),
        ]
        given = ["--vars", json.dumps(dict(variables))] if variables else []
        before = {name: os.environ.get(name) for name in ("NBA_DUCKDB_PATH", "OMP_NUM_THREADS")}
        os.environ.update({"NBA_DUCKDB_PATH": str(db_path), "OMP_NUM_THREADS": "1"})
        try:
            result = dbtRunner().invoke([*args, *paths, *given])
        finally:
            # One writer excludes all readers of the file: the test reads it next.
            DuckDBConnectionManager.close_all_connections()
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
        if check and not result.success:
            failed = [f"{r.node.name}: {r.message}" for r in getattr(result.result, "results", None) or [] if r.status in ("error", "fail")]
            pytest.fail("\n".join(failed) or str(result.exception))
        return result

    return run


def _columns(connection: Any) -> tuple[list[str], list[str]]:
    relation = connection.table("given")
    return relation.columns, [str(kind) for kind in relation.types]


@pytest.fixture(scope="session")
def write_inputs() -> WriteInputs:
    """`write_inputs(db_path, tables, schema="raw")`: replace input and rule tables (pandas or Arrow) in a DuckDB file.

    A required table of the contract that neither `tables` nor the schema has is created empty.
    """

    def write(db_path: Path, tables: Mapping[str, Any], schema: str = "raw") -> None:
        import duckdb

        connection = duckdb.connect(str(db_path))
        try:
            connection.execute(f"create schema if not exists {schema}")
            for name, frame in tables.items():
                connection.register("given", frame)
                # A column of nothing but nulls has no type of its own: it takes the contract's.
                untyped = [column for column, kind in zip(*_columns(connection), strict=True) if kind.upper().strip('"') == "NULL"]
                types = contract_tables().get(name, {})
                casts = ", ".join(f'cast("{column}" as {types.get(column, "text")}) as "{column}"' for column in untyped)
                connection.execute(
                    f"create or replace table {schema}.{name} as select * {f'replace ({casts})' if casts else ''} from given"
                )
                connection.unregister("given")
            for name, columns in contract_tables().items():
                if name not in optional_tables():
                    typed = ", ".join(f'"{column}" {data_type}' for column, data_type in columns.items())
                    connection.execute(f"create table if not exists {schema}.{name} ({typed})")
        finally:
            connection.close()

    return write


@pytest.fixture(scope="session")
def read_table() -> ReadTable:
    """`read_table(db_path, "features.feat_scoring")`: a table or a query's result as a frame."""

    def read(db_path: Path, relation: str) -> pd.DataFrame:
        import duckdb

        connection = duckdb.connect(str(db_path), read_only=True)
        try:
            query = relation if relation.lstrip().lower().startswith(("select", "with")) else f"select * from {relation}"
            return connection.sql(query).df()
        finally:
            connection.close()

    return read
