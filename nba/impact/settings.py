"""Switches of the impact estimate, checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from nba.learning.settings import LearningInputError

WEEKS_PER_PERIOD = {"week": 1.0, "month": 4.345}
LONG_PERIODS = {"week": 12, "month": 3}
NAMES = {"impact_prior_cv": "prior_cv", "impact_carry_over": "carry_over", "impact_hcps": "estimation_hcps"}
KINDS: dict[str, type] = {
    "cycle_periods": int,
    "grain": str,
    "kpi_absent": str,
    "seed": int,
    "prior_cv": float,
    "carry_over": float,
    "estimation_hcps": int,
}


@dataclass(frozen=True)
class ImpactSettings:
    """What an impact estimate needs to know beside its tables.

    cycle_start: first day of the cycle to plan. cycle_periods: periods in it. grain: `week` or `month`. kpi_absent: whether a missing KPI
    row after an HCP's first is `zero` or `unknown`. attributes: further columns of the master that may tell HCPs apart.
    prior_cv: standard deviation of the catalogue's uplift relative to it. carry_over: share of an effect left one period later, the prior
    belief behind the long horizon. estimation_hcps: at most so many HCPs, drawn by hash, are learned from.
    panel_start: first period of the panel; None = the first that the tables have, which must then be tables and not streams.
    seed: of every draw.
    """

    cycle_start: date
    grain: str = "week"
    cycle_periods: int = 4
    kpi_absent: str = "zero"
    attributes: tuple[str, ...] = ()
    prior_cv: float = 0.5
    carry_over: float = 0.5
    estimation_hcps: int = 100_000
    panel_start: date | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _require("grain", self.grain, self.grain in WEEKS_PER_PERIOD, "week or month")
        _require("kpi_absent", self.kpi_absent, self.kpi_absent in ("zero", "unknown"), "zero or unknown")
        _require("cycle_periods", self.cycle_periods, 1 <= self.cycle_periods <= 1000, "between 1 and 1000")
        _require("impact_prior_cv", self.prior_cv, 0 < self.prior_cv <= 100, "above 0 and at most 100")
        _require("impact_carry_over", self.carry_over, 0 <= self.carry_over <= 1, "between 0 and 1")
        _require("impact_hcps", self.estimation_hcps, self.estimation_hcps >= 1, "at least 1")

    @property
    def weeks(self) -> float:
        """Weeks in a period."""
        return WEEKS_PER_PERIOD[self.grain]

    @property
    def long_periods(self) -> int:
        """Periods of the long horizon: 12 weeks or 3 months, never shorter than the cycle."""
        return max(LONG_PERIODS[self.grain], self.cycle_periods)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> ImpactSettings:
        """Settings from a run_config row; unknown columns are ignored, null means the default."""
        given = {NAMES.get(name, name): value for name, value in config.items() if value is not None}
        found = {name: kind(given[name]) for name, kind in KINDS.items() if name in given}
        attributes = tuple(name for name in str(given.get("hcp_attributes", "")).split(",") if name)
        days = {name: given[name] for name in ("cycle_start", "panel_start") if name in given}
        days = {name: day.date() if isinstance(day, datetime) else day for name, day in days.items()}
        return cls(attributes=attributes, **days, **found)


def _require(name: str, value: Any, holds: bool, what: str) -> None:
    if not holds:
        raise LearningInputError(f"{name} {value!r} must be {what}")
