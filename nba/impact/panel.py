"""The panel as dense arrays, HCP x period (x channel), out of the staged tables as known at the cycle start."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nba.impact.settings import ImpactSettings
from nba.learning.settings import LearningInputError

ABSENT, GIVEN, NULL = 0, 1, 2  # what is there of a KPI cell
MOST_TOUCHES = 255  # of one cell; more are counted as so many


@dataclass(frozen=True)
class Panel:
    """n HCPs in order of hcp_id, P periods up to the cycle start, C channels in order of name.

    touches, answered (touches whose responses are known), responses: (n, P, C) uint8. kpi, market: (n, P) float32, NaN = unknown; market is
    None where nobody has one. kpi_through, touch_through: last period of which anything was known at the cycle start, -1 = none.
    known_through: (P + 1,), the same for the KPI as of the start of every period and of the cycle.
    """

    hcp_ids: pa.Array
    channels: list[str]
    touches: np.ndarray
    answered: np.ndarray
    responses: np.ndarray
    kpi: np.ndarray
    market: np.ndarray | None
    kpi_through: int
    touch_through: int
    known_through: np.ndarray

    @property
    def hcps(self) -> int:
        return len(self.hcp_ids)

    @property
    def periods(self) -> int:
        return self.kpi.shape[1]


class Calendar:
    """Numbers of periods: 0 is the panel's first one, `periods` the cycle."""

    def __init__(self, first: np.datetime64, settings: ImpactSettings) -> None:
        self.grain = settings.grain
        self.first = first
        self.cycle = np.datetime64(settings.cycle_start, "D")
        self.periods = max(0, int(self.number(np.array([self.cycle]))[0]))

    def number(self, starts: np.ndarray) -> np.ndarray:
        """Period number of days that are period starts."""
        if self.grain == "month":
            return (starts.astype("datetime64[M]") - self.first.astype("datetime64[M]")).astype(np.int64)
        return (starts.astype("datetime64[D]") - self.first).astype(np.int64) // 7

    def start(self, number: int) -> np.datetime64:
        """First day of a period."""
        if self.grain == "month":
            return (self.first.astype("datetime64[M]") + number).astype("datetime64[D]")
        return self.first + np.timedelta64(7 * number, "D")


def read_panel(tables: dict[str, Any], settings: ImpactSettings) -> Panel:
    """The panel of the tables `hcps`, `engagement`, `kpi`, `catalog` (nba.impact.estimate says which columns)."""
    hcp_ids = pc.array_sort_indices(ids := _text(tables["hcps"]["hcp_id"]))
    hcp_ids = ids.take(hcp_ids)
    channels = sorted(_text(tables["catalog"]["channel"]).to_pylist())
    first = np.datetime64(settings.cycle_start, "D")
    if settings.panel_start is not None:
        first = np.datetime64(settings.panel_start, "D")
    else:
        for batch in (*_batches(tables["engagement"]), *_batches(tables["kpi"])):
            first = min(first, _days(batch["period_start"]).min(initial=first))
    reader = _Cells(hcp_ids, channels, Calendar(first, settings), settings)
    # one batch at a time: the rows of a million HCPs are several times their arrays
    for batch in _batches(tables["engagement"]):
        reader.add_touches(batch)
    for batch in _batches(tables["kpi"]):
        reader.add_kpi(batch)
    return reader.panel()


