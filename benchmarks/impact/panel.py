"""Plays a world period by period, and works out from its last state what one more touch would really bring.

A touch adds its weight, 1 - s + s x response / typical rate (s: share of the effect that only a response carries), to the stock of its
channel; stocks decay; effect x stock is the working promotion that the shape's form turns into KPI. A first-order autoregressive shock
multiplies the base. Counts are Poisson around that mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.impact.people import Floats, People
from benchmarks.impact.shapes import Shape
from nba.simulate.periods import Calendar

SHOCK_SD, SHOCK_WEEKLY = 0.30, 0.96


@dataclass(frozen=True)
class Pace:
    """Weekly decays on the scale of one period, and how much of a touch at its start works through the first period."""

    weeks: float
    decay: Floats
    entry: Floats
    shock: float

    @classmethod
    def of(cls, shape: Shape, calendar: Calendar) -> Pace:
        weeks, weekly = calendar.weeks_per_period, np.array([c.decay for c in shape.channels])[:, None]
        decay = weekly**weeks
        return cls(weeks, decay, (1 - decay) / (weeks * (1 - weekly)), SHOCK_WEEKLY**weeks)


@dataclass
class State:
    """What carries over: stock (channels, n), shock (n,), recent KPI per week in prescriptions as the field sees it (n,)."""

    stock: Floats
    shock: Floats
    recent: Floats


@dataclass(frozen=True)
class Panel:
    """What happened: touches and responses (periods, channels, n), kpi and market (periods, n); the state at the panel's end."""

    touches: NDArray[np.uint8]
    responses: NDArray[np.uint8]
    kpi: Floats
    market: Floats
    state: State


def play(shape: Shape, people: People, effect: Floats, zeal: Floats, calendar: Calendar, rng: np.random.Generator) -> Panel:
    """The whole panel. effect: (channels, n); zeal: how much a rep does against the average, (reps,)."""
    channels, size, periods = len(shape.channels), people.size, calendar.periods
    pace = Pace.of(shape, calendar)
    touches, responses = np.zeros((2, periods, channels, size), np.uint8)
    kpi, market = np.zeros((2, periods, size))
    state = State(np.zeros((channels, size)), SHOCK_SD * rng.standard_normal(size), people.base.copy())
    seen_after = shape.seen_after if calendar.grain == "week" else 1
    memory, price = shape.memory**pace.weeks, shape.price or 1.0
    for t in range(periods):
        touches[t] = np.minimum(rng.poisson(touch_rates(shape, people, zeal, state, calendar, t)), 3 if calendar.grain == "week" else 9)
        responses[t] = rng.binomial(touches[t], people.response_chance)
        move(shape, state, pace, touches[t], responses[t], rng)
        mean = kpi_mean(shape, people, effect, state, calendar, t)
        kpi[t], market[t] = draw_kpi(shape, people, mean, calendar, t, rng)
        if t >= seen_after:
            state.recent = memory * state.recent + (1 - memory) * kpi[t - seen_after] / (pace.weeks * price)
    return Panel(touches, responses, kpi, market, state)


def touch_rates(shape: Shape, people: People, zeal: Floats, state: State, calendar: Calendar, period: int) -> Floats:
    """Mean touches of a period, (channels, n): habit, zeal, campaigns, volume and the KPI's latest move (the confounding)."""
    surprise = np.clip(np.log((np.maximum(state.recent, 0.0) + 0.4) / (people.base + 0.4)), -1.0, 1.0)
    calls = zeal[people.rep] * np.array([1.15, 0.6, 0.06])[people.access] * np.exp(people.rep_bond)
    month = int(str(calendar.start_of(period))[5:7])
    rates = np.empty((len(shape.channels), people.size))
    for position, channel in enumerate(shape.channels):
        volume = shape.pull * channel.volume_pull
        rate = channel.base_rate * shape.busy * calendar.weeks_per_period
        rate = rate * np.exp(volume * people.volume - volume**2 / 2 + shape.growth_pull * channel.kpi_pull * surprise)
        if channel.rep_minutes > 0:
            rate = rate * calls * (0.7 if month in (8, 12) else 1.05)
        else:
            rate = rate * (1.6 if (month + position) % 3 == 0 else 0.7)
        rates[position] = np.minimum(rate, 6.0)
    return rates * (period >= people.first_period)


