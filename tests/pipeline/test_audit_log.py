"""What builds, loads and rollbacks leave in the audit log and the history, and that tampering with either is found.

The tests share one house of four builds: a published one, one that fails over changed rules, a published one with them, and a later cycle
that prunes the first.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from publishing_house import House, build_house

from nba import rollback
from nba.audit import record
from nba.audit.content import EXEMPT, content_of_run
from nba.audit.verify import check_content, published_event, read_events, verify_log
from nba.errors import NbaError
from nba.warehouse.duckdb_file import DuckDBWarehouse

ROOT = Path(__file__).resolve().parents[2]
KEEP_TWO = {"nba_keep_runs": 2}
# HCP, channel, expected impact, whether it is allowed: of `a` the better of two is what measuring reads, of `b` nothing
PAIRS = (("a", "email", 1.0, True), ("a", "visit", 2.0, True), ("a", "phone", 3.0, False), ("b", "email", 4.0, False))


@dataclass(frozen=True)
class History:
    """The house after its builds, and the runs: first, failed, changed, later."""

    house: House
    first: str
    failed: str
    changed: str
    later: str


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    patch = pytest.MonkeyPatch()
    patch.setenv("NBA_ACTOR", "anna")
    house = build_house(tmp_path_factory.mktemp("audit"))
    runs = []
    assert house.dbt("build", "--quiet", cycle="2025-12-08").success
    runs.append(house.built_run())
    give_scores(house, runs[0])
    load_budget(house)
    house.promise(is_kept=False)
    rules = {"house_budget": 120, "house_pins": ["H1 by boss", "H2 by boss"]}
    assert not house.dbt("build", "--quiet", **rules).success
    runs.append(house.built_run())
    house.promise(is_kept=True)
    assert house.dbt("build", "--quiet", **rules).success
    runs.append(house.built_run())
    patch.setenv("NBA_ACTOR", "bert")
    assert house.dbt("build", "--quiet", cycle="2026-02-02", house_pins=["H1 by boss"], **KEEP_TWO).success
    patch.undo()
    return History(house, *runs, house.built_run())


def give_scores(house: House, run: str) -> None:
    """Pairs of the first run."""
    with duckdb.connect(str(house.db_path)) as con:
        for hcp, channel, impact, eligible in PAIRS:
            con.execute(
                "insert into memory.hcp_channel_scores (run_id, cycle_start, hcp_id, channel, expected_impact, is_eligible) "
                "values (?, date '2025-12-08', ?, ?, ?, ?)",
                [run, hcp, channel, impact, eligible],
            )


def load_budget(house: House) -> None:
    """What `nba load` records of a load of the budget."""
    warehouse = DuckDBWarehouse(house.db_path)
    try:
        with warehouse.transaction():
            assert record(warehouse, "", "inputs_loaded", "sample", {"tables": {"rule_budget": 1}}, by="carla") is not None
    finally:
        warehouse.close()


def told(history: History, run: str) -> list[str]:
    return [event for (event,) in history.house.rows(f"select event from memory.audit_log where run_id = '{run}' order by sequence")]


def details(history: History, run: str, event: str) -> dict:
    ((text,),) = history.house.rows(f"select details from memory.audit_log where run_id = '{run}' and event = '{event}'")
    return json.loads(text)


def test_every_run_tells_what_it_did_and_a_failed_one_that_it_started(history: History) -> None:
    assert told(history, history.first) == ["run_started", "inputs_fingerprinted", "plan_published"]
    assert told(history, history.failed)[0] == "run_started" and "plan_published" not in told(history, history.failed)
    changes = ["rules_changed", "override_recorded"]
    assert told(history, history.changed) == ["run_started", "inputs_fingerprinted", *changes, "plan_published"]
    assert told(history, history.later) == ["run_started", "inputs_fingerprinted", *changes, "plan_published", "plans_pruned"]
    started = details(history, history.changed, "run_started")
    assert started["is_whole"] and started["given"]["house_budget"] == 120 and started["switches"]["nba_keep_runs"] == 6
    assert {"hcps", "recommendations"} <= set(details(history, history.first, "plan_published")["tables"])
    builders = history.house.rows("select distinct run_id, recorded_by from memory.audit_log where event = 'plan_published'")
    assert dict(builders) == {history.first: "anna", history.changed: "anna", history.later: "bert"}


def test_changed_rules_are_told_before_and_after_and_by_whom(history: History) -> None:
    (budget,) = details(history, history.changed, "rules_changed")["rows"]
    assert [json.loads(budget[side])["max_cost"] for side in ("before", "after")] == ["100.0", "120.0"]
    assert (budget["change"], budget["by"]) == ("changed", "carla")
    pins = details(history, history.changed, "override_recorded")["rows"]
    assert [(json.loads(pin["after"])["hcp_id"], pin["by"], pin["before"]) for pin in pins] == [("H1", "boss", None), ("H2", "boss", None)]
    shown = history.house.rows("select rule_table, change, changed_by, base_run_id from published.rule_changes order by 1")
    assert shown == [("rule_budget", "changed", "bert", history.changed), ("rule_override", "removed", "bert", history.changed)]


def test_the_rules_of_every_run_can_be_told_and_a_row_that_stays_is_stored_once(history: History) -> None:
    def held(run: str) -> set[tuple[str, str]]:
        asked = f"""
            select rule_table, coalesce(row_text::json ->> 'max_cost', row_text::json ->> 'hcp_id')
            from memory.rules_by_run
            where run_number <= (select max(run_number) from memory.inputs_by_run where run_id = '{run}')
            group by rule_table, row_hash, 2
            having arg_max(change, run_number) = 'added'
        """
        return set(history.house.rows(asked))

    pins = {("rule_override", "H1"), ("rule_override", "H2")}
    assert held(history.first) == {("rule_budget", "100.0")}
    assert held(history.changed) == {("rule_budget", "120.0"), *pins}
    assert held(history.later) == {("rule_budget", "100.0"), ("rule_override", "H1")}
    stored = history.house.rows("select count(*) from memory.rules_by_run where json_extract_string(row_text, 'hcp_id') = 'H1'")
    assert stored == [(1,)]


def test_large_tables_of_old_runs_go_and_small_ones_stay(history: History) -> None:
    kept = {
        name: {run for (run,) in history.house.rows(f"select distinct run_id from memory.{name}")} for name in ("hcps", "recommendations")
    }
    assert history.first not in kept["hcps"] and {history.changed, history.later} <= kept["hcps"]
    assert {history.first, history.changed, history.later} <= kept["recommendations"]
    assert history.house.rows(f"select hcp_id, channel from memory.hcp_channel_scores where run_id = '{history.first}'") == [("a", "visit")]
    # what was never published goes with what is older than all that stays
    pruned = history.house.rows("select run_id, pruned_by from memory.pruned_runs")
    assert set(pruned) == {(history.first, history.later), (history.failed, history.later)}


def test_rollback_is_told_and_reaches_no_pruned_run(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(history.house.db_path, tmp_path / "house.duckdb")
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(tmp_path / "house.duckdb"))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(history.house.folder))
    with pytest.raises(NbaError, match=f"run {history.first} is no longer kept in memory"):
        rollback.rollback(to=history.first, project_dir=history.house.folder)
    rollback.rollback(project_dir=history.house.folder)
    warehouse = DuckDBWarehouse(tmp_path / "house.duckdb", read_only=True)
    try:
        assert verify_log(warehouse, "").problem is None
        last = read_events(warehouse, "")[-1]
        assert (last.event, last.run_id, json.loads(last.details)["from_run"]) == ("rolled_back", history.changed, history.later)
    finally:
        warehouse.close()


def problem_after(history: History, folder: Path, *statements: str) -> str | None:
    path = folder / "house.duckdb"
    shutil.copy(history.house.db_path, path)
    with duckdb.connect(str(path)) as con:
        for text in statements:
            con.execute(text)
    warehouse = DuckDBWarehouse(path, read_only=True)
    try:
        return verify_log(warehouse, "").problem
    finally:
        warehouse.close()


LAST = "(select max(sequence) from memory.audit_log where event = 'plan_published')"


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("update memory.audit_log set recorded_by = 'eve' where sequence = 2", "event 2 (inputs_fingerprinted"),
        ("update memory.audit_log set details = replace(details, '120.0', '130.0') where event = 'rules_changed'", "its row was changed"),
        ("delete from memory.audit_log where sequence = 2", "event 2 is missing before it, so rows were deleted"),
        (f"delete from memory.audit_log where sequence >= {LAST}", "the end of the log was cut off"),
        ("delete from memory.audit_log", "the log is empty"),
        ("delete from memory.publications where published_at = (select max(published_at) from memory.publications)", "does not have it"),
        ("create table s as from memory.audit_log; drop table memory.audit_log; create table memory.audit_log as select * replace "
         "(case sequence when 2 then 3 when 3 then 2 else sequence end as sequence) from s", "event 2 ("),
        ("create table s as from memory.audit_log; drop table memory.audit_log; create table memory.audit_log as from s "
         "union all select * replace ('x' as hash) from s where sequence = 3", "its number is there twice, so the chain forks"),
    ],
    ids=["changed", "changed details", "deleted", "truncated", "emptied", "pointer deleted", "reordered", "inserted"],
)  # fmt: skip
def test_tampering_is_found_and_named(history: History, tmp_path: Path, statement: str, says: str) -> None:
    assert problem_after(history, tmp_path) is None
    assert says in (problem_after(history, tmp_path, *statement.split("; ")) or "nothing")


def test_a_changed_plan_is_told_by_its_hash(history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "house.duckdb"
    shutil.copy(history.house.db_path, path)
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(path))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(history.house.folder))
    warehouse = DuckDBWarehouse(path, read_only=True)
    recorded = json.loads(published_event(warehouse, "").details)["tables"]
    warehouse.close()

    def check() -> str:
        switches = {"nba_cycle_start": "2026-02-02"}
        return check_content(history.later, recorded, content_of_run(history.house.folder, None, switches, history.later, sorted(recorded)))

    assert check() == f"Published run {history.later} is what was published: 4 tables, 5 rows."
    with duckdb.connect(str(path)) as con:
        con.execute("update memory.recommendations set touches = 2 where run_id = ?", [history.later])
    with pytest.raises(NbaError, match=f"run {history.later} is published, but not as it was: recommendations differ"):
        check()


def test_the_exempt_columns_are_said_alike_in_both_languages() -> None:
    text = (ROOT / "macros" / "history" / "exempt_columns.sql").read_text()
    assert f"return([{', '.join(repr(name) for name in EXEMPT)}])" in text
