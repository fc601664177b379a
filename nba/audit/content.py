"""Hashes of what a run says, table by table: the warehouse computes them as the build did, by the macro of the project."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nba.errors import NbaError

# columns that two builds of the same inputs may differ in, as the macro exempt_columns has them
EXEMPT = ("run_id", "published_at", "seconds", "code_version", "model_version", "base_run_id", "changed_by")


@dataclass(frozen=True)
class Content:
    """Rows of one table of a run, and their hash (docs/audit.md)."""

    rows: int
    content_hash: str


def content_of_run(
    project: Path, target: str | None, switches: Mapping[str, Any], run_id: str, tables: Sequence[str], profiles: Path | None = None
) -> dict[str, Content]:
    """Table -> what memory holds of the run now. NbaError with dbt's own words where it could not be read."""
    told = run_operation(project, target, switches, "say_run_content", {"run_id": run_id, "tables": list(tables)}, profiles)
    return {name: Content(int(rows), str(found)) for name, (rows, found) in json.loads(told).items()}


def run_operation(
    project: Path,
    target: str | None,
    switches: Mapping[str, Any],
    name: str,
    arguments: Mapping[str, Any],
    profiles: Path | None = None,
) -> str:
    """What a macro of the project prints, run by dbt in this process. `profiles`: folder of profiles.yml (default: the project's)."""
    from dbt.cli.main import dbtRunner

    from nba.warehouse import find_profiles

    printed: list[str] = []
    failed: list[str] = []

    def hear(event: Any) -> None:
        if event.info.name == "PrintEvent":
            printed.append(event.data.msg)
        elif event.info.level == "error":
            failed.append(event.info.msg)

    silent = contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO())
    with tempfile.TemporaryDirectory(prefix="nba_audit_") as folder, silent[0], silent[1]:
        options = {
            "--args": json.dumps(dict(arguments)),
            "--vars": json.dumps(dict(switches)),
            "--project-dir": str(project),
            "--profiles-dir": str(profiles or find_profiles(project).parent),
            "--target-path": f"{folder}/target",
            "--log-path": f"{folder}/logs",
        }
        aim = ["--target", target] if target else []
        outcome = dbtRunner(callbacks=[hear]).invoke(
            ["run-operation", name, "--quiet", *aim, *[word for option in options.items() for word in option]]
        )
        with contextlib.suppress(ImportError):
            from dbt.adapters.duckdb.connections import DuckDBConnectionManager

            # the adapter would keep a file open until the process ends
            DuckDBConnectionManager.close_all_connections()
    if not outcome.success:
        text = str(outcome.exception or "\n".join(failed) or "dbt gave no reason").split("\n\n  > in macro")[0]
        raise NbaError(f"the rows of the run could not be hashed: {' '.join(text.split())}")
    return "\n".join(printed)
