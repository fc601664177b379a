"""Two pictures: the proven gap against time, engine by engine, and the seconds against the number of HCPs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.allocation.peers import PEERS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SMALLEST_GAP = 1e-7
MARKS = {"proven": "o", "unproven": "^", "no bound": "s", "broken": "x", "killed": "v", "no plan": "v"}
OURS = ("ours", "ours_cold", "ours_allocate")


def gap_steps(history: list[list[float | None]]) -> tuple[list[float], list[float]]:
    """(seconds, proven gap) of the moments at which both a plan and a bound were known."""
    known = [(seconds, plan, bound) for seconds, plan, bound in history if plan is not None and bound is not None]
    gaps = [max(SMALLEST_GAP, (bound - plan) / max(abs(plan), 1e-9)) for _, plan, bound in known]
    return [max(seconds, 1e-3) for seconds, _, _ in known], gaps


def draw_gaps(rows: list[dict], file: Path) -> None:
    """One panel per instance; a line falls as an engine's plan and bound close in, and ends in a mark: filled = proven at the wanted gap.

    Plans that break a rule have no line.
    """
    places = list(dict.fromkeys((row["family"], row["hcps"]) for row in rows))
    figure, axes = _panels(len(places))
    for (family, hcps), axis in zip(places, axes, strict=False):
        for row in rows:
            if (row["family"], row["hcps"]) == (family, hcps) and row["status"] in ("proven", "unproven"):
                seconds, gaps = gap_steps(row.get("history") or [])
                if seconds:
                    seconds, gaps = [seconds[0], *seconds, max(row["seconds"], seconds[-1])], [1.0, *gaps, gaps[-1]]
                    colour = _colour(row["peer"])
                    axis.step(seconds, gaps, where="post", label=row["peer"], color=colour, linewidth=_width(row["peer"]))
                    face = colour if row["status"] == "proven" else "none"
                    axis.scatter(seconds[-1:], gaps[-1:], marker=MARKS[row["status"]], facecolors=face, edgecolors=colour, zorder=3)
        axis.set(xscale="log", yscale="log", title=f"{family}, {hcps:,} HCPs" if hcps else family, xlabel="seconds", ylabel="proven gap")
        axis.axhline(1e-4, color="0.7", linewidth=0.8, linestyle=":")
    _finish(figure, axes, len(places), file)


def draw_sizes(rows: list[dict], file: Path) -> None:
    """One panel per family; filled = proven at the wanted gap, hollow = not, cross = the plan breaks rules."""
    families = [family for family in dict.fromkeys(row["family"] for row in rows) if family != "sample"] or ["sample"]
    figure, axes = _panels(len(families))
    for family, axis in zip(families, axes, strict=False):
        for peer in PEERS:
            mine = [row for row in rows if row["family"] == family and row["peer"] == peer and row.get("seconds")]
            sizes, seconds = [row["hcps"] for row in mine], [max(1e-3, row["seconds"]) for row in mine]
            if mine:
                axis.plot(sizes, seconds, color=_colour(peer), linewidth=_width(peer), label=peer)
            for row, size, second in zip(mine, sizes, seconds, strict=True):
                mark = MARKS.get(row["status"], "v")
                face = "none" if row["status"] != "proven" and mark != "x" else _colour(peer)
                axis.scatter([size], [second], marker=mark, facecolors=face, edgecolors=None if mark == "x" else _colour(peer), zorder=3)
        axis.set(xscale="log", yscale="log", title=family, xlabel="HCPs", ylabel="seconds, end to end")
    _finish(figure, axes, len(families), file)


def _panels(count: int) -> tuple[Figure, list[Axes]]:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "allocation"
    from matplotlib import pyplot

    width = min(3, max(1, count))
    height = -(-count // width)
    figure, axes = pyplot.subplots(height, width, figsize=(5 * width, 3.8 * height), squeeze=False)
    return figure, list(axes.ravel())


def _finish(figure: Figure, axes: list[Axes], count: int, file: Path) -> None:
    from matplotlib import pyplot

    for axis in axes[count:]:
        axis.set_visible(False)
    handles = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    named = [name for name in PEERS if name in handles]
    figure.tight_layout(rect=(0, 0.12, 1, 1))
    if named:
        figure.legend([handles[name] for name in named], named, loc="lower center", ncol=7, fontsize=8, frameon=False)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)


def _colour(peer: str) -> tuple[float, float, float, float] | str:
    from matplotlib import colormaps

    if peer in OURS:
        return {"ours": "black", "ours_cold": "0.45", "ours_allocate": "0.3"}[peer]
    others = [name for name in PEERS if name not in OURS]
    return colormaps["tab20"](2 * others.index(peer) % 20 + others.index(peer) // 10)


def _width(peer: str) -> float:
    return 2.4 if peer in OURS else 1.2
