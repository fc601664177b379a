"""From facts to alerts: a fact is an alert where its effect passes a limit, enough stands behind it, and chance is no explanation.

All three must hold. Without the first a large sample raises an alarm over nothing, without the others a small one does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from nba.monitoring.wording import message, what_to_do

LEVELS = ("notice", "warn", "error")  # from mild to grave
SURE = 4.0  # standard errors: with a hundred facts a cycle, chance passes it in less than one cycle of a hundred
MEASURE_SCHEMA = pa.schema(
    [
        ("alert_id", pa.string()),
        ("measure", pa.string()),
        ("subject", pa.string()),
        ("feature", pa.string()),
        ("channel", pa.string()),
        *((name, pa.float64()) for name in ("value", "baseline", "effect")),
        ("n", pa.int64()),
        ("sureness", pa.float64()),
        ("threshold", pa.float64()),
        ("severity", pa.string()),
        ("message", pa.string()),
        ("what_to_do", pa.string()),
    ]
)


@dataclass(frozen=True)
class Limit:
    """Effects from which a measure is a notice, a warning, an error (None = never), and the n that it needs."""

    measure: str
    notice: float | None
    warn: float | None
    error: float | None
    least_n: float = 0.0

    def __post_init__(self) -> None:
        given = [level for level in (self.notice, self.warn, self.error) if level is not None]
        if given != sorted(given):
            raise ValueError(f"limits of '{self.measure}' must not fall from notice to warn to error: {given}")

    def reached(self, effect: float) -> tuple[str, float | None]:
        """The gravest level whose limit `effect` reaches, with that limit; `ok` and the lowest limit below all."""
        levels = [(name, limit) for name in LEVELS if (limit := getattr(self, name)) is not None]
        passed = [(name, limit) for name, limit in levels if effect >= limit]
        return passed[-1] if passed else ("ok", levels[0][1] if levels else None)


def limits_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Limit]:
    """Limits by measure, from the rows of monitor_limits."""
    names = ("measure", "notice", "warn", "error", "least_n")
    return {row["measure"]: Limit(**{name: row[name] for name in names}) for row in rows}


def severity(fact: Mapping[str, Any], limit: Limit) -> tuple[str, float | None]:
    """(severity, threshold) of one fact: `too_few` below the limit's n, `ok` where chance explains it.

    fact: `effect` (None = could not be measured, which is `too_few`), `n`, `sureness` (standard errors; None = no chance is involved).
    """
    level, threshold = limit.reached(fact["effect"] if fact["effect"] is not None else 0.0)
    if fact["effect"] is None or fact["n"] is None or fact["n"] < limit.least_n:
        return "too_few", threshold
    if fact["sureness"] is not None and abs(fact["sureness"]) < SURE:
        return "ok", limit.reached(0.0)[1]
    return level, threshold


def judged(facts: Iterable[Mapping[str, Any]], limits: Mapping[str, Limit]) -> list[dict[str, Any]]:
    """Every fact with its severity, words and id, gravest first. KeyError for a measure without limits."""
    rows = []
    for found in facts:
        fact = {**found, **{name: _settled(found[name]) for name in ("value", "baseline", "effect", "sureness")}}
        level, threshold = severity(fact, limits[fact["measure"]])
        row = {**fact, "severity": level, "threshold": threshold, "alert_id": _alert_id(fact)}
        rows.append({**row, "message": message(row), "what_to_do": what_to_do(row) if level in LEVELS else None})
    order: Sequence[str] = (*reversed(LEVELS), "ok", "too_few")
    return sorted(rows, key=lambda row: (order.index(row["severity"]), *(str(row[name] or "") for name in KEYS)))


KEYS = ("measure", "subject", "feature", "channel")


def measures_table(facts: Iterable[Mapping[str, Any]], limits: Mapping[str, Limit]) -> pa.Table:
    """The table monitor_measures."""
    return pa.Table.from_pylist(judged(facts, limits), schema=MEASURE_SCHEMA)


def _settled(number: float | None) -> float | None:
    """9 significant digits: the order in which an engine sums must not move an alert, or the digits of its words."""
    return None if number is None else float(f"{number:.9g}")


def _alert_id(fact: Mapping[str, Any]) -> str:
    return hashlib.sha256("\x1f".join(str(fact[name] or "") for name in KEYS).encode()).hexdigest()[:16]
