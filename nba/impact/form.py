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
    z: (n, T, C, m), modifiers before centring: traits, then what changes.
    """

    size: dict[str, np.ndarray]
    own: np.ndarray
    stocks: dict[tuple[float, str], np.ndarray]
    z: np.ndarray

    def shape(self, form: Form) -> np.ndarray:
        """f before it is scaled to mean 1: (n, T, C or 1)."""
        worn = np.exp(-np.float32(form.kappa) * self.stocks[form.fade, form.scope])
        return (self.size[form.size] ** np.float32(form.power))[:, :, None] * worn


class Modifiers:
    """Makes states of a panel's HCPs."""

    def __init__(self, panel: Panel, who: People, levels: dict[str, tuple[np.ndarray, float]], settings: ImpactSettings) -> None:
        self.panel, self.who, self.levels, self.settings = panel, who, levels, settings
        answered = panel.answered.sum(axis=(0, 1), dtype=np.float64)
        # a channel that records no responses says nothing by them
        self.rate = np.where(answered > 0, panel.responses.sum(axis=(0, 1), dtype=np.float64) / np.maximum(answered, 1), 0.0)
        dynamic = [OWN_RESPONSES, ALL_RESPONSES] if (self.rate > 0).any() else []
        self.families = [*who.families, *dynamic, *([MARKET] if panel.market is not None else [])]

    def state(self, hcps: slice, periods: slice) -> State:
        """periods: a slice of 0..P; P is the start of the cycle."""
        panel, settings = self.panel, self.settings
        touches = panel.touches[hcps].astype(np.float32)
        sizes, own = {}, None
        for name, values in (("kpi", panel.kpi), ("market", panel.market)):
            if values is None:
                continue
            segment, overall = self.levels[name]
            found, share = level(panel, hcps, segment, settings, values)
            own = share if own is None else own
            middle = overall if overall > 0 else 1.0
            sizes[name] = ((np.maximum(found[:, periods], 0) + OFFSET * middle) / middle if overall > 0 else np.ones_like(found[:, periods])).astype(
                np.float32
            )
        stocks = {}
        for fade in STOCK_FADES:
            own_stock = stock(touches, fade**settings.weeks)[:, periods]
            stocks[fade, "own"] = own_stock
            stocks[fade, "all"] = own_stock.sum(axis=2, keepdims=True)
        n, length, channels = next(iter(stocks.values())).shape[0], sizes["kpi"].shape[1], len(panel.channels)
        z = [np.broadcast_to(self.who.traits[hcps][:, None, None, :], (n, length, channels, self.who.traits.shape[1]))]
        z += [part[..., None] for part in self._responses(hcps, periods)]
        if "market" in sizes:
            share = np.log(sizes["market"] / sizes["kpi"])
            z.append(np.broadcast_to(np.clip(share, -2, 2)[:, :, None, None], (n, length, channels, 1)))
        return State(sizes, own[:, periods], stocks, np.concatenate(z, axis=3).astype(np.float32))

    def _responses(self, hcps: slice, periods: slice) -> list[np.ndarray]:
        """Log response rate over the channel's, of the channel and of all channels, shrunk to none: (n, T, C) each."""
        if not (self.rate > 0).any():
            return []
        answered, responses = (np.float32(1) * stock(a[hcps], 1.0)[:, periods] for a in (self.panel.answered, self.panel.responses))
        rate = np.maximum(self.rate, 1e-9).astype(np.float32)
        own = np.log((responses + RATE_PRIOR_TOUCHES * rate) / ((answered + RATE_PRIOR_TOUCHES) * rate))
        own[:, :, self.rate == 0] = 0.0
        expected = (answered * np.where(self.rate > 0, rate, 0)).sum(axis=2)
        overall = np.log((responses.sum(axis=2) + 3.0) / (expected + 3.0))
        return [own, np.broadcast_to(overall[:, :, None], own.shape)]
