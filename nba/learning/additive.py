"""Models that are a sum of one term per feature: the logistic regression and the base rate. Their explanation is the sum itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nba.learning.encoding import Encoder
from nba.learning.settings import LearningInputError, LearningSettings

CHUNK = 100_000
ONE_HOTS = 30  # most frequent categories of a feature with a coefficient of their own; the others share the mean of none


@dataclass(frozen=True)
class Term:
    """Contribution of one feature in log-odds, centred on the training mean.

    A number x contributes slope * (min(max(x, low), high) - mean): never beyond the range seen in training. A category contributes
    table[code]. A missing value, and a code beyond the table, contributes `missing`.
    """

    missing: float
    slope: float = 0.0
    mean: float = 0.0
    low: float = 0.0
    high: float = 0.0
    offset: float = 0.0
    table: tuple[float, ...] | None = None

    def contribution(self, values: np.ndarray) -> np.ndarray:
        """float64 (rows,)."""
        gone = np.isnan(values)
        if self.table is None:
            return np.where(
                gone, self.missing, self.slope * (np.clip(values.astype(np.float64), self.low, self.high) - self.mean) + self.offset
            )
        known = ~gone & (values >= 0) & (values < len(self.table))
        lookup = np.array([*self.table, self.missing])
        return lookup[np.where(known, np.nan_to_num(values), len(self.table)).astype(np.int64)]


@dataclass(frozen=True)
class AdditiveModel:
    """base + one term per feature, in log-odds."""

    base: float
    terms: tuple[Term, ...]

    def contributions(self, matrix: np.ndarray) -> np.ndarray:
        """float64 (rows, features)."""
        if matrix.shape[1] != len(self.terms):
            raise LearningInputError(f"matrix has {matrix.shape[1]} columns, the model {len(self.terms)} terms")
        out = np.zeros(matrix.shape)
        for column, term in enumerate(self.terms):
            out[:, column] = term.contribution(matrix[:, column])
        return out

    def to_json(self) -> dict[str, Any]:
        """Plain numbers."""
        return {
            "base": self.base,
            "terms": [{**vars(term), "table": None if term.table is None else list(term.table)} for term in self.terms],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> AdditiveModel:
        """Inverse of to_json."""
        terms = [Term(**{**term, "table": None if term["table"] is None else tuple(term["table"])}) for term in data["terms"]]
        return cls(float(data["base"]), tuple(terms))


@dataclass(frozen=True)
class _Design:
    """How a matrix of features becomes centred columns: per feature either (value, missing) or one column per frequent category."""

    low: np.ndarray
    high: np.ndarray
    fill: np.ndarray
    codes: tuple[tuple[int, ...] | None, ...]  # None = a number

    @classmethod
    def fit(cls, matrix: np.ndarray, encoder: Encoder) -> _Design:
        features = matrix.shape[1]
        low, high, fill = np.zeros(features), np.zeros(features), np.zeros(features)
        codes: list[tuple[int, ...] | None] = []
        for column, name in enumerate(encoder.features):
            values = matrix[:, column].astype(np.float64)
            values = values[~np.isnan(values)]
            if name in encoder.categories:
                counts = np.bincount(values.astype(np.int64), minlength=encoder.codes(name))
                frequent = np.lexsort((np.arange(len(counts)), -counts))[:ONE_HOTS]
                codes.append(tuple(sorted(int(code) for code in frequent if counts[code] > 0)))
                continue
            codes.append(None)
            if len(values):
                low[column], high[column], fill[column] = values.min(), values.max(), np.median(values)
        return cls(low, high, fill, tuple(codes))

    def ridge(self, encoder: Encoder, strength: float) -> np.ndarray:
        """Penalty per design column: what the channels differ by is always learned (at most 1), however strong the ridge on the rest."""
        sizes = [2 if codes is None else len(codes) + 1 for codes in self.codes]
        names = np.repeat(np.array(encoder.features, dtype=object), sizes)
        return np.where(names == "channel", min(strength, 1.0), strength).astype(np.float64)

    def columns(self, matrix: np.ndarray) -> np.ndarray:
        """float64 (rows, design columns), not yet centred: two per feature of numbers, frequent categories + missing for the others."""
        out = []
        for column, codes in enumerate(self.codes):
            values = matrix[:, column].astype(np.float64)
            gone = np.isnan(values)
            if codes is None:
                out += [np.where(gone, self.fill[column], np.clip(values, self.low[column], self.high[column])), gone.astype(np.float64)]
            else:
                out += [(values == code).astype(np.float64) for code in codes] + [gone.astype(np.float64)]
        return np.column_stack(out) if out else np.zeros((len(matrix), 0))


def fit_logistic(
    matrix: np.ndarray, responses: np.ndarray, touches: np.ndarray, encoder: Encoder, settings: LearningSettings
) -> AdditiveModel:
    """Binomial logistic regression with a ridge on standardised columns, by Newton's method (iteratively reweighted least squares).

    Missing numbers take the median and have an indicator. Rows pass in chunks, so memory does not grow with them.
    """
    design = _Design.fit(matrix, encoder)
    mean, scale = _moments(design, matrix)
    numeric = np.concatenate(
        [[codes is None] * 2 if codes is None else [False] * (len(codes) + 1) for codes in design.codes] or [[]]
    ).astype(bool)
    scale = np.where(numeric & (scale > 1e-12), scale, 1.0)
    rate = (responses.sum() + 0.5) / (touches.sum() + 1.0)
    weights = np.concatenate([[np.log(rate / (1 - rate))], np.zeros(len(mean))])
    penalty = np.concatenate([[1e-6], design.ridge(encoder, settings.ridge)])
    for _ in range(30):
        gradient, curvature = -penalty * weights, np.diag(penalty)
        gradient[0] += penalty[0] * weights[0]
        for first in range(0, len(matrix), CHUNK):
            part = slice(first, first + CHUNK)
            columns = np.column_stack([np.ones(len(matrix[part])), (design.columns(matrix[part]) - mean) / scale])
            chance = 1 / (1 + np.exp(-np.clip(columns @ weights, -30, 30)))
            gradient += columns.T @ (responses[part] - touches[part] * chance)
            curvature += (columns * (touches[part] * chance * (1 - chance))[:, None]).T @ columns
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step * min(1.0, 4.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-8:
            break
    return _as_terms(design, weights, mean, scale, encoder)


def _moments(design: _Design, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the design columns, in chunks; two passes, so that large offsets do not cancel."""
    rows = max(len(matrix), 1)
    parts = [slice(first, first + CHUNK) for first in range(0, len(matrix), CHUNK)]
    mean = sum((design.columns(matrix[part]).sum(axis=0) for part in parts), np.zeros(design.columns(matrix[:0]).shape[1])) / rows
    square = sum((((design.columns(matrix[part]) - mean) ** 2).sum(axis=0) for part in parts), np.zeros_like(mean)) / rows
    return mean, np.sqrt(square)


