"""Switches of learning and impact, taken from the one row of run_config and checked once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any


class LearningInputError(ValueError):
    """Tables or switches that contradict the contract reached the learning room; the text names column and value."""


SMALL_ROWS = 100_000  # up to here several strengths of regularisation are compared; beyond, the data decide anyway


def _require(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise LearningInputError(f"{name} {value} must be between {low:g} and {high:g}")


def _pick(config: Mapping[str, Any], names: dict[str, type]) -> dict[str, Any]:
    """The named switches that the configuration row carries, as plain Python numbers or text; null means the default."""
    return {name: kind(config[name]) for name, kind in names.items() if config.get(name) is not None}


@dataclass(frozen=True)
class LearningSettings:
    """Switches of the engagement model.

    seed: random state of everything drawn. min_channel_touches: channels with fewer labelled touches share the pooled calibration.
    max_iterations, learning_rate, max_depth, max_leaves, min_leaf_rows, l2: of the boosted trees.
    ridge: prior precision of a standardised logistic coefficient (1 for those of the channel). rate_prior_touches: touches by which a
    channel's rate is shrunk to the pooled one.
    min_class_touches: responses and non-responses that the training part needs before anything but a base rate is tried.
    """

    seed: int = 0
    min_channel_touches: int = 200
    max_iterations: int = 150
    learning_rate: float = 0.08
    max_depth: int = 6
    max_leaves: int = 31
    min_leaf_rows: int = 20
    l2: float = 1.0
    ridge: float = 1.0
    rate_prior_touches: float = 20.0
    min_class_touches: int = 10

    def __post_init__(self) -> None:
        _require("min_channel_touches", self.min_channel_touches, 0, 1e12)
        _require("max_iterations", self.max_iterations, 1, 2000)
        _require("learning_rate", self.learning_rate, 1e-4, 1)
        _require("max_depth", self.max_depth, 1, 6)
        _require("max_leaves", self.max_leaves, 2, 64)
        _require("min_leaf_rows", self.min_leaf_rows, 1, 1e9)
        _require("ridge", self.ridge, 1e-9, 1e9)
        _require("rate_prior_touches", self.rate_prior_touches, 1e-9, 1e9)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> LearningSettings:
        """Settings from a run_config row; unknown columns are ignored."""
        return cls(**_pick(config, {"seed": int, "min_channel_touches": int}))

    def ridges_for(self, rows: int) -> list[LearningSettings]:
        """Settings of the logistic regressions to compare: with few rows also much stronger ridges."""
        return [self] if rows > SMALL_ROWS else [replace(self, ridge=self.ridge * factor) for factor in (300.0, 100.0, 30.0, 10.0, 1.0)]

    def trees_for(self, rows: int) -> list[LearningSettings]:
        """Settings of the boosted trees to compare: with few rows also small and slow ones."""
        small = replace(
            self,
            max_leaves=min(self.max_leaves, 6),
            min_leaf_rows=max(self.min_leaf_rows, 50),
            learning_rate=self.learning_rate / 2,
            l2=20.0,
        )
        return [self] if rows > SMALL_ROWS else [small, self]

    def parameters(self) -> dict[str, float | int]:
        """Every parameter by name, for the model's record."""
        return asdict(self)
