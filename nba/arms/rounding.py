"""Expected numbers to whole ones, by chance, without losing remainders: unbiased controlled rounding of a table with three columns.

Every cell becomes one of its two neighbouring whole numbers, so do the sums of the columns, the sums of the rows stay, and the
expectation of every cell is the cell (Cox 1987, "A constructive procedure for unbiased controlled rounding", JASA 82). Rows are taken
in the order given: what is left open of them is carried on to the next ones, so sums over the first rows are near their expectation.
"""

from __future__ import annotations

import numpy as np

NEAR = 1e-9  # closer to a whole number than this is that number


def rounded(expected: np.ndarray, key: np.uint64) -> np.ndarray:
    """(rows, 3) int64 for expected (rows, 3) >= 0 whose rows sum to whole numbers. key: the hash that chance comes from."""
    from nba.arms.kernels import round_rows

    whole = np.floor(expected + NEAR)
    part = np.maximum(expected - whole, 0.0)
    part[part < NEAR] = 0.0
    total = part.sum(axis=0)
    slack = np.ceil(total - NEAR * max(1, len(part))) - total  # one more row, which makes the sums of the columns whole
    part = np.vstack([part, np.maximum(slack, 0.0)])
    round_rows(part, key)
    return whole.astype(np.int64) + np.rint(part[:-1]).astype(np.int64)
