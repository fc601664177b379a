"""The features of models/features in pandas: one pass per snapshot, HCPs and channels as codes, group sums.

Staged tables in, the rows to score and the rows to learn from out. Written to be quick: filters before groups, sums of columns made
beforehand, no Python per row.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

PROFILE = ("specialty", "practice_type", "rep_access")


@dataclass(frozen=True)
class Given:
    """Staged tables with HCPs and channels as codes (positions in hcps and catalog), and the switches that features depend on."""

    hcps: pd.DataFrame
    catalog: pd.DataFrame
    engagement: pd.DataFrame
    kpi: pd.DataFrame
    snapshots: pd.DataFrame
    is_training: np.ndarray
    cycle_start: pd.Timestamp
    window_short: int
    window_long: int


def read_given(folder: Path, settings: dict[str, Any]) -> Given:
    """The parquet files of `staged_tables`."""
    hcps, catalog, snapshots, training = (
        read_table(folder / f"{name}.parquet") for name in ("hcps", "catalog", "snapshots", "training_hcps")
    )
    engagement = coded(read_table(folder / "engagement.parquet", "hcp_id", "channel"), hcps, catalog)
    kpi = coded(read_table(folder / "kpi.parquet", "hcp_id"), hcps, None)
    dates = {name: pd.Timestamp(settings[name]) for name in ("cycle_start", "panel_start")}
    return make_given(hcps, catalog, engagement, kpi, snapshots, training["hcp_id"], dates, settings)


def read_table(file: Path, *categories: str) -> pd.DataFrame:
    """A parquet file with dates as datetime64 and the named columns as categories."""
    import pyarrow.parquet as pq

    return pq.read_table(file, read_dictionary=list(categories)).to_pandas(date_as_object=False)


def make_given(
    hcps: pd.DataFrame,
    catalog: pd.DataFrame,
    engagement: pd.DataFrame,
    kpi: pd.DataFrame,
    snapshots: pd.DataFrame,
    training: pd.Series,
    dates: dict[str, pd.Timestamp],
    settings: dict[str, Any],
) -> Given:
    """Adds what all snapshots share: numbers of periods, first increments, answered touches."""
    for table in (engagement, kpi):
        table["period"] = ((table["period_start"] - dates["panel_start"]).dt.days // 7 + 1).astype(np.int16)
    engagement = engagement[engagement["touches"] > 0].sort_values("known_from", kind="stable")
    engagement["is_first"] = ~engagement.duplicated(["hcp", "channel", "period"])
    engagement["answered"] = engagement["touches"].where(engagement["responses"].notna())
    engagement["response_end"] = engagement["period_end"].where(engagement["responses"] > 0)
    is_training = hcps["hcp_id"].isin(training).to_numpy()
    snapshots = snapshots.sort_values("snapshot_date")
    return Given(
        hcps, catalog, engagement, kpi, snapshots, is_training, dates["cycle_start"], settings["window_short"], settings["window_long"]
    )


def coded(table: pd.DataFrame, hcps: pd.DataFrame, catalog: pd.DataFrame | None) -> pd.DataFrame:
    """The table with `hcp` and `channel` as positions instead of text."""
    table["hcp"] = _positions(table.pop("hcp_id"), hcps["hcp_id"])
    if catalog is not None:
        table["channel"] = _positions(table.pop("channel"), catalog["channel"])
    return table


def _positions(column: pd.Series, known: pd.Series) -> np.ndarray:
    """Position in `known` of every value; the text of a category is looked up once."""
    places = pd.Series(np.arange(len(known), dtype=np.int32), index=known.to_numpy())
    category = column.astype("category").cat
    return places.reindex(category.categories).to_numpy().astype(np.int32)[category.codes.to_numpy()]


def features(given: Given) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(rows to score, rows to learn from), the columns of feat_scoring and feat_training."""
    scoring, training = [], []
    for snapshot in given.snapshots.itertuples():
        pairs = _pairs_to_score(given) if snapshot.is_scoring else _pairs_to_learn_from(given, snapshot)
        frame = _features_at(given, pairs, snapshot.snapshot_date, snapshot.is_scoring)
        (scoring if snapshot.is_scoring else training).append(frame)
    return pd.concat(scoring, ignore_index=True), pd.concat(training, ignore_index=True)


