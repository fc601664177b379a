"""The sub-command `nba replay RUN_ID`: build a past plan again, from the inputs, the memory, the switches and the code that it had."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError

if TYPE_CHECKING:
    from nba.audit.past import PastRun

ALIKE, UNLIKE = 0, 1


@dataclass(frozen=True)
class Difference:
    """A table in which the plan that was built again is another; `rows_apart`: rows that one side only has, None where the old are gone."""

    table: str
    rows_before: int | None
    rows_again: int
    rows_apart: int | None

    def line(self) -> str:
        """For the report."""
        before = "?" if self.rows_before is None else f"{self.rows_before:,}"
        apart = "its rows are no longer kept" if self.rows_apart is None else f"{self.rows_apart:,} rows stand on one side only"
        return f"  {self.table}: {before} rows then, {self.rows_again:,} now; {apart}"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser(
        "replay",
        help="build a past plan again and compare it",
        description="Build RUN_ID again from its kept inputs, memory as it was, its switches and this code, beside the warehouse, and "
        "compare the hash of every published table. Status 1 where one differs.",
    )
    parser.add_argument("run_id", metavar="RUN_ID", help="run to build again; `first` and `published` name runs as well")
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument("--vars", default="{}", help="nba_schema_prefix of the rooms; the other switches are those of the run")
    parser.add_argument("--any-code", action="store_true", help="go on although the code is not the one that built the run")
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def run(args: argparse.Namespace) -> int:
    """Replay as the command line says; 0 where every table is the same, 1 where one is not."""
    from nba.load.command import parse_switches
    from nba.project import find_project
    from nba.whatif.live import schema_prefix

    project = find_project(args.project_dir)
    prefix = schema_prefix(project, parse_switches(args.vars))
    past, differences = replay(args.run_id, args.target, project, prefix, args.any_code, print)
    if not differences:
        print(f"Equal: run {past.run_id} built again gives the same {len(past.hashes)} published tables, hash for hash.")
        return ALIKE
    print(f"Not equal: run {past.run_id} built again differs in {len(differences)} of {len(past.hashes)} published tables:")
    for difference in differences:
        print(difference.line())
    return UNLIKE


def replay(run_id: str, target: str | None, project: Path, prefix: str, any_code: bool, say: Any) -> tuple[PastRun, list[Difference]]:
    """Build a run again; the run as it is recorded, and the tables that differ. `say` gets lines for the user.

    Nothing of the warehouse changes: on DuckDB the build goes into a file of its own, on PostgreSQL into schemas with a prefix of their
    own, deleted afterwards. NbaError where the run is unknown, its inputs are not kept, or the code is another and `any_code` is false.
    """
    from nba.audit.past import read_past_run
    from nba.audit.stage import open_stage
    from nba.warehouse import reading, resolve_target

    resolved = resolve_target(target, project)
    if resolved.engine == "snowflake":
        raise NbaError("runs are not built again on Snowflake: their inputs are not kept there (docs/audit.md)")
    with reading(target, project) as warehouse:
        past = read_past_run(warehouse, prefix, run_id)
    check_code(past, any_code, say)
    say(f"Building run {past.run_id} of cycle {past.cycle_start} again ...")
    with (
        tempfile.TemporaryDirectory(prefix="nba_replay_") as folder,
        open_stage(resolved, project, prefix, past, Path(folder)) as stage,
    ):
        stage.build()
        again = stage.contents()
        differing = [name for name, told in past.hashes.items() if again[name].content_hash != told]
        return past, [Difference(name, stage.rows_before(name), again[name].rows, stage.rows_apart(name)) for name in differing]


def check_code(past: PastRun, any_code: bool, say: Any) -> None:
    """NbaError, or with `any_code` a line, where the shipped files are not those that built the run."""
    from nba.versions import code_version

    now = code_version()
    if past.code_version == now:
        return
    told = f"run {past.run_id} was built by code {past.code_version}, this is {now}"
    if not any_code:
        raise NbaError(
            f"{told}. What to do: check out the version that has that code (plan_summary.code_version), or give --any-code to see what "
            "this code makes of it"
        )
    say(f"Note: {told}; differences may come from that.")
