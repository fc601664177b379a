"""The published promise list (models/published) holds together with memory and marts, and a file that breaks it is caught."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
HCP_LEVEL = (
    "recommendations",
    "recommendation_reasons",
    "hcp_channel_scores",
    "pair_blocks",
    "rejections",
    "assignments",
    "explore_distribution",
    "hcps",
    "hcp_period_metrics",
    "gap_list",
    "churn_risk",
    "override_costs",
)
CARRIED = ("run_id", "cycle_start", "brand_id", "territory_id", "rep_id")


def promised(room: str) -> dict[str, dict[str, str]]:
    """Table -> column -> type, as the properties of a room state them; tables by the name readers see."""
    models = [yaml.safe_load(path.read_text())["models"][0] for path in sorted((ROOT / "models" / room).glob("*.yml"))]
    return {
        model["config"].get("alias", model["name"]): {column["name"]: column["data_type"] for column in model["columns"]}
        for model in models
    }


def missing_promises(con: duckdb.DuckDBPyConnection, schema: str = "published") -> list[str]:
    """Tables, `table.column`s and types of the promise list that the file does not keep; empty = all kept."""
    query = "select table_name, column_name, lower(data_type) from information_schema.columns where table_schema = ?"
    found: dict[str, dict[str, str]] = {}
    for table, column, data_type in con.execute(query, [schema]).fetchall():
        found.setdefault(table, {})[column] = {"varchar": "text", "double": "double precision"}.get(data_type, data_type)
    missing = []
    for table, columns in promised("published").items():
        if table not in found:
            missing.append(table)
            continue
        missing += [f"{table}.{column}" for column in columns if column not in found[table]]
        missing += [
            f"{table}.{column} is {found[table][column]}"
            for column in columns
            if found[table].get(column, columns[column]) != columns[column]
        ]
    return missing


@pytest.fixture
def kept() -> duckdb.DuckDBPyConnection:
    """A file that keeps every promise, empty."""
    con = duckdb.connect()
    con.execute("create schema published")
    for table, columns in promised("published").items():
        con.execute(f"create table published.{table} ({', '.join(f'{name} {data_type}' for name, data_type in columns.items())})")
    return con


def test_a_file_that_keeps_the_list_passes(kept: duckdb.DuckDBPyConnection):
    assert missing_promises(kept) == []


def test_every_broken_promise_is_named(kept: duckdb.DuckDBPyConnection):
    kept.execute("drop table published.gap_list")
    kept.execute("alter table published.recommendations drop column summary")
    kept.execute("alter table published.rejections alter value_short type text")
    assert sorted(missing_promises(kept)) == ["gap_list", "recommendations.summary", "rejections.value_short is text"]


def test_hcp_level_tables_carry_their_keys():
    tables = promised("published")
    assert set(HCP_LEVEL) == {table for table, columns in tables.items() if "brand_id" in columns}
    for table in HCP_LEVEL:
        assert set(CARRIED) <= set(tables[table]), table


def test_every_published_column_is_kept_in_memory_with_its_type():
    published, memory = promised("published"), promised("memory")
    assert len(published) >= 20
    for table, columns in published.items():
        if table != "plan_history":  # a view over the headers of all runs
            stamped = {"published_at": "timestamp"} if table == "recommendations" else {}
            assert columns == memory[table] | stamped, table
            assert memory[table]["run_id"] == "text"


def test_the_publishing_step_waits_for_all_of_memory():
    sql = (ROOT / "models" / "memory" / "publish.sql").read_text()
    for path in (ROOT / "models" / "memory").glob("memory__*.sql"):
        assert f"ref('{path.stem}')" in sql, path.stem
    for path in (ROOT / "models" / "marts").glob("*.sql"):
        kept_by = [copy for copy in (ROOT / "models" / "memory").glob("memory__*.sql") if f"ref('{path.stem}')" in copy.read_text()]
        assert len(kept_by) == 1, path.stem
