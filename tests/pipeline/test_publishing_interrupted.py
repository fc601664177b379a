"""A killed build, a full refresh and `dbt run` leave what is read as it was; the next whole build publishes. One house, in order."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from published_content import published_hashes
from publishing_house import VIEWS, House, build_house

from nba import rollback

VISIBLE = "select run_id from published.recommendations"
# Of the lines that announce a node: the last that is surely far from publishing, and about all of them.
BEFORE_PUBLISHING, ALL_NODES = 36, 46
KILLS = pytest.mark.parametrize("kills", [pytest.param(2, id="some"), pytest.param(20, id="many", marks=pytest.mark.long)])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    made = build_house(tmp_path_factory.mktemp("house"))
    assert made.dbt("build").success
    return made


def content(house: House) -> dict[str, str]:
    """Every published view, run and time of publishing included."""
    return published_hashes(house.db_path, exempt=set(), least=len(VIEWS))


def start_build(house: House) -> subprocess.Popen[bytes]:
    """A whole build of the house in a process of its own."""
    words = ["build", "--vars", '{nba_cycle_start: "2026-01-05"}', "--profiles-dir", str(house.folder)]
    environment = {**os.environ, "NBA_DUCKDB_PATH": str(house.db_path), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    program = str(Path(sys.executable).parent / "dbt")
    return subprocess.Popen([program, *words], cwd=house.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@KILLS
def test_a_killed_build_is_visible_not_at_all_or_whole_and_the_next_one_publishes(house: House, kills: int):
    draw = random.Random(kills)
    before, pointer = content(house), house.pointer()
    for number in range(kills):
        build = start_build(house)
        # a moment while the nodes run, told by dbt's own lines: waiting by the clock would mostly hit the start of Python
        stop_at = draw.randint(2, BEFORE_PUBLISHING if number % 2 == 0 else ALL_NODES)
        is_reached = any(seen == stop_at for seen, _ in enumerate((line for line in build.stdout if b" START " in line), start=1))
        build.kill()
        build.wait()
        assert is_reached, "the build was over before it was killed"
        if stop_at <= BEFORE_PUBLISHING:
            assert house.pointer() == pointer
        if house.pointer() == pointer:
            assert content(house) == before
        else:
            before, pointer = content(house), house.pointer()
            assert house.rows(VISIBLE) == [(pointer[1],)]
    assert house.dbt("build").success
    assert house.pointer() == (pointer[0] + 1, house.built_run(), "2026-01-05", "publish")
    assert house.rows(VISIBLE) == [(house.built_run(),)]


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


def test_two_builds_in_a_row_are_two_runs_each_with_its_own_cycle(house: House):
    seen = []
    for cycle in ("2026-02-02", "2026-03-02", "2026-03-02"):
        assert house.dbt("build", cycle=cycle).success
        seen += house.rows("select run_id, cast(cycle_start as text) from checks.run_config")
    assert [cycle for _, cycle in seen] == ["2026-02-02", "2026-03-02", "2026-03-02"]
    assert len({run for run, _ in seen}) == 3
    assert house.pointer()[1:3] == seen[-1]
