"""Rows that a floating point solver can be trusted with, and cuts for what it then lets pass.

HiGHS holds rows to about 1e-7 and reads smaller coefficients as nothing; where uses of one limit lie far apart (a mail of 0.02 beside a
congress of 20,000) its presolve has lost plans that keep the limit, and with them the bound. So such rows are handed over on the
loose side: what is too small for the solver is left out, and the rest is given a little more room. The bound is then
never too low. A plan that only the looseness allows is cut off by whole numbers alone (cover inequalities: Balas 1975; over
multiple choice: Johnson and Padberg 1981), and the program is solved again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from optimization.restricted import Restricted
from optimization.tallies import Tallies

NOISE = 1e-9  # of a row's size: sums of floats that differ by less are equal
APART = 1e-3  # of the largest coefficient: a row with smaller ones is handed over on the loose side
SMALLEST = 1e-7  # of the largest coefficient: less is left out
ROOM = 1e-8  # what such a row gets on top, ten times the solver's tolerance


@dataclass(frozen=True)
class Cover:
    """At most `most` of the free columns `members` may be picked together."""

    members: np.ndarray
    most: int


def far_apart(part: Restricted) -> bool:
    """Whether uses of one limit lie so far apart that the solver's own tolerance matters."""
    return bool(np.any((part.use.data != 0) & (np.abs(part.use.data) < APART)))


def loose(part: Restricted, tallies: Tallies) -> tuple[Restricted, Tallies]:
    """The same program with every row on the loose side: every plan of `part` is one of its plans."""
    use, weight = _without_small(part.use), _without_small(tallies.weight)
    return replace(part, use=sparse.csc_matrix(use), rest=part.rest + ROOM * _size(part)), replace(
        tallies, weight=sparse.csr_matrix(weight)
    )


def narrow(part: Restricted) -> Restricted:
    """The same program with a little less room in every row: what the solver finds keeps the limits of `part`."""
    return replace(part, rest=part.rest - ROOM * _size(part))


def broken(part: Restricted, picked: np.ndarray, hard: np.ndarray) -> np.ndarray:
    """Numbers of the hard limits that a plan (free columns, one per HCP) breaks by more than the noise of floats."""
    used = np.asarray(part.use[:, picked].sum(axis=1)).ravel()
    return np.flatnonzero((used - part.rest > NOISE * _size(part)) & hard)


def cover_of(part: Restricted, limit: int, picked: np.ndarray) -> Cover | None:
    """A cut that this plan breaks and no plan within the limit does; None where no plan at all is within the limit.

    Over its HCP's least use every column has an excess >= 0. The plan's largest excesses are taken until they alone pass what is left; then
    of their HCPs' columns with at least the same excess, and of other HCPs' columns with at least the largest one, not so many
    may come together.
    """
    use = np.asarray(part.use[limit].todense()).ravel()
    least = np.full(part.hcp_count, np.inf)
    np.minimum.at(least, part.owner, use)
    excess = use - least[part.owner]
    mine = excess[picked]  # by HCP: `picked` holds one column of each, in their order
    order = np.argsort(-mine, kind="stable")
    room = part.rest[limit] - least.sum() + NOISE * _size(part)[limit]
    if room < 0:
        return None
    size = int(np.searchsorted(np.cumsum(mine[order]) > room, True)) + 1
    threshold = np.full(part.hcp_count, mine[order[0]])
    threshold[order[:size]] = mine[order[:size]]
    return Cover(np.flatnonzero((excess >= threshold[part.owner]) & (excess > 0)), size - 1)


def _size(part: Restricted) -> np.ndarray:
    return np.maximum(1.0, np.abs(part.rest))


def _without_small(rows: sparse.spmatrix) -> sparse.spmatrix:
    """Uses too small for the solver become 0, refunds too small for it as large as it can read: both loosen the row."""
    found = rows.copy()
    small = np.abs(found.data) < SMALLEST
    found.data = np.where(small, np.where(found.data < 0, -SMALLEST, 0.0), found.data)
    found.eliminate_zeros()
    return found
