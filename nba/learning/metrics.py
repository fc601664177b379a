"""How good probabilities were on touches that the model had not seen, per channel, weighted by touches."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

BINS = 10
MEASURES = ("auc", "log_loss", "brier", "calibration_error", "base_rate", "touches")
SCHEMA = pa.schema(
    [
        ("model_kind", pa.string()),
        ("channel", pa.string()),
        ("measure", pa.string()),
        ("bin", pa.int32()),
        ("value", pa.float64()),
        ("is_chosen", pa.bool_()),
        ("split", pa.string()),
    ]
)


def log_loss(chance: np.ndarray, responses: np.ndarray, touches: np.ndarray) -> float:
    """Mean negative log-likelihood of one touch; NaN without touches."""
    total = float(touches.sum())
    if total <= 0:
        return float("nan")
    kept = np.clip(chance, 1e-12, 1 - 1e-12)
    return float(-(responses * np.log(kept) + (touches - responses) * np.log1p(-kept)).sum() / total)


def auc(chance: np.ndarray, responses: np.ndarray, touches: np.ndarray) -> float:
    """Chance that a random answered touch scores above a random unanswered one, ties half; NaN when one of the two is absent."""
    values, group = np.unique(chance, return_inverse=True)
    hits = np.bincount(group, responses, len(values))
    misses = np.bincount(group, touches - responses, len(values))
    if hits.sum() <= 0 or misses.sum() <= 0:
        return float("nan")
    below = np.cumsum(misses) - misses
    return float((hits * (below + misses / 2)).sum() / (hits.sum() * misses.sum()))


def reliability(chance: np.ndarray, responses: np.ndarray, touches: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(predicted, observed, touches) of up to ten bins of about equally many touches; equal probabilities never part."""
    values, group = np.unique(chance, return_inverse=True)
    weight = np.bincount(group, touches, len(values))
    middle = np.cumsum(weight) - weight / 2
    bins = np.minimum((middle / max(weight.sum(), 1e-300) * BINS).astype(np.int64), BINS - 1)[group]
    total = np.bincount(bins, touches, BINS)
    used = total > 0
    predicted = np.bincount(bins, touches * chance, BINS)[used] / total[used]
    observed = np.bincount(bins, responses, BINS)[used] / total[used]
    return predicted, observed, total[used]


def measure(chance: np.ndarray, responses: np.ndarray, touches: np.ndarray) -> dict[str, float]:
    """Every measure by name; brier is the mean squared error of one touch, calibration_error the mean distance over the reliability
    bins."""
    total = float(touches.sum())
    predicted, observed, weight = reliability(chance, responses, touches)
    brier = float((responses * (1 - chance) ** 2 + (touches - responses) * chance**2).sum() / total)
    return {
        "auc": auc(chance, responses, touches),
        "log_loss": log_loss(chance, responses, touches),
        "brier": brier,
        "calibration_error": float((weight * np.abs(predicted - observed)).sum() / total),
        "base_rate": float(responses.sum() / total),
        "touches": total,
    }


def metric_rows(
    kind: str, chance: np.ndarray, channel: np.ndarray, responses: np.ndarray, touches: np.ndarray, is_chosen: bool
) -> list[dict]:
    """Rows of engagement_metrics of one kind of model on the test part: `all` and every channel with touches."""
    rows: list[dict] = []
    scopes = [("all", np.ones(len(channel), bool))] + [(name, channel == name) for name in sorted({str(value) for value in channel})]
    for name, own in scopes:
        if touches[own].sum() <= 0:
            continue
        part = chance[own], responses[own], touches[own]
        found: list[tuple[str, int | None, float]] = [(key, None, value) for key, value in measure(*part).items()]
        predicted, observed, _ = reliability(*part)
        found += [("reliability_predicted", number, float(value)) for number, value in enumerate(predicted)]
        found += [("reliability_observed", number, float(value)) for number, value in enumerate(observed)]
        head = {"model_kind": kind, "channel": name, "is_chosen": is_chosen, "split": "test"}
        rows += [{**head, "measure": key, "bin": place, "value": None if np.isnan(value) else value} for key, place, value in found]
    return rows


def metrics_table(rows: list[dict]) -> pa.Table:
    """engagement_metrics with its types, also without rows."""
    return pa.Table.from_pylist(rows, schema=SCHEMA)