def move(shape: Shape, state: State, pace: Pace, touches: NDArray, responses: NDArray, rng: np.random.Generator) -> None:
    """One period on, in place: stocks decay and take the touches in, the shock moves."""
    share = np.array([c.response_share for c in shape.channels])[:, None]
    typical = np.array([c.response_rate for c in shape.channels])[:, None]
    state.stock = state.stock * pace.decay + ((1 - share) * touches + share * responses / typical) * pace.entry
    noise = SHOCK_SD * np.sqrt(1 - pace.shock**2) * rng.standard_normal(len(state.shock))
    state.shock = state.shock * pace.shock + noise


def kpi_mean(shape: Shape, people: People, effect: Floats, state: State, calendar: Calendar, period: int) -> Floats:
    """Mean prescriptions of a period given the state in it, (n,)."""
    factor, extra = shape.form(people, effect * state.stock)
    own = people.base * np.exp(people.trend * calendar.weeks_per_period * (period - calendar.periods) + state.shock)
    return calendar.weeks_per_period * calendar.season(period) * (own * factor + extra)


def draw_kpi(
    shape: Shape, people: People, mean: Floats, calendar: Calendar, period: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """KPI and market of a period, (n,) each: counts, or amounts with lognormal noise around the mean and a few returns below it."""
    rest = calendar.weeks_per_period * calendar.season(period) * (people.market - people.base)
    if shape.price is None:
        kpi = rng.poisson(mean).astype(np.float64)
        return kpi, kpi + rng.poisson(rest)
    noise = np.exp(0.5 * rng.standard_normal((2, len(mean))) - 0.125)
    returns = np.where(rng.random(len(mean)) < 0.01, people.base * calendar.weeks_per_period * 3.0 * rng.random(len(mean)), 0.0)
    kpi = np.round(shape.price * (mean * noise[0] - returns), 2)
    return kpi, np.round(kpi + shape.price * rest * noise[1], 2)


def true_impact(shape: Shape, people: People, effect: Floats, state: State, calendar: Calendar) -> tuple[Floats, Floats]:
    """E[KPI of the cycle | one touch at its start] - E[same | none], and the same over the long horizon, (channels, n) each.

    Exact given the state: over the response to the touch as a mixture of two, over the lognormal shocks in closed form; no other touch in
    the horizon on either side.
    """
    pace, price = Pace.of(shape, calendar), shape.price or 1.0
    impact, total = np.zeros((2, *effect.shape))
    stocks = [state.stock * pace.decay ** (ahead + 1) for ahead in range(calendar.long_periods)]
    for ahead, stock in enumerate(stocks):
        own, weeks = _expected_base(people, state, calendar, pace, ahead)
        before = shape.form(people, effect * stock)
        for position, channel in enumerate(shape.channels):
            left = pace.entry[position] * pace.decay[position] ** ahead
            plain = 1 - channel.response_share
            cases = (
                (plain, 1 - people.response_chance[position]),
                (plain + channel.response_share / channel.response_rate, people.response_chance[position]),
            )
            for weight, chance in cases:
                touched = stock.copy()
                touched[position] += weight * left
                after = shape.form(people, effect * touched)
                total[position] += price * weeks * chance * (own * (after[0] - before[0]) + (after[1] - before[1]))
        if ahead + 1 == calendar.cycle_periods:
            impact = total.copy()
    return impact, total


def _expected_base(people: People, state: State, calendar: Calendar, pace: Pace, ahead: int) -> tuple[Floats, float]:
    """Expected base x trend x exp(shock) in a period of the horizon, and its weeks x season."""
    kept = pace.shock ** (ahead + 1)
    own = people.base * np.exp(people.trend * pace.weeks * ahead + kept * state.shock + SHOCK_SD**2 * (1 - kept**2) / 2)
    return own, pace.weeks * calendar.season(calendar.periods + ahead)
