"""The tests' own PostgreSQL: recent enough, private, and gone with the session that asked for it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

from postgres_server import OLDEST_VERSION, PostgresServer, running_server

TESTS = Path(__file__).resolve().parents[1]
HOLDS_A_SERVER = """
from postgres_server import running_server
with running_server() as server:
    print(server.host, flush=True)
    input()
"""


def test_it_is_recent_and_private(postgres: PostgresServer) -> None:
    assert int(postgres.run_sql("postgres", "show server_version_num")[0][0]) >= OLDEST_VERSION * 10_000
    assert stat.S_IMODE(os.stat(postgres.host).st_mode) == 0o700
    assert postgres.run_sql("postgres", "show listen_addresses") == [("",)]


def test_statements_run_as_the_user_named_and_a_database_starts_empty(postgres: PostgresServer) -> None:
    postgres.create_database("fresh")
    postgres.run_sql("fresh", "create role somebody login; create table left_over (n int)")
    assert postgres.run_sql("fresh", "select current_user::text", user="somebody") == [("somebody",)]
    postgres.create_database("fresh")
    assert postgres.run_sql("fresh", "select count(*) from pg_tables where tablename = 'left_over'") == [(0,)]
    assert postgres.env("fresh")["NBA_PG_DATABASE"] == "fresh"


def test_nothing_is_left_at_the_end() -> None:
    with running_server() as server:
        folder = Path(server.host)
        assert folder.is_dir()
    assert not folder.exists()


def test_nothing_is_left_of_a_session_that_was_killed() -> None:
    session = subprocess.Popen([sys.executable, "-c", HOLDS_A_SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=TESTS)
    assert session.stdin and session.stdout
    folder = Path(session.stdout.readline().strip())
    postmaster = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    session.send_signal(signal.SIGKILL)
    session.wait()
    deadline = time.monotonic() + 30
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.exists()
    # A process that ended but that nobody has waited for has an empty command line.
    command = Path(f"/proc/{postmaster}/cmdline")
    assert not (command.exists() and command.read_bytes())
