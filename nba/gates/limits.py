"""From which size of an effect a gate warns or closes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FAMILIES = ("volume", "freshness", "distribution", "coverage", "plan")
ACTIONS = ("error", "warn", "off")


@dataclass(frozen=True)
class Limits:
    """Switches of the gates (dbt_project.yml says why each is what it is).

    actions: family -> error, warn or off; min_hcps: HCPs below which runs are not compared; volume_drop: share lost, in (0, 1);
    share_shift: share of a distribution that moved, in (0, 1]; level_factor: factor between two levels, > 1; warn_at: part of these
    at which a warning comes, in (0, 1]; late_periods, kpi_lag_periods: whole periods. ValueError names the switch.
    """

    actions: Mapping[str, str]
    min_hcps: int
    volume_drop: float
    share_shift: float
    level_factor: float
    warn_at: float
    late_periods: int
    kpi_lag_periods: int

    def __post_init__(self) -> None:
        for family in FAMILIES:
            if self.actions.get(family) not in ACTIONS:
                raise ValueError(f"nba_gate_{family} is {self.actions.get(family)}: give one of {', '.join(ACTIONS)}")
        for name, holds, rule in (
            ("volume_drop", 0 < self.volume_drop < 1, "above 0 and below 1"),
            ("share_shift", 0 < self.share_shift <= 1, "above 0 and at most 1"),
            ("level_factor", self.level_factor > 1, "above 1"),
            ("warn_at", 0 < self.warn_at <= 1, "above 0 and at most 1"),
            ("min_hcps", self.min_hcps >= 1, "1 or more"),
        ):
            if not holds:
                raise ValueError(f"nba_gate_{name} is {getattr(self, name)}: it must be {rule}")

    @classmethod
    def of_run(cls, run: Mapping[str, Any]) -> Limits:
        """From the row of `run_config`."""
        names = ("min_hcps", "volume_drop", "share_shift", "level_factor", "warn_at", "late_periods", "kpi_lag_periods")
        return cls({family: run[f"gate_{family}"] for family in FAMILIES}, **{name: run[f"gate_{name}"] for name in names})

    def least_kept(self, level: str) -> float:
        """Share that must be left at least."""
        return 1 - self.volume_drop * (self.warn_at if level == "warn" else 1)

    def most_grown(self, level: str) -> float:
        """Factor to which a count may grow that should stay as it was."""
        return 1 + self.volume_drop * (self.warn_at if level == "warn" else 1)

    def most_shifted(self, level: str) -> float:
        """Share of a distribution that may move."""
        return self.share_shift * (self.warn_at if level == "warn" else 1)

    def most_times(self, level: str) -> float:
        """Factor by which a level may rise; down to one over it it may fall."""
        return self.level_factor ** (self.warn_at if level == "warn" else 1)