class _Cells:
    """The arrays while they fill."""

    def __init__(self, hcp_ids: pa.Array, channels: list[str], calendar: Calendar, settings: ImpactSettings) -> None:
        self.hcp_ids, self.channels, self.calendar, self.settings = hcp_ids, channels, calendar, settings
        shape = (len(hcp_ids), calendar.periods, len(channels))
        self.touches, self.answered, self.responses = (np.zeros(shape, np.uint8) for _ in range(3))
        self.kpi = np.zeros(shape[:2], np.float32)
        self.market = np.full(shape[:2], np.nan, np.float32)
        self.state = np.zeros(shape[:2], np.uint8)
        self.first_known = np.full(calendar.periods, np.datetime64("9999-12-31"), "datetime64[D]")
        self.touch_through = -1

    def add_touches(self, batch: Any) -> None:
        known = _days(batch["known_from"]) <= self.calendar.cycle
        hcp, there = self._hcps(batch)
        channel = pc.index_in(_text(batch["channel"]), pa.array(self.channels)).fill_null(-1).to_numpy(zero_copy_only=False)
        period = self.calendar.number(_days(batch["period_start"]))
        touches = np.nan_to_num(_floats(batch["touches"]))
        keep = known & there & (channel >= 0) & (period >= 0) & (period < self.calendar.periods)
        if keep.any():
            self.touch_through = max(self.touch_through, int(period[keep].max()))
        keep &= touches > 0
        cell = (hcp[keep], period[keep], channel[keep])
        responses = _floats(batch["responses"])[keep]
        answered = np.where(np.isnan(responses), 0.0, touches[keep])
        for array, values in ((self.touches, touches[keep]), (self.answered, answered), (self.responses, np.nan_to_num(responses))):
            _add_capped(array, cell, values)

    def add_kpi(self, batch: Any) -> None:
        since, until = _days(batch["known_from"]), _days(batch["known_until"])
        hcp, there = self._hcps(batch)
        period = self.calendar.number(_days(batch["period_start"]))
        inside = there & (period >= 0) & (period < self.calendar.periods)
        # when the first row of a period came, over all versions: what a reader at an earlier date could have seen
        np.minimum.at(self.first_known, period[inside], since[inside])
        keep = inside & (since <= self.calendar.cycle) & (self.calendar.cycle < until)
        cell = (hcp[keep], period[keep])
        values = _floats(batch["kpi_value"])[keep]
        self.state[cell] = np.where(np.isnan(values), NULL, GIVEN)
        self.kpi[cell] = np.nan_to_num(values)
        self.market[cell] = _floats(batch["market_value"])[keep] if "market_value" in batch.schema.names else np.nan

    def panel(self) -> Panel:
        periods = self.calendar.periods
        # an absent row is a zero from the HCP's first row to the last period delivered to anybody, or unknown
        delivered = np.flatnonzero(self.state.any(axis=0))
        through = int(delivered[-1]) if len(delivered) else -1
        unknown = self.state == NULL
        if self.settings.kpi_absent == "unknown":
            unknown |= self.state == ABSENT
        else:
            unknown |= np.logical_or.accumulate(self.state != ABSENT, axis=1) == 0
        unknown[:, through + 1 :] = True
        self.kpi[unknown] = np.nan
        has_market = bool(np.isfinite(self.market).any())
        if has_market:
            self.market[(self.state == ABSENT) & ~unknown] = 0.0
            self.market[unknown] = np.nan
        starts = [self.calendar.start(t) for t in range(periods + 1)]
        known = [np.flatnonzero(self.first_known[:t] <= starts[t]) for t in range(periods + 1)]
        return Panel(
            hcp_ids=self.hcp_ids,
            channels=self.channels,
            touches=self.touches,
            answered=self.answered,
            responses=self.responses,
            kpi=self.kpi,
            market=self.market if has_market else None,
            kpi_through=through,
            touch_through=self.touch_through,
            known_through=np.array([int(k[-1]) if len(k) else -1 for k in known], np.int64),
        )

    def _hcps(self, batch: Any) -> tuple[np.ndarray, np.ndarray]:
        place = pc.index_in(_text(batch["hcp_id"]), self.hcp_ids).fill_null(-1).to_numpy(zero_copy_only=False)
        return place, place >= 0


def _add_capped(array: np.ndarray, cell: tuple[np.ndarray, ...], values: np.ndarray) -> None:
    """Add up rows of one cell, which may come as increments, without running over the type's end."""
    flat = np.ravel_multi_index(cell, array.shape)
    order = np.argsort(flat, kind="stable")
    places, first = np.unique(flat[order], return_index=True)
    sums = np.add.reduceat(values[order], first) if len(first) else values[:0]
    view = array.reshape(-1)
    view[places] = np.minimum(view[places] + sums, MOST_TOUCHES).astype(np.uint8)


def _batches(table: Any) -> Iterable[Any]:
    return table.to_batches() if isinstance(table, pa.Table) else table


def _text(column: Any) -> pa.Array:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(whole.type):
        whole = whole.cast(whole.type.value_type)
    whole = whole.cast(pa.string())
    return whole.combine_chunks() if isinstance(whole, pa.ChunkedArray) else whole


def _days(column: Any) -> np.ndarray:
    days = column.cast(pa.date32(), safe=False)
    if days.null_count:
        raise LearningInputError("a date of the staged history is unknown: period_start, known_from and known_until must be given")
    return days.to_numpy(zero_copy_only=False).astype("datetime64[D]")


def _floats(column: Any) -> np.ndarray:
    return column.cast(pa.float64(), safe=False).fill_null(float("nan")).to_numpy(zero_copy_only=False)
