"""The sub-command `nba measure`: what past plans brought, as the published run says it. It reads and writes no table."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser(
        "measure",
        help="show what past plans brought",
        description="Lift over the control arm, adherence, values of other policies and uplift curves of past cycles, as the published "
        "run measured them. While a build holds a DuckDB warehouse, the serving file is read instead.",
    )
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="also draw the uplift curves")
    parser.add_argument("--cycle", default="pooled", help="the measured cycle to draw, as 2026-01-05 (default: all, pooled)")
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument("--vars", default="{}", help="switches of the build, as for dbt; nba_schema_prefix is read")
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def run(args: argparse.Namespace) -> int:
    """Print the tables and draw what the command line asks for."""
    from nba.diff.report import as_text
    from nba.errors import NbaError
    from nba.export import published
    from nba.load.command import parse_switches
    from nba.measurement.picture import uplift_picture
    from nba.measurement.report import TABLES, sections
    from nba.project import find_project
    from nba.whatif.live import schema_prefix

    project = find_project(args.project_dir)
    prefix = schema_prefix(project, parse_switches(args.vars))
    with published(args.target, project, prefix) as (warehouse, there):
        missing = [name for name in TABLES if name not in there]
        if missing:
            raise NbaError(f"{prefix}published.{missing[0]} is not there: run `dbt build` first")
        schema = warehouse.quoted(f"{prefix}published")
        tables = {name: warehouse.query(f"select * from {schema}.{warehouse.quoted(name)}").to_pylist() for name in TABLES}
    print(as_text(sections(tables)))
    if args.picture is not None:
        try:
            drawn = uplift_picture(tables["uplift_curve"], args.cycle)
        except ValueError as error:
            raise NbaError(f"--picture {args.picture}: {error}; nothing is drawn") from error
        args.picture.write_text(drawn, encoding="utf-8")
        print(f"\nUplift curves ({args.cycle}) in {args.picture}.")
    return 0
