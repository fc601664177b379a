"""The long table `plan_solution`: its columns, its kinds, and clean rows instead of errors."""

from __future__ import annotations

import hashlib
from datetime import date

import pandas as pd
import pyarrow as pa
import pytest

from nba.planning import SOLUTION_COLUMNS, as_frame, plan_settings, solve_plan, touch_days
from nba.versions import code_version, hash_of_files

RULES = {
    "budget": ["channel", "territory_id", "max_cost"],
    "channel_capacity": ["channel", "territory_id", "min_actions", "max_actions"],
    "rep_capacity": ["rep_id", "territory_id", "channel", "max_minutes", "max_actions"],
    "contact_limit": ["channel", "attribute", "value", "max_actions", "window_days"],
    "exclusion": ["hcp_id", "channel", "reason", "valid_from", "valid_to"],
    "consent": ["hcp_id", "channel", "status", "captured_at", "expires_at"],
    "access": ["rep_access", "channel"],
    "channel_window": ["channel", "territory_id", "available_from", "available_to"],
    "min_gap": ["last_channel", "channel", "min_days"],
    "incompatible": ["channel_a", "channel_b"],
    "coverage_floor": ["territory_id", "attribute", "operator", "value", "channel", "min_hcps", "hardness"],
    "override": ["hcp_id", "channel", "action", "reason", "valid_from", "valid_to", "created_by"],
    "holdout": ["arm", "share", "unit", "redraw_cycles", "resource_share"],
}


def config(**changes):
    row = {
        "cycle_start": date(2026, 1, 5),
        "cycle_end": date(2026, 2, 2),
        "overlap": 0.1,
        "floor_penalty": None,
        "gap": 1e-4,
        "node_limit": 2000,
        "seed": 7,
    }
    return pa.Table.from_pylist([row | changes])


def world(rules=None, impact=None):
    """Three HCPs, a rep channel (30 minutes, cost 100) and mail (cost 1); h3 has no rep."""
    impact = {"h1": (5.0, 1.0), "h2": (4.0, 2.0), "h3": (9.0, -1.0)} if impact is None else impact
    hcps = pd.DataFrame(
        {"hcp_id": ["h1", "h2", "h3"], "territory_id": ["T1", "T1", None], "rep_id": ["r1", "r1", None], "rep_access": ["open"] * 3}
    )
    catalog = pd.DataFrame(
        {"channel": ["visit", "mail"], "label": ["Visit", "Mail"], "unit_cost": [100.0, 1.0], "rep_minutes": [30.0, 0.0]}
        | {"requires_consent": [False, False], "max_touches": [3, 1]}
    )
    scores = pd.DataFrame(
        [
            {"hcp_id": h, "channel": c, "expected_impact": v}
            for h, values in impact.items()
            for c, v in zip(("visit", "mail"), values, strict=True)
        ]
    )
    engagement = pd.DataFrame(
        {"hcp_id": ["h1"], "channel": ["mail"], "period_start": [date(2025, 12, 22)], "period_end": [date(2025, 12, 29)]}
        | {"touches": [1], "responses": [0], "content_id": [None], "known_from": [date(2025, 12, 29)]}
    )
    tables = {
        "stg_hcp_master": hcps,
        "stg_catalog": catalog,
        "score_impact": scores,
        "stg_engagement": engagement,
        "stg_prior_actions": pd.DataFrame(columns=["hcp_id", "channel", "latest_date"]),
        "input_fingerprint": pd.DataFrame({"input_fingerprint": ["f" * 64]}),
        "engagement_model": pd.DataFrame({"model_version": ["m1"]}),
    }
    tables |= {f"stg_rule_{name}": pd.DataFrame(columns=columns) for name, columns in RULES.items()}
    for name, rows in (rules or {}).items():
        tables[f"stg_rule_{name}"] = pd.DataFrame(rows, columns=RULES[name])
    return tables


def solved(rules=None, impact=None, **changes):
    lines = []
    table = solve_plan(world(rules, impact), config(**changes), lines.append)
    return table, table.to_pandas(), lines


