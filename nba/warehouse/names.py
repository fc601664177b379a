"""Names and placeholders as engines write them."""

from __future__ import annotations

import re
from collections.abc import Callable

PLACEHOLDER = re.compile(r"\$([a-z_][a-z_0-9]*)")


def quoted(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def with_placeholders(sql: str, written: Callable[[str], str]) -> str:
    """`sql` with every `$name` as `written(name)`."""
    return PLACEHOLDER.sub(lambda found: written(found.group(1)), sql)
