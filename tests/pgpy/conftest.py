"""A small dbt project of its own for each file of tests."""

from __future__ import annotations

import pytest
from postgres_server import PostgresServer
from small_project import SmallProject


@pytest.fixture(scope="module")
def project(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> SmallProject:
    """An empty project on an empty database."""
    name = request.module.__name__
    postgres.create_database(name)
    made = SmallProject(postgres, name, tmp_path_factory.mktemp(name))
    made.configure()
    return made
