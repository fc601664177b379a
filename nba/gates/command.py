"""The sub-command `nba quality`: what the gates found in the last build, as lines and, on request, as pages. It writes no table."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nba.warehouse import Warehouse

# side of the house -> tables of schema checks: results, profile, profile of the last good run
TABLES = {
    "inputs": ("input_quality", "profile_inputs", "profile_inputs_before"),
    "plan": ("plan_quality", "profile_plan", "profile_plan_before"),
}


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser(
        "quality",
        help="show what the gates found in the last build",
        description="What Great Expectations found about the inputs and the plan of the last build, also of one that a gate stopped.",
    )
    parser.add_argument("--pages", type=Path, metavar="FOLDER", help="also write the data docs of Great Expectations")
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument("--vars", default="{}", help="switches of the build, as for dbt; nba_schema_prefix is read")
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def run(args: argparse.Namespace) -> int:
    """Print the findings; exit status 1 where an expectation stopped the build."""
    from nba.load.command import parse_switches
    from nba.project import find_project
    from nba.warehouse import reading
    from nba.whatif.live import schema_prefix

    project = find_project(args.project_dir)
    schema = f"{schema_prefix(project, parse_switches(args.vars))}checks"
    with reading(args.target, project) as warehouse:
        run_id = _run_id(warehouse, schema)
        results = [row for side in TABLES for row in _results(warehouse, schema, side, run_id)]
        print("\n".join(lines(run_id, results)))
        if args.pages is not None:
            print(f"\nData docs in {_write_pages(warehouse, schema, run_id, args.pages)}.")
    return int(any(row["status"] == "not_met" and row["severity"] == "error" for row in results))


def lines(run_id: str, results: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was found, in words: counts for each table, then everything that did not hold."""
    before = sorted({row["compared_with"] for row in results if row["compared_with"]})
    told = [f"Run {run_id}, {'compared with ' + ', '.join(before) if before else 'with no earlier run to compare with'}."]
    for table in dict.fromkeys(row["table_name"] for row in results):
        found = [row["status"] for row in results if row["table_name"] == table]
        kinds = [
            f"{found.count(status)} {status.replace('_', ' ')}" for status in ("met", "not_met", "not_evaluated", "off") if status in found
        ]
        told.append(f"  {table}: {', '.join(kinds)}")
    broken = sorted((row for row in results if row["status"] == "not_met"), key=lambda row: (row["severity"], row["table_name"]))
    for row in broken:
        place = row["table_name"] + (f".{row['column_name']}" if row["column_name"] else "")
        examples = f" Examples: {row['examples']}." if row["examples"] else ""
        told.append(f"{row['severity']}: {place} {row['problem']}.{examples} What to do: {row['what_to_do']}.")
    return told


def _run_id(warehouse: Warehouse, schema: str) -> str:
    from nba.errors import NbaError

    there = {table.name.lower() for table in warehouse.tables(schema)}
    missing = [name for name in ("run_config", *TABLES["inputs"]) if name not in there]
    if missing:
        raise NbaError(f"{schema}.{missing[0]} is not there: run `dbt build` or `make quality` first (gates do not run on Snowflake)")
    return str(warehouse.rows(f"select run_id from {_place(warehouse, schema, 'run_config')}")[0][0])


def _results(warehouse: Warehouse, schema: str, side: str, run_id: str) -> list[dict[str, Any]]:
    """Results of this run; none where the build did not get so far."""
    table = TABLES[side][0]
    if table not in {found.name.lower() for found in warehouse.tables(schema)}:
        return []
    found = warehouse.query(f"select * from {_place(warehouse, schema, table)} where run_id = $run_id", {"run_id": run_id})
    return found.to_pylist()


def _write_pages(warehouse: Warehouse, schema: str, run_id: str, folder: Path) -> Path:
    from nba.gates.limits import Limits
    from nba.gates.pages import write_pages
    from nba.gates.quality import suites

    config = warehouse.query(f"select * from {_place(warehouse, schema, 'run_config')}").to_pylist()[0]
    made = []
    for side, (_, now, before) in TABLES.items():
        if _results(warehouse, schema, side, run_id):
            profiles = [warehouse.query(f"select * from {_place(warehouse, schema, name)}") for name in (now, before)]
            made += suites(side, config, *profiles)
    return write_pages(made, Limits.of_run(config), folder)


def _place(warehouse: Warehouse, schema: str, table: str) -> str:
    return f"{warehouse.quoted(schema)}.{warehouse.quoted(table)}"
