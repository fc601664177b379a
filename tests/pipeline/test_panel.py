"""A real physician panel, and a made-up one of its shape, from files to published recommendations by the commands that a user types."""

# ruff: noqa: E501 - texts that the user sees stay on one line
from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from folders import write_folder
from panel import BUDGET, CYCLE_START, MONTHS, PanelRow, made_up_panel, panel_tables, read_panel

from nba.project import find_project

ROOT = find_project(Path(__file__).parent)
PANEL_DIR = os.environ.get("NBA_PANEL_DIR", "")


def run(words: list[str], folder: Path) -> str:
    """Run one command of the project's environment on a warehouse in `folder` and return what it printed."""
    environment = {**os.environ, "NBA_DUCKDB_PATH": str(folder / "nba.duckdb"), "OMP_NUM_THREADS": "1"}
    environment.pop("DBT_PROFILES_DIR", None)
    program = str(Path(sys.executable).parent / words[0])
    done = subprocess.run([program, *words[1:]], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def publish(rows: list[PanelRow], folder: Path) -> Path:
    """Load the panel and run the `dbt build` line that the load prints; returns the warehouse file."""
    write_folder(folder / "files", panel_tables(rows))
    said = run(["nba", "load", str(folder / "files")], folder).splitlines()
    assert said[-1] == f"dbt build --vars '{{input_schema: raw, nba_cycle_start: \"{CYCLE_START}\"}}'"
    run([*shlex.split(said[-1]), "--target-path", str(folder / "target"), "--log-path", str(folder / "logs")], folder)
    return folder / "nba.duckdb"


def assert_published(file: Path, rows: list[PanelRow]) -> None:
    """The plan is there, proven, within its budget, and honest about what nobody recorded."""
    hcps = {row["Physician"] for row in rows}
    assert len(rows) == len(hcps) * MONTHS
    with duckdb.connect(str(file), read_only=True) as con:
        plan = con.sql(
            "select status, objective - penalty, upper_bound, gap, total_cost, actions, hcps_reached from published.plan_summary"
        ).fetchall()
        planned = con.sql(
            "select hcp_id, channel, cost, engagement_probability, expected_impact, rep_id from published.recommendations"
        ).fetchall()
        scores = con.sql(
            "select count(*), count(engagement_probability), count(expected_impact), count(distinct hcp_id) from published.hcp_channel_scores"
        ).fetchall()
        fingerprints = con.sql("select distinct length(input_fingerprint) from published.plan_summary").fetchall()
        explained = con.sql("select distinct explains from published.recommendation_reasons").fetchall()
        prices = con.sql("select rule, limit_value, used, price from published.constraint_prices").fetchall()
    ((_, value, bound, gap, cost, actions, reached),) = plan
    assert len(planned) == actions > 0
    assert 0 <= gap <= 1.01e-4
    assert bound >= value - 1e-9
    assert value > 0
    assert cost == pytest.approx(sum(row[2] for row in planned))
    assert cost <= BUDGET * (1 + 1e-6)
    assert reached == len({row[0] for row in planned})
    assert {row[0] for row in planned} <= hcps
    assert {row[1] for row in planned} <= {"rep_visit", "sample_drop"}
    # no responses were recorded: there is no engagement probability, and no reason can rest on one
    assert all(row[3] is None and row[4] > 0 and row[5] is None for row in planned)
    assert scores == [(2 * len(hcps), 0, 2 * len(hcps), len(hcps))]
    assert explained == [("impact",)]
    assert fingerprints == [(64,)]
    ((rule, limit, used, price),) = prices
    assert (rule, limit) == ("budget", BUDGET)
    assert used == pytest.approx(cost)
    assert price > 0


@pytest.mark.skipif(not PANEL_DIR, reason="NBA_PANEL_DIR does not name the folder with detailing.csv; the made-up twin below runs anyway")
def test_real_panel_ends_in_published_recommendations(tmp_path: Path) -> None:
    rows = read_panel(Path(PANEL_DIR) / "detailing.csv")
    assert_published(publish(rows, tmp_path), rows)


def test_made_up_twin_ends_in_published_recommendations(tmp_path: Path) -> None:
    rows = made_up_panel(physicians=60, seed=3)
    assert rows == made_up_panel(physicians=60, seed=3)
    assert_published(publish(rows, tmp_path), rows)
