"""Where a past run is built again, beside the warehouse: a DuckDB file, or schemas of a prefix of their own on PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nba.audit.content import EXEMPT, Content, content_of_run
from nba.audit.past import KEPT_ROOM, PastRun
from nba.audit.record import ACTOR
from nba.errors import NbaError
from nba.project import PROJECT_NAME
from nba.warehouse import Target, Warehouse, connect, find_profiles, quoted

INPUTS = "replay_inputs"
SOURCE = "nba_source"  # name under which the stage's file sees the warehouse
# who may see what is not the stage's business, and it has deleted nothing yet
NOT_TAKEN = ("role_access", "pruned_runs", "serving_file")
# switches that say where things are, or who may see them: the stage has its own answer
PLACES = ("input_schema", "input_database", "input_tables", "rule_schema", "nba_schema_prefix", "nba_cycle_start", "nba_roles")
# settings that would lead the build elsewhere
NOT_INHERITED = ("NBA_SERVING_PATH", "DBT_TARGET", "DBT_VARS", "DBT_FULL_REFRESH")
LAST_LINES = 12


@dataclass
class Stage:
    """`source`: what stands before the names of the warehouse's own schemas, prefix included; `prefix`: of the stage's schemas; `profiles`:
    folder of the profiles.yml of its build, `target` the target there; `run_again`: id of the run that was built again."""

    past: PastRun
    project: Path
    folder: Path
    profiles: Path
    target: str | None
    source: str
    prefix: str
    file: Path | None = None
    warehouse: Warehouse = field(init=False)
    run_again: str = ""

    def open(self) -> None:
        """A connection that sees both the stage and the warehouse."""
        if self.file is None:
            self.warehouse = connect(self.target, self.project)
            return
        from nba.warehouse.duckdb_file import DuckDBWarehouse

        self.warehouse = DuckDBWarehouse(self.folder / "replay.duckdb")
        escaped = str(self.file).replace("'", "''")
        self.warehouse.execute(f"attach '{escaped}' as {SOURCE} (read_only)")

    def prepare(self) -> None:
        """Inputs and memory as the run found them."""
        with self.warehouse.transaction():
            self.warehouse.create_schema(f"{self.prefix}{INPUTS}")
            for table, kept_as in self.past.kept.items():
                self._copy(self._theirs(KEPT_ROOM, kept_as), f"{self.prefix}{INPUTS}", table, "")
            self.warehouse.create_schema(f"{self.prefix}memory")
            for table in self._memory_tables():
                self._copy(self._theirs("memory", table), f"{self.prefix}memory", table, self._as_it_was(table))

    def build(self) -> None:
        """`dbt build` of everything with the switches of the run, in a process of its own. NbaError with its last lines where it fails."""
        self.warehouse.close()
        words = ["build", *(["--target", self.target] if self.target else []), "--vars", json.dumps(self.switches)]
        words += ["--project-dir", str(self.project), "--profiles-dir", str(self.profiles)]
        words += ["--target-path", str(self.folder / "target"), "--log-path", str(self.folder / "logs")]
        environment = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        done = subprocess.run(
            [sys.executable, "-c", "from dbt.cli.main import cli; cli()", *words],
            env={**environment, ACTOR: self.past.by},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            said = [line for line in done.stdout.splitlines() if line.strip()]
            raise NbaError(f"run {self.past.run_id} could not be built again:\n" + "\n".join(said[-LAST_LINES:]))
        self.open()
        self.run_again = str(self.warehouse.rows(f"select run_id from {quoted(f'{self.prefix}checks')}.run_config")[0][0])

    @property
    def switches(self) -> dict[str, Any]:
        """Those of the run; where inputs and rooms are is the stage's own business."""
        own = {name: value for name, value in self.past.switches.items() if name not in PLACES}
        return {
            **own,
            "input_schema": f"{self.prefix}{INPUTS}",
            "nba_schema_prefix": self.prefix,
            "nba_cycle_start": self.past.cycle_start.isoformat(),
            "nba_publish_past": True,
            "nba_plan_on": "warehouse",
            "nba_keep_inputs": 0,
        }

    def contents(self) -> dict[str, Content]:
        """Published table -> what the plan that was built again says there."""
        self.warehouse.close()
        found = content_of_run(self.project, self.target, self.switches, self.run_again, sorted(self.past.hashes), self.profiles)
        self.open()
        return found

    def rows_before(self, table: str) -> int | None:
        """Rows of the run in the warehouse's own memory; None where they are no longer kept."""
        asked = f"select count(*) from {self._theirs('memory', table)} where run_id = $run_id"
        return int(self.warehouse.rows(asked, {"run_id": self.past.run_id})[0][0]) or None

    def rows_apart(self, table: str) -> int | None:
        """Rows that only one of the two has, without the columns in which equal builds may differ; None where the old are gone."""
        if self.rows_before(table) is None:
            return None
        names = [name for name in self.warehouse.columns(f"{self.prefix}memory", table) if name not in EXEMPT]
        listed = ", ".join(quoted(name) for name in names)
        then = f"select {listed} from {self._theirs('memory', table)} where run_id = $before"
        again = f"select {listed} from {quoted(f'{self.prefix}memory')}.{quoted(table)} where run_id = $again"
        sql = f"select count(*) from ((({then}) except all ({again})) union all (({again}) except all ({then}))) as apart"
        return int(self.warehouse.rows(sql, {"before": self.past.run_id, "again": self.run_again})[0][0])

    def clear(self) -> None:
        """Close, and take away what the stage put into a database that is not its own."""
        if self.file is None:
            if self.warehouse.connection.closed:
                self.open()
            asked = "select nspname from pg_namespace where starts_with(nspname, $prefix)"
            for (schema,) in self.warehouse.rows(asked, {"prefix": self.prefix}):
                self.warehouse.execute(f"drop schema {quoted(schema)} cascade")
        self.warehouse.close()

    def _theirs(self, room: str, table: str) -> str:
        catalog, _, prefix = self.source.rpartition(".")
        return f"{catalog + '.' if catalog else ''}{quoted(prefix + room)}.{quoted(table)}"

    def _memory_tables(self) -> list[str]:
        """Tables of the warehouse's memory whose rows belong to runs, and what people approved."""
        catalog, _, prefix = self.source.rpartition(".")
        asked = (
            "select table_name from information_schema.columns where column_name in ('run_id', 'approved_at') and table_schema = $schema"
        )
        asked += f" and table_catalog = '{catalog}'" if catalog else " and table_catalog = current_database()"
        found = {str(name) for (name,) in self.warehouse.rows(asked, {"schema": f"{prefix}memory"})}
        return sorted(found - set(NOT_TAKEN))

    def _as_it_was(self, table: str) -> str:
        """Condition on rows that were there when the run started: of no run that started with it or after it, nor published since."""
        if table == "audit_log":
            return f"where sequence < {self.past.started}"
        started_at = f"timestamp '{self.past.started_at.isoformat(sep=' ')}'"
        if table == "model_approvals":
            return f"where approved_at < {started_at}"
        later = f"select run_id from {self._theirs('memory', 'audit_log')} where event = 'run_started' and sequence >= {self.past.started}"
        moment = f" and published_at < {started_at}" if table == "publications" else ""
        return f"where run_id not in ({later}){moment}"

    def _copy(self, source: str, schema: str, table: str, condition: str) -> None:
        self.warehouse.execute(f"create table {quoted(schema)}.{quoted(table)} as select * from {source} {condition}")


@contextmanager
def open_stage(target: Target, project: Path, prefix: str, past: PastRun, folder: Path) -> Iterator[Stage]:
    """A stage with inputs and memory of the run in it, cleared away at the end. `prefix`: of the warehouse's schemas."""
    if target.engine == "duckdb":
        profile = {"target": "replay", "outputs": {"replay": {"type": "duckdb", "path": str(folder / "replay.duckdb"), "threads": 1}}}
        (folder / "profiles.yml").write_text(json.dumps({PROJECT_NAME: profile}), "utf-8")
        stage = Stage(past, project, folder, folder, "replay", f"{SOURCE}.{prefix}", "", target.path)
    else:
        stage = Stage(past, project, folder, find_profiles(project), target.name, prefix, f"nba_replay_{uuid.uuid4().hex[:8]}_")
        stage.profiles = stage.profiles.parent
    stage.open()
    try:
        stage.prepare()
        yield stage
    finally:
        stage.clear()
