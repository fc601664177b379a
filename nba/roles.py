"""The sub-command `nba roles`: set up who may read and write what, and say which login sees which territories.

The statements are macros (macros/roles), as the hooks of every build use them too; this runs them through dbt.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nba.errors import NbaError

ACCESS_COLUMNS = ("login", "territory_id", "rep_id")
ROWS_A_STATEMENT = 500


@dataclass(frozen=True)
class Access:
    """One row of memory.role_access: a database login and a territory (`*` = all) or rep_id whose rows it sees."""

    login: str
    territory_id: str | None
    rep_id: str | None

    def __post_init__(self) -> None:
        if not self.login:
            raise NbaError("login is empty")
        if self.territory_id is None and self.rep_id is None:
            raise NbaError(f"{self.login} gets neither a territory_id nor a rep_id")


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser(
        "roles",
        help="set up roles, grants and row security on PostgreSQL or Snowflake",
        description="Create the roles that the var nba_roles names and grant what they may; with --access, say instead which login sees "
        "which territories.",
    )
    parser.add_argument("--print", action="store_true", dest="only_print", help="print the statements instead of running them")
    parser.add_argument("--access", type=Path, metavar="FILE.csv", help="replace memory.role_access by login,territory_id,rep_id")
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument("--vars", default="{}", help="switches of the build; nba_roles, nba_schema_prefix and input_schema are read")
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def run(args: argparse.Namespace) -> int:
    """Set up the roles, print how, or replace the table of access."""
    from nba.load.command import parse_switches
    from nba.project import find_project
    from nba.warehouse import resolve_target

    project, switches = find_project(args.project_dir), parse_switches(args.vars)
    target = resolve_target(args.target, project)
    if target.engine == "duckdb":
        raise NbaError(
            f"target {target.name} is a DuckDB file, which has no roles: whoever may read the file reads every row of it. "
            "Give each reader a file of its own, or use PostgreSQL or Snowflake"
        )
    if args.access is not None:
        rows = read_access(args.access)
        replace_access(rows, args.target, project, switches)
        print(f"{len({row.login for row in rows})} logins have access now ({len(rows)} rows in memory.role_access).")
        return 0
    text = set_up_text(project, args.target, switches, is_run=not args.only_print)
    named = ", ".join(configured_roles(project, switches).values())
    print(text if args.only_print else f"Roles are set up on target {target.name}: {named}.")
    return 0


def configured_roles(project_dir: Path, switches: Mapping[str, Any]) -> dict[str, str]:
    """The var nba_roles of the switches, else of the project: kind -> name of the role; empty where none are named."""
    from nba.project import read_yaml

    given = switches.get("nba_roles")
    found = read_yaml(project_dir / "dbt_project.yml").get("vars", {}).get("nba_roles") if given is None else given
    if not isinstance(found, dict | None):
        raise NbaError(f"the var nba_roles is no mapping of kinds to names of roles: {found}")
    return {str(kind): str(role) for kind, role in (found or {}).items()}


def set_up_text(project_dir: Path, target: str | None, switches: Mapping[str, Any], is_run: bool) -> str:
    """Run the set-up through dbt, or only let it print: what dbt printed. NbaError with dbt's own words where it failed."""
    from dbt.cli.main import dbtRunner

    from nba.warehouse import find_profiles

    aim = ["--target", target] if target else []
    printed: list[str] = []
    failed: list[str] = []

    def hear(event: Any) -> None:
        if event.info.name == "PrintEvent":
            printed.append(event.data.msg)
        elif event.info.level == "error":
            failed.append(event.info.msg)

    silent = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    with tempfile.TemporaryDirectory(prefix="nba_roles_") as folder, silent[0], silent[1]:
        options = {
            "--args": json.dumps({"run": is_run}),
            "--vars": json.dumps(dict(switches)),
            "--project-dir": str(project_dir),
            "--profiles-dir": str(find_profiles(project_dir).parent),
            "--target-path": f"{folder}/target",
            "--log-path": f"{folder}/logs",
        }
        words = ["run-operation", "set_up_roles", "--quiet", *aim, *[word for option in options.items() for word in option]]
        outcome = dbtRunner(callbacks=[hear]).invoke(words)
    if not outcome.success:
        text = str(outcome.exception or "\n".join(failed) or "dbt gave no reason").split("\n\n  > in macro")[0]
        raise NbaError(f"the roles were not set up: {' '.join(text.split())}")
    return "\n".join(printed)


def read_access(file: Path) -> list[Access]:
    """The rows of a CSV file with the columns login, territory_id, rep_id; NbaError with file and line where one cannot be read."""
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NbaError(f"cannot read {file}: {error}") from error
    lines = csv.DictReader(io.StringIO(text), strict=True)
    names = tuple(name.strip().lower() for name in lines.fieldnames or ())
    if "login" not in names or set(names) - set(ACCESS_COLUMNS) or len(set(names)) != len(names):
        raise NbaError(f"{file} has the columns {', '.join(names) or 'none'}: give {', '.join(ACCESS_COLUMNS)}")
    lines.fieldnames = list(names)
    rows = []
    try:
        for line in lines:
            if None in line or None in line.values():
                raise NbaError(f"does not have {len(names)} fields")
            rows.append(Access(*((line.get(name) or "").strip() or None for name in ACCESS_COLUMNS)))  # type: ignore[arg-type]
    except (NbaError, csv.Error) as error:
        raise NbaError(f"{file}, line {lines.line_num}: {error}. Nothing was written") from error
    return list(dict.fromkeys(rows))


def replace_access(rows: Sequence[Access], target: str | None, project_dir: Path, switches: Mapping[str, Any]) -> None:
    """Put these rows in the place of memory.role_access, all or nothing."""
    from nba.warehouse import connect
    from nba.whatif.live import schema_prefix

    memory = f"{schema_prefix(project_dir, switches)}memory"
    warehouse = connect(target, project_dir)
    try:
        if not any(table.name == "role_access" for table in warehouse.tables(memory)):
            raise NbaError(f"{memory}.role_access is not there: run `nba roles` first")
        table = f"{warehouse.quoted(memory)}.{warehouse.quoted('role_access')}"
        with warehouse.transaction():
            warehouse.execute(f"delete from {table}")
            for start in range(0, len(rows), ROWS_A_STATEMENT):
                part = rows[start : start + ROWS_A_STATEMENT]
                holes = ", ".join(f"($login{place}, $territory{place}, $rep{place})" for place in range(len(part)))
                values = {f"{key}{place}": cell for place, row in enumerate(part) for key, cell in _cells(row)}
                warehouse.execute(f"insert into {table} (login, territory_id, rep_id) values {holes}", values)
    finally:
        warehouse.close()


def _cells(row: Access) -> tuple[tuple[str, str | None], ...]:
    return ("login", row.login), ("territory", row.territory_id), ("rep", row.rep_id)
