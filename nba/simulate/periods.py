"""The calendar of a world: periods back from a fixed cycle start, and the days on which data becomes known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

WEEKS_PER_MONTH = 4.345
CYCLE_START = {"week": np.datetime64("2026-01-05"), "month": np.datetime64("2026-01-01")}
CYCLE_PERIODS = {"week": 4, "month": 1}
LONG_PERIODS = {"week": 12, "month": 3}
# Prescriptions arrive two to six weeks after the fact; the files are an extract taken six weeks after the cycle start.
MIN_LAG_DAYS = 14
EXTRACT_DAYS = 42


@dataclass(frozen=True)
class Calendar:
    """Periods of one world. `starts` has one more entry than there are periods: the last one is the cycle start."""

    grain: str
    periods: int

    @property
    def cycle_start(self) -> np.datetime64:
        return CYCLE_START[self.grain]

    @property
    def weeks_per_period(self) -> float:
        return 1.0 if self.grain == "week" else WEEKS_PER_MONTH

    @property
    def cycle_periods(self) -> int:
        return CYCLE_PERIODS[self.grain]

    @property
    def long_periods(self) -> int:
        return LONG_PERIODS[self.grain]

    @property
    def cycle_end(self) -> np.datetime64:
        """First day after the cycle."""
        return self.start_of(self.periods + self.cycle_periods)

    def start_of(self, period: int) -> np.datetime64:
        """First day of a period, counted from the first of the panel; may lie beyond the panel."""
        ahead = period - self.periods
        if self.grain == "week":
            return self.cycle_start + np.timedelta64(7 * ahead, "D")
        return (self.cycle_start.astype("datetime64[M]") + ahead).astype("datetime64[D]")

    @cached_property
    def starts(self) -> NDArray[np.datetime64]:
        return np.array([self.start_of(t) for t in range(self.periods + 1)], dtype="datetime64[D]")

    @property
    def extract_date(self) -> np.datetime64:
        """Nothing that became known after this day is in the files."""
        return self.cycle_start + np.timedelta64(EXTRACT_DAYS, "D")

    def season(self, period: int) -> float:
        """Seasonal factor of prescriptions around 1: a wave over the year, less at the turn of the year."""
        middle = self.start_of(period) + (self.start_of(period + 1) - self.start_of(period)) // 2
        day = (middle - middle.astype("datetime64[Y]").astype("datetime64[D]")).astype(int)
        dip = 0.12 if day > 354 or day < 6 else 0.0
        return float(1.0 + 0.12 * np.cos(2 * np.pi * (day - 40) / 365.25) - dip)


def kpi_deliveries(calendar: Calendar, rng: np.random.Generator) -> NDArray[np.datetime64]:
    """Days on which a period's KPI is delivered first, and on which the two deliveries after that come: (periods, 3).

    Whole periods arrive together and in order, two to six weeks after they end: an absent row then means zero, not late.
    Weekly data comes every three weeks, monthly data once a month, some deliveries a week or more behind.
    """
    if calendar.grain == "month":
        ends = np.array([calendar.start_of(t + 1) for t in range(calendar.periods + 2)])
        late = np.where(rng.random(len(ends)) < 0.15, 18, 0)
        days = ends + np.timedelta64(MIN_LAG_DAYS + 6, "D") + late.astype("timedelta64[D]")
        first = np.arange(calendar.periods)
    else:
        back = np.arange(calendar.periods // 3 + 3, -5, -1)
        # The newest delivery before the cycle is on time, so that every world can be planned.
        late = np.where((rng.random(len(back)) < 0.15) & ((back > 1) | (back < 0)), 7, 0)
        days = calendar.cycle_start + (late - 5 - 21 * back).astype("timedelta64[D]")
        first = np.searchsorted(days, calendar.starts[1:] + np.timedelta64(MIN_LAG_DAYS, "D"))
    return days[first[:, None] + np.arange(3)]
