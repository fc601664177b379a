"""Builds started side by side: each is refused in words or publishes a whole plan, on both engines."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest
from recovery_house import Build, build_recovery_house
from recovery_watch import Watch

pytestmark = pytest.mark.long
REFUSED = ("is in use by another process", "Another build is under way in database")
ROUNDS, SIDE_BY_SIDE = 5, 3


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_builds_side_by_side_are_refused_or_publish_whole(engine: str, tmp_path: Path, request: pytest.FixtureRequest, record_property):
    server = request.getfixturevalue("postgres") if engine == "postgres" else None
    house = build_recovery_house(tmp_path, 400, server, "recovery_side_by_side")
    house.build()
    watch = Watch(house, house.content(exempt=None))
    draw = random.Random(SIDE_BY_SIDE)
    for _ in range(ROUNDS):
        builds = [started(house, f"side_{number}", draw) for number in range(SIDE_BY_SIDE)]
        codes = [build.finish() for build in builds]
        watch.counts["builds side by side"] += len(builds)
        published = house.pointer()[0] - watch.pointer[0]
        assert published == codes.count(0) >= 1, [build.said for build in builds]
        for build, code in zip(builds, codes, strict=True):
            watch.counts["refused in words"] += code != 0
            assert code == 0 or any(words in build.said for words in REFUSED), build.said
            assert "Traceback" not in build.said, build.said
        watch.counts["published"] += published
        assert house.content(exempt=None) == watch.reference
        watch.look()
    watch.converge()
    record_property("count", watch.line("builds side by side"))


def started(house, own: str, draw: random.Random) -> Build:
    """A build that starts at about the moment of the others."""
    time.sleep(draw.choice([0.0, 0.0, 0.5]))
    return house.start(own=own)


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_a_build_that_waits_follows_a_killed_one(engine: str, tmp_path: Path, request: pytest.FixtureRequest, record_property):
    server = request.getfixturevalue("postgres") if engine == "postgres" else None
    house = build_recovery_house(tmp_path, 400, server, "recovery_waiting")
    house.build()
    watch = Watch(house, house.content(exempt=None))
    for number in range(2):
        first = house.start(own="first")
        assert first.go_on(8 + 6 * number), first.said
        # held in the middle, or it would publish while the second one parses
        first.process.send_signal(signal.SIGSTOP)
        second = house.start(own="second", NBA_BUILD_WAIT_SECONDS="300")
        time.sleep(12)
        assert second.process.poll() is None
        assert first.kill(), first.said
        assert second.finish() == 0, second.said
        watch.counts["killed while another waits"] += 1
        assert house.pointer()[0] == watch.pointer[0] + 1
        assert house.content(exempt=None) == watch.reference
        watch.look()
    watch.converge()
    record_property("count", watch.line("waiting builds"))
