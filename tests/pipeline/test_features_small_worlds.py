"""The smallest worlds, with the types that a warehouse may really have: staging casts, drops and fills, features follow."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest

SELECT = [
    "build",
    "--select",
    "+feat_scoring",
    "+feat_training",
    "+stg_feature_definition",
    "+stg_prior_actions",
    "--exclude-resource-type",
    "unit_test",
]
VARIABLES = {
    "input_schema": "raw",
    "nba_cycle_start": "2026-01-05",
    "unknown_hcp": "drop",
    "hcp_attributes": ["beds"],
    "nba_cycle_periods": 2,
}
# History is known up to 4 January. `a` was published and is covered, `b` and `c` overlap and are not; `d` was replaced, `e` taken back,
# and `f` is the plan of this cycle itself.
PUBLISHED = """
create schema if not exists memory;
create or replace table memory.publications as
select * from (values
    ('a', date '2025-12-08', 'publish', timestamp '2025-12-08 1:00'), ('d', date '2025-12-22', 'publish', timestamp '2025-12-22 1:00'),
    ('b', date '2025-12-22', 'publish', timestamp '2025-12-22 2:00'), ('e', date '2026-01-02', 'publish', timestamp '2025-12-28 1:00'),
    ('b', date '2025-12-22', 'rollback', timestamp '2025-12-28 2:00'), ('c', date '2025-12-29', 'publish', timestamp '2025-12-29 1:00'),
    ('f', date '2026-01-05', 'publish', timestamp '2026-01-05 1:00')
) as given (run_id, cycle_start, action, published_at);
create or replace table memory.recommendations as
select * from (values
    ('a', '1', 'visit', date '2026-01-04', 8), ('b', '1', 'visit', date '2026-01-05', 2), ('c', '1', 'visit', date '2026-01-05', 3),
    ('c', '2', 'visit', date '2026-01-11', 1), ('b', '2', 'visit', date '2026-01-06', 2), ('d', '1', 'visit', date '2026-01-09', 8),
    ('e', '1', 'visit', date '2026-01-09', 8), ('f', '1', 'visit', date '2026-01-09', 8)
) as given (run_id, hcp_id, channel, latest_date, touches);
"""


@pytest.fixture(scope="module")
def tiny(run_dbt, write_inputs, tmp_path_factory) -> Path:
    """One HCP with a number for an id, one channel, six weeks; and a stranger in the history."""
    path = tmp_path_factory.mktemp("tiny") / "nba.duckdb"
    weeks = pd.date_range("2025-11-24", periods=6, freq="7D")
    engagement = pd.DataFrame(
        {"hcp_id": 1, "channel": "visit", "period_start": weeks, "touches": [1, 0, 2, 1, 0, 1], "responses": [1, 0, None, 0, 0, 1]}
    )
    stranger = engagement.assign(hcp_id=2, touches=50, responses=50)
    early = pd.DataFrame(
        {"hcp_id": [1], "channel": "visit", "period_start": [pd.Timestamp("2025-11-17")], "touches": [9], "responses": [9]}
    )
    late = early.assign(period_start=pd.Timestamp("2026-01-05"))
    kpi = pd.DataFrame({"hcp_id": 1, "period_start": weeks[:5], "kpi_value": [2, 4, 6, 8, 10]})
    write_inputs(
        path,
        {
            "hcp_master": pd.DataFrame({"hcp_id": [1], "rep_access": ["Sometimes"], "specialty": [None], "beds": [12]}),
            "engagement_history": pd.concat([early, engagement, late, stranger], ignore_index=True),
            "kpi_metrics": kpi,
            "engagement_action_catalog": pd.DataFrame({"channel": ["visit"], "unit_cost": [100], "expected_uplift": [0.5]}),
            "feature_definition": pd.DataFrame({"feature_name": ["beds", "Decile"], "label": ["beds of the hospital", "volume class"]}),
        },
    )
    run_dbt(SELECT, path, VARIABLES)
    return path


def test_history_outside_the_panel_and_of_strangers_is_left_out(tiny, read_table):
    rows = read_table(tiny, "staging.stg_engagement")
    assert set(rows["hcp_id"]) == {"1"} and rows["touches"].sum() == 5
    assert (rows["period_start"].min(), rows["period_start"].max()) == (pd.Timestamp("2025-11-24"), pd.Timestamp("2025-12-29"))


def test_the_only_pair_has_the_features_one_would_count_by_hand(tiny, read_table):
    found = read_table(tiny, "features.feat_scoring")
    assert len(found) == 1
    row = found.iloc[0]
    assert (row["touches_short"], row["touches_long"], row["active_periods_long"], row["responses_long"]) == (4, 5, 4, 2)
    assert row["response_rate_short"] == 0.5 and row["response_rate_long"] == pytest.approx(2 / 3, rel=1e-6)
    # the newest week ends the day before the cycle starts
    assert row["days_since_touch"] == row["days_since_any_touch"] == row["days_since_response"] == 1
    # the KPI of the last week is not in: the windows end one week earlier
    assert (row["kpi_mean_short"], row["kpi_mean_long"], row["kpi_trend"], row["kpi_known_periods"]) == (7, 6, 1, 5)
    assert row["rep_access"] == "restricted" and pd.isna(row["specialty"]) and row["segment"] == "unknown / unknown"
    assert (row["beds"], row["has_rep"], row["rep_minutes"], row["unit_cost"]) == (12, 0, 0, 100)


def test_training_reads_the_outcome_of_each_finished_cycle(tiny, read_table):
    found = read_table(tiny, "features.feat_training").sort_values("snapshot_date").set_index("snapshot_date")
    assert list(found.index) == [pd.Timestamp("2025-12-22")]
    assert tuple(found[["label_touches", "label_responses", "touches_long"]].iloc[0]) == (1, 1, 4)


def test_the_users_words_win_and_no_prior_plan_is_no_prior_action(tiny, read_table):
    words = read_table(tiny, "staging.stg_feature_definition").set_index("feature_name")
    assert words.loc["beds", "label"] == "beds of the hospital" and words.loc["decile", "label"] == "volume class"
    assert words.loc["beds", "is_defined"] and words.loc["decile", "unit"] == "decile"
    assert len(read_table(tiny, "staging.stg_prior_actions")) == 0


def test_touches_of_published_plans_count_until_history_covers_them(tiny, run_dbt, read_table, tmp_path):
    copy = tmp_path / "planned.duckdb"
    shutil.copy(tiny, copy)
    with duckdb.connect(str(copy)) as connection:
        connection.execute(PUBLISHED)
    run_dbt(["build", "-s", "stg_prior_actions"], copy, VARIABLES)
    found = read_table(copy, "select * from staging.stg_prior_actions order by hcp_id, latest_date")
    told = [(row.hcp_id, row.channel, str(row.latest_date.date()), row.touches) for row in found.itertuples()]
    assert told == [("1", "visit", "2026-01-05", 5), ("2", "visit", "2026-01-06", 2), ("2", "visit", "2026-01-11", 1)]
