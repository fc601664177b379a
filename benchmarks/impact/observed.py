"""What anyone could know of a world at a day: dense panels and features, for the methods that are compared with ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.impact.people import Floats
from benchmarks.impact.worlds import ImpactWorld

WINDOWS = (4, 13, 26, 52)
MONTH_WINDOWS = (1, 3, 6, 12)
PRIOR_TOUCHES = 8.0  # touches by which a response rate is shrunk to the channel's mean
CATEGORIES = ("specialty", "practice_type", "rep_access")


@dataclass(frozen=True)
class Observed:
    """Panels as known at cycle start, periods first: touches (periods, channels, n), kpi and market (periods, n) with nan where not known.

    responses, answered (periods, channels, n): responses where they were recorded, and the touches behind them. lag: newest periods
    without KPI. traits (n, k): decile, codes of categories, attributes that are switched on.
    """

    world: ImpactWorld
    touches: Floats
    responses: Floats
    answered: Floats
    kpi: Floats
    market: Floats
    lag: int
    traits: Floats

    @property
    def periods(self) -> int:
        return self.kpi.shape[0]

    @property
    def cycle_periods(self) -> int:
        return int(self.world.settings["cycle_periods"])

    @property
    def windows(self) -> tuple[int, ...]:
        return WINDOWS if self.world.settings["grain"] == "week" else MONTH_WINDOWS

    @property
    def uplift(self) -> Floats:
        """The catalogue's uplift per channel."""
        return self.world.tables["catalog"]["expected_uplift"].to_numpy()


def observe(world: ImpactWorld) -> Observed:
    """The world's tables as dense panels, with nothing that became known after cycle start."""
    start = pa.scalar(world.cycle_start)
    engagement = world.tables["engagement"].filter(pc.less_equal(world.tables["engagement"]["known_from"], start))
    kpi = world.tables["kpi"]
    kpi = kpi.filter(pc.and_(pc.less_equal(kpi["known_from"], start), pc.greater(kpi["known_until"], start)))
    starts = np.unique(np.concatenate([world.tables[name]["period_start"].to_numpy() for name in ("engagement", "kpi")]))
    ids, channels = world.tables["hcps"]["hcp_id"], world.channels
    shape = (len(starts), len(channels), len(ids))
    place = _places(engagement, ids, starts)
    channel = pc.index_in(engagement["channel"], pa.array(channels)).to_numpy()
    touches = np.zeros(shape)
    np.add.at(touches, (place[0], channel, place[1]), engagement["touches"].to_numpy())
    known = pc.is_valid(engagement["responses"]).to_numpy()
    totals = np.zeros((2, *shape), np.float32)
    for total, column in zip(totals, ("responses", "touches"), strict=True):
        np.add.at(total, (place[0][known], channel[known], place[1][known]), engagement[column].to_numpy()[known])
    values = [_filled(kpi[column].to_numpy(), *_places(kpi, ids, starts), shape[0], shape[2]) for column in ("kpi_value", "market_value")]
    lag = shape[0] - 1 - int(_places(kpi, ids, starts)[0].max())
    return Observed(world, touches, totals[0], totals[1], values[0], values[1], lag, _traits(world.tables["hcps"], world.settings))


def _places(table: pa.Table, ids: pa.ChunkedArray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(number of the period, number of the HCP) of every row."""
    hcp = pc.index_in(table["hcp_id"], ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids).to_numpy()
    return np.searchsorted(starts, table["period_start"].to_numpy()), hcp


def _filled(values: np.ndarray, period: np.ndarray, hcp: np.ndarray, periods: int, hcps: int) -> Floats:
    """(periods, hcps): 0 where no row is between an HCP's first row and the last period known of anyone, nan elsewhere."""
    out = np.full((periods, hcps), np.nan)
    first = np.full(hcps, periods)
    np.minimum.at(first, hcp, period)
    number = np.arange(periods)[:, None]
    out[(number >= first) & (number <= period.max())] = 0.0
    out[period, hcp] = values
    return out


def _traits(hcps: pa.Table, settings: dict[str, Any]) -> Floats:
    """Decile, specialty, practice and access as codes, and the attributes that are switched on; nan where not known."""
    columns = [hcps["decile"].to_numpy().astype(np.float64)]
    columns += [np.unique(np.array(hcps[name].to_pylist(), dtype=str), return_inverse=True)[1].astype(np.float64) for name in CATEGORIES]
    columns += [hcps[name].to_numpy().astype(np.float64) for name in settings["attributes"]]
    return np.column_stack(columns)


def features(seen: Observed, at: int) -> Floats:
    """(n, k) features as known before period `at`: traits, KPI and market levels and trend with the lag of the data, touches of every
    channel by window, response rates."""
    cut = max(1, at - seen.lag)
    columns = [seen.traits]
    with np.errstate(invalid="ignore"):
        levels = [_mean(seen.kpi, max(0, cut - w), cut) for w in seen.windows]
        columns += [np.column_stack([*levels, levels[0] - levels[2], _mean(seen.market, max(0, cut - seen.windows[2]), cut)])]
    for window in seen.windows[:3]:
        columns.append(seen.touches[max(0, at - window) : at].sum(axis=0).T)
    columns.append(np.nan_to_num(response_rates(seen, at)).T)
    return np.column_stack(columns)


def _mean(panel: Floats, first: int, last: int) -> Floats:
    part = panel[first:last]
    known = ~np.isnan(part)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, part, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)


def response_rates(seen: Observed, at: int) -> Floats:
    """P(response) of a touch before period `at`, (channels, n): the pair's history shrunk to the channel's mean; nan for channels that
    record none."""
    responses, answered = seen.responses[:at].sum(axis=0, dtype=np.float64), seen.answered[:at].sum(axis=0, dtype=np.float64)
    total = answered.sum(axis=1, keepdims=True)
    mean = np.where(total > 0, responses.sum(axis=1, keepdims=True) / np.maximum(total, 1.0), np.nan)
    return (responses + PRIOR_TOUCHES * mean) / (answered + PRIOR_TOUCHES)


def kpi_level(seen: Observed) -> Floats:
    """Mean KPI of the last 26 known weeks (6 months) over the mean of all, shrunk to it by 8 periods, (n,); 1 without history."""
    cut = seen.periods - seen.lag
    part = seen.kpi[max(0, cut - seen.windows[2]) : cut]
    count = (~np.isnan(part)).sum(axis=0)
    overall = float(np.nanmean(part))
    if not overall > 0:
        return np.ones(part.shape[1])
    level = (np.nansum(part, axis=0) + 8.0 * overall) / (count + 8.0)
    return np.maximum(level, 0.0) / overall


def cycle_rows(seen: Observed, at: int) -> tuple[Floats, Floats, np.ndarray]:
    """A past cycle that starts in period `at`: features (n, k), touches in its first period (channels, n), KPI sum (n,) with nan
    where not all its periods are known."""
    return features(seen, at), seen.touches[at], seen.kpi[at : at + seen.cycle_periods].sum(axis=0)


def past_cycles(seen: Observed, most: int = 12) -> list[int]:
    """First periods of past cycles whose KPI is fully known, latest first, none before a quarter of the panel."""
    last = seen.periods - seen.lag - seen.cycle_periods
    return list(range(last, max(1, seen.periods // 4), -seen.cycle_periods))[:most]
