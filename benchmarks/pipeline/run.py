"""Runs rows of the benchmark in fresh processes and appends them to a file of JSON lines.

    python -m benchmarks.pipeline.run --hcps 10000,50000 --tasks all
    python -m benchmarks.pipeline.run --tasks shap --rows 300000

A row that the file already holds is not run again (except after an error, or with --again), so a broken run is simply repeated. A step
that others need and whose result is gone is run again as well. Every row carries the command that reproduces it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.allocation.machine import ROOT, last_words, machine_facts, run_limited
from benchmarks.pipeline.tasks import TASKS, code_hash, settle

RESULTS = ROOT / "benchmarks" / "results" / "pipeline.jsonl"
WORLDS = ROOT / "target" / "bench_pipeline"
PACKAGES = ("dbt-core", "duckdb", "numpy", "scikit-learn", "numba", "pandas", "polars", "shap", "lightgbm", "xgboost", "pulp", "highspy")
FOLDERS = ("nba", "optimization", "python_models", "models", "macros", "benchmarks")
GROUPS = {
    "all": tuple(name for name in TASKS if name not in ("earlier", "following")),
    "sample": ("sample_cold", "sample_warm"),
    "pipeline": ("simulate", "load", "refit", "score"),
    "cycles": ("earlier", "following"),
    "features": ("features_pandas", "features_polars"),
    "shap": tuple(name for name in TASKS if TASKS[name].by_rows),
}
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS", "ARROW_NUM_THREADS")


@dataclass(frozen=True)
class Row:
    """What identifies a row; hcps and weeks are 0 for SHAP rows and the sample, rows is 0 for all but SHAP rows."""

    task: str
    hcps: int
    weeks: int
    seed: int
    rows: int

    @property
    def command(self) -> str:
        size = f" --rows {self.rows}" if self.rows else f" --hcps {self.hcps} --weeks {self.weeks}" if self.hcps else ""
        return f"python -m benchmarks.pipeline.run --tasks {self.task}{size} --seed {self.seed} --again"


def main(arguments: list[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    # A run that is told to stop takes its worker with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results = Path(given.results)
    results.parent.mkdir(parents=True, exist_ok=True)
    rows = rows_wanted(given.tasks, given.hcps, given.weeks, given.seed, given.rows)
    done = set() if given.again else done_rows(results)
    missing = with_needed([row for row in rows if row not in done], Path(given.worlds))
    print(f"{len([row for row in rows if row in done])} of {len(rows)} rows are there already, {len(missing)} to run", flush=True)
    failed: set[Row] = set()
    for number, row in enumerate(missing, 1):
        lacking = [step.task for step in steps_of(row) if step in failed]
        if lacking:
            print(f"[{number}/{len(missing)}] {row.task} {row.hcps}: not run, {lacking[0]} failed", flush=True)
            failed.add(row)
            continue
        found = run_row(row, given)
        with results.open("a") as file:
            file.write(json.dumps(found) + "\n")
        if found["status"] != "done":
            failed.add(row)
        print(f"[{number}/{len(missing)}] {row.task} {row.rows or row.hcps or ''}: {_line(found)}", flush=True)
    return 1 if failed else 0


def rows_wanted(tasks: str, hcps: str, weeks: int, seed: int, rows: str) -> list[Row]:
    """Rows of comma-separated lists, world by world; tasks may be a group. ValueError for unknown names."""
    chosen = list(dict.fromkeys(name for word in tasks.split(",") for name in GROUPS.get(word, (word,))))
    for name in chosen:
        if name not in TASKS:
            raise ValueError(f"task {name!r} must be one of {', '.join((*GROUPS, *TASKS))}")
    ordered = [name for name in TASKS if name in chosen]
    wanted = [Row(name, 0, 0, seed, 0) for name in ordered if TASKS[name].by == "sample"]
    wanted += [Row(name, 0, 0, seed, int(count)) for count in rows.split(",") for name in ordered if TASKS[name].by == "rows"]
    return wanted + [Row(name, int(size), weeks, seed, 0) for size in hcps.split(",") for name in ordered if TASKS[name].by == "hcps"]


def with_needed(rows: list[Row], worlds: Path) -> list[Row]:
    """The rows, each after the steps whose files it needs and which neither exist nor are made by a row before it."""
    out: list[Row] = []

    def add(row: Row) -> None:
        for step in steps_of(row):
            if step not in out and not is_made(step, worlds):
                add(step)
        if row not in out:
            out.append(row)

    for row in rows:
        add(row)
    return out


def steps_of(row: Row) -> list[Row]:
    """The steps that a row needs."""
    sized = {name: TASKS[name].by == "hcps" for name in TASKS[row.task].needs}
    return [Row(name, row.hcps if has else 0, row.weeks if has else 0, row.seed, 0) for name, has in sized.items()]


def is_made(step: Row, worlds: Path) -> bool:
    """Whether the file that a step leaves is there; kernels that changed since must be compiled again."""
    file = world_folder(step, worlds) / str(TASKS[step.task].makes)
    return file.exists() and (TASKS[step.task].by != "sample" or file.read_text() == code_hash())


def world_folder(row: Row, worlds: Path) -> Path:
    return worlds / (f"{row.hcps}_{row.weeks}_{row.seed}" if row.hcps else TASKS[row.task].by)


def done_rows(results: Path) -> set[Row]:
    """Rows in the file, errors left out."""
    lines = results.read_text().splitlines() if results.exists() else []
    rows = [json.loads(line) for line in lines if line.strip()]
    return {Row(*(row[name] for name in Row.__dataclass_fields__)) for row in rows if row["status"] != "error"}


def run_row(row: Row, given: argparse.Namespace) -> dict[str, object]:
    """A row with everything that is written about it. status: done, killed or error."""
    found: dict[str, object] = asdict(row) | {"command": row.command, "cores": given.cores, "machine": machine_facts(PACKAGES, FOLDERS)}
    with tempfile.TemporaryDirectory(prefix="bench_") as name:
        file, output = Path(name) / "row.json", Path(name) / "output.txt"
        killed = _run(row, given, file, output)
        if file.exists():
            settle(row.task, world_folder(row, Path(given.worlds)))
            return found | {"status": "done"} | json.loads(file.read_text())
        said = f"killed at {given.limit:g} s" if killed else last_words(output)
        return found | {"status": "killed" if killed else "error", "said": said}


def _run(row: Row, given: argparse.Namespace, file: Path, output: Path) -> bool:
    """The worker, in a process group of its own; True if it had to be killed."""
    folder = world_folder(row, Path(given.worlds))
    command = [
        sys.executable,
        "-m",
        "benchmarks.pipeline.worker",
        str(file),
        row.task,
        str(folder.resolve()),
        str(row.hcps),
        str(row.weeks),
    ]
    command += [str(row.seed), str(row.rows), str(given.peer_seconds), str(given.cores)]
    environment = os.environ | dict.fromkeys(ONE_THREAD, str(given.cores))
    environment["NUMBA_CACHE_DIR"] = str(Path(given.worlds).resolve() / "compiled")
    return run_limited(command, environment, output, given.limit)


def _line(row: dict) -> str:
    if row["status"] != "done":
        return f"{row['status']}: {row['said']}"
    return f"{row['cpu_seconds']:.1f} CPU s, {row['seconds']:.1f} s, {row['memory_mb']:,.0f} MB"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline.run", description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", default="all", help=f"of {', '.join((*GROUPS, *TASKS))}")
    parser.add_argument("--hcps", default="10000,50000", help="sizes of worlds (1000000 takes hours)")
    parser.add_argument("--weeks", type=int, default=104)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", default="300000,1000000", help="rows of the SHAP tasks")
    parser.add_argument("--cores", type=int, default=1, help="cores that every worker keeps to")
    parser.add_argument("--peer-seconds", type=float, default=1200.0, help="a peer's part that would take longer is timed on a sample")
    parser.add_argument("--limit", type=float, default=4 * 3600.0, help="seconds of a row")
    parser.add_argument("--worlds", default=str(WORLDS), help="folder for worlds and warehouses (about 1 GB for 50,000 HCPs)")
    parser.add_argument("--results", default=str(RESULTS), help="file of JSON lines to append to")
    parser.add_argument("--again", action="store_true", help="run rows that are there already")
    return parser


if __name__ == "__main__":
    sys.exit(main())
