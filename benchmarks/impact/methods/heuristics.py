"""What the field does without estimating anything, and the two ends of the scale."""

from __future__ import annotations

import numpy as np

from benchmarks.impact.methods import Answer
from benchmarks.impact.observed import Observed, kpi_level, response_rates
from benchmarks.impact.value import filled_plan

RANDOM_PLANS = 5


def oracle(seen: Observed) -> Answer:
    """The truth, under the limits."""
    return Answer(score=seen.world.true_matrix(), in_kpi=True)


def random_order(seen: Observed) -> Answer:
    """Pairs in random order until the limits are used up."""
    pairs, seed = seen.touches.shape[1] * seen.touches.shape[2], seen.world.settings["seed"]
    return Answer(plans=[filled_plan(seen.world, np.random.default_rng([seed, k]).permutation(pairs)) for k in range(RANDOM_PLANS)])


def top_decile(seen: Observed) -> Answer:
    """Highest decile first (ties at random), within an HCP the channel that the catalogue values most."""
    hcps = len(seen.traits)
    decile = np.nan_to_num(seen.traits[:, 0])
    tie = np.random.default_rng(seen.world.settings["seed"]).random(hcps)
    order = np.lexsort((tie, -decile))
    channels = np.argsort(-seen.uplift, kind="stable")
    return Answer(plans=[filled_plan(seen.world, (order[:, None] * len(channels) + channels).ravel())])


def current_plan(seen: Observed) -> Answer:
    """The pairs of the last cycle again, most touches first; nothing is added."""
    touches = seen.touches[-seen.cycle_periods :].sum(axis=0).T.ravel()
    order = np.argsort(-touches, kind="stable")
    return Answer(plans=[filled_plan(seen.world, order[touches[order] > 0])])


def catalogue(seen: Observed) -> Answer:
    """The same uplift for everybody."""
    return Answer(score=np.broadcast_to(seen.uplift, (len(seen.traits), len(seen.uplift))).copy(), in_kpi=True)


def p_catalogue(seen: Observed) -> Answer:
    """The plain product; 1 for P where a channel records no responses."""
    return Answer(score=np.nan_to_num(response_rates(seen, seen.periods), nan=1.0).T * seen.uplift)


def relative_p_catalogue(seen: Observed) -> Answer:
    """The product on the scale of the catalogue, whose uplift is per touch."""
    return Answer(score=_relative_p(seen) * seen.uplift, in_kpi=True)


def p_catalogue_kpi(seen: Observed) -> Answer:
    """The heuristic to beat."""
    return Answer(score=_relative_p(seen) * seen.uplift * kpi_level(seen)[:, None], in_kpi=True)


def _relative_p(seen: Observed) -> np.ndarray:
    rates = response_rates(seen, seen.periods)
    with np.errstate(invalid="ignore"):
        return np.nan_to_num(rates / rates.mean(axis=1, keepdims=True), nan=1.0).T
