"""Run one chunk of HCPs through the panel, and write down what the field's systems would have recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from nba.simulate.channels import CHANNEL_NAMES, CHANNELS
from nba.simulate.periods import Calendar
from nba.simulate.population import Field, Floats, Population
from nba.simulate.structure import (
    Pace,
    State,
    add_shock,
    add_touches,
    draw_responses,
    draw_touches,
    first_state,
    kpi_mean,
    response_chance,
    touch_rates,
)

MOST_TOUCHES = {"week": 3, "month": 9}
ENGAGEMENT_SCHEMA = pa.schema(
    [
        ("hcp_id", pa.string()),
        ("channel", pa.string()),
        ("period_start", pa.date32()),
        ("touches", pa.int32()),
        ("responses", pa.int32()),
        ("known_at", pa.date32()),
    ]
)
KPI_SCHEMA = pa.schema(
    [
        ("hcp_id", pa.string()),
        ("period_start", pa.date32()),
        ("kpi_value", pa.float64()),
        ("market_value", pa.float64()),
        ("known_at", pa.date32()),
    ]
)


@dataclass(frozen=True)
class Panel:
    """What happened: touches and responses (n, periods, channels), kpi and market (n, periods); state at the panel's end."""

    touches: NDArray[np.uint8]
    responses: NDArray[np.uint8]
    kpi: NDArray[np.uint16]
    market: NDArray[np.uint16]
    state: State


def run_panel(population: Population, field: Field, calendar: Calendar, rng: np.random.Generator) -> Panel:
    """Play the whole panel, period by period."""
    size, channels, periods = population.size, len(CHANNELS), calendar.periods
    touches = np.zeros((periods, channels, size), np.uint8)
    responses = np.zeros_like(touches)
    kpi = np.zeros((periods, size), np.uint16)
    market = np.zeros_like(kpi)
    pace, state = Pace.of(calendar), first_state(population, rng)
    # The field sees KPI about as late as the data vendor: three weeks, one month.
    seen_after = 3 if calendar.grain == "week" else 1
    for t in range(periods):
        now = draw_touches(touch_rates(population, field, state, calendar, t), rng, MOST_TOUCHES[calendar.grain])
        answered = draw_responses(now, response_chance(population, state.tired * pace.tired_decay), rng)
        add_touches(population, state, pace, now, answered)
        add_shock(state, pace, rng)
        touches[t], responses[t] = now, answered
        kpi[t] = np.minimum(rng.poisson(kpi_mean(population, state, calendar, t)), 60_000)
        market[t] = kpi[t] + _others(population, calendar, t, rng)
        if t >= seen_after:
            latest = kpi[t - seen_after] / pace.weeks
            state.recent = pace.memory_decay * state.recent + (1 - pace.memory_decay) * latest
    return Panel(touches.transpose(2, 0, 1), responses.transpose(2, 0, 1), kpi.T, market.T, state)


