"""The look at the DuckDB file before a build opens it; two real builds are in tests/pipeline/test_serving.py."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from nba.build_lock import FileInUseError, holder_of, wait_for_file, waiting_time

HOLD = """
import sys, time, duckdb
con = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reads")
print("open", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize(("given", "seconds"), [("", 0.0), ("0", 0.0), ("2.5", 2.5), (" 600 ", 600.0)])
def test_the_waiting_time_is_a_number_of_seconds(given: str, seconds: float, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NBA_BUILD_WAIT_SECONDS", given)
    assert waiting_time() == seconds


@pytest.mark.parametrize("given", ["soon", "-1", "inf", "nan"])
def test_another_waiting_time_is_refused(given: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NBA_BUILD_WAIT_SECONDS", given)
    with pytest.raises(FileInUseError, match=f"NBA_BUILD_WAIT_SECONDS is no number of seconds from 0 on: {given}. Nothing was built."):
        waiting_time()


def test_other_troubles_with_the_file_are_not_called_a_lock(tmp_path: Path):
    assert holder_of(str(tmp_path / "padlock" / "nba.duckdb"), {}) is None
    broken = tmp_path / "blocked.duckdb"
    broken.write_text("no database" * 1000)
    assert holder_of(str(broken), {}) is None


@pytest.mark.parametrize("other", ["writes", "reads"])
def test_a_reader_counts_as_a_writer_does(other: str, tmp_path: Path):
    import duckdb

    path = str(tmp_path / "nba.duckdb")
    duckdb.connect(path).close()
    assert holder_of(path, {}) is None
    holder = subprocess.Popen([sys.executable, "-c", HOLD, path, other], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "open\n"
        began = time.monotonic()
        with pytest.raises(FileInUseError, match=rf"in use by another process \(PID {holder.pid}\) even after waiting 1.5 s"):
            wait_for_file(path, {}, 1.5)
        assert time.monotonic() - began >= 1.5
    finally:
        holder.kill()
        holder.wait()
    wait_for_file(path, {}, 0)
