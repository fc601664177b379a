"""A finished build against a second reading of the contract, and that reading against builds that were tampered with."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml
from conftest import ROOT, ReadTable, RunDbt
from contract_comparison import PROMISES, Promise
from contract_plan import upper_bound
from contract_reference import Switches, World, read_world

CYCLE = "2026-01-05"
OVERLAP = 0.05
BUILD = {"input_schema": "raw", "nba_cycle_start": CYCLE, "nba_overlap": OVERLAP}
# Rules of kinds that a generated world lacks: pools, single reps, stars, partial days, unassigned HCPs, hard floors. And room for several
# touches: three of display_ad as of email where the gap to itself leaves days for them, four of an HCP altogether.
MORE_RULES = """
update raw.engagement_action_catalog set max_touches = 3 where channel = 'display_ad';
update raw.rule_contact_limit set max_actions = 4 where channel is null and attribute is null;
update raw.hcp_master set territory_id = null where hcp_id = 'H0000005';
update raw.hcp_master set territory_id = null, rep_id = null where hcp_id = 'H0000007';
update raw.hcp_master set rep_access = 'by appointment' where hcp_id = 'H0000008';
insert into raw.rule_budget (channel, territory_id, max_cost) values ('*', null, 900), ('email', 'T0001', 20);
insert into raw.rule_channel_capacity (channel, territory_id, min_actions, max_actions) values
    (null, 'T0001', 2, 30), ('*', null, null, 15), ('email', null, null, 15);
insert into raw.rule_rep_capacity (rep_id, territory_id, channel, max_minutes, max_actions) values
    ('R00001', null, '*', null, 6), (null, 'T0001', null, 400, null), (null, null, null, null, 14), ('*', null, 'email', null, 8);
insert into raw.rule_contact_limit (channel, attribute, value, max_actions, window_days) values
    (null, null, null, 4, 14), ('*', 'decile', '9', 1, null), ('rep_visit', 'rep_access', 'open', 2, 42);
insert into raw.rule_exclusion (hcp_id, channel, reason, valid_from, valid_to) values
    (null, 'display_ad', 'Blackout', '2026-01-10', '2026-01-14'), ('H0000003', null, 'Away', '2026-01-05', '2026-01-09'),
    ('H0000004', 'email', 'Left', null, '2026-01-20'), ('H0000004', 'email', 'Left', '2026-01-21', null);
insert into raw.rule_channel_window (channel, territory_id, available_from, available_to) values
    ('phone_call', '*', '2026-01-20', '2026-01-24'), ('phone_call', null, '2026-01-07', '2026-01-09');
insert into raw.rule_min_gap (last_channel, channel, min_days) values
    ('display_ad', 'email', 5), ('display_ad', 'display_ad', 9), (null, 'webinar', 9), ('webinar', 'display_ad', 6);
insert into raw.rule_coverage_floor (territory_id, attribute, operator, value, channel, min_hcps, hardness) values
    (null, 'rep_access', 'in', 'open|restricted', '*', 3, 'hard'), (null, 'decile', '>=', '5', 'email', 40, 'soft'),
    (null, 'decile', '=', '*', '*', 1, null);
insert into raw.rule_override (hcp_id, channel, action, reason, valid_from, valid_to, created_by) values
    ('H0000009', 'email', 'forbid', 'Pause', '2026-01-12', '2026-01-16', 'm');
insert into raw.rule_consent (hcp_id, channel, status, captured_at, expires_at) values
    ('H0000010', null, 'opt_out', '2025-12-30 10:00:00', null), ('H0000011', 'email', 'opt_in', '2026-01-04 23:00:00', '2026-01-15'),
    ('H0000012', 'email', 'opt_in', '2026-01-20 09:00:00', null);
insert into raw.rule_holdout (arm, share, unit, redraw_cycles, resource_share) values
    ('control', 0.1, null, 3, null), ('explore', 0.15, 'hcp', 3, 0.3);
