"""No feature moves when everything that was not known at its snapshot changes; and the test would notice if one did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

START = pd.Timestamp("2026-01-05")
VARIABLES = {"input_schema": "raw", "nba_cycle_start": str(START.date())}
FIRST = ["build", "--select", "+feat_scoring", "+feat_training", "--exclude-resource-type", "test", "unit_test"]
AGAIN = ["run", "--select", "stg_engagement", "stg_kpi", "stg_catalog", "path:models/features"]
FACTS = {"feat_hcp": ["hcp_id"], "feat_hcp_channel": ["hcp_id", "channel"], "feat_channel": ["channel"]}
CUTS = (0, 1, 5, 12)


def simulated() -> dict[str, pd.DataFrame]:
    from nba.simulate import simulate_world

    tables = {name: table.to_pandas() for name, table in simulate_world(40, 78, 21, "week").tables().items()}
    for name in ("engagement_history", "kpi_metrics"):
        tables[name] = tables[name].assign(
            period_start=pd.to_datetime(tables[name]["period_start"]), known_at=pd.to_datetime(tables[name]["known_at"])
        )
    return tables


def with_another_future(tables: dict[str, pd.DataFrame], cut: pd.Timestamp, seed: int) -> dict[str, pd.DataFrame]:
    """The same past, another future: rows not known at `cut`, or of periods after it, change; restatements and increments come late."""
    draw = np.random.default_rng(seed)
    engagement, kpi = tables["engagement_history"].astype({"touches": "int64", "responses": "float64"}), tables["kpi_metrics"].copy()
    unknown = (engagement["known_at"] > cut) | (engagement["period_start"] >= cut)
    engagement.loc[unknown, "touches"] = draw.integers(1, 90, unknown.sum())
    engagement.loc[unknown, "responses"] = engagement.loc[unknown, "touches"]
    unheard = (kpi["known_at"] > cut) | (kpi["period_start"] >= cut)
    kpi.loc[unheard, "kpi_value"] = draw.uniform(1_000, 9_000, unheard.sum())
    kpi.loc[unheard, "market_value"] = draw.uniform(10_000, 90_000, unheard.sum())
    assert unknown.any() and unheard.any()

    after = cut + pd.to_timedelta(draw.integers(1, 1_000, 400), unit="h")
    increments = engagement.sample(400, replace=True, random_state=seed).assign(known_at=after, touches=50, responses=50)
    # every known value is restated the day after the cut, and every HCP gets a row in the first period of the panel
    restated = kpi[kpi["known_at"] <= cut].drop_duplicates(["hcp_id", "period_start"]).assign(kpi_value=7e6, market_value=8e6)
    restated["known_at"] = cut + pd.Timedelta(hours=1)
    first = pd.DataFrame(
        {"hcp_id": tables["hcp_master"]["hcp_id"], "period_start": kpi["period_start"].min(), "kpi_value": 5e6, "market_value": 6e6}
    )
    first["known_at"] = cut + pd.Timedelta(minutes=5)
    kpi = pd.concat([kpi, restated, first], ignore_index=True)
    return {"engagement_history": pd.concat([engagement, increments], ignore_index=True), "kpi_metrics": kpi}


class World:
    """One warehouse file whose histories are replaced and whose features are built again."""

    def __init__(self, path: Path, run_dbt, write_inputs, read_table) -> None:
        self.path, self.run_dbt, self.write_inputs, self.read_table = path, run_dbt, write_inputs, read_table
        self.tables = simulated()
        write_inputs(path, self.tables)
        run_dbt(FIRST, path, VARIABLES)
        self.features = self.read()

    def read(self) -> dict[str, pd.DataFrame]:
        names = {**FACTS, "feat_training": ["hcp_id", "channel"], "feat_scoring": ["hcp_id", "channel"]}
        return {
            name: self.read_table(self.path, f"features.{name}").set_index([*keys, "snapshot_date"]).sort_index()
            for name, keys in names.items()
        }

    def with_histories(self, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
        self.write_inputs(self.path, tables)
        self.run_dbt(AGAIN, self.path, VARIABLES)
        return self.read()


@pytest.fixture(scope="module")
def world(run_dbt, write_inputs, read_table, tmp_path_factory) -> World:
    return World(tmp_path_factory.mktemp("leakage") / "nba.duckdb", run_dbt, write_inputs, read_table)


def moved(before: pd.DataFrame, after: pd.DataFrame, cut: pd.Timestamp) -> dict[str, int]:
    """How many values of each feature differ at snapshots up to `cut`, over the rows that both builds have."""
    early = [
        frame[frame.index.get_level_values("snapshot_date") <= cut].drop(columns=["label_touches", "label_responses"], errors="ignore")
        for frame in (before, after)
    ]
    rows = early[0].index.intersection(early[1].index)
    assert len(rows) > 0.9 * len(early[0]) and len(rows) > 0
    left, right = early[0].loc[rows], early[1].loc[rows]
    same = (left == right) | (left.isna() & right.isna())
    return {column: int((~same[column]).sum()) for column in same if not same[column].all()}


@pytest.mark.parametrize("cycles_back", CUTS)
def test_no_feature_knows_what_came_after_its_snapshot(world, cycles_back):
    cut = START - pd.Timedelta(weeks=4 * cycles_back)
    changed = world.with_histories(with_another_future(world.tables, cut, seed=cycles_back))
    names = [*FACTS, "feat_scoring"] if cycles_back == 0 else [*FACTS, "feat_training"]
    for name in names:
        assert moved(world.features[name], changed[name], cut) == {}, name
    if cycles_back:
        # the change is real: later snapshots do see it
        later = moved(world.features["feat_hcp"], changed["feat_hcp"], START)
        assert {"kpi_mean_short", "kpi_known_periods", "market_share_long", "all_touches_long"} <= set(later)


def test_a_changed_known_row_moves_the_features(world):
    kpi, engagement = world.tables["kpi_metrics"].copy(), world.tables["engagement_history"].copy()
    cut = START - pd.Timedelta(weeks=4)
    newest = kpi.loc[kpi["known_at"] <= cut, "period_start"].max()
    kpi.loc[(kpi["period_start"] == newest) & (kpi["known_at"] <= cut), "kpi_value"] += 1_000
    week = engagement.loc[engagement["known_at"] <= cut, "period_start"].max()
    engagement.loc[(engagement["period_start"] == week) & (engagement["known_at"] <= cut), "touches"] += 5
    changed = world.with_histories({"kpi_metrics": kpi, "engagement_history": engagement})
    found = moved(world.features["feat_hcp"], changed["feat_hcp"], cut)
    assert {
        "kpi_mean_short",
        "kpi_mean_long",
        "kpi_trend",
        "kpi_change",
        "market_share_long",
        "all_touches_short",
        "all_touches_long",
    } <= set(found)
    assert {"touches_short", "touches_long"} <= set(moved(world.features["feat_hcp_channel"], changed["feat_hcp_channel"], cut))
    assert moved(world.features["feat_hcp"], changed["feat_hcp"], cut - pd.Timedelta(weeks=8)) == {}
