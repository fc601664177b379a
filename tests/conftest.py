"""What every folder of tests shares."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from postgres_server import PostgresServer, running_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One throwaway PostgreSQL server for the session (one for each worker that asks for it, under a second)."""
    with running_server() as server:
        yield server
