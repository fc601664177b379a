"""The passes over a panel: controls, residuals, form, second stage. Chunk by chunk of HCPs, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from nba.impact.controls import Controls, Wear, doses, weeks_of_others
from nba.impact.effects import Effects, Moments, second_stage
from nba.impact.form import LEAST_WEIGHT, MOST_FORMS, Form, Modifiers, State, forms
from nba.impact.history import FOLDS, People
from nba.impact.panel import Panel
from nba.impact.residuals import Sums, expected
from nba.impact.settings import ImpactSettings

CHUNK = 2_000  # HCPs at a time
NUISANCE_HCPS = 20_000  # whose rows the controls' coefficients are fitted on
FORM_ROWS = 400_000  # rows that choose the form
WARM_UP_WEEKS = 8
SEVERAL = 0.25  # share of touched periods with several touches from which those wear each other out
DOSE_KAPPAS = (0.05, 0.2)  # within a period a coarse grid will do
CLIP = 6.0  # standard deviations beyond which a residual outcome is cut: one bulk order is not an effect
PARTS = 6  # points of the response within a cycle


@dataclass(frozen=True)
class Norm:
    """What makes theta_0 the mean effect of the HCPs to score: mean of f (C,), mean of size^power, f-weighted means of z (C, m)."""

    shape: np.ndarray
    size: float
    z: np.ndarray


def take(panel: Panel, who: People, rows: np.ndarray) -> tuple[Panel, People]:
    """The panel of some of its HCPs, in that order."""
    market = None if panel.market is None else panel.market[rows]
    parts = {name: getattr(panel, name)[rows] for name in ("touches", "answered", "responses", "kpi")}
    small = replace(panel, hcp_ids=panel.hcp_ids.take(rows), market=market, **parts)
    same = {name: getattr(who, name)[rows] for name in ("decile", "access", "rep", "segment", "traits", "fold")}
    return small, replace(who, values={name: v[rows] for name, v in who.values.items()}, **same)


def chunks(hcps: int) -> Iterator[slice]:
    """Slices of CHUNK HCPs."""
    for start in range(0, hcps, CHUNK):
        yield slice(start, min(start + CHUNK, hcps))


class Learning:
    """Residuals of a panel: after `residuals()`, arrays over (HCPs, rows) with one row per period from `first` to `last`.

    outcome: (n, T, J) residual KPI over the first `parts` periods, the last one the whole cycle. touch: (n, T, C, K) residual doses. long:
    (n, T) over the long horizon or None. weight: (n, T), 1 / variance, 0 where the outcome is not known.
    """

    def __init__(
        self, panel: Panel, who: People, settings: ImpactSettings, levels: dict[str, tuple[np.ndarray, float]], modifiers: Modifiers
    ) -> None:
        self.panel, self.who, self.settings, self.modifiers = panel, who, settings, modifiers
        self.cycle, self.long_periods = settings.cycle_periods, settings.long_periods
        self.parts = sorted({max(1, round(self.cycle * k / PARTS)) for k in range(1, PARTS + 1)} | {self.cycle})
        last = min(panel.kpi_through, panel.touch_through + self.cycle - 1) - self.cycle + 1
        first = min(round(WARM_UP_WEEKS / settings.weeks), max(last, 0) // 3)
        self.rows = slice(first, max(last + 1, first))
        self.length = self.rows.stop - self.rows.start
        self.wears: list[Wear | None] = [None]
        together = panel.touches.sum(axis=2, dtype=np.int64)
        if (together > 1).sum() > SEVERAL * max((together > 0).sum(), 1):
            self.wears = [(kappa, scope) for kappa in DOSE_KAPPAS for scope in ("all", "own")]
        self.controls = Controls(panel, who, weeks_of_others(panel, who), levels["kpi"], settings)
        self.overall = max(abs(levels["kpi"][1]), 1e-9)
        self.has_rows = self.length > 0 and panel.hcps >= 2 * FOLDS and bool(np.isfinite(self.target(slice(None), self.cycle)).any())

    def target(self, hcps: slice, periods: int) -> np.ndarray:
        """(n, T): KPI summed over so many periods from the row's on, NaN where one is unknown."""
        kpi = self.panel.kpi[hcps]
        total = np.concatenate([np.zeros((len(kpi), 1)), np.cumsum(np.nan_to_num(kpi), axis=1, dtype=np.float64)], axis=1)
        known = np.concatenate([np.zeros((len(kpi), 1)), np.cumsum(np.isfinite(kpi), axis=1)], axis=1)
        start = np.arange(self.rows.start, self.rows.stop)
        end = np.minimum(start + periods, kpi.shape[1])
        whole = (known[:, end] - known[:, start] == periods) & (start + periods <= kpi.shape[1])
        return np.where(whole, total[:, end] - total[:, start], np.nan)

    def chunks(self, step: int = 1) -> Iterator[tuple[slice, int]]:
        """Slices of HCPs of one fold each, every step-th HCP, and the fold. The panel is in order of folds."""
        edges = np.searchsorted(self.who.fold, np.arange(FOLDS + 1))
        for fold in range(FOLDS):
            for start in range(edges[fold], edges[fold + 1], CHUNK * step):
                yield slice(start, min(start + CHUNK * step, edges[fold + 1]), step), fold

    def residuals(self) -> None:
        """Fit the controls on a sample of HCPs, then take the residuals of all."""
        n, channels, size = self.panel.hcps, len(self.panel.channels), len(self.wears)
        step = max(1, n // NUISANCE_HCPS)
        sums: list[Sums] = []
        for hcps, fold in self.chunks(step):
            outcome, touch = self.controls.outcome(hcps, self.rows), self.controls.touch(hcps, self.rows)
            y, long, d = self._targets(hcps), self._long(hcps), self._doses(hcps)
            sums = sums or [
                Sums.empty(outcome.shape[1], y.shape[1]),
                Sums.empty(outcome.shape[1], 1),
                Sums.empty(touch.shape[1], d.shape[1]),
            ]
            first = self._first_weight(hcps)
            valid = np.isfinite(y[:, -1])
            sums[0].add(outcome, np.nan_to_num(y), np.where(valid, first, 0), fold)
            sums[1].add(outcome, np.nan_to_num(long), np.where(np.isfinite(long[:, 0]), first, 0), fold)
            sums[2].add(touch, d, valid.astype(np.float32), fold)
        fitted = [part.coefficients() for part in sums]
        self._outcome_sums = sums[0]
        self.outcome = np.zeros((n, self.length, len(self.parts)), np.float32)
        self.long = np.full((n, self.length), np.nan, np.float32)
        self.touch = np.zeros((n, self.length, channels, size), np.float32)
        self.valid = np.zeros((n, self.length), bool)
        self.base = np.ones((n, self.length), np.float32)
        shape = (-1, self.length)
        for hcps, fold in self.chunks():
            outcome, y = self.controls.outcome(hcps, self.rows), self._targets(hcps)
            self.valid[hcps] = np.isfinite(y[:, -1]).reshape(shape)
            self.outcome[hcps] = np.nan_to_num(y - expected(outcome, fitted[0], fold)).reshape(*shape, len(self.parts))
            self.long[hcps] = (self._long(hcps) - expected(outcome, fitted[1], fold)).reshape(shape)
            touch = self.controls.touch(hcps, self.rows)
            self.touch[hcps] = (self._doses(hcps) - expected(touch, fitted[2], fold)).reshape(*shape, channels, size)
            self.base[hcps] = self.modifiers.sizes(hcps, self.rows)["kpi"]
        self.touch *= self.valid[:, :, None, None]
        self._weigh()

    def adjust(self, given: np.ndarray) -> None:
        """Take what later touches of the same window gave, (n, T), off the cycle's outcome, and its residuals anew."""
        sums = replace(self._outcome_sums, cross=np.zeros((*self._outcome_sums.cross.shape[:2], 1)))
        for hcps, fold in self.chunks(max(1, self.panel.hcps // NUISANCE_HCPS)):
            weight = np.where(self.valid[hcps].ravel(), self._first_weight(hcps), 0)
            outcome = self.controls.outcome(hcps, self.rows)
            sums.cross[fold] += (outcome * weight[:, None]).T @ given[hcps].reshape(-1, 1)
        coefficients = sums.coefficients()
        for hcps, fold in self.chunks():
            moved = given[hcps] - expected(self.controls.outcome(hcps, self.rows), coefficients, fold).reshape(-1, self.length)
            self.outcome[hcps, :, -1] -= np.where(self.valid[hcps], moved, 0)
        self._weigh()

    def _targets(self, hcps: slice) -> np.ndarray:
        """(n * T, parts), NaN where the whole cycle is not known."""
        y = np.stack([self.target(hcps, part).ravel() for part in self.parts], axis=1)
        y[~np.isfinite(y[:, -1])] = np.nan
        return y.astype(np.float32)

    def _long(self, hcps: slice) -> np.ndarray:
        return self.target(hcps, self.long_periods).reshape(-1, 1).astype(np.float32)

    def _doses(self, hcps: slice) -> np.ndarray:
        here = self.panel.touches[hcps, self.rows]
        return np.stack([doses(here, wear) for wear in self.wears], axis=3).reshape(-1, here.shape[2] * len(self.wears))

    def _first_weight(self, hcps: slice) -> np.ndarray:
        """Variance goes roughly with the level: for the controls that is enough."""
        return 1 / self.modifiers.sizes(hcps, self.rows)["kpi"].ravel()

    def _weigh(self) -> None:
        """Weights 1 / variance, the variance a + b x level + c x level^2 by non-negative least squares; residuals cut at CLIP."""
        from scipy.optimize import nnls

        square = (self.outcome[:, :, -1] ** 2)[self.valid].astype(np.float64)
        x = self.base[self.valid].astype(np.float64)
        some = slice(None, None, max(1, len(x) // 200_000))  # a few of the rows settle three numbers
        square, x = square[some], x[some]
        design = np.column_stack([np.ones_like(x), x, x * x]) / x[:, None]
        top = np.quantile(square / x, 0.999)
        found, _ = nnls(design, np.minimum(square / x, top))
        variance = found[0] + found[1] * self.base + found[2] * self.base * self.base
        variance = np.maximum(variance, 0.01 * max(float(square.mean()), 1e-300)).astype(np.float32)
        self.weight = np.where(self.valid, 1 / variance, 0).astype(np.float32)
        bound = (CLIP * np.sqrt(variance))[:, :, None]
        self.outcome = np.clip(self.outcome, -bound, bound)

    def wear(self, form: Form) -> Wear | None:
        """How touches of one period wear each other out under a form."""
        if self.wears == [None]:
            return None
        return min(DOSE_KAPPAS, key=lambda kappa: abs(kappa - form.kappa)), form.scope

    def dose(self, form: Form) -> int:
        """Which of the residual doses belongs to a form."""
        return self.wears.index(self.wear(form))

    def scaled(self, form: Form, state: State, hcps: slice) -> np.ndarray:
        """Residual doses x f, not normed: (n, T, C)."""
        return self.touch[hcps, :, :, self.dose(form)] * state.shape(form)

    def doses_of(self, form: Form, norm: Norm) -> np.ndarray:
        """Residual doses x f, (n, T, C): kept for the form asked last, as several checks go over them."""
        if getattr(self, "_doses_key", None) != form:
            made = [self.scaled(form, self.modifiers.state(hcps, self.rows), hcps) / norm.shape for hcps in chunks(self.panel.hcps)]
            self._doses_made, self._doses_key = np.concatenate(made).astype(np.float32), form
        return self._doses_made

    def choose_forms(self) -> list[tuple[Form, float]]:
        """The forms that predict the folds left out best, with their weights; the loss knows one effect per channel."""
        n, channels = self.panel.hcps, len(self.panel.channels)
        grid = forms(self.panel)
        gram, cross = np.zeros((len(grid), FOLDS, channels, channels)), np.zeros((len(grid), FOLDS, channels))
        step = max(1, n * self.length // FORM_ROWS)
        for hcps, fold in self.chunks(step):
            state = self.modifiers.state(hcps, self.rows)
            w, y = self.weight[hcps].ravel(), self.outcome[hcps, :, -1].ravel()
            worn: dict[tuple[float, str, float], np.ndarray] = {}
            for number, form in enumerate(grid):
                key = (form.fade, form.scope, form.kappa)
                if key not in worn:
                    worn[key] = (
                        np.exp(-np.float32(form.kappa) * state.stocks[form.fade, form.scope]) * self.touch[hcps, :, :, self.dose(form)]
                    )
                size = (state.size[form.size] ** np.float32(form.power)).ravel()[:, None]
                rows = worn[key].reshape(-1, channels) * size
                weighted = rows * w[:, None]
                gram[number, fold] += weighted.T @ rows
                cross[number, fold] += weighted.T @ y
        inflation = self.cycle * 0.75 + 0.25  # overlapping windows count their surprises several times
        loss = np.array([_left_out(g, b) for g, b in zip(gram, cross, strict=True)]) / inflation * step
        weight = np.exp(-0.5 * (loss - loss.min()))
        best = np.argsort(-weight, kind="stable")[:MOST_FORMS]
        best = [b for b in best if weight[b] >= LEAST_WEIGHT * weight[best[0]]]
        self.losses = {form.key(): float(value) for form, value in zip(grid, loss, strict=True)}
        return [(grid[b], float(weight[b] / weight[best].sum())) for b in best]

    def moments(self, form: Form, norm: Norm) -> Moments:
        """Second stage of all HCPs."""
        channels = len(self.panel.channels)
        total: Moments | None = None
        for hcps, fold in self.chunks():
            state = self.modifiers.state(hcps, self.rows)
            x = self.scaled(form, state, hcps) / norm.shape
            k, width = state.still.shape[1], 1 + norm.z.shape[1]
            rows = np.empty((*x.shape, width), np.float32)
            rows[..., 0] = x
            still = state.still[:, None, None, :] - norm.z[:, :k].astype(np.float32)
            rows[..., 1 : 1 + k] = x[..., None] * still
            rows[..., 1 + k :] = x[..., None] * (state.moving - norm.z[:, k:].astype(np.float32))
            flat = rows.reshape(-1, channels * width)
            part = second_stage(flat, self.outcome[hcps, :, -1].ravel(), self.weight[hcps].ravel(), fold, channels)
            total = part if total is None else Moments(total.gram + part.gram, total.cross + part.cross, channels)
        assert total is not None
        return total

    def impact(self, form: Form, norm: Norm, effects: Effects, hcps: slice, periods: slice) -> np.ndarray:
        """Effect of one touch at the start of some periods: (n, T, C)."""
        state = self.modifiers.state(hcps, periods)
        k, theta = state.still.shape[1], effects.theta
        still = theta[:, 0] + ((state.still[:, None, :] - norm.z[:, :k]) * theta[:, 1 : 1 + k]).sum(axis=2)
        moving = ((state.moving - norm.z[:, k:].astype(np.float32)) * theta[:, 1 + k :].astype(np.float32)).sum(axis=3)
        return ((still[:, None, :] + moving) * state.shape(form) / norm.shape).astype(np.float32)


def _left_out(gram: np.ndarray, cross: np.ndarray) -> float:
    """Loss on each fold of the effects fitted on the others."""
    loss = 0.0
    for fold in range(FOLDS):
        rest = gram.sum(axis=0) - gram[fold]
        theta = np.linalg.solve(rest + np.diag(1e-6 * np.diag(rest) + 1e-12), cross.sum(axis=0) - cross[fold])
        loss += theta @ gram[fold] @ theta - 2 * theta @ cross[fold]
    return float(loss)
