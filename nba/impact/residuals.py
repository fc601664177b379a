"""Cross-fitted residuals: outcome and touches, each minus what the controls lead one to expect.

Ridge regressions on the controls, fitted on the other folds (HCPs), their strength chosen by the loss on the folds left out. Linear on
purpose: on simulated worlds boosted trees explained no more of the touches or the KPI at ten times the cost, and sums of squares stream.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nba.impact.history import FOLDS

STRENGTHS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1)


@dataclass
class Sums:
    """Sums of squares by fold: gram (FOLDS, k, k), cross (FOLDS, k, targets)."""

    gram: np.ndarray
    cross: np.ndarray

    @classmethod
    def empty(cls, columns: int, targets: int) -> Sums:
        return cls(np.zeros((FOLDS, columns, columns)), np.zeros((FOLDS, columns, targets)))

    def add(self, controls: np.ndarray, targets: np.ndarray, weight: np.ndarray, fold: int) -> None:
        """Rows of HCPs of one fold; a weight of 0 leaves a row out."""
        weighted = controls * weight[:, None]
        self.gram[fold] += weighted.T @ controls
        self.cross[fold] += weighted.T @ targets

    def coefficients(self) -> np.ndarray:
        """(FOLDS, k, targets): what to multiply the controls of a fold's HCPs by. The first control, the constant, is not shrunk."""
        columns, targets = self.cross.shape[1:]
        scale = np.sqrt(np.maximum(np.einsum("fkk->k", self.gram), 1e-12))
        gram = self.gram / (scale[:, None] * scale)
        cross = self.cross / scale[:, None]
        found = np.zeros((len(STRENGTHS), FOLDS, columns, targets))
        loss = np.zeros((len(STRENGTHS), targets))
        for fold in range(FOLDS):
            rest, right = gram.sum(axis=0) - gram[fold], cross.sum(axis=0) - cross[fold]
            for number, strength in enumerate(STRENGTHS):
                ridge = np.full(columns, strength)
                ridge[0] = 1e-9
                beta = np.linalg.solve(rest + np.diag(ridge), right)
                found[number, fold] = beta / scale[:, None]
                loss[number] += np.einsum("kt,kl,lt->t", beta, gram[fold], beta) - 2 * (beta * cross[fold]).sum(axis=0)
        best = loss.argmin(axis=0)
        return np.stack([found[best[t], :, :, t] for t in range(targets)], axis=2)


def expected(controls: np.ndarray, coefficients: np.ndarray, fold: int) -> np.ndarray:
    """(rows, targets): controls of HCPs of one fold times its coefficients."""
    return controls @ coefficients[fold].astype(np.float32)
