"""Names and placeholders as engines write them."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable
from pathlib import Path

PLACEHOLDER = re.compile(r"\$([a-z_][a-z_0-9]*)")


def quoted(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def one_file(path: Path) -> str:
    """A path as DuckDB's readers take it for this one file: in a bare path `a[1]` they look for `a1`, in `~` for a home."""
    return glob.escape(str(path.absolute()))


def with_placeholders(sql: str, written: Callable[[str], str]) -> str:
    """`sql` with every `$name` as `written(name)`."""
    return PLACEHOLDER.sub(lambda found: written(found.group(1)), sql)
