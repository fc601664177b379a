"""The planner behind the warehouse: tables in any make, switches, contradictions as rows, the same table again."""

from __future__ import annotations

import hashlib
from datetime import date

import pandas as pd
from plan_world import config, solved

from nba.plan_outputs import SOLUTION_COLUMNS, rows_of
from nba.planning import plan_settings
from nba.versions import code_version, hash_of_files


def test_contradictory_tables_are_a_conflict_row_not_a_traceback():
    table, _ = solved({"override": [{"hcp_id": "h1", "channel": "mail", "action": "maybe"}]})
    assert table.column_names == list(SOLUTION_COLUMNS)
    assert rows_of(table, "run")["status"].tolist() == ["conflict"]
    assert rows_of(table, "conflict")["problem"].tolist() == ["rule_override.action: 'maybe' is neither pin nor forbid"]
    assert rows_of(table, "conflict")["rule"].tolist() == ["rule_override"]


def test_bad_switches_are_a_conflict_row():
    table, _ = solved(overlap=0.7)
    assert rows_of(table, "conflict")["problem"].tolist() == ["overlap 0.7 must be in [0, 0.5]"]


def test_two_runs_give_the_same_table():
    rules = {"rep_capacity": [{"rep_id": "*", "max_minutes": 30.0}], "budget": [{"max_cost": 110.0}]}
    first, second = (solved(rules)[0].to_pandas() for _ in range(2))
    same = first["field"].astype(object) != "seconds"
    pd.testing.assert_frame_equal(first[same], second[same], check_exact=True)


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
