"""Which of the packages that the Python models declare resolve in an account, asked before a build finds out one model at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nba.errors import NbaError
from nba.project import read_yaml
from nba.snowflake.account import Account, packages_statement

SOLVER_PACKAGES = ("highspy", "pyomo", "numba")  # without these the plan is made on the client
Ask = Callable[[str], Sequence[Sequence[Any]]]


@dataclass(frozen=True)
class PackageAnswer:
    """One declared package. way: `channel` (Snowflake's own, in this version), `repository` (from PyPI through the artifact repository) or
    `missing`; others: the versions of the channel where it has this package in another."""

    name: str
    version: str
    way: str
    others: tuple[str, ...] = ()


def declared_packages(project_dir: Path) -> list[tuple[str, str]]:
    """Name and pinned version of each package in dbt_project.yml. NbaError for one without `==`: an account would take any."""
    listed = read_yaml(project_dir / "dbt_project.yml")["models"]["nba"]["+packages"]
    pairs = [(one.partition("==")[0].strip(), one.partition("==")[2].strip()) for one in listed]
    loose = [name for name, version in pairs if not version]
    if loose:
        raise NbaError(f"dbt_project.yml: packages without an exact version: {', '.join(loose)}. Write name==version")
    return pairs


def ask_packages(ask: Ask, account: Account, declared: Sequence[tuple[str, str]], runtime: str) -> list[PackageAnswer]:
    """How each declared package resolves. ask: runs a statement and gives its rows; runtime: python_version of the models."""
    rows = ask(packages_statement([name for name, _ in declared], account.database))
    in_channel: dict[str, set[str]] = {}
    for name, version, of_runtime in rows:
        if of_runtime in (None, "", runtime):
            in_channel.setdefault(str(name).lower(), set()).add(str(version))
    repository = has_repository(ask, account)
    answers = []
    for name, version in declared:
        others = tuple(sorted(in_channel.get(name.lower(), set())))
        way = "repository" if repository else "channel" if version in others else "missing"
        answers.append(PackageAnswer(name, version, way, others))
    return answers


def has_repository(ask: Ask, account: Account) -> bool:
    """Whether the database takes packages from an artifact repository by default."""
    rows = ask(f"show parameters like 'DEFAULT_PYTHON_ARTIFACT_REPOSITORY' in database {account.database}")
    return any(str(row[1] or "").strip() not in ("", "None") for row in rows if len(row) > 1)


def preflight_lines(answers: Sequence[PackageAnswer]) -> tuple[list[str], bool]:
    """What to print, and whether every model can run in the account."""
    lines = [f"  {one.name}=={one.version}: {_told(one)}" for one in answers]
    missing = {one.name for one in answers if one.way == "missing"}
    if not missing:
        return [*lines, "Every package resolves: the whole build can run in the account."], True
    if missing <= set(SOLVER_PACKAGES):
        lines.append(f"The solver cannot run in the account (missing: {', '.join(sorted(missing))}): plan on the client with")
        lines.append("  dbt build --target snowflake --vars '{nba_plan_on: client}'; nba plan --target snowflake; dbt retry")
    else:
        lines.append(f"The models cannot run in the account: missing {', '.join(sorted(missing))}. What to do: let an administrator run")
        lines.append("  nba snowflake setup --as administrator --print, which sets the PyPI repository as the database's default.")
    return lines, False


def _told(one: PackageAnswer) -> str:
    if one.way == "channel":
        return "in Snowflake's channel"
    if one.way == "repository":
        return "from the database's artifact repository"
    return f"missing; the channel has {', '.join(one.others)}" if one.others else "missing"
