"""Every touch vector of every HCP by definition, every plan of a tiny problem, and z_LP as a plain linear program.

Written from the data contract alone: it imports nothing but the vocabulary, so a mistake of the solver is not repeated here.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

MOST_PLANS = 600_000


@dataclass(frozen=True)
class Options:
    """The touch vectors that the rules inside one HCP allow: touches (n, channels), value V (n,), use (n, limits)."""

    touches: np.ndarray
    value: np.ndarray
    use: np.ndarray


def worth(touches, value, overlap):
    """V of one HCP's touches: the sum of values less the overlap of every pair of touches, one touch after the other."""
    made = [v for count, v in zip(touches, value, strict=True) for _ in range(int(count))]
    return sum(made) - overlap * sum(min(max(a, 0.0), max(b, 0.0)) for a, b in itertools.combinations(made, 2))


def rules_hold(problem, hcp, touches):
    """Whether one HCP's touches keep caps, clashes and pins."""
    channels = len(problem.channels)
    at = {hcp * channels + c: int(touches[c]) for c in range(channels)}
    if any(at.get(int(pin), 1) < 1 for pin in problem.pins):
        return False
    for cap in problem.caps:
        used: dict[int, int] = {}
        for pair, group in zip(cap.pairs.tolist(), cap.group.tolist(), strict=True):
            used[group] = used.get(group, 0) + at.get(pair, 0)
        if any(count > cap.upper[group] for group, count in used.items()):
            return False
    for row in problem.exclusive:
        for members in row.members.tolist():
            least = row.least or (1,) * len(members)
            if members[0] in at and all(at[pair] >= few for pair, few in zip(members, least, strict=True)):
                return False
    return True


def limit_use(problem, limit, hcp, touches):
    """What one HCP's touches use of a limit."""
    if hcp not in limit.hcps:
        return 0.0
    row = limit.use if limit.use.ndim == 1 else limit.use[np.flatnonzero(limit.hcps == hcp)[0]]
    if limit.counts == "hcps":
        return float(any(row[c] != 0 and touches[c] > 0 for c in range(len(touches))))
    return float(sum(row[c] * touches[c] for c in range(len(touches))))


def options_of(problem):
    """The options of every HCP; an HCP whose pins allow none has none."""
    channels, found = len(problem.channels), []
    eligible, value = problem.eligible.reshape(-1, channels), problem.value.reshape(-1, channels)
    for hcp in range(len(problem.hcp_ids)):
        ranges = [range(int(problem.most_touches[c]) + 1 if eligible[hcp, c] else 1) for c in range(channels)]
        vectors = [v for v in itertools.product(*ranges) if rules_hold(problem, hcp, v)]
        touches = np.array(vectors, dtype=np.int64).reshape(-1, channels)
        values = np.array([worth(v, value[hcp], problem.settings.overlap) for v in vectors])
        use = np.array([[limit_use(problem, x, hcp, v) for x in problem.limits] for v in vectors]).reshape(
            len(vectors), len(problem.limits)
        )
        found.append(Options(touches, values, use))
    return found


def penalty_of(problem, options):
    """KPI units per missing HCP: the setting, else twice the largest V of one HCP."""
    if problem.settings.floor_penalty is not None:
        return problem.settings.floor_penalty
    return 2.0 * max([0.0, *(float(each.value.max()) for each in options if len(each.value))])


@dataclass(frozen=True)
class Plans:
    """All plans that keep the hard limits: total = objective - penalty (n,), choice (n, hcps) option numbers."""

    options: list[Options]
    total: np.ndarray
    choice: np.ndarray

    def holding(self, hcp, channel):
        """Mask of the plans with a touch on the pair."""
        return self.options[hcp].touches[self.choice[:, hcp], channel] > 0


def all_plans(problem, tolerance=1e-6):
    """Every plan of a tiny problem that keeps its limits to a relative tolerance; AssertionError beyond `MOST_PLANS`."""
    options = options_of(problem)
    sizes = [len(each.value) for each in options]
    assert np.prod([float(n) for n in sizes]) <= MOST_PLANS
    choice = (
        np.array(np.unravel_index(np.arange(int(np.prod(sizes))), sizes)).T.reshape(-1, len(options)) if sizes else np.zeros((1, 0), int)
    )
    total, use = np.zeros(len(choice)), np.zeros((len(choice), len(problem.limits)))
    for hcp, each in enumerate(options):
        total += each.value[choice[:, hcp]]
        use += each.use[choice[:, hcp]]
    penalty, holds = penalty_of(problem, options), np.ones(len(choice), dtype=bool)
    for number, limit in enumerate(problem.limits):
        missing = use[:, number] - limit.bound if limit.side == "max" else limit.bound - use[:, number]
        if limit.hardness == "soft":
            total -= penalty * np.maximum(missing, 0.0)
        else:
            holds &= missing <= tolerance * (abs(limit.bound) + 1e-3)
    return Plans(options, total[holds], choice[holds])


def continuous_bound(problem, options=None):
    """z_LP: the best mixture of options, fractions allowed, by scipy's linear program; None where the hard limits do not hold."""
    from scipy.optimize import linprog

    options = options_of(problem) if options is None else options
    if any(len(each.value) == 0 for each in options):
        return None
    if not options:
        options = [Options(np.zeros((1, len(problem.channels))), np.zeros(1), np.zeros((1, len(problem.limits))))]
    value, use = np.concatenate([each.value for each in options]), np.concatenate([each.use for each in options])
    owner = np.repeat(np.arange(len(options)), [len(each.value) for each in options])
    soft = [number for number, limit in enumerate(problem.limits) if limit.hardness == "soft"]
    sign = np.array([1.0 if limit.side == "max" else -1.0 for limit in problem.limits])
    bound = np.array([limit.bound for limit in problem.limits])
    missing = -np.eye(len(problem.limits))[:, soft]
    size = np.maximum(np.abs(use).max(axis=0, initial=0.0), 1e-300) if len(problem.limits) else np.zeros(0)
    size = np.where(size <= 1e-300, 1.0, size)
    answer = linprog(
        np.concatenate([-value, np.full(len(soft), penalty_of(problem, options))]),
        A_ub=np.hstack([sign[:, None] * use.T, missing]) / size[:, None] if len(problem.limits) else None,
        b_ub=sign * bound / size if len(problem.limits) else None,
        A_eq=np.hstack([np.eye(len(options))[:, owner], np.zeros((len(options), len(soft)))]),
        b_eq=np.ones(len(options)),
        method="highs",
    )
    assert answer.status in (0, 2), answer.message
    return None if answer.status == 2 else -float(answer.fun)
