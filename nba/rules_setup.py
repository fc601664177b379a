"""The sub-command `nba init-rules`: create the missing rule tables, empty and typed."""

from __future__ import annotations

import argparse
from pathlib import Path

from nba.errors import NbaError


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser(
        "init-rules",
        help="create the missing empty rule tables",
        description="Create every rule table that the schema lacks, empty and typed.",
    )
    parser.add_argument("--schema", default="raw", help="schema of the rule tables (default: raw)")
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def run(args: argparse.Namespace) -> int:
    """Create what is missing and say which tables that were."""
    created = init_rules(args.schema, args.target, args.project_dir)
    print(
        f"Created empty in schema {args.schema}: {', '.join(created)}."
        if created
        else f"Schema {args.schema} has all rule tables already; nothing was created."
    )
    return 0


def init_rules(schema: str, target: str | None = None, project_dir: Path | None = None) -> list[str]:
    """Create the missing rule tables in one transaction and return their names in the contract's order.

    Raises NbaError for a schema that the build itself writes and for a target that cannot be used.
    """
    from nba.project import built_schemas, find_project, read_contract
    from nba.roles import configured_roles
    from nba.warehouse import connect

    project = find_project(project_dir)
    if schema in built_schemas(project):
        raise NbaError(f"schema {schema} is written by the build itself: choose another --schema")
    contract = read_contract(project)
    warehouse = connect(target, project, configured_roles(project, {}).get("builder"))
    try:
        with warehouse.transaction():
            there = {table.name.lower() for table in warehouse.tables(schema)}
            missing = [table for table in contract.rules if table.name not in there]
            warehouse.create_schema(schema)
            for table in missing:
                warehouse.create_table(schema, table)
    finally:
        warehouse.close()
    return [table.name for table in missing]
