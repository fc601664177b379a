"""What becomes of a mutated folder: refused in our words, stopped by one of our gates, or through; anything else is a defect."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shlex
import shutil
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from mutated_folders import Plan, valid_folder

from nba.errors import NbaError
from nba.load.command import LoadRequest, load_folder
from nba.load.problems import LoadError
from nba.project import find_project

ROOT = find_project(Path(__file__).parent)
TODAY = date(2026, 1, 5)
# rooms up to the features: what is read of a folder before anything is learned from it
FIRST_ROOMS = ("+path:models/staging", "+path:models/features")
GATES = re.compile(r"Compilation Error in model (gate_\w+)")
NUMBERED = re.compile(r"^\s*\d+\. .+ What to do: .+\.$")
# words of engines and of Python that no message of ours has
FOREIGN = re.compile(
    r"Traceback|\b\w+Exception\b|\b(Binder|Parser|Conversion|Catalog|IO|Runtime|Database|Constraint|Internal|Type|Value|Key|Index) Error\b"
    r"|(Type|Value|Key|Index|Attribute|Overflow|Unicode\w+)Error\b|LINE \d+:"
)


@dataclass(frozen=True)
class Outcome:
    """how: `refused`, `stopped`, `through` or `defect`; says: the message; line: variables of the build that the load ends with."""

    how: str
    says: str = ""
    variables: dict[str, Any] | None = None


class RememberedChecks:
    """The part of the project that a load checks with, parsed once: parsing takes most of a load's time, and is the same for all."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._manifest: Any = None

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Loads inside run their checks, really, on the one parsed project."""
        import dbt.cli.main as dbt_main

        import nba.load.checks as checks

        copy, runner = checks._part_of_project, dbt_main.dbtRunner
        checks._part_of_project = lambda project, place: self.folder if self.folder.exists() else copy(project, self.folder)
        dbt_main.dbtRunner = lambda: Remembering(self, runner)
        try:
            yield
        finally:
            checks._part_of_project, dbt_main.dbtRunner = copy, runner


class Remembering:
    """dbt's runner for one command, which parses only where nobody did."""

    def __init__(self, checks: RememberedChecks, runner: Any) -> None:
        self.checks, self.runner = checks, runner

    def invoke(self, words: list[str]) -> Any:
        if self.checks._manifest is None:
            ways = [
                word
                for name in ("--vars", "--project-dir", "--profiles-dir", "--target-path", "--log-path", "--log-level")
                for word in words[words.index(name) : words.index(name) + 2]
            ]
            self.checks._manifest = self.runner().invoke(["parse", *ways]).result
        return self.runner(manifest=self.checks._manifest).invoke(words)


