"""The project's own memory and published rooms on PostgreSQL, all views, over marts with rows of two territories and of none."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postgres_server import PostgresServer
from publishing_house import ROOT, build_house, columns_of

# territory and rep of the rows of every mart that has such columns; the last row belongs to nobody
OWNERS = (("T1", "R1"), ("T2", "R2"), (None, None))
RUN_LEVEL = ("fct_plan_summary", "fct_model_performance", "fct_churn_performance", "fct_plan_power", "dim_channels")
RUN_LEVEL += ("fct_measured_lift", "fct_off_policy_value", "fct_uplift_curve", "fct_impact_diagnostics", "fct_feature_proxies")
RUN_LEVEL += ("fct_model_register", "fct_monitoring_measures", "fct_drift_alerts", "fct_retraining_decisions")
ROLES = {"loader": "t_loader", "builder": "t_builder", "reader": "t_reader", "rep": "t_rep", "app": "t_app"}


@dataclass(frozen=True)
class RolesHouse:
    """A dbt project in `folder` that builds into `database` of a test server."""

    folder: Path
    server: PostgresServer
    database: str

    def environment(self, **more: str) -> dict[str, str]:
        return {**self.server.env(self.database), "DBT_PROFILES_DIR": str(self.folder), **more}

    def dbt(self, *args: str, user: str | None = None, **variables: Any) -> Any:
        """One dbt command in process on the target postgres; returns dbt's result, failed or not."""
        from dbt.cli.main import dbtRunner

        given = json.dumps({"nba_cycle_start": "2026-01-05", **variables})
        before = dict(os.environ)
        os.environ.update(self.environment(NBA_PG_USER=user or self.server.user))
        paths = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder)]
        try:
            return dbtRunner().invoke([*args, "--target", "postgres", "--vars", given, *paths])
        finally:
            os.environ.clear()
            os.environ.update(before)

    def rows(self, query: str, user: str | None = None) -> list[tuple[Any, ...]]:
        return self.server.run_sql(self.database, query, user)


def _stub(mart: str, columns: Mapping[str, str]) -> str:
    owners = OWNERS[:1] if mart in RUN_LEVEL else OWNERS
    selects = []
    for number, (territory, rep) in enumerate(owners):
        facts = {
            "run_id": "run.run_id",
            "cycle_start": "run.cycle_start",
            "cycle_end": "run.cycle_end",
            "territory_id": f"'{territory}'" if territory else "null",
            "rep_id": f"'{rep}'" if rep else "null",
            "hcp_id": f"'H{number}'",
            "channel": "'email'",
            "recommendation_id": f"'A{number}'",
        }
        cells = ", ".join(f"cast({facts.get(name, 'null')} as {data_type}) as {name}" for name, data_type in columns.items())
        selects.append(f"select {cells} from run")
    return "with run as (select * from {{ ref('run_config') }})\n\n" + "\nunion all\n".join(selects) + "\n"


def build_roles_house(folder: Path, server: PostgresServer, database: str) -> RolesHouse:
    """The publishing house with all views, marts of two territories, and an empty database."""
    build_house(folder)
    shutil.copytree(ROOT / "models" / "published", folder / "models" / "published", dirs_exist_ok=True)
    for test in ("fct_recommendations__keep_a_promise", "memory__holds_this_run_as_the_marts_do"):
        (folder / "tests" / "data" / f"{test}.sql").unlink()
    shutil.copy(ROOT / "tests" / "data" / "published__has_row_security.sql", folder / "tests" / "data")
    for properties in sorted((ROOT / "models" / "marts").glob("*.yml")):
        (folder / "models" / "marts" / f"{properties.stem}.sql").write_text(_stub(properties.stem, columns_of(properties)))
    server.create_database(database)
    return RolesHouse(folder, server, database)
