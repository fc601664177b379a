"""Results to a table and pictures: what each engine proved, how fast, and whether its plan stands up.

    python -m benchmarks.allocation.report [--results FILE] [--out FOLDER]

Writes allocation.csv, allocation.md and two pictures beside the results. Of rows with the same key the last one counts.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

from benchmarks.allocation.peers import PEERS
from benchmarks.allocation.run import RESULTS

COLUMNS = {
    "family": "family",
    "hcps": "HCPs",
    "peer": "engine",
    "status": "status",
    "seconds": "s",
    "build_seconds": "build",
    "solve_seconds": "solve",
    "read_seconds": "read",
    "cpu_seconds": "CPU s",
    "memory_mb": "MB",
    "gap_wanted": "gap asked",
    "gap": "proven gap",
    "gap_known": "gap to best bound",
    "to_1e2": "s to 1e-2",
    "to_1e3": "1e-3",
    "to_1e4": "1e-4",
    "violations": "rules broken",
    "overlap": "overlap",
    "said": "its own words",
}
CSV_ONLY = ("seed", "limit", "total", "bound", "claimed_total", "claimed_gap", "violation_units", "broken", "actions")
CSV_ONLY += ("prepare_seconds", "memory_before_mb", "bound_is_wrong", "command")
NOT_TRUSTED = ("pulp_cbc",)  # its final bound is a claim made from its gap, printed nowhere


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.allocation.report", description=__doc__.splitlines()[0])
    parser.add_argument("--results", default=str(RESULTS))
    parser.add_argument("--out", default=None, help="folder, default that of the results")
    given = parser.parse_args(arguments)
    results = Path(given.results)
    folder = Path(given.out) if given.out else results.parent
    folder.mkdir(parents=True, exist_ok=True)
    rows = with_best_bounds(read_rows(results))
    write_csv(rows, folder / "allocation.csv")
    (folder / "allocation.md").write_text(markdown(rows))
    from benchmarks.allocation.pictures import draw_gaps, draw_sizes

    draw_gaps(rows, folder / "allocation_gaps.svg")
    draw_sizes(rows, folder / "allocation_sizes.svg")
    print(f"{len(rows)} rows: {folder}")


def read_rows(results: Path) -> list[dict]:
    """The last row of every key, by family, size and the order of the peers."""
    rows = {}
    for line in results.read_text().splitlines():
        if line.strip():
            row = json.loads(line)
            rows[tuple(row[name] for name in ("family", "hcps", "seed", "peer", "limit", "gap_wanted"))] = row
    order = list(PEERS)
    return sorted(rows.values(), key=lambda row: (row["family"], row["hcps"], row["seed"], order.index(row["peer"]), row["limit"]))


def with_best_bounds(rows: list[dict]) -> list[dict]:
    """The rows with `gap_known`, the gap of an allowed plan to the best bound that anybody proved on its instance, and
    `bound_is_wrong`, a bound below an allowed plan of that instance."""
    instances: dict[tuple, list[dict]] = {}
    for row in rows:
        instances.setdefault((row["family"], row["hcps"], row["seed"]), []).append(row)
    out = []
    for row in rows:
        group = instances[(row["family"], row["hcps"], row["seed"])]
        best = max((other["total"] for other in group if other.get("total") is not None and not other["violations"]), default=None)
        floor = None if best is None else best - 1e-7 * abs(best)
        trusted = [other["bound"] for other in group if other.get("bound") is not None and other["peer"] not in NOT_TRUSTED]
        bounds = [bound for bound in trusted if floor is None or bound >= floor]
        known, bound = None, row.get("bound")
        if bounds and row.get("total") is not None and not row["violations"]:
            known = max(0.0, min(bounds) - row["total"]) / max(abs(row["total"]), 1e-9)
        wrong = bound is not None and floor is not None and bound < floor
        reached = row.get("seconds_to_gap") or {}
        times = {f"to_1e{k}": reached.get(key) for k, key in ((2, "0.01"), (3, "0.001"), (4, "0.0001"))}
        out.append(row | {"gap_known": known, "bound_is_wrong": wrong} | times)
    return out


def write_csv(rows: list[dict], file: Path) -> None:
    """Every figure of every row, with the machine's facts."""
    facts = ("cpu", "cores", "memory_gb", "system", "python", "commit", "load")
    names = [*COLUMNS, *CSV_ONLY]
    with file.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        packages = sorted({name for row in rows for name in row["machine"]["versions"]})
        writer.writerow([*names, *facts, *packages])
        for row in rows:
            machine = row["machine"]
            cells = [row.get(name) for name in names] + [machine[name] for name in facts]
            writer.writerow(cells + [machine["versions"].get(name) for name in packages])


def markdown(rows: list[dict]) -> str:
    """The table by instance, with the machine's facts above it."""
    lines = ["# Allocation benchmark", "", *_facts(rows), ""]
    heads = [name for name in COLUMNS if name not in ("family", "hcps")]
    for family, hcps, seed in dict.fromkeys((row["family"], row["hcps"], row["seed"]) for row in rows):
        group = [row for row in rows if (row["family"], row["hcps"], row["seed"]) == (family, hcps, seed)]
        size = f"{hcps:,} HCPs" if hcps else "the shipped sample's own size"
        lines += [f"## {family}, {size}, seed {seed}", "", "| " + " | ".join(COLUMNS[name] for name in heads) + " |"]
        lines += ["|" + "---|" * len(heads)]
        lines += ["| " + " | ".join(_cell(row, name) for name in heads) + " |" for row in group]
        lines.append("")
    return "\n".join(lines)


def _facts(rows: list[dict]) -> list[str]:
    machines = {
        json.dumps({k: row["machine"][k] for k in ("cpu", "cores", "memory_gb", "python", "versions")}): row["machine"] for row in rows
    }
    lines = []
    for machine in machines.values():
        versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items() if number)
        lines.append(f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB; Python {machine['python']}, {versions}.")
    commits = ", ".join(dict.fromkeys(str(row["machine"]["commit"]) for row in rows))
    loads = [row["machine"]["load"] for row in rows]
    lines.append(f"Commits {commits} (`+`: with changes not committed). Load before a row {min(loads)} to {max(loads)}. One thread each.")
    lines.append("Seconds: build, solve and read back. Status and method: docs/benchmarks_allocation.md.")
    return lines


def _cell(row: dict, name: str) -> str:
    value = row.get(name)
    if name == "status":
        return f"**{value}**" if value == "proven" else f"{value}{', wrong bound' if row['bound_is_wrong'] else ''}"
    if value is None:
        return ""
    if name in ("gap", "gap_known", "gap_wanted"):
        return f"{value:.1e}" if name != "gap_wanted" else f"{value:g}"
    if name == "said":
        return str(value).replace("|", "/")[:60]
    if name == "peer":
        return f"{value}: {PEERS[value].words}"
    if name == "memory_mb":
        return f"{value:,.0f}"
    return f"{value:.2f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
