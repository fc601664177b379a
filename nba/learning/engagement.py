"""Fit the engagement model: three candidates, one chosen on later snapshots, refit on all labelled rows, calibrated, recorded.

P(one touch is responded to), binomial: a row stands for `label_touches` touches in the cycle after its snapshot, `label_responses`
answered.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nba.learning.additive import AdditiveModel, fit_base_rate, fit_logistic
from nba.learning.boosting import fit_boosting, keep_best, trees_of
from nba.learning.calibration import Calibration, fit_calibration, margin_for, sigmoid
from nba.learning.encoding import Encoder, numbers, texts
from nba.learning.metrics import log_loss, metric_rows, metrics_table
from nba.learning.model_json import EngagementModel, channel_names
from nba.learning.scoring import score_engagement
from nba.learning.settings import LearningInputError, LearningSettings
from nba.learning.splits import TEST, TRAIN, VALIDATION, Split, split_rows
from nba.learning.trees import Trees

__all__ = ["engagement_metrics", "fit_engagement", "recording_channels", "score_engagement"]

NAMES = {"base_rate": "the response rate per channel", "logistic": "logistic regression", "hgb": "boosted trees"}  # simplest first
MODEL_SCHEMA = pa.schema(
    [
        ("model_version", pa.string()),
        ("model_kind", pa.string()),
        ("model_json", pa.string()),
        ("trained_rows", pa.int64()),
        ("data_hash", pa.string()),
        ("features", pa.string()),
        ("parameters", pa.string()),
        ("code_hash", pa.string()),
        ("choice_reason", pa.string()),
    ]
)


@dataclass(frozen=True)
class Labelled:
    """Labelled rows in a fixed order: matrix (rows, features) float32, channel, touches, responses, and their split."""

    matrix: np.ndarray
    channel: np.ndarray
    touches: np.ndarray
    responses: np.ndarray
    split: Split

    def part(self, *parts: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """matrix, responses, touches of these parts."""
        own = self.mask(*parts)
        return self.matrix[own], self.responses[own], self.touches[own]

    def mask(self, *parts: int) -> np.ndarray:
        """Rows of these parts."""
        return np.isin(self.split.part, parts)


@dataclass(frozen=True)
class Candidate:
    """A kind of model fitted on the training part: its raw scores of every row, its validation log loss, its settings, its number of
    trees."""

    kind: str
    raw: np.ndarray
    loss: float
    settings: LearningSettings
    iterations: int = 0


def code_hash() -> str:
    """sha256 over the source of this package, file by file in order of name."""
    digest = hashlib.sha256()
    sources = [path for path in files("nba.learning").iterdir() if path.name.endswith(".py")]  # in a zip as well
    for path in sorted(sources, key=lambda source: source.name):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@dataclass(frozen=True)
class Prepared:
    """Labelled rows as the fit sees them, with what names them: the rows as a table, dates (rows,) in days since 1970-01-01, data_hash, and
    the channels that record responses."""

    table: pa.Table
    data: Labelled
    encoder: Encoder
    dates: np.ndarray
    data_hash: str
    channels: tuple[str, ...]


def prepared(training: pa.Table, definitions: pa.Table, settings: LearningSettings, recording_channels: Sequence[str]) -> Prepared:
    """Rows with a known outcome, encoded and hashed. Raises LearningInputError when training lacks a column it must have."""
    training = _labelled_rows(training)
    names = [name for name in definitions["feature_name"].to_pylist() if name is not None]
    encoder = Encoder.fit(training, sorted(names))
    data = _labelled(training, encoder, settings.seed)
    dates = numbers(training["snapshot_date"], "snapshot_date")
    channels = tuple(sorted({str(channel) for channel in recording_channels}))
    return Prepared(training, data, encoder, dates, hash_of_data(data, training), channels)


def fit_engagement(training: pa.Table, definitions: pa.Table, config: Mapping[str, Any], recording_channels: Sequence[str]) -> pa.Table:
    """Fit, choose and record the engagement model.

    training: feat_training. definitions: stg_feature_definition, whose names are the features. config: the run_config row.
    recording_channels: channels with any recorded response; only these have a probability.
    Returns engagement_model, one row; engagement_metrics(it) gives the metrics of all candidates. Raises LearningInputError when training
    lacks a column it must have.
    """
    settings = LearningSettings.from_config(config)
    return pa.Table.from_pylist(
        [fit_prepared(prepared(training, definitions, settings, recording_channels), settings)], schema=MODEL_SCHEMA
    )


def fit_prepared(rows: Prepared, settings: LearningSettings) -> dict[str, Any]:
    """The record of the model learned from prepared rows."""
    data, encoder, channels = rows.data, rows.encoder, rows.channels
    record: dict[str, Any] = {"data_hash": rows.data_hash, "code_hash": code_hash(), "features": json.dumps(list(encoder.features))}
    if not len(data.touches) or not channels or not encoder.features:
        reason = "no model: no touch with a known outcome to learn from" if channels else "no model: no channel records responses"
        chosen, candidates, best = "none", [], None
    else:
        candidates, notes = fit_candidates(data, encoder, settings)
        chosen, reason = _choose(candidates, notes, data.split)
        best = next(candidate for candidate in candidates if candidate.kind == chosen)
    used, iterations = (best.settings, best.iterations) if best else (settings, 0)
    parameters = {**used.parameters(), "iterations": iterations, "recording_channels": channels, "dropped": list(encoder.dropped)}
    record["parameters"] = json.dumps(parameters, sort_keys=True)
    version = hashlib.sha256("\n".join(record[key] for key in ("data_hash", "features", "code_hash", "parameters")).encode()).hexdigest()
    core = refit(chosen, data, encoder, used, iterations)
    calibrations = {candidate.kind: _calibration(candidate, data, settings) for candidate in candidates}
    model = EngagementModel(
        chosen,
        version,
        encoder,
        core,
        calibrations.get(chosen, Calibration()),
        channels,
        tuple(_metrics(candidates, calibrations, data, chosen)),
    )
    record |= {
        "model_version": version,
        "model_kind": chosen,
        "model_json": model.to_json(),
        "trained_rows": len(data.touches),
        "choice_reason": reason,
    }
    return record


def engagement_metrics(model: pa.Table) -> pa.Table:
    """engagement_metrics: how good every candidate was on touches of the last snapshots, read back from engagement_model."""
    return metrics_table([row for text in model["model_json"].to_pylist() for row in EngagementModel.from_json(text).metrics])


def recording_channels(catalog: pa.Table) -> list[str]:
    """Channels of stg_catalog that record responses."""
    return catalog.filter(pc.fill_null(catalog["records_responses"], False))["channel"].to_pylist()


def _labelled_rows(training: pa.Table) -> pa.Table:
    """Rows with a usable label, sorted by snapshot, HCP and channel, so that nothing depends on the order of the warehouse."""
    for name in ("hcp_id", "channel", "snapshot_date", "label_touches", "label_responses"):
        if name not in training.column_names:
            raise LearningInputError(f"feat_training lacks the column '{name}'")
    usable = pc.and_(pc.is_valid(training["label_responses"]), pc.greater(training["label_touches"], 0))
    training = training.filter(pc.fill_null(usable, False))
    return training.sort_by([("snapshot_date", "ascending"), ("hcp_id", "ascending"), ("channel", "ascending")])


def _labelled(training: pa.Table, encoder: Encoder, seed: int) -> Labelled:
    touches, responses = numbers(training["label_touches"], "label_touches"), numbers(training["label_responses"], "label_responses")
    if ((responses < 0) | (responses > touches)).any():
        raise LearningInputError("feat_training has rows with label_responses below 0 or above label_touches")
    snapshot = training["snapshot_date"].cast(pa.date32()).cast(pa.int32()).to_numpy()
    hcp = texts(training["hcp_id"]).to_numpy(zero_copy_only=False).astype(str)
    return Labelled(encoder.matrix(training), channel_names(training), touches, responses, split_rows(snapshot, hcp, seed))


def hash_of_data(data: Labelled, training: pa.Table) -> str:
    digest = hashlib.sha256()
    for values in (data.matrix, data.touches, data.responses, data.split.part):
        digest.update(np.ascontiguousarray(values).tobytes())
    for name in ("hcp_id", "channel", "snapshot_date"):
        digest.update("\n".join(texts(training[name]).to_pylist()).encode())
    return digest.hexdigest()


def fit_candidates(data: Labelled, encoder: Encoder, settings: LearningSettings) -> tuple[list[Candidate], list[str]]:
    """The kinds of model that the data allows, fitted on the training part, simplest first; notes on what was left out."""
    matrix, responses, touches = data.part(*([TRAIN] if data.mask(TRAIN).any() else [TRAIN, VALIDATION, TEST]))
    later = data.mask(*([VALIDATION] if data.mask(VALIDATION).any() else [TRAIN, VALIDATION, TEST]))

    def candidate(kind: str, raw: np.ndarray, used: LearningSettings, iterations: int = 0) -> Candidate:
        return Candidate(kind, raw, log_loss(sigmoid(raw[later]), data.responses[later], data.touches[later]), used, iterations)

    def additive(kind: str, model: AdditiveModel, used: LearningSettings) -> Candidate:
        return candidate(kind, model.base + model.contributions(data.matrix).sum(axis=1), used)

    def boosted(used: LearningSettings) -> Candidate:
        model = fit_boosting(matrix, responses, touches, encoder, used, used.max_iterations)
        best = keep_best(model, data.matrix[later], data.responses[later], data.touches[later])
        return candidate("hgb", model.decision_function(data.matrix), used, best)

    found = [additive("base_rate", fit_base_rate(matrix, responses, touches, encoder, settings), settings)]
    answered, silent = responses.sum(), (touches - responses).sum()
    if min(answered, silent) < settings.min_class_touches:
        return found, [f"only {answered:g} answered and {silent:g} unanswered touches to learn from, so nothing finer was tried"]
    lines = [
        additive("logistic", fit_logistic(matrix, responses, touches, encoder, used), used) for used in settings.ridges_for(len(matrix))
    ]
    forests = [boosted(used) for used in settings.trees_for(len(matrix))]
    found += [min(same, key=lambda one: one.loss) for same in (lines, forests)]
    return found, []


def _choose(candidates: list[Candidate], notes: list[str], split: Split) -> tuple[str, str]:
    """The kind with the lowest validation log loss, the simplest of equals, and why in a sentence."""
    chosen = min(candidates, key=lambda candidate: candidate.loss)
    losses = ", ".join(f"{NAMES[candidate.kind]} {candidate.loss:.5f}" for candidate in candidates)
    text = f"{NAMES[chosen.kind]}: lowest log loss per touch on later data ({losses}); {split.how}"
    return chosen.kind, "; ".join([text, *notes])


def refit(kind: str, data: Labelled, encoder: Encoder, settings: LearningSettings, iterations: int) -> Trees | AdditiveModel | None:
    """The chosen kind on every labelled row."""
    if kind == "none":
        return None
    everything = data.matrix, data.responses, data.touches
    if kind == "hgb":
        return trees_of(fit_boosting(*everything, encoder, settings, iterations))
    return (fit_logistic if kind == "logistic" else fit_base_rate)(*everything, encoder, settings)


def _calibration(candidate: Candidate, data: Labelled, settings: LearningSettings) -> Calibration:
    """Calibration on the validation part, which the candidate was not trained on."""
    own = data.mask(VALIDATION)
    margin = margin_for(float(data.touches.sum()))
    return fit_calibration(candidate.raw[own], data.channel[own], data.responses[own], data.touches[own], settings, margin)


def _metrics(candidates: list[Candidate], calibrations: dict[str, Calibration], data: Labelled, chosen: str) -> list[dict[str, Any]]:
    """All kinds on the test part, each with its own calibration."""
    own = data.mask(TEST)
    rows: list[dict] = []
    for candidate in candidates:
        chance = calibrations[candidate.kind].probability(candidate.raw[own], data.channel[own])
        rows += metric_rows(candidate.kind, chance, data.channel[own], data.responses[own], data.touches[own], candidate.kind == chosen)
    return rows
