"""An emulated Snowflake account for the session, and the same two builds on it and on DuckDB.

Run by `make test-snowflake` in an environment of its own; nothing here has met a live account but test_live.py, which says so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from published_tables import Published, of_duckdb, of_snowflake
from small_world import write_world

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from snowflake_emulated.audit import Statement  # noqa: E402
from snowflake_emulated.server import Emulator, running_emulator  # noqa: E402

SMALL = "input_schema: raw, nba_cycle_start: '2025-05-26', nba_training_snapshots: 3"
SAMPLE = "nba_publish_past: false"
ROLES = "nba_roles: {loader: nba_loader, builder: nba_builder, reader: nba_reader, rep: nba_rep}"


@dataclass(frozen=True)
class Place:
    """Commands against one target. `environment`: what the target of profiles.yml reads; `folder`: for what dbt leaves behind."""

    target: str
    folder: Path
    environment: Mapping[str, str]

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command in the project's folder; with `check` a failure fails the test with what it said."""
        places = {"DBT_TARGET_PATH": str(self.folder / "target"), "DBT_LOG_PATH": str(self.folder / "logs"), "DBT_PROFILES_DIR": str(ROOT)}
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)} | places | dict(self.environment)
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert not (check and done.returncode), f"{' '.join(command)}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
        return done

    def dbt(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        dbt = str(Path(sys.executable).with_name("dbt"))
        return self.run(dbt, *words, "--target", self.target, check=check)

    def nba(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        code = "import sys; from nba.cli import main; sys.exit(main(sys.argv[1:]))"
        return self.run(sys.executable, "-c", code, *words, "--target", self.target, check=check)


@dataclass(frozen=True)
class Builds:
    """The published tables after each of two builds on both engines, what was sent to the account for each, what dbt said; `roles`: what
    `nba roles` sent between the two."""

    account: list[Published]
    duckdb: list[Published]
    sent: list[list[Statement]]
    said: list[str]
    roles: list[Statement]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The emulated account, as it is on the first day."""
    with running_emulator(tmp_path_factory.mktemp("account")) as running:
        yield running


@pytest.fixture(scope="session")
def client(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A client of the account."""
    return Place("snowflake", tmp_path_factory.mktemp("client"), emulator.environment() | {"NBA_SF_THREADS": "3"})


@pytest.fixture(scope="session")
def account(emulator: Emulator, client: Place) -> Emulator:
    """The account after `nba snowflake setup`, by the administrator and by the builder."""
    client.nba("snowflake", "setup", "--as", "administrator", "--run")
    client.nba("snowflake", "setup", "--run", "--zip", str(client.folder / "nba.zip"))
    return emulator


@pytest.fixture(scope="session")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The same project on DuckDB."""
    folder = tmp_path_factory.mktemp("beside")
    return Place("duckdb", folder, {"NBA_DUCKDB_PATH": str(folder / "beside.duckdb")})


@pytest.fixture(scope="session")
def builds(account: Emulator, client: Place, beside: Place, tmp_path_factory: pytest.TempPathFactory) -> Builds:
    """First a small world that was loaded, then the shipped sample: other inputs, another cycle, the same database."""
    world = write_world(tmp_path_factory.mktemp("world"))
    both = Builds([], [], [], [], [])
    for place in (client, beside):
        place.nba("load", str(world))
    for switches in (SMALL, SAMPLE):
        before = len(account.audit())
        both.said.append(client.dbt("build", "--vars", f"{{{switches}, {ROLES}}}").stdout)
        both.sent.append(account.audit()[before:])
        with account.connect() as connection:
            both.account.append(of_snowflake(connection))
        if not both.roles:
            before = len(account.audit())
            client.nba("roles", "--vars", f"{{{ROLES}}}")
            both.roles.extend(account.audit()[before:])
        beside.dbt("build", "--vars", f"{{{switches}}}")
        with duckdb.connect(beside.environment["NBA_DUCKDB_PATH"], read_only=True) as connection:
            both.duckdb.append(of_duckdb(connection))
    return both
