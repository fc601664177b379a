"""Compiled loops over the periods of one HCP after the other."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def fading_sum(values: np.ndarray, fade: float, out: np.ndarray) -> None:
    """out (n, P + 1, C): fading sum of values (n, P, C) strictly before each period."""
    n, periods, channels = values.shape
    for i in range(n):
        for c in range(channels):
            total = 0.0
            out[i, 0, c] = 0.0
            for t in range(periods):
                total = total * fade + values[i, t, c]
                out[i, t + 1, c] = total


@njit(cache=True)
def fading_average(values: np.ndarray, fade: float, mean: np.ndarray, weight: np.ndarray) -> None:
    """mean, weight (n, P + 1): fading mean of the known values (n, P) strictly before each period, 0 where none is."""
    n, periods = values.shape
    for i in range(n):
        total, sure = 0.0, 0.0
        mean[i, 0], weight[i, 0] = 0.0, 0.0
        for t in range(periods):
            total, sure = total * fade, sure * fade
            if np.isfinite(values[i, t]):
                total += values[i, t]
                sure += 1.0
            mean[i, t + 1] = total / sure if sure > 1e-9 else 0.0
            weight[i, t + 1] = sure
