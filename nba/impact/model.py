"""What was learned, as a record that is stored as JSON and scores again to the same numbers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa

from nba.impact.effects import Effects
from nba.impact.form import Form
from nba.impact.learn import Norm
from nba.learning.settings import LearningInputError

KIND = "impact-1"


@dataclass(frozen=True)
class Learned:
    """One form of the model: its weight in the average, what norms it, what was learned."""

    form: Form
    weight: float
    norm: Norm
    effects: Effects


@dataclass(frozen=True)
class ImpactModel:
    """forms: averaged by weight. Per channel, (C,): latent, relative variance of HCPs' own effects; bias, variance of theta_0 from a failed
    placebo; long_ratio, impact over the long horizon per impact over the cycle; response_rate of the channel; status, one word.
    families: drivers of the modifiers, in their order. diagnostics: rows of impact_diagnostics. said: whatever helps a reader.
    """

    channels: list[str]
    families: list[str]
    forms: list[Learned]
    latent: np.ndarray
    bias: np.ndarray
    long_ratio: np.ndarray
    response_rate: np.ndarray
    status: list[str]
    diagnostics: list[dict[str, Any]]
    said: dict[str, Any]

    def to_json(self) -> str:
        """The record; floats are written so that they come back to the bit."""
        return json.dumps(
            {
                "kind": KIND,
                "channels": self.channels,
                "families": self.families,
                "forms": [_form_record(one) for one in self.forms],
                **{name: getattr(self, name).tolist() for name in ("latent", "bias", "long_ratio", "response_rate")},
                "status": self.status,
                "diagnostics": self.diagnostics,
                "said": self.said,
            },
            sort_keys=True,
            allow_nan=False,
        )

    @classmethod
    def from_json(cls, text: str) -> ImpactModel:
        """The model of a record. LearningInputError for a record of another kind."""
        record = json.loads(text)
        if record.get("kind") != KIND:
            raise LearningInputError(f"impact model of kind {record.get('kind')!r}, this code reads {KIND!r}: build again")
        arrays = {name: np.array(record[name], dtype=np.float64) for name in ("latent", "bias", "long_ratio", "response_rate")}
        forms = [_form(one) for one in record["forms"]]
        rest = {name: record[name] for name in ("channels", "families", "status", "diagnostics", "said")}
        return cls(forms=forms, **arrays, **rest)

    @property
    def version(self) -> str:
        """Hash of what decides the scores."""
        return sha256(self.to_json().encode()).hexdigest()[:16]


MODEL_SCHEMA = pa.schema([("model_version", pa.string()), ("model_json", pa.string()), ("learned_from", pa.string())])


def _form_record(one: Learned) -> dict[str, Any]:
    """Only the blocks of the covariance within a channel are used again."""
    channels, width = one.effects.theta.shape
    blocks = [one.effects.covariance[c * width : (c + 1) * width, c * width : (c + 1) * width] for c in range(channels)]
    return {
        "form": {name: getattr(one.form, name) for name in one.form.__dataclass_fields__},
        "weight": one.weight,
        "mean_shape": one.norm.shape.tolist(),
        "mean_size": one.norm.size,
        "mean_z": one.norm.z.tolist(),
        "effects": one.effects.theta.tolist(),
        "covariance": [block.tolist() for block in blocks],
    }


def _form(record: dict[str, Any]) -> Learned:
    theta = np.array(record["effects"], dtype=np.float64)
    channels, width = theta.shape
    covariance = np.zeros((theta.size, theta.size))
    for c, block in enumerate(record["covariance"]):
        covariance[c * width : (c + 1) * width, c * width : (c + 1) * width] = block
    mean_z = np.array(record["mean_z"], dtype=np.float64).reshape(channels, width - 1)
    norm = Norm(np.array(record["mean_shape"], dtype=np.float64), record["mean_size"], mean_z)
    return Learned(Form(**record["form"]), record["weight"], norm, Effects(theta, covariance))
