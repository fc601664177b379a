"""The sub-command `nba load FOLDER`: read, check, and only then write."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError
from nba.plain_text import one_line

if TYPE_CHECKING:
    import duckdb

    from nba.load.checks import Findings
    from nba.load.folder import Listing
    from nba.load.problems import Problem
    from nba.project import Contract, Table
    from nba.warehouse import Warehouse

BIG_FILE_BYTES = 50_000_000
SCHEMA_PATTERN = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class LoadRequest:
    """What the user asked for. `today` is the only clock: periods that start after it are refused."""

    folder: Path
    schema: str = "raw"
    target: str | None = None
    project_dir: Path | None = None
    partial: bool = False
    replace_rules: bool = False
    switches: Mapping[str, Any] = field(default_factory=dict)
    today: date = field(default_factory=date.today)

    def __post_init__(self) -> None:
        if not SCHEMA_PATTERN.fullmatch(self.schema):
            raise NbaError(f"--schema {self.schema!r} is no schema name: use small letters, digits and underscores")
        if self.switches.get("input_schema", self.schema) != self.schema:
            raise NbaError(
                f"--vars names input_schema {self.switches['input_schema']}, but the tables go into schema {self.schema}: "
                "give --schema instead"
            )


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser(
        "load",
        help="load a folder of CSV or Parquet files into the warehouse, checked, all or nothing",
        description="Read <table>.csv or <table>.parquet (inputs and rules) of FOLDER, check them against the contract and put them "
        "into the schema, all or nothing.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument("--schema", default="raw", help="schema to load into (default: raw)")
    parser.add_argument("--partial", action="store_true", help="leave every table that the folder lacks as it is")
    parser.add_argument(
        "--replace-rules",
        action="store_true",
        help="let the folder be all the rules: empty files, and without --partial missing files, empty the rule tables that are there",
    )
    parser.add_argument(
        "--vars", default="{}", help="switches of the build, as for dbt, that the checks should know, e.g. '{unknown_hcp: drop}'"
    )
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def parse_switches(text: str) -> dict[str, Any]:
    """The --vars text as a mapping; NbaError when it is none."""
    import yaml

    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise NbaError(f"--vars is not valid YAML: {text}") from error
    if not isinstance(found, dict):
        raise NbaError(f"--vars is not a mapping: {text}")
    return {str(name): str(value) if isinstance(value, date) else value for name, value in found.items()}


def run(args: argparse.Namespace) -> int:
    """Load the folder of the command line; messages go to stdout, errors are raised as NbaError."""
    request = LoadRequest(
        folder=args.folder,
        schema=args.schema,
        target=args.target,
        project_dir=args.project_dir,
        partial=args.partial,
        replace_rules=args.replace_rules,
        switches=parse_switches(args.vars),
    )
    load_folder(request, lambda line: print(one_line(line), file=sys.stdout, flush=True))
    return 0


def load_folder(request: LoadRequest, say: Callable[[str], None]) -> None:
    """Read, check and write one folder; `say` gets each line for the user.

    Raises LoadError with the numbered list of all problems, or NbaError when files, project or target cannot be used. Either way the
    target is as it was.
    """
    from nba.load.folder import list_folder
    from nba.project import built_schemas, find_project, read_contract
    from nba.roles import configured_roles
    from nba.warehouse import connect

    project_dir = find_project(request.project_dir)
    if request.schema in built_schemas(project_dir):
        raise NbaError(f"schema {request.schema} is written by the build itself: choose another --schema")
    contract = read_contract(project_dir)
    listing = list_folder(request.folder, contract)
    for note in listing.notes:
        say(f"Note: {note}.")
    work_dir = Path(tempfile.mkdtemp(prefix="nba_load_"))
    try:
        target = connect(request.target, project_dir, configured_roles(project_dir, request.switches).get("builder"))
        try:
            _Load(request, project_dir, contract, listing, target, work_dir, say).run()
        finally:
            target.close()
    finally:
        shutil.rmtree(work_dir, ignore_errors=True)


@dataclass
class _Load:
    """One load on its way: what came from the folder, what is kept, what is created."""

    request: LoadRequest
    project_dir: Path
    contract: Contract
    listing: Listing
    target: Warehouse
    work_dir: Path
    say: Callable[[str], None]
    existing: dict[str, int] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    created: list[str] = field(default_factory=list)
    emptied: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def scratch_file(self) -> Path:
        return self.work_dir / "scratch.duckdb"

    def run(self) -> None:
        """The order matters: everything is read and checked before the first write."""
        from nba.load.storable import unstorable
        from nba.load.write import existing_rows, replace_tables
        from nba.warehouse import open_file
        from nba.whatif.live import schema_prefix

        self.target.hold(self.request.schema)
        self.existing = existing_rows(self.target, self.request.schema, self.contract)
        self.problems += self.listing.problems
        scratch = open_file(self.scratch_file)
        try:
            scratch.execute("set preserve_insertion_order = true; create schema if not exists raw")
            self._read_files(scratch)
            self._complete(scratch)
            self.problems += unstorable(scratch, self.target.limits, self.written)
        finally:
            scratch.close()
        findings = self._check()
        written = {self.contract.table(name): rows for name, rows in self.written.items()}
        prefix = schema_prefix(self.project_dir, self.request.switches)
        replace_tables(self.target, self.scratch_file, self.request.schema, written, self.say, prefix)
        self._close(findings)

    def _read_files(self, scratch: duckdb.DuckDBPyConnection) -> None:
        from nba.load.tables import read_table

        for file in self.listing.files:
            size = file.path.stat().st_size
            if size > BIG_FILE_BYTES:
                self.say(f"reading {file.path.name} ({size / 1e6:,.0f} MB) ...")
            rows, problems = read_table(scratch, file, self.contract.table(file.table), self.request.today)
            self.problems += problems
            # rows that could not be split into fields are missing, and the checks would blame other tables for it
            if any(not problem.column for problem in problems):
                self.unreadable.append(file.table)
            if rows is None:
                continue
            self.say(f"read {file.path.name}: {rows:,} {'row' if rows == 1 else 'rows'}")
            self.written[file.table] = rows
            if rows == 0 and self.contract.table(file.table).kind == "rules":
                self._empty_rule(file.table)

    def _empty_rule(self, table: str) -> None:
        """An empty file empties a table that holds rules only when the user says so."""
        from nba.load.problems import Problem

        rows = self.existing.get(table, 0)
        if rows and not self.request.replace_rules:
            problem = f"would be emptied: the file has no rows, but {self.request.schema}.{table} holds {rows}"
            self.problems.append(
                Problem(table, "", None, "", problem, "give --replace-rules to empty it, or leave the file out to keep it")
            )
        elif rows:
            self.emptied.append(table)

    def _complete(self, scratch: duckdb.DuckDBPyConnection) -> None:
        """What the folder lacks: kept from the target, created empty, or missing."""
        from nba.load.problems import Problem
        from nba.load.write import copy_existing, create_empty_sql, refuse_views

        for table in self.contract.tables:
            if table.name in self.listing.tables:
                continue
            if self._is_kept(table):
                copy_existing(self.target, self.request.schema, scratch, table.name)
                self.kept[table.name] = self.existing[table.name]
            elif table.kind == "rules":
                (self.emptied if self.existing.get(table.name) else self.created).append(table.name)
                scratch.execute(create_empty_sql("raw", table))
                self.written[table.name] = 0
            elif table.required:
                self.unreadable.append(table.name)
                where = (
                    f"neither the folder nor schema {self.request.schema} has it" if self.request.partial else "the folder does not have it"
                )
                what = f"add {table.name}.csv or {table.name}.parquet" + (
                    "" if self.request.partial else ", or give --partial to keep what is loaded already"
                )
                self.problems.append(Problem(table.name, "", None, "", f"is missing: {where}", what))
        refuse_views(self.target, self.request.schema, self.written)

    def _is_kept(self, table: Table) -> bool:
        if table.name not in self.existing:
            return False
        if self.request.partial:
            return True
        if table.kind == "rules":
            return not (self.request.replace_rules and self.existing[table.name])
        return not table.required

    def _check(self) -> Findings:
        """All problems together, or the findings of the checks when there are none."""
        from nba.load.checks import run_checks
        from nba.load.problems import LoadError

        if self.unreadable or self.listing.problems:
            raise LoadError(self.problems, "The contents of the tables were not checked yet: that needs all files readable.")
        self.say("checking the contents ...")
        findings = run_checks(self.scratch_file, self.project_dir, self.request.switches, self.work_dir)
        # a cell that could not be read is null by now: what follows from that is not said again
        said = {(problem.table, problem.column) for problem in self.problems if problem.is_cell_lost}
        self.problems += [problem for problem in findings.errors if (problem.table, problem.column) not in said]
        if self.problems:
            raise LoadError(self.problems)
        return findings

    def _close(self, findings: Findings) -> None:
        from nba.load.closing import EMPTY_DATE, build_line, next_cycle_start

        for note in findings.notes:
            self.say(f"Note: {note.line()}")
        counts = {**self.written, **self.kept}
        self.say(f"Loaded into schema {self.request.schema}:")
        for name in self.contract.names:
            if name in counts and name not in self.created:
                state = "stays as it is" if name in self.kept else "emptied" if name in self.emptied else "written"
                self.say(f"  {name}: {counts[name]:,} {'row' if counts[name] == 1 else 'rows'}, {state}")
        self._close_rules(counts)
        cycle_start = next_cycle_start(findings.newest_period, findings.grain)
        self.say("Next:" if cycle_start != EMPTY_DATE else "Next (put in the first day of the cycle):")
        self.say(build_line(self.request.schema, cycle_start, self.request.switches, self.request.target))

    def _close_rules(self, counts: Mapping[str, int]) -> None:
        from nba.load.closing import consent_line
        from nba.warehouse import open_file

        unused = [table.name for table in self.contract.rules if not counts.get(table.name) and table.name != "rule_consent"]
        for words, names in (("Created empty, so not used", set(self.created)), ("Empty, so not used", set(unused) - set(self.created))):
            if names & set(unused):
                self.say(f"{words}: {', '.join(name for name in unused if name in names)}.")
        if not counts.get("rule_consent"):
            scratch = open_file(self.scratch_file, read_only=True)
            try:
                self.say(consent_line(scratch))
            finally:
                scratch.close()
