"""How good an estimate is beside the truth: intervals by channel and among planned pairs, predicted against true plan value."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.impact.people import Floats

MISS = 0.10  # 90% intervals


def interval_score(truth: Floats, low: Floats, high: Floats) -> Floats:
    """Width plus 2 / 0.1 times what the truth lies outside (Gneiting and Raftery 2007, equation 43)."""
    return (high - low) + 2 / MISS * (np.maximum(low - truth, 0.0) + np.maximum(truth - high, 0.0))


def interval_measures(truth: Floats, low: Floats, high: Floats, plan: np.ndarray, channels: list[str]) -> dict[str, Any]:
    """Coverage by channel, overall and among planned pairs; mean interval score over the mean size of the truth (1 where that is 0)."""
    # Rounding at zero is no miss.
    slack = 1e-9
    inside = (truth >= low - slack) & (truth <= high + slack)
    size = float(np.abs(truth).mean()) or 1.0
    by_channel = {name: float(inside[:, k].mean()) for k, name in enumerate(channels)}
    return {
        "coverage": float(inside.mean()),
        "coverage_by_channel": by_channel,
        "coverage_lowest": min(by_channel.values()),
        "coverage_highest": max(by_channel.values()),
        "coverage_planned": float(inside[plan].mean()) if plan.any() else None,
        "interval_score": float(interval_score(truth, low, high).mean()) / size,
    }


def value_measures(truth: Floats, plan: np.ndarray, predicted: Floats | None) -> dict[str, Any]:
    """True gain of a plan, predicted gain where the method speaks KPI units, and their ratio where the true gain is above 0."""
    gain = float(truth[plan].sum())
    found: dict[str, Any] = {"gain": gain, "actions": int(plan.sum()), "predicted": None, "predicted_over_true": None}
    if predicted is not None:
        found["predicted"] = float(predicted[plan].sum())
        found["predicted_over_true"] = found["predicted"] / gain if gain > 0 else None
        # Of the impact itself: calibration of the mean by channel.
        found["mean_predicted"] = [float(v) for v in predicted.mean(axis=0)]
        found["mean_true"] = [float(v) for v in truth.mean(axis=0)]
        flat, true = predicted.ravel(), truth.ravel()
        varies = flat.std() > 0 and true.std() > 0
        found["correlation"] = float(np.corrcoef(flat, true)[0, 1]) if varies else None
    return found
