"""Sets that no whole plan can hold: touches that alone use more than all of a limit.

z_LP may take a fraction of such a touch, so prices are made with it. Integer programs do without: their bound becomes tighter, and a
limit is scaled by the largest coefficient that can matter (a budget of 50 beside a congress of a million is a budget of 50).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from optimization.prices import LimitsConflict
from optimization.sets import HcpSets
from optimization.shared import SharedLimits


@dataclass(frozen=True)
class Fitting:
    """sets, shared: without what cannot fit; place: per list of `sets`, the places of its sets in the HCP's whole list (flat, by
    `sets.list_start`), None where everything fits."""

    sets: HcpSets
    shared: SharedLimits
    whole: HcpSets
    place: np.ndarray | None

    def back(self, columns: np.ndarray) -> np.ndarray:
        """Columns of `sets` as columns of the whole."""
        if self.place is None:
            return columns
        owner = self.sets.owner_of(columns)
        at = self.sets.list_start[self.sets.list_of[owner]] + columns - self.sets.start[owner]
        return self.whole.start[owner] + self.place[at]


def fitting(sets: HcpSets, shared: SharedLimits) -> Fitting:
    """The problem without the sets that cannot fit. Raises LimitsConflict when the pins of an HCP do not fit."""
    closed = _too_large(sets, shared)
    if not len(closed):
        return Fitting(sets, shared, sets, None)
    features = shared.features(sets)
    shut = np.zeros((shared.profile_count, len(sets.touches)), dtype=bool)
    for profile, feature, most in closed:
        shut[profile] |= features[:, feature] > most
    profiles = np.flatnonzero(shut.any(axis=1))
    suspect = np.isin(shared.profile, profiles)
    key = sets.list_of.astype(np.int64) * (shared.profile_count + 1) + np.where(suspect, shared.profile + 1, 0)
    keys, list_of = np.unique(key, return_inverse=True)
    kinds, places = [], []
    for one in keys.tolist():
        number, profile = divmod(one, shared.profile_count + 1)
        mine = sets.list_kind[sets.list_start[number] : sets.list_start[number + 1]]
        keep = np.flatnonzero(~shut[profile - 1][mine]) if profile else np.arange(len(mine))
        if len(keep) == 0 and len(mine):
            raise LimitsConflict("a pinned touch uses more than all of a limit")
        kinds.append(mine[keep])
        places.append(keep)
    sizes = np.array([len(x) for x in kinds], dtype=np.int64)
    list_start = np.concatenate([[0], np.cumsum(sizes)])
    start = np.concatenate([[0], np.cumsum(sizes[list_of])])
    mine = replace(sets, list_of=list_of.astype(np.int32), list_start=list_start, list_kind=np.concatenate(kinds), start=start)
    return Fitting(mine, _without(shared, closed, sets.channel_count), sets, np.concatenate(places))


def _without(shared: SharedLimits, closed: list[tuple[int, int, float]], channels: int) -> SharedLimits:
    """The limits without the coefficients of touches of which not even one fits."""
    gone = np.zeros(shared.coefficient.shape[1], dtype=bool)
    for profile, feature, most in closed:
        gone[profile * shared.width + feature] |= most < 1
    left = sparse.csr_matrix(shared.coefficient @ sparse.diags(np.where(gone, 0.0, 1.0)))
    left.eliminate_zeros()
    return replace(shared, coefficient=left)


def _too_large(sets: HcpSets, shared: SharedLimits) -> list[tuple[int, int, float]]:
    """(profile, feature, most): touches of a feature of which only so many fit a hard upper limit that nothing can relieve."""
    matrix, found = shared.coefficient, []
    largest = float(sets.touches.max(initial=1))
    for number in np.flatnonzero((shared.sign > 0) & ~shared.soft).tolist():
        a, b = matrix.indptr[number], matrix.indptr[number + 1]
        data, bound = matrix.data[a:b], shared.bound[number]
        if len(data) and data.min() >= 0 and bound >= 0:
            # the tolerance of the contract, twice: what the checker lets pass is never closed
            room = bound + 2e-6 * bound + 2e-9
            for at in np.flatnonzero(data * largest > room).tolist():
                profile, feature = divmod(int(matrix.indices[a + at]), shared.width)
                most = np.floor(room / data[at])
                if most < (largest if feature < sets.channel_count else 1.0):
                    found.append((profile, feature, float(most)))
    return found
