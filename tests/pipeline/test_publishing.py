"""Publishing moves one pointer, only after a whole build that passed; rollback moves it back. The tests share one house, in order."""

from __future__ import annotations

import pytest
from publishing_house import House, build_house

from nba import rollback
from nba.errors import NbaError

DECISION = "select decision from memory.publish where run_id in (select run_id from checks.run_config)"
VISIBLE = "select distinct run_id from published.recommendations"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return build_house(tmp_path_factory.mktemp("house"))


@pytest.fixture(scope="module")
def first(house: House) -> str:
    """The run of a first full build."""
    assert house.dbt("build").success
    return house.built_run()


def test_a_whole_build_is_visible_whole(house: House, first: str):
    assert house.pointer() == (1, first, "2026-01-05", "publish")
    assert house.rows(VISIBLE) == [(first,)]
    (stamped,) = house.rows("select published_at = (select published_at from memory.publications) from published.recommendations")
    assert stamped == (True,)
    assert house.rows("select run_id, is_published, objective from published.plan_history") == [(first, True, 2.5)]
    assert house.rows("select run_id, channel, auc from published.model_performance") == [(first, "all", 0.7)]


@pytest.mark.parametrize("narrowing", [["--exclude", "memory__rejections"], ["--empty"]], ids=lambda given: given[0])
def test_a_build_of_less_than_everything_publishes_nothing(house: House, first: str, narrowing: list[str], capfd):
    assert house.dbt("build", *narrowing).success
    assert house.pointer() == (1, first, "2026-01-05", "publish")
    assert house.rows(VISIBLE) == [(first,)]
    if narrowing != ["--empty"]:
        assert house.rows(DECISION) == [("not_a_full_build",)]
        assert "Not published: only `dbt build` without a selection publishes." in capfd.readouterr().out


def test_a_broken_promise_changes_nothing_that_is_read_and_a_retry_publishes(house: House, first: str, capfd):
    house.promise(is_kept=False)
    assert not house.dbt("build").success
    broken = house.built_run()
    assert house.pointer() == (1, first, "2026-01-05", "publish")
    assert house.rows(VISIBLE) == [(first,)]
    assert "Published is unchanged: fct_recommendations__keep_a_promise failed" in capfd.readouterr().out
    # what it left in memory is no history
    assert house.rows("select run_id from memory.plan_summary where run_id = (select run_id from checks.run_config)") == [(broken,)]
    assert broken not in {run for (run,) in house.rows("select run_id from published.plan_history")}

    house.promise(is_kept=True)
    assert house.dbt("retry").success
    assert house.built_run() == broken
    assert house.pointer() == (2, broken, "2026-01-05", "publish")
    assert house.rows(VISIBLE) == [(broken,)]
    history = dict(house.rows("select run_id, is_published from published.plan_history"))
    assert (history[first], history[broken]) == (False, True)


def test_an_earlier_cycle_is_planned_and_published_only_on_request(house: House, first: str, capfd):
    before = house.pointer()
    assert house.dbt("build", cycle="2025-12-08").success
    assert house.pointer() == before
    said = "Not published: cycle 2025-12-08 lies before the published cycle 2026-01-05. To publish it anyway: nba_publish_past: true."
    assert said in capfd.readouterr().out
    assert house.dbt("build", cycle="2025-12-08", nba_publish_past=True).success
    assert house.pointer() == (before[0] + 1, house.built_run(), "2025-12-08", "publish")


def test_rollback_walks_back_one_publication_at_a_time(house: House, first: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(house.db_path))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(house.folder))
    runs = [run for (run,) in house.rows("select run_id from memory.publications order by published_at")]
    assert len(runs) == 3

    before, now = rollback.rollback(project_dir=house.folder)
    assert (before.run_id, now.run_id) == (runs[2], runs[1])
    assert house.pointer() == (4, runs[1], "2026-01-05", "rollback")
    assert house.rows(VISIBLE) == [(runs[1],)]

    assert rollback.rollback(project_dir=house.folder)[1].run_id == first
    with pytest.raises(NbaError, match=f"run {first} is the first that was published: there is nothing before it to roll back to"):
        rollback.rollback(project_dir=house.folder)

    assert rollback.rollback(to=runs[2], project_dir=house.folder)[1].run_id == runs[2]
    assert house.pointer() == (6, runs[2], "2025-12-08", "rollback")
    # of a cycle that was rolled back nothing is shown, of an earlier one its last published run
    assert house.rows("select run_id from published.model_performance") == [(runs[2],)]


def test_a_prefix_keeps_two_houses_apart_in_one_database(house: House, first: str):
    log = house.rows("from memory.publications order by 1")
    assert house.dbt("build", nba_schema_prefix="other_").success
    assert house.rows("from memory.publications order by 1") == log
    assert house.rows("select count(*) from other_memory.publications") == [(1,)]
    assert house.rows("select run_id from other_published.recommendations") == house.rows("select run_id from other_memory.publications")
