"""The publishing house with rows enough for a node to take a moment, on either engine, and builds of it that can be struck anywhere."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from postgres_server import PostgresServer
from published_content import content_hashes
from publishing_house import ROOT, columns_of
from roles_house import RUN_LEVEL
from serving_house import build_serving_house

CYCLE = "2026-01-05"
REF = re.compile(r"""ref\(['"](\w+)['"]""")
# Tables that only filter, that do more, that are large, and one for each run.
KEPT = {"hcps", "recommendations", "recommendation_reasons", "hcp_channel_scores", "rejections"}
KEPT |= {"plan_summary", "plan_history", "model_performance"}
# Nothing is pruned: every row that is gone was lost.
KEEP = "nba_keep_runs: 1000"
VALUES = {"double precision": "row.n * 0.37", "integer": "row.n", "text": "'text ' || row.n", "date": "run.cycle_start"}
MEMORY = "select table_name from information_schema.columns where table_schema = 'memory' and column_name = 'run_id' order by 1"
ENDS = (" OK ", " PASS ", " ERROR ", " FAIL ", " SKIP ")
OTHERS = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"


class Build:
    """A `dbt` command in a process of its own, whose output is read as it comes."""

    def __init__(self, words: Sequence[str], folder: Path, environment: dict[str, str]) -> None:
        self.lines: list[str] = []
        self.moments: list[float] = []
        program = str(Path(sys.executable).parent / "dbt")
        given = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", **environment}
        self.process = subprocess.Popen(
            [program, *words], cwd=folder, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def go_on(self, nodes: int | None = None) -> bool:
        """Read until so many nodes have started (None: to the end); whether they have."""
        assert self.process.stdout
        while nodes is None or self.started < nodes:
            line = self.process.stdout.readline()
            if not line:
                return False
            self.lines.append(line)
            self.moments.append(time.monotonic())
        return True

    def finish(self) -> int:
        """Read to the end; the exit code."""
        self.go_on()
        return self.process.wait()

    def kill(self) -> bool:
        """End it as `kill -9` does and read what it had said; False if it had ended by itself."""
        self.process.kill()
        return self.finish() == -signal.SIGKILL

    @property
    def said(self) -> str:
        return "".join(self.lines)

    @property
    def started(self) -> int:
        return sum(" START " in line for line in self.lines)

    @property
    def is_inside_a_node(self) -> bool:
        """Whether a node had started and not ended when the output stopped."""
        ended = sum(any(word in line for word in ENDS) and " of " in line for line in self.lines)
        return self.started > ended

    def timetable(self) -> list[tuple[float, str]]:
        """Seconds from the first start of a node to each start, and the line; last the end of the build."""
        starts = [(moment, line) for moment, line in zip(self.moments, self.lines, strict=True) if " START " in line]
        first = starts[0][0]
        return [(moment - first, line) for moment, line in starts] + [(self.moments[-1] - first, "end")]


@dataclass(frozen=True)
class Moment:
    """When to strike: `seconds` after so many `nodes` have started."""

    nodes: int
    seconds: float

    def wait(self, build: Build) -> bool:
        """Let the build come that far; False if it ended before."""
        if not build.go_on(self.nodes):
            return False
        time.sleep(self.seconds)
        return True


def moments(timetable: Sequence[tuple[float, str]], count: int, draw: random.Random) -> list[Moment]:
    """Moments spread over an undisturbed build: every second one anywhere, the others from the first write to memory on."""
    starts = [seconds for seconds, _ in timetable[:-1]]
    remembering = next(seconds for seconds, line in timetable if ".memory" in line or "memory." in line)
    found = []
    for number in range(count):
        strike = draw.uniform(remembering if number % 2 else starts[0], timetable[-1][0])
        nodes = sum(seconds <= strike for seconds in starts)
        found.append(Moment(nodes, strike - starts[nodes - 1]))
    return found


@dataclass
class RecoveryHouse:
    """A dbt project in `folder` that publishes for real, on DuckDB, or on PostgreSQL where `server` is given."""

    folder: Path
    server: PostgresServer | None = None
    database: str = ""
    views: int = 0
    file: Path = field(init=False)

    def __post_init__(self) -> None:
        self.file = self.folder / "house.duckdb"

    @property
    def engine(self) -> str:
        return "postgres" if self.server else "duckdb"

    @property
    def serving_file(self) -> Path:
        return self.file.with_name("house_published.duckdb")

    @property
    def environment(self) -> dict[str, str]:
        place = self.server.env(self.database) if self.server else {"NBA_DUCKDB_PATH": str(self.file)}
        return {**place, "DBT_PROFILES_DIR": str(self.folder)}

    def start(self, command: str = "build", own: str = "", cycle: str = CYCLE, **environment: str) -> Build:
        """A dbt command on its way; `own`: a name for target and logs of their own, for builds side by side."""
        paths = ["--target-path", f"target_{own}", "--log-path", f"logs_{own}"] if own else []
        given = [] if command == "retry" else ["--vars", f'{{nba_cycle_start: "{cycle}", {KEEP}}}']
        words = [command, "--target", self.engine, *given, *paths]
        return Build(words, self.folder, {**self.environment, **environment})

    def build(self, command: str = "build") -> Build:
        """A dbt command, undisturbed, that must succeed."""
        build = self.start(command)
        assert build.finish() == 0, build.said
        return build

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        if self.server:
            return self.server.run_sql(self.database, query)
        return rows_of(self.file, query)

    def pointer(self) -> tuple[Any, ...]:
        """(number of publications, newest run_id)."""
        return self.rows(
            "select (select count(*) from memory.publications), run_id from memory.publications order by published_at desc limit 1"
        )[0]

    def content(self, exempt: Iterable[str] | None = ()) -> dict[str, str]:
        """A hash of every published view over all its columns but `exempt` (None: those of the contract)."""
        left_out = None if exempt is None else set(exempt)
        return content_hashes(self.rows, exempt=left_out, least=self.views, is_history_whole=exempt is not None)

    def served(self) -> dict[str, str] | None:
        """The same of the serving file; None where there is none."""
        if self.server or not self.serving_file.exists():
            return None
        return content_hashes(lambda text: rows_of(self.serving_file, text), exempt=set(), least=self.views, is_history_whole=True)

    def remembered(self) -> dict[tuple[str, str], int]:
        """Rows of memory by table and run."""
        tables = sorted({table for (table,) in self.rows(MEMORY) if "__dbt_" not in table})
        counted = " union all ".join(f"select '{table}', run_id, count(*) from memory.{table} group by run_id" for table in tables)
        return {(table, run): count for table, run, count in self.rows(counted)}

    def doubled(self) -> list[str]:
        """Memory tables that hold a row twice: none ever should, and the log of publications may name a run again."""
        tables = sorted({table for (table,) in self.rows(MEMORY) if table != "publications" and "__dbt_" not in table})
        found = []
        for table in tables:
            ((rows, different),) = self.rows(
                f"select (select count(*) from memory.{table}), (select count(*) from (select distinct * from memory.{table}) as apart)"
            )
            found += [table] if rows != different else []
        return found

    def leftovers(self) -> list[str]:
        """Relations and files that dbt or the copy for readers put aside and did not clear away."""
        there = "select table_name from information_schema.tables where table_schema in ('memory', 'published')"
        names = [name for (name,) in self.rows(there) if "__dbt_" in name]
        return names + [file.name for file in self.folder.glob(f".{self.serving_file.name}.*")]

    def wait_for_quiet(self, seconds: float = 60) -> None:
        """Until the server has ended what the killed build left running there."""
        ends = time.monotonic() + seconds
        while self.server and self.rows(OTHERS) != [(0,)]:
            assert time.monotonic() < ends, self.rows("select pid, state, query from pg_stat_activity")
            time.sleep(0.05)


def rows_of(file: Path, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query on a DuckDB file, opened for reading."""
    import duckdb

    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(query).fetchall()


def build_recovery_house(folder: Path, rows: int, server: PostgresServer | None = None, database: str = "") -> RecoveryHouse:
    """The project's real last rooms, a few tables of each kind as a strike costs a build, over marts of so many rows. Nothing is built."""
    build_serving_house(folder)
    _thin_out(folder)
    for path in (folder / "models" / "marts").glob("*.sql"):
        columns = columns_of(ROOT / "models" / "marts" / f"{path.stem}.yml")
        path.write_text(_stub(columns, 1 if path.stem in RUN_LEVEL else rows))
    if server:
        server.create_database(database)
    return RecoveryHouse(folder, server, database, len(list((folder / "models" / "published").glob("*.sql"))))


def _thin_out(folder: Path) -> None:
    """Take out of a copied project the memory and published tables that are not in KEPT, what hangs on them, and what they alone read."""
    models = {path.stem: path for path in (*folder.glob("models/**/*.sql"), *folder.glob("python_models/**/*.py"))}
    by_macros = {name for path in folder.glob("macros/**/*.sql") for name in REF.findall(path.read_text())}
    gone = {name for name in models if name.startswith(("memory__", "published__")) and name.split("__")[1] not in KEPT} - by_macros
    for last in ("publish", "serving_file"):
        lines = models[last].read_text().splitlines(keepends=True)
        models[last].write_text("".join(line for line in lines if not gone & set(REF.findall(line))))
    read = {name: set(REF.findall(path.read_text())) for name, path in models.items()}
    while more := {name for name in read.keys() - gone if gone & read[name]}:
        gone |= more
    stubs = {name for name, path in models.items() if path.parent.name not in ("memory", "published", "retention", "serving")}
    gone |= stubs - by_macros - set().union(*(read[name] for name in read.keys() - gone))
    tests = [path for path in folder.glob("tests/data/*.sql") if gone & set(REF.findall(path.read_text()))]
    for path in [models[name] for name in gone] + tests:
        path.unlink()
        path.with_suffix(".yml").unlink(missing_ok=True)


def _stub(columns: dict[str, str], rows: int) -> str:
    facts = {"run_id": "run.run_id", "hcp_id": "'H' || row.n", "recommendation_id": "'A' || row.n", "touches": "1", "channel": "'email'"}
    cells = [f"cast({facts.get(name, VALUES.get(kind, 'null'))} as {kind}) as {name}" for name, kind in columns.items()]
    return (
        "with run as (select * from {{ ref('run_config') }}),\n\n"
        f"row as (select n from generate_series(1, {rows}) as numbers(n))\n\n"
        f"select\n    {', '.join(cells)}\nfrom run\ncross join row\n"
    )
