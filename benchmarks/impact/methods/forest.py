"""The causal forest of econml, one channel at a time."""

from __future__ import annotations

import numpy as np

from benchmarks.impact.methods import Answer
from benchmarks.impact.methods.learners import FEWEST_TREATED, stacked_cycles
from benchmarks.impact.observed import Observed, features

MOST_ROWS = 10_000
TREES = 200


def causal_forest(seen: Observed) -> Answer:
    """Effect of a touch in the first period of a past cycle on its KPI, nuisances by boosting, folds by HCP; features as known then."""
    from econml.dml import CausalForestDML
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.model_selection import GroupKFold

    x, t, y, hcp = stacked_cycles(seen)
    if len(y) > MOST_ROWS:
        kept = np.sort(np.random.default_rng(seen.world.settings["seed"]).permutation(len(y))[:MOST_ROWS])
        x, t, y, hcp = x[kept], t[kept], y[kept], hcp[kept]
    middle = np.nan_to_num(np.nanmedian(x, axis=0))
    fill = lambda values: np.where(np.isnan(values), middle, values)  # noqa: E731
    x, now = fill(x), fill(features(seen, seen.periods))
    score, low, high = np.zeros((3, len(now), t.shape[1]))
    for channel in range(t.shape[1]):
        treated = (t[:, channel] > 0).astype(int)
        if treated.sum() < FEWEST_TREATED:
            continue
        forest = CausalForestDML(
            model_y=HistGradientBoostingRegressor(max_iter=120, max_leaf_nodes=15, random_state=0),
            model_t=HistGradientBoostingClassifier(max_iter=80, max_leaf_nodes=15, random_state=0),
            discrete_treatment=True,
            cv=GroupKFold(3),
            n_estimators=TREES,
            min_samples_leaf=20,
            random_state=0,
            n_jobs=1,
        )
        forest.fit(y, treated, X=x, groups=hcp)
        score[:, channel] = np.ravel(forest.effect(now))
        bounds = forest.effect_interval(now, alpha=0.1)
        low[:, channel], high[:, channel] = np.ravel(bounds[0]), np.ravel(bounds[1])
    return Answer(score=score, in_kpi=True, low=low, high=high, said=f"{len(y)} HCP-cycles")
