"""A full refresh, `dbt run` and a narrowed command leave what is read as it was. One house, in order."""

from __future__ import annotations

import pytest
from published_content import published_hashes
from publishing_house import VIEWS, House, build_house

from nba import rollback


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    made = build_house(tmp_path_factory.mktemp("house"))
    assert made.dbt("build").success
    return made


def content(house: House) -> dict[str, str]:
    """Every published view, run and time of publishing included."""
    return published_hashes(house.db_path, exempt=set(), least=len(VIEWS))


def test_a_full_refresh_keeps_memory_and_rollback_returns_the_plan_to_the_bit(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(house.db_path))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(house.folder))
    before, published = content(house), house.pointer()[1]
    kept = house.rows("select run_id from memory.recommendations")
    assert house.dbt("build", "--full-refresh").success
    assert set(kept) < set(house.rows("select run_id from memory.recommendations"))
    assert house.pointer()[1] == house.built_run() != published
    assert rollback.rollback(project_dir=house.folder)[1].run_id == published
    after = content(house)
    # the history tells of the newer run; every plan is as it was
    assert {view for view in before if before[view] != after[view]} <= {"plan_history"}
    assert house.rows("select run_id from published.plan_history where is_published") == [(published,)]


def test_run_and_test_publish_nothing_and_say_so(house: House, capfd):
    before, pointer = content(house), house.pointer()
    assert house.dbt("run").success
    assert "Not published: only `dbt build` without a selection publishes." in capfd.readouterr().out
    assert house.dbt("test").success
    assert house.dbt("compile").success
    after = content(house)
    assert {view for view in before if before[view] != after[view]} <= {"plan_history"}
    assert house.pointer() == pointer


def test_what_is_published_is_never_written_again(house: House, capfd):
    assert house.dbt("build").success
    before, pointer, run = content(house), house.pointer(), house.built_run()
    mart = house.folder / "models" / "marts" / "dim_hcps.sql"
    text = mart.read_text()
    mart.write_text(text.replace("'T1'", "'T2'"))
    assert not house.dbt("run", "--select", "dim_hcps", "memory__hcps").success
    said = " ".join(capfd.readouterr().out.split())
    assert f"Run {run} was published, so its rows in memory are never written again: nothing was changed. What to do: `dbt build`" in said
    assert (content(house), house.pointer()) == (before, pointer)
    # a command that makes a run of its own may write that one's rows
    assert house.dbt("run", "--select", "run_config", "dim_hcps", "memory__hcps").success
    assert (content(house), house.pointer()) == (before, pointer)
    mart.write_text(text)


def test_two_builds_in_a_row_are_two_runs_each_with_its_own_cycle(house: House):
    seen = []
    for cycle in ("2026-02-02", "2026-03-02", "2026-03-02"):
        assert house.dbt("build", cycle=cycle).success
        seen += house.rows("select run_id, cast(cycle_start as text) from checks.run_config")
    assert [cycle for _, cycle in seen] == ["2026-02-02", "2026-03-02", "2026-03-02"]
    assert len({run for run, _ in seen}) == 3
    assert house.pointer()[1:3] == seen[-1]
