"""The sub-command `nba rollback`: move the pointer back to a run that was published before.

The pointer is the newest row of memory.publications. Moving it back is one more row there: no plan is changed or lost.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from nba.errors import NbaError

if TYPE_CHECKING:
    from nba.warehouse import Warehouse

ACTIONS = ("publish", "rollback")


@dataclass(frozen=True)
class Publication:
    """One row of the log: run and cycle that became the published ones by `action`."""

    run_id: str
    cycle_start: date
    action: str

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise NbaError(f"memory.publications holds the action {self.action!r}: only {' and '.join(ACTIONS)} are known")


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser(
        "rollback",
        help="publish an earlier run again",
        description="Move the pointer back to the run that was published before, or to RUN_ID; every plan stays.",
    )
    parser.add_argument("--to", metavar="RUN_ID", help="run to publish again (default: the one before); it must have been published once")
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument("--vars", default="{}", help="switches of the build, as for dbt; nba_schema_prefix is read")
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def run(args: argparse.Namespace) -> int:
    """Roll back as the command line says and print what is published now."""
    from nba.load.command import parse_switches

    before, now = rollback(args.to, args.target, args.project_dir, parse_switches(args.vars).get("nba_schema_prefix"))
    print(f"Published now: run {now.run_id}, cycle {now.cycle_start}.")
    print(f"Before: run {before.run_id}, cycle {before.cycle_start}; it stays in memory.")
    return 0


def rollback(
    to: str | None = None, target: str | None = None, project_dir: Path | None = None, prefix: str | None = None
) -> tuple[Publication, Publication]:
    """Append the row that publishes `to` (None = the run published before) again; the publications before and after.

    `prefix` is put before the schema names (None = the project's nba_schema_prefix). Raises NbaError when nothing was published,
    nothing lies before, the run is unknown, was never published, or is published already.
    """
    from nba.audit import record
    from nba.project import find_project, read_yaml
    from nba.serving import follow_rollback
    from nba.warehouse import connect, resolve_target
    from nba.warehouse.duckdb_file import DuckDBWarehouse

    project = find_project(project_dir)
    if prefix is None:
        prefix = str(read_yaml(project / "dbt_project.yml").get("vars", {}).get("nba_schema_prefix", ""))
    resolved = resolve_target(target, project)
    if resolved.engine == "duckdb" and not resolved.path.is_file():
        raise NbaError(f"there is no warehouse at {resolved.path}: nothing is published yet, so there is nothing to roll back")
    warehouse = connect(target, project)
    try:
        with warehouse.transaction():
            log, kept = read_log(warehouse, f"{prefix}memory"), read_kept(warehouse, f"{prefix}memory")
            chosen = choose(log, frozenset(kept) - read_pruned(warehouse, f"{prefix}memory"), to)
            publications = f"{warehouse.quoted(f'{prefix}memory')}.{warehouse.quoted('publications')}"
            warehouse.execute(
                f"""insert into {publications} (run_id, cycle_start, published_at, action)
                select
                    $run_id, $cycle_start,
                    greatest({warehouse.utc_now}, max(published_at) + interval '1 microsecond'),
                    'rollback'
                from {publications}""",
                {"run_id": chosen.run_id, "cycle_start": chosen.cycle_start},
            )
            said = {"cycle_start": chosen.cycle_start.isoformat(), "from_run": log[-1].run_id}
            record(warehouse, prefix, "rolled_back", f"cycle {chosen.cycle_start}", said, run_id=chosen.run_id)
        if isinstance(warehouse, DuckDBWarehouse):
            follow_rollback(warehouse.connection, prefix, project)
    finally:
        warehouse.close()
    return log[-1], chosen


def choose(log: Sequence[Publication], kept: frozenset[str], to: str | None) -> Publication:
    """The run to publish again, given the log (oldest first) and the runs that memory keeps; see rollback for the errors."""
    if not log:
        raise NbaError("nothing is published yet, so there is nothing to roll back")
    published = {row.run_id: row for row in log}
    if to is None:
        trail = _trail(log)
        if len(trail) < 2:
            raise NbaError(f"run {log[-1].run_id} is the first that was published: there is nothing before it to roll back to")
        chosen = published[trail[-2]]
    elif to == log[-1].run_id:
        raise NbaError(f"run {to} is the published one already")
    elif to in published:
        chosen = published[to]
    else:
        others = sorted(published.keys() - {log[-1].run_id})
        known = f" Runs that were: {', '.join(others)}." if others else ""
        problem = f"run {to} was never published, so it cannot be rolled back to" if to in kept else f"there is no run {to} in memory"
        raise NbaError(f"{problem}.{known}")
    if chosen.run_id not in kept:
        raise NbaError(f"run {chosen.run_id} is no longer kept in memory; choose another with --to")
    return Publication(chosen.run_id, chosen.cycle_start, "rollback")


def _trail(log: Sequence[Publication]) -> list[str]:
    """Runs from the first published to the present one, without those that were rolled back."""
    trail: list[str] = []
    for row in log:
        if row.action == "rollback" and row.run_id in trail:
            del trail[trail.index(row.run_id) + 1 :]
        elif not trail or trail[-1] != row.run_id:
            trail.append(row.run_id)
    return trail


def read_log(warehouse: Warehouse, schema: str) -> list[Publication]:
    """The log of a memory schema, oldest first; empty where there is none."""
    if not _has(warehouse, schema, "publications"):
        return []
    table = f"{warehouse.quoted(schema)}.{warehouse.quoted('publications')}"
    return [Publication(*row) for row in warehouse.rows(f"select run_id, cycle_start, action from {table} order by published_at")]


def read_kept(warehouse: Warehouse, schema: str) -> list[str]:
    """The runs that a memory schema keeps, newest cycle first, by run_id within one."""
    if not _has(warehouse, schema, "plan_summary"):
        return []
    rows = warehouse.rows(f"select distinct run_id, cycle_start from {warehouse.quoted(schema)}.{warehouse.quoted('plan_summary')}")
    return [run for run, _ in sorted(sorted(rows), key=lambda row: row[1], reverse=True)]


def read_pruned(warehouse: Warehouse, schema: str) -> frozenset[str]:
    """The runs whose large tables were deleted (nba_keep_runs): a plan without them cannot be read."""
    if not _has(warehouse, schema, "pruned_runs"):
        return frozenset()
    return frozenset(str(run) for (run,) in warehouse.rows(f"select run_id from {warehouse.quoted(schema)}.pruned_runs"))


def _has(warehouse: Warehouse, schema: str, name: str) -> bool:
    return any(table.name.lower() == name for table in warehouse.tables(schema))
