"""Where a dbt target points to, and a connection to it. Today: DuckDB files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError
from nba.project import PROJECT_NAME, read_yaml

if TYPE_CHECKING:
    import duckdb

WORKING_KINDS = ("duckdb",)


@dataclass(frozen=True)
class Target:
    """One output of profiles.yml. `path` is the DuckDB file, absolute."""

    name: str
    kind: str
    path: Path

    def __post_init__(self) -> None:
        if self.kind not in WORKING_KINDS:
            raise NbaError(f"target {self.name} is of type {self.kind}: this command works with {', '.join(WORKING_KINDS)} targets so far")


def find_profiles(project_dir: Path) -> Path:
    """The profiles.yml that dbt itself would take: DBT_PROFILES_DIR, else the project, else ~/.dbt."""
    given = os.environ.get("DBT_PROFILES_DIR")
    folders = [Path(given).expanduser()] if given else [project_dir, Path.home() / ".dbt"]
    for folder in folders:
        if (folder / "profiles.yml").is_file():
            return folder / "profiles.yml"
    raise NbaError(f"found no profiles.yml in {' or '.join(str(folder) for folder in folders)}")


def _render(value: Any, where: Path) -> Any:
    """Text with its env_var(...) filled in, in a sandbox that knows nothing else; other values as they are."""
    if not isinstance(value, str) or "{" not in value:
        return value
    import jinja2
    from jinja2.sandbox import SandboxedEnvironment

    def env_var(name: str, default: str | None = None) -> str:
        found = os.environ.get(name, default)
        if found is None:
            raise NbaError(f"{where} needs the environment variable {name}, which is not set")
        return found

    try:
        return SandboxedEnvironment(undefined=jinja2.StrictUndefined).from_string(value).render(env_var=env_var)
    except jinja2.TemplateError as error:
        raise NbaError(f"cannot read {value!r} in {where}: {error}") from error


def resolve_target(target: str | None, project_dir: Path) -> Target:
    """The named target of the project's profile (None = its default), with a relative path taken from the project's folder as dbt does.

    Raises NbaError for an unknown target, a target of another type than DuckDB, and a DuckDB target that is no file.
    """
    profiles = find_profiles(project_dir)
    profile = read_yaml(profiles).get(PROJECT_NAME)
    if not isinstance(profile, dict) or not isinstance(profile.get("outputs"), dict):
        raise NbaError(f"{profiles} has no profile {PROJECT_NAME} with outputs")
    outputs = profile["outputs"]
    name = target or _render(profile.get("target", "default"), profiles)
    if name not in outputs:
        known = ", ".join(f"{key} ({value.get('type')})" for key, value in outputs.items())
        raise NbaError(
            f"there is no target {name} in {profiles}. Targets there: {known}. "
            f"This command works with {', '.join(WORKING_KINDS)} targets so far"
        )
    kind = _render(outputs[name].get("type"), profiles)
    path = str(_render(outputs[name].get("path", ":memory:"), profiles)) if kind == "duckdb" else ""
    if kind == "duckdb" and (path == ":memory:" or path.startswith(("md:", "motherduck:")) or not path):
        raise NbaError(f"target {name} has the path {path or 'empty'}: this command needs a DuckDB file")
    return Target(name=name, kind=str(kind), path=project_dir / Path(path).expanduser())


def open_file(path: Path, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to a DuckDB file; its folder is created. NbaError when another process holds it or it is no DuckDB file."""
    import duckdb

    try:
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
        return duckdb.connect(str(path), read_only=read_only)
    except (duckdb.Error, OSError) as error:
        text = " ".join(str(error).split())
        if "lock" in text.lower():
            holder = text[text.find("(PID") :].split(")")[0] + ")" if "(PID" in text else ""
            raise NbaError(
                f"{path} is open in another process {holder}: close it (a DuckDB file has one writer) and run again".replace("  ", " ")
            ) from error
        raise NbaError(f"cannot open {path}: {text}") from error


def connect(target: str | None, project_dir: Path) -> duckdb.DuckDBPyConnection:
    """A connection to a target of the project's profile; see resolve_target and open_file for the errors."""
    return open_file(resolve_target(target, project_dir).path)


def quoted(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
