"""The sub-command `nba diff`: what changed from one run to another. It reads memory and writes nothing."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser(
        "diff",
        help="show what changed from one run to another",
        description="HCPs that gain, lose or change an action, changes of value and cost, limits that bind or not, from RUN_A to RUN_B. "
        "Without runs: from the run published before to the published one; with one: from that run to the published one.",
    )
    parser.add_argument("runs", nargs="*", metavar="RUN", help="run_id, or its beginning; up to two")
    parser.add_argument("--markdown", action="store_true", help="Markdown, for a pull request")
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument("--vars", default="{}", help="switches of the build, as for dbt; nba_schema_prefix is read")
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def run(args: argparse.Namespace) -> int:
    """Print the difference that the command line asks for."""
    from nba.diff.report import as_markdown, as_text, sections
    from nba.diff.runs import read_difference
    from nba.errors import NbaError
    from nba.load.command import parse_switches
    from nba.project import find_project
    from nba.warehouse import reading
    from nba.whatif.live import schema_prefix

    if len(args.runs) > 2:
        raise NbaError(f"{len(args.runs)} runs are named: give at most two")
    project = find_project(args.project_dir)
    schema = f"{schema_prefix(project, parse_switches(args.vars))}memory"
    with reading(args.target, project) as warehouse:
        found = read_difference(warehouse, schema, args.runs)
    print((as_markdown if args.markdown else as_text)(sections(found)))
    return 0
