"""Words for numbers, dates and drivers: a likelihood, never a promise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PERCENT_UNITS = ("rate", "share")
BARE_UNITS = ("category", "decile", "cost")


def number(value: float) -> str:
    """A number for reading: two significant digits below 10, one decimal below 100, whole with thousands marks above."""
    size = abs(value)
    if size < 5e-10:
        return "0"
    if size >= 99.95:
        return f"{value:,.0f}"
    if size >= 9.95:
        text = f"{value:.1f}"
    else:
        digits = 1
        while size < 1 and size * 10 ** (digits - 1) < 0.995:
            digits += 1
        text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".")


def percent(share: float) -> str:
    """A share as a whole percentage; between 0 and 1% and between 99% and 100% it says so."""
    if 0 < share < 0.005:
        return "less than 1%"
    if 0.995 < share < 1:
        return "more than 99%"
    return f"{round(share * 100)}%"


def counted(value: float, unit: str) -> str:
    """A number with its unit, singular for one: 1 touch, 2 touches, 0.5 KPI units."""
    text = number(value)
    return f"{text} {singular(unit) if text in ('1', '-1') else unit}"


def singular(unit: str) -> str:
    """The unit of exactly one."""
    if unit.endswith(("ches", "shes", "xes")):
        return unit[:-2]
    return unit[:-1] if unit.endswith("s") and not unit.endswith("ss") else unit


def value_words(value: str | None, unit: str | None) -> str:
    """A driver's value as people say it: 45%, 3 touches, yes, cardiology, 1.8 times, not known."""
    if value is None or value == "unknown":
        return "not known"
    try:
        amount = float(value)
    except ValueError:
        return value
    if unit in PERCENT_UNITS:
        return percent(amount)
    if unit == "yes/no":
        return "yes" if amount else "no"
    if unit == "factor":
        return f"{number(amount)} times"
    if unit == "category":
        return value
    return number(amount) if unit is None or unit in BARE_UNITS else counted(amount, unit)


def listed(items: Sequence[str]) -> str:
    """a; a and b; a, b and c."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def directions(raising: Sequence[str], lowering: Sequence[str]) -> str:
    """One sentence on what raises and what lowers a number; empty without either."""
    parts = []
    if raising:
        parts.append(f"{listed(raising)} {'raises' if len(raising) == 1 else 'raise'} this")
    if lowering:
        parts.append(f"{listed(lowering)} {'lowers' if len(lowering) == 1 else 'lower'} {'it' if raising else 'this'}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def driver_words(label: str, value: str) -> str:
    """The driver as a noun phrase with its value: the response rate on this channel over the last 12 periods (45%)."""
    article = "" if label.lower().startswith(("the ", "a ", "an ")) else "the "
    return f"{article}{label} ({value})"


def day(value: date, with_year: bool = True) -> str:
    """5 Jan 2026."""
    text = f"{value.day} {MONTHS[value.month - 1]}"
    return f"{text} {value.year}" if with_year else text


def days(first: date, last: date) -> str:
    """on 5 Jan 2026; between 5 Jan and 1 Feb 2026; between 29 Dec 2025 and 25 Jan 2026."""
    if first == last:
        return f"on {day(first)}"
    return f"between {day(first, first.year != last.year)} and {day(last)}"
