"""What was before: fading means and stocks of a panel, strictly before every period, and what an HCP is like.

All memories fade by a rate per week, so that weekly and monthly panels mean the same by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa

from nba.impact.panel import Panel
from nba.impact.settings import ImpactSettings
from nba.learning.encoding import is_text, numbers, texts

KPI_FADES = (0.5, 0.8, 0.93, 0.98, 1.0)  # per week: what is kept of the weight of the week before
LEVEL_FADES = (0.93, 0.98)  # the level that effects scale with: some months of history
STOCK_FADES = (0.6, 0.85)
LEVEL_PRIOR_WEEKS = 4.0  # history that weighs as much as the segment's mean
SEGMENT_PRIOR_HCPS = 5.0
RATE_PRIOR_TOUCHES = 8.0
MOST_CATEGORIES = 8
FOLDS = 5
OFFSET = 0.25  # of the mean level: HCPs at zero are not without any effect


def fading_mean(values: np.ndarray, fade: float) -> tuple[np.ndarray, np.ndarray]:
    """Fading mean of what is known strictly before each period, and its weight: both (n, P + 1); 0 where nothing is known.

    values: (n, P), NaN = unknown.
    """
    from nba.impact.kernels import fading_average

    shape = (values.shape[0], values.shape[1] + 1)
    mean, weight = np.empty(shape, np.float32), np.empty(shape, np.float32)
    fading_average(np.ascontiguousarray(values, np.float32), float(fade), mean, weight)
    return mean, weight


def stock(values: np.ndarray, fade: float) -> np.ndarray:
    """Fading sum strictly before each period: (n, P, C) to (n, P + 1, C)."""
    from nba.impact.kernels import fading_sum

    out = np.empty((values.shape[0], values.shape[1] + 1, values.shape[2]), np.float32)
    fading_sum(np.ascontiguousarray(values), float(fade), out)
    return out


@dataclass(frozen=True)
class People:
    """What does not change: (n, ...) in the order of the panel.

    decile: 1..10 or 0 = unknown. rep: code or -1. segment: code of specialty and decile. traits: (n, m) of 0/1 and standardised numbers,
    families: the driver that each trait belongs to, values: driver -> text per HCP. fold: 0..4 by hash, so that an HCP keeps it.
    """

    decile: np.ndarray
    access: np.ndarray
    rep: np.ndarray
    segment: np.ndarray
    traits: np.ndarray
    families: list[str]
    values: dict[str, np.ndarray]
    fold: np.ndarray


def people(hcps: pa.Table, panel: Panel, settings: ImpactSettings) -> People:
    """From the master's columns; a column that is missing or empty says nothing."""
    order = pa.compute.sort_indices(texts(hcps["hcp_id"]).combine_chunks())
    hcps = hcps.take(order)
    decile = _column(hcps, "decile")
    known = np.where(np.isfinite(decile), np.clip(np.round(decile), 1, 10), 0).astype(np.int64)
    blocks: list[tuple[str, np.ndarray]] = []
    values: dict[str, np.ndarray] = {}
    for name in ("specialty", "practice_type", "rep_access", "decile", *settings.attributes):
        if name not in hcps.column_names:
            continue
        if is_text(hcps[name].type):
            codes, words = _categories(hcps[name])
            values[name] = words
            # the most frequent category is what the others are compared with
            blocks += [(name, (codes == code).astype(float)) for code in range(1, codes.max(initial=0) + 1)]
        else:
            raw = _column(hcps, name)
            values[name] = np.array([None if not np.isfinite(v) else f"{v:g}" for v in raw], dtype=object)
            straight = _standardised(raw)
            # the middle may gain most, or least
            blocks += [(name, straight), (name, np.clip(straight**2, 0, 4) - np.clip(straight**2, 0, 4).mean())]
    blocks = [(name, column) for name, column in blocks if np.ptp(column) > 0]
    access, _ = _categories(hcps["rep_access"]) if "rep_access" in hcps.column_names else (np.zeros(panel.hcps, np.int64), None)
    specialty, _ = _categories(hcps["specialty"]) if "specialty" in hcps.column_names else (np.zeros(panel.hcps, np.int64), None)
    rep = _codes(hcps["rep_id"]) if "rep_id" in hcps.column_names else np.full(panel.hcps, -1)
    return People(
        decile=known,
        access=access,
        rep=rep,
        segment=specialty * 11 + known,
        traits=np.column_stack([c for _, c in blocks]).astype(np.float32) if blocks else np.zeros((panel.hcps, 0), np.float32),
        families=[name for name, _ in blocks],
        values=values,
        fold=np.array([crc32(f"{settings.seed}|{i}".encode()) % FOLDS for i in panel.hcp_ids.to_pylist()], np.int64),
    )


