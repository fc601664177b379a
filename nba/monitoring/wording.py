"""What an alert says: what moved, from what to what, and what a person does about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# measure -> (sentence, what to do). value, baseline and effect are numbers of 3 digits; `of` is the feature or channel.
WORDS = {
    "psi": (
        "{of} is spread otherwise than when the model was fitted: PSI {value}",
        "look at {of} in the inputs of this cycle; if the change is real, train again (nba_retrain: always)",
    ),
    "ks": (
        "{of} has shifted since the model was fitted: distribution functions lie {value} apart",
        "look at {of} in the inputs of this cycle; if the change is real, train again (nba_retrain: always)",
    ),
    "auc": (
        "predictions of the last cycle ranked {of} worse than promised: AUC {value} against {baseline}",
        "train again (nba_retrain: always); if it stays, look for a change in how responses are recorded",
    ),
    "calibration": (
        "responses of the last cycle on {of} came to {value} of what was predicted",
        "train again (nba_retrain: always); look for a change in how responses or touches are recorded",
    ),
    "touch_trend": (
        "touches on {of} came to {value} per HCP and period, {baseline} before",
        "check that the newest engagement is complete",
    ),
    "response_trend": (
        "responses on {of} came to {value} per touch, {baseline} before",
        "check how responses are recorded now, and whether the content changed",
    ),
    "kpi_trend": (
        "the KPI came to {value} per HCP and period, {baseline} before",
        "check that the newest KPI is complete; if the market moved, expected impact moves with it",
    ),
    "touch_mix": (
        "{value} of the field's touches moved to other channels since the earlier periods",
        "check that no channel's engagement is missing",
    ),
    "plan_mix": (
        "{value} of the plan's actions lie on other channels than in the last plan",
        "compare the limits and the catalogue of the two cycles (`nba diff`)",
    ),
    "plan_stability": (
        "{value} of the last plan's actions are not planned again",
        "see what changed (`nba diff`); nba_stability_share keeps more of a plan",
    ),
    "price_drift": (
        "prices of limits moved by {value} of what they were together",
        "see constraint_prices of both runs: a limit became tight or loose",
    ),
    "engagement_freshness": (
        "the newest engagement ends {value} days before the cycle",
        "load newer engagement_history, then build again",
    ),
    "kpi_freshness": ("the newest KPI ends {value} days before the cycle", "load newer kpi_metrics, then build again"),
    "model_refused": (
        "the {subject} model that memory kept could not be used and was trained again",
        "see model_register for the reason; if it says tampered or damaged, find out who wrote to memory (`nba verify`)",
    ),
}


def message(row: Mapping[str, Any]) -> str:
    """One sentence about a fact with its severity."""
    text = WORDS[row["measure"]][0].format(**_parts(row))
    return f"{text}; too little stands behind it to say more" if row["severity"] == "too_few" else text


def what_to_do(row: Mapping[str, Any]) -> str:
    """What a person does about an alert."""
    return WORDS[row["measure"]][1].format(**_parts(row))


def _parts(row: Mapping[str, Any]) -> dict[str, str]:
    of = row["feature"] or ("all channels" if row["channel"] in (None, "all") else row["channel"])
    shown = {name: "unknown" if row[name] is None else f"{row[name]:.3g}" for name in ("value", "baseline", "effect")}
    return {"of": str(of), "subject": str(row["subject"]), **shown}
