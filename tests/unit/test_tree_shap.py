"""SHAP values of trees: equal to Shapley's formula by brute force, additive, and equal to the shap package where that is right."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from nba.learning.tree_shap import Explainer, explain
from nba.learning.tree_shap_kernels import largest
from nba.learning.trees import Trees

SINGLE = 2e-6  # log-odds: tables are of single precision


def world(rows: int, seed: int, missing: float = 0.15, categorical: bool = True) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, 5)).astype(np.float32)
    if categorical:
        matrix[:, 1] = rng.integers(0, 7, rows)
        matrix[:, 3] = rng.integers(0, 40, rows)
    score = matrix[:, 0] + np.where(matrix[:, 1] % 3 == 0, 1.0, -0.5) * matrix[:, 2] + 0.3 * np.sin(matrix[:, 3])
    target = (rng.random(rows) < 1 / (1 + np.exp(-score))).astype(int)
    matrix[rng.random(matrix.shape) < missing] = np.nan
    return matrix, target


def fitted(matrix: np.ndarray, target: np.ndarray, categorical: list[int], **parameters: object) -> HistGradientBoostingClassifier:
    settings = {"max_iter": 3, "max_depth": 4, "min_samples_leaf": 5, "early_stopping": False, "random_state": 0, **parameters}
    return HistGradientBoostingClassifier(categorical_features=categorical or None, **settings).fit(matrix, target)


def goes_left(trees: Trees, node: int, x: float) -> bool:
    if np.isnan(x):
        return bool(trees.missing_left[node])
    if trees.bitset[node] < 0:
        return x <= trees.threshold[node]
    word, bit = int(x) // 32, int(x) % 32
    if (int(trees.left_bits[trees.bitset[node], word]) >> bit) & 1:
        return True
    if (int(trees.known_bits[trees.feature[node], word]) >> bit) & 1:
        return False
    return bool(trees.missing_left[node])


def value_of(trees: Trees, node: int, row: np.ndarray, known: frozenset[int]) -> float:
    """Expectation of a tree when only the features in known are known (the recursion of Lundberg's algorithm 1)."""
    if trees.feature[node] < 0:
        return float(trees.value[node])
    left, right = int(trees.left[node]), int(trees.right[node])
    if int(trees.feature[node]) in known:
        return value_of(trees, left if goes_left(trees, node, float(row[trees.feature[node]])) else right, row, known)
    covers = trees.cover[left], trees.cover[right]
    return (covers[0] * value_of(trees, left, row, known) + covers[1] * value_of(trees, right, row, known)) / sum(covers)


def brute_force(trees: Trees, row: np.ndarray) -> np.ndarray:
    features = range(trees.features)

    def worth(known: frozenset[int]) -> float:
        return trees.baseline + sum(value_of(trees, int(root), row, known) for root in trees.roots)

    out = np.zeros(trees.features)
    for feature in features:
        rest = [other for other in features if other != feature]
        for size in range(len(rest) + 1):
            weight = factorial(size) * factorial(len(rest) - size) / factorial(trees.features)
            for chosen in combinations(rest, size):
                out[feature] += weight * (worth(frozenset((*chosen, feature))) - worth(frozenset(chosen)))
    return out


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("bits", [9, 3, 0])
def test_equal_to_shapleys_formula(seed: int, bits: int) -> None:
    matrix, target = world(400, seed)
    trees = Trees.from_sklearn(fitted(matrix, target, [1, 3]))
    probe = matrix[:10].copy()
    probe[0, 1], probe[1, 3] = 200.0, 77.0  # categories that training never saw
    explainer = Explainer.build(trees, bits=bits)
    assert bool(explainer.long_leaves) == (bits < 4)
    found = explainer.contributions(probe)
    for row in range(len(probe)):
        np.testing.assert_allclose(found[row], brute_force(trees, probe[row]), atol=SINGLE)
    assert explainer.base == pytest.approx(
        trees.baseline + sum(value_of(trees, int(r), probe[0], frozenset()) for r in trees.roots), abs=1e-12
    )


@pytest.mark.parametrize(("categorical", "missing"), [(True, 0.2), (False, 0.2), (True, 0.0), (False, 0.0)])
def test_sum_is_the_score_of_scikit_learn(categorical: bool, missing: float) -> None:
    matrix, target = world(5000, 11, missing, categorical)
    model = fitted(matrix[:4000], target[:4000], [1, 3] if categorical else [], max_iter=60, max_depth=6)
    contributions, base = explain(Trees.from_sklearn(model), matrix)
    np.testing.assert_allclose(base + contributions.sum(axis=1), model.decision_function(matrix), atol=SINGLE)


def test_unknown_and_untrained_codes_follow_scikit_learn() -> None:
    matrix, target = world(3000, 5)
    train = matrix.copy()
    train[np.isin(train[:, 3], [0, 5, 31, 32]), 3] = 8  # holes in the numbering of the codes, unknown when they turn up later
    model = fitted(train, target, [1, 3], max_iter=40, max_depth=6)
    contributions, base = explain(Trees.from_sklearn(model), matrix)
    np.testing.assert_allclose(base + contributions.sum(axis=1), model.decision_function(matrix), atol=SINGLE)
    empty = matrix.copy()
    empty[:, 1] = np.nan  # a categorical column without one value
    other = fitted(empty, target, [1, 3])
    contributions, base = explain(Trees.from_sklearn(other), empty)
    np.testing.assert_allclose(base + contributions.sum(axis=1), other.decision_function(empty), atol=SINGLE)
    assert (contributions[:, 1] == 0).all()


def test_equal_to_the_shap_package_on_numbers() -> None:
    shap = pytest.importorskip("shap")
    matrix, target = world(2000, 3, 0.0, categorical=False)
    model = fitted(matrix, target, [], max_iter=20, max_depth=6)
    contributions, base = explain(Trees.from_sklearn(model), matrix[:200])
    peer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    np.testing.assert_allclose(contributions, peer.shap_values(matrix[:200].astype(np.float64)), atol=1e-6)
    assert base == pytest.approx(float(np.ravel(peer.expected_value)[0]), abs=1e-6)


def test_json_round_trip_is_exact_and_trees_without_splits_are_constant() -> None:
    import json

    matrix, target = world(600, 2)
    trees = Trees.from_sklearn(fitted(matrix, target, [1, 3], max_iter=10))
    again = Trees.from_json(json.loads(json.dumps(trees.to_json(), allow_nan=False)))
    assert (explain(trees, matrix)[0] == explain(again, matrix)[0]).all()
    stump = Trees.from_sklearn(fitted(matrix, target, [1, 3], min_samples_leaf=400))
    contributions, base = explain(stump, matrix)
    assert (contributions == 0).all()
    assert base == pytest.approx(stump.baseline + stump.value.sum())


def test_wrong_width_is_refused() -> None:
    matrix, target = world(300, 1)
    trees = Trees.from_sklearn(fitted(matrix, target, [1, 3]))
    with pytest.raises(ValueError, match=r"matrix of shape \(300, 4\) given, the trees know 5 features"):
        explain(trees, matrix[:, :4])


def test_the_largest_contributions_come_in_order_and_ties_by_feature() -> None:
    contributions = np.array([[0.5, -0.5 - 1e-9, 0.1, 0.0], [0.0, 0.0, -2.0, 1e-8], [3.0, -1.0, 2.0, -4.0]]).T.copy()
    places, values = np.empty((3, 3), np.int64), np.full((3, 3), np.nan)
    largest(contributions, 3, places, values)
    assert places.tolist() == [[0, 1, 2], [2, -1, -1], [3, 0, 2]]
    np.testing.assert_allclose(values, [[0.5, -0.5, 0.1], [-2.0, np.nan, np.nan], [-4.0, 3.0, 2.0]], atol=1e-8)


def test_a_row_scores_the_same_to_the_bit_alone_and_among_thousands() -> None:
    matrix, target = world(5000, 21)
    explainer = Explainer.build(Trees.from_sklearn(fitted(matrix, target, [1, 3], max_iter=40)))
    together = explainer.contributions(matrix)
    for rows in (slice(0, 1), slice(2047, 2050), slice(4990, 5000)):
        assert (explainer.contributions(matrix[rows]) == together[rows]).all()