def _as_terms(design: _Design, weights: np.ndarray, mean: np.ndarray, scale: np.ndarray, encoder: Encoder) -> AdditiveModel:
    """Coefficients gathered by feature; the training mean of every design column is taken off, so that the base is the mean score."""
    slopes, terms, at = weights[1:] / scale, [], 0
    for column, codes in enumerate(design.codes):
        if codes is None:
            missing_shift = slopes[at + 1] * mean[at + 1]
            filled = slopes[at] * (design.fill[column] - mean[at]) + slopes[at + 1] - missing_shift
            low, high = float(design.low[column]), float(design.high[column])
            terms.append(Term(float(filled), float(slopes[at]), float(mean[at]), low, high, float(-missing_shift)))
            at += 2
            continue
        shift = float(slopes[at : at + len(codes) + 1] @ mean[at : at + len(codes) + 1])
        table = np.full(encoder.codes(encoder.features[column]), -shift)
        table[list(codes)] += slopes[at : at + len(codes)]
        terms.append(Term(float(slopes[at + len(codes)] - shift), table=tuple(table.tolist())))
        at += len(codes) + 1
    return AdditiveModel(float(weights[0]), tuple(terms))


def fit_base_rate(
    matrix: np.ndarray, responses: np.ndarray, touches: np.ndarray, encoder: Encoder, settings: LearningSettings
) -> AdditiveModel:
    """The response rate of each channel, shrunk to the pooled rate by rate_prior_touches; base = mean over the training rows."""
    pooled = (responses.sum() + 0.5) / (touches.sum() + 1.0)
    terms = [Term(0.0, table=() if name in encoder.categories else None) for name in encoder.features]
    base = float(np.log(pooled / (1 - pooled)))
    if "channel" not in encoder.categories or not len(matrix):
        return AdditiveModel(base, tuple(terms))
    column, size = encoder.features.index("channel"), encoder.codes("channel")
    code = np.nan_to_num(matrix[:, column], nan=size).astype(np.int64)
    hits, tries = np.bincount(code, responses, size + 1)[:size], np.bincount(code, touches, size + 1)[:size]
    rate = (hits + settings.rate_prior_touches * pooled) / (tries + settings.rate_prior_touches)
    odds = np.append(np.log(rate / (1 - rate)), base)
    middle = float((odds * np.bincount(code, minlength=size + 1)).sum() / len(code))
    terms[column] = Term(base - middle, table=tuple((odds[:size] - middle).tolist()))
    return AdditiveModel(middle, tuple(terms))
