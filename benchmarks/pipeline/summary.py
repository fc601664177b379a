"""Rows of the results put together: figures by size, ratios to peers, how cost grows."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from benchmarks.pipeline.stages import FIGURES, STAGES, UNASSIGNED

Rows = dict[tuple[str, int], dict[str, Any]]

# What the issue of the project asks for: (words, figure, size, at most CPU s, at most MB).
CEILINGS = (
    ("score, 1M HCPs", "score", 1_000_000, 180.0, 4_000.0),
    ("score, 50k HCPs", "score", 50_000, 45.0, None),
    ("refit, 1M HCPs", "refit", 1_000_000, 600.0, 8_000.0),
)
SAMPLE = (
    ("sample_cold", "sample, nothing compiled", 90.0),
    ("sample_warm", "sample, kernels in the cache", 60.0),
)
LEAST_ROWS = 300_000  # of SHAP targets: set-up decides below
LEAST_SECONDS = 1.0  # below this a stage's growth is noise


def read_rows(file: Path) -> Rows:
    """The last row of each (task, HCPs or rows); done rows win over others."""
    rows: Rows = {}
    for line in file.read_text().splitlines():
        if line.strip():
            row = json.loads(line)
            key = (row["task"], row["rows"] or row["hcps"])
            if row["status"] == "done" or rows.get(key, {}).get("status") != "done":
                rows[key] = row
    return rows


def done(rows: Rows, task: str, size: int) -> dict[str, Any] | None:
    row = rows.get((task, size))
    return row if row is not None and row["status"] == "done" else None


def sizes(rows: Rows, *tasks: str) -> list[int]:
    """Sizes for which any of the tasks was done."""
    return sorted({size for (task, size), row in rows.items() if task in tasks and row["status"] == "done"})


def stage_names(rows: Rows) -> list[str]:
    found = {name for row in rows.values() for name in row.get("stages", {})}
    return [name for name in (*(stage.name for stage in STAGES), UNASSIGNED) if name in found]


def stage(row: dict[str, Any] | None, name: str, measure: str = "cpu_seconds") -> float | None:
    """None where the build was not run."""
    return None if row is None else row["stages"].get(name, {}).get(measure, 0.0)


def figure(rows: Rows, name: str, size: int, task: str | None = None) -> dict[str, float] | None:
    """CPU s, wall s and MB of `score` (from the build with a fitted model) or `refit` (from the first build) at a size.

    task: another build to take the figure from.
    """
    row = done(rows, task or name, size)
    if row is None:
        return None
    mine = [found for stage_name, found in row["stages"].items() if FIGURES.get(stage_name, "score") == name]
    sums = {measure: sum(found[measure] for found in mine) for measure in ("cpu_seconds", "seconds")}
    return sums | {"memory_mb": max(found["memory_mb"] for found in mine)}


def whole(rows: Rows, size: int) -> dict[str, float] | None:
    """Loading and the first build: from four tables to published recommendations with everything learned."""
    steps = [done(rows, task, size) for task in ("load", "refit")]
    if None in steps:
        return None
    sums = {measure: sum(step[measure] for step in steps) for measure in ("cpu_seconds", "seconds")}
    return sums | {"memory_mb": max(step["memory_mb"] for step in steps)}


def exponent(sizes_and_costs: list[tuple[int, float | None]]) -> float | None:
    """Slope of log cost over log size between the two largest sizes; None below `LEAST_SECONDS` or with one size."""
    known = [(size, cost) for size, cost in sizes_and_costs if cost is not None][-2:]
    if len(known) < 2 or known[-1][1] < LEAST_SECONDS or known[0][1] <= 0:
        return None
    (small, cheap), (large, dear) = known
    return math.log(dear / cheap) / math.log(large / small)


def ratio(theirs: float | None, ours: float | None) -> float | None:
    return None if theirs is None or not ours else theirs / ours


def verdicts(rows: Rows) -> list[tuple[str, str, bool | None]]:
    """(target, what was found, met or None where it was not run)."""
    out: list[tuple[str, str, bool | None]] = []
    for words, name, size, most, memory in CEILINGS:
        found = figure(rows, name, size)
        said = f"<= {most:.0f} CPU s" + (f", <= {memory / 1000:.0f} GB" if memory else "")
        if found is None:
            out.append((f"{words}: {said}", "not run", None))
            continue
        is_met = found["cpu_seconds"] <= most and (memory is None or found["memory_mb"] <= memory)
        out.append((f"{words}: {said}", f"{found['cpu_seconds']:.0f} CPU s, {found['memory_mb'] / 1000:.1f} GB", is_met))
    for task, words, most in SAMPLE:
        found = done(rows, task, 0)
        said = "not run" if found is None else f"{found['cpu_seconds']:.0f} CPU s"
        out.append((f"{words}: <= {most:.0f} CPU s", said, None if found is None else found["cpu_seconds"] <= most))
    for words, least, theirs, ours in _ratios(rows):
        found = ratio(theirs, ours)
        out.append((f"{words}: >= {least:g}x", "not run" if found is None else f"{found:.1f}x", None if found is None else found >= least))
    out += _shap_verdicts(rows)
    return [*out, _growth(rows)]


def _ratios(rows: Rows) -> list[tuple[str, float, float | None, float | None]]:
    """(target, least ratio, CPU s of the peer, CPU s of ours) at the largest size where both were done."""
    out = []
    mine = {size: row["features"]["cpu_seconds"] for (task, size), row in rows.items() if task == "refit" and row["status"] == "done"}
    for peer, least in (("pandas", 8.0), ("polars", 1.0)):
        both = [size for size in sizes(rows, f"features_{peer}") if size in mine]
        for size in both[-1:]:
            out.append((f"features over {peer}, {size:,} HCPs", least, rows[f"features_{peer}", size]["cpu_seconds"], mine[size]))
    total, hand = whole(rows, 50_000), done(rows, "handwritten", 50_000)
    out.append(("the whole over the hand-written script, 50k HCPs", 5.0, hand and hand["cpu_seconds"], total and total["cpu_seconds"]))
    return out


def _shap_verdicts(rows: Rows) -> list[tuple[str, str, bool | None]]:
    out: list[tuple[str, str, bool | None]] = []
    for size in [size for size in sizes(rows, "shap_ours") if size >= LEAST_ROWS]:
        ours = rows["shap_ours", size]
        for peer, least in (("explainer", 60.0 if size >= 1_000_000 else 45.0), ("lightgbm", 15.0), ("xgboost", 15.0)):
            other = done(rows, f"shap_{peer}", size)
            found = ratio(other and other["cpu_seconds"], ours["cpu_seconds"])
            said = "not run" if found is None else f"{found:.1f}x"
            out.append((f"SHAP over {peer}, {size:,} rows: >= {least:g}x", said, None if found is None else found >= least))
        out.append((f"additivity, {size:,} rows: <= 1e-5", f"{ours['additivity']:.1e}", ours["additivity"] <= 1e-5))
    return out


def _growth(rows: Rows) -> tuple[str, str, bool | None]:
    builds = [
        (50_000, done(rows, "score", 50_000), done(rows, "refit", 50_000)),
        (1_000_000, done(rows, "score", 1_000_000), done(rows, "refit", 1_000_000)),
    ]
    target = "no stage grows faster than linearly from 50k to 1M"
    if any(build is None for _, *both in builds for build in both):
        return target, "not run", None
    grown = {}
    for name in stage_names(rows):
        place = 1 if FIGURES.get(name, "score") == "score" else 2
        slope = exponent([(build[0], stage(build[place], name)) for build in builds])
        if slope is not None and slope > 1.0:
            grown[name] = slope
    return target, ", ".join(f"{name} N^{slope:.2f}" for name, slope in grown.items()) or "none does", not grown
