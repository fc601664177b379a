"""One plain summary per planned action, for the person who is to act on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nba.explanation.reasons import beside, labels_of, planned_rows
from nba.explanation.wording import counted, days, directions, driver_words, number, percent, value_words
from nba.impact.table import DRIVERS as IMPACT_DRIVERS
from nba.learning.scoring import DRIVERS

SUMMARY_SCHEMA = pa.schema([("hcp_id", pa.string()), ("channel", pa.string()), ("summary", pa.string())])
# They say what the channel is, not why this HCP: true of every HCP and so no reason for this one.
CATALOGUE_FEATURES = frozenset({"channel", "channel_type", "unit_cost", "rep_minutes", "requires_consent", "channel_response_rate"})
DRIVERS_SAID = 3
FAINT = 0.02  # log-odds, and share of the channel's effect, that is not worth a word
AVERAGE = "This is what one touch on this channel brings on average."
STATUS_WORDS = {
    "not_enough_information": "Too little history to measure this channel: the number leans on the action catalogue.",
    "miscalibrated": "Take the number with care: on HCPs left out this channel brought another amount than predicted.",
    "placebo_failed": "The history of this channel cannot be trusted to show cause: the number is pulled to the action catalogue.",
    "no_touches": "This channel was never used: the number is the belief of the action catalogue.",
}


@dataclass(frozen=True)
class Words:
    """Labels and units by feature name, and labels by channel."""

    labels: dict[str, str]
    units: dict[str, str | None]
    channels: dict[str, str]

    @classmethod
    def of(cls, definitions: pa.Table, catalog: pa.Table) -> Words:
        """From stg_feature_definition and stg_catalog."""
        units = dict(zip(definitions["feature_name"].to_pylist(), definitions["unit"].to_pylist(), strict=True))
        named = catalog["label"].to_pylist() if "label" in catalog.column_names else [None] * catalog.num_rows
        channels = {name: label or name for name, label in zip(catalog["channel"].to_pylist(), named, strict=True)}
        return cls(labels_of(definitions), units, channels)

    def head(self, channel: str, touches: int) -> str:
        """What is to be done: the channel, and how often if more than once."""
        name = self.channels.get(channel, channel)
        return name[:1].upper() + name[1:] + (f", {touches} touches" if touches > 1 else "")

    def driver(self, feature: str, value: str | None) -> str:
        """The driver as a noun phrase with its value."""
        return driver_words(self.labels.get(feature, feature), value_words(value, self.units.get(feature)))


def plan_summaries(actions: pa.Table, scores: pa.Table, impact: pa.Table, catalog: pa.Table, definitions: pa.Table) -> pa.Table:
    """summarise_plan: one text per planned action, rows by HCP and channel.

    actions: plan_actions (hcp_id, channel, touches, earliest_date, latest_date). scores, impact: score_engagement and score_impact, or
    what they have of planned pairs. The text says the expected impact of a touch with its 90% interval, what raises and lowers it,
    and how far it was measured; then the likelihood of a response with what moves it, and the days.
    """
    words = Words.of(definitions, catalog)
    planned = planned_rows(actions)
    scored, expected = beside(planned, scores), beside(planned, impact)
    touches = [int(given or 1) for given in planned["touches"].to_pylist()]
    heads = [words.head(*pair) for pair in zip(planned["channel"].to_pylist(), touches, strict=True)]
    effects, chances = _effects(expected, touches), _chances(scored, touches)
    least = FAINT * np.abs(expected["impact_base"].to_numpy())
    gains = _directions(expected, "impact_driver_", IMPACT_DRIVERS, lambda sizes: sizes > least, frozenset(), words)
    moves = _directions(scored, "driver_", DRIVERS, lambda sizes: sizes >= FAINT, CATALOGUE_FEATURES, words)
    known = [STATUS_WORDS.get(status or "", "") for status in expected["impact_status"].to_pylist()]
    texts = []
    for head, effect, gain, sure, chance, move, when in zip(heads, effects, gains, known, chances, moves, _whens(planned), strict=True):
        said = chance[:1].upper() + chance[1:] if effect else chance
        parts = [*((effect, gain or AVERAGE, sure) if effect else ()), *((said, move) if chance else ())]
        texts.append(" ".join(filter(None, [f"{head}:" if parts else "", *parts, when])))
    return pa.table([planned["hcp_id"], planned["channel"], pa.array(texts, pa.string())], schema=SUMMARY_SCHEMA)


def _effects(impact: pa.Table, touches: list[int]) -> list[str]:
    """The expected impact of one touch with its interval; empty where there is none."""
    columns = (impact[name].to_pylist() for name in ("expected_impact", "expected_impact_low", "expected_impact_high"))
    return [
        ""
        if expected is None
        else f"expected impact{' of one touch' if count > 1 else ''} about {counted(expected, 'KPI units')} over the cycle "
        f"({number(low)} to {number(high)})."
        for expected, low, high, count in zip(*columns, touches, strict=True)
    ]


def _chances(scores: pa.Table, touches: list[int]) -> list[str]:
    """How likely a response is; empty where nothing is known of it."""
    found = []
    for chance, count in zip(scores["engagement_probability"].to_pylist(), touches, strict=True):
        share = None if chance is None else percent(chance)
        about = "" if share is None or share.startswith(("less", "more")) else "about "
        found.append("" if share is None else f"{about}{share} likely to get a response{' per touch' if count > 1 else ''}.")
    return found


def _directions(
    table: pa.Table, prefix: str, drivers: int, is_said: Callable[[np.ndarray], np.ndarray], silent: frozenset[str], words: Words
) -> list[str]:
    """One sentence a row on its first drivers: which raise the number and which lower it; empty without any.

    table: columns `<prefix>k`, `_value` and `_contribution` for k = 1..drivers. is_said: which sizes (n,) are worth a word.
    silent: features that are never said.
    """
    raising: list[list[str]] = [[] for _ in range(table.num_rows)]
    lowering: list[list[str]] = [[] for _ in range(table.num_rows)]
    left = np.full(table.num_rows, DRIVERS_SAID)
    for k in range(1, drivers + 1):
        features = table[f"{prefix}{k}"]
        contributions = table[f"{prefix}{k}_contribution"].to_numpy()
        hidden = pc.or_kleene(pc.is_null(features), pc.is_in(features, pa.array(sorted(silent), pa.string()))).to_numpy()
        with np.errstate(invalid="ignore"):
            said = is_said(np.abs(contributions)) & ~hidden & (left > 0)
        left -= said
        rows = np.flatnonzero(said)
        phrases = _phrases(table.select([f"{prefix}{k}", f"{prefix}{k}_value"]).take(rows), words)
        for row, phrase, rises in zip(rows.tolist(), phrases, (contributions[rows] > 0).tolist(), strict=True):
            (raising if rises else lowering)[row].append(phrase)
    return [directions(up, down) for up, down in zip(raising, lowering, strict=True)]


def _phrases(drivers: pa.Table, words: Words) -> list[str]:
    """Each driver with its value in words; values come in few digits, so few of them are different."""
    said: dict[tuple[str, str | None], str] = {}
    found = []
    for driver in zip(*(column.to_pylist() for column in drivers.columns), strict=True):
        if driver not in said:
            said[driver] = words.driver(*driver)
        found.append(said[driver])
    return found


def _whens(planned: pa.Table) -> list[str]:
    said: dict[tuple[date | None, date | None], str] = {}
    found = []
    for span in zip(planned["earliest_date"].to_pylist(), planned["latest_date"].to_pylist(), strict=True):
        if span not in said:
            said[span] = f"Do it {days(*span)}." if None not in span else ""
        found.append(said[span])
    return found
