"""Gradient boosted trees for response probabilities (scikit-learn's HistGradientBoostingClassifier, native categories)."""

from __future__ import annotations

from typing import Any

import numpy as np

from nba.learning.calibration import sigmoid
from nba.learning.encoding import Encoder
from nba.learning.metrics import log_loss
from nba.learning.settings import LearningSettings
from nba.learning.trees import Trees

BINS = 64  # thresholds per number; more cost time and gain nothing measurable
REPEATS = 4  # up to so many touches per row on average, rows are repeated: scikit-learn bins weighted rows many times slower


def _classified_rows(responses: np.ndarray, touches: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Binomial rows as rows of a classifier: (row numbers, answered or not, weight or None when rows are repeated instead)."""
    hit, miss = np.flatnonzero(responses > 0), np.flatnonzero(touches > responses)
    rows = np.concatenate([hit, miss])
    label = np.concatenate([np.ones(len(hit), np.int64), np.zeros(len(miss), np.int64)])
    weight = np.concatenate([responses[hit], (touches - responses)[miss]]).astype(np.float64)
    order = np.argsort(rows, kind="stable")  # as the table is sorted: floating sums do not depend on the split into two
    rows, label, weight = rows[order], label[order], weight[order]
    if weight.sum() > REPEATS * len(touches):
        return rows, label, weight
    times = np.rint(weight).astype(np.int64)
    return np.repeat(rows, times), np.repeat(label, times), None


def fit_boosting(
    matrix: np.ndarray, responses: np.ndarray, touches: np.ndarray, encoder: Encoder, settings: LearningSettings, iterations: int
) -> Any:
    """A fitted classifier of `iterations` trees. Needs both answered and unanswered touches."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    rows, label, weight = _classified_rows(responses, touches)
    categorical = encoder.is_categorical
    given = matrix[rows]
    # A feature may be unknown in every row of a part (a long window of a short panel): scikit-learn cannot bin it, a constant never splits.
    given[:, np.isnan(given).all(axis=0)] = 0.0
    model = HistGradientBoostingClassifier(
        learning_rate=settings.learning_rate,
        max_iter=iterations,
        max_leaf_nodes=settings.max_leaves,
        max_depth=settings.max_depth,
        min_samples_leaf=settings.min_leaf_rows,
        l2_regularization=settings.l2,
        max_bins=min(255, max([BINS, *(encoder.codes(name) for name in encoder.categories)])),
        categorical_features=categorical if categorical.any() else None,
        early_stopping=False,
        random_state=settings.seed,
    )
    # One thread: on shared cores the fit's threads wait for each other (eight times slower), and the sums keep one order.
    with threadpool_limits(limits=1):
        return model.fit(given, label, sample_weight=weight)


def keep_best(model: Any, matrix: np.ndarray, responses: np.ndarray, touches: np.ndarray) -> int:
    """Cut the classifier to the number of trees with the lowest log loss on rows that it has not seen (the smaller on ties); that
    number."""
    losses = [log_loss(sigmoid(score.ravel()), responses, touches) for score in model._staged_raw_predict(matrix)]
    best = int(np.argmin(losses)) + 1
    del model._predictors[best:]
    return best


def trees_of(model: Any) -> Trees:
    """The classifier as plain arrays."""
    return Trees.from_sklearn(model)