def kind(frame, name):
    return frame[frame["kind"] == name].reset_index(drop=True)


def test_columns_are_those_of_the_interface_in_order_and_typed():
    table, _, _ = solved()
    text = """
    kind hcp_id channel territory_id rep_id limit_id rule side attribute value label unit limit_value used price requested
    effective shortfall hardness touches plan_value price_cost cost rep_minutes priority rep_priority value_short
    reason_kind is_eligible blocked_by earliest_date latest_date detail status objective penalty upper_bound price_bound gap
    solve_gap stability_cost expected_impact total_cost actions hcps_reached seconds solver input_fingerprint code_version
    model_version problem what_to_do
    """
    names = text.split()
    assert table.column_names == names
    assert table.schema.field("is_eligible").type == pa.bool_()
    assert table.schema.field("earliest_date").type == pa.date32()
    assert table.schema.field("priority").type == pa.int32()
    assert table.schema.field("limit_value").type == pa.float64()
    assert set(SOLUTION_COLUMNS) == set(names)


def test_a_plan_worked_out_by_hand():
    rules = {"rep_capacity": [{"rep_id": "*", "max_minutes": 30.0}]}
    _, frame, lines = solved(rules)
    run = kind(frame, "run").iloc[0]
    # r1 has time for one visit: h1 gains 5 + 1 - 0.1 x 1, beside it h2 keeps mail for 2; h1 mail + h2 both would be 1 + 6 - 0.2 = 6.8.
    assert run["objective"] == pytest.approx(7.9)
    assert (run["status"], run["gap"], run["actions"], run["hcps_reached"]) == ("optimal", 0.0, 3, 2)
    assert run["expected_impact"] == pytest.approx(8.0)
    assert run["total_cost"] == pytest.approx(102.0)
    assert (run["input_fingerprint"], run["model_version"], run["code_version"]) == ("f" * 64, "m1", code_version())
    actions = kind(frame, "action")
    assert next(zip(actions["hcp_id"], actions["channel"], strict=True)) == ("h2", "mail")
    assert sorted(actions["priority"]) == [1, 2, 3]
    assert sorted(actions["rep_priority"]) == [1, 2, 3]
    limit = kind(frame, "limit").iloc[0]
    assert (limit["rule"], limit["used"], limit["limit_value"], limit["unit"]) == ("rep_capacity", 30.0, 30.0, "minutes")
    # The second visit would add 4 - 0.2 = 3.8 KPI for 30 minutes.
    assert limit["price"] == pytest.approx(3.8 / 30)
    rep = kind(frame, "rep").iloc[0]
    assert (rep["rep_id"], rep["used"], rep["limit_value"], rep["touches"]) == ("r1", 30.0, 30.0, 1)
    pairs = kind(frame, "pair").set_index(["hcp_id", "channel"])
    assert len(pairs) == 6
    assert pairs.loc[("h3", "visit"), ["reason_kind", "rule", "blocked_by"]].tolist() == ["rule", "no_rep", "no_rep"]
    assert pairs.loc[("h3", "mail"), "reason_kind"] == "no_value"
    assert pairs.loc[("h3", "mail"), "value_short"] == pytest.approx(1.0)
    assert pairs.loc[("h2", "visit"), "reason_kind"] == "tie"
    assert pd.isna(pairs.loc[("h1", "visit"), "reason_kind"])
    assert kind(frame, "block")[["hcp_id", "channel", "rule"]].to_numpy().tolist() == [["h3", "visit", "no_rep"]]
    assert any("max_touches" in text for text in kind(frame, "warning")["problem"])
    assert lines[-1].startswith("optimal: 3 actions for 2 HCPs")


