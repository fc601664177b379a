"""Score and explain every pair: raw score, probability, the five features that moved it most, the rest as one number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nba.learning.encoding import is_text, numbers, texts
from nba.learning.model_json import EngagementModel, channel_names

DRIVERS = 5
BATCH_ROWS = 100_000
SCORE_SCHEMA = pa.schema(
    [
        ("hcp_id", pa.string()),
        ("channel", pa.string()),
        ("model_version", pa.string()),
        ("raw_score", pa.float64()),
        ("base_value", pa.float64()),
        ("engagement_probability", pa.float64()),
        *[
            field
            for k in range(1, DRIVERS + 1)
            for field in ((f"driver_{k}", pa.string()), (f"driver_{k}_value", pa.string()), (f"driver_{k}_contribution", pa.float64()))
        ],
        ("other_contribution", pa.float64()),
    ]
)


def number_texts(values: np.ndarray) -> np.ndarray:
    """Numbers as texts of at most 6 significant digits, without an exponent between 1e-9 and 1e15; NaN is `unknown`."""
    known = np.isfinite(values) & (values != 0)
    digits = np.zeros(len(values), np.int64)
    digits[known] = 5 - np.floor(np.log10(np.abs(values[known]))).astype(np.int64)
    up, down = 10.0 ** np.clip(digits, 0, 22), 10.0 ** np.clip(-digits, 0, 22)
    rounded = np.round(values / down * up) / up * down
    distinct, group = np.unique(rounded, return_inverse=True)
    return np.array([_number_text(value) for value in distinct.tolist()], dtype=object)[group]


def _number_text(value: float) -> str:
    if np.isnan(value):
        return "unknown"
    if value == 0:
        return "0"
    if not 1e-9 <= abs(value) < 1e15:
        return f"{value:.6g}"
    return f"{value:.15f}".rstrip("0").rstrip(".") if abs(value) < 1e-4 else _trim(value)


def _trim(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def top_drivers(contributions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(columns of the five largest contributions by absolute value per row, their values), ties in the order of the features; -1 and nan
    when fewer are not 0. contributions: (rows, features)."""
    from nba.learning.tree_shap_kernels import largest

    places = np.empty((len(contributions), DRIVERS), dtype=np.int64)
    values = np.full(places.shape, np.nan)
    largest(np.ascontiguousarray(contributions.T), DRIVERS, places, values)
    return places, values


def stream_scores(model_json: str, pairs: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """score_engagement as a stream: each batch of pairs is read, scored and handed on, so that memory does not grow with the panel."""
    batches = score_batches(model_json, (pa.Table.from_batches([batch]) for batch in pairs))
    return pa.RecordBatchReader.from_batches(SCORE_SCHEMA, (part for table in batches for part in table.combine_chunks().to_batches()))


def score_batches(model_json: str, batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Score tables of pairs one after the other with one load of the model."""
    model = EngagementModel.from_json(model_json)
    explainer = None if model.kind == "none" else model.explainer()
    for batch in batches:
        yield _score_batch(model, explainer, batch)


def score_engagement(model_json: str, pairs: pa.Table, batch_rows: int = BATCH_ROWS) -> pa.Table:
    """score_engagement for all pairs (feat_scoring), in their order.

    Every pair has a raw score. A channel that records no responses, and every channel without a model, has no probability and no drivers.
    raw_score = base_value + sum of the driver contributions + other_contribution, in log-odds before calibration.
    Raises LearningInputError for a text that is no model and for a table that lacks a feature.
    """
    batches = (pairs.slice(first, batch_rows) for first in range(0, pairs.num_rows, batch_rows))
    found = list(score_batches(model_json, batches))
    return pa.concat_tables(found) if found else SCORE_SCHEMA.empty_table()


def _score_batch(model: EngagementModel, explainer: Any, pairs: pa.Table) -> pa.Table:
    rows = pairs.num_rows
    out: dict[str, Any] = {"hcp_id": texts(pairs["hcp_id"]), "channel": texts(pairs["channel"])}
    out["model_version"] = pa.repeat(pa.scalar(model.model_version), rows)
    if explainer is None:
        empty = {field.name: pa.nulls(rows, field.type) for field in SCORE_SCHEMA if field.name not in out}
        return pa.table({**out, **empty}).select(SCORE_SCHEMA.names).cast(SCORE_SCHEMA)
    contributions = explainer.contributions(model.encoder.matrix(pairs))
    moved = contributions.sum(axis=1)
    raw = explainer.base + moved
    chance = model.probability(raw, channel_names(pairs))
    silent = np.isnan(chance)
    top, taken = top_drivers(contributions)
    top[silent], taken[silent] = -1, np.nan
    shown = np.nansum(taken, axis=1)
    out |= {"raw_score": raw, "base_value": np.full(rows, explainer.base), "engagement_probability": _nullable(chance)}
    shown_values = _driver_values(model, pairs, top)
    names = pa.array(model.encoder.features, pa.string())
    for place in range(DRIVERS):
        chosen = pa.array(top[:, place], mask=top[:, place] < 0)
        out[f"driver_{place + 1}"] = names.take(chosen)
        out[f"driver_{place + 1}_value"] = pa.array(shown_values[:, place], pa.string())
        out[f"driver_{place + 1}_contribution"] = _nullable(taken[:, place])
    out["other_contribution"] = _nullable(np.where(silent, np.nan, moved - shown))
    return pa.table(out).select(SCORE_SCHEMA.names).cast(SCORE_SCHEMA)


def _nullable(values: np.ndarray) -> pa.Array:
    return pa.array(values, pa.float64(), mask=np.isnan(values))


def _driver_values(model: EngagementModel, pairs: pa.Table, top: np.ndarray) -> np.ndarray:
    """Texts (rows, 5) of the values that the drivers had in the table; None where there is no driver."""
    out = np.full(top.shape, None, dtype=object)
    for position, name in enumerate(model.encoder.features):
        rows, places = np.nonzero(top == position)
        if not len(rows):
            continue
        column = pairs[name].take(pa.array(rows))
        if is_text(column.type) or name in model.encoder.categories:
            out[rows, places] = pc.fill_null(texts(column), "unknown").to_numpy(zero_copy_only=False)
        else:
            out[rows, places] = number_texts(numbers(column, name))
    return out
