"""Where a dbt target points to, read from profiles.yml as dbt reads it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nba.errors import NbaError
from nba.project import PROJECT_NAME, read_yaml

# type of a target in profiles.yml -> its engine
ENGINES = {"duckdb": "duckdb", "postgres": "postgres", "pgpy": "postgres", "snowflake": "snowflake"}
ENGINE_NAMES = tuple(dict.fromkeys(ENGINES.values()))


@dataclass(frozen=True)
class Target:
    """One output of profiles.yml. `path`: the DuckDB file, absolute; `settings`: the other engines' entries, environment filled in."""

    name: str
    kind: str
    path: Path
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)  # holds the password

    def __post_init__(self) -> None:
        if self.kind not in ENGINES:
            raise NbaError(f"target {self.name} is of type {self.kind}: this command works with {', '.join(ENGINE_NAMES)} targets")

    @property
    def engine(self) -> str:
        """`duckdb`, `postgres` or `snowflake`."""
        return ENGINES[self.kind]

    def setting(self, *names: str, default: Any = None) -> Any:
        """The first of these entries that is there and not empty."""
        return next((self.settings[name] for name in names if self.settings.get(name) not in (None, "")), default)


def find_profiles(project_dir: Path) -> Path:
    """The profiles.yml that dbt itself would take: DBT_PROFILES_DIR, else the project, else ~/.dbt."""
    given = os.environ.get("DBT_PROFILES_DIR")
    folders = [Path(given).expanduser()] if given else [project_dir, Path.home() / ".dbt"]
    for folder in folders:
        if (folder / "profiles.yml").is_file():
            return folder / "profiles.yml"
    raise NbaError(f"found no profiles.yml in {' or '.join(str(folder) for folder in folders)}")


def resolve_target(target: str | None, project_dir: Path) -> Target:
    """The named target of the project's profile (None = its default), with a relative path taken from the project's folder as dbt does.

    Raises NbaError for an unknown target, a target of an engine that this project does not know, and a DuckDB target that is no file.
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
            f"there is no target {name} in {profiles}. Targets there: {known}. This command works with {', '.join(ENGINE_NAMES)} targets"
        )
    settings = _render(outputs[name], profiles)
    kind = str(settings.get("type"))
    path = str(settings.get("path", ":memory:")) if kind == "duckdb" else ""
    if kind == "duckdb" and (path == ":memory:" or path.startswith(("md:", "motherduck:")) or not path):
        raise NbaError(f"target {name} has the path {path or 'empty'}: this command needs a DuckDB file")
    return Target(name=name, kind=kind, path=project_dir / Path(path).expanduser(), settings=settings)


def _render(value: Any, where: Path) -> Any:
    """Text with its env_var(...) filled in, in a sandbox that knows nothing else; lists and mappings part by part."""
    if isinstance(value, dict):
        return {name: _render(part, where) for name, part in value.items()}
    if isinstance(value, list):
        return [_render(part, where) for part in value]
    if not isinstance(value, str) or "{" not in value:
        return value
    from nba.warehouse.profile_text import rendered

    return rendered(value, where)
