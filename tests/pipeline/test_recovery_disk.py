"""Builds that meet a full disk, a real one: what is published stays as it was or is whole, and with room again the next build converges."""

from __future__ import annotations

import random
import resource
import shutil
import tempfile
from pathlib import Path

import pytest
from postgres_server import UNPRIVILEGED, PostgresServer, running_server
from recovery_house import Moment, RecoveryHouse, build_recovery_house, moments
from recovery_watch import Watch
from small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.long
FULL = ("no space left on device", "file too large")
ROUNDS, LIMITS = 6, 4


def meet_full_disk(watch: Watch, disk: SmallDisk, growth: int, rounds: int) -> None:
    """Builds that find less room than they need, each followed by a look at what is there."""
    draw = random.Random(rounds)
    for number in range(rounds):
        # from hardly any room to all but enough
        disk.leave(int(growth * (number + draw.random()) / rounds))
        build = watch.house.start()
        code = build.finish()
        disk.empty()
        watch.house.wait_for_quiet()
        watch.counts["full disks"] += 1
        watch.counts["builds failed"] += code != 0
        watch.counts["said so"] += any(words in build.said.lower() for words in FULL)
        assert code == 0 or any(words in build.said.lower() for words in FULL), build.said
        if watch.check():
            watch.counts["full disks after publishing"] += 1
    watch.converge()


def test_a_disk_that_fills_up_under_a_duckdb_file(tmp_path: Path, record_property):
    with small_disk(tmp_path / "disk", 600) as disk:
        house = build_recovery_house(tmp_path / "project", rows=1500)
        house.file = disk.folder / "house.duckdb"
        house.build()
        before = disk.used
        house.build()
        watch = Watch(house, house.content(exempt=None))
        # with the log of the last transactions, and the second copy of what is published while it is written
        meet_full_disk(watch, disk, disk.used - before + house.serving_file.stat().st_size, ROUNDS)
        record_property("count", watch.line("disks filled up"))
        assert watch.counts["builds failed"] >= ROUNDS // 2


def test_a_limit_on_the_size_of_a_file(tmp_path: Path, record_property):
    """Needs no rights: the system refuses to write past the limit as it refuses to write to a full disk."""
    house = build_recovery_house(tmp_path, rows=1500)
    house.build()
    house.build()
    watch = Watch(house, house.content(exempt=None))
    draw = random.Random(5)
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    for number in range(LIMITS):
        # inside the file that is there: a build writes into blocks that it left free as well as behind its end
        room = int(house.file.stat().st_size * (number + draw.random()) / LIMITS)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, unlimited[1]))
        try:
            build = house.start()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        code = build.finish()
        watch.counts["limits met"] += 1
        watch.counts["builds failed"] += code != 0
        assert code == 0 or any(words in build.said.lower() for words in FULL), build.said
        watch.check()
    watch.converge()
    record_property("count", watch.line("files limited"))
    assert watch.counts["builds failed"] > 0


def test_a_tablespace_of_postgresql_that_fills_up(tmp_path: Path, postgres: PostgresServer, record_property):
    with small_disk(Path(tempfile.mkdtemp(prefix="nba-disk-", dir="/tmp")), 600) as disk:
        house = build_recovery_house(tmp_path, 1500, postgres, "recovery_disk")
        place = disk.folder / "tablespace"
        place.mkdir()
        shutil.chown(place, UNPRIVILEGED)
        place.parent.chmod(0o755)
        postgres.run_sql("postgres", f"create tablespace small location '{place}'")
        try:
            postgres.run_sql("postgres", "alter database recovery_disk set tablespace small")
            house.build()
            postgres.run_sql("recovery_disk", "checkpoint")
            before = disk.used
            house.build()
            watch = Watch(house, house.content(exempt=None))
            meet_full_disk(watch, disk, disk.used - before, ROUNDS)
            record_property("count", watch.line("tablespaces filled up"))
            assert watch.counts["builds failed"] >= ROUNDS // 2
        finally:
            postgres.run_sql("postgres", 'drop database if exists "recovery_disk" with (force)')
            postgres.run_sql("postgres", "drop tablespace small")


def test_a_server_that_cannot_write_its_log_goes_down_and_comes_back(tmp_path: Path, record_property):
    """The log of transactions on a full disk: PostgreSQL ends itself. With room again it starts, and undoes what was under way."""
    with small_disk(Path(tempfile.mkdtemp(prefix="nba-disk-", dir="/tmp")), 900) as disk:
        disk.folder.chmod(0o755)
        folder = disk.folder / "server"
        folder.mkdir()
        with running_server(folder) as server:
            house = build_recovery_house(tmp_path, 400, server, "recovery_log")
            calm = house.build()
            watch = Watch(house, house.content(exempt=None))
            for moment in moments(calm.timetable(), LIMITS, random.Random(4)):
                strike_log(house, watch, disk, server, moment)
            watch.converge()
            record_property("count", watch.line("logs filled up"))


def strike_log(house: RecoveryHouse, watch: Watch, disk: SmallDisk, server: PostgresServer, moment: Moment) -> None:
    """One build during which the log of the server can no longer be written."""
    build = house.start()
    assert moment.wait(build), build.said
    disk.leave(4096)
    # the next write needs a new file of the log, for which there is no room
    try:
        server.run_sql("postgres", "select pg_switch_wal()")
        server.run_sql("postgres", "create table if not exists a_write as select 1 as a")
    except Exception as error:
        watch.counts["servers down"] += "closed the connection" in str(error) or "no space" in str(error).lower()
    code = build.finish()
    disk.empty()
    server.stop()
    server.start()
    watch.counts["logs filled up"] += 1
    watch.counts["builds failed"] += code != 0
    watch.check()
