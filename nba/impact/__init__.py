"""Expected impact: what one touch changes, with its doubt, its drivers, and checks that can fail."""

from __future__ import annotations

from nba.impact.estimate import ImpactResult, diagnostics_table, estimate_impact, fit_impact, score_impact
from nba.impact.model import MODEL_SCHEMA, ImpactModel
from nba.impact.settings import ImpactSettings

__all__ = [
    "MODEL_SCHEMA",
    "ImpactModel",
    "ImpactResult",
    "ImpactSettings",
    "diagnostics_table",
    "estimate_impact",
    "fit_impact",
    "score_impact",
]
