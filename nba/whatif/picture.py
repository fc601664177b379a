"""A curve as an SVG picture, written by hand: the bound as a line, plans as dots, the present bound as a dashed line."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimization.scenario_curve import Curve

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 80, 20, 50, 60
LINE, DOT, GREY = "#1f5a8c", "#c2571a", "#777777"


def curve_picture(curve: Curve, label: str, unit: str, present: float) -> str:
    """The SVG text. label, unit: of the limit; present: its bound today. Points where the limits conflict are left out."""
    points = [(x, y) for x, y in zip(curve.bound.tolist(), curve.upper_bound.tolist(), strict=True) if y == y]
    plans = [(x, y) for x, y in zip(curve.bound.tolist(), curve.total.tolist(), strict=True) if y == y]
    across = Scale([x for x, _ in points] + [present], LEFT, WIDTH - RIGHT)
    up = Scale([y for _, y in points + plans] or [0.0], HEIGHT - BOTTOM, TOP)
    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', text(WIDTH / 2, 24, f"What {label} is worth", 16)]
    for tick in across.ticks:
        parts.append(line(across.at(tick), HEIGHT - BOTTOM, across.at(tick), TOP, "#e4e4e4"))
        parts.append(text(across.at(tick), HEIGHT - BOTTOM + 18, f"{tick:.10g}"))
    for tick in up.ticks:
        parts.append(line(LEFT, up.at(tick), WIDTH - RIGHT, up.at(tick), "#e4e4e4"))
        parts.append(text(LEFT - 8, up.at(tick) + 4, f"{tick:.10g}", anchor="end"))
    parts.append(line(across.at(present), HEIGHT - BOTTOM, across.at(present), TOP, GREY, dashed=True))
    parts.append(text(across.at(present), TOP - 6, "today"))
    path = " ".join(f"{across.at(x):.2f},{up.at(y):.2f}" for x, y in points)
    parts.append(f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="2"/>')
    parts += [f'<circle cx="{across.at(x):.2f}" cy="{up.at(y):.2f}" r="4" fill="{DOT}"/>' for x, y in plans]
    parts.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, f"{label} ({unit})"))
    legend = "line: no plan can exceed" + ("; dots: plans" if plans else "")
    parts.append(text(WIDTH - RIGHT, HEIGHT - BOTTOM - 10, f"objective less penalty; {legend}", anchor="end"))
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">'
    return "\n".join([head, *parts, "</svg>", ""])


class Scale:
    """Numbers to places of the picture, over round ticks that hold them all."""

    def __init__(self, numbers: Iterable[float], first: float, last: float) -> None:
        low, high = min(numbers), max(numbers)
        step = _round_step((high - low) or abs(high) or 1.0)
        self.low, self.high = math.floor(low / step) * step, math.ceil(high / step) * step
        if self.low == self.high:
            self.high += step
        self.first, self.last = first, last
        self.ticks = [round(self.low + place * step, 10) for place in range(round((self.high - self.low) / step) + 1)]

    def at(self, number: float) -> float:
        """Place of a number, in picture units."""
        return self.first + (number - self.low) / (self.high - self.low) * (self.last - self.first)


def _round_step(reach: float) -> float:
    """1, 2 or 5 times a power of ten, for about six ticks."""
    power = 10.0 ** math.floor(math.log10(reach / 6))
    return next(factor * power for factor in (1, 2, 5, 10) if reach / 6 <= factor * power)


def line(x1: float, y1: float, x2: float, y2: float, colour: str, dashed: bool = False) -> str:
    """A straight line between two places of the picture."""
    style = ' stroke-dasharray="5,4"' if dashed else ""
    return f'<line x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}" stroke="{colour}"{style}/>'


def text(x: float, y: float, words: str, size: int = 12, anchor: str = "middle") -> str:
    """Words at a place of the picture."""
    return f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size}" text-anchor="{anchor}" fill="#333333">{escape(words)}</text>'
