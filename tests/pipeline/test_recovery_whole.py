"""The whole project on a small world with drawn arms, killed at random moments, its very first build too: features to memory."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import pytest
from publishing_house import ROOT
from recovery_house import CYCLE, KEEP, Build, RecoveryHouse, moments
from recovery_watch import Watch

from nba.cli import main
from nba.simulate import simulate_world, write_world

pytestmark = pytest.mark.long
KILLS = 5
NOTHING = "select count(*) from memory.publications"


@dataclass
class WholeHouse(RecoveryHouse):
    """The shipped project over loaded inputs; `folder` holds the warehouse and dbt's files."""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "DBT_PROFILES_DIR": str(ROOT)}

    def start(self, command: str = "build", own: str = "", cycle: str = CYCLE, **environment: str) -> Build:
        given = f'{{input_schema: raw, nba_cycle_start: "{cycle}", {KEEP}}}'
        paths = ["--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")]
        return Build([command, "--target", self.engine, "--vars", given, *paths], ROOT, {**self.environment, **environment})


def loaded(folder: Path, server, monkeypatch: pytest.MonkeyPatch) -> WholeHouse:
    """A warehouse with the inputs of a small world, a tenth of its HCPs in each arm."""
    views = len(list((ROOT / "models" / "published").glob("*.sql")))
    house = WholeHouse(folder, server, "recovery_whole", views)
    if server:
        server.create_database(house.database)
    write_world(simulate_world(hcps=60, weeks=30, seed=11), folder / "world")
    (folder / "world" / "rule_holdout.csv").write_text("arm,share,resource_share\ncontrol,0.1,\nexplore,0.1,0.2\n")
    for name, value in house.environment.items():
        monkeypatch.setenv(name, value)
    assert main(["load", str(folder / "world"), "--target", house.engine, "--project-dir", str(ROOT)]) == 0
    return house


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_the_whole_project_recovers(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, record_property
):
    server = request.getfixturevalue("postgres") if engine == "postgres" else None
    # what an undisturbed build in a fresh warehouse publishes
    undisturbed = loaded(tmp_path, server, monkeypatch)
    calm = undisturbed.build()
    reference = undisturbed.content(exempt=None)
    if server:
        server.create_database(undisturbed.database)
    (tmp_path / "second").mkdir()
    house = loaded(tmp_path / "second", server, monkeypatch)
    draw = random.Random(KILLS)
    times = calm.timetable()
    (first,) = moments(times[: int(len(times) * 0.9)], 1, draw)
    build = house.start()
    assert first.wait(build), build.said
    build.kill()
    house.wait_for_quiet()
    assert house.rows(NOTHING) == [(0,)]
    house.build()
    assert house.content(exempt=None) == reference
    watch = Watch(house, reference)
    watch.counts["killed"] += 1
    watch.counts["survived"] += 1
    for moment in moments(times, KILLS - 1, draw):
        build = house.start()
        assert moment.wait(build), build.said
        watch.strike(build, "killed" if build.kill() else "over before the kill")
        watch.check()
        house.wait_for_quiet()
        assert house.content() == watch.content
    watch.converge()
    record_property("count", watch.line("whole builds killed"))
