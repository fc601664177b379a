"""Rules of two runs side by side, from what was recorded when rows came and went."""

from __future__ import annotations

from pathlib import Path

import pytest

from nba.diff.report import rules_section
from nba.diff.rules import RuleChange, rule_changes
from nba.warehouse.duckdb_file import DuckDBWarehouse

ROWS = [
    (1, "rule_budget", "b100", "email", "100", "added", "anna"),
    (1, "rule_override", "h1", "H1", "pin H1", "added", "boss"),
    (2, "rule_budget", "b100", "email", "100", "removed", "bert"),
    (2, "rule_budget", "b120", "email", "120", "added", "bert"),
    (2, "rule_access", "a1", "visit", "no_see", "added", "bert"),
    (3, "rule_access", "a1", "visit", "no_see", "removed", "carla"),
    (3, "rule_override", "h1", "H1", "pin H1", "removed", "carla"),
]


@pytest.fixture
def warehouse(tmp_path: Path):
    opened = DuckDBWarehouse(tmp_path / "world.duckdb")
    opened.execute("create schema memory")
    yield opened
    opened.close()


@pytest.fixture
def known(warehouse: DuckDBWarehouse) -> DuckDBWarehouse:
    warehouse.execute("create table memory.inputs_by_run as select * from (values ('a', 1), ('b', 2), ('c', 3)) as t (run_id, run_number)")
    warehouse.execute(
        "create table memory.rules_by_run (run_number integer, rule_table text, row_hash text, row_key text, row_text text, change text, "
        "changed_by text)"
    )
    warehouse.connection.executemany("insert into memory.rules_by_run values (?, ?, ?, ?, ?, ?, ?)", ROWS)
    return warehouse


BUDGET = RuleChange("rule_budget", "100", "120", "bert")


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        ("a", "b", [RuleChange("rule_access", None, "no_see", "bert"), BUDGET]),
        ("b", "c", [RuleChange("rule_access", "no_see", None, "carla"), RuleChange("rule_override", "pin H1", None, "carla")]),
        # what came and went in between is no change
        ("a", "c", [BUDGET, RuleChange("rule_override", "pin H1", None, "carla")]),
        ("b", "a", [RuleChange("rule_access", "no_see", None, "bert"), RuleChange("rule_budget", "120", "100", "bert")]),
        ("a", "older", []),
    ],
)
def test_what_differs_is_told_once_with_who_changed_it(known: DuckDBWarehouse, before: str, after: str, changes: list[RuleChange]) -> None:
    assert rule_changes(known, "memory", before, after) == changes


def test_a_memory_of_an_older_version_knows_no_rules(warehouse: DuckDBWarehouse) -> None:
    assert rule_changes(warehouse, "memory", "a", "b") == []


def test_the_report_shows_rules_only_where_some_differ() -> None:
    assert rules_section(()) == []
    (part,) = rules_section((BUDGET, *[RuleChange("rule_access", None, f"{place}", "anna") for place in range(30)]))
    assert part.rows[0] == ("rule_budget", "changed", "100", "120", "bert")
    assert part.rows[1] == ("rule_access", "added", "-", "0", "anna")
    assert (len(part.rows), part.more) == (20, 11)
