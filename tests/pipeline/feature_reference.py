"""Features computed a second way: plain pandas and loops, one snapshot at a time, from the rows known that day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

PAIR_FEATURES = (
    "touches_short",
    "touches_long",
    "active_periods_long",
    "responses_long",
    "response_rate_short",
    "response_rate_long",
    "days_since_touch",
    "days_since_response",
    "channel_response_rate",
)
HCP_FEATURES = (
    "all_touches_short",
    "all_touches_long",
    "all_response_rate_long",
    "days_since_any_touch",
    "kpi_mean_short",
    "kpi_mean_long",
    "kpi_trend",
    "kpi_change",
    "kpi_known_periods",
    "market_mean_long",
    "market_share_long",
    "market_share_trend",
)


@dataclass(frozen=True)
class Panel:
    """Inputs as written, and how the run reads them. `grain` is week or month; lags and windows are in periods."""

    hcps: Sequence[str]
    channels: Sequence[str]
    engagement: pd.DataFrame
    kpi: pd.DataFrame
    grain: str = "week"
    lag: int = 0
    short: int = 4
    long: int = 12
    absent_is_zero: bool = True

    @property
    def start(self) -> pd.Timestamp:
        return max(pd.to_datetime(self.engagement["period_start"]).min(), pd.to_datetime(self.kpi["period_start"]).min())

    def later(self, day: pd.Timestamp, periods: int) -> pd.Timestamp:
        return day + (pd.Timedelta(days=7 * periods) if self.grain == "week" else pd.DateOffset(months=periods))

    def periods_before(self, day: pd.Timestamp) -> list[pd.Timestamp]:
        found, period = [], self.start
        while period < day:
            found.append(period)
            period = self.later(period, 1)
        return found

    def rows_known(self, table: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
        """Rows of periods before `day` that were known when it began, with the moment they were known."""
        rows = table.copy()
        rows["period_start"] = pd.to_datetime(rows["period_start"])
        rows = rows[(rows["period_start"] >= self.start) & (rows["period_start"] < day) & rows["hcp_id"].isin(self.hcps)]
        by_default = [self.later(start, 1 + self.lag) for start in rows["period_start"]]
        given = pd.to_datetime(rows["known_at"]) if "known_at" in rows else pd.Series(pd.NaT, index=rows.index)
        rows["known_at"] = [default if pd.isna(moment) else moment for moment, default in zip(given, by_default, strict=True)]
        return rows[rows["known_at"] <= day]


def _rate(touches: pd.DataFrame) -> float:
    answered = touches[touches["responses"].notna()]
    return answered["responses"].sum() / answered["touches"].sum() if answered["touches"].sum() > 0 else np.nan


def _days(panel: Panel, touches: pd.DataFrame, day: pd.Timestamp) -> float:
    if touches.empty:
        return np.nan
    last_day = panel.later(touches["period_start"].max(), 1) - pd.Timedelta(days=1)
    return (day - last_day).days


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return sum(known) / len(known) if known else np.nan


def _share(pairs: Sequence[tuple[float, float]]) -> float:
    known = [(kpi, market) for kpi, market in pairs if not np.isnan(kpi) and not np.isnan(market)]
    market = sum(pair[1] for pair in known)
    return sum(pair[0] for pair in known) / market if market else np.nan


def hcp_kpi(panel: Panel, rows: pd.DataFrame, through: pd.Timestamp, periods: list[pd.Timestamp]) -> dict[str, float]:
    """KPI features of one HCP from its known rows (all versions)."""
    newest = rows.sort_values("known_at").drop_duplicates("period_start", keep="last").set_index("period_start")
    first = newest.index.min() if len(newest) else None

    def value(period: pd.Timestamp, column: str) -> float:
        if period in newest.index and column in newest:
            return float(newest.loc[period, column]) if pd.notna(newest.loc[period, column]) else np.nan
        is_zero = column == "kpi_value" and panel.absent_is_zero and first is not None and period >= first and period not in newest.index
        return 0.0 if is_zero else np.nan

    until = [period for period in periods if period <= through]
    long, short, before = until[-panel.long :], until[-panel.short :], until[: -panel.long][-panel.long :]
    kpi_long = [value(period, "kpi_value") for period in long]
    mean_short, mean_long = _mean([value(period, "kpi_value") for period in short]), _mean(kpi_long)
    share_long = _share([(value(period, "kpi_value"), value(period, "market_value")) for period in long])
    share_short = _share([(value(period, "kpi_value"), value(period, "market_value")) for period in short])
    return {
        "kpi_mean_short": mean_short,
        "kpi_mean_long": mean_long,
        "kpi_trend": mean_short - mean_long,
        "kpi_change": mean_long - _mean([value(period, "kpi_value") for period in before]),
        "kpi_known_periods": len([entry for entry in kpi_long if not np.isnan(entry)]),
        "market_mean_long": _mean([value(period, "market_value") for period in long]),
        "market_share_long": share_long,
        "market_share_trend": share_short - share_long,
    }


def features(panel: Panel, day: pd.Timestamp) -> pd.DataFrame:
    """One row per HCP and channel with the engagement and KPI features as known on `day`, not rounded."""
    periods = panel.periods_before(day)
    engagement, kpi = panel.rows_known(panel.engagement, day), panel.rows_known(panel.kpi, day)
    until = [period for period in periods if len(engagement) and period <= engagement["period_start"].max()]
    touched = engagement[engagement["touches"] > 0]
    long, short = touched[touched["period_start"].isin(until[-panel.long :])], touched[touched["period_start"].isin(until[-panel.short :])]
    recording = set(engagement.loc[engagement["responses"].notna(), "channel"])
    found = []
    for hcp in panel.hcps:
        own, own_long, own_short = (table[table["hcp_id"] == hcp] for table in (touched, long, short))
        facts: dict[str, float] = {
            "all_touches_short": own_short["touches"].sum(),
            "all_touches_long": own_long["touches"].sum(),
            "all_response_rate_long": _rate(own_long),
            "days_since_any_touch": _days(panel, own, day),
            **hcp_kpi(panel, kpi[kpi["hcp_id"] == hcp], kpi["period_start"].max(), periods),
        }
        for channel in panel.channels:
            here, here_long, here_short = (table[table["channel"] == channel] for table in (own, own_long, own_short))
            answered = here_long["responses"].dropna()
            responses = np.nan if channel not in recording or (len(here_long) and not len(answered)) else answered.sum()
            found.append(
                {
                    "hcp_id": hcp,
                    "channel": channel,
                    **facts,
                    "touches_short": here_short["touches"].sum(),
                    "touches_long": here_long["touches"].sum(),
                    "active_periods_long": here_long["period_start"].nunique(),
                    "responses_long": responses,
                    "response_rate_short": _rate(here_short),
                    "response_rate_long": _rate(here_long),
                    "days_since_touch": _days(panel, here, day),
                    "days_since_response": _days(panel, here[here["responses"] > 0], day),
                    "channel_response_rate": _rate(long[long["channel"] == channel]),
                }
            )
    return pd.DataFrame(found)


def outcomes(panel: Panel, day: pd.Timestamp, end: pd.Timestamp, cycle_start: pd.Timestamp) -> pd.DataFrame:
    """Touches with known responses, and these responses, per HCP and channel in `[day, end)` as known at the cycle start."""
    rows = panel.rows_known(panel.engagement, cycle_start)
    rows = rows[(rows["period_start"] >= day) & (rows["period_start"] < end) & rows["responses"].notna() & (rows["touches"] > 0)]
    return rows.groupby(["hcp_id", "channel"], as_index=False)[["touches", "responses"]].sum()
