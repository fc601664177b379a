"""What one touch at the cycle start would really bring: a continuous expectation, from the structure itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nba.simulate.channels import CHANNELS
from nba.simulate.periods import Calendar
from nba.simulate.population import Floats, Population
from nba.simulate.structure import SHOCK_SD, TIRED_EFFECT, Pace, State, response_chance


@dataclass(frozen=True)
class Truth:
    """True values per channel and HCP, (channels, n): impact over the cycle, over the long horizon, P(response)."""

    impact: Floats
    impact_long: Floats
    response_probability: Floats


def true_impact(population: Population, state: State, calendar: Calendar) -> Truth:
    """E[KPI over the horizon | one touch at cycle start] - E[same | none], given the state at the end of the panel.

    Both sides have no other touch in the horizon. The expectation is exact over the response to the touch and over the
    lognormal shocks to come (E exp(rho^h e + noise) in closed form); no random number is drawn.
    """
    pace = Pace.of(calendar)
    tired = state.tired * pace.tired_decay
    chance = response_chance(population, tired)
    share = np.array([c.response_share for c in CHANNELS])[:, None]
    typical = np.array([c.response_rate for c in CHANNELS])[:, None]
    plain = population.effect * np.exp(-TIRED_EFFECT * tired)
    # A touch without, then with a response.
    gains = (plain * (1 - share), plain * (1 - share + share / typical))
    stock = state.stock
    total = np.zeros_like(plain)
    impact = total
    for ahead in range(calendar.long_periods):
        stock = stock * pace.stock_decay
        left = pace.stock_entry * pace.stock_decay**ahead
        lift = (1 - chance) * (1 - np.exp(-gains[0] * left)) + chance * (1 - np.exp(-gains[1] * left))
        total = total + _factor(state, calendar, pace, ahead) * population.headroom * np.exp(-stock.sum(axis=0)) * lift
        if ahead + 1 == calendar.cycle_periods:
            impact = total
    return Truth(impact=impact, impact_long=total, response_probability=chance)


def _factor(state: State, calendar: Calendar, pace: Pace, ahead: int) -> Floats:
    """Weeks x season x expected exp(shock) in a period of the horizon, (n,)."""
    kept = pace.shock_decay ** (ahead + 1)
    spread = SHOCK_SD**2 * (1 - kept**2) / 2
    weeks = calendar.weeks_per_period * calendar.season(calendar.periods + ahead)
    return weeks * np.exp(kept * state.shock + spread)
