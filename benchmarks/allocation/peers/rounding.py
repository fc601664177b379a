"""Plans without a search: greedy by value per share of the limits, and the LP with its fractions dropped and the floors repaired."""

from __future__ import annotations

import numpy as np

from benchmarks.allocation.linear import LinearModel
from benchmarks.allocation.peers import Answer, Job

HCP_SPAN = 64  # pairs; no HCP has more channels


def warm() -> None:
    """Compiles the kernel."""
    import benchmarks.allocation.peers.room  # noqa: F401


def greedy(job: Job) -> Answer:
    """Touches in falling order of value per share of the limits used: first those that floors and minimums need, then all that pay."""
    from benchmarks.allocation.peers.room import Filling

    model = job.model
    filling = Filling(model)
    job.built()
    x_count = len(model.pairs)
    gain = model.gain[:x_count]
    ratio = gain / np.maximum(_shares(model), 1e-12)
    order = np.argsort(-ratio, kind="stable")
    filling.add(np.flatnonzero(model.low[:x_count] > 0))
    filling.add(order, only_needed=True)
    paying = order[gain[order] > 0]
    for _ in range(int(model.top[:x_count].max(initial=1))):
        filling.add(paying)
    job.solved()
    return Answer(_touches(model, filling.touches), None, "greedy")


def lp_rounding(job: Job) -> Answer:
    """The LP, its whole part, then what floors need, then what still fits; the bound is the LP's."""
    from benchmarks.allocation.peers.highs import linear_relaxation

    job.built()
    lp = linear_relaxation(job, job.model)
    job.trace.event("lp", None, lp.bound)
    touches = rounded(job.model, lp.values, lp.rest, 1 - 1e-6)
    job.solved()
    return Answer(touches, lp.bound, "LP optimal, rounded")


def rounded(model: LinearModel, values: np.ndarray, rest: np.ndarray, surely: float) -> np.ndarray:
    """Touches over all pairs: columns worth at least `surely` of a touch in the LP, then what minimums need, then what still fits.

    values (n,): an LP solution, also an inexact one; rest (n,): reduced gains, the order among columns of equal value.
    """
    from benchmarks.allocation.peers.room import Filling

    filling = Filling(model)
    x_count = len(model.pairs)
    part, rest = values[:x_count], rest[:x_count]
    order = np.lexsort((-rest, -np.round(part, 6)))
    filling.add(np.flatnonzero(model.low[:x_count] > 0))
    for touch in range(int(model.top[:x_count].max(initial=1))):
        filling.add(order[part[order] >= touch + surely])
    filling.add(order, only_needed=True)
    filling.swap_for_floors(model.gain[:x_count], order)
    filling.add(order[model.gain[order] > 0])
    return _touches(model, filling.touches)


def _touches(model: LinearModel, count: np.ndarray) -> np.ndarray:
    touches = np.zeros(model.pair_count, dtype=np.int16)
    touches[model.pairs] = count
    return touches


def _shares(model: LinearModel) -> np.ndarray:
    """Of every x column the sum over limits of use / bound; rows inside one HCP, which span few neighbouring pairs, left out."""
    x = model.rows[:, : len(model.pairs)].tocsr()
    x.sort_indices()
    some = np.flatnonzero(np.diff(x.indptr) > 0)
    span = np.zeros(x.shape[0])
    span[some] = model.pairs[x.indices[x.indptr[some + 1] - 1]] - model.pairs[x.indices[x.indptr[some]]]
    shared = (span > HCP_SPAN) & np.isfinite(model.upper) & (model.upper > 0)
    return np.asarray(x.T @ np.where(shared, 1 / np.where(shared, model.upper, 1.0), 0.0))
