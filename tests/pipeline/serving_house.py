"""The publishing house with all published tables and the serving file: what readers meet, in builds of seconds."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from publishing_house import ROOT, House, build_house

READ = """
import sys, duckdb
path = sys.argv[1]
for line in sys.stdin:
    if line.strip() == "open":
        con = duckdb.connect(path, read_only=True)
    elif line.strip() == "close":
        con.close()
    query = "select max(run_id), count(*) from published.plan_summary"
    print(con.execute(query).fetchone() if line.strip() == "read" else "done", flush=True)
"""


def build_serving_house(folder: Path) -> House:
    """A house with every published view and the model that writes the serving file."""
    house = build_house(folder)
    shutil.copytree(ROOT / "models" / "published", folder / "models" / "published", dirs_exist_ok=True)
    shutil.copytree(ROOT / "python_models" / "serving", folder / "python_models" / "serving")
    return house


def serving_file(house: House) -> Path:
    """Where the house keeps what readers open."""
    return house.db_path.with_name("house_published.duckdb")


def start_reader(path: Path) -> tuple[subprocess.Popen[str], Callable[[str], str]]:
    """A process of its own that reads a DuckDB file on demand, and how to ask it: `ask("open")`, `ask("read")`, `ask("close")`."""
    reader = subprocess.Popen([sys.executable, "-c", READ, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(word: str) -> str:
        reader.stdin.write(word + "\n")
        reader.stdin.flush()
        return reader.stdout.readline().strip()

    return reader, ask
