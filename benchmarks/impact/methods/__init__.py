"""The methods that are compared. Each takes what is known of a world and answers with a plan, a score, or an estimate in KPI units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.impact.observed import Observed


@dataclass(frozen=True)
class Answer:
    """score: (hcps, channels), made into the best plan under the limits; or plans: finished plans (hcps, channels) bool, whose mean gain
    counts. in_kpi: the score is an impact in KPI units. low, high: its 90% interval. said: what the method says about itself.
    effective: channels whose effect the method calls proven, None where it does not say.
    """

    score: np.ndarray | None = None
    plans: list[np.ndarray] | None = None
    in_kpi: bool = False
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    said: str | None = None
    effective: list[str] | None = None


@dataclass(frozen=True)
class Method:
    """words: for the table. home: module and function. kind: reference (knows more than a method may), heuristic, learner or ours."""

    words: str
    home: str
    kind: str

    @property
    def is_light(self) -> bool:
        """Takes a moment: needs no process of its own."""
        return self.home.split(":")[0] in ("heuristics", "fixed_effects")

    @property
    def function(self) -> Callable[[Observed], Answer]:
        module, name = self.home.split(":")
        return getattr(import_module(f"benchmarks.impact.methods.{module}"), name)


METHODS: dict[str, Method] = {
    "oracle": Method("the truth itself", "heuristics:oracle", "reference"),
    "ceiling": Method("boosting on the truth of three other seeds of the shape, from observable features", "learners:ceiling", "reference"),
    "random": Method("pairs in random order, mean of 5", "heuristics:random_order", "reference"),
    "top_decile": Method("highest decile first, most valued channel of the catalogue first", "heuristics:top_decile", "heuristic"),
    "current_plan": Method("the touches of the last cycle again", "heuristics:current_plan", "heuristic"),
    "p_catalogue": Method("P(response) x catalogue uplift", "heuristics:p_catalogue", "heuristic"),
    "relative_p_catalogue": Method(
        "P(response) over the channel's mean x catalogue uplift", "heuristics:relative_p_catalogue", "heuristic"
    ),
    "p_catalogue_kpi": Method(
        "P(response) over the channel's mean x catalogue uplift x KPI level over the mean", "heuristics:p_catalogue_kpi", "heuristic"
    ),
    "catalogue": Method("catalogue uplift, the same for every HCP", "heuristics:catalogue", "heuristic"),
    "t_learner": Method("boosting with and without a touch, by channel", "learners:t_learner", "learner"),
    "fixed_effects": Method("two-way fixed effects by third of deciles", "fixed_effects:fixed_effects", "learner"),
    "causal_forest": Method("econml CausalForestDML by channel, at most 10,000 HCP-cycles", "forest:causal_forest", "learner"),
    "ours": Method("nba.impact.estimate_impact", "ours:ours", "ours"),
}
