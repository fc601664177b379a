"""What churn is, once more, in plain loops over KPI rows: beside the SQL that the build uses."""

from __future__ import annotations

import numpy as np
import pandas as pd

WAIT = 62
PERIODS = 12


def known_as_of(kpi: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """The version of each cell that held on a day."""
    known = kpi[kpi["known_at"].dt.ceil("D") <= day].sort_values("known_at", kind="stable")
    return known.drop_duplicates(["hcp_id", "period_start"], keep="last")


def newest_full_period(kpi: pd.DataFrame, day: pd.Timestamp) -> pd.Timestamp:
    """Start of the newest week that was over for as long as 95% of first reports took by then."""
    first = kpi.sort_values("known_at").drop_duplicates(["hcp_id", "period_start"])
    first = first[first["known_at"].dt.ceil("D") <= day]
    waits = np.sort((first["known_at"].dt.ceil("D") - first["period_start"]).dt.days.to_numpy() - 7)
    usual = min(waits[int(np.ceil(0.95 * len(waits))) - 1], WAIT)
    return max(start for start in first["period_start"].unique() if (day - start).days - 7 >= usual)


def outcomes(kpi: pd.DataFrame, snapshot: pd.Timestamp, today: pd.Timestamp, least: float, drop: float, weeks: int) -> pd.DataFrame:
    """HCPs at risk at a snapshot whose next `weeks` weeks are known: baseline, expected and actual KPI, whether lost. Counts only."""
    newest = newest_full_period(kpi, snapshot)
    then, now = known_as_of(kpi, snapshot), known_as_of(kpi, today)
    week = pd.Timedelta(days=7)
    rows = []
    for hcp, own in then[then["period_start"] <= newest].groupby("hcp_id"):
        cells = own.set_index("period_start")["kpi_value"]
        starts = [newest - week * back for back in range(PERIODS) if newest - week * back >= cells.index.min()]
        values = cells.reindex(starts, fill_value=0.0).dropna()
        if len(values) < 6 or values.mean() < least:
            continue
        later = (
            now[now["hcp_id"] == hcp]
            .set_index("period_start")["kpi_value"]
            .reindex([snapshot + week * ahead for ahead in range(weeks)], fill_value=0.0)
        )
        if later.isna().any():
            continue
        rows.append((hcp, len(values), values.mean(), values.var(ddof=1), later.sum()))
    found = pd.DataFrame(rows, columns=["hcp_id", "known", "mean", "variance", "after"]).set_index("hcp_id")
    index = found["after"].sum() / (weeks * found["mean"]).sum()
    found["index"] = index
    found["expected"] = weeks * found["mean"] * index
    found["is_half"] = found["after"] <= (1 - drop) * found["expected"] * (1 + 1e-9)
    return found
