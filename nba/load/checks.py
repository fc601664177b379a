"""The content checks of the build, run on the scratch database before anything is written: they are dbt models and stated nowhere else."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError
from nba.load.problems import MAX_EXAMPLES_CHARACTERS, Problem, cut
from nba.load.tables import SCRATCH_SCHEMA
from nba.project import PROJECT_NAME
from nba.warehouse import open_file

if TYPE_CHECKING:
    import duckdb

GATE = "gate_inputs"
CHECKS_SCHEMA = "checks"
# what of the project the gate needs: parsing the rest would take most of the time
CHECKED_FOLDERS = ("macros", "models/base", "models/checks", "seeds", "tests/generic")
CHECK_COLUMNS = ("severity", "table_name", "column_name", "row_count", "examples", "problem", "what_to_do")
# switches that say where tables are; the scratch database has its own answer
PLACE_SWITCHES = ("input_schema", "input_database", "input_tables", "rule_schema", "nba_schema_prefix", "nba_cycle_start")


@dataclass(frozen=True)
class Findings:
    """What the checks said: errors, notes (warnings), the panel's grain (`week`, `month`, `mixed`) and its newest period, where known."""

    errors: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    grain: str | None
    newest_period: Any


def run_checks(scratch_file: Path, project_dir: Path, switches: Mapping[str, Any], work_dir: Path) -> Findings:
    """Run the check models up to the gate on the tables in `raw` of the scratch file, quietly and in process, and read their rows.

    No connection to the scratch file may be open. Raises NbaError when dbt fails for another reason than the rows of a check.
    """
    failure = _run_dbt(scratch_file, project_dir, switches, work_dir)
    con = open_file(scratch_file, read_only=True)
    try:
        rows = _check_rows(con)
        grain, newest = _panel(con)
    finally:
        con.close()
    errors = tuple(problem for severity, problem in rows if severity == "error")
    if failure and not errors:
        raise NbaError(f"the checks of the contents could not run, so nothing was written: {failure}")
    return Findings(errors, tuple(problem for severity, problem in rows if severity != "error"), grain, newest)


def _run_dbt(scratch_file: Path, project_dir: Path, switches: Mapping[str, Any], work_dir: Path) -> str:
    """Empty when all went well, else the first lines of what dbt said."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    profile = {"target": "scratch", "outputs": {"scratch": {"type": "duckdb", "path": str(scratch_file), "threads": 1}}}
    (work_dir / "profiles.yml").write_text(json.dumps({PROJECT_NAME: profile}), "utf-8")
    own = {name: value for name, value in switches.items() if name not in PLACE_SWITCHES}
    given = {**own, "input_schema": SCRATCH_SCHEMA, "rule_schema": SCRATCH_SCHEMA, "nba_loading": True}
    options = {
        "--select": f"+{GATE}",
        "--vars": json.dumps(given),
        "--project-dir": str(_part_of_project(project_dir, work_dir / "project")),
        "--profiles-dir": str(work_dir),
        "--target-path": str(work_dir / "target"),
        "--log-path": str(work_dir / "logs"),
        "--log-level": "none",
    }
    # tests belong to the build; the gate reads the rows of the check models
    arguments = ["build", "--quiet", "--no-print", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    arguments += [word for option in options.items() for word in option]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        outcome = dbtRunner().invoke(arguments)
    # the adapter would keep the file open until the process ends
    DuckDBConnectionManager.close_all_connections()
    if outcome.success:
        return ""
    messages = [str(outcome.exception)] if outcome.exception else []
    messages += [str(result.message) for result in getattr(outcome.result, "results", []) if str(result.status) in ("error", "fail")]
    return " ".join(" ".join(messages).split())[:1000] or "dbt gave no reason"


def _part_of_project(project_dir: Path, copy: Path) -> Path:
    """A copy of the rooms that lie left of the gate, with the macros and the texts that their properties quote."""
    for folder in CHECKED_FOLDERS:
        if (project_dir / folder).is_dir():
            shutil.copytree(project_dir / folder, copy / folder)
    for path in (project_dir / "dbt_project.yml", *(project_dir / "models").glob("*.md")):
        shutil.copyfile(path, copy / path.relative_to(project_dir))
    return copy


def _check_rows(con: duckdb.DuckDBPyConnection) -> list[tuple[str, Problem]]:
    """Rows of every check table, in the order in which the build's gate prints them."""
    names = con.execute(
        "select table_name from information_schema.columns where table_schema = ? and table_name like 'check\\_%' escape '\\' "
        "group by table_name having count(*) filter (where column_name in ('severity', 'problem', 'what_to_do')) = 3 order by table_name",
        [CHECKS_SCHEMA],
    ).fetchall()
    rows = []
    for (name,) in names:
        rows += con.sql(f'select {", ".join(CHECK_COLUMNS)}, check_name from {CHECKS_SCHEMA}."{name}"').fetchall()
    rows.sort(key=lambda row: tuple("" if cell is None else str(cell) for cell in (row[0], row[1], row[2], row[7], row[5], row[4])))
    return [(row[0], Problem(row[1], row[2] or "", row[3], cut(row[4] or "", MAX_EXAMPLES_CHARACTERS), row[5], row[6])) for row in rows]


def _panel(con: duckdb.DuckDBPyConnection) -> tuple[str | None, Any]:
    """The grain that the checks found, and the newest engagement period (the KPI's where there is no engagement)."""
    import duckdb

    try:
        found = con.sql(f"select grain, coalesce(engagement_last, kpi_last) from {CHECKS_SCHEMA}.check_panel").fetchall()
    except duckdb.CatalogException:
        return None, None
    return found[0] if found else (None, None)
