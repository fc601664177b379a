"""Groups of HCPs within which arms are compared, and who is a stranger to whom when a model is fitted."""

from __future__ import annotations

import numpy as np

from nba.measurement.estimate import distinct_pairs

FOLDS = 5
LEAST_UNITS = 5  # of each arm in a cell: with fewer, intervals of skewed KPIs came out too short in simulation


def comparison_cells(
    cycle: np.ndarray, stratum: np.ndarray, wider: np.ndarray, treated: np.ndarray, unit: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """The finest groups with LEAST_UNITS drawn units of both arms: strata; what strata of one wider class leave over, else that class
    whole; what classes leave over, else the whole cycle.

    All arguments are per row: codes from 0 of cycle, stratum, wider class (strata lie within it) and unit, and whether the row is of the
    treated arm. The choice looks at arms alone, never at outcomes. Returns the cell of each row (-1 where even the whole cycle has too few
    units), whether each row's cell is its own stratum, and the number of cells.
    """
    if len(cycle) == 0:
        return np.zeros(0, np.int64), np.zeros(0, bool), 0
    base, zero = cycle.astype(np.int64), np.zeros(len(cycle), np.int64)
    levels = [np.unique(base * (int(code.max()) + 1) + code, return_inverse=True)[1] for code in (stratum, wider, zero)]
    cell = levels[0].copy()
    passes = _both_arms(cell, treated, unit)
    own = passes.copy()
    for group in levels[1:]:
        rest_passes = np.zeros(len(cell), bool)
        rest_passes[~passes] = _both_arms(group[~passes], treated[~passes], unit[~passes])
        mended = np.zeros(int(group.max()) + 1, bool)
        mended[group[~passes & ~rest_passes]] = True  # what is left over is too little: the whole group becomes one cell
        whole = mended[group]
        taken = whole | ~passes
        cell[taken] = int(cell.max()) + 1 + group[taken]
        own[whole] = False
        passes = np.where(whole, _both_arms(group, treated, unit), True)
    _, cell = np.unique(np.where(passes, cell, -1), return_inverse=True)
    if not passes.all():
        cell = cell - 1
    return cell, own & passes, int(cell.max()) + 1


def _both_arms(code: np.ndarray, treated: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Whether the group of each row has enough units of both arms."""
    if len(code) == 0:
        return np.zeros(0, bool)
    size = int(code.max()) + 1
    sides = [distinct_pairs(code[side], unit[side], size) >= LEAST_UNITS for side in (treated, ~treated)]
    return (sides[0] & sides[1])[code]


def fold_of(unit: np.ndarray, seed: int = 0) -> np.ndarray:
    """Fold 0..FOLDS-1 per row: rows of one unit (codes from 0 in order of id) share one, sizes in units differ by at most one."""
    units = int(unit.max()) + 1 if len(unit) else 0
    return (np.random.default_rng(seed).permutation(units) % FOLDS)[unit]


def cross_fitted_slopes(outcome: np.ndarray, covariates: np.ndarray, cell: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """What each row's covariates say of its outcome, from slopes within cells of the other folds (KPI units, any level).

    covariates: rows x columns without NaN. Since the slopes know nothing of the row's own fold, taking this off the outcome leaves a
    difference of randomised arms unbiased (CUPED: Deng et al. 2013, cross-fitted as in Wager et al. 2016).
    """
    predicted, centred = np.zeros(len(outcome)), _within(covariates, cell)
    for number in range(FOLDS):
        others, mine = fold != number, fold == number
        if not others.any() or not mine.any():
            continue
        x, y = _within(covariates[others], cell[others]), _within(outcome[others][:, None], cell[others])[:, 0]
        predicted[mine] = centred[mine] @ ridge(x, y)
    return predicted


def ridge(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    """Least-squares slopes with a penalty of one row's worth per column in its own scale: defined for constant and equal columns too."""
    weighted = x if weight is None else x * weight[:, None]
    gram = weighted.T @ x
    scale = np.diag(gram) / max(len(x), 1)
    gram[np.diag_indices_from(gram)] += np.where(scale > 0, scale, 1.0)
    return np.linalg.solve(gram, weighted.T @ y)


def _within(values: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Deviations from the means of the cells."""
    _, code = np.unique(cell, return_inverse=True)
    count = np.bincount(code).astype(float)
    means = np.column_stack([np.bincount(code, column) / count for column in values.T])
    return values - means[code]
