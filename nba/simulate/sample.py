"""The shipped sample: the seeds of the project, a small world of its own."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from nba.simulate.world import simulate_world
from nba.simulate.writing import write_tables

SAMPLE_HCPS, SAMPLE_WEEKS, SAMPLE_SEED = 240, 78, 7
FEEDBACK_SCHEMA = pa.schema([(c, pa.string()) for c in ("recommendation_id", "status", "reason", "at", "by")])


def sample_tables() -> dict[str, pa.Table]:
    """The seeds by file name: inputs as `raw_<table>`, rules as they are, feature definitions of the user as an input."""
    tables = simulate_world(SAMPLE_HCPS, SAMPLE_WEEKS, SAMPLE_SEED).tables()
    tables["suggestion_feedback"] = FEEDBACK_SCHEMA.empty_table()
    return {name if name.startswith("rule_") else f"raw_{name}": table for name, table in tables.items()}


def write_seeds(folder: str | Path) -> None:
    """Write the seeds of the project as CSV, the same bytes every time. The folder is created when it is missing."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    write_tables(sample_tables(), target, "csv")
