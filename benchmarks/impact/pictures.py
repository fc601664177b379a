"""Two pictures: the share of the oracle's gain that each method keeps, world by world, and how often 90% intervals cover the truth."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from benchmarks.impact.methods import METHODS
from benchmarks.impact.summary import TARGET_COVERAGE, Rows, by_world
from benchmarks.impact.worlds import NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"reference": "0.55", "heuristic": "tab:orange", "learner": "tab:blue", "ours": "black"}


def draw_shares(rows: Rows, file: Path) -> None:
    """One panel per size; a row per method, a small dot per world (mean over seeds), a large one for the mean over worlds."""
    sizes = sorted({row["hcps"] for row in rows})
    figure, axes = _panels(len(sizes), 1, 5.4)
    for hcps, axis in zip(sizes, axes, strict=True):
        names = [name for name in METHODS if name != "oracle" and by_world(rows, "share", hcps, name)]
        for height, name in enumerate(reversed(names)):
            shares, colour = list(by_world(rows, "share", hcps, name).values()), COLOURS[METHODS[name].kind]
            axis.scatter(shares, [height] * len(shares), s=12, color=colour, alpha=0.5)
            axis.scatter([fmean(shares)], [height], s=70, marker="D", color=colour, zorder=3)
        axis.set_yticks(range(len(names)), list(reversed(names)))
        axis.set(title=f"{hcps:,} HCPs", xlabel="share of the oracle plan's true gain", xlim=(min(0.0, axis.get_xlim()[0]), 1.02))
        axis.grid(axis="x", linewidth=0.4)
    _finish(figure, file)


def draw_coverage(rows: Rows, file: Path) -> None:
    """One panel per method with intervals; a small dot per channel, a ring for planned pairs, world by world, largest size of each."""
    told = [row for row in rows if row.get("coverage_by_channel") and row["share"] is not None]
    names = [name for name in METHODS if any(row["method"] == name for row in told)]
    figure, axes = _panels(max(1, len(names)), 1, 4.6)
    worlds = [name for name in NAMES if any(row["world"] == name for row in told)]
    for name, axis in zip(names, axes, strict=False):
        axis.axvspan(*TARGET_COVERAGE, color="0.9")
        for height, world in enumerate(reversed(worlds)):
            mine = [row for row in told if row["method"] == name and row["world"] == world]
            mine = [row for row in mine if row["hcps"] == max(r["hcps"] for r in mine)]
            shares = [share for row in mine for share in row["coverage_by_channel"].values()]
            axis.scatter(shares, [height] * len(shares), s=10, color=COLOURS[METHODS[name].kind], alpha=0.6)
            planned = [row["coverage_planned"] for row in mine if row["coverage_planned"] is not None]
            axis.scatter(planned, [height] * len(planned), s=50, facecolors="none", edgecolors="tab:red")
        axis.set_yticks(range(len(worlds)), list(reversed(worlds)))
        axis.set(title=name, xlabel="share of true impacts inside the 90% interval", xlim=(0, 1.02))
    _finish(figure, file)


def _panels(count: int, height: int, size: float) -> tuple[Figure, list[Axes]]:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "impact"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(height, count, figsize=(size * count, 4.6 * height), squeeze=False)
    return figure, list(axes.ravel())


def _finish(figure: Figure, file: Path) -> None:
    from matplotlib import pyplot

    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
