"""The world of hostile names on PostgreSQL: loaded, built whole, exported, and every name as it went in."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hostile_world import ATTRIBUTES, hostile_tables
from postgres_server import PostgresServer

from nba.cli import main

ROOT = Path(__file__).resolve().parents[2]
VARIABLES = {"input_schema": "raw", "nba_cycle_start": "2026-01-05", "hcp_attributes": list(ATTRIBUTES)}


@pytest.mark.long
def test_hostile_names_go_through_on_postgres(postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt.cli.main import dbtRunner

    postgres.create_database("hostile_names")
    for name, value in postgres.env("hostile_names").items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    folder = tmp_path / 'hostile; "names"'
    folder.mkdir()
    given = hostile_tables()
    for name, frame in given.items():
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), folder / f"{name}.parquet")
    own = ["--target", "postgres", "--project-dir", str(ROOT)]
    with contextlib.redirect_stderr(io.StringIO()) as wrong:
        assert main(["load", str(folder), *own]) == 0, wrong.getvalue()
    places = [
        "--project-dir",
        str(ROOT),
        "--profiles-dir",
        str(ROOT),
        "--target-path",
        str(tmp_path / "t"),
        "--log-path",
        str(tmp_path / "l"),
    ]
    words = ["build", "--quiet", "--target", "postgres", "--vars", json.dumps(VARIABLES)]
    result = dbtRunner().invoke([*words, *places])
    failed = [f"{run.node.name}: {run.message}" for run in getattr(result.result, "results", None) or [] if run.status in ("error", "fail")]
    assert result.success, failed or result.exception
    hcps, catalog = given["hcp_master"], given["engagement_action_catalog"]
    found = postgres.run_sql("hostile_names", "select hcp_id, channel from published.hcp_channel_scores")
    assert set(found) == {(hcp, channel) for hcp in hcps["hcp_id"] for channel in catalog["channel"]}
    assert {row[0] for row in postgres.run_sql("hostile_names", "select label from published.channels")} == set(catalog["label"])
    assert main(["export", str(tmp_path / "out"), *own]) == 0
    assert set(pq.read_table(tmp_path / "out" / "hcps.parquet")["hcp_id"].to_pylist()) == set(hcps["hcp_id"])
