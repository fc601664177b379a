"""PostgreSQL publishes what DuckDB publishes: the shipped sample, a monthly world with every kind of rule, a weekly one of 2,000 HCPs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_comparison import differences, promised_tables, published_on_duckdb, published_on_postgres
from postgres_server import PostgresServer

from nba.cli import main
from nba.simulate import simulate_world, write_world

ROOT = Path(__file__).resolve().parents[2]
# Section 6 of the data contract.
CONTRACT_TABLES = {
    *("explore_distribution", "plan_power", "rule_changes"),
    *("recommendations", "recommendation_reasons", "hcp_channel_scores", "pair_blocks", "rejections", "assignments"),
    *("constraint_prices", "plan_summary", "hcps", "channels", "territories", "reps", "hcp_period_metrics"),
    *("territory_summary", "gap_list", "channel_usage", "model_performance", "plan_history", "churn_risk", "churn_performance"),
    *("measured_lift", "off_policy_value", "uplift_curve", "plan_adherence", "impact_diagnostics"),
    *("model_register", "monitoring_measures", "drift_alerts", "retraining_decisions"),
    *("segment_parity", "feature_proxies", "override_costs", "suggestion_adoption"),
}
# What a first plan leaves empty: there is no past cycle to measure, and no HCP of value without an action. Nobody explores in the sample.
MAY_BE_EMPTY = {"gap_list", "measured_lift", "off_policy_value", "uplift_curve", "plan_adherence", "explore_distribution", "rule_changes"}
MAY_BE_EMPTY |= {"feature_proxies", "suggestion_adoption", "drift_alerts"}
MAY_BE_EMPTY |= {"drift_alerts"}
Sides = tuple[dict[str, Any], dict[str, Any]]
BuildBoth = Callable[..., Sides]


@pytest.fixture(scope="module")
def build_both(run_dbt, postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> BuildBoth:
    """`build_both(name, variables, world=None)`: load the world, build on both engines, and give what each has published."""
    folder = tmp_path_factory.mktemp("engines")
    patch = pytest.MonkeyPatch()

    def on_postgres(variables: Mapping[str, Any]) -> None:
        from dbt.cli.main import dbtRunner

        paths = [
            "--project-dir",
            str(ROOT),
            "--profiles-dir",
            str(ROOT),
            "--target-path",
            str(folder / "t"),
            "--log-path",
            str(folder / "l"),
        ]
        result = dbtRunner().invoke(["build", "--quiet", "--target", "postgres", "--vars", json.dumps(dict(variables)), *paths])
        failed = [f"{r.node.name}: {r.message}" for r in getattr(result.result, "results", None) or [] if r.status in ("error", "fail")]
        assert result.success, failed or result.exception

    def build(name: str, variables: Mapping[str, Any], world: Path | None = None) -> Sides:
        path = folder / f"nba_{name}.duckdb"  # not named as a schema
        postgres.create_database(name)
        for key, value in {**postgres.env(name), "NBA_DUCKDB_PATH": str(path), "OMP_NUM_THREADS": "1"}.items():
            patch.setenv(key, value)
        if world is not None:
            for target in ("duckdb", "postgres"):
                assert main(["load", str(world), "--target", target, "--project-dir", str(ROOT)]) == 0
        run_dbt(["build", "--quiet"], path, variables)
        on_postgres(variables)
        return published_on_duckdb(path), published_on_postgres(postgres, name)

    yield build
    patch.undo()


@pytest.fixture(scope="module")
def sample(build_both: BuildBoth) -> Sides:
    return build_both("sample", {})


def world_folder(folder: Path, hcps: int, weeks: int, grain: str) -> Path:
    """A simulated world in a folder. The KPI has hundredths: means of such numbers often lie just between two of six digits."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    write_world(simulate_world(hcps=hcps, weeks=weeks, seed=5, grain=grain), folder, format="parquet")
    path = folder / "kpi_metrics.parquet"
    table = pq.read_table(path)
    for name, factor, base in (("kpi_value", 37.31, 100.37), ("market_value", 71.03, 250.11)):
        values = pc.round(pc.add(pc.multiply(pc.cast(table[name], pa.float64()), factor), base), 2)
        table = table.set_column(table.column_names.index(name), name, values)
    pq.write_table(table, path)
    arms = [{"arm": "control", "share": 0.1}, {"arm": "explore", "share": 0.1, "resource_share": 0.2}]
    schema = pq.read_schema(folder / "rule_holdout.parquet")
    pq.write_table(pa.Table.from_pylist([dict.fromkeys(schema.names) | arm for arm in arms], schema), folder / "rule_holdout.parquet")
    return folder


