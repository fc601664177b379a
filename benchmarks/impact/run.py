"""Runs rows of the benchmark in fresh processes with a hard kill, and appends them to a file of JSON lines.

    python -m benchmarks.impact.run --worlds base,potential --hcps 2000 --seeds 1,2 --methods all --limit 600

A row that the file already holds is not run again (except after an error, or with --again), so a broken run is simply repeated.
Every row carries the command that reproduces it. Methods that take a moment share the process of their world.
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
from benchmarks.impact.methods import METHODS
from benchmarks.impact.worlds import NAMES

RESULTS = ROOT / "benchmarks" / "results" / "impact.jsonl"
PACKAGES = ("numpy", "scipy", "scikit-learn", "numba", "econml", "pyarrow")
FOLDERS = ("nba", "optimization", "benchmarks")
SLOW = ("causal_forest",)


@dataclass(frozen=True)
class Row:
    """What identifies a row of the results."""

    world: str
    hcps: int
    weeks: int
    seed: int
    method: str

    @property
    def command(self) -> str:
        given = f"--worlds {self.world} --hcps {self.hcps} --weeks {self.weeks} --seeds {self.seed} --methods {self.method}"
        return f"python -m benchmarks.impact.run {given} --again"


def main(arguments: list[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    # A run that is told to stop takes its worker with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    results = Path(given.results)
    results.parent.mkdir(parents=True, exist_ok=True)
    rows = rows_wanted(given.worlds, given.hcps, given.weeks, given.seeds, given.methods)
    done = set() if given.again else done_rows(results)
    missing = [row for row in rows if row not in done]
    print(f"{len(rows) - len(missing)} of {len(rows)} rows are there already", flush=True)
    ran = 0
    for group in groups_of(missing):
        for row, found in zip(group, run_rows(group, given.limit), strict=True):
            ran += 1
            with results.open("a") as file:
                file.write(json.dumps(found) + "\n")
            print(f"[{ran}/{len(missing)}] {row.world} {row.hcps} seed {row.seed} {row.method}: {_line(found)}", flush=True)


def groups_of(rows: list[Row]) -> list[list[Row]]:
    """Rows that share a process: light methods of the same world."""
    groups: dict[tuple, list[Row]] = {}
    for row in rows:
        groups.setdefault((row.world, row.hcps, row.weeks, row.seed, METHODS[row.method].is_light or row.method), []).append(row)
    return list(groups.values())


def rows_wanted(worlds: str, hcps: str, weeks: int, seeds: str, methods: str) -> list[Row]:
    """Rows of comma-separated lists; `all` worlds; `all` methods, or `quick` for those that take seconds. ValueError for unknown names."""
    quick = [name for name in METHODS if name not in SLOW]
    chosen = {"all": list(METHODS), "quick": quick}.get(methods) or methods.split(",")
    places = list(NAMES) if worlds == "all" else worlds.split(",")
    for kind, name, known in [*(("world", w, NAMES) for w in places), *(("method", m, METHODS) for m in chosen)]:
        if name not in known:
            raise ValueError(f"{kind} {name!r} must be one of {', '.join(known)}")
    return [
        Row(world, int(size), weeks, int(seed), method)
        for size in hcps.split(",")
        for seed in seeds.split(",")
        for world in places
        for method in chosen
    ]


def done_rows(results: Path) -> set[Row]:
    """Rows in the file, errors left out."""
    lines = results.read_text().splitlines() if results.exists() else []
    rows = [json.loads(line) for line in lines if line.strip()]
    return {Row(*(row[name] for name in Row.__dataclass_fields__)) for row in rows if row["status"] != "error"}


def run_rows(rows: list[Row], limit: float) -> list[dict[str, object]]:
    """Rows of one process with everything that is written about them. status: done, killed or error."""
    facts, out = machine_facts(PACKAGES, FOLDERS), []
    with tempfile.TemporaryDirectory(prefix="bench_") as name:
        folder = Path(name)
        killed = _run(rows, folder, limit)
        for row in rows:
            found: dict[str, object] = asdict(row) | {"limit": limit, "command": row.command, "machine": facts}
            file = folder / f"{row.method}.json"
            if file.exists():
                out.append(found | {"status": "done"} | json.loads(file.read_text()))
            else:
                said = f"killed at {limit:g} s" if killed else last_words(folder / "output.txt")
                out.append(found | {"status": "killed" if killed else "error", "said": said})
    return out


def _run(rows: list[Row], folder: Path, limit: float) -> bool:
    """The worker, in a process group of its own; True if it had to be killed."""
    world = rows[0]
    command = [sys.executable, "-m", "benchmarks.impact.worker", str(folder)]
    command += [world.world, str(world.hcps), str(world.weeks), str(world.seed), *(row.method for row in rows)]
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    return run_limited(command, environment, folder / "output.txt", limit)


def _line(row: dict) -> str:
    if row["status"] != "done":
        return f"{row['status']}: {row['said']}"
    ratio = "-" if row["predicted_over_true"] is None else f"{row['predicted_over_true']:.2f}"
    covers = "-" if row.get("coverage") is None else f"{row['coverage_lowest']:.2f} to {row['coverage_highest']:.2f}"
    figures = f"gain {row['gain']:.1f}, predicted/true {ratio}, covers {covers}, {row['cpu_seconds']:.1f} CPU s, {row['memory_mb']:.0f} MB"
    return figures + (f", BROKEN {row['broken'][0]}" if row["broken"] else "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.impact.run", description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", default="all", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--hcps", default="2000", help="numbers of HCPs")
    parser.add_argument("--weeks", type=int, default=78)
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--methods", default="quick", help=f"of {', '.join(METHODS)}; quick = all but {', '.join(SLOW)}")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds of a row")
    parser.add_argument("--results", default=str(RESULTS), help="file of JSON lines to append to")
    parser.add_argument("--again", action="store_true", help="run rows that are there already")
    return parser


if __name__ == "__main__":
    main()
