"""A challenger against the champion, on touches that are new to both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from nba.learning.additive import AdditiveModel
from nba.learning.boosting import fit_boosting
from nba.learning.engagement import Labelled, Prepared, refit
from nba.learning.metrics import log_loss
from nba.learning.model_json import EngagementModel, channel_names
from nba.learning.settings import LearningSettings

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Duel:
    """Log loss per touch of challenger and champion on the same touches; `why_not` where they could not be compared."""

    challenger: float | None = None
    champion: float | None = None
    touches: int = 0
    why_not: str = ""


def beats(duel: Duel, margin: float) -> bool:
    """Whether the challenger's loss is lower than the champion's by a share `margin` of it."""
    assert duel.challenger is not None and duel.champion is not None
    return duel.challenger < duel.champion * (1 - margin)


def compare(
    rows: Prepared, record: Mapping[str, Any], champion: EngagementModel, seen_through: date | None, config: Mapping[str, Any]
) -> Duel:
    """Both models on the touches after the newest snapshot, which the champion has not seen and the challenger, learned again from the rows
    before it, has not either. record: the challenger's row; seen_through: the newest snapshot that the champion learned from."""
    challenger = EngagementModel.from_json(record["model_json"])
    if challenger.kind == "none":
        return Duel(why_not="there is nothing to learn from now")
    newest = rows.dates.max()
    held, earlier = rows.dates == newest, rows.dates < newest
    if seen_through is None or EPOCH + timedelta(days=int(newest)) <= seen_through:
        return Duel(why_not="no outcome is known that the champion has not learned from")
    touches = rows.data.touches[held]
    if touches.sum() < max(float(config["min_channel_touches"]), 1.0) or not earlier.any():
        return Duel(why_not=f"only {touches.sum():g} touches are new to both, too few to tell")
    chance = challenger.probability(
        _raw_without(rows, challenger.kind, json.loads(record["parameters"]), earlier, held), rows.data.channel[held]
    )
    part = rows.table.filter(pa.array(held))
    explainer = champion.explainer()
    raw = explainer.base + explainer.contributions(champion.encoder.matrix(part)).sum(axis=1)
    own = champion.probability(raw, channel_names(part))
    both = np.isfinite(chance) & np.isfinite(own)
    answers, tries = rows.data.responses[held][both], touches[both]
    return Duel(log_loss(chance[both], answers, tries), log_loss(own[both], answers, tries), int(tries.sum()))


def _raw_without(rows: Prepared, kind: str, parameters: Mapping[str, Any], earlier: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Raw scores of the held rows by the recipe of a model, learned from the earlier rows alone."""
    data = rows.data
    used = LearningSettings(**{field.name: parameters[field.name] for field in fields(LearningSettings)})
    part = Labelled(data.matrix[earlier], data.channel[earlier], data.touches[earlier], data.responses[earlier], data.split)
    if kind == "hgb":
        fitted = fit_boosting(part.matrix, part.responses, part.touches, rows.encoder, used, int(parameters["iterations"]))
        return fitted.decision_function(data.matrix[held])
    core = refit(kind, part, rows.encoder, used, 0)
    assert isinstance(core, AdditiveModel)
    return core.base + core.contributions(data.matrix[held]).sum(axis=1)
