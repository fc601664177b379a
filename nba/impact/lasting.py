"""How an effect comes about over time: within the cycle, and on to the long horizon."""

from __future__ import annotations

import numpy as np

from nba.impact.checks import Fit, clustered
from nba.impact.controls import doses
from nba.impact.effects import Effects
from nba.impact.form import Form
from nba.impact.learn import Learning, Norm, chunks
from nba.impact.settings import ImpactSettings

LONG_PRIOR_ERROR = 0.6  # doubt of the belief in how much longer than a cycle effects last, of all channels together
LONG_CHANNEL_ERROR = 0.3  # how far one channel may depart from the others


def response_over_time(learning: Learning, form: Form, norm: Norm, settings: ImpactSettings) -> tuple[np.ndarray, np.ndarray]:
    """How much of a cycle's effect has come after so many of its periods, (C, parts), and the long horizon's multiple of it, (C,).

    Shrunk to the belief that a share `carry_over` of an effect is left one period later.
    """
    channels = len(learning.panel.channels)

    x = learning.doses_of(form, norm)

    def against(outcome: np.ndarray, only: np.ndarray | None = None) -> Fit:
        return clustered(x, np.nan_to_num(outcome), learning.weight if only is None else learning.weight * only)

    def ratio(part: Fit, whole: Fit) -> tuple[np.ndarray, np.ndarray]:
        """Ratio of two effects and what it is worth, 0 where the whole is not known (delta method, errors of the part only)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            found, error = part.theta / whole.theta, part.error / np.abs(whole.theta)
            sure = np.where(
                np.isfinite(found) & np.isfinite(error) & (np.abs(whole.theta) > 2 * whole.error), 1 / np.maximum(error, 1e-6) ** 2, 0.0
            )
        return np.where(sure > 0, np.nan_to_num(found), 0.0), sure

    def shrunk(found: np.ndarray, sure: np.ndarray, belief: float, doubt: float) -> np.ndarray:
        return (sure * found + belief / doubt**2) / (sure + 1 / doubt**2)

    def reached(periods: int) -> float:
        kept = settings.carry_over
        return float(periods) if kept == 1 else (1 - kept**periods) / (1 - kept)

    cycle = settings.cycle_periods
    whole = against(learning.outcome[:, :, -1])
    profile = np.ones((channels, len(learning.parts)))
    for number, periods in enumerate(learning.parts[:-1]):
        found = ratio(against(learning.outcome[:, :, number]), whole)
        profile[:, number] = shrunk(*found, reached(periods) / reached(cycle), 0.15)
    profile = np.clip(np.maximum.accumulate(profile, axis=1), 0.0, 1.0)
    known = np.isfinite(learning.long) & learning.valid
    belief = reached(settings.long_periods) / reached(cycle)
    long = np.full(channels, belief)
    if known.any():
        found, sure = ratio(against(learning.long, known), against(learning.outcome[:, :, -1], known))
        together = sure / (1 + sure * LONG_CHANNEL_ERROR**2)
        common = (together @ found + belief / LONG_PRIOR_ERROR**2) / (together.sum() + 1 / LONG_PRIOR_ERROR**2)
        long = shrunk(found, sure, float(common), LONG_CHANNEL_ERROR)
    return np.clip(long, 0.5, settings.long_periods / cycle), profile


def later_touches(learning: Learning, form: Form, norm: Norm, effects: Effects, profile: np.ndarray) -> np.ndarray:
    """KPI that the touches of the 2nd to last period of each row's cycle brought within it, (n, T)."""
    cycle, panel = learning.cycle, learning.panel
    out = np.zeros((panel.hcps, learning.length), np.float32)
    share = np.stack([np.interp(np.arange(1, cycle), [0, *learning.parts], [0.0, *profile[c]]) for c in range(len(panel.channels))])
    for hcps in chunks(panel.hcps):
        brought = learning.impact(form, norm, effects, hcps, slice(0, panel.periods)) * doses(panel.touches[hcps], learning.wear(form))
        for later in range(1, cycle):
            at = np.minimum(np.arange(learning.rows.start, learning.rows.stop) + later, panel.periods - 1)
            out[hcps] += (brought[:, at] * share[:, cycle - later - 1].astype(np.float32)).sum(axis=2)
    return out
