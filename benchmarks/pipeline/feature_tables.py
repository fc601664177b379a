"""What the feature peers are given, and how their answer is held to ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

# Columns that each peer reads: staged, so that types, restatements and what is known when are settled.
GIVEN = {
    "hcps": "select hcp_id, specialty, practice_type, rep_access, decile, hco_id, rep_id from staging.stg_hcp_master order by hcp_id",
    "catalog": "select channel, channel_type, unit_cost, rep_minutes, requires_consent from staging.stg_catalog order by channel",
    "engagement": "select hcp_id, channel, period_start, period_end, touches, responses, known_from from staging.stg_engagement",
    "kpi": "select hcp_id, period_start, kpi_value, market_value, known_from, known_until from staging.stg_kpi",
    "snapshots": "select snapshot_date, outcome_end, is_scoring from features.feat_snapshots order by snapshot_date",
    "training_hcps": "select hcp_id from features.feat_training_hcps",
}
OURS = {"scoring": "features.feat_scoring", "training": "features.feat_training"}
KEYS = ("hcp_id", "channel", "snapshot_date")
RELATIVE, ABSOLUTE = 1e-5, 1e-9


def staged_tables(warehouse: Path, folder: Path) -> None:
    """Write the tables of `GIVEN` as parquet files into folder, once."""
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for name, query in GIVEN.items():
            file = folder / f"{name}.parquet"
            if not file.exists():
                connection.execute(f"copy ({query}) to '{file}.part' (format parquet)")
                Path(f"{file}.part").rename(file)


def run_settings(warehouse: Path) -> dict[str, Any]:
    """The switches that features depend on, dates as text."""
    import duckdb

    names = ("cycle_start", "cycle_end", "panel_start", "cycle_periods", "window_short", "window_long", "grain", "kpi_absent")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        values = connection.execute(f"select {', '.join(names)} from checks.run_config").fetchall()[0]
    settings = dict(zip(names, values, strict=True))
    if settings["grain"] != "week" or settings["kpi_absent"] != "zero":
        raise ValueError("the feature peers know weekly data in which a missing KPI row is 0")
    return {name: value if isinstance(value, int | str) else value.isoformat() for name, value in settings.items()}


def differences(warehouse: Path, answers: dict[str, Path]) -> dict[str, Any]:
    """rows compared, rows that only one side has, and by column how many cells differ by more than 1e-5 of their size.

    answers: parquet files of a peer for `scoring` and `training`.
    """
    import duckdb

    found: dict[str, Any] = {"rows": 0, "unmatched": 0, "differing": {}, "columns": 0}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for kind, file in answers.items():
            ours, theirs = OURS[kind], f"read_parquet('{file}')"
            types = {row[0]: row[1] for row in connection.execute(f"describe {ours}").fetchall()}
            shown = {row[0] for row in connection.execute(f"describe select * from {theirs}").fetchall()}
            columns = [name for name in types if name in shown and name not in KEYS]
            found["columns"], missing = max(found["columns"], len(columns)), [name for name in types if name not in shown]
            counts = ", ".join(f"count(*) filter (where {_differs(name, types[name])})" for name in columns)
            join = " and ".join(f"ours.{key} = cast(theirs.{key} as {types[key]})" for key in KEYS)
            query = f"select count(*), count(ours.hcp_id), count(theirs.hcp_id), {counts}"
            query += f" from {ours} as ours full join {theirs} as theirs on {join}"
            rows, left, right, *cells = connection.execute(query).fetchall()[0]
            found["rows"] += rows
            found["unmatched"] += 2 * rows - left - right
            said = {f"{kind}.{name}": cell for name, cell in zip(columns, cells, strict=True) if cell}
            found["differing"] |= said | {f"{kind}.{name}": "missing" for name in missing}
    return found


def _differs(name: str, kind: str) -> str:
    ours, theirs = f"ours.{name}", f"theirs.{name}"
    if kind not in ("DOUBLE", "INTEGER", "FLOAT", "BIGINT", "SMALLINT", "TINYINT"):
        return f"{ours} is distinct from cast({theirs} as {kind})"
    size = f"greatest(abs({ours}), abs({theirs}))"
    return f"(({ours} is null) <> ({theirs} is null) or abs({ours} - {theirs}) > {RELATIVE} * {size} + {ABSOLUTE})"
