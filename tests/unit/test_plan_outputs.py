"""The long table `plan_solution`: its columns, its kinds, several touches, and text as codes that every reader gets as text."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from plan_world import config, solved, world

from nba.plan_outputs import BATCH, SOLUTION_COLUMNS, rows_of, solution_table
from nba.planning import plan_settings, planner_tables
from nba.versions import code_version
from optimization import plan

STAMPS = {"input_fingerprint": "f", "code_version": "c", "model_version": None}


def result_of_world(rules=None):
    settings = plan_settings(config())
    return plan(planner_tables(world(rules), settings.cycle_start), settings)


def test_columns_are_those_of_the_interface_in_order_and_typed():
    table, _ = solved()
    text = """
    kind hcp_id channel rule limit_id detail touches plan_value price_cost cost rep_minutes priority rep_priority value_short
    reason_kind is_eligible blocked_by earliest_date latest_date item field number
    """
    assert table.column_names == text.split() == list(SOLUTION_COLUMNS)
    assert table.schema.field("is_eligible").type == pa.bool_()
    assert table.schema.field("earliest_date").type == pa.date32()
    assert table.schema.field("priority").type == pa.int32()
    assert table.schema.field("value_short").type == pa.float64()
    assert table.schema.field("hcp_id").type == pa.dictionary(pa.int32(), pa.string())


def test_a_plan_worked_out_by_hand():
    table, lines = solved({"rep_capacity": [{"rep_id": "*", "max_minutes": 30.0}]})
    run = rows_of(table, "run").iloc[0]
    # r1 has time for one visit: h1 gains 5 + 1 - 0.1 x 1, beside it h2 keeps mail for 2; h1 mail + h2 both would be 1 + 6 - 0.2 = 6.8.
    assert run["objective"] == pytest.approx(7.9)
    assert (run["status"], run["gap"], run["actions"], run["hcps_reached"]) == ("optimal", 0.0, 3, 2)
    assert run["expected_impact"] == pytest.approx(8.0)
    assert run["total_cost"] == pytest.approx(102.0)
    assert (run["input_fingerprint"], run["model_version"], run["code_version"]) == ("f" * 64, "m1", code_version())
    actions = rows_of(table, "action")
    assert next(zip(actions["hcp_id"], actions["channel"], strict=True)) == ("h2", "mail")
    assert sorted(actions["priority"]) == [1, 2, 3]
    assert sorted(actions["rep_priority"]) == [1, 2, 3]
    limit = rows_of(table, "limit").iloc[0]
    assert (limit["rule"], limit["used"], limit["limit_value"], limit["unit"]) == ("rep_capacity", 30.0, 30.0, "minutes")
    # Thirty minutes more would go to h1's second visit: 5 less 0.1 x 5 beside the first and 0.1 x 1 beside mail.
    assert limit["price"] == pytest.approx(4.4 / 30)
    rep = rows_of(table, "rep").iloc[0]
    assert (rep["rep_id"], rep["used"], rep["limit_value"], rep["touches"]) == ("r1", 30.0, 30.0, 1)
    pairs = rows_of(table, "pair").set_index(["hcp_id", "channel"])
    assert len(pairs) == 6
    assert pairs["is_eligible"].sum() == 5
    assert pairs.loc[("h3", "visit"), ["reason_kind", "rule", "blocked_by"]].tolist() == ["rule", "no_rep", "no_rep"]
    assert pairs.loc[("h3", "mail"), "reason_kind"] == "no_value"
    assert pairs.loc[("h3", "mail"), "value_short"] == pytest.approx(1.0)
    # A visit to h2 alone is worth 4 and would use up 4.4; beside mail it adds 3.8 and costs its HCP 0.6.
    assert pairs.loc[("h2", "visit"), ["reason_kind", "rule", "limit_id"]].tolist() == ["price", "rep_capacity", limit["limit_id"]]
    assert pairs.loc[("h2", "visit"), "value_short"] == pytest.approx(0.6)
    assert pd.isna(pairs.loc[("h1", "visit"), "reason_kind"])
    assert rows_of(table, "block")[["hcp_id", "channel", "rule"]].to_numpy().tolist() == [["h3", "visit", "no_rep"]]
    assert lines[-1].startswith("optimal: 3 actions for 2 HCPs")


def test_several_touches_are_one_action_with_totals():
    table, _ = solved({"rep_capacity": [{"rep_id": "*", "max_minutes": 60.0}]})
    # r1 has time for two visits: h1's second one adds 5 - 0.5 - 0.1, h2's first only 4 - 0.2.
    run, actions = rows_of(table, "run").iloc[0], rows_of(table, "action").set_index(["hcp_id", "channel"])
    visit = actions.loc[("h1", "visit")]
    assert (visit["touches"], visit["cost"], visit["rep_minutes"]) == (2, 200.0, 60.0)
    # V of two visits and a mail: 11 - 0.1 x (5 + 1 + 1) = 10.3, of which the visits have 10 of 11 parts.
    assert visit["plan_value"] == pytest.approx(10.3 * 10 / 11)
    assert run["objective"] == pytest.approx(10.3 + 2)
    assert (run["actions"], run["hcps_reached"], run["total_cost"]) == (3, 2, 202.0)
    assert run["expected_impact"] == pytest.approx(5 + 5 + 1 + 2)
    rep, limit = rows_of(table, "rep").iloc[0], rows_of(table, "limit").iloc[0]
    assert (rep["used"], rep["touches"], limit["used"]) == (60.0, 2, 60.0)
    assert limit["price"] > 0
    assert visit["price_cost"] == pytest.approx(60 * limit["price"])


def test_every_pair_has_one_row_planned_or_not():
    table, _ = solved()
    pairs, actions = rows_of(table, "pair"), rows_of(table, "action")
    assert len(pairs) == 6
    assert not pairs.duplicated(["hcp_id", "channel"]).any()
    assert actions["is_eligible"].all()
    assert actions["reason_kind"].isna().all()
    assert pairs["reason_kind"].isna().sum() == len(actions) == 4
    idle = pairs[pairs["touches"] == 0]
    assert not idle[["plan_value", "price_cost", "cost", "rep_minutes", "priority", "rep_priority"]].to_numpy().any()


def test_actions_as_a_frame_are_the_planned_pairs_with_territory_and_rep():
    result = result_of_world({"rep_capacity": [{"rep_id": "*", "max_minutes": 60.0}]})
    actions = result.actions
    assert actions["priority"].tolist() == [1, 2, 3]
    assert (actions["plan_value"] - actions["price_cost"]).is_monotonic_decreasing
    assert set(actions["territory_id"]) == {"T1"}
    assert set(actions["rep_id"]) == {"r1"}
    assert actions["touches"].sum() == 4
    assert actions["latest_date"].tolist() == [date(2026, 2, 1)] * 3


def test_an_action_without_a_rep_has_no_rep_priority():
    table, _ = solved(impact={"h1": (5.0, 1.0), "h2": (4.0, 2.0), "h3": (9.0, 3.0)})
    actions = rows_of(table, "action").set_index(["hcp_id", "channel"])
    assert pd.isna(actions.loc[("h3", "mail"), "rep_priority"])
    assert sorted(actions["rep_priority"].dropna()) == [1, 2, 3, 4]
    assert sorted(actions["priority"]) == [1, 2, 3, 4, 5]


def test_conflicts_are_rows_with_a_remedy():
    table, _ = solved({"budget": [{"max_cost": 1.5}], "channel_capacity": [{"channel": "mail", "min_actions": 2.0}]})
    assert rows_of(table, "run")["status"].tolist() == ["conflict"]
    assert rows_of(table, "action").empty
    conflicts = rows_of(table, "conflict")
    loosened = conflicts[conflicts["detail"].str.contains("by")].iloc[0]
    assert (loosened["rule"], loosened["detail"]) in {("rule_budget", "raise by 0.5"), ("rule_channel_capacity", "lower by 1")}
    assert len(rows_of(table, "pair")) == 6
    assert "objective" not in rows_of(table, "run")


def test_a_fact_is_the_number_or_the_text_that_it_was_and_nothing_stays_nothing():
    result = result_of_world({"budget": [{"max_cost": 110.0}], "coverage_floor": [{"territory_id": "T1", "min_hcps": 1.0}]})
    asked = result.limits.assign(step=[0.1 + 0.2, np.nan], step_gain=[1e-17, np.nan])
    table = solution_table(replace(result, limits=asked, warnings=["mind the gap"]), 1.5, STAMPS)
    told = rows_of(table, "limit")
    for name in asked.columns:
        for said, was in zip(told[name] if name in told else [None] * len(asked), asked[name], strict=True):
            assert said == was or (pd.isna(said) and pd.isna(was)), name
    assert rows_of(table, "warning")["problem"].tolist() == ["mind the gap"]
    assert rows_of(table, "run")["seconds"].tolist() == [1.5]
    assert "model_version" not in rows_of(table, "run")


def test_a_column_that_plan_solution_lacks_is_an_error():
    result = result_of_world()
    with pytest.raises(KeyError, match="plan_solution has no column \\['colour'\\]"):
        solution_table(replace(result, blocks=result.blocks.append_column("colour", result.blocks["rule"])), 0.0, STAMPS)


def test_many_rows_lie_in_batches_with_codes_and_shared_nulls():
    result = result_of_world()
    many = 2 * BATCH + 5
    codes = pa.array(np.arange(many, dtype=np.int32) % 3)
    blocks = pa.table(
        {
            name: pa.DictionaryArray.from_arrays(codes, pa.array([f"{name}{i}" for i in range(3)]))
            for name in ("hcp_id", "channel", "rule", "detail")
        }
    )
    table = solution_table(replace(result, blocks=blocks), 0.0, STAMPS)
    big = table.filter(pa.compute.equal(table["kind"].cast(pa.string()), "block"))
    assert big.num_rows == many
    assert big["detail"].to_pylist()[-2:] == ["detail0", "detail1"]
    batches = [batch for batch in table.to_batches() if batch.num_rows >= BATCH]
    assert len(batches) == 2
    places = {column.buffers()[1].address for batch in batches for column in (batch["plan_value"], batch["cost"], batch["value_short"])}
    assert len(places) == 1


def test_duckdb_reads_codes_as_text_nulls_as_null_and_days_as_dates(tmp_path):
    import duckdb

    table, _ = solved({"rep_capacity": [{"rep_id": "*", "max_minutes": 30.0}]})
    with duckdb.connect(str(tmp_path / "plan.duckdb")) as warehouse:
        warehouse.register("solution", table)
        warehouse.execute("create table plan as select * from solution")
        types = dict(warehouse.execute("select column_name, data_type from information_schema.columns").fetchall())
        assert {types[name] for name in ("kind", "hcp_id", "detail")} == {"VARCHAR"}
        assert (types["earliest_date"], types["number"], types["touches"]) == ("DATE", "DOUBLE", "INTEGER")
        rows = warehouse.execute(
            "select hcp_id, channel, reason_kind, rule, latest_date from plan where kind = 'pair' order by 1, 2"
        ).fetchall()
    assert ("h3", "visit", "rule", "no_rep", None) in rows
    assert ("h2", "visit", "price", "rep_capacity", date(2026, 2, 1)) in rows
    assert ("h1", "mail", None, None, date(2026, 2, 1)) in rows
