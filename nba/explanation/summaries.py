"""One plain summary per planned action, for the person who is to act on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from nba.explanation.reasons import KEYS, labels_of, of_actions
from nba.explanation.wording import counted, days, directions, driver_words, number, percent, value_words
from nba.impact.table import DRIVERS as IMPACT_DRIVERS
from nba.learning.scoring import DRIVERS

SUMMARY_SCHEMA = pa.schema([("hcp_id", pa.string()), ("channel", pa.string()), ("summary", pa.string())])
# They say what the channel is, not why this HCP: true of every HCP and so no reason for this one.
CATALOGUE_FEATURES = frozenset({"channel", "channel_type", "unit_cost", "rep_minutes", "requires_consent", "channel_response_rate"})
DRIVERS_SAID = 3
FAINT = 0.02  # log-odds, and share of the channel's effect, that is not worth a word
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

    def driver(self, feature: str, value: str | None) -> str:
        """The driver as a noun phrase with its value."""
        return driver_words(self.labels.get(feature, feature), value_words(value, self.units.get(feature)))


def plan_summaries(actions: pa.Table, scores: pa.Table, impact: pa.Table, catalog: pa.Table, definitions: pa.Table) -> pa.Table:
    """summarise_plan: one text per planned action, rows by HCP and channel.

    actions: plan_actions (hcp_id, channel, touches, earliest_date, latest_date). The text says the expected impact of a touch with its 90%
    interval, what raises and lowers it, and how far it was measured; then the likelihood of a response with what moves it, and the days.
    """
    words = Words.of(definitions, catalog)
    planned = of_actions(actions, actions)
    needed = ["engagement_probability", *(f"driver_{k}{end}" for k in range(1, DRIVERS + 1) for end in ("", "_value", "_contribution"))]
    scored = {(row["hcp_id"], row["channel"]): row for row in of_actions(actions, scores).select(KEYS + needed).to_pylist()}
    expected = {(row["hcp_id"], row["channel"]): row for row in of_actions(actions, impact).to_pylist()}
    rows = []
    for action in planned.to_pylist():
        key = action["hcp_id"], action["channel"]
        text = summary(action, scored.get(key, {}), expected.get(key, {}), words)
        rows.append({"hcp_id": key[0], "channel": key[1], "summary": text})
    return pa.Table.from_pylist(rows, schema=SUMMARY_SCHEMA)


def summary(action: dict[str, Any], score: dict[str, Any], impact: dict[str, Any], words: Words) -> str:
    """The text of one action."""
    name = words.channels.get(action["channel"], action["channel"])
    touches = int(action.get("touches") or 1)
    head = name[:1].upper() + name[1:] + (f", {touches} touches" if touches > 1 else "")
    parts = _impact_words(impact, touches, f"{head}: ")
    if parts:
        parts += _impact_reasons(impact, words)
    chance = score.get("engagement_probability")
    if chance is not None:
        share = percent(chance)
        about = "" if share.startswith(("less", "more")) else "about "
        said = f"{about}{share} likely to get a response{' per touch' if touches > 1 else ''}."
        parts += [said[0].upper() + said[1:] if parts else f"{head}: {said}", *_engagement_reasons(score, words)]
    parts += _when(action.get("earliest_date"), action.get("latest_date"))
    return " ".join(parts)


def _engagement_reasons(score: dict[str, Any], words: Words) -> list[str]:
    raising: list[str] = []
    lowering: list[str] = []
    for k in range(1, DRIVERS + 1):
        feature, contribution = score.get(f"driver_{k}"), score.get(f"driver_{k}_contribution")
        if feature is None or contribution is None or feature in CATALOGUE_FEATURES or abs(contribution) < FAINT:
            continue
        if len(raising) + len(lowering) < DRIVERS_SAID:
            (raising if contribution > 0 else lowering).append(words.driver(feature, score.get(f"driver_{k}_value")))
    text = directions(raising, lowering)
    return [text] if text else []


def _impact_words(impact: dict[str, Any], touches: int, head: str) -> list[str]:
    if impact.get("expected_impact") is None:
        return []
    low, high = number(impact["expected_impact_low"]), number(impact["expected_impact_high"])
    what = f"expected impact{' of one touch' if touches > 1 else ''} about {counted(impact['expected_impact'], 'KPI units')} over the cycle"
    return [f"{head}{what} ({low} to {high})."]


def _impact_reasons(impact: dict[str, Any], words: Words) -> list[str]:
    """What sets this HCP apart on this channel, and how far the channel's effect was measured."""
    raising: list[str] = []
    lowering: list[str] = []
    least = FAINT * abs(impact["impact_base"])
    for k in range(1, IMPACT_DRIVERS + 1):
        feature, contribution = impact.get(f"impact_driver_{k}"), impact.get(f"impact_driver_{k}_contribution")
        if feature is None or contribution is None or abs(contribution) <= least or len(raising) + len(lowering) == DRIVERS_SAID:
            continue
        shown = words.driver(feature, impact.get(f"impact_driver_{k}_value"))
        (raising if contribution > 0 else lowering).append(shown)
    text = directions(raising, lowering)
    measured = STATUS_WORDS.get(impact.get("impact_status") or "")
    return [part for part in (text or "This is what one touch on this channel brings on average.", measured) if part]


def _when(first: date | None, last: date | None) -> list[str]:
    return [f"Do it {days(first, last)}."] if first is not None and last is not None else []
