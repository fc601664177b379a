"""Boosted trees: a T-learner on past HCP-cycles, and the ceiling, which learns from the truth of other worlds."""

from __future__ import annotations

import numpy as np

from benchmarks.impact.methods import Answer
from benchmarks.impact.observed import Observed, cycle_rows, features, observe, past_cycles
from benchmarks.impact.people import Floats
from benchmarks.impact.worlds import draw_world

OTHER_SEEDS = 3
MOST_HCPS = 5000  # of each other world
FEWEST_TREATED = 50


def stacked_cycles(seen: Observed, most: int = 12) -> tuple[Floats, Floats, Floats, Floats]:
    """Past cycles one under the other: features (rows, k), touches in the first period (rows, channels), KPI sums (rows,), HCP numbers."""
    parts = [cycle_rows(seen, at) for at in past_cycles(seen, most)]
    x, t, y = np.concatenate([p[0] for p in parts]), np.concatenate([p[1].T for p in parts]), np.concatenate([p[2] for p in parts])
    hcp = np.tile(np.arange(len(seen.traits)), len(parts))
    known = ~np.isnan(y)
    return x[known], t[known], y[known], hcp[known]


def t_learner(seen: Observed) -> Answer:
    """Per channel: KPI of the cycle with a touch in its first period less KPI without, each by its own model."""
    x, t, y, _ = stacked_cycles(seen)
    now = features(seen, seen.periods)
    score = np.zeros((len(seen.traits), t.shape[1]))
    for channel in range(t.shape[1]):
        treated = t[:, channel] > 0
        if treated.sum() >= FEWEST_TREATED:
            score[:, channel] = _fitted(x[treated], y[treated], now) - _fitted(x[~treated], y[~treated], now)
    return Answer(score=score, in_kpi=True)


def ceiling(seen: Observed) -> Answer:
    """What observable features can tell: by channel, a model of the truth of other seeds at their cycle start."""
    settings, hcps = seen.world.settings, min(len(seen.traits), MOST_HCPS)
    weeks = round(seen.periods * (1.0 if settings["grain"] == "week" else 4.345))
    others = [draw_world(seen.world.name, hcps, weeks, 10_000 + 10 * settings["seed"] + k, settings["grain"]) for k in range(OTHER_SEEDS)]
    known = [observe(other) for other in others]
    x = np.concatenate([features(one, one.periods) for one in known])
    truth = np.concatenate([other.true_matrix() for other in others])
    now = features(seen, seen.periods)
    return Answer(score=np.column_stack([_fitted(x, truth[:, channel], now) for channel in range(truth.shape[1])]), in_kpi=True)


def _fitted(x: Floats, y: Floats, now: Floats) -> Floats:
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        learning_rate=0.06,
        max_iter=250,
        max_leaf_nodes=15,
        min_samples_leaf=30,
        l2_regularization=1.0,
        early_stopping=True,
        validation_fraction=0.15,
        n_iter_no_change=15,
        random_state=0,
    )
    return model.fit(x, y).predict(now)