def _pairs_to_score(given: Given) -> pd.DataFrame:
    hcps, channels = len(given.hcps), len(given.catalog)
    return pd.DataFrame({"hcp": np.repeat(np.arange(hcps), channels), "channel": np.tile(np.arange(channels), hcps)})


def _pairs_to_learn_from(given: Given, snapshot: Any) -> pd.DataFrame:
    rows = given.engagement
    rows = rows[(rows["period_start"] >= snapshot.snapshot_date) & (rows["period_start"] < snapshot.outcome_end)]
    rows = rows[(rows["known_from"] <= given.cycle_start) & rows["responses"].notna() & given.is_training[rows["hcp"]]]
    sums = rows.groupby(["hcp", "channel"])[["touches", "responses"]].sum().reset_index()
    return sums.rename(columns={"touches": "label_touches", "responses": "label_responses"})


def _features_at(given: Given, pairs: pd.DataFrame, day: pd.Timestamp, is_scoring: bool) -> pd.DataFrame:
    seen = given.engagement[(given.engagement["known_from"] <= day) & (given.engagement["period_start"] < day)]
    newest = seen["period"].max()
    by_channel = _channel_rates(given, seen[seen["period"] > newest - given.window_long])
    if not is_scoring:
        seen = seen[given.is_training[seen["hcp"]]]
    history = _history(given, seen, newest)
    facts = _all_channels(history).join(_kpi(given, day, is_scoring), how="outer").reset_index()
    frame = pairs.merge(history, on=["hcp", "channel"], how="left").merge(facts, on="hcp", how="left")
    frame = (
        frame.merge(by_channel, on="channel", how="left").merge(_hcp_columns(given), on="hcp").merge(_catalog_columns(given), on="channel")
    )
    return _finished(given, frame, day, is_scoring)


def _channel_rates(given: Given, seen: pd.DataFrame) -> pd.DataFrame:
    """Of all HCPs: responses over answered touches; a channel without any records none."""
    sums = seen.groupby("channel")[["responses", "answered"]].sum().reindex(range(len(given.catalog)), fill_value=0)
    rate = sums["responses"] / sums["answered"].where(sums["answered"] > 0)
    return pd.DataFrame({"channel_response_rate": rate, "is_recording": sums["answered"] > 0}).reset_index()


def _history(given: Given, seen: pd.DataFrame, newest: int) -> pd.DataFrame:
    """HCP x channel: sums over the windows, last touch and last response ever."""
    last = seen.groupby(["hcp", "channel"])[["period_end", "response_end"]].max()
    last.columns = ["last_touch_end", "last_response_end"]
    window = seen[seen["period"] > newest - given.window_long]
    long = window.groupby(["hcp", "channel"])[["touches", "is_first", "answered", "responses"]].sum()
    long.columns = ["touches_long", "active_periods_long", "answered_long", "responses_long"]
    window = window[window["period"] > newest - given.window_short]
    short = window.groupby(["hcp", "channel"])[["touches", "answered", "responses"]].sum()
    short.columns = ["touches_short", "answered_short", "responses_short"]
    joined = last.join([long, short])
    counts = [*long.columns, *short.columns]
    joined[counts] = joined[counts].fillna(0)
    return joined.reset_index()


def _all_channels(history: pd.DataFrame) -> pd.DataFrame:
    rows = history.groupby("hcp")
    sums = rows[["touches_short", "touches_long", "responses_long", "answered_long"]].sum()
    rate = sums["responses_long"] / sums["answered_long"].where(sums["answered_long"] > 0)
    found = {"all_touches_short": sums["touches_short"], "all_touches_long": sums["touches_long"], "all_response_rate_long": rate}
    return pd.DataFrame(found | {"last_any_end": rows["last_touch_end"].max()})


