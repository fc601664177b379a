"""The sub-command `nba snowflake`: make an account ready (`setup`), ask it what it can run (`preflight`), build the zip (`zip`)."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError

if TYPE_CHECKING:
    from nba.snowflake.account import Account
    from nba.warehouse import Target

ROLES = ("administrator", "builder")


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser("snowflake", help="set a Snowflake account up for the project and ask what it can run")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    setup = actions.add_parser("setup", help="print or run the SQL: roles, stage, upload of the code, package repository, grants")
    how = setup.add_mutually_exclusive_group()
    how.add_argument("--print", action="store_true", help="print the statements and change nothing (the default)")
    how.add_argument("--run", action="store_true", help="run them in the account")
    setup.add_argument("--as", dest="role", choices=ROLES, default="builder", help="whose statements (default: builder)")
    preflight = actions.add_parser("preflight", help="ask the account which packages of the Python models resolve")
    packed = actions.add_parser("zip", help="write the zip of the Python packages and print its SHA-256")
    for one in (setup, preflight, packed):
        one.add_argument("--target", default="snowflake", help="target of profiles.yml (default: snowflake)")
        one.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")
        one.add_argument("--zip", type=Path, help="where the zip is written (default: target/nba.zip of the project)")


def run(args: argparse.Namespace) -> int:
    """0 when done; preflight: 1 when something does not resolve."""
    from nba.project import find_project

    project_dir = find_project(args.project_dir)
    return {"setup": _setup, "preflight": _preflight, "zip": _zip}[args.action](args, project_dir)


def _zip(args: argparse.Namespace, project_dir: Path) -> int:
    from nba.snowflake.package import build_zip

    path = _zip_path(args, project_dir)
    print(f"{build_zip(project_dir, path)}  {path}")
    return 0


def _zip_path(args: argparse.Namespace, project_dir: Path) -> Path:
    from nba.snowflake.package import ZIP_NAME

    path = (args.zip or project_dir / "target" / ZIP_NAME).resolve()
    if path.name != ZIP_NAME:
        raise NbaError(f"--zip must end in {ZIP_NAME}: the models import it under that name")
    return path


def _setup(args: argparse.Namespace, project_dir: Path) -> int:
    from nba.snowflake.account import administrator_statements, builder_statements
    from nba.snowflake.package import build_zip

    target, account = _account(args.target, project_dir)
    path = _zip_path(args, project_dir)
    statements = administrator_statements(account) if args.role == "administrator" else builder_statements(account, path)
    if not args.run:
        print(f"-- nba snowflake setup --as {args.role}: printed, nothing was changed. With --run it is done.")
        print("\n".join(f"{statement};" for statement in statements))
        return 0
    build_zip(project_dir, path)
    with _connected(target, None if args.role == "administrator" else account.builder) as ask:
        for statement in statements:
            ask(statement)
            print(f"done: {statement}")
    return 0


def _preflight(args: argparse.Namespace, project_dir: Path) -> int:
    from nba.project import read_yaml
    from nba.snowflake.preflight import ask_packages, declared_packages, preflight_lines

    target, account = _account(args.target, project_dir)
    declared = declared_packages(project_dir)
    runtime = str(read_yaml(project_dir / "dbt_project.yml")["models"]["nba"]["+python_version"])
    with _connected(target, account.builder) as ask:
        lines, all_resolve = preflight_lines(ask_packages(ask, account, declared, runtime))
    print(f"Packages for Python {runtime} in account {target.settings['account']}:")
    print("\n".join(lines))
    return 0 if all_resolve else 1


def _account(name: str, project_dir: Path) -> tuple[Target, Account]:
    from nba.snowflake.account import Account
    from nba.warehouse import resolve_target

    target = resolve_target(name, project_dir)
    if target.engine != "snowflake":
        raise NbaError(f"target {target.name} is of type {target.kind}: nba snowflake needs one of type snowflake")
    return target, Account.of(target.settings)


@contextmanager
def _connected(target: Target, role: str | None) -> Iterator[Callable[[str], Sequence[Sequence[Any]]]]:
    """A connection of the target as a function from a statement to its rows. role: None = the user's own. NbaError where the account
    cannot be reached or refuses."""
    import snowflake.connector

    from nba.warehouse.door import open_target

    settings = {name: value for name, value in target.settings.items() if name != "role"}
    warehouse = open_target(replace(target, settings=settings | ({"role": role} if role else {})), read_only=False)

    def ask(statement: str) -> Sequence[Sequence[Any]]:
        try:
            return warehouse.rows(statement)
        except snowflake.connector.errors.Error as error:
            raise NbaError(f"the account refused: {statement}\n  {' '.join(str(error).split())}") from error

    try:
        yield ask
    finally:
        warehouse.close()
