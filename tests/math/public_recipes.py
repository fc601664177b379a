"""Public kinds of instances, drawn by their published recipes, as arguments of `optimization.allocate`, and their optimum from HiGHS.

Generalised assignment, types A to D: Chu and Beasley, "A genetic algorithm for the generalised assignment problem", Computers &
Operations Research 24 (1997), section 5; type E: Laguna et al., "Tabu search for the multilevel generalized assignment problem", EJOR 82
(1995). Multiple-choice knapsack: Pisinger, "A minimal algorithm for the multiple-choice knapsack problem", EJOR 83 (1995), section 6.
Multi-dimensional knapsack: Chu and Beasley, "A genetic algorithm for the multidimensional knapsack problem", J. Heuristics 4 (1998).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Instance:
    """Arguments of `allocate`: maximise value over rows of a 0/1 choice, at most so many per group."""

    value: np.ndarray
    group: np.ndarray
    at_most: int | np.ndarray
    rows: sparse.csr_matrix
    lower: np.ndarray
    upper: np.ndarray

    @property
    def arguments(self):
        return self.value, self.group, self.at_most, self.rows, self.lower, self.upper


def assignment(kind, agents, jobs, seed):
    """Generalised assignment at least cost, every job to exactly one agent: value = -cost, one row per agent, one equality per job."""
    rng = np.random.default_rng([seed, agents, jobs, ord(kind)])
    time, cost = rng.integers(5, 26, (agents, jobs)).astype(float), rng.integers(10, 51, (agents, jobs)).astype(float)
    if kind == "D":
        time = rng.integers(1, 101, (agents, jobs)).astype(float)
        cost = 111 - time + rng.integers(-10, 11, (agents, jobs))
    elif kind == "E":
        time = np.round(1 - 10 * np.log(1 - rng.random((agents, jobs))))
        cost = np.round(1000 / time - 10 * rng.random((agents, jobs)))
    if kind in "AB":
        cheapest = cost.argmin(axis=0)
        needed = max(float(time[i, cheapest == i].sum()) for i in range(agents))
        room = np.full(agents, (9.0 * jobs / agents + 0.4 * needed) * (0.7 if kind == "B" else 1.0))
    else:
        room = 0.8 * time.sum(axis=1) / agents
    job = np.repeat(np.arange(jobs), agents)
    pair = np.arange(agents * jobs)
    per_agent = sparse.csr_matrix((time.T.ravel(), (pair % agents, pair)))
    per_job = sparse.csr_matrix((np.ones(len(pair)), (job, pair)))
    rows = sparse.vstack([per_agent, per_job], format="csr")
    lower = np.concatenate([np.full(agents, -np.inf), np.ones(jobs)])
    return Instance(-cost.T.ravel(), job, 1, rows, lower, np.concatenate([np.floor(room), np.ones(jobs)]))


def multiple_choice(kind, classes, items, seed, exactly=False, most=1000):
    """Multiple-choice knapsack: one item of each class (at most one, or exactly one), one knapsack of half the middle weight."""
    rng = np.random.default_rng([seed, classes, items, len(kind)])
    weight = rng.integers(1, most + 1, (classes, items)).astype(float)
    if kind == "uncorrelated":
        profit = rng.integers(1, most + 1, (classes, items)).astype(float)
    elif kind == "weakly correlated":
        profit = np.maximum(weight + rng.integers(-10, 11, (classes, items)), 1)
    elif kind == "strongly correlated":
        weight, profit = np.cumsum(weight, axis=1), np.cumsum(weight + 10, axis=1)
    elif kind == "subset sum":
        profit = weight.copy()
    else:
        weight = np.sort(weight, axis=1)
        profit = np.sort(rng.integers(1, most + 1, (classes, items)), axis=1).astype(float)
    room = np.floor(0.5 * (weight.min(axis=1) + weight.max(axis=1)).sum())
    group = np.repeat(np.arange(classes), items)
    knapsack = sparse.csr_matrix(weight.reshape(1, -1))
    if not exactly:
        return Instance(profit.ravel(), group, 1, knapsack, np.array([-np.inf]), np.array([room]))
    each = sparse.csr_matrix((np.ones(len(group)), (group, np.arange(len(group)))))
    lower = np.concatenate([[-np.inf], np.ones(classes)])
    return Instance(
        profit.ravel(), group, 1, sparse.vstack([knapsack, each], format="csr"), lower, np.concatenate([[room], np.ones(classes)])
    )


def knapsacks(dimensions, items, tightness, seed):
    """Multi-dimensional knapsack: every item a group of its own."""
    rng = np.random.default_rng([seed, dimensions, items])
    weight = rng.integers(0, 1001, (dimensions, items)).astype(float)
    profit = weight.sum(axis=0) / dimensions + 500 * rng.random(items)
    room = tightness * weight.sum(axis=1)
    return Instance(profit, np.arange(items), 1, sparse.csr_matrix(weight), np.full(dimensions, -np.inf), room)


def any_rows(seed, groups=8, most=6):
    """Rows of every kind: both sides, equalities, minima, refunds, empty rows, at_most per group, group numbers in no order."""
    rng = np.random.default_rng([seed, groups, most])
    names = rng.choice(1000, groups, replace=False) - 200
    group = rng.permutation(np.repeat(names, rng.integers(1, most + 1, groups)))
    n = len(group)
    value = np.round(rng.normal(1.0, 2.0, n), 3) if rng.random() < 0.6 else rng.integers(-3, 4, n).astype(float)
    at_most = rng.integers(0, 4, groups) if rng.random() < 0.5 else int(rng.integers(1, 4))
    some = rng.random(n) < 0.4
    rows, lower, upper = [], [], []
    for _ in range(int(rng.integers(0, 6))):
        row = np.where(rng.random(n) < rng.choice([0.0, 0.3, 1.0], p=[0.1, 0.5, 0.4]), rng.integers(1, 9, n), 0).astype(float)
        row *= rng.choice([1.0, 0.25, -1.0], p=[0.6, 0.3, 0.1])
        use = float(row @ some)
        low, high = [(-np.inf, use), (0.5 * use, np.inf), (use - 2, use + 2), (use, use), (-np.inf, np.inf)][
            int(rng.choice(5, p=[0.4, 0.2, 0.2, 0.1, 0.1]))
        ]
        rows, lower, upper = [*rows, row], [*lower, min(low, high)], [*upper, max(low, high)]
    matrix = sparse.csr_matrix(np.array(rows).reshape(-1, n))
    return Instance(value, group, at_most, matrix, np.array(lower), np.array(upper))


def group_rows(instance):
    """(0/1 matrix groups x n, most per group): groups in rising order of their number."""
    names, place = np.unique(instance.group, return_inverse=True)
    matrix = sparse.csr_matrix((np.ones(len(place)), (place, np.arange(len(place)))), shape=(len(names), len(place)))
    return matrix, np.broadcast_to(np.asarray(instance.at_most, dtype=np.float64), len(names))


def optimum(instance, integer=True, gap=0.0):
    """(best value found, proven bound) by HiGHS to within a relative gap, of whole choices or of fractions; None where the rows
    contradict each other."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    if len(instance.value) == 0:
        return (0.0, 0.0) if np.all(instance.lower <= 0) and np.all(instance.upper >= 0) else None
    matrix, most = group_rows(instance)
    rows = [LinearConstraint(matrix, -np.inf, most)]
    if instance.rows.shape[0]:
        rows.append(LinearConstraint(instance.rows, instance.lower, instance.upper))
    kinds = np.full(len(instance.value), int(integer))
    answer = milp(-instance.value, constraints=rows, integrality=kinds, bounds=Bounds(0, 1), options={"mip_rel_gap": gap})
    assert answer.status in (0, 2), answer.message
    if answer.status == 2:
        return None
    return -float(answer.fun), -float(answer.fun if gap == 0 else answer.mip_dual_bound)
