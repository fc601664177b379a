"""The form of an effect: how it grows with the size of an HCP, how recent touches use it up, and what else tells HCPs apart.

effect of a touch = f x (theta_0 + sum_k theta_k z_k),  f = (size / mean size)^power x exp(-kappa x stock of recent touches).

power, kappa, how fast the stock fades, whether a channel is worn out by its own touches or by all, and what size means are chosen by the
loss on HCPs left out; forms that do about as well are averaged. Everything here is known at the start of its period.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from nba.impact.history import OFFSET, RATE_PRIOR_TOUCHES, STOCK_FADES, People, level, stock
from nba.impact.panel import Panel
from nba.impact.settings import ImpactSettings

POWERS = (0.0, 0.25, 0.5, 0.75, 1.0)
KAPPAS = (0.02, 0.07, 0.12, 0.2, 0.35)  # never 0: the next touch after five is worth less than the first
MOST_FORMS = 3
LEAST_WEIGHT = 0.05
OWN_RESPONSES, ALL_RESPONSES, MARKET = "response_rate", "responsiveness", "market_share"


@dataclass(frozen=True)
class Form:
    """size: `kpi` or `market`. fade: per week. scope: `all` or `own`, whose touches wear a channel out."""

    size: str
    power: float
    fade: float
    kappa: float
    scope: str

    def key(self) -> str:
        """For people and files."""
        return f"size={self.size}^{self.power:g} wear={self.kappa:g} fade={self.fade:g} {self.scope}"


def forms(panel: Panel) -> list[Form]:
    """The grid."""
    sizes = ("kpi",) if panel.market is None else ("kpi", "market")
    scopes = ("all",) if len(panel.channels) == 1 else ("all", "own")
    grid = product(sizes, POWERS, STOCK_FADES, KAPPAS, scopes)
    return [Form(*point) for point in grid if not (point[1] == 0.0 and point[0] == "market")]


@dataclass(frozen=True)
class State:
    """What effects depend on, at the start of some periods: (n, T) or (n, T, C).

    size: by name, over its mean plus OFFSET of it. own: share of the size that is the HCP's own. stocks: (fade, scope) -> (n, T, C or 1).
    still: (n, k) and moving: (n, T, C, l), modifiers before centring: traits, then what changes.
    """

    size: dict[str, np.ndarray]
    own: np.ndarray
    stocks: dict[tuple[float, str], np.ndarray]
    still: np.ndarray
    moving: np.ndarray

    def shape(self, form: Form) -> np.ndarray:
        """f before it is scaled to mean 1: (n, T, C or 1)."""
        worn = np.exp(-np.float32(form.kappa) * self.stocks[form.fade, form.scope])
        return (self.size[form.size] ** np.float32(form.power))[:, :, None] * worn


class Modifiers:
    """Makes states of a panel's HCPs."""

    def __init__(
        self,
        panel: Panel,
        who: People,
        levels: dict[str, tuple[np.ndarray, float]],
        settings: ImpactSettings,
        rate: np.ndarray | None = None,
    ) -> None:
        self.panel, self.who, self.levels, self.settings = panel, who, levels, settings
        answered = panel.answered.sum(axis=(0, 1), dtype=np.float64)
        # a channel that records no responses says nothing by them
        found = np.where(answered > 0, panel.responses.sum(axis=(0, 1), dtype=np.float64) / np.maximum(answered, 1), 0.0)
        self.rate = found if rate is None else rate
        dynamic = [OWN_RESPONSES, ALL_RESPONSES] if (self.rate > 0).any() else []
        self.families = [*who.families, *dynamic, "kpi", *([MARKET] if panel.market is not None else [])]

    def state(self, hcps: slice, periods: slice) -> State:
        """periods: a slice of 0..P; P is the start of the cycle."""
        touches, settings = self.panel.touches[hcps], self.settings
        sizes = self.sizes(hcps, periods)
        own = sizes.pop("own")
        stocks = {}
        for fade in STOCK_FADES:
            own_stock = stock(touches, fade**settings.weeks)[:, periods]
            stocks[fade, "own"] = own_stock
            stocks[fade, "all"] = own_stock.sum(axis=2, keepdims=True)
        n, length, channels = stocks[STOCK_FADES[0], "own"].shape
        moving = self._responses(hcps, periods)
        log = np.clip(np.log(sizes["kpi"]), -2, 3)
        moving.append(np.broadcast_to((log * log)[:, :, None], (n, length, channels)))  # the power says the slope, this the bend
        if "market" in sizes:
            share = np.clip(np.log(sizes["market"] / sizes["kpi"]), -2, 2)
            moving.append(np.broadcast_to(share[:, :, None], (n, length, channels)))
        changes = np.stack(moving, axis=3) if moving else np.zeros((n, length, channels, 0), np.float32)
        return State(sizes, own, stocks, self.who.traits[hcps], changes.astype(np.float32, copy=False))

    def sizes(self, hcps: slice, periods: slice) -> dict[str, np.ndarray]:
        """Sizes by name, and under `own` the share of the KPI's that is the HCP's own: (n, T) each."""
        sizes = {}
        for name, values in (("kpi", self.panel.kpi), ("market", self.panel.market)):
            if values is None:
                continue
            segment, overall = self.levels[name]
            found, share = level(self.panel, hcps, periods, segment, self.settings, values)
            sizes.setdefault("own", share)
            sizes[name] = ((np.maximum(found, 0) / overall + OFFSET) if overall > 0 else np.ones_like(found)).astype(np.float32)
        return sizes

    def _responses(self, hcps: slice, periods: slice) -> list[np.ndarray]:
        """Log response rate over the channel's, of the channel and of all channels, shrunk to none: (n, T, C) each."""
        if not (self.rate > 0).any():
            return []
        answered, responses = (stock(a[hcps], 1.0)[:, periods] for a in (self.panel.answered, self.panel.responses))
        rate = np.maximum(self.rate, 1e-9).astype(np.float32)
        own = np.log((responses + RATE_PRIOR_TOUCHES * rate) / ((answered + RATE_PRIOR_TOUCHES) * rate))
        own[:, :, self.rate == 0] = 0.0
        expected = (answered * np.where(self.rate > 0, rate, 0).astype(np.float32)).sum(axis=2)
        overall = np.log((responses.sum(axis=2) + 3.0) / (expected + 3.0))
        return [own, np.broadcast_to(overall[:, :, None], own.shape)]
