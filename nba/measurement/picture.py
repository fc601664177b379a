"""Uplift curves as an SVG picture: a panel for each, the gain with its band and the straight line of a ranking that knows nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nba.whatif.picture import GREY, LINE, Scale, line, text

WIDTH, HEIGHT, ACROSS = 420, 300, 2  # of a panel; panels in a row
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 46, 44
BAND = "#c9dcec"
Row = Mapping[str, Any]


def curves_of(rows: Sequence[Row], cycle: str) -> dict[tuple[str, str], list[Row]]:
    """(comparison, channel) -> rows of uplift_curve of one measured cycle by share, curves without any gain left out."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row["comparison"] != "plan-control", row["channel"] != "all", row["channel"], row["share"])):
        if row["measured_cycle"] == cycle:
            found.setdefault((row["comparison"], row["channel"]), []).append(row)
    return {key: curve for key, curve in found.items() if any(row["gain"] is not None for row in curve)}


def uplift_picture(rows: Sequence[Row], cycle: str) -> str:
    """The SVG text of the curves of one measured cycle (or `pooled`). ValueError where no curve has a gain."""
    curves = curves_of(rows, cycle)
    if not curves:
        raise ValueError(f"no uplift curve of {cycle} was measured")
    deep = -(-len(curves) // ACROSS)
    width, height = WIDTH * min(len(curves), ACROSS), HEIGHT * deep
    parts = [f'<rect width="{width}" height="{height}" fill="white"/>']
    for number, (key, curve) in enumerate(curves.items()):
        x, y = WIDTH * (number % ACROSS), HEIGHT * (number // ACROSS)
        parts += [f'<g transform="translate({x},{y})">', *_panel(key, curve, cycle), "</g>"]
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
    return "\n".join([head, *parts, "</svg>", ""])


def _panel(key: tuple[str, str], curve: Sequence[Row], cycle: str) -> list[str]:
    known = [row for row in curve if row["gain"] is not None]
    across = Scale([0.0, 1.0], LEFT, WIDTH - RIGHT)
    ends = [row[name] for row in known for name in ("gain_low", "gain_high")]
    up = Scale([0.0, *ends], HEIGHT - BOTTOM, TOP)
    parts = [text(WIDTH / 2, 20, f"{key[0]}, {key[1]} ({cycle})", 14), text(WIDTH / 2, 36, _qini(curve[0]), 11)]
    for tick in across.ticks:
        parts.append(text(across.at(tick), HEIGHT - BOTTOM + 16, f"{tick:.0%}", 10))
    for tick in up.ticks:
        parts.append(line(LEFT, up.at(tick), WIDTH - RIGHT, up.at(tick), "#e4e4e4"))
        parts.append(text(LEFT - 6, up.at(tick) + 4, f"{tick:.10g}", 10, anchor="end"))
    upper = [(row["share"], row["gain_high"]) for row in known]
    lower = [(row["share"], row["gain_low"]) for row in reversed(known)]
    parts.append(f'<polygon points="{_points(across, up, upper + lower)}" fill="{BAND}" opacity="0.7"/>')
    if curve[-1]["gain"] is not None:
        parts.append(line(across.at(0), up.at(0), across.at(1), up.at(curve[-1]["gain"]), GREY, dashed=True))
    middle = [(row["share"], row["gain"]) for row in known]
    start = [(0.0, 0.0)] if known[0] is curve[0] else []
    parts.append(f'<polyline points="{_points(across, up, start + middle)}" fill="none" stroke="{LINE}" stroke-width="2"/>')
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, "share of HCPs, highest expected impact first; KPI gained per HCP", 10))
    return parts


def _points(across: Scale, up: Scale, points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{across.at(x):.2f},{up.at(y):.2f}" for x, y in points)


def _qini(row: Row) -> str:
    if row["qini"] is None:
        return "Qini not known: too few HCPs in the first shares"
    return f"Qini {row['qini']:.3g} (90%: {row['qini_low']:.3g} to {row['qini_high']:.3g})"