"""
# One cell of one kind, and bounds that no key holds.
LOOSER = """
update raw.kpi_metrics set kpi_value = kpi_value + 1 where rowid = 17;
update raw.rule_budget set max_cost = max_cost + 1;
update raw.rule_coverage_floor set min_hcps = min_hcps + 1 where hardness = 'soft';
"""


def run_sql(db_path: Path, statements: str) -> None:
    with duckdb.connect(str(db_path)) as connection:
        connection.execute(statements)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, run_dbt: RunDbt) -> Path:
    """A world of 40 HCPs with rules of every kind: loaded, built and published once."""
    from nba.cli import main
    from nba.simulate import simulate_world, write_world

    folder = tmp_path_factory.mktemp("world")
    write_world(simulate_world(hcps=40, weeks=40, seed=3, grain="week"), folder / "inputs", "csv")
    db_path = folder / "numbers.duckdb"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NBA_DUCKDB_PATH", str(db_path))
        assert main(["load", str(folder / "inputs")]) == 0
    run_sql(db_path, MORE_RULES)
    run_dbt(["build"], db_path, BUILD)
    return db_path


@pytest.fixture(scope="module")
def world(built: Path) -> World:
    return read_world(built, switches=Switches(overlap=OVERLAP))


@pytest.mark.parametrize("promise", [*PROMISES, upper_bound], ids=lambda promise: promise.__name__)
def test_build_keeps_the_promise(world: World, promise: Promise) -> None:
    assert list(promise(world)) == []


def test_world_is_worth_checking(world: World) -> None:
    """Binding limits, blocked pairs of many kinds, partial days, missed floors: otherwise the promises above are cheap."""
    assert sum(row["price"] > 0 for row in world.published["constraint_prices"]) >= 3
    assert {"exclusion", "consent", "access", "window"} <= {row["rule"] for row in world.published["pair_blocks"]}
    assert {"rule", "price", "better_alternative"} <= {row["reason_kind"] for row in world.published["rejections"]}
    assert world.published["plan_summary"][0]["penalty"] > 0
    assert len({row["earliest_date"] for row in world.published["recommendations"]}) > 2
    assert len({row["channel"] for row in world.published["recommendations"] if row["touches"] > 1}) >= 2
    assert "unassigned" in {row["territory_id"] for row in world.published["territories"]}
    arms = [row["arm"] for row in world.published["assignments"]]
    assert arms.count("control") in (3, 4)
    assert arms.count("explore") in (5, 6)
    assert {row["arm"] for row in world.published["recommendations"]} == {"plan", "explore"}
    assert any(row["shadow_channel"] for row in world.published["assignments"])
    assert all(row["smallest_lift"] > 0 for row in world.published["plan_power"])


TAMPERED = {
    "eligible_days": "update memory.hcp_channel_scores set earliest_date = earliest_date + 1 where hcp_id = 'H0000001'",
    "every_pair_once": "delete from memory.rejections where hcp_id = 'H0000002'",
    "rules_inside_hcps": "update memory.recommendations set latest_date = latest_date + 1 where priority = 1",
    "constraint_rows": "update memory.constraint_prices set used = used + 1 where side = 'max'",
    "limits_kept": "update memory.recommendations set touches = 99 where priority <= 5",
    "plan_values": "update memory.recommendations set plan_value = plan_value * 1.001 where priority = 2",
    "price_bound": "update memory.constraint_prices set price = price + 0.01 where side = 'max'",
    "upper_bound": "update memory.plan_summary set upper_bound = upper_bound - 0.01 * abs(upper_bound)",
    "reasons": "update memory.rejections set value_short = value_short + 0.01 where reason_kind = 'better_alternative'",
    "price_costs": "update memory.recommendations set price_cost = price_cost + 0.01",
    "priorities": "update memory.recommendations set priority = 3 - priority where priority in (1, 2)",
    "columns_of_actions": "update memory.recommendations set cost = cost + 1 where priority = 1",
    "columns_of_scores": "update memory.hcp_channel_scores set engagement_probability = 0.5 where channel = 'display_ad'",
    "owners": "update memory.recommendation_reasons set territory_id = null where territory_id = 'T0001'",
    "timeline": "update memory.hcp_period_metrics set kpi_value = kpi_value + 1 where kpi_value is not null",
    "sums": "update memory.territory_summary set touches = touches + 1",
    "runs_and_models": "insert into memory.model_performance select * from memory.model_performance",
    "arms_drawn": "update memory.assignments set arm = 'plan', shadow_channel = null where arm = 'control'",
    "arms_kept": "update memory.recommendations set touches = 2 where arm = 'explore'",
    "explore_distribution": "update memory.explore_distribution set propensity = propensity * 1.01",
    "shadows": "update memory.assignments set shadow_channel = 'email' where arm = 'plan'",
    "power": "update memory.plan_power set smallest_lift = smallest_lift * 1.01",
    "reasons_of_actions": "update memory.recommendation_reasons set contribution = contribution + 1 where explains = 'impact'",
}


@pytest.mark.parametrize("promise", TAMPERED)
def test_reading_notices_a_tampered_build(built: Path, world: World, tmp_path: Path, promise: str) -> None:
    copy = tmp_path / "tampered.duckdb"
    shutil.copy(built, copy)
    run_sql(copy, TAMPERED[promise])
    tampered = read_world(copy, switches=world.switches)
    # what follows from the inputs alone is the same and slow to find again
    tampered.cache.update({name: known for name, known in world.cache.items() if name.startswith(("run ", "sets ", "touch_days", "days"))})
    check = next(check for check in (*PROMISES, upper_bound) if check.__name__ == promise)
    assert list(check(tampered)) != []


def test_arms_are_kept_in_the_next_cycle_and_only_from_published_runs(
    built: Path, tmp_path: Path, run_dbt: RunDbt, read_table: ReadTable
) -> None:
    """Emulated: the published run is moved to the cycle before, by hand."""
    copy = tmp_path / "later.duckdb"
    shutil.copy(built, copy)
    drawn = "select hcp_id, arm, arm_probability, stratum, unit_id, draw_design from plan.draw_arms order by hcp_id"
    first = read_table(copy, drawn)
    moved = "set cycle_start = cycle_start - 28"
    run_sql(copy, f"update memory.publications {moved}; update memory.assignments {moved}, drawn_cycle = drawn_cycle - 28")
    run_sql(copy, "update raw.hcp_master set full_name = 'x', territory_id = null where hcp_id in ('H0000020', 'H0000021')")
    nodes = ["stg_hcp_master", "stg_prior_assignments", "plan_arm_frame", "draw_arms"]
    run_dbt(["run", "-s", *nodes], copy, BUILD)
    pd.testing.assert_frame_equal(read_table(copy, drawn), first)
    dates = set(
        read_table(copy, "select drawn_cycle from plan.draw_arms where draw_design <> 'pinned'")["drawn_cycle"].astype(str).str[:10]
    )
    assert dates == {"2025-12-08"}
    run_sql(copy, "delete from memory.publications")
    run_dbt(["run", "-s", *nodes], copy, BUILD)
    assert set(read_table(copy, "plan.draw_arms")["drawn_cycle"].astype(str).str[:10]) == {CYCLE}
    assert len(read_table(copy, "staging.stg_prior_assignments")) == 0


def test_what_if_starts_from_the_arms_and_forces_no_control(
    built: Path, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from nba.cli import main

    monkeypatch.setenv("NBA_DUCKDB_PATH", str(built))
    control = next(hcp for hcp in world.hcps if world.arm(hcp) == "control" and world.eligible(hcp))
    assert main(["whatif", "--force", control, world.eligible(control)[0]]) == 1
    assert "the HCP is in the arm control, which gets nothing" in capsys.readouterr().err
    assert main(["whatif", "--budget", "+5%"]) == 0
    said = capsys.readouterr().out
    assert "Compared with the published plan" in said
    assert "Note: the plan kept" not in said


def test_names_and_fingerprint_follow_content_only(built: Path, tmp_path: Path, run_dbt: RunDbt, read_table: ReadTable) -> None:
    copy = tmp_path / "again.duckdb"
    shutil.copy(built, copy)
    first = read_world(copy).published["plan_summary"][0]["input_fingerprint"]
    tables = list(read_table(copy, "select table_name from information_schema.tables where table_schema = 'raw'")["table_name"])
    for table in tables:
        run_sql(copy, f"create or replace table raw.{table} as select x.* from raw.{table} as x order by md5(cast(x as text))")
    run_dbt(["run", "-s", "input_fingerprint"], copy, BUILD)
    assert read_table(copy, "plan.input_fingerprint")["input_fingerprint"][0] == first

    before = set(read_table(copy, "published.constraint_prices")["limit_id"])
    run_sql(copy, LOOSER)
    run_dbt(["run", "-s", "stg_rule_budget", "stg_rule_coverage_floor", "input_fingerprint", "plan_solution"], copy, BUILD)
    facts = read_table(copy, "select kind, field, detail from plan.plan_solution where kind in ('limit', 'run')")
    told = facts.groupby(["kind", "field"])["detail"].agg(set)
    assert told["limit", "limit_id"] == before
    assert told["run", "input_fingerprint"] != {first}


def test_every_published_column_is_described(world: World) -> None:
    described = {}
    for path in (ROOT / "models" / "published").glob("*.yml"):
        for model in yaml.safe_load(path.read_text())["models"]:
            described[model["config"]["alias"]] = {column["name"] for column in model["columns"] if column.get("description")}
            assert model.get("description"), path
    for table, rows in world.published.items():
        assert set(rows[0] if rows else described[table]) <= described[table], table
