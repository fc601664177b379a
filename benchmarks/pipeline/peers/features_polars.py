"""The features of models/features in polars: the same passes as in pandas, lazily, each snapshot one query."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

PAIR = ["hcp_id", "channel"]
TABLES = ("hcps", "catalog", "engagement", "kpi", "snapshots", "training_hcps")


def features(folder: Path, settings: dict[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(rows to score, rows to learn from), the columns of feat_scoring and feat_training."""
    tables = {name: pl.read_parquet(folder / f"{name}.parquet").lazy() for name in TABLES}
    given = _prepared(tables, date.fromisoformat(settings["panel_start"]))
    scoring, training = [], []
    for snapshot in given.pop("snapshots").collect().iter_rows(named=True):
        frame = _features_at(given, snapshot, date.fromisoformat(settings["cycle_start"]), settings).collect()
        (scoring if snapshot["is_scoring"] else training).append(frame)
    return pl.concat(scoring), pl.concat(training)


def _prepared(tables: dict[str, pl.LazyFrame], panel_start: date) -> dict[str, pl.LazyFrame]:
    """HCPs and channels as enumerations, numbers of periods, answered touches: what all snapshots share."""
    kinds = {name: pl.Enum(tables[table].select(name).collect()[name]) for table, name in (("hcps", "hcp_id"), ("catalog", "channel"))}
    period = (((pl.col("period_start") - panel_start).dt.total_days() // 7) + 1).cast(pl.Int16).alias("period")
    for name in tables:
        known = [column for column in PAIR if column in tables[name].collect_schema().names()]
        tables[name] = tables[name].with_columns(pl.col(column).cast(kinds[column]) for column in known)
    training = tables.pop("training_hcps").with_columns(is_training=True)
    responded, touches = pl.col("responses"), pl.col("touches")
    engagement = (
        tables["engagement"]
        .filter(touches > 0)
        .join(training, on="hcp_id", how="left")
        .with_columns(
            period,
            touches.cast(pl.Int32),
            pl.when(responded.is_not_null()).then(touches).alias("answered"),
            pl.when(responded > 0).then(pl.col("period_end")).alias("response_end"),
        )
    )
    # Cells are unique but for increments, of which the first stands for its period.
    engagement = engagement.sort("known_from").with_columns(is_first=pl.struct(*PAIR, "period").is_first_distinct())
    kpi = tables["kpi"].join(training, on="hcp_id", how="left").with_columns(period)
    return tables | {"engagement": engagement.collect().lazy(), "kpi": kpi.collect().lazy()}


def _features_at(given: dict[str, pl.LazyFrame], snapshot: dict[str, Any], cycle_start: date, settings: dict[str, Any]) -> pl.LazyFrame:
    day, is_scoring = snapshot["snapshot_date"], snapshot["is_scoring"]
    whose = pl.lit(True) if is_scoring else pl.col("is_training")
    seen = given["engagement"].filter((pl.col("known_from") <= day) & (pl.col("period_start") < day))
    newest = seen.select(pl.col("period").max()).collect().item()
    rates = _channel_rates(seen.filter(pl.col("period") > newest - settings["window_long"]))
    history = _history(seen.filter(whose), newest, settings)
    pairs = _to_score(given) if is_scoring else _to_learn_from(given, snapshot, cycle_start)
    frame = (
        pairs.join(history, on=PAIR, how="left")
        .join(_all_channels(history), on="hcp_id", how="left")
        .join(_kpi(given["kpi"], day, whose, settings), on="hcp_id", how="left")
        .join(rates, on="channel", how="left")
        .join(_hcp_columns(given["hcps"]), on="hcp_id")
        .join(given["catalog"].select("channel", "channel_type", "unit_cost", "rep_minutes", "requires_consent"), on="channel")
    )
    return _finished(frame, day, is_scoring)


def _to_score(given: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    return given["hcps"].select("hcp_id").join(given["catalog"].select("channel"), how="cross")


def _to_learn_from(given: dict[str, pl.LazyFrame], snapshot: dict[str, Any], cycle_start: date) -> pl.LazyFrame:
    rows = given["engagement"].filter(
        (pl.col("period_start") >= snapshot["snapshot_date"])
        & (pl.col("period_start") < snapshot["outcome_end"])
        & (pl.col("known_from") <= cycle_start)
        & pl.col("responses").is_not_null()
        & pl.col("is_training")
    )
    return rows.group_by(PAIR).agg(label_touches=pl.col("touches").sum(), label_responses=pl.col("responses").sum())


def _channel_rates(seen: pl.LazyFrame) -> pl.LazyFrame:
    sums = seen.filter(pl.col("answered").is_not_null()).group_by("channel").agg(pl.col("responses").sum(), pl.col("answered").sum())
    return sums.select("channel", channel_response_rate=_ratio("responses", "answered"), is_recording=pl.lit(True))


def _history(seen: pl.LazyFrame, newest: int, settings: dict[str, Any]) -> pl.LazyFrame:
    """HCP x channel: sums over the windows, last touch and last response ever; windows are cut before groups are made."""
    last = seen.group_by(PAIR).agg(last_touch_end=pl.col("period_end").max(), last_response_end=pl.col("response_end").max())
    window = seen.filter(pl.col("period") > newest - settings["window_long"])
    is_short = pl.col("period") > newest - settings["window_short"]
    counted = ["touches", "answered", "responses"]
    window = window.with_columns(pl.when(is_short).then(pl.col(name)).alias(f"{name}_short") for name in counted)
    sums = window.group_by(PAIR).agg(
        pl.col("is_first").sum().alias("active_periods_long"),
        *(pl.col(name).sum().alias(f"{name}_long") for name in counted),
        *(pl.col(f"{name}_short").sum() for name in counted),
    )
    return last.join(sums, on=PAIR, how="left").with_columns(pl.exclude(*PAIR, "last_touch_end", "last_response_end").fill_null(0))


def _all_channels(history: pl.LazyFrame) -> pl.LazyFrame:
    sums = history.group_by("hcp_id").agg(
        all_touches_short=pl.col("touches_short").sum(),
        all_touches_long=pl.col("touches_long").sum(),
        all_responses=pl.col("responses_long").sum(),
        all_answered=pl.col("answered_long").sum(),
        last_any_end=pl.col("last_touch_end").max(),
    )
    return sums.with_columns(all_response_rate_long=_ratio("all_responses", "all_answered")).drop("all_responses", "all_answered")


def _kpi(kpi: pl.LazyFrame, day: date, whose: pl.Expr, settings: dict[str, Any]) -> pl.LazyFrame:
    """HCP: means, shares and their changes; from an HCP's first row on a week without a row is a week without KPI."""
    seen = kpi.filter((pl.col("known_from") <= day) & (pl.col("period_start") < day))
    newest = seen.select(pl.col("period").max()).collect().item()
    seen = seen.filter(whose)
    first = seen.group_by("hcp_id").agg(since=(newest - pl.col("period").min() + 1).cast(pl.Int32))
    short, long = settings["window_short"], settings["window_long"]
    now = seen.filter((pl.col("known_until") > day) & (pl.col("period") > newest - 2 * long))
    value, market, period = pl.col("kpi_value"), pl.col("market_value"), pl.col("period")
    is_in = {"short": period > newest - short, "long": period > newest - long, "before": period <= newest - long}
    columns = {f"kpi_{name}": pl.when(is_in[name]).then(value) for name in is_in}
    columns |= {f"unknown_{name}": value.is_null() & is_in[name] for name in is_in}
    columns |= {f"share_kpi_{name}": pl.when(is_in[name] & market.is_not_null()).then(value) for name in ("short", "long")}
    columns |= {f"share_market_{name}": pl.when(is_in[name] & value.is_not_null()).then(market) for name in ("short", "long")}
    columns |= {"market_long": pl.when(is_in["long"]).then(market), "market_rows": market.is_not_null() & is_in["long"]}
    sums = now.select("hcp_id", **columns).group_by("hcp_id").agg(pl.all().sum())
    sums = first.join(sums, on="hcp_id", how="left").with_columns(pl.exclude("hcp_id", "since").fill_null(0))
    since = pl.col("since")
    span = {"short": since.clip(upper_bound=short), "long": since.clip(upper_bound=long), "before": (since - long).clip(0, long)}
    sums = sums.with_columns((span[name] - pl.col(f"unknown_{name}")).alias(f"known_{name}") for name in span)
    sums = sums.with_columns(_ratio(f"kpi_{name}", f"known_{name}").alias(f"mean_{name}") for name in span)
    sums = sums.with_columns(_ratio(f"share_kpi_{name}", f"share_market_{name}").alias(f"share_{name}") for name in ("short", "long"))
    return sums.select(
        "hcp_id",
        kpi_mean_short=pl.col("mean_short"),
        kpi_mean_long=pl.col("mean_long"),
        kpi_trend=pl.col("mean_short") - pl.col("mean_long"),
        kpi_change=pl.col("mean_long") - pl.col("mean_before"),
        kpi_known_periods=pl.col("known_long"),
        market_mean_long=_ratio("market_long", "market_rows"),
        market_share_long=pl.col("share_long"),
        market_share_trend=pl.col("share_short") - pl.col("share_long"),
    )


def _hcp_columns(hcps: pl.LazyFrame) -> pl.LazyFrame:
    decile = pl.col("decile").round().cast(pl.Int64).cast(pl.String).fill_null("unknown")
    return hcps.select(
        "hcp_id",
        "specialty",
        "practice_type",
        "rep_access",
        "decile",
        has_rep=pl.col("rep_id").is_not_null().cast(pl.Float64),
        hco_size=pl.when(pl.col("hco_id").is_not_null()).then(pl.len().over("hco_id")).cast(pl.Float64),
        segment=pl.col("specialty").fill_null("unknown") + " / " + decile,
    )


def _finished(frame: pl.LazyFrame, day: date, is_scoring: bool) -> pl.LazyFrame:
    counts = ["touches_short", "touches_long", "active_periods_long", "all_touches_short", "all_touches_long", "kpi_known_periods"]
    answered = pl.when(pl.col("touches_long") == 0).then(0).when(pl.col("answered_long") > 0).then(pl.col("responses_long"))
    ends = {"days_since_touch": "last_touch_end", "days_since_response": "last_response_end", "days_since_any_touch": "last_any_end"}
    return (
        frame.with_columns(pl.col(counts).fill_null(0))
        .with_columns(
            *(_ratio(f"responses_{window}", f"answered_{window}").alias(f"response_rate_{window}") for window in ("short", "long")),
            *((pl.lit(day) - pl.col(end) + timedelta(days=1)).dt.total_days().alias(name) for name, end in ends.items()),
            pl.when(pl.col("is_recording")).then(answered).alias("responses_long"),
            pl.col("requires_consent").cast(pl.Float64),
            snapshot_date=pl.lit(day),
            is_scoring=pl.lit(is_scoring),
            kpi_level=pl.col("kpi_mean_long"),
            kpi_periods=pl.col("kpi_known_periods"),
        )
        .drop("is_recording", "answered_short", "answered_long", "responses_short", *ends.values())
    )


def _ratio(numerator: str, denominator: str) -> pl.Expr:
    return pl.when(pl.col(denominator) != 0).then(pl.col(numerator) / pl.col(denominator))
