"""A bad Monday file does not reach the field: one small world, a good build, files that a gate stops, and a good build after them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from odd_worlds import CYCLE_START, Tables, keep_hcps, ordinary
from published_content import published_hashes

from nba.cli import main

ROOT = Path(__file__).resolve().parents[2]
# 40 HCPs are few: shipped, the gates compare from 200 on
VARIABLES = {"input_schema": "raw", "nba_cycle_start": CYCLE_START, "nba_gate_min_hcps": 20, "nba_step_limits": 0}
BUILD = ["build", "--quiet"]
# what the field works with; tables about runs and versions may tell of the runs in between
PLAN = (
    "recommendations",
    "recommendation_reasons",
    "hcp_channel_scores",
    "rejections",
    "assignments",
    "constraint_prices",
    "channel_usage",
)
RESULTS = "select * from memory.input_quality where run_id in (select run_id from checks.run_config)"


def half_of_the_rows(tables: Tables) -> None:
    tables["engagement_history"] = tables["engagement_history"].sample(frac=0.4, random_state=1)


def half_of_the_hcps(tables: Tables) -> None:
    keep_hcps(tables, 15)


def months_old(tables: Tables) -> None:
    for name in ("engagement_history", "kpi_metrics"):
        starts = pd.to_datetime(tables[name]["period_start"])
        tables[name] = tables[name][starts < pd.Timestamp(CYCLE_START) - timedelta(weeks=10)]


def shifted(tables: Tables) -> None:
    history = tables["engagement_history"]
    history["touches"] = history["touches"].where(history["channel"] != "email", history["touches"] * 50)


def in_cents(tables: Tables) -> None:
    tables["engagement_action_catalog"]["unit_cost"] *= 100
    tables["kpi_metrics"]["kpi_value"] *= 12


def cut_and_in_cents(tables: Tables) -> None:
    half_of_the_rows(tables)
    shifted(tables)
    in_cents(tables)


def small_and_old(tables: Tables) -> None:
    half_of_the_hcps(tables)
    months_old(tables)


# each is a build: several faults share one, and tests/unit/test_gate_suites.py breaks every expectation alone
BAD_MONDAYS: dict[str, tuple[Callable[[Tables], None], tuple[str, ...]]] = {
    "cut_and_in_cents": (
        cut_and_in_cents,
        (
            "engagement_history has 40",
            "of the rows that the last good run had in the same periods (limit: at least 50%)",
            "of its touches in another channel than the last good run had in the same periods",
            "Examples: email ",
            "engagement_action_catalog.unit_cost costs up to 100.00 times what it cost in the last good run",
            "kpi_metrics.kpi_value has a level of 12.00 times that of the last good run",
        ),
    ),
    "small_and_old": (
        small_and_old,
        (
            "hcp_master has 37.5% of the HCPs of the last good run (limit: at least 50%)",
            "engagement_history ends 10 whole periods before the cycle (limit: at most 8)",
        ),
    ),
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gates") / "nba.duckdb"


@dataclass(frozen=True)
class Published:
    """Hashes of the published tables, with run ids and moments and without."""

    whole: dict[str, str]
    content: dict[str, str]


@pytest.fixture(scope="module")
def published(warehouse: Path, run_dbt, write_inputs) -> Published:
    """What a good Monday published."""
    write_inputs(warehouse, ordinary())
    run_dbt(BUILD, warehouse, VARIABLES)
    return Published(published_hashes(warehouse, exempt=set()), published_hashes(warehouse))


def spoilt(change: Callable[[Tables], None]) -> Tables:
    tables = {name: frame.copy() for name, frame in ordinary().items()}
    change(tables)
    return tables


def errors(result: Any) -> list[Any]:
    return [found for found in result.result.results if found.status in ("error", "fail")]


def test_a_first_build_is_held_to_what_needs_no_memory(warehouse: Path, published, read_table):
    for table in ("input_quality", "plan_quality"):
        results = read_table(warehouse, f"memory.{table}")
        assert {"met", "not_evaluated"} <= set(results["status"]) <= {"met", "not_met", "not_evaluated"}
        assert set(results.loc[results["status"] == "not_met", "severity"]) <= {"warn"}
        assert results["compared_with"].isna().all()
        assert set(results.loc[results["status"] == "met", "table_name"]) == set(results["table_name"])


def test_the_profile_counts_what_is_in_the_files(warehouse: Path, published: Published, read_table):
    """The numbers that everything rests on, counted again with pandas."""
    tables, profile = ordinary(), read_table(warehouse, "memory.input_profiles")
    amounts = profile.groupby(["table_name", "subject", "item", "measure"])["amount"].sum()
    past = {name: frame[pd.to_datetime(frame["period_start"]) < CYCLE_START] for name, frame in tables.items() if "period_start" in frame}
    history, kpi = past["engagement_history"], past["kpi_metrics"]
    for channel, rows in history.groupby("channel"):
        assert amounts["engagement_history", "channel", channel, "rows"] == len(rows)
        assert amounts["engagement_history", "channel", channel, "touches"] == rows["touches"].sum()
        assert amounts["engagement_history", "channel", channel, "recorded_rows"] == rows["responses"].notna().sum()
    assert amounts["engagement_history", "", "", "covered_hcps"] == history["hcp_id"].nunique()
    assert amounts["engagement_history", "", "", "late_periods"] == 0
    assert amounts["kpi_metrics", "kpi_value", "", "rows"] == len(kpi)
    assert amounts["kpi_metrics", "kpi_value", "", "zero_rows"] == (kpi["kpi_value"] == 0).sum()
    newest = kpi[pd.to_datetime(kpi["period_start"]) >= pd.Timestamp(CYCLE_START) - timedelta(weeks=12)]
    middle = newest.groupby("hcp_id")["kpi_value"].mean().median()
    assert amounts["kpi_metrics", "kpi_value", "", "middle"] == pytest.approx(middle)
    consent = tables["rule_consent"]
    opt_ins = consent[consent["status"] == "opt_in"].dropna(subset="channel").groupby("channel")["hcp_id"].nunique()
    assert amounts.loc["rule_consent", "channel"].xs("opt_ins", level="measure").to_dict() == opt_ins.to_dict()


@pytest.mark.parametrize("name", BAD_MONDAYS)
def test_a_bad_file_is_stopped_with_words_and_changes_nothing(
    name: str, warehouse: Path, published: Published, run_dbt, write_inputs, read_table
):
    change, said = BAD_MONDAYS[name]
    write_inputs(warehouse, spoilt(change))
    result = run_dbt(BUILD, warehouse, VARIABLES, check=False)
    (failed,) = errors(result)
    assert failed.node.name == "gate_input_quality"
    assert "The inputs are not what a plan should be made of" in failed.message
    for words in (*said, "What to do: ", "build once with nba_gate_", "Nothing was published"):
        assert words in failed.message, failed.message
    assert "Traceback" not in failed.message
    assert published_hashes(warehouse, exempt=set()) == published.whole
    skipped = {found.node.name for found in result.result.results if found.status == "skipped"}
    assert {"stg_hcp_master", "plan_solution", "fct_recommendations", "publish"} <= skipped
    # the results of the run that was stopped are kept, beside the run that it was compared with
    kept = read_table(warehouse, RESULTS)
    assert (kept[kept["status"] == "not_met"]["severity"] == "error").any()
    assert kept["compared_with"].nunique() == 1


def test_the_command_shows_what_stopped_the_build(
    warehouse: Path, published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(warehouse))
    assert main(["quality", "--pages", str(tmp_path / "pages"), "--project-dir", str(ROOT)]) == 1
    said = capsys.readouterr().out
    assert "error: hcp_master has 37.5% of the HCPs of the last good run" in said
    assert "recommendations" not in said
    assert "hcp_master" in (tmp_path / "pages" / "index.html").read_text()
    assert list((tmp_path / "pages" / "validations" / "hcp_master").rglob("*.html"))


def test_a_gate_that_evaluated_nothing_stops_the_build(warehouse: Path, published: Published, run_dbt):
    """Nothing of the suites: the table that the gate reads is emptied, as a model that went wrong would leave it."""
    import duckdb

    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update checks.input_quality set status = 'not_evaluated'")
    result = run_dbt(["build", "-s", "gate_input_quality", "--quiet"], warehouse, VARIABLES, check=False)
    (failed,) = errors(result)
    assert "expectations evaluated nothing at all, so the gate says nothing" in failed.message


def test_what_is_meant_is_built_with_a_switch_and_the_next_build_is_good_again(
    warehouse: Path, published: Published, run_dbt, write_inputs, read_table
):
    write_inputs(warehouse, ordinary())
    run_dbt(BUILD, warehouse, VARIABLES)
    same = published_hashes(warehouse)
    assert {table for table in PLAN if same[table] != published.content[table]} == set()
    results = read_table(warehouse, RESULTS)
    assert set(results.loc[results["status"] != "met", "expectation"]) <= {"newest_level"}
    assert results["compared_with"].nunique() == 1
    # so few HCPs teach the engagement model nothing, in the first run as in this one: no error, and nothing new
    plan = read_table(warehouse, "select * from memory.plan_quality where run_id in (select run_id from checks.run_config)")
    unmet = plan[plan["status"] == "not_met"]
    assert list(zip(unmet["expectation"], unmet["severity"], strict=True)) == [("probability_spread", "warn")]
    # a file that is meant to differ: the same rows, printed instead
    write_inputs(warehouse, spoilt(half_of_the_rows))
    run_dbt([*BUILD, "-s", "+gate_input_quality"], warehouse, VARIABLES | {"nba_gate_volume": "warn"})
    rows = read_table(warehouse, RESULTS)
    broken = rows[(rows["status"] == "not_met") & (rows["expectation"] == "rows_kept")]
    assert broken["severity"].tolist() == ["warn"]


def test_a_plan_that_lost_most_of_its_actions_is_not_published(warehouse: Path, published: Published, run_dbt, read_table):
    """Emulated: the mart is cut by hand after a good build, and only what follows it is built."""
    import duckdb

    with duckdb.connect(str(warehouse)) as connection:
        before = connection.execute("select count(*) from memory.recommendations").fetchone()
        connection.execute("delete from marts.fct_recommendations where priority > 3")
        connection.execute("update checks.run_config set run_id = 'cut'")
    result = run_dbt(["run", "--quiet", "-s", "profile_plan+"], warehouse, VARIABLES, check=False)
    (failed,) = errors(result)
    assert failed.node.name == "gate_plan_quality"
    assert "recommendations plan" in failed.message and "of the actions of the last good run" in failed.message
    assert "channel_usage counts" in failed.message
    assert read_table(warehouse, "select count(*) as n from memory.recommendations")["n"].tolist() == [before[0]]
    assert not read_table(warehouse, "select 1 from memory.plan_quality where run_id = 'cut' and status = 'not_met'").empty