def test_the_sample_is_published_alike(sample: Sides):
    assert differences(*sample) == []


def test_every_promised_table_is_compared_and_has_rows(sample: Sides):
    for published in sample:
        assert set(published) == CONTRACT_TABLES == promised_tables()
        assert {table for table, found in published.items() if not found.rows} <= MAY_BE_EMPTY


@pytest.mark.parametrize(
    ("table", "column", "change", "says"),
    [
        ("recommendations", "plan_value", lambda value: value * (1 + 3e-6), "plan_value of"),
        ("hcp_channel_scores", "driver_1_value", lambda value: f"{value} ", "on the first only"),
        ("constraint_prices", "limit_id", lambda value: value[::-1], "on the first only"),
        ("recommendations", "latest_date", lambda value: value.replace(year=2027), "on the second only"),
        ("rejections", "value_short", lambda value: None, "value_short of"),
        ("territory_summary", "actions", lambda value: value + 1, "on the first only"),
    ],
)
def test_one_cell_that_differs_is_found(sample: Sides, table: str, column: str, change: Callable[[Any], Any], says: str):
    ours, theirs = sample
    place = list(theirs[table].kinds).index(column)
    rows = list(theirs[table].rows)
    spot = next(number for number, row in enumerate(rows) if row[place])
    rows[spot] = (*rows[spot][:place], change(rows[spot][place]), *rows[spot][place + 1 :])
    (first, *_) = found = differences(ours, {**theirs, table: replace(theirs[table], rows=rows)})
    assert all(line.startswith(f"{table}: ") for line in found)
    assert any(says in line for line in found), first


def test_a_row_a_column_or_a_table_too_few_is_found(sample: Sides):
    ours, theirs = sample
    scores = theirs["hcp_channel_scores"]
    assert differences(ours, {**theirs, "hcp_channel_scores": replace(scores, rows=scores.rows[1:])})
    kinds = {name: "whole" if name == "expected_impact" else kind for name, kind in scores.kinds.items()}
    assert differences(ours, {**theirs, "hcp_channel_scores": replace(scores, kinds=kinds)})
    assert differences(ours, {name: table for name, table in theirs.items() if name != "reps"}) == ["reps is on one engine only"]


def test_a_monthly_world_with_every_kind_of_rule_is_published_alike(build_both: BuildBoth, tmp_path: Path):
    world = world_folder(tmp_path / "world", hcps=300, weeks=130, grain="month")
    variables = {"input_schema": "raw", "nba_cycle_start": "2026-01-01", "hcp_attributes": ["digital_affinity", "years_in_practice"]}
    ours, theirs = build_both("monthly", variables, world)
    assert differences(ours, theirs) == []
    assert len(ours["recommendations"].rows) > 100
    assert len(ours["explore_distribution"].rows) > 60
    assert '"digital_affinity": "0.' in str(ours["hcps"].rows[0])


@pytest.mark.long
def test_a_weekly_world_of_2000_hcps_is_published_alike(build_both: BuildBoth, tmp_path: Path):
    world = world_folder(tmp_path / "world", hcps=2000, weeks=78, grain="week")
    ours, theirs = build_both("weekly", {"input_schema": "raw", "nba_cycle_start": "2026-01-05"}, world)
    assert differences(ours, theirs) == []
    assert len(ours["hcp_channel_scores"].rows) == 2000 * 6
