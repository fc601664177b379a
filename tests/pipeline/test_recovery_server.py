"""A PostgreSQL server that is restarted under a build, and sessions that somebody ends: nothing half is published, and it says why."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from postgres_server import PostgresServer, running_server
from recovery_house import Build, Moment, RecoveryHouse, build_recovery_house, moments
from recovery_watch import Watch

pytestmark = pytest.mark.long
# Restarts, and sessions ended of each kind.
RESTARTS, ENDED = 6, 3
LOCK_LOST = "The connection that keeps other builds out of database"
EVERY = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
HOLDING = "pid in (select pid from pg_locks where locktype = 'advisory' and granted)"
# Which sessions of a build are ended: all, the one that keeps other builds out, those that work.
SESSIONS = {"all": EVERY, "lock": f"{EVERY} and {HOLDING}", "workers": f"{EVERY} and not {HOLDING}"}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_server() as own:
        yield own


@pytest.fixture(scope="module")
def watch(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Watch:
    house = build_recovery_house(tmp_path_factory.mktemp("house"), 400, server, "recovery_server")
    calm = house.build()
    return Watch(house, house.content(exempt=None), calm.timetable())


def after(watch: Watch, build: Build, kind: str) -> None:
    """Count, and look at what the struck build left."""
    watch.strike(build, kind)
    code = build.finish()
    watch.house.wait_for_quiet()
    assert "Traceback" not in build.said, build.said
    has_published = watch.check()
    watch.counts["builds failed"] += code != 0
    # with its connections gone a build that goes on to the end has published before, or has lost nothing that it needed
    assert code != 0 or has_published, build.said


def test_a_restart_under_a_build(watch: Watch, server: PostgresServer, record_property):
    for number, moment in enumerate(moments(watch.timetable, RESTARTS, random.Random(6))):
        build = watch.house.start()
        assert moment.wait(build), build.said
        server.stop("immediate" if number % 2 else "fast")
        server.start()
        after(watch, build, "restarts")
    watch.converge()
    record_property("count", watch.line("server restarted"))
    watch.counts.clear()


@pytest.mark.parametrize("sessions", SESSIONS)
def test_sessions_that_are_ended(sessions: str, watch: Watch, record_property):
    for moment in moments(watch.timetable, ENDED, random.Random(sessions)):
        build = watch.house.start()
        assert moment.wait(build), build.said
        watch.house.rows(SESSIONS[sessions])
        after(watch, build, "sessions ended")
    watch.converge()
    record_property("count", watch.line(f"sessions ended ({sessions})"))
    watch.counts.clear()


def test_a_build_whose_lock_is_gone_stops_before_it_meets_another(watch: Watch):
    house: RecoveryHouse = watch.house
    build = house.start()
    assert Moment(8, 0.0).wait(build), build.said
    house.rows(SESSIONS["lock"])
    other = house.start(own="other")
    assert build.finish() != 0
    assert LOCK_LOST in build.said
    assert "this build stops here and publishes nothing. What to do: `dbt build` again." in build.said
    assert other.finish() == 0, other.said
    pointer = house.pointer()
    assert pointer[0] == watch.pointer[0] + 1
    assert house.content(exempt=None) == watch.reference
    watch.look()
