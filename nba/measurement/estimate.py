"""An estimate as a value and what each row moves it by, so that sums, differences and ratios of estimates keep their intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

LEVEL = 0.90  # of every interval of this package


@dataclass(frozen=True)
class Estimate:
    """value: the estimate. influence: per row, first-order share of the row in value - truth. degrees: of the t distribution."""

    value: float
    influence: np.ndarray
    degrees: float

    def error(self, cluster: np.ndarray) -> float:
        """Standard error; rows of one cluster (codes from 0) may depend on each other in any way."""
        return float(np.sqrt(np.sum(np.bincount(cluster, self.influence) ** 2)))

    def tail_degrees(self, cluster: np.ndarray) -> float:
        """Degrees of freedom of the variance: the number of clusters for normal influence, fewer where a few of them carry it.

        2 V^2 / var(V), as Satterthwaite (1946), with the fourth moments as they are found and a normal's where they are that.
        """
        square = np.bincount(cluster, self.influence) ** 2
        fourth = float(np.sum(square**2))
        return 3.0 * float(square.sum()) ** 2 / fourth if fourth > 0 else float(np.count_nonzero(np.bincount(cluster)))

    def minus(self, other: Estimate, cluster: np.ndarray) -> Estimate:
        """The difference of two estimates over the same rows; degrees by Satterthwaite (1946) from the two variances."""
        mine, theirs = self.error(cluster) ** 2, other.error(cluster) ** 2
        below = mine**2 / self.degrees + theirs**2 / other.degrees
        degrees = (mine + theirs) ** 2 / below if below > 0 else min(self.degrees, other.degrees)
        return Estimate(self.value - other.value, self.influence - other.influence, float(degrees))

    def times(self, factor: float) -> Estimate:
        """The estimate in other units."""
        return Estimate(factor * self.value, factor * self.influence, self.degrees)

    def interval(self, cluster: np.ndarray) -> tuple[float, float]:
        """Ends of the two-sided interval at LEVEL."""
        half = critical(self.degrees) * self.error(cluster)
        return self.value - half, self.value + half


def critical(degrees: float) -> float:
    """Half width of an interval at LEVEL in standard errors: quantile of the t distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(max(degrees, 1.0), 0.5 + LEVEL / 2))


def weighted_mean(
    values: np.ndarray, weight: np.ndarray, cell: np.ndarray, cell_weight: np.ndarray, cluster: np.ndarray, means_taken: float = 1.0
) -> Estimate:
    """Mean of values within cells, cells mixed by cell_weight (sums to 1).

    weight >= 0 per row: inverse probability of being seen, 0 for rows that do not count. Within a cell the mean is divided by the sum of
    weights (Hajek); deviations are stretched by sqrt(G / (G - 1)) for the G clusters of the cell, which for single rows is the variance of
    Neyman (1923). Cells of cell_weight > 0 need at least two clusters with weight. means_taken: degrees of freedom that the means cost.
    """
    size = len(cell_weight)
    total = np.bincount(cell, weight, size)
    safe = np.where(total > 0, total, 1.0)
    mean = np.bincount(cell, weight * values, size) / safe
    clusters = distinct_pairs(cell[weight > 0], cluster[weight > 0], size)
    stretch = np.sqrt(np.where(clusters > 1, clusters / np.maximum(clusters - 1.0, 1.0), 1.0))
    influence = (cell_weight / safe * stretch)[cell] * weight * (values - mean[cell])
    found = Estimate(float(np.sum(cell_weight * mean)), influence, 1.0)
    return replace(found, degrees=float(max(min(len(np.unique(cluster[weight > 0])) - means_taken, found.tail_degrees(cluster)), 1.0)))


def distinct_pairs(cell: np.ndarray, cluster: np.ndarray, size: int) -> np.ndarray:
    """Number of distinct clusters in each cell, as float."""
    if len(cell) == 0:
        return np.zeros(size)
    pairs = np.unique(cell.astype(np.int64) * (int(cluster.max()) + 1) + cluster)
    return np.bincount(pairs // (int(cluster.max()) + 1), minlength=size).astype(float)


def effective_size(weight: np.ndarray) -> float:
    """Effective sample size of weighted rows (Kish 1965); 0 without weight."""
    return float(weight.sum() ** 2 / np.sum(weight**2)) if np.any(weight > 0) else 0.0


def ratio_interval(top: Estimate, bottom: Estimate, cluster: np.ndarray) -> tuple[float, float]:
    """Interval at LEVEL of top / bottom (Fieller 1954): every ratio r for which top - r x bottom is no further from 0 than chance allows.

    Both ends are finite where bottom differs from 0 at that level; elsewhere they are NaN.
    """
    first, second = np.bincount(cluster, top.influence), np.bincount(cluster, bottom.influence)
    quantile = critical(min(top.degrees, bottom.degrees)) ** 2
    square = bottom.value**2 - quantile * np.sum(second**2)
    cross = top.value * bottom.value - quantile * np.sum(first * second)
    rest = top.value**2 - quantile * np.sum(first**2)
    inside = cross**2 - square * rest
    if square <= 0 or inside < 0:
        return float("nan"), float("nan")
    return (cross - float(np.sqrt(inside))) / square, (cross + float(np.sqrt(inside))) / square