class Mill:
    """Loads and builds folders, each on a copy of one warehouse with a good load in it, with one parse of the project for all."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.start = folder, folder / "nba.duckdb", folder / "start.duckdb"
        self.lines: list[str] = []
        self._manifest: Any = None
        self._checks = RememberedChecks(folder / "checks")
        first = self.load(valid_folder().write(folder / "valid"))
        assert first.how == "through", first.says
        shutil.copyfile(self.file, self.start)
        self._variables, self._has_seeds = first.variables or {}, False

    def _bring_seeds(self) -> None:
        """The first build brings the seeds, which `dbt run` leaves as they are, and shows that the valid folder builds."""
        shutil.copyfile(self.start, self.file)
        built = self.build(self._variables, "build")
        assert built.how == "through", built.says
        shutil.copyfile(self.file, self.start)
        self._has_seeds = True

    def load(self, folder: Path) -> Outcome:
        """`nba load` of one folder onto the copy; a refusal must leave the file as it was, to the byte."""
        self.lines = []
        if self.start.exists():
            shutil.copyfile(self.start, self.file)
        before = _hash(self.file)
        try:
            with self._checks.kept():
                load_folder(LoadRequest(folder=folder, project_dir=ROOT, today=TODAY), self.lines.append)
        except NbaError as error:
            return self._refusal(error, before)
        except BaseException:
            return Outcome("defect", traceback.format_exc())
        words = shlex.split(self.lines[-1])
        if words[:2] != ["dbt", "build"]:
            return Outcome("defect", f"the last line is no dbt build: {self.lines[-1]}")
        return Outcome("through", "", yaml.safe_load(words[words.index("--vars") + 1]))

    def _refusal(self, error: NbaError, before: str) -> Outcome:
        says = str(error)
        if _hash(self.file) != before or self.file.with_name("nba.duckdb.wal").exists():
            return Outcome("defect", f"refused, but the file changed: {says}")
        lines = says.splitlines()[1:] if isinstance(error, LoadError) else []
        wrong = [line for line in lines if not NUMBERED.match(line) and not line.startswith("The contents of the tables were not checked")]
        if wrong or FOREIGN.search(_own_words(says)) or "could not run" in says:
            return Outcome("defect", says)
        return Outcome("refused", says)

    def build(self, variables: dict[str, Any], how: str) -> Outcome:
        """`dbt run` of the first rooms, `dbt build` of them with their data tests, or of everything (how: run, build, whole):
        through, stopped by a gate, or a defect."""
        words = ["--quiet", "--no-print", "--no-write-json", "--vars", json.dumps(variables)]
        # unit tests do not look at what was loaded, but a build without them publishes nothing
        rooms = ["--select", *FIRST_ROOMS, "--exclude-resource-type", "unit_test"]
        command = {"run": ["run", "--select", *FIRST_ROOMS], "build": ["build", *rooms], "whole": ["build"]}[how]
        result = self._dbt([*command, *words])
        if result.success:
            return Outcome("through")
        if result.exception is not None and not hasattr(result.result, "results"):
            return Outcome("defect", str(result.exception))
        failed = [run for run in result.result.results if str(run.status) in ("error", "fail", "runtime error")]
        says = "\n".join(f"{run.node.name}: {run.message}" for run in failed)
        if len(failed) == 1 and GATES.search(says) and _lists(says):
            return Outcome("stopped", says)
        return Outcome("defect", says)

    def _dbt(self, words: list[str]) -> Any:
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        places = ["--project-dir", str(ROOT), "--profiles-dir", str(ROOT), "--target-path", str(self.folder / "target")]
        places += ["--log-path", str(self.folder / "logs"), "--log-level-file", "none"]
        before = os.environ.get("NBA_DUCKDB_PATH")
        os.environ["NBA_DUCKDB_PATH"] = str(self.file)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                if self._manifest is None:
                    first = '{"input_schema": "raw", "nba_cycle_start": "2026-01-05"}'
                    parsed = dbtRunner().invoke(["parse", "--vars", first, *places])
                    assert parsed.success, parsed.exception
                    self._manifest = parsed.result
                return dbtRunner(manifest=self._manifest).invoke([*words, *places])
        finally:
            DuckDBConnectionManager.close_all_connections()
            os.environ.pop("NBA_DUCKDB_PATH") if before is None else os.environ.__setitem__("NBA_DUCKDB_PATH", before)

    def run(self, plan: Plan, how: str = "run") -> Outcome:
        """Load the folder of a plan and, where that works, build the first rooms or all, as `build` says."""
        if not self._has_seeds:
            self._bring_seeds()
        place = self.folder / "folder"
        shutil.rmtree(place, ignore_errors=True)
        try:
            loaded = self.load(plan.folder().write(place / "given"))
            if loaded.how != "through":
                return loaded
            return self.build(loaded.variables or {}, how)
        finally:
            shutil.rmtree(place, ignore_errors=True)


def _hash(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else ""


def _own_words(says: str) -> str:
    """The message without the examples, which are the user's."""
    return re.sub(r"Examples: .*? What to do:", "What to do:", says)


def _lists(says: str) -> bool:
    """Whether a gate's message holds numbered lines with what to do."""
    return any("What to do:" in line for line in says.splitlines()) and not FOREIGN.search(
        _own_words(says).replace("Compilation Error", "")
    )
