"""Expected impact: what one touch changes, with its doubt, its drivers, and checks that can fail."""

from __future__ import annotations

from nba.impact.estimate import ImpactResult, estimate_impact
from nba.impact.settings import ImpactSettings

__all__ = ["ImpactResult", "ImpactSettings", "estimate_impact"]
