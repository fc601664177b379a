"""A warehouse that an older version filled: its runs stay, and columns that are new are added to its memory."""

from __future__ import annotations

from pathlib import Path

import duckdb
import yaml

ROOT = Path(__file__).resolve().parents[2]
NEW = {"step", "step_gain"}


def test_memory_of_an_older_version_gets_the_new_columns_and_keeps_its_runs(tmp_path: Path, run_dbt, read_table) -> None:
    """Emulated: the older table is today's without the new columns, the mart one row made by hand."""
    model = yaml.safe_load((ROOT / "models" / "marts" / "fct_constraint_prices.yml").read_text())["models"][0]
    types = {column["name"]: column["data_type"] for column in model["columns"]}
    assert set(types) > NEW
    db_path = tmp_path / "older.duckdb"
    with duckdb.connect(str(db_path)) as warehouse:
        for schema, table, run, left_out in (("memory", "constraint_prices", "old", NEW), ("marts", "fct_constraint_prices", "new", set())):
            kept = [f"{name} {kind}" for name, kind in types.items() if name not in left_out]
            warehouse.execute(f"create schema {schema}; create table {schema}.{table} ({', '.join(kept)})")
            warehouse.execute(f"insert into {schema}.{table} (run_id, limit_id, price) values ('{run}', 'l1', 0.5)")
        warehouse.execute("create schema checks; create table checks.run_config as select 'new' as run_id")
        warehouse.execute("update marts.fct_constraint_prices set step = 30, step_gain = 1.5")
    run_dbt(["run", "-s", "memory__constraint_prices"], db_path, {"input_schema": "raw", "nba_cycle_start": "2026-01-05"})
    rows = read_table(db_path, "select run_id, price, step, step_gain from memory.constraint_prices order by run_id desc")
    assert rows["run_id"].tolist() == ["old", "new"]
    assert rows["price"].tolist() == [0.5, 0.5]
    assert rows["step"].isna().tolist() == [True, False]
    assert rows[["step", "step_gain"]].iloc[1].tolist() == [30.0, 1.5]
