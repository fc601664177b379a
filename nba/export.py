"""The sub-command `nba export`: the published tables as files of one folder, whole or not at all."""

from __future__ import annotations

import argparse
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError

if TYPE_CHECKING:
    import pyarrow as pa

    from nba.warehouse import Warehouse

FORMATS = ("parquet", "csv")
MANIFEST = "manifest.json"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser(
        "export",
        help="write the published tables to files",
        description="Write every published table of any target to FOLDER, with a manifest. FOLDER appears whole; an earlier export "
        "there is replaced. While a build holds a DuckDB warehouse, the serving file is read instead.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a new or empty folder, or one that holds an earlier export")
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="kind of the files (default: parquet)")
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument("--vars", default="{}", help="switches of the build, as for dbt; nba_schema_prefix is read")
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def run(args: argparse.Namespace) -> int:
    """Export as the command line says and print what was written."""
    from nba.load.command import parse_switches
    from nba.project import find_project
    from nba.whatif.live import schema_prefix

    project = find_project(args.project_dir)
    prefix = schema_prefix(project, parse_switches(args.vars))
    manifest = export(args.folder, args.target, project, prefix, args.format)
    rows = sum(table["rows"] for table in manifest["tables"].values())
    size = f"{len(manifest['tables'])} tables, {rows} rows"
    print(f"Exported run {manifest['run_id']}, cycle {manifest['cycle_start']}: {size}, in {args.folder}.")
    return 0


def export(folder: Path, target: str | None, project_dir: Path, prefix: str = "", file_format: str = "parquet") -> dict[str, Any]:
    """Write the published tables to `<table>.<format>` files of `folder` and return the manifest that lies beside them.

    Manifest: run_id, cycle_start, format, and for each table its file, rows and columns (name -> Arrow type). Raises NbaError when
    nothing is published and when `folder` holds anything but an earlier export.
    """
    folder = folder.expanduser().resolve()
    _refuse_foreign(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    try:
        with published(target, project_dir, prefix) as (warehouse, tables):
            manifest = _write_all(made, warehouse, f"{prefix}published", tables, file_format)
        _put_in_place(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return manifest


@contextmanager
def published(target: str | None, project_dir: Path, prefix: str) -> Iterator[tuple[Warehouse, tuple[str, ...]]]:
    """The target opened for reading, or its serving file while a build has the warehouse; and the published tables that are there."""
    from nba.published import published_tables
    from nba.serving import serving_path
    from nba.warehouse import reading, resolve_target
    from nba.warehouse.duckdb_file import DuckDBWarehouse

    found = resolve_target(target, project_dir)
    with ExitStack() as stack:
        try:
            warehouse: Warehouse = stack.enter_context(reading(target, project_dir))
        except NbaError as error:
            if found.engine != "duckdb" or "another process" not in str(error):
                raise
            path = serving_path(found.path, prefix, project_dir)
            if not path.is_file():
                raise
            warehouse = DuckDBWarehouse(path, read_only=True)
            stack.callback(warehouse.close)
        there = {table.name.lower() for table in warehouse.tables(f"{prefix}published")}
        yield warehouse, tuple(name for name in published_tables(project_dir) if name in there)


def _write_all(folder: Path, warehouse: Warehouse, schema: str, tables: Sequence[str], file_format: str) -> dict[str, Any]:
    """The files and, last, the manifest; all on the disk."""
    from nba.serving import to_disk

    run = []
    if "plan_summary" in tables:
        run = warehouse.rows(f"select run_id, cycle_start from {warehouse.quoted(schema)}.{warehouse.quoted('plan_summary')}")
    if not run:
        raise NbaError(f"nothing is published in schema {schema}: run `dbt build` first")
    ((run_id, cycle_start),) = run
    written = {}
    for table in tables:
        path = folder / f"{table}.{file_format}"
        batches = warehouse.batches(schema, table)
        rows = write_file(path, batches, file_format)
        to_disk(path)
        columns = {field.name.lower(): str(field.type) for field in batches.schema}
        written[table] = {"file": path.name, "rows": rows, "columns": columns}
    manifest = {"run_id": run_id, "cycle_start": str(cycle_start), "format": file_format, "tables": written}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    to_disk(folder / MANIFEST)
    return manifest


def write_file(path: Path, batches: pa.RecordBatchReader, file_format: str) -> int:
    """All batches into one file, column names in lower case; the number of rows.

    In CSV null is empty, text is in quotes, and text that a spreadsheet would run as a formula has an apostrophe before it.
    """
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    from nba.plain_text import spreadsheet_column

    schema = pa.schema([field.with_name(field.name.lower()) for field in batches.schema])
    if file_format == "csv":
        schema = pa.schema([pa.field(field.name, getattr(field.type, "value_type", field.type)) for field in schema])
    opened = pyarrow.parquet.ParquetWriter(path, schema) if file_format == "parquet" else pyarrow.csv.CSVWriter(path, schema)
    rows = 0
    with opened as file:
        for batch in batches:
            columns = [spreadsheet_column(column) for column in batch.columns] if file_format == "csv" else batch.columns
            file.write(pa.record_batch(columns, schema=schema))
            rows += batch.num_rows
    return rows


def _refuse_foreign(folder: Path) -> None:
    """NbaError for a place that holds something else than an earlier export."""
    if folder.exists() and not folder.is_dir():
        raise NbaError(f"{folder} is a file: name a folder")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    try:
        earlier = json.loads((folder / MANIFEST).read_text("utf-8"))
        known = {MANIFEST, *(table["file"] for table in earlier["tables"].values())}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise NbaError(f"{folder} holds files and is no earlier export: name a new folder, or empty this one") from None
    foreign = sorted({path.name for path in folder.iterdir()} - known)
    if foreign:
        raise NbaError(f"{folder} holds files that no export wrote, such as {foreign[0]}: name a new folder, or take them away")


def _put_in_place(made: Path, folder: Path) -> None:
    """`made` becomes `folder`; an earlier export there steps aside first and is deleted last."""
    from nba.serving import to_disk

    aside = folder.with_name(f".{folder.name}.earlier")
    shutil.rmtree(aside, ignore_errors=True)
    if folder.is_dir():
        os.replace(folder, aside)
    try:
        os.replace(made, folder)
    except OSError:
        if aside.is_dir():
            os.replace(aside, folder)
        raise
    to_disk(folder.parent)
    shutil.rmtree(aside, ignore_errors=True)
