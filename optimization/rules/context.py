"""What a rule file sees: the cycle, the HCPs, the channels and every table as arrays, and how to walk through scopes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from optimization.problem import Block, PlanSettings
from optimization.rules.columns import Column, Words, words_of
from optimization.rules.tables import Table

ALL = -2  # code of a null key: all, together
UNKNOWN = -1  # code of a name that no HCP or channel of this run has


@dataclass(frozen=True)
class Texts:
    """A text per entry, as codes (int32) into the distinct ones."""

    code: np.ndarray
    texts: list[str]

    def at(self, rows: np.ndarray) -> Texts:
        """The texts of these entries."""
        return Texts(self.code[rows], self.texts)


@dataclass(frozen=True)
class Runs:
    """Eligible run of each pair: first and last cycle day, -1 where no day is allowed."""

    earliest: np.ndarray
    latest: np.ndarray

    @cached_property
    def eligible(self) -> np.ndarray:
        return self.earliest >= 0


@dataclass(frozen=True)
class Context:
    """Everything a rule may read.

    HCPs are in order of hcp_id, channels in order of channel; pair = hcp * number of channels + channel. territory and rep hold, per
    HCP, a code into the sorted names, -1 = unassigned. attributes: columns of the HCP table as they came, hcp_rows the row of each HCP
    in them (None: in order already); readings keeps what was read from a table. runs is empty (None) while blocked days are being
    declared and known when rows are.
    """

    settings: PlanSettings
    hcp_ids: pa.Array
    channels: list[str]
    labels: list[str]
    unit_cost: np.ndarray
    rep_minutes: np.ndarray
    requires_consent: np.ndarray
    most_touches: np.ndarray
    territory: np.ndarray
    territory_names: list[str]
    rep: np.ndarray
    rep_names: list[str]
    attributes: dict[str, Column]
    hcp_rows: np.ndarray | None
    tables: dict[str, Table]
    runs: Runs | None = None
    readings: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def days(self) -> int:
        """Days in the cycle."""
        return (self.settings.cycle_end - self.settings.cycle_start).days

    @property
    def hcp_count(self) -> int:
        return len(self.hcp_ids)

    @property
    def channel_count(self) -> int:
        return len(self.channels)

    @property
    def rep_channels(self) -> np.ndarray:
        """Codes of the channels that take a rep's time."""
        return np.flatnonzero(self.rep_minutes > 0)

    # --- names to codes -------------------------------------------------------------------------------------------

    def hcps_named(self, table: str) -> np.ndarray:
        """Code of the HCP in each row of a table; ALL for null or `*`, UNKNOWN for a name that is not an HCP of this run."""
        if (table, "hcp_id") not in self.readings:
            self.readings[table, "hcp_id"] = codes_of(self.tables[table]["hcp_id"], self.hcp_ids)
        return self.readings[table, "hcp_id"]

    def channel_codes(self, names: Words) -> np.ndarray:
        """Code of each channel named; ALL for null or `*`, UNKNOWN for a name that is not in the catalogue."""
        return codes_of(names, pa.array(self.channels, pa.string()))

    def expand(self, hcps: np.ndarray, channels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs named by rows of HCP and channel codes (ALL fans out, UNKNOWN names none), and the row of each."""
        known = (hcps != UNKNOWN) & (channels != UNKNOWN)
        pairs, rows = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        one = np.flatnonzero(known & (hcps >= 0) & (channels >= 0))
        pairs.append(hcps[one] * self.channel_count + channels[one])
        rows.append(one)
        wide = np.flatnonzero(known & (hcps >= 0) & (channels == ALL))
        pairs.append((hcps[wide][:, None] * self.channel_count + np.arange(self.channel_count)).ravel())
        rows.append(np.repeat(wide, self.channel_count))
        for row in np.flatnonzero(known & (hcps == ALL)):
            reach = self.pairs(np.arange(self.hcp_count), self.channel_list(int(channels[row])))
            pairs.append(reach)
            rows.append(np.full(len(reach), row))
        return np.concatenate(pairs).astype(np.int64), np.concatenate(rows)

    def channel_list(self, code: int) -> np.ndarray:
        """The channels behind a code: all of them for ALL, none for UNKNOWN."""
        if code == UNKNOWN:
            return np.empty(0, dtype=np.int64)
        return np.arange(self.channel_count) if code == ALL else np.array([code])

    def pairs(self, hcps: np.ndarray, channels: np.ndarray) -> np.ndarray:
        """Every pair of these HCPs and channels, HCP by HCP."""
        return (np.asarray(hcps, dtype=np.int64)[:, None] * self.channel_count + np.asarray(channels, dtype=np.int64)).ravel()

    def eligible_pairs(self, hcps: np.ndarray, channels: np.ndarray) -> np.ndarray:
        """The pairs of these HCPs and channels that have an eligible day."""
        assert self.runs is not None
        pairs = self.pairs(hcps, channels)
        return pairs[self.runs.eligible[pairs]]

    @cached_property
    def open_pairs(self) -> np.ndarray:
        """(HCPs, channels): which pairs have an eligible day."""
        assert self.runs is not None
        return self.runs.eligible.reshape(-1, self.channel_count)

    def per_touch(self, codes: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """(channels,) use of one touch on these channels: its channel's weight, or 1; 0 on the other channels."""
        use = np.zeros(self.channel_count)
        use[codes] = 1.0 if weights is None else weights[codes]
        return use

    # --- days -----------------------------------------------------------------------------------------------------

    def cycle_day(self, dates: np.ndarray, null: int) -> np.ndarray:
        """Cycle day number of each date (may lie outside the cycle); `null` where there is none."""
        offset = (dates.astype("datetime64[D]") - np.datetime64(self.settings.cycle_start, "D")).astype(np.int64)
        return np.where(np.isnat(dates), null, offset)

    def span(self, first: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cycle days of inclusive validity dates, clipped to the cycle; first > last where the cycle is not touched."""
        return np.maximum(self.cycle_day(first, 0), 0), np.minimum(self.cycle_day(last, self.days - 1), self.days - 1)

    def date_of(self, day: int) -> date:
        return self.settings.cycle_start + timedelta(days=int(day))

    def block(self, rule: str, pairs: np.ndarray, first: np.ndarray | int, last: np.ndarray | int, detail: Texts | str) -> Block:
        """A Block of these entries, clipped to the cycle; entries that touch no cycle day are dropped."""
        first = np.broadcast_to(np.maximum(first, 0).astype(np.int16), pairs.shape)
        last = np.broadcast_to(np.minimum(last, self.days - 1).astype(np.int16), pairs.shape)
        text, texts = (np.broadcast_to(np.int32(0), pairs.shape), [detail]) if isinstance(detail, str) else (detail.code, detail.texts)
        keep = first <= last
        if keep.all():
            return Block(rule, pairs, first, last, text, texts)
        return Block(rule, pairs[keep], first[keep], last[keep], text[keep], texts)

    # --- scopes ---------------------------------------------------------------------------------------------------

    @cached_property
    def hcps_by_territory(self) -> list[np.ndarray]:
        return members_by_code(self.territory, len(self.territory_names))

    @cached_property
    def hcps_by_rep(self) -> list[np.ndarray]:
        return members_by_code(self.rep, len(self.rep_names))

    @cached_property
    def everyone(self) -> np.ndarray:
        return np.arange(self.hcp_count, dtype=np.int32)

    @cached_property
    def territory_place(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.territory_names)}

    @cached_property
    def rep_place(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.rep_names)}

    def territory_scopes(self, name: str | None) -> list[tuple[str | None, np.ndarray]]:
        """(territory, its HCPs) of a key: null = everybody together, `*` = every territory that exists, else that one."""
        if name is None:
            return [(None, self.everyone)]
        if name == "*":
            return list(zip(self.territory_names, self.hcps_by_territory, strict=True))
        place = self.territory_place.get(name)
        return [(name, self.everyone[:0] if place is None else self.hcps_by_territory[place])]

    def channel_named(self, name: str) -> np.ndarray:
        """The code of the channel of that name, as an array; empty when the catalogue does not have it; all for `*`."""
        return self.channel_list(int(self.channel_codes(words_of([name]))[0]))

    def channel_scopes(self, name: str | None, together: np.ndarray | None = None) -> list[tuple[str | None, np.ndarray]]:
        """(channel, its codes) of a key: null = `together` (default all) as one, `*` = each of those, else the one named."""
        together = np.arange(self.channel_count) if together is None else together
        if name is None:
            return [(None, together)]
        if name == "*":
            return [(self.channels[code], np.array([code])) for code in together]
        return [(name, self.channel_named(name))]

    def label_of(self, channel: str) -> str:
        """The catalogue's label of a channel, or its name when the catalogue does not have it."""
        return self.labels[self.channels.index(channel)] if channel in self.channels else channel


def codes_of(names: Words, known: pa.Array) -> np.ndarray:
    """Place (int32) of each name among the known ones; ALL for null or `*`, UNKNOWN when it is not there."""
    places = names.places(known, UNKNOWN, ALL)
    places[names.equal("*")] = ALL
    return places


def members_by_code(codes: np.ndarray, count: int) -> list[np.ndarray]:
    """For each code 0..count-1 the ascending places that carry it; negative codes belong nowhere."""
    order = np.argsort(codes, kind="stable").astype(np.int32)
    edges = np.searchsorted(codes[order], np.arange(count + 1))
    return [order[edges[code] : edges[code + 1]] for code in range(count)]


def worded(write: Callable[..., str], *columns: np.ndarray | Words) -> Texts:
    """One text per entry, written once per distinct combination of the columns' values."""
    code = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        part = column.code if isinstance(column, Words) else pd.factorize(column)[0]
        code = pd.factorize(code * (int(part.max(initial=-1)) + 2) + part + 1)[0]
    _, example = np.unique(code, return_index=True)
    return Texts(code.astype(np.int32), [write(*(column[row] for column in columns)) for row in example])


def unknown_names(table: str, column: str, names: Words, codes: np.ndarray) -> list[str]:
    """A warning when rows name something this run does not have, with the first of its names."""
    wrong = np.flatnonzero(codes == UNKNOWN)
    if len(wrong) == 0:
        return []
    example = min(names.distinct.take(pa.array(np.unique(names.code[wrong]))).to_pylist())
    return [f"{table}.{column}: {len(wrong)} row(s) name what this run does not have, for example {example}"]
