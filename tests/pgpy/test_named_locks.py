"""Two builds at once on PostgreSQL: the second is refused in words or waits, and a killed build keeps nobody out. Real processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgres_server import PostgresServer

ROOT = Path(__file__).resolve().parents[2]
DATABASE = "locked"
PROJECT = """
name: nba
version: "1.0"
profile: nba
flags: {send_anonymous_usage_stats: false, use_colors: false}
on-run-start: ["{{ one_build_at_a_time() }}"]
vars: {input_schema: raw, nba_schema_prefix: ""}
"""
HELD = "select pid from pg_locks where locktype = 'advisory' and granted"


@pytest.fixture
def folder(tmp_path: Path, postgres: PostgresServer) -> Path:
    """A project of one model that takes its time, and the project's own macro."""
    postgres.create_database(DATABASE)
    for name, text in {
        "dbt_project.yml": PROJECT,
        "profiles.yml": (ROOT / "profiles.yml").read_text(),
        "macros/one_build_at_a_time.sql": (ROOT / "macros" / "one_build_at_a_time.sql").read_text(),
        "models/slow.sql": "{{ config(materialized='table') }} select 1 as a from pg_sleep({{ var('pause', 0) }})",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def started(folder: Path, postgres: PostgresServer) -> Iterator:
    """`started(name, pause, **environment)`: one `dbt build` in a process of its own."""
    running = []

    def start(name: str, pause: int = 0, prefix: str = "", **environment: str) -> subprocess.Popen[str]:
        program = str(Path(sys.executable).parent / "dbt")
        words = [program, "build", "--target", "postgres", "--target-path", name, "--log-path", f"{name}/logs"]
        given = f"{{pause: {pause}, nba_schema_prefix: '{prefix}'}}"
        process = subprocess.Popen(
            [*words, "--vars", given],
            cwd=folder,
            env={**os.environ, **postgres.env(DATABASE), "DBT_PROFILES_DIR": str(folder), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


def wait_until_held(postgres: PostgresServer, process: subprocess.Popen[str]) -> None:
    ends = time.monotonic() + 120
    while not postgres.run_sql(DATABASE, HELD):
        assert process.poll() is None and time.monotonic() < ends, process.stdout.read()
        time.sleep(0.1)


def test_a_second_build_is_refused_and_one_with_another_prefix_is_not(started, postgres: PostgresServer):
    first = started("first", pause=300)
    wait_until_held(postgres, first)
    ((holder,),) = postgres.run_sql(DATABASE, HELD)
    second = started("second")
    said = second.communicate()[0]
    assert second.returncode != 0, said
    assert f"Another build is under way in database {DATABASE} (process {holder} of {postgres.user}, connected since" in said
    assert "Nothing was built. What to do: let the other one end" in said
    assert "Traceback" not in said
    assert "START sql" not in said
    other = started("other", prefix="trial_", NBA_PG_SCHEMA="other")
    assert "Completed successfully" in other.communicate()[0]
    assert first.poll() is None


def test_a_waiting_build_goes_on_when_the_first_is_killed(started, postgres: PostgresServer):
    first = started("first", pause=300)
    wait_until_held(postgres, first)
    # a schema of its own: what the killed build left running in the server holds its table a while longer
    second = started("second", NBA_BUILD_WAIT_SECONDS="120", NBA_PG_SCHEMA="other")
    waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
    while postgres.run_sql(DATABASE, waiting) != [(1,)]:
        assert second.poll() is None, second.stdout.read()
        time.sleep(0.1)
    first.kill()
    first.wait()
    assert "Completed successfully" in second.communicate()[0]
    assert postgres.run_sql(DATABASE, HELD) == []


def test_a_wait_that_is_no_number_is_refused(started):
    said = started("wrong", NBA_BUILD_WAIT_SECONDS="soon").communicate()[0]
    assert "NBA_BUILD_WAIT_SECONDS is no number of seconds from 0 on: soon" in said


def test_two_locks_of_one_database_are_two_and_both_are_given_up(postgres: PostgresServer):
    from dbt.adapters.pgpy.connections import PgpyCredentials
    from dbt.adapters.pgpy.named_locks import NamedLocks

    postgres.create_database(DATABASE)
    given = {"host": postgres.host, "port": postgres.port, "user": postgres.user, "password": "x", "database": DATABASE, "schema": "made"}
    ours, theirs = (NamedLocks(PgpyCredentials(**given)) for _ in range(2))
    assert ours.hold("a") is None and ours.hold("a") is None and ours.hold("b") is None
    assert theirs.hold("c") is None
    began = time.monotonic()
    assert theirs.hold("a", 0.5).startswith("process ")
    assert 0.4 < time.monotonic() - began < 10
    assert not ours.are_lost() and not theirs.are_lost()
    ours.release()
    assert not ours.are_lost()
    assert theirs.hold("a") is None and theirs.hold("b") is None
    theirs.release()
    assert postgres.run_sql(DATABASE, HELD) == []


def test_a_lock_whose_connection_somebody_ended_is_known_to_be_lost(postgres: PostgresServer):
    from dbt.adapters.pgpy.connections import PgpyCredentials
    from dbt.adapters.pgpy.named_locks import NamedLocks

    postgres.create_database(DATABASE)
    given = {"host": postgres.host, "port": postgres.port, "user": postgres.user, "password": "x", "database": DATABASE, "schema": "made"}
    locks = NamedLocks(PgpyCredentials(**given))
    assert locks.hold("a") is None and not locks.are_lost()
    postgres.run_sql(DATABASE, "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'")
    assert locks.are_lost() and locks.are_lost()
    locks.release()
    assert not locks.are_lost()
    assert locks.hold("a") is None
    locks.release()


def test_a_statement_of_a_killed_build_does_not_go_on_for_long(started, postgres: PostgresServer):
    """Without it the next build would wait for the tables until the statement ends, however long that is."""
    busy = "select count(*) from pg_stat_activity where query like '%pg_sleep(300)%' and state = 'active' and pid <> pg_backend_pid()"
    build = started("long", pause=300)
    ends = time.monotonic() + 120
    while postgres.run_sql(DATABASE, busy) != [(1,)]:
        assert build.poll() is None and time.monotonic() < ends
        time.sleep(0.1)
    build.kill()
    build.wait()
    ends = time.monotonic() + 60
    while postgres.run_sql(DATABASE, busy) != [(0,)]:
        assert time.monotonic() < ends, "the statement still runs a minute after its client died"
        time.sleep(0.2)
