"""An HCP who opted out of a channel is not contacted on it; a channel that requires consent needs a live opt-in.

Table rule_consent: null channel = all channels (null hcp_id = all HCPs). Opt-ins captured at or after cycle start are
ignored; then the latest captured_at among the rows of a pair decides. Rows that disagree at that moment mean opt-out, and so
does a row without captured_at, whatever else is known. An opt-in lives through the day before expires_at; of several at the
same moment the shortest life counts. No row at all leaves only the channels open that do not require consent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimization.problem import Block, RuleYield
from optimization.rules.context import ALL, UNKNOWN, Context, unknown_names, worded
from optimization.rules.tables import Table

NEVER = np.iinfo(np.int64).min  # moment of "no row"
ALWAYS = np.iinfo(np.int64).max  # moment of a row without captured_at: nothing is later


@dataclass(frozen=True)
class Word:
    """The last word per HCP, or one for all: its moment (us), whether it is an opt-out, and the cycle day on which an opt-in ends."""

    moment: np.ndarray
    is_out: np.ndarray
    ends: np.ndarray

    def or_later(self, other: Word) -> Word:
        """Element by element the later of two words; on a tie an opt-out wins, then the shorter opt-in."""
        later, tie = other.moment > self.moment, other.moment == self.moment
        return Word(
            np.maximum(self.moment, other.moment),
            np.where(later, other.is_out, self.is_out | (tie & other.is_out)),
            np.where(later, other.ends, np.where(tie, np.minimum(self.ends, other.ends), self.ends)),
        )


@dataclass(frozen=True)
class Rows:
    """The rows that count: codes of HCP and channel (ALL for everyone, for every channel) and what each says."""

    hcps: np.ndarray
    channels: np.ndarray
    said: Word


def declare(context: Context) -> RuleYield:
    """Opted-out pairs are blocked throughout; on channels that require consent, days without a live opt-in are."""
    table = context.tables["rule_consent"]
    hcps, channels = context.hcps_named("rule_consent"), context.channel_codes(table["channel"])
    warnings = unknown_names("rule_consent", "hcp_id", table["hcp_id"], hcps)
    warnings += unknown_names("rule_consent", "channel", table["channel"], channels)
    rows = _rows(context, table, hcps, channels)
    anywhere = _last_word(context, rows, ALL)
    blocks = []
    for channel in range(context.channel_count):
        word = anywhere.or_later(_last_word(context, rows, channel))
        mine, is_closed = _blocked(context, channel, word)
        blocks += mine
        if context.requires_consent[channel] and is_closed.all():
            warnings.append(f"nobody may be contacted by {context.labels[channel]}: no HCP has a live opt-in")
    return RuleYield(blocks=blocks, warnings=warnings)


def _rows(context: Context, table: Table, hcps: np.ndarray, channels: np.ndarray) -> Rows:
    start = np.datetime64(context.settings.cycle_start, "us")
    undated = np.isnat(table["captured_at"])
    status = worded(lambda text: (text or "").strip().lower(), table["status"])
    is_out = ~np.array([text == "opt_in" for text in status.texts], dtype=bool)[status.code] | undated
    counts = (is_out | (table["captured_at"] < start)) & (hcps != UNKNOWN) & (channels != UNKNOWN)
    moment = np.where(undated, ALWAYS, table["captured_at"].astype(np.int64))
    ends = context.cycle_day(table["expires_at"], int(ALWAYS))
    return Rows(hcps[counts], channels[counts], Word(moment[counts], is_out[counts], ends[counts]))


def _last_word(context: Context, rows: Rows, channel: int) -> Word:
    """The last word of each HCP among the rows about this channel (ALL: among those about every channel)."""
    about = rows.channels == channel
    for_all, own = np.flatnonzero(about & (rows.hcps == ALL)), np.flatnonzero(about & (rows.hcps >= 0))
    word = _latest(rows, for_all, np.zeros(len(for_all), dtype=np.int64), 1)
    return word.or_later(_latest(rows, own, rows.hcps[own], context.hcp_count)) if len(own) else word


def _latest(rows: Rows, among: np.ndarray, keys: np.ndarray, size: int) -> Word:
    """The last word of each key among some rows."""
    word = Word(np.full(size, NEVER), np.zeros(size, dtype=bool), np.full(size, ALWAYS))
    moment = rows.said.moment[among]
    np.maximum.at(word.moment, keys, moment)
    last = moment == word.moment[keys]
    word.is_out[keys[last & rows.said.is_out[among]]] = True
    np.minimum.at(word.ends, keys[last], rows.said.ends[among][last])
    return word


def _blocked(context: Context, channel: int, word: Word) -> tuple[list[Block], np.ndarray]:
    """The blocks of one channel, and per HCP whether it is closed throughout."""
    size, label, whole = context.hcp_count, context.labels[channel], context.days - 1
    moment, is_out, ends = (np.broadcast_to(part, size) for part in (word.moment, word.is_out & (word.moment > NEVER), word.ends))
    needs = bool(context.requires_consent[channel])
    unheard = (moment == NEVER) if needs else np.zeros(size, dtype=bool)
    ending = ~is_out & ~unheard & (ends < context.days) if needs else unheard
    out, late = np.flatnonzero(is_out), np.flatnonzero(ending)
    day = np.where(moment[out] == ALWAYS, np.datetime64("NaT", "D"), moment[out].astype("datetime64[us]").astype("datetime64[D]"))
    told = worded(lambda at: f"opted out of {label}" + (" (date unknown)" if np.isnat(at) else f" on {at}"), day)
    over = worded(lambda last: f"opt-in for {label} ends before {context.date_of(last)}", ends[late])
    pairs = np.arange(size) * context.channel_count + channel
    blocks = [
        context.block("consent", pairs[out], 0, whole, told),
        context.block("consent", pairs[unheard], 0, whole, f"no opt-in for {label}"),
        context.block("consent", pairs[late], ends[late], whole, over),
    ]
    return blocks, is_out | unheard | (ending & (ends <= 0))
