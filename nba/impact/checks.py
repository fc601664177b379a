"""Checks of an impact estimate that can fail: calibration on HCPs left out, a placebo on touches to come, overlap, effective sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nba.impact.effects import Effects, Moments, Prior, plain_fit, posterior
from nba.impact.form import Form
from nba.impact.history import FOLDS
from nba.impact.learn import Learning, Norm, chunks

Z90 = 1.6448536269514722
Z_EFFECTIVE = 2.5758293035489004  # one channel in 200 without any effect is called effective
SLOPE_TOLERANCE = 0.15
PLACEBO_SHARE = 0.25
LEAST_RATE = 0.002  # touches per HCP and week below which nobody like this HCP was ever touched


@dataclass(frozen=True)
class Fit:
    """Coefficients (C,), their covariance clustered by HCP, and by how much clustering widened each one's variance."""

    theta: np.ndarray
    covariance: np.ndarray
    inflation: np.ndarray
    sample: np.ndarray

    @property
    def error(self) -> np.ndarray:
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


def clustered(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Fit:
    """Weighted least squares of y (n, T) on x (n, T, C), errors clustered by HCP. sample: HCPs that carry a coefficient (Kish)."""
    hcps, _, channels = x.shape
    gram, cross = np.zeros((channels, channels)), np.zeros(channels)
    info, square = np.zeros(channels), np.zeros(channels)
    for rows in chunks(hcps):
        weighted = x[rows] * weight[rows][:, :, None]
        flat = weighted.reshape(-1, channels)
        gram += flat.T @ x[rows].reshape(-1, channels)
        cross += flat.T @ y[rows].ravel()
        own = (weighted * x[rows]).sum(axis=1).astype(np.float64)
        info, square = info + own.sum(axis=0), square + (own * own).sum(axis=0)
    theta, inverse = plain_fit(gram, cross)
    meat = np.zeros_like(gram)
    for rows in chunks(hcps):
        left = (y[rows] - x[rows] @ theta.astype(np.float32)) * weight[rows]
        score = (x[rows] * left[:, :, None]).sum(axis=1).astype(np.float64)
        meat += score.T @ score
    there = np.isfinite(np.diag(inverse))
    covariance = np.diag(np.where(there, 0.0, np.inf))
    inside = inverse[np.ix_(there, there)]
    covariance[np.ix_(there, there)] = inside @ meat[np.ix_(there, there)] @ inside * hcps / max(hcps - 1, 1)
    inflation = np.where(np.diag(gram) > 0, np.diag(meat) / np.maximum(np.diag(gram), 1e-300), 1.0)
    return Fit(theta, covariance, np.maximum(inflation, 0.2), info**2 / np.maximum(square, 1e-300))


def head_fit(learning: Learning, form: Form, norm: Norm) -> Fit:
    """One effect per channel, without a prior."""
    return clustered(learning.doses_of(form, norm), learning.outcome[:, :, -1], learning.weight)


def placebo_fit(learning: Learning, form: Form, norm: Norm, raw: bool = False) -> Fit:
    """The KPI of the cycle that had just ended, on the touch that followed it: what a touch cannot have done.

    On the innovation of the touch, in units of the effect. raw: on the touch less that period's mean, which says whom the field aims at.
    """
    back = learning.cycle
    keep = max(learning.length - back, 0)
    x = learning.doses_of(form, norm)
    if raw:
        others, who = learning.controls.weeks.touches, learning.who
        parts = []
        for hcps in chunks(learning.panel.hcps):
            touches = learning.panel.touches[hcps, learning.rows].astype(np.float32) - others[who.fold[hcps]][:, learning.rows]
            parts.append((touches * learning.modifiers.state(hcps, learning.rows).shape(form) / norm.shape).astype(np.float32))
        x = np.concatenate(parts)
    weight = np.where(learning.valid[:, back:], learning.weight[:, :keep], 0).astype(np.float32)
    return clustered(x[:, back:], learning.outcome[:, :keep, -1], weight)


@dataclass(frozen=True)
class Slopes:
    """Calibration per channel: outcome explained per effect predicted for HCPs left out, (C,)."""

    slope: np.ndarray
    error: np.ndarray


def calibration(moments: Moments, inflation: np.ndarray, prior: Prior) -> Slopes:
    """Slope 1 = what is predicted comes about. Predictions of a fold come from the other folds."""
    channels, width = moments.channels, moments.width
    gram, cross = np.zeros((channels, channels)), np.zeros(channels)
    for fold in range(FOLDS):
        effects = posterior(*moments.without(fold), inflation, prior)
        pick = np.zeros((channels * width, channels))
        for c in range(channels):
            pick[c * width : (c + 1) * width, c] = effects.theta[c]
        gram += pick.T @ moments.gram[fold] @ pick
        cross += pick.T @ moments.cross[fold]
    slope, inverse = plain_fit(gram, cross)
    spread = np.sqrt(inflation)
    return Slopes(slope, np.sqrt(np.maximum(np.diag(inverse), 0)) * spread)


def latent_spread(learning: Learning, form: Form, norm: Norm, effects: Effects) -> tuple[np.ndarray, np.ndarray]:
    """Variance of HCPs' own effects around the predicted one, relative to it, per channel, and its standard error (C,) each.

    Scores of one HCP in different stretches of time share nothing but the HCP's own effect: their products show its variance.
    """
    channels = len(learning.panel.channels)
    top, bottom, noise = np.zeros(channels), np.zeros(channels), np.zeros(channels)
    block = np.arange(learning.length) // (2 * learning.cycle)
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    for hcps in chunks(learning.panel.hcps):
        predicted = learning.impact(form, norm, effects, hcps, learning.rows)
        x = predicted * learning.touch[hcps, :, :, learning.dose(form)]
        left = (learning.outcome[hcps, :, -1] - x.sum(axis=2)) * learning.weight[hcps]
        score = np.add.reduceat(x * left[:, :, None], starts, axis=1).astype(np.float64)
        known = np.add.reduceat(x * x * learning.weight[hcps][:, :, None], starts, axis=1).astype(np.float64)
        cross = score.sum(axis=1) ** 2 - (score**2).sum(axis=1)
        pair = known.sum(axis=1) ** 2 - (known**2).sum(axis=1)
        top, bottom, noise = top + cross.sum(axis=0), bottom + pair.sum(axis=0), noise + (cross**2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > 0, top / bottom, 0.0), np.where(bottom > 0, np.sqrt(noise) / bottom, np.inf)
