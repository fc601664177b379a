"""Results to tables and pictures: which estimate leads to the better plan, and how far it may be believed.

    python -m benchmarks.impact.report [--results FILE] [--out FOLDER]

Writes impact.csv, impact.md and pictures beside the results. Of rows with the same key the last one counts.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

from benchmarks.impact.methods import METHODS
from benchmarks.impact.run import RESULTS
from benchmarks.impact.summary import Rows, best_heuristic, by_world, mean, read_rows, spread, values, verdicts
from benchmarks.impact.worlds import NAMES

CSV_COLUMNS = ("world", "hcps", "weeks", "seed", "method", "status", "share", "normed", "over_catalogue", "gain", "predicted")
CSV_COLUMNS += ("predicted_over_true", "actions", "coverage", "coverage_lowest", "coverage_highest", "coverage_planned", "interval_score")
CSV_COLUMNS += (
    "correlation",
    "seconds",
    "cpu_seconds",
    "memory_mb",
    "memory_before_mb",
    "coverage_by_channel",
    "effective",
    "said",
    "command",
)
FACTS = ("cpu", "cores", "memory_gb", "python", "commit", "load")
HEADS = ("method", "share", "spread", "normed", "predicted / true", "covers planned", "covers, lowest channel", "covers, highest")
HEADS += ("interval score", "CPU s", "MB")
MARKS = {True: "met", False: "**not met**", None: "not judged"}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.impact.report", description=__doc__.splitlines()[0])
    parser.add_argument("--results", default=str(RESULTS))
    parser.add_argument("--out", default=None, help="folder, default that of the results")
    given = parser.parse_args(arguments)
    results = Path(given.results)
    folder = Path(given.out) if given.out else results.parent
    folder.mkdir(parents=True, exist_ok=True)
    rows = read_rows(results)
    write_csv(rows, folder / "impact.csv")
    (folder / "impact.md").write_text(markdown(rows))
    from benchmarks.impact.pictures import draw_coverage, draw_shares

    draw_shares(rows, folder / "impact_shares.svg")
    draw_coverage(rows, folder / "impact_coverage.svg")
    print(f"{len(rows)} rows: {folder}")


def write_csv(rows: Rows, file: Path) -> None:
    """Every figure of every row, with the machine's facts."""
    with file.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*CSV_COLUMNS, *FACTS])
        for row in rows:
            cells = [row.get(name) for name in CSV_COLUMNS] + [row["machine"][name] for name in FACTS]
            writer.writerow([json.dumps(cell) if isinstance(cell, dict | list) else cell for cell in cells])


def markdown(rows: Rows) -> str:
    """The targets, then by size: methods over all worlds, shares world by world, the world without effects; then what did not run."""
    lines = ["# Impact benchmark", "", *_facts(rows), "", "## Targets", "", "| HCPs | target | found | |", "|---|---|---|---|"]
    sizes = sorted({row["hcps"] for row in rows})
    for hcps in sizes:
        lines += [f"| {v.hcps:,} | {v.target} | {v.found} | {MARKS[v.is_met]} |" for v in verdicts(rows, hcps)]
    for hcps in sizes:
        lines += ["", f"## {hcps:,} HCPs", "", *_methods(rows, hcps), "", *_worlds(rows, hcps), "", *_nothing(rows, hcps)]
    failed = [row for row in rows if row["status"] != "done" or row["broken"]]
    if failed:
        lines += ["", "## Did not run, or broke a limit", ""]
        lines += [
            f"- {r['world']} {r['hcps']} seed {r['seed']} {r['method']}: {r['status']}, {r['said'] or r['broken'][0]}" for r in failed
        ]
    return "\n".join(lines) + "\n"


def _facts(rows: Rows) -> list[str]:
    machines = {json.dumps({k: r["machine"][k] for k in ("cpu", "cores", "memory_gb", "python", "versions")}): r["machine"] for r in rows}
    lines = []
    for machine in machines.values():
        versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items() if number)
        lines.append(f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB; Python {machine['python']}, {versions}.")
    commits = ", ".join(dict.fromkeys(str(row["machine"]["commit"]) for row in rows if row["method"] == "ours"))
    loads = [row["machine"]["load"] for row in rows]
    lines.append(
        f"Commits of `ours`: {commits or 'not run'} (`+`: with changes not committed). Load before a row {min(loads)} to {max(loads)}."
    )
    lines.append("One thread each. Worlds, methods and measures: docs/benchmarks_impact.md.")
    return lines


def _methods(rows: Rows, hcps: int) -> list[str]:
    best = best_heuristic(rows, hcps)
    lines = ["Mean over worlds with an effect and seeds; spread is the standard deviation of the share.", ""]
    lines += ["| " + " | ".join((*HEADS, "rows")) + " |", "|" + "---|" * (len(HEADS) + 1)]
    for name, method in METHODS.items():
        mine = [row for row in rows if row["hcps"] == hcps and row["method"] == name and row["share"] is not None]
        if not mine:
            continue
        note = " (best heuristic)" if name == best else ""
        cells = [f"`{name}`{note}: {method.words}", _figure(mean(values(mine, "share"))), _figure(spread(values(mine, "share")))]
        cells += [_figure(mean(values(mine, measure))) for measure in ("normed", "predicted_over_true")]
        cells += [_figure(mean(values(mine, f"coverage_{what}"))) for what in ("planned", "lowest", "highest")]
        cells += [_figure(mean(values(mine, "interval_score"))), f"{mean(values(mine, 'cpu_seconds')):.1f}"]
        lines.append("| " + " | ".join([*cells, f"{max(values(mine, 'memory_mb')):,.0f}", str(len(mine))]) + " |")
    return lines


def _worlds(rows: Rows, hcps: int) -> list[str]:
    names = [name for name in METHODS if name != "oracle" and by_world(rows, "share", hcps, name)]
    shares = {name: by_world(rows, "share", hcps, name) for name in names}
    ratios, normed = by_world(rows, "predicted_over_true", hcps, "ours"), by_world(rows, "normed", hcps, "ours")
    planned = by_world(rows, "coverage_planned", hcps, "ours")
    heads = ["world", *(f"`{name}`" for name in names), "ours normed", "ours predicted / true", "ours covers planned"]
    lines = ["Share of the oracle's gain by world, mean over seeds.", "", "| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for world in [name for name in NAMES if any(name in found for found in shares.values())]:
        cells = [_figure(shares[name].get(world)) for name in names] + [_figure(f.get(world)) for f in (normed, ratios, planned)]
        lines.append(f"| {world} | " + " | ".join(cells) + " |")
    return lines


def _nothing(rows: Rows, hcps: int) -> list[str]:
    mine = [row for row in rows if row["hcps"] == hcps and row["over_catalogue"] is not None]
    if not mine:
        return []
    lines = ["World without effects: predicted gain of the method's plan over what the catalogue predicts for its own plan.", ""]
    lines += ["| method | predicted / catalogue | channels called effective |", "|---|---|---|"]
    for name in METHODS:
        found = [row for row in mine if row["method"] == name]
        if found:
            called = sorted({channel for row in found for channel in row["effective"] or []})
            said = ", ".join(called) if called else "none" if any(row["effective"] is not None for row in found) else ""
            lines.append(f"| `{name}` | {mean(values(found, 'over_catalogue')):.3f} | {said} |")
    return lines


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
