"""The project's own memory and published rooms over marts of one made-up action: builds of seconds that publish for real."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from house_rules import rule_stubs

ROOT = Path(__file__).resolve().parents[2]

RUN_CONFIG = """
select
    cast('{{ invocation_id }}' as text) as run_id,
    date '{{ var("nba_cycle_start") }}' as cycle_start,
    date '{{ var("nba_cycle_start") }}' + 28 as cycle_end,
    {{ var('nba_publish_past') }} as publish_past,
    'raw' as input_source
"""
# What a mart of this house says beside its keys; every other column is null.
FACTS = {
    "fct_recommendations": {"recommendation_id": "'a1'", "hcp_id": "'001'", "channel": "'email'", "touches": "1", "priority": "1"},
    "fct_plan_summary": {"status": "'optimal'", "objective": "2.5", "penalty": "0.0", "upper_bound": "2.5", "gap": "0.0", "actions": "1"},
    "dim_hcps": {"hcp_id": "'001'", "territory_id": "'T1'"},
    "fct_model_performance": {"channel": "'all'", "auc": "0.7"},
}
# Views that only filter and the three that do more.
VIEWS = ("hcps", "recommendations", "plan_history", "model_performance", "rule_changes")
# What the gates hand to memory: table of the room of gates -> memory table.
GATES = {
    "profile_inputs": "input_profiles",
    "profile_plan": "plan_profiles",
    "input_quality": "input_quality",
    "plan_quality": "plan_quality",
}
MONITORED = (("engagement_versions", "model_versions"), ("monitor_profiles", "profiles"))
PROMISE = "select * from {{{{ ref('fct_recommendations') }}}} where touches {condition}"


def columns_of(properties: Path) -> dict[str, str]:
    """Column name -> type, as a model's properties state them."""
    (model,) = yaml.safe_load(properties.read_text())["models"]
    return {column["name"]: column["data_type"] for column in model["columns"]}


@dataclass(frozen=True)
class House:
    """A dbt project in `folder` whose checks, scores and marts are stubs and whose last two rooms are the real ones."""

    folder: Path

    @property
    def db_path(self) -> Path:
        return self.folder / "house.duckdb"

    def dbt(self, *args: str, cycle: str = "2026-01-05", **variables: Any) -> Any:
        """One dbt command in process; returns dbt's result, failed or not."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        given = [] if args[0] == "retry" else ["--vars", json.dumps({"nba_cycle_start": cycle, **variables})]
        before = os.environ.get("NBA_DUCKDB_PATH")
        os.environ["NBA_DUCKDB_PATH"] = str(self.db_path)
        try:
            return dbtRunner().invoke([*args, *given, "--project-dir", str(self.folder), "--profiles-dir", str(self.folder)])
        finally:
            # One writer excludes all readers of the file: the test reads it next.
            DuckDBConnectionManager.close_all_connections()
            os.environ.pop("NBA_DUCKDB_PATH") if before is None else os.environ.__setitem__("NBA_DUCKDB_PATH", before)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        import duckdb

        with duckdb.connect(str(self.db_path), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def pointer(self) -> tuple[Any, ...]:
        """(number of publications, run_id, cycle_start as text, action) of the newest row of the log."""
        newest = """
            select (select count(*) from memory.publications), run_id, cast(cycle_start as text), action
            from memory.publications
            order by published_at desc
            limit 1
        """
        return self.rows(newest)[0]

    def built_run(self) -> str:
        return self.rows("select run_id from checks.run_config")[0][0]

    def promise(self, is_kept: bool) -> None:
        """A promise on the recommendations that every plan keeps, or that none does."""
        path = self.folder / "tests" / "data" / "fct_recommendations__keep_a_promise.sql"
        path.write_text(PROMISE.format(condition="< 0" if is_kept else "> 0"))


def _stub(mart: str, columns: Mapping[str, str]) -> str:
    facts = FACTS.get(mart, {})
    keys = {"run_id": "run.run_id", "cycle_start": "run.cycle_start", "cycle_end": "run.cycle_end"}
    given = {**keys, **facts}
    selected = ",\n".join(f"    cast({given.get(name, 'null')} as {data_type}) as {name}" for name, data_type in columns.items())
    return f"with run as (select * from {{{{ ref('run_config') }}}})\n\nselect\n{selected}\nfrom run\n{'' if facts else 'where 1 = 0'}\n"


def build_house(folder: Path) -> House:
    """Copy the real rooms and write the stubs they read."""
    for name in ("macros", "models/memory", "models/retention", "tests/generic"):
        shutil.copytree(ROOT / name, folder / name)
    views = [f"models/published/published__{view}{suffix}" for view in VIEWS for suffix in (".sql", ".yml")]
    words = sorted(f"models/{path.name}" for path in (ROOT / "models").glob("docs_*.md"))
    files = ("dbt_project.yml", "profiles.yml", "models/base/_sources.yml", *words)
    for name in (*files, "tests/data/memory__holds_this_run_as_the_marts_do.sql", *views):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    stubs = {"checks/run_config": RUN_CONFIG, **rule_stubs(ROOT)}
    for properties in sorted((ROOT / "models" / "marts").glob("*.yml")):
        stubs[f"marts/{properties.stem}"] = _stub(properties.stem, columns_of(properties))
    for model, kept in (("engagement_model", "models"), ("churn_model", "churn_models"), ("impact_model", "impact_models"), *MONITORED):
        stubs[f"scores/{model}"] = _stub(model, columns_of(ROOT / "models" / "memory" / f"memory__{kept}.yml"))
    for model, kept in GATES.items():
        stubs[f"checks/{model}"] = _stub(model, columns_of(ROOT / "models" / "memory" / f"memory__{kept}.yml"))
    stubs["checks/gate_plan_quality"] = "select true as is_open\n"
    for name, sql in stubs.items():
        (folder / "models" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "models" / f"{name}.sql").write_text(sql)
    house = House(folder)
    house.promise(is_kept=True)
    return house
