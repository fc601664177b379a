"""Boosted trees as plain arrays: read off a fitted HistGradientBoostingClassifier, written to JSON, read back without running code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nba.learning.settings import LearningInputError

# A split "missing against the rest" has threshold +inf in scikit-learn; JSON has no infinity and every finite number is below this one.
LARGEST = float(np.finfo(np.float64).max)
WORDS = 8  # 8 x 32 bits: categorical codes are below 256

ARRAYS: dict[str, type] = {
    "feature": np.int32,
    "threshold": np.float64,
    "left": np.int32,
    "right": np.int32,
    "missing_left": np.uint8,
    "value": np.float64,
    "cover": np.float64,
    "bitset": np.int32,
}


@dataclass(frozen=True)
class Trees:
    """A sum of decision trees plus a baseline, in log-odds.

    roots (trees,): index of each root. All node arrays have one entry per node of all trees: feature (-1 in a leaf), threshold (left if
    value <= threshold), left and right (node indices), missing_left (where NaN and unknown categories go), value (of a leaf), cover
    (training rows that reached the node), bitset (row of left_bits of a categorical split, -1 for a numeric one).
    left_bits (categorical splits, 8): codes that go left. known_bits (features, 8): codes seen in training; any other counts as missing.
    """

    features: int
    baseline: float
    roots: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    missing_left: np.ndarray
    value: np.ndarray
    cover: np.ndarray
    bitset: np.ndarray
    left_bits: np.ndarray
    known_bits: np.ndarray

    def __post_init__(self) -> None:
        nodes = len(self.feature)
        for name in ARRAYS:
            if len(getattr(self, name)) != nodes:
                raise LearningInputError(f"trees: {name} has {len(getattr(self, name))} entries, feature has {nodes}")
        if self.feature.size and self.feature.max() >= self.features:
            raise LearningInputError(f"trees: feature {self.feature.max()} is beyond the {self.features} features of the model")
        inner = self.feature >= 0
        own = np.arange(nodes)[inner]
        for name in ("left", "right"):
            child = getattr(self, name)[inner]
            if ((child <= own) | (child >= nodes)).any():  # children after parents: a walk always ends
                raise LearningInputError(f"trees: {name} points outside the tree")

    def to_json(self) -> dict[str, Any]:
        """Plain lists; every double survives the round trip exactly."""
        out: dict[str, Any] = {"features": self.features, "baseline": self.baseline, "roots": self.roots.tolist()}
        for name in ARRAYS:
            out[name] = getattr(self, name).tolist()
        out["left_bits"] = self.left_bits.tolist()
        out["known_bits"] = self.known_bits.tolist()
        return out

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Trees:
        """Inverse of to_json."""
        arrays = {name: np.array(data[name], dtype=kind) for name, kind in ARRAYS.items()}
        left_bits = np.array(data["left_bits"], dtype=np.uint32).reshape(-1, WORDS)
        known_bits = np.array(data["known_bits"], dtype=np.uint32).reshape(-1, WORDS)
        roots = np.array(data["roots"], dtype=np.int32)
        return cls(int(data["features"]), float(data["baseline"]), roots, left_bits=left_bits, known_bits=known_bits, **arrays)

    @classmethod
    def from_sklearn(cls, model: Any) -> Trees:
        """Trees of a fitted binary HistGradientBoostingClassifier, in terms of the columns and codes that it was given.

        scikit-learn moves categorical columns to the front and renumbers their codes before growing; both are undone here.
        """
        features = int(model.n_features_in_)
        columns, codes = _original_columns(model, features)
        known_bits = np.zeros((features, WORDS), dtype=np.uint32)
        for column, kept in codes.items():
            for code in kept:
                known_bits[column, code // 32] |= np.uint32(1 << (code % 32))
        parts: dict[str, list[np.ndarray]] = {name: [] for name in ARRAYS}
        roots, left_bits, offset = [], [], 0
        for (predictor,) in model._predictors:
            nodes = predictor.nodes
            leaf = nodes["is_leaf"].astype(bool)
            column = np.where(leaf, -1, columns[np.where(leaf, 0, nodes["feature_idx"])])
            categorical = ~leaf & nodes["is_categorical"].astype(bool)
            bitset = np.full(len(nodes), -1)
            for node in np.flatnonzero(categorical):
                bitset[node] = len(left_bits)
                left_bits.append(_translate(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][node]], codes[int(column[node])]))
            parts["feature"].append(column)
            parts["threshold"].append(np.where(leaf | categorical, 0.0, np.minimum(nodes["num_threshold"], LARGEST)))
            parts["left"].append(np.where(leaf, -1, nodes["left"].astype(np.int64) + offset))
            parts["right"].append(np.where(leaf, -1, nodes["right"].astype(np.int64) + offset))
            parts["missing_left"].append(np.where(leaf, 0, nodes["missing_go_to_left"]))
            parts["value"].append(np.where(leaf, nodes["value"], 0.0))
            parts["cover"].append(nodes["count"])
            parts["bitset"].append(bitset)
            roots.append(offset)
            offset += len(nodes)
        arrays = {name: np.concatenate(parts[name]).astype(kind) if offset else np.empty(0, kind) for name, kind in ARRAYS.items()}
        bits = np.array(left_bits, dtype=np.uint32).reshape(-1, WORDS)
        baseline = float(np.ravel(model._baseline_prediction)[0])
        return cls(features, baseline, np.array(roots, np.int32), left_bits=bits, known_bits=known_bits, **arrays)


def _original_columns(model: Any, features: int) -> tuple[np.ndarray, dict[int, list[int]]]:
    """Original column of each of scikit-learn's columns, and per categorical column the original code of each of its codes."""
    mask = model.is_categorical_
    if mask is None or not mask.any():
        return np.arange(features), {}
    columns = np.concatenate([np.flatnonzero(mask), np.flatnonzero(~mask)])
    encoder = model._preprocessor.named_transformers_["encoder"]
    codes = {
        int(column): [int(code) for code in kept if not np.isnan(code)] for column, kept in zip(columns, encoder.categories_, strict=False)
    }
    return columns, codes


def _translate(bits: np.ndarray, codes: list[int]) -> np.ndarray:
    """A bitset over scikit-learn's codes as one over the original codes."""
    out = np.zeros(WORDS, dtype=np.uint32)
    for own, code in enumerate(codes):
        if (int(bits[own // 32]) >> (own % 32)) & 1:
            out[code // 32] |= np.uint32(1 << (code % 32))
    return out
