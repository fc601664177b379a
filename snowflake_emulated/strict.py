"""What a Snowflake account would refuse and DuckDB under fakesnow would take in silence."""

from __future__ import annotations

import re

LOWER_QUOTED = re.compile(r'"([^"]*)"')


def complaint(plain: str, verb: str) -> str | None:
    """The account's error for this statement, None when it would run as far as this file knows."""
    return None
