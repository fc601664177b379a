"""What a load keeps, creates, empties and refuses, and that it writes all or nothing. The content checks have their own tests in tests/pipeline."""

# ruff: noqa: E501 - texts that the user sees stay on one line
from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import duckdb
import pytest
from killed_load import STRIKES, TABLES, struck_load

from nba.errors import NbaError
from nba.load.checks import Findings
from nba.load.command import LoadRequest, load_folder
from nba.load.problems import LoadError, Problem
from nba.project import find_project, read_contract
from nba.warehouse.duckdb_file import open_file

ROOT = find_project(Path(__file__).parent)
RULES = [table.name for table in read_contract(ROOT).rules]
INPUTS = {
    "hcp_master": "hcp_id\n001\n",
    "engagement_history": "hcp_id,channel,period_start,touches,responses\n001,email,2025-12-29,1,\n",
    "kpi_metrics": "hcp_id,period_start,kpi_value\n001,2025-12-29,3\n",
    "engagement_action_catalog": "channel,unit_cost,expected_uplift,requires_consent\nemail,1,0.2,true\nmail,1,0.2,\nphone,2,0.2,yes\n",
}
BUDGET = "channel,territory_id,max_cost\nemail,,100\n"


class Loads:
    """Loads into one warehouse file; the dbt checks are replaced by `findings`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "nba.duckdb"
        self.findings = Findings((), (), "week", date(2025, 12, 29))
        self.checked: dict[str, int] = {}
        self.number = 0

    def run_checks(self, scratch_file: Path, project_dir: Path, switches: dict, work_dir: Path) -> Findings:
        with duckdb.connect(str(scratch_file)) as con:
            names = [name for (name,) in con.sql("select table_name from information_schema.tables where table_schema = 'raw'").fetchall()]
            self.checked = {name: con.sql(f"select count(*) from raw.{name}").fetchall()[0][0] for name in names}
        return self.findings

    def load(self, tables: dict[str, str], **options: object) -> list[str]:
        self.number += 1
        folder = self.folder / f"load_{self.number}"
        folder.mkdir()
        for name, text in tables.items():
            (folder / f"{name}.csv").write_text(text)
        lines: list[str] = []
        load_folder(LoadRequest(folder=folder, project_dir=ROOT, today=date(2026, 1, 5), **options), lines.append)
        return lines

    def query(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self.file), read_only=True) as con:
            return con.sql(sql).fetchall()


@pytest.fixture
def loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loads:
    loads = Loads(tmp_path)
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(loads.file))
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    monkeypatch.setattr("nba.load.checks.run_checks", loads.run_checks)
    return loads


def test_first_load_creates_the_rules_and_says_what_comes_next(loads: Loads) -> None:
    lines = loads.load({**INPUTS, "rule_budget": BUDGET, "notes": "x\n"})
    unused = [name for name in RULES if name not in ("rule_budget", "rule_consent")]
    assert lines == [
        "Note: notes.csv is not a table of the contract and was ignored.",
        "read hcp_master.csv: 1 row",
        "read engagement_history.csv: 1 row",
        "read kpi_metrics.csv: 1 row",
        "read engagement_action_catalog.csv: 3 rows",
        "read rule_budget.csv: 1 row",
        "checking the contents ...",
        "Loaded into schema raw:",
        "  hcp_master: 1 row, written",
        "  engagement_history: 1 row, written",
        "  kpi_metrics: 1 row, written",
        "  engagement_action_catalog: 3 rows, written",
        "  rule_budget: 1 row, written",
        f"Created empty, so not used: {', '.join(unused)}.",
        "rule_consent is empty, so nobody opted in: nobody may be contacted on email, phone.",
        "Next:",
        "dbt build --vars '{input_schema: raw, nba_cycle_start: \"2026-01-05\"}'",
    ]
    assert loads.query("select * from raw.hcp_master") == [("001",)]
    names = [name for (name,) in loads.query("select table_name from information_schema.tables where table_schema = 'raw' order by 1")]
    assert names == sorted([*INPUTS, *RULES])
    assert loads.checked == {
        **dict.fromkeys(RULES, 0),
        "hcp_master": 1,
        "engagement_history": 1,
        "kpi_metrics": 1,
        "engagement_action_catalog": 3,
        "rule_budget": 1,
    }


def test_missing_inputs_are_named_and_nothing_is_written(loads: Loads) -> None:
    with pytest.raises(LoadError) as raised:
        loads.load({"hcp_master": INPUTS["hcp_master"], "kpi_metrics": "hcp_id,period_start,kpi_value\n1,2025-12-29,x\n"})
    assert str(raised.value) == (
        "the folder was refused (3 problems). Nothing was written.\n"
        "1. kpi_metrics.kpi_value is not a number (1 row). Examples: 'x' (row 2). What to do: write it like 1234.5, or leave the cell empty where unknown.\n"
        "2. engagement_history is missing: the folder does not have it. What to do: add engagement_history.csv or engagement_history.parquet, or give --partial to keep what is loaded already.\n"
        "3. engagement_action_catalog is missing: the folder does not have it. What to do: add engagement_action_catalog.csv or engagement_action_catalog.parquet, or give --partial to keep what is loaded already.\n"
        "The contents of the tables were not checked yet: that needs all files readable."
    )
    assert loads.query("select count(*) from information_schema.schemata where schema_name = 'raw'") == [(0,)]


def test_contents_are_not_checked_while_rows_are_missing(loads: Loads) -> None:
    with pytest.raises(LoadError) as raised:
        loads.load({**INPUTS, "hcp_master": "hcp_id,full_name\n001\n"})
    assert [problem.problem for problem in raised.value.problems] == [
        "has rows in hcp_master.csv without the 2 fields that the header names"
    ]
    assert str(raised.value).endswith("\nThe contents of the tables were not checked yet: that needs all files readable.")
    assert loads.checked == {}


def test_cells_and_contents_are_reported_together_and_follow_ups_are_not(loads: Loads) -> None:
    follow_up = Problem("kpi_metrics", "kpi_value", 1, "", "has no value", "fill it in")
    own = Problem("hcp_master", "hcp_id", 2, "001", "is not unique", "keep one row per hcp_id")
    loads.findings = Findings((follow_up, own), (), "week", None)
    with pytest.raises(LoadError) as raised:
        loads.load({**INPUTS, "kpi_metrics": "hcp_id,period_start,kpi_value\n1,2025-12-29,x\n"})
    assert [problem.problem for problem in raised.value.problems] == ["is not a number", "is not unique"]


def test_partial_keeps_what_the_folder_lacks_and_checks_the_whole(loads: Loads) -> None:
    with pytest.raises(LoadError) as raised:
        loads.load({"kpi_metrics": INPUTS["kpi_metrics"]}, partial=True)
    assert next(problem.line() for problem in raised.value.problems) == (
        "hcp_master is missing: neither the folder nor schema raw has it. What to do: add hcp_master.csv or hcp_master.parquet."
    )
    loads.load({**INPUTS, "rule_budget": BUDGET, "current_plan": "hcp_id,channel,touches\n001,email,1\n"})
    before = loads.query("select * from raw.rule_budget")
    lines = loads.load({"hcp_master": "hcp_id\n001\n002\n"}, partial=True)
    assert "  hcp_master: 2 rows, written" in lines
    assert "  kpi_metrics: 1 row, stays as it is" in lines
    assert "  rule_budget: 1 row, stays as it is" in lines
    assert loads.checked["hcp_master"] == 2
    assert loads.checked["current_plan"] == 1
    assert loads.checked["rule_budget"] == 1
    assert loads.query("select * from raw.rule_budget") == before
    assert loads.query("select count(*) from raw.hcp_master") == [(2,)]


def test_rules_are_emptied_only_when_the_user_says_so(loads: Loads) -> None:
    loads.load({**INPUTS, "rule_budget": BUDGET, "rule_consent": "hcp_id,channel,status\n001,email,opt_in\n"})
    lines = loads.load(INPUTS)
    assert "  rule_budget: 1 row, stays as it is" in lines
    assert not any(line.startswith("rule_consent is empty") for line in lines)
    empty = {**INPUTS, "rule_budget": "channel,territory_id,max_cost\n"}
    with pytest.raises(LoadError) as raised:
        loads.load(empty)
    assert [problem.line() for problem in raised.value.problems] == [
        "rule_budget would be emptied: the file has no rows, but raw.rule_budget holds 1. What to do: give --replace-rules to empty it, or leave the file out to keep it."
    ]
    assert loads.query("select count(*) from raw.rule_budget") == [(1,)]
    lines = loads.load(empty, partial=True, replace_rules=True)
    assert "  rule_budget: 0 rows, emptied" in lines
    assert "  rule_consent: 1 row, stays as it is" in lines
    assert loads.query("select (select count(*) from raw.rule_budget), (select count(*) from raw.rule_consent)") == [(0, 1)]
    lines = loads.load(INPUTS, replace_rules=True)
    assert "  rule_consent: 0 rows, emptied" in lines
    assert "rule_consent is empty, so nobody opted in: nobody may be contacted on email, phone." in lines


def test_views_in_the_way_and_other_schemas(loads: Loads) -> None:
    with duckdb.connect(str(loads.file)) as con:
        con.execute("create schema own; create view own.kpi_metrics as select 1 as x")
    with pytest.raises(
        NbaError, match=r"schema own holds views of these names: kpi_metrics. Drop them or load into another --schema. Nothing was written."
    ):
        loads.load(INPUTS, schema="own")
    lines = loads.load(INPUTS, schema="other", switches={"unknown_hcp": "drop"}, target="duckdb")
    assert lines[-1] == "dbt build --target duckdb --vars '{input_schema: other, unknown_hcp: drop, nba_cycle_start: \"2026-01-05\"}'"
    assert loads.query("select count(*) from other.kpi_metrics") == [(1,)]


def test_no_channel_needs_consent_and_no_known_period(loads: Loads) -> None:
    loads.findings = Findings((), (Problem("hcp_master", "rep_access", 1, "", "is odd", "nothing"),), None, None)
    lines = loads.load({**INPUTS, "engagement_action_catalog": "channel,unit_cost,expected_uplift\nemail,1,0.2\n"})
    assert "Note: hcp_master.rep_access is odd (1 row). What to do: nothing." in lines
    assert "rule_consent is empty; no channel of the catalogue requires consent." in lines
    assert lines[-2:] == [
        "Next (put in the first day of the cycle):",
        "dbt build --vars '{input_schema: raw, nba_cycle_start: \"YYYY-MM-DD\"}'",
    ]


@pytest.mark.parametrize("stop", STRIKES)
def test_a_load_struck_between_two_tables_changes_nothing(stop: str, loads: Loads, tmp_path: Path) -> None:
    with duckdb.connect(str(loads.file)) as con:
        con.execute("create schema raw")
        for table in TABLES:
            con.execute(f"create table raw.{table} as select range as x from range(2)")
    struck_load("duckdb", ROOT, tmp_path / "scratch.duckdb", stop)
    assert [loads.query(f"select count(*) from raw.{table}") for table in TABLES] == [[(2,)]] * 3


def test_a_file_that_is_no_database_is_not_called_locked_whatever_its_name(tmp_path):
    path = tmp_path / "block.duckdb"
    path.write_text("not a database " * 400)
    with pytest.raises(NbaError, match=re.escape(f"cannot open {path}: ")):
        open_file(path)
