"""How far a column has moved from its profile, as sizes of effect that do not grow with the sample, and how sure that is.

PSI (Lewis 1994; Siddiqi 2006) is the symmetric Kullback-Leibler divergence over bins. Its mean without any drift is (bins - 1) x (1/n +
1/m) (Yurdakul 2018), which is taken off: what is left estimates the divergence itself, at any n. KS is the largest distance of the two
distribution functions. Beside each stands `sureness`: how many standard errors the same counts lie from no drift at all, by a
chi-squared test of homogeneity (Wilson and Hilferty 1931) and by Kolmogorov's and Smirnov's own limit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pyarrow as pa

from nba.monitoring.profile import Profile, units_of

LEAST_IN_BIN = 10  # expected HCPs of the smaller side per bin: neighbours are joined until a bin has as many
SUREST = 8.0


@dataclass(frozen=True)
class Moved:
    """psi: debiased, >= 0; ks: null for categories. Each with its sureness in standard errors. n: units (HCPs or channels) of the smaller
    side."""

    psi: float
    psi_sureness: float
    ks: float | None
    ks_sureness: float
    n: int


def moved(before: Profile, column: pa.ChunkedArray, hcps: int) -> Moved | None:
    """How far `column`, of a sample of `hcps` units, lies from its profile. None where it became another kind of column."""
    counted = before.counted(column)
    if counted is None or not before.rows or not len(column):
        return None
    now, unknown = counted
    old = np.array([*before.counts, before.unknown], dtype=np.float64)
    new = np.array([*now, unknown], dtype=np.float64)
    n, m = float(before.hcps), float(hcps)
    p, q = joined(old / old.sum(), new / new.sum(), min(n, m), ordered=before.kind == "number")
    ks, ks_sureness = _kolmogorov(old, new, n, m) if before.kind == "number" else (None, 0.0)
    return Moved(debiased_psi(p, q, n, m), homogeneity(p, q, n, m), ks, ks_sureness, int(min(n, m)))


def joined(p: np.ndarray, q: np.ndarray, least: float, ordered: bool) -> tuple[np.ndarray, np.ndarray]:
    """Shares with bins joined until each has LEAST_IN_BIN of `least` on average of both sides; the last bin, the unknown, stays its own
    where it is large enough. ordered: neighbours are joined, else the smallest."""
    places = np.arange(len(p) - 1) if ordered else np.argsort(-(p + q)[:-1], kind="stable")
    groups: list[list[float]] = []
    a = b = 0.0
    for place in places:
        a, b = a + p[place], b + q[place]
        if (a + b) / 2 * least >= LEAST_IN_BIN:
            groups.append([a, b])
            a = b = 0.0
    rest = [a, b]
    gone = [p[-1], q[-1]]
    for part in (rest, gone):
        if sum(part) == 0:
            continue
        if (part[0] + part[1]) / 2 * least >= LEAST_IN_BIN or not groups:
            groups.append(part)
        else:
            groups[-1] = [groups[-1][0] + part[0], groups[-1][1] + part[1]]
    both = np.array(groups)
    return both[:, 0], both[:, 1]


def debiased_psi(p: np.ndarray, q: np.ndarray, n: float, m: float) -> float:
    """Population stability index of shares p of n and q of m, its mean without drift taken off; never below 0.

    An empty bin counts as half an observation.
    """
    bins = len(p)
    if bins < 2:
        return 0.0
    a, b = (p * n + 0.5) / (n + 0.5 * bins), (q * m + 0.5) / (m + 0.5 * bins)
    raw = float(((a - b) * np.log(a / b)).sum())
    return max(0.0, raw - (bins - 1) * (1 / n + 1 / m))


def homogeneity(p: np.ndarray, q: np.ndarray, n: float, m: float) -> float:
    """Standard errors by which shares p of n and q of m differ from one and the same distribution; between -SUREST and SUREST."""
    pooled = (n * p + m * q) / (n + m)
    used = pooled > 0
    if used.sum() < 2:
        return 0.0
    square = float((n * m / (n + m) * (p[used] - q[used]) ** 2 / pooled[used]).sum())
    return chi_squared_sureness(square, int(used.sum()) - 1)


def chi_squared_sureness(square: float, freedom: int) -> float:
    """A chi-squared value as standard errors of a normal (Wilson and Hilferty 1931)."""
    spread = 2 / (9 * freedom)
    return float(np.clip(((square / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread), -SUREST, SUREST))


def _kolmogorov(old: np.ndarray, new: np.ndarray, n: float, m: float) -> tuple[float | None, float]:
    """The largest distance of two distribution functions at the bounds, over known values (all but the last count), and its sureness."""
    known_n, known_m = n * (1 - old[-1] / old.sum()), m * (1 - new[-1] / new.sum())
    old, new = old[:-1], new[:-1]
    if not old.sum() or not new.sum():
        return None, 0.0
    distance = float(np.abs(np.cumsum(old) / old.sum() - np.cumsum(new) / new.sum()).max())
    chance = min(2 * math.exp(-2 * distance**2 * known_n * known_m / (known_n + known_m)), 1.0)
    return distance, min(-NormalDist().inv_cdf(chance / 2), SUREST) if chance > 1e-15 else SUREST


def drift_facts(sample: pa.Table, profiles: Iterable[tuple[str, str, Profile]]) -> list[dict]:
    """Facts `psi` and `ks` of every column with a profile: (table, column, profile) of an earlier run against the sample of this one."""
    units, facts = units_of(sample), []
    for table, name, before in profiles:
        found = moved(before, sample[name], units[name]) if units.get(name) else None
        if found is None:
            continue
        head = {"subject": table, "feature": name, "channel": None, "n": found.n, "baseline": 0.0}
        facts.append({**head, "measure": "psi", "value": found.psi, "effect": found.psi, "sureness": found.psi_sureness})
        if found.ks is not None:
            facts.append({**head, "measure": "ks", "value": found.ks, "effect": found.ks, "sureness": found.ks_sureness})
    return facts
