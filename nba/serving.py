"""The serving file: the published tables in a DuckDB file of their own, for readers.

A DuckDB file has one writer and then no reader beside it. So each publication is also copied into a second file that is only ever
replaced as a whole: whoever has it open keeps the plan he opened and sees the new one on opening it again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError
from nba.warehouse import quoted

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

PATH_VARIABLE = "NBA_SERVING_PATH"
ATTACHED = "nba_serving_file"


def serving_path(warehouse_file: Path, prefix: str = "", folder: Path | None = None) -> Path:
    """Where the serving file of a warehouse lies: `<name>_published.duckdb` beside it, or where NBA_SERVING_PATH says, a path relative to
    `folder` (by default the working directory). A prefix of the schemas goes in front of the file's name: a trial never replaces the
    field's file.

    Raises NbaError for a file that would bear the warehouse's own name, or the name of its schema, which makes every query ambiguous.
    """
    given = os.environ.get(PATH_VARIABLE, "").strip()
    if given:
        path = (folder or Path.cwd()) / Path(given).expanduser()
    else:
        path = warehouse_file.with_name(f"{warehouse_file.stem}_published.duckdb")
    path = path.with_name(prefix + path.name)
    if path.resolve() == warehouse_file.resolve():
        raise NbaError(f"{PATH_VARIABLE} names the warehouse itself: {path}. Give the serving file a path of its own, or leave it empty")
    if path.stem.lower() == f"{prefix}published".lower():
        raise NbaError(f"the serving file may not bear the name of its schema: {path}. Name it otherwise in {PATH_VARIABLE}")
    return path


def serve_published_run(session: Any, run_config: Any, publish: Any, tables: Sequence[str], memory_schema: str) -> pa.Table:
    """Refresh the serving file if this run is the published one: the last step of a build.

    `session` is dbt's DuckDB connection, `run_config` and `publish` are its relations, `tables` the plain names of the published tables.
    Returns one row: run_id, cycle_start, is_written, tables, total_rows; no row for a build on empty inputs.
    """
    import pyarrow as pa

    runs = run_config.project("run_id, cycle_start").fetchall()
    decisions = dict(publish.project("run_id, decision").fetchall())
    prefix = memory_schema.removesuffix("memory")
    rows = []
    for run_id, cycle_start in runs:
        newest = f"select run_id from {quoted(memory_schema)}.publications order by published_at desc limit 1"
        with session.cursor() as cursor:
            pointer = cursor.execute(newest).fetchone()
        is_published = decisions.get(run_id) == "published" and pointer == (run_id,)
        counts = refresh_serving_file(session, tables, prefix) if is_published else None
        rows.append((run_id, cycle_start, counts is not None, len(counts or {}), sum((counts or {}).values())))
    names = ("run_id", "cycle_start", "is_written", "tables", "total_rows")
    types = (pa.string(), pa.date32(), pa.bool_(), pa.int32(), pa.int64())
    return pa.table({name: pa.array([row[place] for row in rows], types[place]) for place, name in enumerate(names)})


def follow_rollback(con: duckdb.DuckDBPyConnection, prefix: str, project_dir: Path) -> None:
    """Show in the serving file what is published now, where there is one: after `nba rollback` moved the pointer.

    Raises NbaError when the file cannot be replaced: the pointer has moved all the same.
    """
    import duckdb

    from nba.published import published_tables

    ((warehouse_file,),) = con.execute("select path from duckdb_databases() where database_name = current_database()").fetchall()
    path = serving_path(Path(warehouse_file), prefix, project_dir)
    if not path.is_file():
        return
    try:
        refresh_serving_file(con, published_tables(project_dir), prefix, project_dir)
    except (OSError, duckdb.Error) as error:
        raise NbaError(
            f"the plan is rolled back, but {path} still shows the one before: {error}. "
            "What to do: make room or rights there; the next build that publishes replaces it"
        ) from error


def refresh_serving_file(
    con: duckdb.DuckDBPyConnection, tables: Sequence[str], prefix: str = "", folder: Path | None = None
) -> dict[str, int] | None:
    """Replace the serving file of the warehouse that `con` is open on by what schema `published` shows now; table -> rows.

    Tables that the schema lacks are left out. None, and nothing is written, for a warehouse that is no file.
    """
    with con.cursor() as cursor:
        name, path = cursor.execute(
            "select database_name, path from duckdb_databases() where database_name = current_database()"
        ).fetchone()
        if not path or "://" in path or path.startswith("md:"):
            return None
        schema = f"{prefix}published"
        found = cursor.execute(
            "select table_name from information_schema.tables where table_catalog = ? and table_schema = ?", [name, schema]
        ).fetchall()
        shown = sorted(set(tables) & {table for (table,) in found})
        return _replace(cursor, quoted(name), schema, shown, serving_path(Path(path), prefix, folder))


def _replace(cursor: duckdb.DuckDBPyConnection, database: str, schema: str, tables: Sequence[str], path: Path) -> dict[str, int]:
    """Write a file beside `path`, bring it to the disk, and put it in the place of `path` in one step."""
    import duckdb

    path.parent.mkdir(parents=True, exist_ok=True)
    for stale in path.parent.glob(f".{path.name}.*"):
        stale.unlink()
    written = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        cursor.execute(f"attach '{str(written).replace(chr(39), chr(39) * 2)}' as {ATTACHED}")
        try:
            counts = _copy(cursor, database, schema, tables)
            # all of it into the file itself: what a full disk leaves in a log beside it would not move with it
            cursor.execute(f"checkpoint {ATTACHED}")
        except BaseException:
            # an error as hard as a full disk may leave nothing to detach, and that error is the one to be read
            with suppress(duckdb.Error):
                cursor.execute(f"detach {ATTACHED}")
            raise
        cursor.execute(f"detach {ATTACHED}")
        # readers only read: a writer would keep the next reader out
        written.chmod(0o444)
        to_disk(written)
        # what a writer may have left beside the old file does not belong to the new one
        path.with_name(path.name + ".wal").unlink(missing_ok=True)
        os.replace(written, path)
        to_disk(path.parent)
    finally:
        for left in path.parent.glob(f"{written.name}*"):
            left.unlink()
    return counts


def _copy(cursor: duckdb.DuckDBPyConnection, database: str, schema: str, tables: Sequence[str]) -> dict[str, int]:
    """Tables, rows and comments into the attached file, all from one snapshot of the warehouse."""
    import duckdb

    counts = {}
    cursor.execute("begin transaction")
    try:
        cursor.execute(f"create schema {ATTACHED}.{quoted(schema)}")
        for table in tables:
            source = f"{database}.{quoted(schema)}.{quoted(table)}"
            target = f"{ATTACHED}.{quoted(schema)}.{quoted(table)}"
            ((counts[table],),) = cursor.execute(f"create table {target} as select * from {source}").fetchall()
            for comment in _comments(cursor, schema, table, target):
                cursor.execute(comment)
        cursor.execute("commit")
    except BaseException:
        with suppress(duckdb.Error):
            cursor.execute("rollback")
        raise
    return counts


def _comments(cursor: duckdb.DuckDBPyConnection, schema: str, table: str, target: str) -> list[str]:
    """Statements that give `target` the descriptions that the published view or table carries."""
    about_table = cursor.execute(
        """select comment from (
            select database_name, schema_name, view_name as name, comment from duckdb_views()
            union all select database_name, schema_name, table_name, comment from duckdb_tables()
        ) where database_name = current_database() and schema_name = ? and name = ? and comment is not null""",
        [schema, table],
    ).fetchall()
    about_columns = cursor.execute(
        """select column_name, comment from duckdb_columns()
        where database_name = current_database() and schema_name = ? and table_name = ? and comment is not null""",
        [schema, table],
    ).fetchall()
    statements = [f"comment on table {target} is {_literal(text)}" for (text,) in about_table]
    return statements + [f"comment on column {target}.{quoted(column)} is {_literal(text)}" for column, text in about_columns]


def to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
