"""Runs rows of the benchmark, each in a fresh process with a hard kill, and appends them to a file of JSON lines.

    python -m benchmarks.allocation.run --families rep_time,budget,sample --sizes 2000,10000 --peers all --limit 120

A row that the file already holds is not run again (except after an error, or with --again), so a broken run is simply repeated.
Every row carries the command that reproduces it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.allocation.instances import NAMES, floor_counts
from benchmarks.allocation.machine import ROOT, machine_facts
from benchmarks.allocation.peers import PEERS
from benchmarks.allocation.trace import read_events, seconds_to_gaps

RESULTS = ROOT / "benchmarks" / "results" / "allocation.jsonl"
SIZES = "2000,10000,50000,200000,1000000"
PREPARE_SECONDS = 600  # drawing, linear model, imports and compiling may take so long
SLACK = 1.0005  # a gap that a solver stopped at may be rounded in its own arithmetic


@dataclass(frozen=True)
class Row:
    """What identifies a row of the results; hcps is 0 for the sample, whose size is its own."""

    family: str
    hcps: int
    seed: int
    peer: str
    limit: float
    gap: float

    @property
    def key(self) -> tuple:
        return (self.family, self.hcps, self.seed, self.peer, self.limit, self.gap)

    @property
    def command(self) -> str:
        given = f"--families {self.family} --sizes {self.hcps} --peers {self.peer} --limit {self.limit:g} --gap {self.gap:g}"
        return f"python -m benchmarks.allocation.run {given} --seed {self.seed} --again"


def main(arguments: list[str] | None = None) -> None:
    given = _parser().parse_args(arguments)
    results = Path(given.results)
    results.parent.mkdir(parents=True, exist_ok=True)
    rows = rows_wanted(given.families, given.sizes, given.peers, given.limit, given.gap, given.seed)
    done = set() if given.again else done_rows(results)
    sample = _sample() if any(row.family == "sample" and row.key not in done for row in rows) else None
    for number, row in enumerate(rows, start=1):
        label = f"[{number}/{len(rows)}] {row.family} {row.hcps or ''} {row.peer}"
        if row.key in done:
            print(f"{label}: there already", flush=True)
            continue
        found = run_row(row, sample, given.beyond)
        with results.open("a") as file:
            file.write(json.dumps(found) + "\n")
        print(f"{label}: {_line(found)}", flush=True)


def rows_wanted(families: str, sizes: str, peers: str, limit: float, gap: float, seed: int) -> list[Row]:
    """Rows of comma-separated lists (`all` = everything), small instances first. ValueError for a name that is not there."""
    chosen = list(PEERS) if peers == "all" else peers.split(",")
    for kind, name, known in [*(("family", f, NAMES) for f in families.split(",")), *(("peer", p, PEERS) for p in chosen)]:
        if name not in known:
            raise ValueError(f"{kind} {name!r} must be one of {', '.join(known)}")
    places = [(family, int(size)) for size in sizes.split(",") for family in families.split(",") if family != "sample"]
    places = [("sample", 0)] * ("sample" in families.split(",")) + places
    fits = [(place, name) for place in places for name in chosen if PEERS[name].floor_counts in (None, floor_counts(place[0]))]
    return [Row(family, size, seed, name, limit, gap) for (family, size), name in fits]


def done_rows(results: Path) -> set[tuple]:
    """Keys of the rows in the file, errors left out."""
    lines = results.read_text().splitlines() if results.exists() else []
    rows = [json.loads(line) for line in lines if line.strip()]
    return {
        tuple(row[name] for name in ("family", "hcps", "seed", "peer", "limit", "gap_wanted")) for row in rows if row["status"] != "error"
    }


def run_row(row: Row, sample: Path | None, beyond: bool) -> dict[str, object]:
    """One row, run or not tried, with everything that is written about it."""
    found: dict[str, object] = {"family": row.family, "hcps": row.hcps, "seed": row.seed, "peer": row.peer, "limit": row.limit}
    found |= {"gap_wanted": row.gap, "command": row.command, "machine": machine_facts()}
    if row.hcps > PEERS[row.peer].most_hcps and not beyond:
        return found | {"status": "not tried", "said": f"taken to {PEERS[row.peer].most_hcps} HCPs"}
    with tempfile.TemporaryDirectory(prefix="bench_") as name:
        folder = Path(name)
        killed = _run(row, folder, sample)
        events = read_events(folder / "events.jsonl")
        file = folder / "row.json"
        if file.exists():
            found |= json.loads(file.read_text())
            found["status"] = status_of(found)
        else:
            error = _last_words(folder / "output.txt")
            found |= {"status": "killed" if killed else "error", "said": f"killed at {killed:.0f} s" if killed else error}
            found |= {"seconds": killed} | _claims(events)
    found["seconds_to_gap"] = seconds_to_gaps(events) if found.get("violations", 0) == 0 else seconds_to_gaps([])
    found["history"] = history_of(events)
    return found


def status_of(row: dict) -> str:
    """proven: allowed plan within the wanted gap by the peer's own bound; unproven: allowed, gap larger; no bound; broken: a rule is
    broken; no plan."""
    if row["total"] is None:
        return "no plan"
    if row["violations"]:
        return "broken"
    if row["gap"] is None:
        return "no bound"
    return "proven" if row["gap"] <= row["gap_wanted"] * SLACK else "unproven"


def history_of(events: list[dict], most: int = 80) -> list[list[float | None]]:
    """(seconds, best plan, best bound) each time one of them improved, thinned to at most so many entries."""
    plan, bound, entries = None, None, []
    for event in sorted(events, key=lambda event: event["seconds"]):
        better = [event["plan"] if event["plan"] is not None and (plan is None or event["plan"] > plan) else plan]
        better.append(event["bound"] if event["bound"] is not None and (bound is None or event["bound"] < bound) else bound)
        if better != [plan, bound]:
            plan, bound = better
            entries.append([event["seconds"], plan, bound])
    step = max(1, -(-len(entries) // most))
    return entries[:-1:step] + entries[-1:]


def _run(row: Row, folder: Path, sample: Path | None) -> float | None:
    """The worker, in a process group of its own; seconds of its clock at which it was killed, None if it ended by itself."""
    command = [sys.executable, "-m", "benchmarks.allocation.worker", str(folder), row.peer, row.family, str(row.hcps), str(row.seed)]
    command += [str(row.limit), str(row.gap)] + ([str(sample)] if row.family == "sample" else [])
    environment = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
    if row.peer == "ours_cold":
        environment["NUMBA_CACHE_DIR"] = str(folder / "numba")
    grace = max(15.0, 0.25 * row.limit)
    with (folder / "output.txt").open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True)
        began, started = time.monotonic(), None
        try:
            while True:
                try:
                    process.wait(0.5)
                    return None
                except subprocess.TimeoutExpired:
                    if started is None and (folder / "events.jsonl").exists():
                        started = time.monotonic()
                    spent = time.monotonic() - (began if started is None else started)
                    if spent > (PREPARE_SECONDS if started is None else row.limit + grace) and not (folder / "row.json").exists():
                        return spent
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _claims(events: list[dict]) -> dict[str, float | None]:
    """What a killed run last told of its plan and bound; nobody could check the plan."""
    last = history_of(events)[-1:]
    plan, bound = (last[0][1], last[0][2]) if last else (None, None)
    gap = (bound - plan) / max(abs(plan), 1e-9) if plan is not None and bound is not None else None
    return {"total": None, "claimed_total": plan, "bound": bound, "claimed_gap": gap}


def _last_words(file: Path) -> str:
    """The last line that names an error, else the last line."""
    lines = [line.strip() for line in file.read_text(errors="replace").splitlines() if line.strip()]
    named = [line for line in lines if "Error" in line and not line.startswith(("File ", "raise "))]
    return (named or lines or ["ended without a word"])[-1][:200]


def _line(row: dict) -> str:
    def figure(name: str, form: str) -> str:
        return "-" if row.get(name) is None else format(row[name], form)

    return f"{row['status']}, {figure('seconds', '.2f')} s, gap {figure('gap', '.1e')}, {figure('memory_mb', '.0f')} MB, {row.get('said')}"


def _sample() -> Path:
    from benchmarks.allocation.sample import build_sample

    return build_sample(ROOT / "target" / "bench")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.allocation.run", description=__doc__.splitlines()[0])
    parser.add_argument("--families", default="sample,rep_time,budget", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--sizes", default=SIZES, help="numbers of HCPs")
    parser.add_argument("--peers", default="all", help=f"of {', '.join(PEERS)}")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds from the start of building")
    parser.add_argument("--gap", type=float, default=1e-4, help="relative gap that everybody is asked for")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", default=str(RESULTS), help="file of JSON lines to append to")
    parser.add_argument("--again", action="store_true", help="run rows that are there already")
    parser.add_argument("--beyond", action="store_true", help="also rows larger than a peer is usually taken")
    return parser


if __name__ == "__main__":
    main()
