"""`nba load` and `nba rollback` that are killed or meet a full disk: the inputs stay as they were or are the new ones, all of them; so does
the plan. Real processes on both engines."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from postgres_server import PostgresServer
from published_content import content_hashes
from recovery_house import OTHERS, build_recovery_house, rows_of
from recovery_watch import Watch

from nba.simulate import simulate_world, write_world

pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[2]
ENGINES = ["duckdb", "postgres"]
KILLS, ROLLBACKS = 12, 10
# Strikes a command at one statement: `where` says which, `when` whether before or after it was carried out.
STRUCK = """
import os, sys
from nba.warehouse.duckdb_file import DuckDBWarehouse
from nba.warehouse.postgres import PostgresWarehouse
for kind in (DuckDBWarehouse, PostgresWarehouse):
    def execute(self, sql, values=None, carry_out=kind.execute):
        carry_out(self, sql, values)
        if "insert into" in sql:
            os.kill(os.getpid(), 9)
    kind.execute = execute
from nba.cli import main
main(sys.argv[1:])
"""


def process(words: list[str], environment: dict[str, str], folder: Path = ROOT, code: str = "") -> subprocess.Popen[str]:
    """`nba` with these words, or `code` with them."""
    program = [sys.executable, "-c", code or "import sys; from nba.cli import main; sys.exit(main(sys.argv[1:]))"]
    given = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    return subprocess.Popen([*program, *words], cwd=folder, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class Inputs:
    """Two worlds as folders, and a warehouse into which the first is loaded."""

    def __init__(self, folder: Path, engine: str, server: PostgresServer | None) -> None:
        self.folder, self.engine, self.server = folder, engine, server
        self.file = folder / "inputs.duckdb"
        for name, seed in (("first", 1), ("second", 2)):
            write_world(simulate_world(hcps=1500, weeks=60, seed=seed), folder / name, format="parquet")
        if server:
            server.create_database("recovery_load")
        self.environment = server.env("recovery_load") if server else {"NBA_DUCKDB_PATH": str(self.file)}

    def load(self, world: str) -> subprocess.Popen[str]:
        words = ["load", str(self.folder / world), "--target", self.engine, "--replace-rules", "--project-dir", str(ROOT)]
        return process(words, self.environment)

    def loaded(self, world: str) -> dict[str, str]:
        """What lies in raw after an undisturbed load."""
        run = self.load(world)
        said = run.communicate()[0]
        assert run.returncode == 0, said
        return self.content()

    def content(self) -> dict[str, str]:
        query: Callable[[str], list] = lambda text: rows_of(self.file, text)  # noqa: E731
        if self.server:
            query = lambda text: self.server.run_sql("recovery_load", text)  # noqa: E731
        return content_hashes(query, "raw", exempt=set(), least=10)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_load_leaves_the_inputs_as_they_were(engine: str, tmp_path: Path, request: pytest.FixtureRequest, record_property):
    inputs = Inputs(tmp_path, engine, request.getfixturevalue("postgres") if engine == "postgres" else None)
    began = time.monotonic()
    second = inputs.loaded("second")
    lasts = time.monotonic() - began
    first = inputs.loaded("first")
    assert first != second
    draw, counts = random.Random(KILLS), Counter({"rows lost": 0})
    for number in range(KILLS):
        load = inputs.load("second")
        if number % 2:
            # the checks are over, now it writes
            assert any("checking the contents" in line for line in load.stdout)
            time.sleep(draw.uniform(0.5, 1.0) * lasts * 0.6)
        else:
            time.sleep(draw.uniform(0.2, 1.0) * lasts)
        load.kill()
        load.wait()
        ends = time.monotonic() + 60
        while inputs.server and inputs.server.run_sql("recovery_load", OTHERS) != [(0,)]:
            assert time.monotonic() < ends
            time.sleep(0.05)
        counts["loads killed"] += 1
        after = inputs.content()
        assert after in (first, second), "raw holds neither the tables before nor the new ones"
        counts["survived"] += 1
        if after == second:
            counts["had loaded"] += 1
            assert inputs.loaded("first") == first
    assert inputs.loaded("second") == second
    record_property("count", f"loads killed, {engine}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


def test_a_load_that_meets_a_full_disk_says_so_and_changes_nothing(tmp_path: Path, record_property):
    inputs = Inputs(tmp_path, "duckdb", None)
    second = inputs.loaded("second")
    first = inputs.loaded("first")
    counts = Counter({"rows lost": 0})
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    # of every file: the rows of a load go into the log beside the warehouse first, and that is what finds no room
    for room in (20_000, 200_000, 1_000_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, unlimited[1]))
        try:
            load = inputs.load("second")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        said = load.communicate()[0]
        counts["full disks"] += 1
        if load.returncode:
            assert "nba load: the disk is full: " in said, said
            assert "the warehouse is as it was. What to do: make room there and run again" in said
            assert "Traceback" not in said
            assert inputs.content() == first
            counts["survived"] += 1
        else:
            assert inputs.content() == second
            assert inputs.loaded("first") == first
    assert inputs.loaded("second") == second
    assert counts["survived"] > 0
    record_property("count", "loads on a full disk, duckdb: " + ", ".join(f"{count} {name}" for name, count in counts.items()))


def plans_of(remembered: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Rows by memory table and run, without the logs."""
    return {key: count for key, count in remembered.items() if key[0] not in ("publications", "audit_log")}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_killed_rollback_has_happened_or_not(engine: str, tmp_path: Path, request: pytest.FixtureRequest, record_property):
    server = request.getfixturevalue("postgres") if engine == "postgres" else None
    house = build_recovery_house(tmp_path, 400, server, "recovery_rollback")
    for _ in range(2):
        house.build()
    watch = Watch(house, house.content(exempt=None))
    words = ["rollback", "--target", engine, "--project-dir", str(house.folder)]
    struck = process(words, house.environment, house.folder, STRUCK)
    said = struck.communicate()[0]
    assert struck.returncode == -signal.SIGKILL, said
    house.wait_for_quiet()
    # the row was written and not yet made to last
    assert (house.pointer(), house.content(), house.served()) == (watch.pointer, watch.content, watch.served)
    watch.counts["rollbacks killed"] += 1
    draw = random.Random(3)
    runs = [run for (run,) in house.rows("select run_id from memory.publications order by published_at")]
    began = time.monotonic()
    undisturbed = process(words, house.environment, house.folder)
    assert undisturbed.wait() == 0, undisturbed.communicate()[0]
    lasts = time.monotonic() - began
    watch.look()
    for _ in range(ROLLBACKS):
        to = next(run for run in runs if run != watch.pointer[1])
        run = process([*words, "--to", to], house.environment, house.folder)
        time.sleep(draw.uniform(0.3, 1.0) * lasts)
        run.kill()
        run.wait()
        house.wait_for_quiet()
        watch.counts["rollbacks killed"] += 1
        watch.counts["had rolled back"] += house.pointer() != watch.pointer
        # a rollback writes a row of each of the two logs and nothing else
        assert plans_of(house.remembered()) == plans_of(watch.remembered)
        assert house.content(exempt=None) == watch.reference
        assert house.served() in (watch.served, house.content())
        watch.counts["survived"] += 1
        watch.look()
    watch.converge()
    record_property("count", watch.line("rollbacks killed"))
