"""From a raw score to a probability: one line in log-odds (Platt 1999) plus an offset per channel, shrunk to none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nba.learning.settings import LearningSettings


def sigmoid(score: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-score), without overflow."""
    return 1.0 / (1.0 + np.exp(-np.clip(score, -500.0, 500.0)))


@dataclass(frozen=True)
class Calibration:
    """probability = sigmoid(intercept + slope * raw + offset of the channel), kept `margin` away from 0 and 1: nothing is ever certain."""

    intercept: float = 0.0
    slope: float = 1.0
    offsets: dict[str, float] | None = None
    margin: float = 1e-4

    def probability(self, raw: np.ndarray, channel: np.ndarray) -> np.ndarray:
        """float64 (rows,). channel: text per row; one without an offset has the pooled line."""
        score = self.intercept + self.slope * raw
        for name, offset in (self.offsets or {}).items():
            score = np.where(channel == name, score + offset, score)
        return np.clip(sigmoid(score), self.margin, 1 - self.margin)

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {
            "intercept": self.intercept,
            "slope": self.slope,
            "offsets": dict(sorted((self.offsets or {}).items())),
            "margin": self.margin,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Calibration:
        """Inverse of to_json."""
        return cls(**data)


def margin_for(touches: float) -> float:
    """How close to 0 or 1 a probability may come after so many labelled touches: half a touch among them, between 0.0001 and 0.05."""
    return float(np.clip(0.5 / (touches + 1.0), 1e-4, 0.05))


def fit_calibration(
    raw: np.ndarray, channel: np.ndarray, responses: np.ndarray, touches: np.ndarray, settings: LearningSettings, margin: float
) -> Calibration:
    """Fit by Newton on rows that the scored model was not trained on.

    Ridge: intercept and offsets towards 0, slope towards 1. An offset has a prior worth min_channel_touches / 4 touches at even odds and a
    channel with fewer touches than min_channel_touches has none. Raises nothing: without rows it is the identity.
    """
    if not len(raw):
        return Calibration(margin=margin)
    names = sorted({str(name) for name in channel})
    totals = {name: float(touches[channel == name].sum()) for name in names}
    names = [name for name in names if totals[name] >= settings.min_channel_touches] if len(names) > 1 else []
    columns = np.column_stack([np.ones(len(raw)), raw, *((channel == name).astype(float) for name in names)])
    prior = np.zeros(columns.shape[1])
    prior[1] = 1.0
    shrink = max(settings.min_channel_touches / 16.0, 1.0)  # a quarter of the touches, each worth p (1 - p) = 1/4
    penalty = np.array([1.0, 10.0] + [shrink] * len(names))
    weights = prior.copy()
    for _ in range(50):
        chance = sigmoid(columns @ weights)
        gradient = columns.T @ (responses - touches * chance) - penalty * (weights - prior)
        curvature = (columns * (touches * chance * (1 - chance))[:, None]).T @ columns + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-9:
            break
    slope = float(np.clip(weights[1], 0.05, 3.0))
    return Calibration(float(weights[0]), slope, {name: float(weight) for name, weight in zip(names, weights[2:], strict=True)}, margin)
