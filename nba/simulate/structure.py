"""How a world moves: touches follow the field's habits, KPI follows the touches. One step is one period.

Brand prescriptions of an HCP in a period are Poisson with mean
    weeks x season x exp(shock) x (base x exp(trend x (t - panel's end)) + headroom x (1 - exp(-sum of stocks)))
where each channel has a stock of promotion that decays (carry-over) and one bounded curve over all of them makes returns
diminish (saturation). A touch adds effect x exp(-tiredness) x ((1 - s) + s x response / typical response rate) to its stock.
Tiredness grows with the recent number of touches on all channels (fatigue). The shock is first-order autoregressive.

Everything is double precision: in single precision the last bit of an exponential, which differs between processors,
would now and then change a draw, and with it the files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nba.simulate.channels import CHANNELS
from nba.simulate.periods import Calendar
from nba.simulate.population import Field, Floats, Population

SHOCK_SD = 0.30
SHOCK_WEEKLY = 0.96
TIRED_WEEKLY = 0.85
TIRED_EFFECT = 0.15
TIRED_RESPONSE = 0.08
MEMORY_WEEKLY = 0.8

Counts = NDArray[np.int64]


@dataclass
class State:
    """What carries over from one period to the next. Arrays of n; stock is (channels, n).

    stock: promotion still working, as the mean level over the period just done. tired: decayed number of touches.
    shock: log deviation of the KPI. recent: what the field has seen of the KPI lately, per week.
    """

    stock: Floats
    tired: Floats
    shock: Floats
    recent: Floats


@dataclass(frozen=True)
class Pace:
    """Weekly decays on the scale of one period."""

    weeks: float
    stock_decay: Floats
    stock_entry: Floats
    tired_decay: float
    shock_decay: float
    memory_decay: float

    @classmethod
    def of(cls, calendar: Calendar) -> Pace:
        weeks = calendar.weeks_per_period
        weekly = np.array([c.decay for c in CHANNELS])
        decay = weekly**weeks
        # A touch at the start of the period works through it: its mean level over the period, 1 for weekly data.
        entry = (1 - decay) / (weeks * (1 - weekly))
        return cls(
            weeks=weeks,
            stock_decay=decay[:, None],
            stock_entry=entry[:, None],
            tired_decay=TIRED_WEEKLY**weeks,
            shock_decay=SHOCK_WEEKLY**weeks,
            memory_decay=MEMORY_WEEKLY**weeks,
        )


def first_state(population: Population, rng: np.random.Generator) -> State:
    """Before the panel: no promotion, shocks in their long-run distribution."""
    size = population.size
    return State(
        stock=np.zeros((len(CHANNELS), size)),
        tired=np.zeros(size),
        shock=(SHOCK_SD * rng.standard_normal(size)),
        recent=population.base.copy(),
    )


def touch_rates(population: Population, field: Field, state: State, calendar: Calendar, period: int) -> Floats:
    """Mean touches per HCP and channel in a period, (channels, n), as the field would do by habit.

    Reps call on high prescribers, and more on those whose KPI has just grown: the confounding of this world.
    """
    surprise = np.clip(np.log((state.recent + 0.4) / (population.base + 0.4)), -1.0, 1.0)
    rep = np.where(period < population.move_period, population.earlier_rep, population.rep)
    in_seat = (rep >= 0) & ~((field.vacant_from[rep] <= period) & (period < field.vacant_to[rep]))
    calls = np.where(in_seat, field.activity[rep], 0.0) * np.array([1.15, 0.6, 0.06])[population.access]
    rates = []
    for position, channel in enumerate(CHANNELS):
        pull = channel.volume_pull * population.volume_z - channel.volume_pull**2 / 2 + channel.kpi_pull * surprise
        rate = channel.base_rate * calendar.weeks_per_period * np.exp(pull)
        if channel.rep_minutes > 0:
            rate = rate * calls
        if channel.requires_consent:
            rate = np.where(population.may_email, 1.4 * rate, 0.0)
        rates.append(rate * _campaign(position, calendar, period))
    seen = period >= population.first_period
    return np.array(rates) * seen


def _campaign(position: int, calendar: Calendar, period: int) -> float:
    """Digital channels come in waves, field work slows down at the turn of the year."""
    channel = CHANNELS[position]
    month = int(str(calendar.start_of(period))[5:7])
    if channel.rep_minutes > 0:
        return 0.7 if month in (8, 12) else 1.05
    return 1.6 if (month + position) % 3 == 0 else 0.7


def draw_touches(rates: Floats, rng: np.random.Generator, most: int) -> Counts:
    """Poisson touches, cut at `most`, by inversion: one uniform number each. Samples mostly ride on visits."""
    names = [c.channel for c in CHANNELS]
    visit, sample = names.index("rep_visit"), names.index("sample_drop")
    chance = rng.random(rates.shape)
    touches = _invert_poisson(rates, chance, most)
    rides = np.where(touches[visit] > 0, 2.5, 0.5)
    touches[sample] = _invert_poisson(rates[sample] * rides, chance[sample], most)
    return touches


def _invert_poisson(rates: Floats, chance: Floats, most: int) -> Counts:
    term = np.exp(-rates)
    below = term.copy()
    count = (chance > below).astype(np.int64)
    for k in range(1, most):
        term = term * rates / k
        below += term
        count += chance > below
    return count


def response_chance(population: Population, tired: Floats) -> Floats:
    """P(one touch is responded to), (channels, n): tired HCPs respond less."""
    return 1 / (1 + np.exp(TIRED_RESPONSE * tired - population.response_logit))


def draw_responses(touches: Counts, chance: Floats, rng: np.random.Generator) -> Counts:
    """Binomial responses to the touches of a period, (channels, n)."""
    responses = np.zeros_like(touches)
    touched = touches > 0
    responses[touched] = rng.binomial(touches[touched], chance[touched])
    return responses


def touch_weight(touches: Counts, responses: Counts) -> Floats:
    """Touches weighted by what was made of them, (channels, n): 1 per touch for an HCP that responds like the average."""
    share = np.array([c.response_share for c in CHANNELS])[:, None]
    typical = np.array([c.response_rate for c in CHANNELS])[:, None]
    return (1 - share) * touches + share * responses / typical


def add_touches(population: Population, state: State, pace: Pace, touches: Counts, responses: Counts) -> None:
    """Move stock and tiredness one period on, in place: decay, then the touches of the period."""
    state.tired = state.tired * pace.tired_decay
    gain = population.effect * np.exp(-TIRED_EFFECT * state.tired) * touch_weight(touches, responses)
    state.stock = state.stock * pace.stock_decay + gain * pace.stock_entry
    state.tired = state.tired + touches.sum(axis=0)


def add_shock(state: State, pace: Pace, rng: np.random.Generator) -> None:
    """Move the shock one period on, in place."""
    noise = SHOCK_SD * np.sqrt(1 - pace.shock_decay**2) * rng.standard_normal(len(state.shock))
    state.shock = state.shock * pace.shock_decay + noise


def kpi_mean(population: Population, state: State, calendar: Calendar, period: int) -> Floats:
    """Mean brand prescriptions of a period, (n,), given the state in it."""
    promoted = population.headroom * (1 - np.exp(-state.stock.sum(axis=0)))
    level = np.maximum(population.base * np.exp(population.trend * (period - calendar.periods)) + promoted, 0.0)
    return calendar.weeks_per_period * calendar.season(period) * np.exp(state.shock) * level
