"""The second stage: residual outcome on residual touches x form, with a prior that learns from the channels beside it.

Channel c's effect is f x (theta_c0 + sum_k theta_ck z_k). theta_c0 is believed to lie around the catalogue's uplift per touch;
theta_ck / theta_c0 around a pattern gamma_k that the channels share, with a spread per k that the data show (empirical Bayes): a digital
HCP is likely to be more digital on every digital channel. Based on the R-learner (Nie and Wager, 2021), several treatments at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nba.impact.history import FOLDS

ROUNDS = 12
SPREAD = 0.2  # prior belief of how far a channel's pattern departs from the shared one, relative to its effect
PATTERN = 0.5  # and of how far the shared pattern departs from none
# Relative doubt of a channel's effect beside its sampling error: on simulated worlds of fifteen shapes means were off by so much.
FORM_DOUBT = 0.15
FLOOR_SHARE = 0.02  # of the mean KPI of a cycle: what a touch may do on a channel whose catalogue says nothing


@dataclass(frozen=True)
class Moments:
    """Sums of squares of the second stage by fold: gram (FOLDS, p, p), cross (FOLDS, p), p = channels x (1 + modifiers)."""

    gram: np.ndarray
    cross: np.ndarray
    channels: int

    @property
    def width(self) -> int:
        return self.gram.shape[1] // self.channels

    def without(self, fold: int | None) -> tuple[np.ndarray, np.ndarray]:
        gram, cross = self.gram.sum(axis=0), self.cross.sum(axis=0)
        return (gram, cross) if fold is None else (gram - self.gram[fold], cross - self.cross[fold])


@dataclass(frozen=True)
class Prior:
    """Per channel (C,): mean and deviation of theta_c0 before the data."""

    mean: np.ndarray
    deviation: np.ndarray


def second_stage(rows: np.ndarray, outcome: np.ndarray, weight: np.ndarray, fold: int, channels: int) -> Moments:
    """Moments of HCPs of one fold. rows: (N, p) residual touches x basis."""
    p = rows.shape[1]
    gram, cross = np.zeros((FOLDS, p, p)), np.zeros((FOLDS, p))
    weighted = rows * weight[:, None]
    gram[fold] = weighted.T @ rows
    cross[fold] = weighted.T @ outcome
    return Moments(gram, cross, channels)


def plain_fit(gram: np.ndarray, cross: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Least squares of channel effects without a prior, and the inverse of the gram; a channel without touches has an infinite variance."""
    there = np.diag(gram) > 1e-9 * max(np.diag(gram).max(initial=0.0), 1e-300)
    theta, inverse = np.zeros(len(cross)), np.diag(np.full(len(cross), np.inf))
    if there.any():
        # a shade of ridge: channels that are always used together cannot be told apart
        part = gram[np.ix_(there, there)]
        inside = np.linalg.inv(part + np.diag(1e-9 * np.diag(part)))
        theta[there] = inside @ cross[there]
        inverse[np.ix_(there, there)] = inside
    return theta, inverse


def widened(catalogue: np.ndarray, cv: float, floor: float, found: np.ndarray, error: np.ndarray) -> Prior:
    """The catalogue as a prior: its own doubt, or as much more as the data contradict it by (type II maximum likelihood per channel)."""
    own = np.maximum(cv * np.abs(catalogue), floor)
    with np.errstate(invalid="ignore"):
        surprise = np.where(np.isfinite(error), (found - catalogue) ** 2 - error**2, 0.0)
    return Prior(catalogue, np.sqrt(np.maximum(own**2, surprise)))


@dataclass(frozen=True)
class Effects:
    """theta: (C, 1 + m) posterior means; covariance: (p, p)."""

    theta: np.ndarray
    covariance: np.ndarray


def posterior(gram: np.ndarray, cross: np.ndarray, inflation: np.ndarray, prior: Prior) -> Effects:
    """Posterior means and covariance.

    inflation: (C,), variance of a channel's score over what independent rows would have: windows overlap and shocks last.
    """
    channels = len(prior.mean)
    width = len(cross) // channels
    shrink = np.repeat(1 / np.sqrt(inflation), width)
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-12))
    # the estimate itself must not move by the inflation: only its weight against the prior
    loose = np.linalg.solve(gram / (scale[:, None] * scale) + 1e-7 * np.eye(len(cross)), cross / scale) / scale
    data = gram * shrink[:, None] * shrink
    right = data @ loose
    heads = np.arange(channels) * width
    gamma, spread, base = np.zeros(width - 1), np.full(width - 1, SPREAD**2), prior.mean.copy()
    theta, covariance = np.zeros(len(cross)), np.zeros_like(gram)
    for _ in range(ROUNDS):
        scale_c = np.maximum(np.abs(base), 0.25 * prior.deviation)
        precision, mean = np.zeros(len(cross)), np.zeros(len(cross))
        precision[heads], mean[heads] = 1 / prior.deviation**2, prior.mean
        for c, head in enumerate(heads):
            own = slice(head + 1, head + width)
            precision[own] = 1 / (spread * scale_c[c] ** 2)
            mean[own] = gamma * base[c]
        full = data + np.diag(precision)
        covariance = np.linalg.inv(full)
        theta = covariance @ (right + precision * mean)
        base = theta[heads]
        if width > 1:
            relative = theta.reshape(channels, width)[:, 1:] / scale_c[:, None] * np.sign(np.where(base == 0, 1.0, base))[:, None]
            doubt = np.diag(covariance).reshape(channels, width)[:, 1:] / scale_c[:, None] ** 2
            known = 1 / (doubt + spread)
            gamma = (relative * known).sum(axis=0) / (known.sum(axis=0) + 1 / PATTERN**2)
            spread = 0.5 * ((relative - gamma) ** 2 + doubt).mean(axis=0) + 0.5 * SPREAD**2
    return Effects(theta.reshape(channels, width), covariance)