def segment_levels(panel: Panel, who: People) -> tuple[np.ndarray, float]:
    """Mean KPI per period of an HCP's segment, shrunk to that of all by SEGMENT_PRIOR_HCPS: (n,), and the mean of all (0 without KPI)."""
    with np.errstate(invalid="ignore"):
        known = np.isfinite(panel.kpi)
        means = np.where(known, panel.kpi, 0).sum(axis=1, dtype=np.float64) / np.maximum(known.sum(axis=1), 1)
    has = known.any(axis=1)
    overall = float(means[has].mean()) if has.any() else 0.0
    groups = int(who.segment.max(initial=0)) + 1
    total = np.bincount(who.segment[has], means[has], groups) + SEGMENT_PRIOR_HCPS * overall
    return (total / (np.bincount(who.segment[has], minlength=groups) + SEGMENT_PRIOR_HCPS))[who.segment], overall


def level(
    panel: Panel, hcps: slice, periods: slice, segment: np.ndarray, settings: ImpactSettings, values: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Level of the KPI (or market) as known at the start of some periods, (n, T), and the share of it that is the HCP's own.

    As known: the means end with the period that had been delivered by then, in training as in scoring.
    """
    at = panel.known_through[periods] + 1
    mean, weight = np.float32(0), np.float32(0)
    for fade in LEVEL_FADES:
        found = fading_mean(values[hcps], fade**settings.weeks)
        mean, weight = mean + found[0][:, at] / len(LEVEL_FADES), weight + found[1][:, at] / len(LEVEL_FADES)
    own = weight / (weight + np.float32(LEVEL_PRIOR_WEEKS / settings.weeks))
    return own * mean + (1 - own) * segment[hcps, None].astype(np.float32), own


def _column(hcps: pa.Table, name: str) -> np.ndarray:
    if name not in hcps.column_names or is_text(hcps[name].type):
        return np.full(hcps.num_rows, np.nan)
    return numbers(hcps[name], name)


def _standardised(values: np.ndarray) -> np.ndarray:
    """Mean 0, deviation 1, at most 3 either way; unknown is the mean."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    middle, spread = values[known].mean(), values[known].std()
    return np.clip(np.where(known, (values - middle) / (spread or 1.0), 0.0), -3, 3)


def _categories(column: Any) -> tuple[np.ndarray, np.ndarray]:
    """Codes by falling frequency (ties by name), the rest sharing the last one, and the texts."""
    words = np.array([w if w is not None else None for w in texts(column).to_pylist()], dtype=object)
    names, counts = np.unique([w for w in words if w is not None] or [""], return_counts=True)
    ranked = names[np.lexsort((names, -counts))][:MOST_CATEGORIES]
    place = {name: code for code, name in enumerate(ranked)}
    return np.array([place.get(w, len(ranked)) if w is not None else len(ranked) for w in words], np.int64), words


def _codes(column: Any) -> np.ndarray:
    words = texts(column).to_pylist()
    place = {name: code for code, name in enumerate(sorted({w for w in words if w is not None}))}
    return np.array([place.get(w, -1) for w in words], np.int64)
