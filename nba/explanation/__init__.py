"""Why an action was planned: its drivers as rows and as one plain sentence or two."""

from __future__ import annotations

from nba.explanation.reasons import plan_reasons
from nba.explanation.summaries import plan_summaries

__all__ = ["plan_reasons", "plan_summaries"]
