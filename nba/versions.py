"""Which code made a plan: one hash over the files that the project ships and runs."""

from __future__ import annotations

import hashlib
import pkgutil
from functools import cache
from pathlib import Path

SHIPPED_FOLDERS = ("nba", "optimization", "models", "macros", "python_models")
SHIPPED_FILES = ("dbt_project.yml",)
STAMP = "code_version.txt"  # in the zip that goes to Snowflake only: there are no files to hash there


@cache
def code_version() -> str:
    """SHA-256 (hex) over relative path and bytes of every shipped file, in order of path; computed once per process."""
    try:
        stamped = pkgutil.get_data("nba", STAMP)
    except OSError:
        stamped = None
    if stamped:
        return stamped.decode()
    return hash_of_files(Path(__file__).resolve().parent.parent)


def hash_of_files(root: Path) -> str:
    """The hash for a project folder. Compiled Python and hidden files do not count; a folder that is not there adds nothing."""
    digest = hashlib.sha256()
    for path in sorted(_shipped(root), key=lambda found: found.relative_to(root).as_posix()):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _shipped(root: Path) -> list[Path]:
    found = [root / name for name in SHIPPED_FILES if (root / name).is_file()]
    for folder in SHIPPED_FOLDERS:
        for path in (root / folder).rglob("*"):
            parts = path.relative_to(root).parts
            hidden = any(part.startswith(".") or part == "__pycache__" or part.endswith(".egg-info") for part in parts)
            if path.is_file() and not hidden and path.suffix != ".pyc":
                found.append(path)
    return found
