"""Rows per second of exact SHAP values on one core, beside shap.TreeExplainer in the same run.

    python benchmarks/tree_shap.py [--rows 200000] [--peer-rows 2000]

Numeric features without missing values, so that both are right; the largest difference between the two is printed.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import shap
from sklearn.ensemble import HistGradientBoostingClassifier

from nba.learning.tree_shap import Explainer
from nba.learning.trees import Trees


def main() -> None:
    """Fit one model of production size, explain with both, print the rates and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--peer-rows", type=int, default=2_000)
    parser.add_argument("--trees", type=int, default=150)
    parser.add_argument("--features", type=int, default=35)
    given = parser.parse_args()
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(given.rows, given.features)).astype(np.float32)
    score = matrix[:, 0] * matrix[:, 1] + np.abs(matrix[:, 2:12]).sum(axis=1) - 8
    target = (rng.random(given.rows) < 1 / (1 + np.exp(-score))).astype(int)
    model = HistGradientBoostingClassifier(max_iter=given.trees, max_depth=6, max_leaf_nodes=31, early_stopping=False)
    model.fit(matrix[:30_000], target[:30_000])

    started = time.perf_counter()
    explainer = Explainer.build(Trees.from_sklearn(model))
    explainer.contributions(matrix[:10])
    prepared = time.perf_counter() - started
    started = time.perf_counter()
    ours = explainer.contributions(matrix)
    rate = given.rows / (time.perf_counter() - started)

    peer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    started = time.perf_counter()
    theirs = peer.shap_values(matrix[: given.peer_rows].astype(np.float64))
    peer_rate = given.peer_rows / (time.perf_counter() - started)
    additivity = np.abs(explainer.base + ours.sum(axis=1) - model.decision_function(matrix)).max()
    print(f"{given.trees} trees, {given.features} features, tables of {explainer.tables.nbytes / 1e6:.1f} MB prepared in {prepared:.2f} s")
    print(f"tables: {rate:,.0f} rows/s; shap.TreeExplainer: {peer_rate:,.0f} rows/s; ratio {rate / peer_rate:.0f}")
    print(f"largest difference {np.abs(ours[: given.peer_rows] - theirs).max():.1e}; additivity {additivity:.1e}")


if __name__ == "__main__":
    main()
