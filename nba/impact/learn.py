"""The passes over a panel: controls, residuals, form, second stage. Chunk by chunk of HCPs, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from nba.impact.controls import Controls, doses, weeks_of_others
from nba.impact.effects import Effects, Moments, second_stage
from nba.impact.form import KAPPAS, LEAST_WEIGHT, MOST_FORMS, Form, Modifiers, State, forms
from nba.impact.history import FOLDS, People, segment_levels
from nba.impact.panel import Panel
from nba.impact.residuals import Sums, expected
from nba.impact.settings import ImpactSettings

CHUNK = 2_000  # HCPs at a time
NUISANCE_HCPS = 20_000  # whose rows the controls' coefficients are fitted on
FORM_ROWS = 400_000  # rows that choose the form
WARM_UP_WEEKS = 8
SEVERAL = 0.10  # share of touched cells with several touches from which a period's own touches wear out, too
CLIP = 6.0  # standard deviations beyond which a residual outcome is cut: one bulk order is not an effect
PARTS = 6  # points of the response within a cycle


@dataclass(frozen=True)
class Norm:
    """What makes theta_0 the mean effect of the HCPs to score: mean of f (C,), mean of size^power, f-weighted means of z (C, m)."""

    shape: np.ndarray
    size: float
    z: np.ndarray


def take(panel: Panel, who: People, rows: np.ndarray) -> tuple[Panel, People]:
    """The panel of some of its HCPs."""
    if len(rows) == panel.hcps:
        return panel, who
    market = None if panel.market is None else panel.market[rows]
    parts = {name: getattr(panel, name)[rows] for name in ("touches", "answered", "responses", "kpi")}
    small = replace(panel, hcp_ids=panel.hcp_ids.take(rows), market=market, **parts)
    same = {name: getattr(who, name)[rows] for name in ("decile", "access", "rep", "segment", "traits", "fold")}
    return small, replace(who, values={name: v[rows] for name, v in who.values.items()}, **same)


def chunks(hcps: int, step: int = 1) -> Iterator[slice]:
    """Slices of CHUNK HCPs, every step-th of them."""
    for start in range(0, hcps, CHUNK * step):
        yield slice(start, min(start + CHUNK * step, hcps), step)


class Learning:
    """Residuals of a panel: after `residuals()`, arrays over (HCPs, rows) with one row per period from `first` to `last`.

    outcome: (n, T, J) residual KPI over the first `parts` periods, the last one the whole cycle. touch: (n, T, C, K) residual doses. long:
    (n, T) over the long horizon or None. weight: (n, T), 1 / variance, 0 where the outcome is not known.
    """

    def __init__(self, panel: Panel, who: People, settings: ImpactSettings, levels: dict[str, tuple[np.ndarray, float]], modifiers: Modifiers) -> None:
        self.panel, self.who, self.settings, self.modifiers = panel, who, settings, modifiers
        self.cycle, self.long_periods = settings.cycle_periods, settings.long_periods
        self.parts = sorted({max(1, round(self.cycle * k / PARTS)) for k in range(1, PARTS + 1)} | {self.cycle})
        last = min(panel.kpi_through, panel.touch_through + self.cycle - 1) - self.cycle + 1
        first = min(round(WARM_UP_WEEKS / settings.weeks), max(last, 0) // 3)
        self.rows = slice(first, max(last + 1, first))
        self.length = self.rows.stop - self.rows.start
        self.kappas: list[float | None] = [None]
        touched = panel.touches > 0
        if touched.any() and (panel.touches[touched] > 1).mean() > SEVERAL:
            self.kappas = list(KAPPAS)
        self.controls = Controls(panel, who, weeks_of_others(panel, who), levels["kpi"], settings)
        self.overall = max(abs(levels["kpi"][1]), 1e-9)
        self.has_rows = self.length > 0 and panel.hcps >= 2 * FOLDS and bool(np.isfinite(self.target(slice(None), self.cycle)).any())
        self.adjusted: np.ndarray | None = None

    def target(self, hcps: slice, periods: int) -> np.ndarray:
        """(n, T): KPI summed over so many periods from the row's on, NaN where one is unknown."""
        kpi = self.panel.kpi[hcps]
        total = np.concatenate([np.zeros((len(kpi), 1)), np.cumsum(np.nan_to_num(kpi), axis=1, dtype=np.float64)], axis=1)
        known = np.concatenate([np.zeros((len(kpi), 1)), np.cumsum(np.isfinite(kpi), axis=1)], axis=1)
        start = np.arange(self.rows.start, self.rows.stop)
        end = np.minimum(start + periods, kpi.shape[1])
        whole = (known[:, end] - known[:, start] == periods) & (start + periods <= kpi.shape[1])
        return np.where(whole, total[:, end] - total[:, start], np.nan)

    def residuals(self) -> None:
        """Fit the controls on a sample of HCPs, then take the residuals of all."""
        n, channels, size = self.panel.hcps, len(self.panel.channels), len(self.kappas)
        sums = None
        for hcps in chunks(n, max(1, n // NUISANCE_HCPS)):
            outcome, touch, y, long, d, base, fold = self._chunk(hcps)
            if sums is None:
                sums = [Sums.empty(outcome.shape[1], y.shape[1]), Sums.empty(outcome.shape[1], 1), Sums.empty(touch.shape[1], d.shape[1])]
            valid = np.isfinite(y[:, -1])
            weight = np.where(valid, 1 / base, 0.0).astype(np.float32)
            sums[0].add(outcome, np.nan_to_num(y), weight, fold)
            sums[1].add(outcome, np.nan_to_num(long), np.where(np.isfinite(long[:, 0]), 1 / base, 0.0).astype(np.float32), fold)
            sums[2].add(touch, d, valid.astype(np.float32), fold)
        assert sums is not None
        self.fitted = [part.coefficients() for part in sums]
        self._outcome_sums = sums[0]
        self.outcome = np.zeros((n, self.length, len(self.parts)), np.float32)
        self.long = np.full((n, self.length), np.nan, np.float32)
        self.touch = np.zeros((n, self.length, channels, size), np.float32)
        self.valid = np.zeros((n, self.length), bool)
        for hcps in chunks(n):
            outcome, touch, y, long, d, _, fold = self._chunk(hcps)
            shape = (-1, self.length)
            self.valid[hcps] = np.isfinite(y[:, -1]).reshape(shape)
            self.outcome[hcps] = np.nan_to_num(y - expected(outcome, self.fitted[0], fold)).reshape(*shape, len(self.parts))
            self.long[hcps] = (long - expected(outcome, self.fitted[1], fold)).reshape(shape)
            self.touch[hcps] = (d - expected(touch, self.fitted[2], fold)).reshape(*shape, channels, size)
        self.touch *= self.valid[:, :, None, None]
        self._weigh()

    def adjust(self, given: np.ndarray) -> None:
        """Take what later touches of the same window gave, (n, T), off the cycle's outcome, and its residuals anew."""
        n = self.panel.hcps
        sums = replace(self._outcome_sums, cross=np.zeros((*self._outcome_sums.cross.shape[:2], 1)))
        for hcps in chunks(n, max(1, n // NUISANCE_HCPS)):
            outcome, _, _, _, _, base, fold = self._chunk(hcps, touch=False)
            weight = np.where(self.valid[hcps].ravel(), 1 / base, 0.0).astype(np.float32)
            target = given[hcps].reshape(-1, 1)
            for number in range(FOLDS):
                mine = (fold == number) & (weight > 0)
                sums.cross[number] += (outcome[mine] * weight[mine, None]).T @ target[mine]
        coefficients = sums.coefficients()
        for hcps in chunks(n):
            outcome, _, _, _, _, _, fold = self._chunk(hcps, touch=False)
            moved = given[hcps] - expected(outcome, coefficients, fold).reshape(-1, self.length)
            self.outcome[hcps, :, -1] -= np.where(self.valid[hcps], moved, 0)
        self._weigh()

    def _chunk(self, hcps: slice, touch: bool = True) -> tuple[np.ndarray, ...]:
        outcome, reasons = self.controls.of(hcps, self.rows)
        y = np.stack([self.target(hcps, part).ravel() for part in self.parts], axis=1)
        y[~np.isfinite(y[:, -1])] = np.nan
        long = self.target(hcps, self.long_periods).reshape(-1, 1)
        here = self.panel.touches[hcps, self.rows]
        d = np.stack([doses(here, kappa) for kappa in self.kappas], axis=3).reshape(len(y), -1) if touch else np.zeros((0, 0))
        state = self.modifiers.state(hcps, self.rows)
        base = (state.size["kpi"] * np.ones((1, self.length), np.float32)).ravel()
        fold = np.repeat(self.who.fold[hcps], self.length)
        return outcome, reasons, y.astype(np.float32), long.astype(np.float32), d, base, fold

    def _weigh(self) -> None:
        """Weights 1 / variance, the variance a + b x level + c x level^2 by non-negative least squares; residuals cut at CLIP deviations."""
        from scipy.optimize import nnls

        n = self.panel.hcps
        base = np.concatenate([self.modifiers.state(hcps, self.rows).size["kpi"] for hcps in chunks(n)])
        self.base = base
        square = (self.outcome[:, :, -1] ** 2)[self.valid].astype(np.float64)
        x = base[self.valid].astype(np.float64)
        design = np.column_stack([np.ones_like(x), x, x * x]) / x[:, None]
        # a few of the rows settle three numbers; those are cut at their own far end first
        some = slice(None, None, max(1, len(x) // 200_000))
        top = np.quantile(square[some] / x[some], 0.999)
        found, _ = nnls(design[some], np.minimum(square[some] / x[some], top))
        variance = found[0] + found[1] * base + found[2] * base * base
        variance = np.maximum(variance, 0.01 * max(float(square.mean()), 1e-300)).astype(np.float32)
        self.weight = np.where(self.valid, 1 / variance, 0).astype(np.float32)
        bound = (CLIP * np.sqrt(variance))[:, :, None]
        self.outcome = np.clip(self.outcome, -bound, bound)

    def dose(self, form: Form) -> int:
        """Which of the residual doses belongs to a form."""
        return self.kappas.index(form.kappa) if len(self.kappas) > 1 else 0

    def scaled(self, form: Form, state: State, hcps: slice) -> np.ndarray:
        """Residual doses x f, not normed: (n, T, C)."""
        return self.touch[hcps, :, :, self.dose(form)] * state.shape(form)

    def choose_forms(self) -> list[tuple[Form, float]]:
        """The forms that predict the folds left out best, with their weights; the loss knows one effect per channel."""
        n, channels = self.panel.hcps, len(self.panel.channels)
        grid = forms(self.panel)
        gram, cross = np.zeros((len(grid), FOLDS, channels, channels)), np.zeros((len(grid), FOLDS, channels))
        step = max(1, n * self.length // FORM_ROWS)
        inflation = 1.0
        for hcps in chunks(n, step):
            state = self.modifiers.state(hcps, self.rows)
            fold = np.repeat(self.who.fold[hcps], self.length)
            w, y = self.weight[hcps].ravel(), self.outcome[hcps, :, -1].ravel()
            for number, form in enumerate(grid):
                rows = np.ascontiguousarray(self.scaled(form, state, hcps).reshape(-1, channels))
                found = second_stage(rows, y, w, fold, channels)
                gram[number] += found.gram
                cross[number] += found.cross
        inflation = self.cycle * 0.75 + 0.25  # overlapping windows count their surprises several times
        loss = np.array([_left_out(g, b) for g, b in zip(gram, cross, strict=True)]) / inflation * step
        weight = np.exp(-0.5 * (loss - loss.min()))
        best = np.argsort(-weight, kind="stable")[:MOST_FORMS]
        best = [b for b in best if weight[b] >= LEAST_WEIGHT * weight[best[0]]]
        self.losses = {form.key(): float(value) for form, value in zip(grid, loss, strict=True)}
        return [(grid[b], float(weight[b] / weight[best].sum())) for b in best]

    def basis(self, form: Form, norm: Norm, state: State) -> np.ndarray:
        """f x (1, z - mean z) as (n, T, C, 1 + m)."""
        f = (state.shape(form) / norm.shape).astype(np.float32)
        z = state.z - norm.z.astype(np.float32)
        return np.concatenate([f[..., None] * np.ones_like(z[..., :1]), f[..., None] * z], axis=3)

    def moments(self, form: Form, norm: Norm) -> Moments:
        """Second stage of all HCPs."""
        channels = len(self.panel.channels)
        total: Moments | None = None
        for hcps in chunks(self.panel.hcps):
            state = self.modifiers.state(hcps, self.rows)
            rows = self.basis(form, norm, state) * self.touch[hcps, :, :, self.dose(form), None]
            fold = np.repeat(self.who.fold[hcps], self.length)
            flat = np.ascontiguousarray(rows.reshape(len(fold), -1))
            part = second_stage(flat, self.outcome[hcps, :, -1].ravel(), self.weight[hcps].ravel(), fold, channels)
            total = part if total is None else Moments(total.gram + part.gram, total.cross + part.cross, channels)
        assert total is not None
        return total

    def impact(self, form: Form, norm: Norm, effects: Effects, hcps: slice, periods: slice) -> np.ndarray:
        """Effect of one touch at the start of some periods: (n, T, C)."""
        state = self.modifiers.state(hcps, periods)
        return np.einsum("ntck,ck->ntc", self.basis(form, norm, state), effects.theta.astype(np.float32), optimize=True)


def _left_out(gram: np.ndarray, cross: np.ndarray) -> float:
    """Loss on each fold of the effects fitted on the others."""
    loss = 0.0
    for fold in range(FOLDS):
        rest = gram.sum(axis=0) - gram[fold]
        theta = np.linalg.solve(rest + np.diag(1e-6 * np.diag(rest) + 1e-12), cross.sum(axis=0) - cross[fold])
        loss += theta @ gram[fold] @ theta - 2 * theta @ cross[fold]
    return float(loss)
