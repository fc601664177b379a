"""`kill -9` at random moments of a build, on both engines: what is published stays as it was or is whole, and the next build converges."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from recovery_house import build_recovery_house, moments
from recovery_watch import Watch

KILLS = [
    pytest.param("duckdb", 3, id="duckdb-some"),
    pytest.param("postgres", 3, id="postgres-some"),
    pytest.param("duckdb", 20, id="duckdb-many", marks=pytest.mark.long),
    pytest.param("postgres", 20, id="postgres-many", marks=pytest.mark.long),
]


@pytest.mark.parametrize(("engine", "kills"), KILLS)
def test_a_killed_build_is_visible_not_at_all_or_whole_and_the_next_one_converges(
    engine: str, kills: int, tmp_path: Path, request: pytest.FixtureRequest, record_property
):
    server = request.getfixturevalue("postgres") if engine == "postgres" else None
    house = build_recovery_house(tmp_path, 400, server, "recovery_kills")
    calm = house.build()
    watch = Watch(house, house.content(exempt=None))
    draw = random.Random(kills)
    struck = 0
    for moment in moments(calm.timetable(), 2 * kills, draw):
        if struck == kills:
            break
        build = house.start()
        assert moment.wait(build), build.said
        if not build.kill():
            # on a busy machine the undisturbed build may have been the slower one
            watch.counts["over before the kill"] += 1
            watch.look()
            continue
        watch.strike(build, "killed")
        # at once, while the server may still be at the statement of the dead client, and after it has noticed
        watch.check()
        house.wait_for_quiet()
        assert house.content() == watch.content
        struck += 1
        if struck % 10 == 0 and struck < kills:
            watch.converge()
    watch.converge()
    record_property("count", watch.line("builds killed"))
    assert struck == kills
    assert watch.counts["inside a node"] > kills / 2
