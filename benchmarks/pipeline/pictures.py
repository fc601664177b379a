"""Two pictures: where the CPU seconds of a build go at each size, and how all costs grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.pipeline import summary
from benchmarks.pipeline.stages import FIGURES
from benchmarks.pipeline.summary import Rows, done, stage

WORDS = {"refit": "first", "score": "next"}
LEGEND_INCHES = 0.75
STYLES = {"ours, score": {"color": "0.5", "linestyle": "--"}}


def draw_stages(rows: Rows, file: Path) -> None:
    """Stacked bars, CPU microseconds per HCP by stage: what shrinks with size is fixed cost, what grows is worse than linear."""
    pyplot = _pyplot()
    sizes, names = summary.sizes(rows, "refit", "score"), summary.stage_names(rows)
    figure, axes = pyplot.subplots(1, 2, figsize=(12.0, LEGEND_INCHES + 0.8 + 0.35 * max(2, 2 * len(sizes))), squeeze=False)
    colours = pyplot.get_cmap("tab20").colors
    bars = [(size, build) for size in reversed(sizes) for build in ("score", "refit") if done(rows, build, size)]
    for axis, per in zip(axes[0], ("share of the build's CPU seconds", "CPU milliseconds per HCP"), strict=True):
        for height, (size, build) in enumerate(bars):
            row, left = rows[build, size], 0.0
            for number, name in enumerate(names):
                width = (stage(row, name) or 0.0) / (row["cpu_seconds"] if per.startswith("share") else size / 1000)
                style: dict[str, Any] = {"color": colours[number % 20], "label": name if height == 0 else None}
                axis.barh(
                    height,
                    width,
                    left=left,
                    edgecolor="white",
                    linewidth=0.3,
                    hatch="//" if FIGURES.get(name) == "refit" else None,
                    **style,
                )
                left += width
        axis.set_yticks(range(len(bars)), [f"{size:,} {WORDS[build]}" for size, build in bars])
        axis.set_xlabel(per + " (hatched: refit)")
        axis.grid(axis="x", linewidth=0.4)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=6, fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, LEGEND_INCHES / figure.get_figheight(), 1, 1))
    _save(figure, file)


def draw_peers(rows: Rows, file: Path) -> None:
    """CPU seconds over size on logarithmic axes: the whole, features, SHAP values, each beside its peers."""
    from matplotlib.ticker import NullFormatter

    pyplot = _pyplot()
    figure, axes = pyplot.subplots(1, 3, figsize=(15.0, 4.6), squeeze=False)
    first = {size: done(rows, "refit", size) for size in summary.sizes(rows, "refit")}
    panels: list[tuple[str, str, dict[str, dict[int, float]]]] = [
        (
            "The whole",
            "HCPs",
            {
                "ours, load and first build": {size: found["cpu_seconds"] for size in first if (found := summary.whole(rows, size))},
                "ours, score": {
                    size: found["cpu_seconds"] for size in summary.sizes(rows, "score") if (found := summary.figure(rows, "score", size))
                },
                "hand-written": _costs(rows, "handwritten"),
            },
        ),
        (
            "Features",
            "HCPs",
            {
                "ours": {size: row["features"]["cpu_seconds"] for size, row in first.items() if row},
                "pandas": _costs(rows, "features_pandas"),
                "polars": _costs(rows, "features_polars"),
            },
        ),
        ("SHAP values", "rows", {name: _costs(rows, f"shap_{name}") for name in ("ours", "explainer", "lightgbm", "xgboost")}),
    ]
    for axis, (title, unit, lines) in zip(axes[0], panels, strict=True):
        for name, costs in lines.items():
            if costs:
                axis.plot(
                    list(costs),
                    list(costs.values()),
                    marker="o",
                    label=name,
                    **STYLES.get(name, {"color": "black"} if name.startswith("ours") else {}),
                )
        axis.set(title=title, xlabel=unit, ylabel="CPU s", xscale="log", yscale="log")
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.grid(which="major", linewidth=0.4)
        if any(lines.values()):
            axis.legend(fontsize=8)
    figure.tight_layout()
    _save(figure, file)


def _costs(rows: Rows, task: str) -> dict[int, float]:
    return {size: rows[task, size]["cpu_seconds"] for size in summary.sizes(rows, task)}


def _pyplot() -> Any:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "pipeline"
    from matplotlib import pyplot

    return pyplot


def _save(figure: Any, file: Path) -> None:
    from matplotlib import pyplot

    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
