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
from optimization.rules.context import ALL, UNKNOWN, Context, Texts, unknown_names, worded
from optimization.rules.tables import Table

NEVER = np.iinfo(np.int64).min  # moment of "no row"
ALWAYS = np.iinfo(np.int64).max  # moment of a row without captured_at: nothing is later


@dataclass(frozen=True)
class Word:
    """The last word per key: its moment (us), whether it is an opt-out, and the cycle day on which an opt-in ends."""

    moment: np.ndarray
    is_out: np.ndarray
    ends: np.ndarray

    def at(self, keys: np.ndarray) -> Word:
        return Word(self.moment[keys], self.is_out[keys], self.ends[keys])

    def or_later(self, other: Word) -> Word:
        """Element by element the later of two words; on a tie an opt-out wins, then the shorter opt-in."""
        later, tie = other.moment > self.moment, other.moment == self.moment
        return Word(
            np.maximum(self.moment, other.moment),
            np.where(later, other.is_out, self.is_out | (tie & other.is_out)),
            np.where(later, other.ends, np.where(tie, np.minimum(self.ends, other.ends), self.ends)),
        )


def declare(context: Context) -> RuleYield:
    """Opted-out pairs are blocked throughout; on channels that require consent, days without a live opt-in are."""
    table = context.tables["rule_consent"]
    hcps, channels = context.hcp_codes(table["hcp_id"]), context.channel_codes(table["channel"])
    warnings = unknown_names("rule_consent", "hcp_id", table["hcp_id"], hcps)
    warnings += unknown_names("rule_consent", "channel", table["channel"], channels)
    word = _last_word(context, table, hcps, channels)
    channel = np.tile(np.arange(context.channel_count), context.hcp_count)
    needs = context.requires_consent[channel]
    is_out = word.is_out & (word.moment > NEVER)
    unheard = needs & (word.moment == NEVER)
    ending = needs & ~is_out & ~unheard & (word.ends < context.days)
    blocks = [
        _opted_out(context, np.flatnonzero(is_out), word.moment, channel),
        context.block("consent", *_texts(context, np.flatnonzero(unheard), channel)),
        _ended(context, np.flatnonzero(ending), word.ends, channel),
    ]
    closed = is_out | unheard | (ending & (word.ends <= 0))
    for code in np.flatnonzero(context.requires_consent):
        if closed[code :: context.channel_count].all():
            warnings.append(f"nobody may be contacted by {context.labels[code]}: no HCP has a live opt-in")
    return RuleYield(blocks=blocks, warnings=warnings)


def _last_word(context: Context, table: Table, hcps: np.ndarray, channels: np.ndarray) -> Word:
    """The deciding word of every pair: rows about everyone, a channel, an HCP and the pair itself, latest first."""
    start = np.datetime64(context.settings.cycle_start, "us")
    undated = np.isnat(table["captured_at"])
    status = worded(lambda text: (text or "").strip().lower(), table["status"])
    opts_in = np.array([text == "opt_in" for text in status.texts], dtype=bool)[status.code]
    is_out = ~opts_in | undated
    counts = is_out | (table["captured_at"] < start)
    moment = np.where(undated, ALWAYS, table["captured_at"].astype(np.int64))
    ends = context.cycle_day(table["expires_at"], int(ALWAYS))
    channel_count, pair_count = context.channel_count, context.hcp_count * context.channel_count
    pair = np.arange(pair_count)
    word = Word(np.full(pair_count, NEVER), np.zeros(pair_count, dtype=bool), np.full(pair_count, ALWAYS))
    known = counts & (hcps != UNKNOWN) & (channels != UNKNOWN)
    levels = (
        ((hcps == ALL) & (channels == ALL), np.zeros_like(hcps), 1, np.zeros_like(pair)),
        ((hcps == ALL) & (channels >= 0), channels, channel_count, pair % channel_count),
        ((hcps >= 0) & (channels == ALL), hcps, context.hcp_count, pair // channel_count),
        ((hcps >= 0) & (channels >= 0), hcps * channel_count + channels, pair_count, pair),
    )
    for matches, keys, size, seen_by in levels:
        rows = np.flatnonzero(known & matches)
        if len(rows):
            word = word.or_later(_latest(keys[rows], moment[rows], is_out[rows], ends[rows], size).at(seen_by))
    return word


def _latest(keys: np.ndarray, moment: np.ndarray, is_out: np.ndarray, ends: np.ndarray, size: int) -> Word:
    """The last word of each key among its own rows."""
    word = Word(np.full(size, NEVER), np.zeros(size, dtype=bool), np.full(size, ALWAYS))
    np.maximum.at(word.moment, keys, moment)
    last = moment == word.moment[keys]
    word.is_out[keys[last & is_out]] = True
    np.minimum.at(word.ends, keys[last], ends[last])
    return word


def _opted_out(context: Context, pairs: np.ndarray, moment: np.ndarray, channel: np.ndarray) -> Block:
    day = np.where(moment[pairs] == ALWAYS, np.datetime64("NaT", "D"), moment[pairs].astype("datetime64[us]").astype("datetime64[D]"))

    def write(code: int, at: np.datetime64) -> str:
        return f"opted out of {context.labels[code]}" + (" (date unknown)" if np.isnat(at) else f" on {at}")

    return context.block("consent", pairs, 0, context.days - 1, worded(write, channel[pairs], day))


def _texts(context: Context, pairs: np.ndarray, channel: np.ndarray) -> tuple[np.ndarray, int, int, Texts]:
    return pairs, 0, context.days - 1, worded(lambda code: f"no opt-in for {context.labels[code]}", channel[pairs])


def _ended(context: Context, pairs: np.ndarray, ends: np.ndarray, channel: np.ndarray) -> Block:
    def write(code: int, day: int) -> str:
        return f"opt-in for {context.labels[code]} ends before {context.date_of(day)}"

    return context.block("consent", pairs, ends[pairs], context.days - 1, worded(write, channel[pairs], ends[pairs]))
