"""One build at a time on a DuckDB file: a plugin of dbt-duckdb, named in profiles.yml, that looks before dbt opens the file.

DuckDB itself lets one process in; without this module a second build dies of it in a long traceback.
"""

from __future__ import annotations

import os
import time
from typing import Any

import duckdb
from dbt.adapters.duckdb.plugins import BasePlugin

WAIT_VARIABLE = "NBA_BUILD_WAIT_SECONDS"
STEP_SECONDS = 1.0


class FileInUseError(RuntimeError):
    """Another process has the warehouse file open. A RuntimeError, because that is what dbt reports without a traceback."""


class Plugin(BasePlugin):
    """Waits for the warehouse file as long as NBA_BUILD_WAIT_SECONDS says (default: not at all), then refuses in words."""

    def update_connection_config(self, creds: Any, config: dict[str, Any]) -> None:
        """Called by dbt-duckdb just before it opens the file. Raises FileInUseError."""
        if creds.path != ":memory:" and not creds.is_motherduck_database:
            wait_for_file(creds.path, config, waiting_time())


def waiting_time() -> float:
    """Seconds of NBA_BUILD_WAIT_SECONDS; FileInUseError for anything but a number from 0 on."""
    given = os.environ.get(WAIT_VARIABLE, "").strip() or "0"
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise FileInUseError(f"{WAIT_VARIABLE} is no number of seconds from 0 on: {given}. Nothing was built.")
    return seconds


def wait_for_file(path: str, config: dict[str, Any], seconds: float) -> None:
    """Return once no other process has `path` open; after `seconds` raise FileInUseError. Other troubles are dbt's to report."""
    ends = time.monotonic() + seconds
    while (holder := holder_of(path, config)) is not None:
        if time.monotonic() >= ends:
            waited = f" even after waiting {seconds:g} s" if seconds else ""
            raise FileInUseError(
                f"{path} is in use by another process{holder}{waited}: a DuckDB file has one writer, and no reader beside it. "
                f"Nothing was built. What to do: let the other one end, or set {WAIT_VARIABLE} to wait for it. "
                "Readers open the serving file instead (docs/readers.md)."
            )
        time.sleep(min(STEP_SECONDS, max(ends - time.monotonic(), 0.01)))


def holder_of(path: str, config: dict[str, Any]) -> str | None:
    """Who holds the file: ` (PID 17)`, empty where DuckDB does not tell; None when nobody does."""
    try:
        duckdb.connect(path, config=dict(config)).close()
    except duckdb.IOException as error:
        text = str(error)
        if "could not set lock" not in text.lower():
            return None
        return f" (PID {text.split('(PID ')[1].split(')')[0]})" if "(PID " in text else ""
    return None
