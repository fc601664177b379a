"""Two who append to the log at once on PostgreSQL: one waits for the other, and the chain holds."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from postgres_server import PostgresServer

from nba.audit import record
from nba.audit.chain import first_broken_link
from nba.audit.verify import read_events
from nba.warehouse import Warehouse, connect

ROOT = Path(__file__).resolve().parents[2]
LOG = "(sequence bigint primary key, recorded_at timestamp, recorded_by text, event text, run_id text, subject text, details text, "
LOG += "previous_hash text, hash text)"
WRITERS, EVENTS = 4, 10


@pytest.fixture
def database(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> PostgresServer:
    postgres.create_database("audit_log")
    for name, value in postgres.env("audit_log").items():
        monkeypatch.setenv(name, value)
    postgres.run_sql("audit_log", f"create schema memory; create table memory.audit_log {LOG}")
    return postgres


def events(warehouse: Warehouse) -> list[int]:
    found = read_events(warehouse, "")
    assert first_broken_link(found) is None
    return [event.sequence for event in found]


def test_writers_at_once_make_one_chain(database: PostgresServer) -> None:
    def append(name: str) -> None:
        warehouse = connect("postgres", ROOT)
        try:
            for number in range(EVENTS):
                with warehouse.transaction():
                    record(warehouse, "", "rolled_back", f"{name} {number}", by=name)
        finally:
            warehouse.close()

    writers = [threading.Thread(target=append, args=(f"w{number}",)) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    warehouse = connect("postgres", ROOT)
    try:
        assert events(warehouse) == list(range(1, WRITERS * EVENTS + 1))
    finally:
        warehouse.close()


def _record_and_fail(warehouse: Warehouse) -> None:
    with warehouse.transaction():
        assert record(warehouse, "", "inputs_loaded", "raw") is not None
        raise RuntimeError("the load fails")


def test_an_event_of_a_transaction_that_is_undone_is_not_told(database: PostgresServer) -> None:
    warehouse = connect("postgres", ROOT)
    try:
        with pytest.raises(RuntimeError):
            _record_and_fail(warehouse)
        assert record(warehouse, "", "rolled_back") is not None
        assert events(warehouse) == [1]
    finally:
        warehouse.close()


def test_a_login_that_may_not_append_goes_on_without(database: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    database.run_sql("audit_log", "drop role if exists t_stranger; create role t_stranger login")
    try:
        monkeypatch.setenv("NBA_PG_USER", "t_stranger")
        warehouse = connect("postgres", ROOT)
        try:
            with warehouse.transaction():
                assert record(warehouse, "", "inputs_loaded", "raw") is None
                assert warehouse.rows("select 1") == [(1,)]
        finally:
            warehouse.close()
    finally:
        database.run_sql("audit_log", "drop role t_stranger")
