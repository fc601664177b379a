"""Smoke test on a live account, off unless asked for: docs/snowflake_live.md says what it needs, costs and leaves behind (nothing)."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest
import snowflake.connector
from conftest import Place
from published_tables import differences, of_duckdb, of_snowflake

NEEDED = ("NBA_SF_ACCOUNT", "NBA_SF_USER")
PREFIX = "nba_smoke_"
ROOMS = ("base", "checks", "staging", "features", "scores", "plan", "marts", "memory", "published")


def _why_not() -> str:
    """Why the test cannot run here; empty when it can."""
    if os.environ.get("NBA_SF_LIVE") != "yes":
        return "NBA_SF_LIVE is not `yes`: no live account is asked for"
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if not (os.environ.get("NBA_SF_PASSWORD") or os.environ.get("NBA_SF_PRIVATE_KEY_PATH")):
        missing.append("NBA_SF_PASSWORD or NBA_SF_PRIVATE_KEY_PATH")
    return f"not set: {', '.join(missing)}" if missing else ""


pytestmark = pytest.mark.skipif(bool(_why_not()), reason=_why_not() or "-")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The account that the environment names."""
    return Place("snowflake", tmp_path_factory.mktemp("live"), {})


def _connection() -> snowflake.connector.SnowflakeConnection:
    from conftest import ROOT

    from nba.warehouse import resolve_target
    from nba.warehouse.snowflake import connection_settings

    return snowflake.connector.connect(**connection_settings(resolve_target("snowflake", ROOT)))


def test_every_declared_package_resolves(live: Place) -> None:
    done = live.nba("snowflake", "preflight", check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_sample_gives_the_published_tables_of_duckdb(live: Place, tmp_path: Path) -> None:
    live.nba("snowflake", "setup", "--run", "--zip", str(tmp_path / "nba.zip"))
    words = ("build", "--vars", f"{{nba_schema_prefix: {PREFIX}}}")
    try:
        live.dbt(*words)
        with _connection() as connection:
            found = of_snowflake(connection, f"{PREFIX}published")
    finally:
        with _connection() as connection:
            for room in ROOMS:
                connection.cursor().execute(f"drop schema if exists {PREFIX}{room} cascade")
    file = tmp_path / "beside.duckdb"
    Place("duckdb", tmp_path, {"NBA_DUCKDB_PATH": str(file)}).dbt(*words)
    with duckdb.connect(str(file), read_only=True) as connection:
        assert differences(found, of_duckdb(connection, f"{PREFIX}published")) == []
