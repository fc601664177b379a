"""The planning problem of the shipped sample: a build of the sample into a file of its own, then the planner's own door to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optimization.problem import Problem

ROOT = Path(__file__).resolve().parents[2]
PLAN_TABLES = ("run_config", "score_impact")


def build_sample(folder: Path) -> Path:
    """`dbt build` of everything that the plan reads, into `folder`; the DuckDB file. An existing file is taken as it is."""
    file = folder / "sample.duckdb"
    if file.exists():
        return file
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / "sample_part.duckdb"
    part.unlink(missing_ok=True)
    command = [str(Path(sys.executable).with_name("dbt")), "build", "--select", "+plan_solution", "--exclude", "plan_solution"]
    command += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs"), "--quiet"]
    environment = os.environ | {"NBA_DUCKDB_PATH": str(part), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    part.rename(file)
    return file


def sample_problem(file: Path) -> Problem:
    """The sample as the planner sees it, from a build's DuckDB file."""
    import duckdb

    from optimization.build import build_problem

    with duckdb.connect(str(file), read_only=True) as warehouse:
        rows = warehouse.execute("select table_schema, table_name from information_schema.tables").fetchall()
        wanted = {name: schema for schema, name in rows if name in ("run_config", "score_impact") or name.startswith("stg_")}
        tables = {name: warehouse.execute(f'select * from "{schema}"."{name}"').df() for name, schema in wanted.items()}
    try:
        from nba.plan_inputs import plan_settings, planner_tables
    except ImportError:
        from nba.planning import plan_settings, planner_tables
    settings = plan_settings(tables.pop("run_config"))
    return build_problem(planner_tables(tables, settings.cycle_start), settings)