def test_conflicts_are_rows_with_a_remedy():
    _, frame, _ = solved({"budget": [{"max_cost": 1.5}], "channel_capacity": [{"channel": "mail", "min_actions": 2.0}]})
    assert kind(frame, "run")["status"].tolist() == ["conflict"]
    assert kind(frame, "action").empty
    conflicts = kind(frame, "conflict")
    loosened = conflicts[conflicts["detail"].str.contains("by")].iloc[0]
    assert (loosened["rule"], loosened["detail"]) in {("rule_budget", "raise by 0.5"), ("rule_channel_capacity", "lower by 1")}
    assert len(kind(frame, "pair")) == 6


def test_contradictory_tables_are_a_conflict_row_not_a_traceback():
    table, frame, _ = solved({"override": [{"hcp_id": "h1", "channel": "mail", "action": "maybe"}]})
    assert table.column_names == list(SOLUTION_COLUMNS)
    assert kind(frame, "run")["status"].tolist() == ["conflict"]
    assert kind(frame, "conflict")["problem"].tolist() == ["rule_override.action: 'maybe' is neither pin nor forbid"]
    assert kind(frame, "conflict")["rule"].tolist() == ["rule_override"]


def test_bad_switches_are_a_conflict_row():
    _, frame, _ = solved(overlap=0.7)
    assert kind(frame, "conflict")["problem"].tolist() == ["overlap 0.7 must be in [0, 0.5]"]


def test_two_runs_give_the_same_table():
    rules = {"rep_capacity": [{"rep_id": "*", "max_minutes": 30.0}], "budget": [{"max_cost": 110.0}]}
    first, second = solved(rules)[0], solved(rules)[0]
    assert first.drop_columns(["seconds"]).equals(second.drop_columns(["seconds"]))


def test_touch_days_hold_only_what_was_known():
    rows = [("h1", "mail", date(2025, 12, 29), 1, date(2025, 12, 29)), ("h1", "mail", date(2025, 12, 29), 2, date(2026, 1, 5))]
    rows += [("h1", "mail", date(2026, 1, 5), 4, date(2026, 1, 6)), ("h2", "mail", date(2025, 12, 29), 0, date(2025, 12, 29))]
    engagement = pd.DataFrame(rows, columns=["hcp_id", "channel", "period_end", "touches", "known_from"])
    assert touch_days(engagement, date(2026, 1, 5)).to_numpy().tolist() == [["h1", "mail", date(2025, 12, 28), 3]]
    empty = touch_days(engagement.iloc[:0], date(2026, 1, 5))
    assert empty.columns.tolist() == ["hcp_id", "channel", "touch_date", "touches"]
    assert empty.empty


def test_tables_come_as_pandas_arrow_or_duckdb():
    import duckdb

    frame = pd.DataFrame({"hcp_id": ["001"], "n": [1]})
    relation = duckdb.sql("select '001' as hcp_id, 1 as n")
    for table in (frame, pa.Table.from_pandas(frame), relation):
        assert as_frame(table).to_numpy().tolist() == [["001", 1]]


def test_settings_come_from_the_one_row_of_run_config():
    settings = plan_settings(config(floor_penalty=3.0))
    assert (settings.cycle_start, settings.floor_penalty, settings.gap, settings.seed) == (date(2026, 1, 5), 3.0, 1e-4, 7)
    assert plan_settings(config()).floor_penalty is None


def test_code_version_changes_with_any_shipped_byte_and_with_nothing_else(tmp_path):
    (tmp_path / "nba").mkdir()
    (tmp_path / "nba" / "a.py").write_text("x = 1\n")
    (tmp_path / "dbt_project.yml").write_text("name: nba\n")
    before = hash_of_files(tmp_path)
    (tmp_path / "nba" / "__pycache__").mkdir()
    (tmp_path / "nba" / "__pycache__" / "a.pyc").write_bytes(b"1")
    (tmp_path / "README.md").write_text("not shipped\n")
    assert hash_of_files(tmp_path) == before
    (tmp_path / "nba" / "a.py").write_text("x = 2\n")
    assert hash_of_files(tmp_path) != before
    assert code_version() == code_version()
    assert len(code_version()) == len(hashlib.sha256().hexdigest())
