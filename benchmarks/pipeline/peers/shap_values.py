"""SHAP values of models of equal size on numeric features: our tables, shap, and the libraries' own contributions.

One seeded data set; 150 trees, at most 31 leaves and 6 levels, learned from 30,000 rows. The clock holds the set-up of the explainer
and all rows; drawing, fitting and, for ours, compiling (once per machine, then cached) are outside. Ours explains the model of
scikit-learn, as shap does, so their values are compared as well.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.pipeline.clock import Clock

TREES, LEAVES, DEPTH, FEATURES, FITTED = 150, 31, 6, 35, 30_000
BATCH = 100_000  # rows handed over at once, so that no peer needs memory for all


def explained(name: str, rows: int, most_seconds: float) -> dict[str, Any]:
    """The clock, what was measured, additivity (largest difference of base + sum and raw score over the rows explained)."""
    matrix, target = drawn(max(rows, FITTED))
    return {"ours": _ours, "explainer": _explainer, "lightgbm": _lightgbm, "xgboost": _xgboost}[name](matrix, target, rows, most_seconds)


def drawn(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """float32 (rows, FEATURES) without missing values, and a 0/1 target that depends on a product and on sizes."""
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((rows, FEATURES), dtype=np.float32)
    score = matrix[:, 0] * matrix[:, 1] + np.abs(matrix[:, 2:12]).sum(axis=1) - 8
    return matrix, (rng.random(rows) < 1 / (1 + np.exp(-score))).astype(np.int32)


def _sklearn(matrix: np.ndarray, target: np.ndarray) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(max_iter=TREES, max_depth=DEPTH, max_leaf_nodes=LEAVES, early_stopping=False)
    return model.fit(matrix[:FITTED], target[:FITTED])


def _ours(matrix: np.ndarray, target: np.ndarray, rows: int, most_seconds: float) -> dict[str, Any]:
    from nba.learning.tree_shap import Explainer
    from nba.learning.trees import Trees

    model = _sklearn(matrix, target)
    Explainer.build(Trees.from_sklearn(model)).contributions(matrix[:10])  # compiles
    clock, began = Clock(), time.perf_counter()
    explainer = Explainer.build(Trees.from_sklearn(model))
    setup = time.perf_counter() - began
    values = np.empty((rows, FEATURES), np.float32)
    for start in range(0, rows, BATCH):
        values[start : start + BATCH] = explainer.contributions(matrix[start : min(rows, start + BATCH)])
    found = clock.read()
    checked = min(rows, BATCH)
    sums = explainer.base + values[:checked].sum(axis=1, dtype=np.float64)
    additivity = float(np.abs(sums - model.decision_function(matrix[:checked])).max())
    return found | {"setup_seconds": setup, "measured_rows": rows, "additivity": additivity, "off_shap": _off_shap(model, matrix, values)}


def _off_shap(model: Any, matrix: np.ndarray, values: np.ndarray, rows: int = 1000) -> float:
    """Largest difference from shap's values."""
    import shap

    theirs = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent").shap_values(matrix[:rows].astype(np.float64))
    return float(np.abs(theirs - values[:rows]).max())


def _explainer(matrix: np.ndarray, target: np.ndarray, rows: int, most_seconds: float) -> dict[str, Any]:
    import shap

    model = _sklearn(matrix, target)
    _batches(shap.TreeExplainer(model, feature_perturbation="tree_path_dependent").shap_values, matrix[:10].astype(np.float64), 10, 9)

    def setup() -> Any:
        explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
        return lambda batch: explainer.shap_values(batch.astype(np.float64))

    return _timed(setup, matrix, rows, most_seconds)


def _lightgbm(matrix: np.ndarray, target: np.ndarray, rows: int, most_seconds: float) -> dict[str, Any]:
    import lightgbm

    settings = {"objective": "binary", "num_leaves": LEAVES, "max_depth": DEPTH, "num_threads": 1, "verbose": -1}
    model = lightgbm.train(settings, lightgbm.Dataset(matrix[:FITTED], target[:FITTED]), TREES)
    return _timed(lambda: lambda batch: model.predict(batch, pred_contrib=True, num_threads=1), matrix, rows, most_seconds)


def _xgboost(matrix: np.ndarray, target: np.ndarray, rows: int, most_seconds: float) -> dict[str, Any]:
    import xgboost

    settings = {"objective": "binary:logistic", "tree_method": "hist", "grow_policy": "lossguide", "max_leaves": LEAVES, "max_depth": DEPTH}
    model = xgboost.train(settings | {"nthread": 1, "eta": 0.1}, xgboost.DMatrix(matrix[:FITTED], target[:FITTED], nthread=1), TREES)
    contributions = lambda batch: model.predict(xgboost.DMatrix(batch, nthread=1), pred_contribs=True)  # noqa: E731
    return _timed(lambda: contributions, matrix, rows, most_seconds)


def _timed(setup: Any, matrix: np.ndarray, rows: int, most_seconds: float) -> dict[str, Any]:
    """Set-up and batches until all rows are done, or until so many seconds have passed: then the rest is extrapolated per row."""
    clock = Clock()
    explain = setup()
    before = clock.read()
    measured = _batches(explain, matrix, rows, most_seconds)
    found = clock.read()
    if measured < rows:
        found["said"] = f"timed on {measured:,} rows, extrapolated per row"
        for name in ("cpu_seconds", "seconds"):
            found[name] = round(before[name] + (found[name] - before[name]) * rows / measured, 3)
    return found | {"setup_seconds": before["seconds"], "measured_rows": measured}


def _batches(explain: Any, matrix: np.ndarray, rows: int, most_seconds: float) -> int:
    """Rows explained, batch by batch, at least one batch."""
    began, done, batch = time.perf_counter(), 0, BATCH // 10
    while done < rows and (done == 0 or time.perf_counter() - began < most_seconds):
        explain(matrix[done : min(rows, done + batch)])
        done = min(rows, done + batch)
    return done
