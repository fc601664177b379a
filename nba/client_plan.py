"""The sub-command `nba plan`: solve the plan of a running build here, where the solver is, and hand the solution to the warehouse.

For engines in which the solver cannot run. With `nba_plan_on: client` the build stops at the plan and asks for this command; `dbt retry`
then goes on with the solution, which is taken for that run only (docs/decisions/0013-plan-on-the-client.md).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError
from nba.plain_text import print_line

if TYPE_CHECKING:
    import pyarrow as pa

    from nba.project import Table
    from nba.warehouse import Warehouse

SOLUTION, RUN = "client_solution", "client_run"
STAGED = ("stg_hcp_master", "stg_catalog", "stg_engagement", "stg_prior_actions", "stg_published_plan", "stg_suppressions")
OTHER = {"score_impact": "scores", "engagement_model": "scores", "input_fingerprint": "plan", "draw_arms": "plan"}
SQL_TYPES = {"double": "double precision"}


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser("plan", help="solve the plan of a build that was told to plan on the client")
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument("--vars", default="{}", help="switches of the build that stopped, as for dbt, e.g. '{nba_schema_prefix: trial_}'")
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def run(args: argparse.Namespace) -> int:
    """Read, solve, write; says what to do next."""
    from nba.load.command import parse_switches
    from nba.project import find_project
    from nba.warehouse import connect
    from nba.whatif.live import schema_prefix

    project_dir = find_project(args.project_dir)
    prefix = schema_prefix(project_dir, parse_switches(args.vars))
    warehouse = connect(args.target, project_dir)
    try:
        run_id, actions = plan_on_client(warehouse, prefix)
    finally:
        warehouse.close()
    print(f"Solved run {run_id} here: {actions} actions, in {prefix}plan.{SOLUTION}. Go on with: dbt retry")
    return 0


def plan_on_client(warehouse: Warehouse, prefix: str, say: Callable[[str], None] = print_line) -> tuple[str, int]:
    """Solve the run whose tables lie in the warehouse and write the solution beside them. Returns run_id and the number of actions.

    NbaError where the build has not come as far as its scores.
    """
    from nba.plan_inputs import as_frame
    from nba.plan_outputs import rows_of
    from nba.planning import solve_plan
    from nba.warehouse import Relation

    there = {(table.schema, table.name) for table in warehouse.tables()}
    rules = sorted(name for schema, name in there if schema == f"{prefix}staging" and name.startswith("stg_rule_"))
    homes = dict.fromkeys((*STAGED, *rules), "staging") | OTHER | {"run_config": "checks"}
    missing = sorted(f"{prefix}{room}.{name}" for name, room in homes.items() if (f"{prefix}{room}", name) not in there)
    if missing:
        raise NbaError(
            f"{', '.join(missing)} not there: run dbt build --vars '{{nba_plan_on: client}}' first; it stops where this is needed"
        )
    tables: dict[str, Any] = {name: Relation(warehouse, f"{prefix}{room}", name) for name, room in homes.items()}
    config = as_frame(tables.pop("run_config"))
    run_id = str(config.iloc[0]["run_id"])
    solution = solve_plan(tables, config, say)
    write_solution(warehouse, prefix, solution, run_id)
    return run_id, len(rows_of(solution, "action"))


def write_solution(warehouse: Warehouse, prefix: str, solution: pa.Table, run_id: str) -> None:
    """Both tables whole or not at all: the solution, and the run it belongs to."""
    import pyarrow as pa

    from nba.plan_outputs import SOLUTION_COLUMNS
    from nba.warehouse import open_file

    decoded = [column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column for column in solution.columns]
    given = {SOLUTION: pa.table(decoded, names=solution.column_names), RUN: pa.table({"run_id": [run_id]})}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder) / "solution.duckdb"
        connection = open_file(scratch)
        try:
            connection.execute("create schema raw")
            for name, table in given.items():
                connection.register("given", table)
                connection.execute(f"create table raw.{name} as select * from given")
                connection.unregister("given")
        finally:
            connection.close()
        wanted = [_table(SOLUTION, SOLUTION_COLUMNS), _table(RUN, {"run_id": "text"})]
        warehouse.replace_tables(scratch, f"{prefix}plan", wanted, lambda name: None)


def _table(name: str, columns: dict[str, str]) -> Table:
    from nba.project import Column, Table

    return Table(name, "input", False, tuple(Column(column, SQL_TYPES.get(kind, kind), False) for column, kind in columns.items()))
