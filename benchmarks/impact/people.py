"""Who lives in a world of the impact benchmark: what the master table shows of them, and what only the world knows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nba.simulate.channels import SPECIALTIES, SPECIALTY_SHARE, SPECIALTY_VOLUME, Channel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
HCPS_PER_REP = 100
ACCESS = ("open", "restricted", "no_see")


@dataclass(frozen=True)
class People:
    """n HCPs; arrays of n, channel arrays (channels, n). Codes number from 0.

    Shown: specialty, practice, hco, territory, rep, decile, access, digital_shown, years. Hidden: volume (standard normal scale),
    market and base (units per week of the class and of the brand without promotion), trend (log per week), digital (standard normal),
    liking (standard normal scale per channel, partly told by specialty and digital affinity), response_chance, rep_bond (log factor on
    the touches that reps make, without any effect on the KPI), first_period (periods = no history at all).
    """

    specialty: Ints
    practice: Ints
    hco: Ints
    territory: Ints
    rep: Ints
    decile: Ints
    access: Ints
    digital_shown: Floats
    years: Ints
    volume: Floats
    market: Floats
    base: Floats
    trend: Floats
    digital: Floats
    liking: Floats
    response_chance: Floats
    rep_bond: Floats
    first_period: Ints

    @property
    def size(self) -> int:
        return len(self.specialty)

    @property
    def reps(self) -> int:
        return int(self.rep.max()) + 1


def draw_people(hcps: int, periods: int, channels: tuple[Channel, ...], tastes: Floats, bond: float, rng: np.random.Generator) -> People:
    """Draw `hcps` HCPs; tastes: liking by (channels, specialties); bond: spread of rep_bond. 3% have no history, 5% enter later."""
    reps = max(2, round(hcps / HCPS_PER_REP))
    hco = np.cumsum(rng.random(hcps) < 0.4)
    rep = rng.integers(0, reps, hcps + 1)[hco]
    specialty = rng.choice(len(SPECIALTIES), hcps, p=SPECIALTY_SHARE)
    volume = 0.9 * rng.standard_normal(hcps) + 0.6 * np.array(SPECIALTY_VOLUME)[specialty]
    shown_volume = volume + 0.35 * rng.standard_normal(hcps)
    market = 2.2 * np.exp(0.8 * volume)
    years_z = rng.standard_normal(hcps)
    digital = -0.5 * years_z + np.sqrt(0.75) * rng.standard_normal(hcps)
    liking = tastes[:, specialty] + np.array([c.digital for c in channels])[:, None] * digital
    liking += 0.45 * rng.standard_normal((len(channels), hcps))
    typical = np.array([c.response_rate for c in channels])[:, None]
    kind = rng.random(hcps)
    later = rng.integers(0, max(1, int(0.7 * periods)), hcps)
    return People(
        specialty=specialty,
        practice=rng.integers(0, 4, hcps),
        hco=hco,
        territory=rep // 3,
        rep=rep,
        decile=np.clip(np.searchsorted(np.quantile(shown_volume, np.arange(0.1, 0.95, 0.1)), shown_volume) + 1, 1, 10),
        access=rng.choice(3, hcps, p=[0.62, 0.23, 0.15]),
        digital_shown=np.round(1 / (1 + np.exp(-1.4 * (digital + 0.4 * rng.standard_normal(hcps)))), 2),
        years=np.clip(np.round(19 + 9 * years_z), 1, 48).astype(np.int64),
        volume=volume,
        market=market,
        base=market / (1 + np.exp(1.2 - 0.8 * rng.standard_normal(hcps))),
        trend=(0.04 + 0.15 * rng.standard_normal(hcps)) / 52,
        digital=digital,
        liking=liking,
        response_chance=1 / (1 + np.exp(-np.log(typical / (1 - typical)) - 0.8 * liking)),
        rep_bond=bond * rng.standard_normal(hcps),
        first_period=np.where(kind < 0.03, periods, np.where(kind < 0.08, later, 0)),
    )
