"""Results to tables and pictures: what every stage costs as worlds grow, and what peers cost beside it.

    python -m benchmarks.pipeline.report [--results FILE] [--out FOLDER]

Writes pipeline.csv, pipeline.md and pictures beside the results. Of rows of one task and size the last one that was done counts.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path
from typing import Any

from benchmarks.pipeline import summary
from benchmarks.pipeline.run import RESULTS
from benchmarks.pipeline.stages import FIGURES, STAGES
from benchmarks.pipeline.summary import Rows, done, ratio, stage
from benchmarks.pipeline.tasks import TASKS

MEASURES = ("cpu_seconds", "seconds", "memory_mb")
COLUMNS = ("task", "hcps", "weeks", "seed", "rows", "part", "status", *MEASURES, "nodes", "cores", "said", "command")
FACTS = ("cpu", "memory_gb", "python", "commit", "load")
MARKS = {True: "met", False: "**not met**", None: "not judged"}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline.report", description=__doc__.splitlines()[0])
    parser.add_argument("--results", default=str(RESULTS))
    parser.add_argument("--out", default=None, help="folder, default that of the results")
    given = parser.parse_args(arguments)
    results = Path(given.results)
    folder = Path(given.out) if given.out else results.parent
    folder.mkdir(parents=True, exist_ok=True)
    rows = summary.read_rows(results)
    write_csv(rows, folder / "pipeline.csv")
    (folder / "pipeline.md").write_text(markdown(rows))
    from benchmarks.pipeline.pictures import draw_peers, draw_stages

    draw_stages(rows, folder / "pipeline_stages.svg")
    draw_peers(rows, folder / "pipeline_peers.svg")
    print(f"{len(rows)} rows: {folder}")


def write_csv(rows: Rows, file: Path) -> None:
    """A line per row, and one per stage or part of it."""
    with file.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([*COLUMNS, *(name for name in FACTS)])
        for row in rows.values():
            facts = [row["machine"][name] for name in FACTS]
            for part, found in {"": {}, **row.get("stages", {}), **row.get("parts", {})}.items():
                writer.writerow([{**row, "part": part, **found}.get(name) for name in COLUMNS] + facts)


def markdown(rows: Rows) -> str:
    """Targets, the whole, stages, growth, dearest nodes, peers by part, and what did not run."""
    lines = ["# Pipeline benchmark", "", *_facts(rows), "", "## Targets", "", "| target | found | |", "|---|---|---|"]
    lines += [f"| {target} | {found} | {MARKS[is_met]} |" for target, found, is_met in summary.verdicts(rows)]
    lines += ["", "## The whole", "", *_whole(rows), "", "## Stages", "", *_stages(rows)]
    lines += ["", "## Features", "", *_features(rows), "", "## SHAP values", "", *_shap(rows), "", "## Dearest nodes", "", *_dearest(rows)]
    failed = [row for row in rows.values() if row["status"] != "done"]
    if failed:
        lines += [
            "",
            "## Did not run",
            "",
            *(f"- {row['task']} {row['rows'] or row['hcps']:,}: {row['status']}, {row['said']}" for row in failed),
        ]
    return "\n".join(lines) + "\n"


def _facts(rows: Rows) -> list[str]:
    machines = {
        json.dumps({k: r["machine"][k] for k in ("cpu", "cores", "memory_gb", "python", "versions")}): r["machine"] for r in rows.values()
    }
    lines = []
    for machine in machines.values():
        versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items() if number)
        lines.append(f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB; Python {machine['python']}, {versions}.")
    commits = ", ".join(dict.fromkeys(str(row["machine"]["commit"]) for row in rows.values()))
    loads = [row["machine"]["load"] for row in rows.values()]
    cores = "/".join(sorted({str(row["cores"]) for row in rows.values()}))
    lines.append(f"Commits: {commits} (`+`: with changes not committed). Load before a row {min(loads)} to {max(loads)}: the busier the")
    lines.append("machine, the less the seconds mean; CPU seconds rise a little too.")
    return [
        *lines,
        f"Every row is a process of its own that keeps to {cores} core. What is measured, and how: docs/benchmarks_pipeline.md.",
    ]


def _table(heads: list[str], body: list[list[Any]]) -> list[str]:
    return [
        "| " + " | ".join(heads) + " |",
        "|" + "---|" * len(heads),
        *("| " + " | ".join(str(cell) for cell in line) + " |" for line in body),
    ]


def _figures(found: dict[str, Any] | None) -> list[str]:
    return ["", "", ""] if found is None else [_number(found["cpu_seconds"]), _number(found["seconds"]), f"{found['memory_mb']:,.0f}"]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 1 else f"{value:.2f}"


def _whole(rows: Rows) -> list[str]:
    body = [["sample", TASKS[task].words, *_figures(done(rows, task, 0)), ""] for task, _, _ in summary.SAMPLE if done(rows, task, 0)]
    for size in summary.sizes(rows, "simulate", "load", "refit", "score", "handwritten"):
        total, hand = summary.whole(rows, size), done(rows, "handwritten", size)
        for words, found in (
            ("**score**: fitted models to published", summary.figure(rows, "score", size)),
            ("**score** of the following cycle", summary.figure(rows, "score", size, "following")),
            ("**refit**: checks, training, models, impact", summary.figure(rows, "refit", size)),
            *((TASKS[task].words, done(rows, task, size)) for task in ("load", "refit", "score", "earlier", "following")),
            ("the whole: load and first build", total),
            ("hand-written script", hand),
        ):
            if found is not None:
                body.append([f"{size:,}", words, *_figures(found), found.get("said", "")])
        over = ratio(hand and hand["cpu_seconds"], total and total["cpu_seconds"])
        if over is not None:
            body.append(
                [
                    f"{size:,}",
                    "hand-written over the whole",
                    f"**{over:.2f}x**",
                    _number(ratio(hand["seconds"], total["seconds"])) + "x",
                    "",
                    "",
                ]
            )
            body += [[f"{size:,}", f"hand-written: {name}", *_figures(part), ""] for name, part in hand["parts"].items()]
    return _table(["HCPs", "what", "CPU s", "s", "MB", "note"], body)


def _stages(rows: Rows) -> list[str]:
    all_sizes = summary.sizes(rows, "refit", "score")
    heads = ["stage", "figure", *(f"{build} {size:,}" for size in all_sizes for build in ("first", "next")), "MB at most", "grows as N^"]
    body = []
    for name in summary.stage_names(rows):
        build = "score" if FIGURES.get(name, "score") == "score" else "refit"
        cells = [_number(stage(done(rows, task, size), name)) for size in all_sizes for task in ("refit", "score")]
        slope = summary.exponent([(size, stage(done(rows, build, size), name)) for size in all_sizes])
        memory = max(stage(done(rows, task, size), name, "memory_mb") or 0 for size in all_sizes for task in ("refit", "score"))
        body.append([name, FIGURES.get(name, ""), *cells, f"{memory:,.0f}", "" if slope is None else f"{slope:.2f}"])
    words = [f"- {found.name}: {found.words}" for found in STAGES]
    said = "CPU seconds. `first`: everything is learned; `next`: with the fitted engagement model. Growth between the two largest sizes."
    return [said, "", *_table(heads, body), "", *words]


def _features(rows: Rows) -> list[str]:
    body = []
    for size in summary.sizes(rows, "features_pandas", "features_polars"):
        mine = done(rows, "refit", size)
        ours = mine and mine["features"]
        if ours:
            body.append([f"{size:,}", "ours: nodes of the first build", *_figures(ours), "1.0x", ""])
        for task in ("features_pandas", "features_polars"):
            found = done(rows, task, size)
            if found:
                over = ratio(found["cpu_seconds"], ours and ours["cpu_seconds"])
                body.append(
                    [
                        f"{size:,}",
                        TASKS[task].words,
                        *_figures(found),
                        "" if over is None else f"{over:.1f}x",
                        _agreement(found["compared"]),
                    ]
                )
    said = "From staged tables to rows to score and to learn from. Ours writes tables; peers read parquet and keep their answer in memory."
    return [said, "", *_table(["HCPs", "what", "CPU s", "s", "MB", "over ours", "compared with ours"], body)]


def _agreement(compared: dict[str, Any]) -> str:
    if not compared["unmatched"] and not compared["differing"]:
        return f"{compared['rows']:,} rows x {compared['columns']} columns equal within 1e-5"
    return f"**differs**: {compared['unmatched']} rows without partner; {json.dumps(compared['differing'])}"


def _shap(rows: Rows) -> list[str]:
    tasks, body = [name for name in TASKS if TASKS[name].by_rows], []
    for size in summary.sizes(rows, *tasks):
        ours = done(rows, "shap_ours", size)
        for task in tasks:
            found = done(rows, task, size)
            if found:
                over = ratio(found["cpu_seconds"], ours and ours["cpu_seconds"])
                note = found.get("said", "") or (
                    f"additivity {found['additivity']:.1e}, off shap's values by {found['off_shap']:.1e}" if "additivity" in found else ""
                )
                rate = f"{size / found['cpu_seconds']:,.0f}"
                body.append([f"{size:,}", TASKS[task].words, *_figures(found), rate, "" if over is None else f"{over:.1f}x", note])
    said = "150 trees, at most 31 leaves and 6 levels, 35 numeric features; set-up included; drawing, fitting and compiling outside."
    return [said, "", *_table(["rows", "what", "CPU s", "s", "MB", "rows per CPU s", "over ours", "note"], body)]


def _dearest(rows: Rows, most: int = 15) -> list[str]:
    for task in ("score", "refit"):
        found = summary.sizes(rows, task)
        if found:
            row = rows[task, found[-1]]
            body = [
                [name, kind, part, _number(cpu), _number(seconds), f"{mb:,.0f}"]
                for kind, name, part, cpu, seconds, mb in row["dearest"][:most]
            ]
            said = f"{TASKS[task].words}, {found[-1]:,} HCPs; all nodes are in nodes_{task}.csv of the world's folder."
            return [said, "", *_table(["node", "kind", "stage", "CPU s", "s", "MB"], body)]
    return []


if __name__ == "__main__":
    main()
