"""The Python packages of the project as one zip for a Snowflake stage: pure Python, the same bytes for the same files."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from nba.versions import STAMP, hash_of_files

PACKAGES = ("nba", "optimization")
LEFT_OUT = ("nba/simulate", "nba/load", "nba/whatif")  # nothing that a model of the pipeline runs
ZIP_NAME = "nba.zip"
MOMENT = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell: bytes must not hang on the clock


def package_files(root: Path) -> list[Path]:
    """The Python files that go up, sorted by path."""
    found = [path for name in PACKAGES for path in (root / name).rglob("*.py")]
    kept = [path for path in found if not path.relative_to(root).as_posix().startswith(LEFT_OUT)]
    return sorted(kept, key=lambda path: path.relative_to(root).as_posix())


def build_zip(root: Path, target: Path) -> str:
    """Write the zip and return its SHA-256 (hex). It carries the code version of the whole project, since the macros do not go up."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in package_files(root):
            _add(packed, path.relative_to(root).as_posix(), path.read_bytes())
        _add(packed, f"nba/{STAMP}", hash_of_files(root).encode())
    return hashlib.sha256(target.read_bytes()).hexdigest()


def _add(packed: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, MOMENT)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    packed.writestr(entry, content)
