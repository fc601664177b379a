"""A disk that is full is told in words, whoever noticed it. Real ones: tests/pipeline/test_recovery_disk.py and _commands.py."""

from __future__ import annotations

import argparse
import errno
from pathlib import Path

import pytest

from nba.cli import run_safely
from nba.errors import tells_full_disk
from nba.load.csv_file import _scan_into
from nba.load.folder import TableFile
from nba.load.tables import _read_parquet
from nba.project import find_project, read_contract


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "over quota"),
        RuntimeError('IO Error: Could not write file "nba.duckdb": No space left on device'),
        RuntimeError('IO Error: Could not write file "nba.duckdb": File too large'),
        RuntimeError('could not extend file "base/16384/16390": Disk quota exceeded'),
    ],
    ids=lambda error: type(error).__name__ + str(error)[-24:],
)
def test_a_full_disk_becomes_a_message_without_a_traceback(error: Exception, capsys: pytest.CaptureFixture[str]):
    def fail(args: argparse.Namespace) -> None:
        raise error

    assert run_safely(fail, argparse.Namespace(command="load", debug=False)) == 1
    said = capsys.readouterr().err
    assert said.startswith("nba load: the disk is full: ")
    assert said.endswith("is undone, and the warehouse is as it was. What to do: make room there and run again.\n")


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "Permission denied"), RuntimeError("no column named disk"), ValueError("full")])
def test_another_trouble_is_not_called_a_full_disk(error: Exception):
    assert not tells_full_disk(error)


class FullConnection:
    """A connection whose disk has no room for another table."""

    def execute(self, query: str, values: object = None) -> None:
        import duckdb

        if "create or replace table" in query:
            raise duckdb.IOException('Could not write file "scratch.duckdb": No space left on device')


def test_a_full_disk_is_not_blamed_on_the_file_that_is_read(tmp_path: Path):
    import duckdb
    import pyarrow as pa
    import pyarrow.parquet

    path = tmp_path / "hcp_master.parquet"
    pyarrow.parquet.write_table(pa.table({"hcp_id": ["a"]}), path)
    table = read_contract(find_project()).table("hcp_master")
    with pytest.raises(duckdb.IOException, match="No space left"):
        _read_parquet(FullConnection(), TableFile("hcp_master", path), table)
    with pytest.raises(duckdb.IOException, match="No space left"):
        _scan_into(FullConnection(), tmp_path / "hcp_master.csv", "text.hcp_master", 1)
