"""The published tables as the project's own properties name them: models/published, one file per table."""

from __future__ import annotations

from pathlib import Path

from nba.errors import NbaError
from nba.project import read_yaml

PUBLISHED_FOLDER = Path("models", "published")


def published_tables(project_dir: Path) -> tuple[str, ...]:
    """Plain names of the published tables, sorted. NbaError when the project has none."""
    names = [
        model["config"]["alias"] for path in (project_dir / PUBLISHED_FOLDER).glob("*.yml") for model in read_yaml(path).get("models", [])
    ]
    if not names:
        raise NbaError(f"{project_dir / PUBLISHED_FOLDER} names no published table")
    return tuple(sorted(names))
