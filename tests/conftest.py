"""What every folder of tests shares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from postgres_server import PostgresServer, running_server

if TYPE_CHECKING:
    from small_project import SmallProject


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One throwaway PostgreSQL server for the session (one for each worker that asks for it, under a second)."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="module")
def project(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> SmallProject:
    """An empty dbt project on an empty PostgreSQL database, for one file of tests/pgpy."""
    from small_project import SmallProject

    name = request.module.__name__
    postgres.create_database(name)
    made = SmallProject(postgres, name, tmp_path_factory.mktemp(name))
    made.configure()
    return made


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The counts of the tests that strike builds and loads (kills, full disks, restarts), one line for each test that passed."""
    reports = terminalreporter.stats.get("passed", [])
    lines = [f"{value}" for report in reports for name, value in report.user_properties if name == "count" and report.when == "call"]
    if lines:
        terminalreporter.section("counts")
        for line in lines:
            terminalreporter.write_line(line)
