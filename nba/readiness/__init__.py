"""Before any model: what a user's own tables can tell, and which channels are worth estimating. Pure functions over an in-memory DuckDB."""

from __future__ import annotations

from nba.readiness.findings import Finding
from nba.readiness.report import Channel, Readiness, assess

__all__ = ["Channel", "Finding", "Readiness", "assess"]
