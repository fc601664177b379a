"""The deployed engagement model: one JSON text of plain numbers that any later run loads without executing code."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from nba.learning.additive import AdditiveModel
from nba.learning.calibration import Calibration
from nba.learning.encoding import Encoder, texts
from nba.learning.settings import LearningInputError
from nba.learning.trees import Trees

FORMAT = 1
KINDS = ("hgb", "logistic", "base_rate", "none")


@dataclass(frozen=True)
class EngagementModel:
    """kind, the features it reads, its trees or terms, its calibration, the channels that record responses, and how good it was when
    chosen.

    Every score of the project goes through the JSON form, so a model loaded later scores the same to the last bit.
    """

    kind: str
    model_version: str
    encoder: Encoder
    core: Trees | AdditiveModel | None
    calibration: Calibration = field(default_factory=Calibration)
    recording_channels: tuple[str, ...] = ()
    metrics: tuple[dict[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise LearningInputError(f"model kind '{self.kind}' must be one of {', '.join(KINDS)}")
        if (self.core is None) != (self.kind == "none"):
            raise LearningInputError(f"a model of kind '{self.kind}' {'has' if self.core else 'lacks'} trees or terms")

    def explainer(self) -> AdditiveExplainer | Any:
        """Something with `base` and `contributions(matrix)`; building it once serves many batches. Not for kind none."""
        if isinstance(self.core, Trees):
            from nba.learning.tree_shap import Explainer

            return Explainer.build(self.core)
        if self.core is None:
            raise LearningInputError("there is no engagement model to explain")
        return AdditiveExplainer(self.core, self.core.base)

    def probability(self, raw: np.ndarray, channel: np.ndarray) -> np.ndarray:
        """Calibrated probability per row; NaN where the channel records no responses."""
        chance = self.calibration.probability(raw, channel)
        return np.where(np.isin(channel, np.array(self.recording_channels, dtype=object).astype(str)), chance, np.nan)

    def to_json(self) -> str:
        """Strict JSON (no NaN, no infinity), keys sorted."""
        core = None if self.core is None else self.core.to_json()
        data = {
            "format": FORMAT,
            "kind": self.kind,
            "model_version": self.model_version,
            "encoder": self.encoder.to_json(),
            "core": core,
            "calibration": self.calibration.to_json(),
            "recording_channels": list(self.recording_channels),
            "metrics": list(self.metrics),
        }
        return json.dumps(data, sort_keys=True, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> EngagementModel:
        """Inverse of to_json. Raises LearningInputError for anything else than such a text: nothing in it is ever run."""
        try:
            data = json.loads(text)
            if not isinstance(data, dict):
                raise LearningInputError(f"model_json is not an engagement model: it holds a {type(data).__name__}")
            if data["format"] != FORMAT:
                raise LearningInputError(f"model format {data['format']} is not {FORMAT}")
            kind = data["kind"]
            core = (
                {"hgb": Trees, "logistic": AdditiveModel, "base_rate": AdditiveModel}[kind].from_json(data["core"])
                if data["core"]
                else None
            )
            encoder, calibration = Encoder.from_json(data["encoder"]), Calibration.from_json(data["calibration"])
            rest = str(data["model_version"]), tuple(data["recording_channels"]), tuple(data["metrics"])
        except LearningInputError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
            raise LearningInputError(f"model_json is not an engagement model: {type(error).__name__} {error}") from error
        version, channels, metrics = rest
        return cls(kind, version, encoder, core, calibration, channels, metrics)


@dataclass(frozen=True)
class AdditiveExplainer:
    """An additive model is its own explanation."""

    model: AdditiveModel
    base: float

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """float64 (rows, features)."""
        return self.model.contributions(matrix)


def channel_names(table: pa.Table) -> np.ndarray:
    """The channel column as an array of texts."""
    return texts(table["channel"]).to_numpy(zero_copy_only=False).astype(str)
