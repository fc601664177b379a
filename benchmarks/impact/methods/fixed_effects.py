"""Two-way fixed effects by segment: the touches of a past cycle on its KPI, after means of HCP and of cycle are taken out."""

from __future__ import annotations

import numpy as np

from benchmarks.impact.methods import Answer
from benchmarks.impact.observed import Observed, past_cycles
from benchmarks.impact.people import Floats

Z90 = 1.6448536269514722
SEGMENTS = 3
ROUNDS = 30  # of taking out means in turn, for panels with holes


def fixed_effects(seen: Observed) -> Answer:
    """Coefficient per touch and third of deciles, intervals from a covariance clustered by HCP."""
    cycles = past_cycles(seen, 40)
    y = np.array([seen.kpi[at : at + seen.cycle_periods].sum(axis=0) for at in cycles])
    t = np.array([seen.touches[at : at + seen.cycle_periods].sum(axis=0) for at in cycles]).transpose(1, 0, 2)
    decile = np.nan_to_num(seen.traits[:, 0], nan=5.0)
    segment = np.minimum((decile - 1) * SEGMENTS // 10, SEGMENTS - 1).astype(int)
    score, deviation = np.zeros((2, len(decile), len(t)))
    for one in range(SEGMENTS):
        members = segment == one
        beta, spread = _within(y[:, members], t[:, :, members])
        score[members], deviation[members] = beta, spread
    return Answer(score=score, in_kpi=True, low=score - Z90 * deviation, high=score + Z90 * deviation)


def _within(y: Floats, t: Floats) -> tuple[Floats, Floats]:
    """(coefficients, standard deviations) of t (channels, cycles, n) on y (cycles, n); cells without a KPI are left out."""
    known = ~np.isnan(y)
    panels = [_demeaned(np.where(known, panel, 0.0), known) for panel in (y, *t)]
    flat = np.array([panel[known] for panel in panels])
    hcp = np.broadcast_to(np.arange(y.shape[1]), y.shape)[known]
    gram = flat[1:] @ flat[1:].T
    inverse = np.linalg.pinv(gram, rcond=1e-8)
    beta = inverse @ (flat[1:] @ flat[0])
    rest = flat[0] - beta @ flat[1:]
    scores = np.array([np.bincount(hcp, column * rest, y.shape[1]) for column in flat[1:]])
    return beta, np.sqrt(np.maximum(np.diag(inverse @ (scores @ scores.T) @ inverse), 0.0))


def _demeaned(panel: Floats, known: np.ndarray) -> Floats:
    by_cycle, by_hcp = np.maximum(known.sum(axis=1, keepdims=True), 1), np.maximum(known.sum(axis=0, keepdims=True), 1)
    for _ in range(ROUNDS):
        panel = np.where(known, panel - panel.sum(axis=1, keepdims=True) / by_cycle, 0.0)
        panel = np.where(known, panel - panel.sum(axis=0, keepdims=True) / by_hcp, 0.0)
    return panel
