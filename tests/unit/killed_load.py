"""A load that is struck between two tables: the script that both engines' tests run, and what it leaves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb

TABLES = ("hcp_master", "kpi_metrics", "rule_budget")
SCRIPT = """
import os, resource, signal, sys
from pathlib import Path
import nba.load.write as write
from nba.project import Table, find_project
from nba.warehouse import connect
write.PROGRESS_ROWS = 1
seen = []
def say(line):
    print(line, flush=True)
    seen.append(line)
    if len(seen) == 2:
        {stop}
target = connect(sys.argv[1], find_project(Path(sys.argv[2])))
tables = {{Table(name, "input", True, ()): 5 for name in {tables}}}
write.replace_tables(target, Path(sys.argv[3]), "raw", tables, say)
"""
# What strikes, and how the process then ends.
STRIKES = {"os.kill(os.getpid(), signal.SIGKILL)": -9, "raise OSError(28, 'No space left on device')": 1}


def struck_load(target: str, project: Path, scratch: Path, stop: str) -> None:
    """Write a scratch file of three tables with 5 rows and load it; `stop` strikes after the second table."""
    with duckdb.connect(str(scratch)) as con:
        con.execute("create schema raw")
        for table in TABLES:
            con.execute(f"create table raw.{table} as select range as x from range(5)")
    words = [sys.executable, "-c", SCRIPT.format(stop=stop, tables=TABLES), target, str(project), str(scratch)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == STRIKES[stop], done.stderr
    assert done.stdout == "writing raw.hcp_master: 5 rows\nwriting raw.kpi_metrics: 5 rows\n"
