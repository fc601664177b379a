"""Feature values against a second computation in pandas, on a weekly world with late and restated rows and on a poor monthly one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from feature_reference import HCP_FEATURES, PAIR_FEATURES, Panel, features, outcomes

SELECT = ["build", "--select", "+feat_scoring", "+feat_training", "+stg_feature_definition"]
WITHOUT_TESTS = [*SELECT, "--exclude-resource-type", "test", "unit_test"]


def weekly_world() -> dict[str, pd.DataFrame]:
    """A simulated panel, with rows added that the simplest SQL would get wrong."""
    from nba.simulate import simulate_world

    tables = {name: table.to_pandas() for name, table in simulate_world(45, 52, 11, "week").tables().items()}
    for name in ("engagement_history", "kpi_metrics"):
        tables[name]["period_start"] = pd.to_datetime(tables[name]["period_start"])
        tables[name]["known_at"] = pd.to_datetime(tables[name]["known_at"])
    draw = np.random.default_rng(5)
    engagement, kpi = tables["engagement_history"], tables["kpi_metrics"]
    late = engagement.sample(120, random_state=1).assign(touches=2, responses=1)
    late["known_at"] += pd.to_timedelta(draw.integers(0, 90 * 24, len(late)), unit="h")
    engagement.loc[engagement.sample(60, random_state=2).index, "responses"] = np.nan
    tables["engagement_history"] = pd.concat([engagement, late], ignore_index=True)
    restated = kpi.drop_duplicates(["hcp_id", "period_start"]).sample(300, random_state=3)
    restated = restated.assign(kpi_value=restated["kpi_value"] + draw.integers(1, 9, 300))
    restated["known_at"] += pd.to_timedelta(draw.integers(1, 120 * 24, 300), unit="h")
    kpi = pd.concat([kpi, restated], ignore_index=True).drop_duplicates(["hcp_id", "period_start", "known_at"])
    kpi.loc[kpi.sample(80, random_state=4).index, "kpi_value"] = np.nan
    kpi.loc[kpi.sample(80, random_state=6).index, "market_value"] = np.nan
    # gaps: zero where the KPI is absent, and one HCP without any history
    kpi = kpi.drop(kpi.sample(300, random_state=7).index)
    loner = tables["hcp_master"]["hcp_id"].iloc[-1]
    tables["kpi_metrics"] = kpi[kpi["hcp_id"] != loner]
    tables["engagement_history"] = tables["engagement_history"][lambda rows: rows["hcp_id"] != loner]
    tables["hcp_master"]["is_teacher"] = tables["hcp_master"].index % 2 == 0
    return tables


def monthly_world() -> dict[str, pd.DataFrame]:
    """No known_at, no market, no responses: what a small team has in a spreadsheet."""
    from nba.simulate import simulate_world

    tables = {name: table.to_pandas() for name, table in simulate_world(40, 104, 12, "month").tables().items()}
    tables["engagement_history"] = tables["engagement_history"].drop(columns="known_at").assign(responses=None)
    kpi = tables["kpi_metrics"].sort_values("known_at").drop_duplicates(["hcp_id", "period_start"], keep="last")
    tables["kpi_metrics"] = kpi.drop(columns=["known_at", "market_value"]).drop(kpi.sample(60, random_state=1).index)
    for name in ("engagement_history", "kpi_metrics"):
        tables[name]["period_start"] = pd.to_datetime(tables[name]["period_start"])
    tables["engagement_action_catalog"]["uplift_basis"] = "touch"
    return tables


def panel_of(tables: dict[str, pd.DataFrame], **settings: Any) -> Panel:
    return Panel(
        hcps=list(tables["hcp_master"]["hcp_id"]),
        channels=list(tables["engagement_action_catalog"]["channel"]),
        engagement=tables["engagement_history"],
        kpi=tables["kpi_metrics"],
        **settings,
    )


def assert_same(found: pd.DataFrame, expected: pd.DataFrame, columns: tuple[str, ...]) -> None:
    """Equal within the rounding to 6 significant digits, missing where missing."""
    pairs = found.merge(expected, on=["hcp_id", "channel"], suffixes=("", "_expected"), validate="one_to_one")
    assert len(pairs) == len(found) > 0
    for column in columns:
        actual = pairs[column].astype("float64").to_numpy()
        wanted = pairs[f"{column}_expected"].astype("float64").to_numpy()
        np.testing.assert_allclose(actual, wanted, rtol=1e-5, atol=1e-9, equal_nan=True, err_msg=column)


@pytest.fixture(scope="module")
def weekly(run_dbt, write_inputs, tmp_path_factory) -> tuple[Path, Panel, pd.Timestamp]:
    path, tables, start = tmp_path_factory.mktemp("weekly") / "nba.duckdb", weekly_world(), pd.Timestamp("2026-01-05")
    write_inputs(path, tables)
    run_dbt(
        SELECT,
        path,
        {
            "input_schema": "raw",
            "nba_cycle_start": str(start.date()),
            "hcp_attributes": ["digital_affinity", "is_teacher", "aligned_since"],
        },
    )
    return path, panel_of(tables), start


@pytest.fixture(scope="module")
def monthly(run_dbt, write_inputs, tmp_path_factory) -> tuple[Path, Panel, pd.Timestamp]:
    path, tables = tmp_path_factory.mktemp("monthly") / "nba.duckdb", monthly_world()
    start = tables["engagement_history"]["period_start"].max() + pd.DateOffset(months=1)
    write_inputs(path, tables)
    run_dbt(
        WITHOUT_TESTS,
        path,
        {
            "input_schema": "raw",
            "nba_cycle_start": str(start.date()),
            "kpi_absent": "unknown",
            "nba_kpi_known_lag": 1,
            "nba_engagement_known_lag": 1,
            "nba_window_short": 2,
            "nba_window_long": 5,
        },
    )
    return path, panel_of(tables, grain="month", lag=1, short=2, long=5, absent_is_zero=False), start


def test_weekly_scoring_features_equal_the_reference(weekly, read_table):
    path, panel, start = weekly
    found = read_table(path, "features.feat_scoring")
    assert len(found) == len(panel.hcps) * len(panel.channels)
    assert_same(found, features(panel, start), PAIR_FEATURES + HCP_FEATURES)
    loner = found[found["hcp_id"] == panel.hcps[-1]]
    assert loner["kpi_level"].isna().all() and (loner["kpi_periods"] == 0).all() and (loner["touches_long"] == 0).all()


@pytest.mark.parametrize("cycles_back", [1, 5, 10])
def test_weekly_training_features_and_labels_equal_the_reference(weekly, read_table, cycles_back):
    path, panel, start = weekly
    day = start - pd.Timedelta(weeks=4 * cycles_back)
    found = read_table(path, "features.feat_training").query("snapshot_date == @day")
    labels = outcomes(panel, day, day + pd.Timedelta(weeks=4), start)
    assert len(found) == len(labels) > 10
    assert_same(
        found, labels.rename(columns={"touches": "label_touches", "responses": "label_responses"}), ("label_touches", "label_responses")
    )
    assert_same(found, features(panel, day), PAIR_FEATURES + HCP_FEATURES)


def test_attributes_become_features_of_their_type(weekly, read_table):
    path, _, _ = weekly
    types = read_table(path, "select column_name, data_type from information_schema.columns where table_name = 'feat_scoring'")
    found = dict(zip(types["column_name"], types["data_type"], strict=True))
    assert (found["digital_affinity"], found["is_teacher"], found["aligned_since"]) == ("DOUBLE", "DOUBLE", "VARCHAR")
    assert "years_in_practice" not in found
    words = read_table(path, "staging.stg_feature_definition").set_index("feature_name")
    assert words.loc["is_teacher", "label"] == "is_teacher" and not words.loc["is_teacher", "is_defined"]
    assert words.loc["touches_short", "label"] == "number of touches on this channel over the last 4 periods"


def test_every_model_input_has_words_and_every_word_a_model_input(weekly, read_table):
    path, _, _ = weekly
    inputs = set(read_table(path, "features.feat_scoring").columns) - {
        "hcp_id",
        "snapshot_date",
        "is_scoring",
        "kpi_level",
        "kpi_periods",
        "segment",
    }
    defined = set(read_table(path, "staging.stg_feature_definition")["feature_name"])
    parts_of_impact = {"channel_effect", "other_drivers"}
    assert inputs - defined == set()
    assert defined - inputs - {"years_in_practice"} == parts_of_impact


def test_features_have_six_significant_digits(weekly, read_table):
    path, _, _ = weekly
    found = read_table(path, "features.feat_scoring").select_dtypes("float64")
    assert found.shape[1] > 15
    for column in found:
        values = found[column].dropna()
        assert (values == values.map(lambda value: float(f"{value:.6g}"))).all(), column


def test_monthly_features_without_lateness_market_or_responses_equal_the_reference(monthly, read_table):
    path, panel, start = monthly
    found = read_table(path, "features.feat_scoring")
    assert_same(found, features(panel, start), PAIR_FEATURES + HCP_FEATURES)
    assert (
        found[["responses_long", "response_rate_long", "channel_response_rate", "market_mean_long", "market_share_long"]].isna().all().all()
    )
    assert found["kpi_mean_long"].notna().any() and (found["days_since_touch"].dropna() > 28).all()


def test_nothing_trains_where_no_channel_records_responses(monthly, read_table):
    path, _, _ = monthly
    assert len(read_table(path, "features.feat_training")) == 0
    assert not read_table(path, "staging.stg_catalog")["records_responses"].any()
    snapshots = read_table(path, "features.feat_snapshots")
    assert snapshots["is_scoring"].sum() == 1 and len(snapshots) > 5
