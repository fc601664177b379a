"""The sub-command `nba readiness`: what a user's own tables can tell, before any model. It reads and writes nothing but its own files."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser(
        "readiness",
        help="say what your tables can tell before anything is modelled",
        description="Match rates, lags, touches and responses, overlap, the smallest effect that each channel's history can show, and go, "
        "weak or no-go per channel, for the tables of a schema (default: the var input_schema, else raw) or for a folder of files.",
    )
    parser.add_argument("--folder", type=Path, help="folder of <table>.csv or <table>.parquet files, looked at without loading")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every measure as a table")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write the report as one HTML file")
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument(
        "--vars", default="{}", help="switches of the build, as for dbt; input_schema, rule_schema and input_tables are read"
    )
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def run(args: argparse.Namespace) -> int:
    """Print the report, and write it where the command line says."""
    from nba.load.command import parse_switches
    from nba.project import find_project
    from nba.readiness.page import as_page
    from nba.readiness.report import assess
    from nba.readiness.sources import from_folder, from_warehouse
    from nba.readiness.words import as_csv, as_text
    from nba.warehouse import reading

    project = find_project(args.project_dir)
    if args.folder is not None:
        connection = from_folder(args.folder, project)
    else:
        switches = parse_switches(args.vars)
        schema = str(switches.get("input_schema") or "raw")
        with reading(args.target, project, "load your tables first (`nba load FOLDER`), or give --folder FOLDER") as warehouse:
            connection = from_warehouse(warehouse, schema, switches.get("input_tables") or {}, str(switches.get("rule_schema") or schema))
    try:
        report = assess(connection)
    finally:
        connection.close()
    print(as_text(report))
    for path, text in ((args.csv, as_csv), (args.page, as_page)):
        if path is not None:
            _write(path, text(report))
    return 0


def _write(path: Path, text: str) -> None:
    from nba.errors import NbaError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NbaError(f"cannot write {path}: {error.strerror}") from error
    print(f"Written: {path}")
