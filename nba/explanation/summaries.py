"""One plain summary per planned action, for the person who is to act on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa

from nba.explanation.reasons import IMPACT_DRIVERS, KEYS, labels_of, of_actions
from nba.explanation.wording import counted, days, directions, driver_words, number, percent, value_words
from nba.learning.scoring import DRIVERS, number_texts

SUMMARY_SCHEMA = pa.schema([("hcp_id", pa.string()), ("channel", pa.string()), ("summary", pa.string())])
# They say what the channel is, not why this HCP: true of every HCP and so no reason for this one.
CATALOGUE_FEATURES = frozenset({"channel", "channel_type", "unit_cost", "rep_minutes", "requires_consent", "channel_response_rate"})
DRIVERS_SAID = 3
FAINT = 0.02  # log-odds, and relative distance of a factor from 1, that is not worth a word


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

    actions: plan_actions (hcp_id, channel, touches, earliest_date, latest_date). The text says the likelihood of a response with what
    raises and lowers it, the expected impact of a touch with its 90% interval, and the days. Where nothing moves the likelihood,
    or there is none, it says what moves the impact.
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
    chance = score.get("engagement_probability")
    reasons = _engagement_reasons(score, words) if chance is not None else []
    parts = [f"{head}: about {percent(chance)} likely to get a response per touch.", *reasons] if chance is not None else []
    parts += _impact_words(impact, touches, "" if parts else f"{head}: ")
    if not reasons:
        parts += _impact_reasons(impact, words)
    parts += _when(action.get("earliest_date"), action.get("latest_date"))
    return " ".join(parts).replace("about less than", "less than").replace("about more than", "more than")


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
    return [f"{head}{what if head else what[0].upper() + what[1:]} ({low} to {high})."]


def _impact_reasons(impact: dict[str, Any], words: Words) -> list[str]:
    """What moves the impact away from the catalogue's belief; that nothing does, if so."""
    if impact.get("expected_impact") is None:
        return []
    raising: list[str] = []
    lowering: list[str] = []
    for feature, value, contribution in IMPACT_DRIVERS[1:]:
        if abs(impact[value] - 1.0) >= FAINT and impact[contribution] != 0:
            shown = words.driver(feature, str(number_texts_of(impact[value])))
            (raising if impact[contribution] > 0 else lowering).append(shown)
    text = directions(raising, lowering)
    return [text or "This is what the action catalogue expects of one touch on this channel."]


def number_texts_of(value: float) -> str:
    """One number as a driver's value is written."""
    import numpy as np

    return str(number_texts(np.array([value]))[0])


def _when(first: date | None, last: date | None) -> list[str]:
    return [f"Do it {days(first, last)}."] if first is not None and last is not None else []
