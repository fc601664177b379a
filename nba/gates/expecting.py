"""Expectations in the words of the suites: a measure, its bounds, what it says when it does not hold and what to do then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

    from nba.gates.limits import Limits

LEVELS = ("error", "warn")
# our words -> those of Great Expectations
SEVERITIES = {"error": "critical", "warn": "warning"}
Bound = float | Callable[[str], float] | None


@dataclass(frozen=True)
class Expected:
    """A measure of a table's facts that must lie within bounds, inclusive.

    family: whose switch says what happens; says: the sentence that the table's name begins, `{observed}` being the worst value; do: what
    to do; at_least, at_most: a number, or a function of the level (error, warn); levels: which of the two there are; shown: percent,
    times or number.
    """

    measure: str
    family: str
    says: str
    do: str
    at_least: Bound = None
    at_most: Bound = None
    levels: tuple[str, ...] = LEVELS
    shown: str = "number"

    def bounds(self, level: str) -> tuple[float | None, float | None]:
        """Lowest and highest value at a level."""
        low, high = (bound(level) if callable(bound) else bound for bound in (self.at_least, self.at_most))
        return low, high

    def level_said(self, level: str, limits: Limits) -> str:
        """What a level amounts to under the switches: error, warn or off."""
        action = limits.actions[self.family]
        return "warn" if action == "warn" else "off" if action == "off" else level

    def expectation(self, level: str) -> Expectation:
        """As Great Expectations knows it."""
        from great_expectations.expectations.core import ExpectColumnValuesToBeBetween

        low, high = self.bounds(level)
        return ExpectColumnValuesToBeBetween(
            column=self.measure, min_value=low, max_value=high, severity=SEVERITIES[level], meta={"level": level, "family": self.family}
        )

    def text(self, value: float) -> str:
        """A value of the measure as people read it."""
        return shown(value, self.shown)

    def limit_text(self, level: str) -> str:
        """The bounds as people read them."""
        low, high = self.bounds(level)
        said = [f"at least {self.text(low)}" if low is not None else "", f"at most {self.text(high)}" if high is not None else ""]
        return " and ".join(filter(None, said))


def shown(value: float, kind: str) -> str:
    """A number as percent, as a factor, or with four digits."""
    if kind == "percent":
        return f"{value:.1%}".replace(".0%", "%")
    return f"{value:.2f} times" if kind == "times" else f"{value:.4g}"


def worst(values: Any, low: float | None, high: float | None) -> int:
    """Position of the value that lies furthest out, or nearest to a bound."""
    import numpy as np

    found = np.asarray(values, dtype=float)
    below = low - found if low is not None else np.full(len(found), -np.inf)
    above = found - high if high is not None else np.full(len(found), -np.inf)
    return int(np.argmax(np.maximum(below, above)))
