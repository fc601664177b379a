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

SHRINKAGES = (4.0, 16.0, 64.0)  # weeks of history that weigh as much as the segment
MEMORY_WEEKS = 2.0  # after the cycle in which a touch is still felt enough to matter for an HCP's mean
PRIOR_COLLEAGUES = 5.0  # HCPs by which the week of a rep is shrunk to the week of the channel

Wear = tuple[float, str]  # kappa and whose touches wear a channel out: `own` or `all`


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


def doses(touches: np.ndarray, wear: Wear | None) -> np.ndarray:
    """Touches of one period (..., C) in units of a first one alone; None = all alike.

    Within a period, too, the next touch is worth exp(-kappa) of the one before: among the channel's own, or among all, shared out.
    """
    values = touches.astype(np.float32)
    if wear is None:
        return values
    kappa, scope = wear
    if scope == "own":
        return (-np.expm1(-np.float32(kappa) * values) / -np.expm1(-kappa)).astype(np.float32)
    total = values.sum(axis=-1, keepdims=True)
    together = -np.expm1(-np.float32(kappa) * total) / -np.expm1(-kappa)
    return (values * together / np.maximum(total, 1)).astype(np.float32)


class Controls:
    """The two matrices of controls of some HCPs, one row per HCP and period, HCP by HCP.

    outcome: (n * T, k), what the KPI to come is predicted from. touch: (n * T, m), what the touches of the period are predicted from.
    """

    def __init__(self, panel: Panel, who: People, weeks: Weeks, levels: tuple[np.ndarray, float], settings: ImpactSettings) -> None:
        self.panel, self.who, self.weeks, self.settings = panel, who, weeks, settings
        self.segment, self.overall = levels
        self.offset = max(OFFSET * self.overall, 1e-6)

    def outcome(self, hcps: slice, periods: slice) -> np.ndarray:
        """(n * T, k): what the KPI to come is predicted from. The first column is 1."""
        panel, who, weekly = self.panel, self.who, self.settings.weeks
        means, weight, base = self._levels(hcps, periods)
        has = (weight > 0).astype(np.float32)
        root, log = np.sqrt(base), np.log(base)
        year = self._seasons(periods)[who.fold[hcps]]
        trend = self._trend(periods, base)
        flat = [np.ones_like(base), has, year, root, trend, trend * base, log, *means, *(m * year for m in means)]
        # how much of a recent rise lasts hangs on the level: counts of small HCPs are mostly noise
        rises = [means[k] - means[3] for k in (0, 1, 2)]
        early, segment = 1 / (1 + weight / np.float32(16 / weekly)), self.segment[hcps, None].astype(np.float32)
        flat += [rise * by for rise in rises for by in (log, 1 / root, early)] + [base * log, early, early * log]
        # the mean so far, shrunk to the segment's by more or less: which of them is right depends on the noise
        for prior in SHRINKAGES:
            own = weight / (weight + np.float32(prior / weekly))
            flat.append(own * means[4] + (1 - own) * segment)
        usual, habit = self._usual(hcps, periods)
        above = np.maximum(usual, 0) + np.float32(self.offset)
        flat += [usual, usual * year, np.log(above), np.sqrt(above), usual * early]
        if panel.market is not None:
            markets = [fading_mean(panel.market[hcps], fade**weekly)[0][:, periods] for fade in (0.8, 0.98)]
            flat += [*markets, *(m * year for m in markets)]
        stocks, habits = self._touches(hcps, periods)
        decile = (who.decile[hcps][:, None] == np.arange(11)).astype(np.float32)[:, None, :]
        traits = who.traits[hcps][:, None, :]
        blocks = [*stocks, *(s * root[:, :, None] for s in stocks), *habits, habit]
        return _flat(flat, [*blocks, decile[:, :, 1:], decile * base[:, :, None], traits * base[:, :, None]])

    def touch(self, hcps: slice, periods: slice) -> np.ndarray:
        """(n * T, m): what the touches of the period are predicted from. The first column is 1."""
        who = self.who
        means, weight, base = self._levels(hcps, periods)
        has = (weight > 0).astype(np.float32)
        early = 1 / (1 + weight / np.float32(16 / self.settings.weeks))
        log = np.log(base)
        recent, growth = (np.log(np.maximum(means[k], 0) + self.offset) - log for k in (0, 1))
        trend = self._trend(periods, base)
        flat = [
            np.ones_like(base),
            has,
            log,
            log * log,
            recent,
            growth,
            trend,
            early,
            early * log,
            early * growth,
            *means,
            *self._market_share(hcps, periods, base),
        ]
        stocks, habits = self._touches(hcps, periods)
        usual, habit = self._usual(hcps, periods)
        usually = np.log(np.maximum(usual, 0) + np.float32(self.offset))
        beyond = [np.log(np.maximum(means[k], 0) + np.float32(self.offset)) - usually for k in (0, 1, 2)]
        flat += [usually, usually * usually, *beyond]
        fold = who.fold[hcps]
        others = self.weeks.touches[fold][:, periods]
        rep = self.weeks.rep[fold, np.where(who.rep[hcps] < 0, self.weeks.rep.shape[1] - 1, who.rep[hcps])][:, periods]
        decile = (who.decile[hcps][:, None] == np.arange(1, 11)).astype(np.float32)[:, None, :]
        access = (who.access[hcps][:, None] == np.arange(1, 4)).astype(np.float32)[:, None, :]
        blocks = [*stocks, *habits, habit, others, rep, decile, access, who.traits[hcps][:, None, :]]
        for driver in (others, rep):
            blocks += [habits[1] * driver, driver * log[:, :, None], driver * growth[:, :, None], driver * recent[:, :, None]]
            blocks += [habit * driver, driver * beyond[1][:, :, None], driver * usually[:, :, None]]
        blocks += [habit * beyond[k][:, :, None] for k in (1, 2)] + [habit * rep * beyond[1][:, :, None]]
        blocks += [habits[0] * rep, habits[1] * growth[:, :, None], habits[1] * recent[:, :, None]]
        blocks += [rep * access[:, :, k : k + 1] for k in range(access.shape[2])]
        return _flat(flat, blocks)

    def _levels(self, hcps: slice, periods: slice) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
        """Fading means of the KPI, the known periods behind the longest, and a positive level, (n, T) each."""
        means = []
        for fade in KPI_FADES:
            mean, weight = fading_mean(self.panel.kpi[hcps], fade**self.settings.weeks)
            # a newcomer is like its segment until it has a history
            own = (weight / (weight + 1.0))[:, periods]
            means.append(own * mean[:, periods] + (1 - own) * self.segment[hcps, None].astype(np.float32))
        return means, weight[:, periods], np.maximum(means[3], 0) + np.float32(self.offset)

    def _touches(self, hcps: slice, periods: slice) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Stocks of touches and their mean per period so far."""
        touches, weekly = self.panel.touches[hcps], self.settings.weeks
        stocks = [stock(touches, fade**weekly)[:, periods] for fade in STOCK_FADES]
        return stocks, [_habit(touches, fade**weekly)[:, periods] for fade in (0.9, 1.0)]

    def _usual(self, hcps: slice, periods: slice) -> tuple[np.ndarray, np.ndarray]:
        """What is usual for an HCP: mean KPI (n, T) and mean touches (n, T, C) of all its periods but those a touch of this one works in.

        The field knows its HCPs better than a short history shows; later periods show the same HCP, and by then the touch is forgotten.
        """
        gap = self.settings.cycle_periods + max(1, round(MEMORY_WEEKS / self.settings.weeks))
        late = max(self.settings.long_periods, gap)  # touches answer the KPI of the cycle for a while
        known = np.isfinite(self.panel.kpi[hcps])
        total, count = _outside(np.where(known, self.panel.kpi[hcps], 0), gap), _outside(known, gap)
        prior = np.float32(SHRINKAGES[0] / self.settings.weeks)
        level = (total + prior * self.segment[hcps, None].astype(np.float32)) / (count + prior)
        touches = self.panel.touches[hcps, : self.panel.touch_through + 1]
        rest = np.zeros((1, self.panel.periods - touches.shape[1]), np.float32)
        length = np.concatenate([np.ones((1, touches.shape[1]), np.float32), rest], axis=1)
        habit = _outside(self.panel.touches[hcps], late) / (_outside(length, late) + 1)[:, :, None]
        return level[:, periods], habit[:, periods]

    def _trend(self, periods: slice, base: np.ndarray) -> np.ndarray:
        share = np.arange(self.panel.periods)[periods] / max(self.panel.periods, 1)
        return np.broadcast_to(share.astype(np.float32), base.shape)

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


def _outside(values: np.ndarray, gap: int) -> np.ndarray:
    """Sum over the periods before each one and from `gap` periods after it on: (n, P, ...)."""
    zero = np.zeros_like(values[:, :1], dtype=np.float32)
    total = np.concatenate([zero, np.cumsum(values, axis=1, dtype=np.float32)], axis=1)
    periods = values.shape[1]
    after = np.minimum(np.arange(periods) + gap, periods)
    return total[:, :-1] + total[:, -1:] - total[:, after]


def _habit(touches: np.ndarray, fade: float) -> np.ndarray:
    """Mean touches per period so far, (n, P + 1, C), half a period of none added."""
    weight = np.zeros(touches.shape[1] + 1, np.float32)
    for t in range(touches.shape[1]):
        weight[t + 1] = weight[t] * fade + 1
    return stock(touches, fade) / (weight + 0.5)[None, :, None]


def _flat(columns: list[np.ndarray], blocks: list[np.ndarray]) -> np.ndarray:
    """Columns (n, T) and blocks (n, T or 1, k) side by side as (n * T, all)."""
    n, length = columns[0].shape
    whole = np.empty((n, length, len(columns) + sum(block.shape[2] for block in blocks)), np.float32)
    for place, column in enumerate(columns):
        whole[:, :, place] = column
    place = len(columns)
    for block in blocks:
        whole[:, :, place : place + block.shape[2]] = block
        place += block.shape[2]
    return whole.reshape(n * length, -1)
