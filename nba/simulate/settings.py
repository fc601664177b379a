"""What a world is made from: four numbers, checked once."""

from __future__ import annotations

from dataclasses import dataclass

from nba.simulate.periods import WEEKS_PER_MONTH, Calendar

GRAINS = ("week", "month")
# Fixed: a world is drawn chunk by chunk, each with its own random stream, so its content must not hang on memory.
CHUNK_HCPS = 20_000
HCPS_PER_REP = 150
HCPS_PER_REP_SMALL = 30


@dataclass(frozen=True)
class WorldSettings:
    """hcps and weeks >= 1, seed >= 0, grain `week` or `month` (then weeks / 4.345, rounded, are the months)."""

    hcps: int
    weeks: int
    seed: int
    grain: str = "week"

    def __post_init__(self) -> None:
        for field, least, most in (("hcps", 1, 9_999_999), ("weeks", 1, 1_040), ("seed", 0, 2**63 - 1)):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int):
                raise ValueError(f"{field} is {value!r}, it must be a whole number")
            if not least <= value <= most:
                raise ValueError(f"{field} is {value}, it must lie between {least} and {most}")
        if self.grain not in GRAINS:
            raise ValueError(f"grain is {self.grain!r}, it must be one of: {', '.join(GRAINS)}")

    @property
    def calendar(self) -> Calendar:
        periods = self.weeks if self.grain == "week" else max(1, round(self.weeks / WEEKS_PER_MONTH))
        return Calendar(self.grain, periods)

    @property
    def reps(self) -> int:
        """One rep per 150 HCPs; small worlds get more, down to 30 HCPs each, so that there is something to share out."""
        return max(1, round(self.hcps / HCPS_PER_REP), min(8, self.hcps // HCPS_PER_REP_SMALL))

    @property
    def chunks(self) -> int:
        return -(-self.hcps // CHUNK_HCPS)