def _kpi(given: Given, day: pd.Timestamp, is_scoring: bool) -> pd.DataFrame:
    """HCP: means, shares and their changes over the windows; from an HCP's first row on a week without a row is a week without KPI."""
    seen = given.kpi[(given.kpi["known_from"] <= day) & (given.kpi["period_start"] < day)]
    newest = seen["period"].max()
    if not is_scoring:
        seen = seen[given.is_training[seen["hcp"]]]
    since = newest - seen.groupby("hcp")["period"].min() + 1
    short, long = given.window_short, given.window_long
    now = seen[(seen["known_until"] > day) & (seen["period"] > newest - 2 * long)]
    both = now["market_value"].notna() & now["kpi_value"].notna()
    now = now.assign(share_kpi=now["kpi_value"].where(both), share_market=now["market_value"].where(both), unknown=now["kpi_value"].isna())
    now["has_market"] = now["market_value"].notna()
    columns = ["kpi_value", "market_value", "share_kpi", "share_market", "unknown", "has_market"]
    parts = {
        "short": now[now["period"] > newest - short],
        "long": now[now["period"] > newest - long],
        "before": now[now["period"] <= newest - long],
    }
    sums = {name: part.groupby("hcp")[columns].sum().reindex(since.index, fill_value=0) for name, part in parts.items()}
    spans = {"short": since.clip(upper=short), "long": since.clip(upper=long), "before": (since - long).clip(lower=0, upper=long)}
    known = {name: spans[name] - sums[name]["unknown"] for name in sums}
    mean = {name: sums[name]["kpi_value"] / known[name].where(known[name] != 0) for name in sums}
    share = {
        name: sums[name]["share_kpi"] / sums[name]["share_market"].where(sums[name]["share_market"] != 0) for name in ("short", "long")
    }
    rows = sums["long"]["has_market"]
    return pd.DataFrame(
        {
            "kpi_mean_short": mean["short"],
            "kpi_mean_long": mean["long"],
            "kpi_trend": mean["short"] - mean["long"],
            "kpi_change": mean["long"] - mean["before"],
            "kpi_known_periods": known["long"],
            "market_mean_long": sums["long"]["market_value"] / rows.where(rows > 0),
            "market_share_long": share["long"],
            "market_share_trend": share["short"] - share["long"],
        }
    )


def _hcp_columns(given: Given) -> pd.DataFrame:
    hcps = given.hcps
    decile = hcps["decile"].round().astype("Int64").astype("string").fillna("unknown")
    frame = hcps[["hcp_id", *PROFILE, "decile"]].assign(hcp=np.arange(len(hcps)), has_rep=hcps["rep_id"].notna().astype(float))
    frame["hco_size"] = hcps.groupby("hco_id")["hcp_id"].transform("size").where(hcps["hco_id"].notna())
    frame["segment"] = hcps["specialty"].fillna("unknown") + " / " + decile
    return frame


def _catalog_columns(given: Given) -> pd.DataFrame:
    catalog = given.catalog.rename(columns={"channel": "channel_name"})
    catalog = catalog[["channel_name", "channel_type", "unit_cost", "rep_minutes", "requires_consent"]]
    return catalog.assign(channel=np.arange(len(catalog)), requires_consent=catalog["requires_consent"].astype(float))


def _finished(given: Given, frame: pd.DataFrame, day: pd.Timestamp, is_scoring: bool) -> pd.DataFrame:
    counts = ["touches_short", "touches_long", "active_periods_long", "all_touches_short", "all_touches_long"]
    frame[[*counts, "kpi_known_periods"]] = frame[[*counts, "kpi_known_periods"]].fillna(0)
    for window in ("short", "long"):
        answered = frame[f"answered_{window}"]
        frame[f"response_rate_{window}"] = frame[f"responses_{window}"] / answered.where(answered > 0)
    # Unknown where the channel records none, or no touch of the window was answered for.
    known = frame["responses_long"].where(frame["answered_long"] > 0).where(frame["touches_long"] > 0, 0.0)
    frame["responses_long"] = known.where(frame["is_recording"])
    for name, end in (("touch", "last_touch_end"), ("response", "last_response_end"), ("any_touch", "last_any_end")):
        frame[f"days_since_{name}"] = (day - frame[end]).dt.days + 1
    frame = frame.assign(snapshot_date=day, is_scoring=is_scoring, kpi_level=frame["kpi_mean_long"], kpi_periods=frame["kpi_known_periods"])
    gone = ["hcp", "channel", "is_recording", "answered_short", "answered_long", "responses_short"]
    gone += ["last_touch_end", "last_response_end", "last_any_end"]
    return frame.drop(columns=gone).rename(columns={"channel_name": "channel"})
