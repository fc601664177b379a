"""Controls: what was before a period and moves both the touches of that period and the KPI after it.

They see everything before the period, also what the data vendor delivered only later: the field may have known it, and a control that is
missing is a bias. What an effect is said to depend on (nba.impact.form) sees only what was known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nba.impact.history import FOLDS, KPI_FADES, OFFSET, STOCK_FADES, People, fading_mean, stock
from nba.impact.panel import Panel
from nba.impact.settings import ImpactSettings

PRIOR_COLLEAGUES = 5.0  # HCPs by which the week of a rep is shrunk to the week of the channel


@dataclass(frozen=True)
class Weeks:
    """What the others did and had in each period, by fold, the fold's own HCPs left out.

    kpi: (FOLDS, P) mean KPI. touches: (FOLDS, P, C) mean touches. rep: (FOLDS, reps + 1, P, C), the last rep stands for none.
    """

    kpi: np.ndarray
    touches: np.ndarray
    rep: np.ndarray


def weeks_of_others(panel: Panel, who: People) -> Weeks:
    """Means over the other folds; a rep's are shrunk to the channel's by PRIOR_COLLEAGUES."""
    periods, channels = panel.touches.shape[1:]
    reps = int(who.rep.max(initial=-1)) + 1
    rep = np.where(who.rep < 0, reps, who.rep)
    kpi, known = np.zeros((FOLDS, periods)), np.zeros((FOLDS, periods))
    total, count = np.zeros((FOLDS, reps + 1, periods, channels)), np.zeros((FOLDS, reps + 1))
    for fold in range(FOLDS):
        mine = np.flatnonzero(who.fold == fold)
        kpi[fold] = np.nansum(panel.kpi[mine], axis=0, dtype=np.float64)
        known[fold] = np.isfinite(panel.kpi[mine]).sum(axis=0)
        count[fold] = np.bincount(rep[mine], minlength=reps + 1)
        order = mine[np.argsort(rep[mine], kind="stable")]
        if len(order):
            codes, first = np.unique(rep[order], return_index=True)
            total[fold, codes] = np.add.reduceat(panel.touches[order], first, axis=0, dtype=np.float64)
    kpi, known = kpi.sum(axis=0) - kpi, known.sum(axis=0) - known
    total, count = total.sum(axis=0) - total, count.sum(axis=0) - count
    all_touches = total.sum(axis=1) / np.maximum(count.sum(axis=1), 1)[:, None, None]
    by_rep = (total + PRIOR_COLLEAGUES * all_touches[:, None]) / (count + PRIOR_COLLEAGUES)[:, :, None, None]
    return Weeks((kpi / np.maximum(known, 1)).astype(np.float32), all_touches.astype(np.float32), by_rep.astype(np.float32))


def doses(touches: np.ndarray, kappa: float | None) -> np.ndarray:
    """Touches of one period in units of its first one: the next is worth exp(-kappa) of the one before; None = all alike."""
    values = touches.astype(np.float32)
    return values if kappa is None else (-np.expm1(-np.float32(kappa) * values) / -np.expm1(-kappa)).astype(np.float32)


class Controls:
    """The two matrices of controls of some HCPs, one row per HCP and period, HCP by HCP.

    outcome: (n * T, k), what the KPI to come is predicted from. touch: (n * T, m), what the touches of the period are predicted from.
    """

    def __init__(self, panel: Panel, who: People, weeks: Weeks, levels: tuple[np.ndarray, float], settings: ImpactSettings) -> None:
        self.panel, self.who, self.weeks, self.settings = panel, who, weeks, settings
        self.segment, self.overall = levels
        self.offset = max(OFFSET * self.overall, 1e-6)

    def of(self, hcps: slice, periods: slice) -> tuple[np.ndarray, np.ndarray]:
        panel, who, weekly = self.panel, self.who, self.settings.weeks
        kpi, touches = panel.kpi[hcps], panel.touches[hcps].astype(np.float32)
        n, channels = touches.shape[0], touches.shape[2]
        fold = who.fold[hcps]
        means = []
        for fade in KPI_FADES:
            mean, weight = fading_mean(kpi, fade**weekly)
            # a newcomer is like its segment until it has a history
            own = weight / (weight + 1.0)
            means.append((own * mean + (1 - own) * self.segment[hcps, None])[:, periods])
        has = (weight > 0).astype(np.float32)[:, periods]
        base = np.maximum(means[3], 0) + self.offset
        root, log = np.sqrt(base), np.log(base)
        recent, growth = (np.log(np.maximum(means[k], 0) + self.offset) - log for k in (0, 1))
        year = self._seasons(periods)[fold]
        trend = np.broadcast_to((np.arange(panel.periods)[periods] / max(panel.periods, 1)).astype(np.float32), base.shape)
        stocks = [stock(touches, fade**weekly)[:, periods] for fade in STOCK_FADES]
        habits = [_habit(touches, fade**weekly)[:, periods] for fade in (0.9, 1.0)]
        decile = (who.decile[hcps][:, None] == np.arange(11)).astype(np.float32)
        access = (who.access[hcps][:, None] == np.arange(1, 4)).astype(np.float32)

        def still(block: np.ndarray) -> np.ndarray:
            return np.broadcast_to(block[:, None, :], (n, base.shape[1], block.shape[1]))

        one = np.ones_like(base)
        flat = [one, has, year, root, trend, trend * base, log, *means, *(m * year for m in means)]
        if panel.market is not None:
            markets = [fading_mean(panel.market[hcps], fade**weekly)[0][:, periods] for fade in (0.8, 0.98)]
            flat += [*markets, *(m * year for m in markets)]
        outcome = [np.stack(flat, axis=2), *stocks, *(s * root[:, :, None] for s in stocks), *habits]
        outcome += [still(decile[:, 1:]), still(decile) * base[:, :, None], still(who.traits[hcps]) * base[:, :, None]]
        others = self.weeks.touches[fold][:, periods]
        rep = self.weeks.rep[fold, np.where(who.rep[hcps] < 0, self.weeks.rep.shape[1] - 1, who.rep[hcps])][:, periods]
        touch = [np.stack([one, has, log, log * log, recent, growth, trend, *means, *self._market_share(hcps, periods, base)], axis=2)]
        touch += [*stocks, *habits, others, rep, still(decile[:, 1:]), still(access), still(who.traits[hcps])]
        for driver in (others, rep):
            touch += [habits[1] * driver, driver * log[:, :, None], driver * growth[:, :, None], driver * recent[:, :, None]]
        touch += [habits[0] * rep, habits[1] * growth[:, :, None], habits[1] * recent[:, :, None]]
        touch += [rep * access[:, None, k : k + 1] for k in range(access.shape[1])]
        return (_flat(outcome), _flat(touch))

    def _seasons(self, periods: slice) -> np.ndarray:
        """Mean KPI of the cycle that begins with each period over that of all, by fold: (FOLDS, T)."""
        kpi, cycle = self.weeks.kpi, self.settings.cycle_periods
        through = max(self.panel.kpi_through + 1, 1)
        total = np.concatenate([np.zeros((FOLDS, 1)), np.cumsum(kpi[:, :through], axis=1)], axis=1)
        ends = np.minimum(np.arange(self.panel.periods) + cycle, through)
        starts = np.minimum(np.arange(self.panel.periods), through - 1)
        mean = (total[:, ends] - total[:, starts]) / np.maximum(ends - starts, 1)
        middle = total[:, -1:] / through
        return np.where(middle > 0, mean / np.where(middle > 0, middle, 1), 1.0).astype(np.float32)[:, periods]

    def _market_share(self, hcps: slice, periods: slice, base: np.ndarray) -> list[np.ndarray]:
        if self.panel.market is None:
            return []
        market = np.maximum(fading_mean(self.panel.market[hcps], 0.98**self.settings.weeks)[0][:, periods], 0)
        return [np.log((market + self.offset) / base)]


def _habit(touches: np.ndarray, fade: float) -> np.ndarray:
    """Mean touches per period so far, (n, P + 1, C), half a period of none added."""
    weight = np.zeros(touches.shape[1] + 1, np.float32)
    for t in range(touches.shape[1]):
        weight[t + 1] = weight[t] * fade + 1
    return stock(touches, fade) / (weight + 0.5)[None, :, None]


def _flat(blocks: list[np.ndarray]) -> np.ndarray:
    whole = np.concatenate(blocks, axis=2)
    return np.ascontiguousarray(whole.reshape(-1, whole.shape[2]), dtype=np.float32)
