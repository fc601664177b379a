"""Churn from KPI rows to a risk: the definition beside a plain reference, what a snapshot may see, a falling market, months."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from churn_reference import newest_full_period, outcomes
from scipy.stats import binomtest

START = pd.Timestamp("2026-01-05")
WEEKS = 64
HCPS = 90
VARIABLES = {"input_schema": "raw", "nba_cycle_start": str(START.date())}
SELECT = ["build", "--select", "+feat_churn", "--exclude-resource-type", "test", "unit_test"]
AGAIN = ["run", "--select", "base_kpi_metrics", "stg_kpi", "feat_snapshots", "feat_windows", "feat_hcp", "path:models/features/feat_churn*"]


def world(seed: int = 4) -> dict[str, pd.DataFrame]:
    """Counts of HCPs of four levels; every third loses nine tenths at some week; reports take one to three weeks, some are corrected."""
    draw = np.random.default_rng(seed)
    weeks = START - pd.to_timedelta(7 * np.arange(WEEKS, 0, -1), unit="D")
    parts = []
    for number in range(HCPS):
        level = (0.3, 2.0, 5.0, 12.0)[number % 4] * np.where((np.arange(WEEKS) >= draw.integers(20, 60)) & (number % 3 == 0), 0.1, 1.0)
        known = weeks + pd.to_timedelta(7 + 7 * draw.integers(1, 4, WEEKS), unit="D")
        parts.append(pd.DataFrame({"hcp_id": f"h{number:03d}", "period_start": weeks, "kpi_value": draw.poisson(level), "known_at": known}))
    kpi = pd.concat(parts, ignore_index=True).astype({"kpi_value": "float64"})
    kpi = kpi[(kpi["kpi_value"] > 0) | (draw.random(len(kpi)) < 0.5)]  # half of the zeros have no row
    late = kpi.sample(300, random_state=seed)
    late = late.assign(kpi_value=late["kpi_value"] + 3, known_at=late["known_at"] + pd.Timedelta(days=50))
    unknown = kpi.sample(12, random_state=seed + 1).index
    kpi.loc[unknown, "kpi_value"] = np.nan
    ids = [f"h{number:03d}" for number in range(HCPS)]
    touches = pd.DataFrame({"hcp_id": ids * 2, "channel": "visit", "period_start": [weeks[0]] * HCPS + [weeks[-1]] * HCPS, "touches": 1})
    return {
        "hcp_master": pd.DataFrame({"hcp_id": ids, "specialty": ["a", "b"] * (HCPS // 2)}),
        "engagement_history": touches.assign(responses=0),
        "kpi_metrics": pd.concat([kpi, late], ignore_index=True),
        "engagement_action_catalog": pd.DataFrame({"channel": ["visit"], "unit_cost": [100.0], "expected_uplift": [0.5]}),
    }


class Warehouse:
    """One file whose KPI is replaced and whose churn is worked out again."""

    def __init__(self, path: Path, run_dbt, write_inputs, read_table) -> None:
        self.path, self.run_dbt, self.write_inputs, self.read_table = path, run_dbt, write_inputs, read_table
        self.tables = world()
        write_inputs(path, self.tables)
        run_dbt(SELECT, path, VARIABLES)
        self.churn = self.read()

    def read(self) -> pd.DataFrame:
        return self.read_table(self.path, "features.feat_churn").set_index(["hcp_id", "snapshot_date"]).sort_index()

    def with_kpi(self, kpi: pd.DataFrame) -> pd.DataFrame:
        self.write_inputs(self.path, {"kpi_metrics": kpi})
        self.run_dbt(AGAIN, self.path, VARIABLES)
        return self.read()


@pytest.fixture(scope="module")
def warehouse(run_dbt, write_inputs, read_table, tmp_path_factory) -> Warehouse:
    return Warehouse(tmp_path_factory.mktemp("churn") / "nba.duckdb", run_dbt, write_inputs, read_table)


def test_the_outcomes_are_those_of_the_reference(warehouse):
    kpi, past = warehouse.tables["kpi_metrics"], warehouse.churn[~warehouse.churn["is_scoring"]]
    snapshots = past.index.get_level_values("snapshot_date").unique()
    assert len(snapshots) >= 6
    near, lost = 0, 0
    for snapshot in snapshots:
        found = past.xs(snapshot, level="snapshot_date")
        expected = outcomes(kpi, snapshot, START, least=1.0, drop=0.5, weeks=12)
        assert list(found.index) == list(expected.index)
        for name, column in (("baseline_kpi", "mean"), ("market_index", "index"), ("horizon_kpi", "after"), ("expected_kpi", "expected")):
            np.testing.assert_allclose(found[name], expected[column], rtol=1e-5, atol=1e-9, err_msg=name)
        assert not (found["has_churned"] & ~expected["is_half"]).any()
        # pooled over HCPs the noise is that of counts, so the exact test of two Poisson sums is the judge
        for hcp, row in expected[expected["is_half"]].iterrows():
            scale = 12 * row["index"] / row["known"]
            total = round(row["after"] + row["mean"] * row["known"])
            exact = binomtest(round(row["after"]), total, scale / (1 + scale), alternative="less").pvalue
            near += 0.01 < exact < 0.12
            lost += found.loc[hcp, "has_churned"]
            assert found.loc[hcp, "has_churned"] == (exact < 0.05) or 0.01 < exact < 0.12, (hcp, snapshot, exact)
    assert lost > 30 and near < lost


def test_the_horizon_is_known_and_the_baseline_ends_where_reports_are_in(warehouse):
    rows = warehouse.read_table(warehouse.path, "features.feat_churn_snapshots").set_index("snapshot_date")
    first = warehouse.read_table(warehouse.path, "staging.stg_periods").set_index("period_number")["period_start"]
    for snapshot, row in rows.iterrows():
        assert first[row["baseline_last"]] == newest_full_period(warehouse.tables["kpi_metrics"], snapshot)
    last_known = rows.loc[START, "baseline_last"]
    past = rows[~rows["is_scoring"]]
    assert (past["horizon_last"] <= last_known).all() and past["horizon_last"].max() > last_known - 4


def test_nothing_at_a_snapshot_moves_with_its_future_but_the_outcome(warehouse):
    cut = START - pd.Timedelta(weeks=24)
    kpi = warehouse.tables["kpi_metrics"].copy()
    unheard = (kpi["known_at"] > cut) | (kpi["period_start"] >= cut)
    kpi.loc[unheard, "kpi_value"] = 40.0
    restated = kpi[~unheard].drop_duplicates(["hcp_id", "period_start"]).assign(kpi_value=500.0, known_at=cut + pd.Timedelta(hours=2))
    changed = warehouse.with_kpi(pd.concat([kpi, restated], ignore_index=True))
    early = [frame[frame.index.get_level_values("snapshot_date") <= cut] for frame in (warehouse.churn, changed)]
    rows = early[0].index.intersection(early[1].index)
    assert len(rows) > 150
    outcome = ["market_index", "horizon_kpi", "expected_kpi", "fall", "has_churned"]
    pd.testing.assert_frame_equal(*[frame.loc[rows].drop(columns=outcome) for frame in early])
    # the change is real: what became of them is another story, and later snapshots see it
    assert (early[0].loc[rows, "horizon_kpi"] != early[1].loc[rows, "horizon_kpi"]).all()
    at_start = [frame.xs(START, level="snapshot_date") for frame in (warehouse.churn, changed)]
    assert (at_start[0]["baseline_kpi"] != at_start[1]["baseline_kpi"]).sum() > 80


def test_a_fall_of_the_whole_market_is_no_churn(warehouse):
    kpi = warehouse.tables["kpi_metrics"].copy()
    last = warehouse.churn[~warehouse.churn["is_scoring"]].index.get_level_values("snapshot_date").max()
    kept = ~kpi["hcp_id"].isin([f"h{number:03d}" for number in range(0, HCPS, 3)])
    kpi = kpi[kept].assign(kpi_value=20.0)
    kpi.loc[kpi["period_start"] >= last, "kpi_value"] = 4.0
    # everybody has a row in every week, but two also lose what the market keeps
    cells = kpi.drop_duplicates(["hcp_id", "period_start"], keep="first")
    whole = pd.MultiIndex.from_product([cells["hcp_id"].unique(), cells["period_start"].unique()], names=["hcp_id", "period_start"])
    kpi = whole.to_frame(index=False)
    kpi["kpi_value"] = np.where(kpi["period_start"] >= last, 4.0, 20.0)
    kpi.loc[(kpi["period_start"] >= last) & kpi["hcp_id"].isin(["h001", "h002"]), "kpi_value"] = 0.0
    kpi["known_at"] = kpi["period_start"] + pd.Timedelta(days=21)
    found = warehouse.with_kpi(kpi)
    newest = found[~found["is_scoring"]].xs(last, level="snapshot_date")
    assert newest["market_index"].iloc[0] == pytest.approx(0.2 * 58 / 60, rel=1e-5)
    assert list(newest.index[newest["has_churned"].astype(bool)]) == ["h001", "h002"]
    with_market = kpi.assign(market_value=100.0)  # the class did not fall: now everybody was lost
    found = warehouse.with_kpi(with_market)
    newest = found[~found["is_scoring"]].xs(last, level="snapshot_date")
    assert newest["market_index"].eq(1.0).all() and newest["has_churned"].all()


def test_measured_kpi_are_judged_by_the_hcps_own_noise(warehouse):
    kpi = warehouse.tables["kpi_metrics"].drop_duplicates(["hcp_id", "period_start"])[["hcp_id", "period_start"]]
    whole = pd.MultiIndex.from_product([kpi["hcp_id"].unique(), kpi["period_start"].unique()], names=["hcp_id", "period_start"])
    kpi = whole.to_frame(index=False).assign(known_at=lambda rows: rows["period_start"] + pd.Timedelta(days=7))
    last = START - pd.Timedelta(weeks=12)
    place = kpi.groupby("hcp_id").cumcount()
    kpi["kpi_value"] = 10.5
    wild = kpi["hcp_id"] == "h001"  # 0 or 126 in one week of 12: half of that is chance
    kpi.loc[wild, "kpi_value"] = np.where(place[wild] % 12 == 3, 126.0, 0.0)
    kpi.loc[kpi["hcp_id"].isin(["h001", "h002"]) & (kpi["period_start"] >= last), "kpi_value"] *= 0.4
    found = warehouse.with_kpi(kpi)
    newest = found[~found["is_scoring"]].xs(last, level="snapshot_date")
    assert newest.loc["h001", "horizon_kpi"] < 0.5 * newest.loc["h001", "expected_kpi"]
    assert list(newest.index[newest["has_churned"].astype(bool)]) == ["h002"]


def test_risk_times_value_is_refused(run_dbt, read_table, tmp_path):
    path = tmp_path / "nba.duckdb"
    run_dbt(["run", "--select", "check_switches"], path, {"nba_churn_value": 2})
    found = read_table(path, "checks.check_switches")
    assert list(found["column_name"]) == ["nba_churn_value"] and "no effect of a touch on churn is estimated" in found["problem"][0]


def test_monthly_panels_count_three_months(run_dbt, write_inputs, read_table, tmp_path):
    months = pd.date_range("2023-01-01", periods=30, freq="MS")
    ids = [f"h{number}" for number in range(6)]
    kpi = pd.DataFrame([(hcp, month, 30.0) for hcp in ids for month in months], columns=["hcp_id", "period_start", "kpi_value"])
    kpi.loc[(kpi["hcp_id"] == "h0") & (kpi["period_start"] >= "2025-01-01"), "kpi_value"] = 3.0
    tables = {
        **world(),
        "hcp_master": pd.DataFrame({"hcp_id": ids}),
        "engagement_history": pd.DataFrame({"hcp_id": "h1", "channel": "visit", "period_start": months, "touches": 1, "responses": None}),
        "kpi_metrics": kpi,
    }
    path = tmp_path / "nba.duckdb"
    write_inputs(path, tables)
    run_dbt(SELECT, path, {"input_schema": "raw", "nba_cycle_start": "2025-07-01"})
    found = read_table(path, "features.feat_churn")
    past = found[~found["is_scoring"]]
    assert past["snapshot_date"].max() == pd.Timestamp("2025-04-01") and past["horizon_end"].max() == pd.Timestamp("2025-07-01")
    lost = past[past["has_churned"].astype(bool)]
    # the baseline holds 12 months: one of 3 among elevens of 30 is still far above what came
    assert set(lost["hcp_id"]) == {"h0"} and pd.Timestamp("2025-01-01") in set(lost["snapshot_date"])
    scored = found[found["is_scoring"]].set_index("hcp_id")
    assert scored.loc["h0", "baseline_kpi"] == pytest.approx((6 * 30 + 6 * 3) / 12) and scored["is_at_risk"].all()