def _others(population: Population, calendar: Calendar, period: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Prescriptions of the other brands of the class."""
    rest = calendar.weeks_per_period * calendar.season(period) * (population.market - population.base)
    return np.minimum(rng.poisson(rest), 5_000)


def planned_anyway(population: Population, field: Field, panel: Panel, calendar: Calendar, rng: np.random.Generator) -> Floats:
    """Touches the field would do by habit in the cycle, (channels, n): the current plan."""
    total = np.zeros((len(CHANNELS), population.size))
    for ahead in range(calendar.cycle_periods):
        total += touch_rates(population, field, panel.state, calendar, calendar.periods + ahead)
    most = np.array([c.max_touches for c in CHANNELS])[:, None]
    return np.minimum(draw_touches(total, rng, 3), most)


def engagement_rows(panel: Panel, ids: pa.Array, calendar: Calendar, rng: np.random.Generator) -> pa.Table:
    """Rows of engagement_history: only where something was done, some late, some cells in two increments."""
    hcp, period, channel = np.nonzero(panel.touches)
    touches = panel.touches[hcp, period, channel].astype(np.int32)
    responses = panel.responses[hcp, period, channel].astype(np.int32)
    ends = calendar.starts[1:][period]
    delay = rng.choice([0, 1, 3, 7, 14, 28], len(hcp), p=[0.62, 0.15, 0.10, 0.05, 0.05, 0.03])
    # A part of the cells with several touches comes as two increments, the second one later.
    is_split = (touches > 1) & (rng.random(len(hcp)) < 0.25)
    later = np.where(is_split, 1, 0)
    later_responses = np.where(is_split & (responses == touches), 1, 0)
    unknown = (rng.random(len(hcp)) < 0.03) | ~np.array([c.records_responses for c in CHANNELS])[channel]
    order = np.argsort(np.concatenate([np.arange(len(hcp)), np.flatnonzero(is_split)]), kind="stable")

    def both(first: NDArray, second: NDArray) -> NDArray:
        return np.concatenate([first, second[is_split]])[order]

    known_at = both(ends + delay.astype("timedelta64[D]"), ends + (delay + 7).astype("timedelta64[D]"))
    kept = known_at <= calendar.extract_date
    columns = [
        ids.take(pa.array(both(hcp, hcp)[kept])),
        pa.array(CHANNEL_NAMES).take(pa.array(both(channel, channel)[kept])),
        pa.array(calendar.starts[both(period, period)[kept]]),
        pa.array(both(touches - later, later)[kept].astype(np.int32)),
        pa.array(both(responses - later_responses, later_responses)[kept].astype(np.int32), mask=both(unknown, unknown)[kept]),
        pa.array(known_at[kept]),
    ]
    return pa.Table.from_arrays(columns, schema=ENGAGEMENT_SCHEMA)


def kpi_rows(
    panel: Panel,
    ids: pa.Array,
    population: Population,
    calendar: Calendar,
    deliveries: NDArray[np.datetime64],
    rng: np.random.Generator,
) -> pa.Table:
    """Rows of kpi_metrics: one per cell with prescriptions of the class, more where a first delivery was incomplete.

    The first row of an HCP is always there, so that absence after it means zero. A restated cell has its first, too
    small value (no row if that was zero) and the right one with a later `known_at`. A few cells are null: withheld.
    """
    in_panel = np.arange(calendar.periods)[None, :] >= population.first_period[:, None]
    is_first = np.arange(calendar.periods)[None, :] == population.first_period[:, None]
    hcp, period = np.nonzero(((panel.market > 0) & in_panel) | is_first)
    kpi, market = panel.kpi[hcp, period].astype(np.float64), panel.market[hcp, period].astype(np.float64)
    is_start = is_first[hcp, period]
    chance = rng.random(len(hcp))
    withheld = (chance > 0.997) & ~is_start
    restated = (chance < 0.06) & (kpi > 0)
    missing = np.zeros(len(hcp))
    missing[restated] = rng.binomial(kpi[restated].astype(np.int64), 0.45)
    restated &= missing > 0
    round_of = np.where(chance < 0.045, 1, 2)
    first_shown = ~restated | (market > missing) | is_start
    order = np.argsort(np.concatenate([np.flatnonzero(first_shown), np.flatnonzero(restated)]), kind="stable")

    def both(first: NDArray, second: NDArray) -> NDArray:
        return np.concatenate([first[first_shown], second[restated]])[order]

    known_at = both(deliveries[period, 0], deliveries[period, np.where(restated, round_of, 0)])
    kept = known_at <= calendar.extract_date
    null = both(withheld, withheld)[kept]
    columns = [
        ids.take(pa.array(both(hcp, hcp)[kept])),
        pa.array(calendar.starts[both(period, period)[kept]]),
        pa.array(both(kpi - missing, kpi)[kept], mask=null),
        pa.array(both(market - missing, market)[kept], mask=null),
        pa.array(known_at[kept]),
    ]
    return pa.Table.from_arrays(columns, schema=KPI_SCHEMA)
