"""The sub-command `nba approve`: a person lets a challenger take over. It scores from the next build on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nba.errors import NbaError

COLUMNS = "model_version text not null, approved_by text not null, approved_at timestamp not null, reason text"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser(
        "approve",
        help="approve a version of the engagement model",
        description="Under nba_model_approval: required a challenger that won waits for this. It scores from the next build on; the "
        "approval is kept in memory and in the audit log.",
    )
    parser.add_argument("version", metavar="VERSION", help="the version, or its first letters")
    parser.add_argument("--by", required=True, metavar="NAME", help="who approves")
    parser.add_argument("--reason", default="", help="why")
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument("--vars", default="{}", help="switches of the build, as for dbt; nba_schema_prefix is read")
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def run(args: argparse.Namespace) -> int:
    """Approve as the command line says, and say what comes of it."""
    from nba.load.command import parse_switches
    from nba.project import find_project

    row = approve(args.version, args.by, args.reason, args.target, find_project(args.project_dir), parse_switches(args.vars))
    what = "scores already" if row["stage"] == "champion" else "takes over with the next build"
    print(f"Approved by {args.by}: version {row['model_version']}, which {what}.")
    return 0


def approve(version: str, by: str, reason: str, target: str | None, project_dir: Path, switches: dict[str, Any]) -> dict[str, Any]:
    """Keep the approval; the row of the version. NbaError without a name, for an unknown, retired or damaged version, or one approved."""
    from nba.audit import record
    from nba.learning.settings import LearningInputError
    from nba.learning.versions import open_version
    from nba.register.read import approvals_of, find_version, schema_of
    from nba.warehouse import connect

    if not by.strip():
        raise NbaError("--by is empty: an approval needs the name of who gives it")
    schema = schema_of(project_dir, switches)
    warehouse = connect(target, project_dir)
    try:
        row = find_version(warehouse, schema, version)
        if row["stage"] == "retired":
            raise NbaError(
                f"version {row['model_version']} is retired ({row['stage_reason']}): only a challenger or a champion is approved"
            )
        if said := approvals_of(warehouse, schema, row["model_version"]):
            raise NbaError(f"version {row['model_version']} was approved by {said[0]['approved_by']} at {said[0]['approved_at']} already")
        try:
            open_version(row)
        except LearningInputError as error:
            raise NbaError(f"{error}. It is not approved") from error
        table = f"{warehouse.quoted(schema)}.{warehouse.quoted('model_approvals')}"
        warehouse.execute(f"create table if not exists {table} ({COLUMNS})")
        with warehouse.transaction():
            warehouse.execute(
                f"insert into {table} (model_version, approved_by, approved_at, reason) select $version, $by, {warehouse.utc_now}, $reason",
                {"version": row["model_version"], "by": by.strip(), "reason": reason.strip() or None},
            )
            details = {"model": "engagement", "model_hash": row["model_hash"], "reason": reason.strip() or None}
            record(warehouse, schema.removesuffix("memory"), "model_approved", row["model_version"], details, by.strip())
    finally:
        warehouse.close()
    return row
