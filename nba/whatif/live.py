"""What the last build left: the problem it planned, and the plan that is live. Read on a read-only connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pandas as pd

    from optimization.problem import Problem
    from optimization.solve import Solution

# what a problem is made of, by room; rule tables are found by their names
STAGED = ("stg_hcp_master", "stg_catalog", "stg_engagement", "stg_prior_actions")
NEEDED = {"checks": ("run_config",), "staging": STAGED, "scores": ("score_impact",), "memory": ("plan_summary", "recommendations")}
BUILD_FIRST = "run `dbt build` first"


@dataclass(frozen=True)
class Live:
    """The problem of the last build and the plan that it is compared with.

    run_id, cycle_start: of the last build; published: run_id of the published run, None where nothing is; touches: the plan that this
    build kept (over pairs), None where it kept none; objective: of that plan as it was kept.
    """

    run_id: str
    cycle_start: str
    published: str | None
    problem: Problem
    touches: np.ndarray | None
    objective: float | None

    @property
    def name(self) -> str:
        """The plan that is compared with, in words."""
        if self.touches is None:
            return f"the plan of run {self.run_id}, solved again"
        if self.run_id == self.published:
            return f"the published plan (run {self.run_id}, cycle {self.cycle_start})"
        return f"the plan of the last build (run {self.run_id}, cycle {self.cycle_start}), which is not the published one"


@contextmanager
def warehouse(target: str | None, project_dir: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that cannot write; NbaError where no build was."""
    from nba.warehouse import open_file, resolve_target

    path = resolve_target(target, project_dir).path
    if not path.is_file():
        raise NbaError(f"there is no warehouse at {path}: {BUILD_FIRST}")
    connection = open_file(path, read_only=True)
    try:
        yield connection
    finally:
        connection.close()


def schema_prefix(project_dir: Path, switches: Mapping[str, Any]) -> str:
    """nba_schema_prefix of the switches, else of the project."""
    from nba.project import read_yaml

    given = switches.get("nba_schema_prefix")
    return str(read_yaml(project_dir / "dbt_project.yml").get("vars", {}).get("nba_schema_prefix", "") if given is None else given)


def read_live(connection: duckdb.DuckDBPyConnection, prefix: str) -> Live:
    """The last build's problem and plan. NbaError where a table of it is missing or its tables contradict the contract."""
    from nba.plan_inputs import planner_tables
    from nba.planning import plan_settings
    from optimization.build import build_problem
    from optimization.problem import PlanInputError

    there = _relations(connection)
    missing = [f"{prefix}{room}.{name}" for room, names in NEEDED.items() for name in names if (f"{prefix}{room}", name) not in there]
    if missing:
        raise NbaError(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not there: {BUILD_FIRST}, to its end")
    config = relation(connection, f"{prefix}checks", "run_config")
    row = config.df().iloc[0]
    rules = sorted(name for schema, name in there if schema == f"{prefix}staging" and name.startswith("stg_rule_"))
    tables = {name: relation(connection, f"{prefix}staging", name) for name in (*STAGED, *rules)}
    tables["score_impact"] = relation(connection, f"{prefix}scores", "score_impact")
    settings = plan_settings(config)
    try:
        problem = build_problem(planner_tables(tables, settings.cycle_start), settings)
    except PlanInputError as error:
        raise NbaError(f"the tables of the last build contradict each other: {error}. Run `dbt build` again") from error
    run_id = str(row["run_id"])
    touches, objective = _kept_plan(connection, prefix, run_id, problem)
    return Live(run_id, str(settings.cycle_start), _published(connection, prefix, there), problem, touches, objective)


def read_current_plan(connection: duckdb.DuckDBPyConnection, prefix: str) -> pd.DataFrame:
    """The field's own plan; NbaError where none was given."""
    name = (f"{prefix}staging", "stg_current_plan")
    frame = relation(connection, *name).df() if name in _relations(connection) else None
    if frame is None or frame.empty:
        raise NbaError("there is no current_plan in this build: load the table current_plan (hcp_id, channel, touches) and run `dbt build`")
    return frame


def baseline(live: Live, say: Callable[[str], None]) -> tuple[Solution, list[str]]:
    """(the live plan with the prices and bounds of its problem, notes on where it differs from the plan solved here)."""
    import numpy as np

    from optimization.checker import check_plan, objective_of, shortfalls, use_of
    from optimization.solve import gap_of, solve

    solved = solve(live.problem, say)
    if live.touches is None:
        return solved, []
    settled = replace(live.problem, settings=replace(live.problem.settings, floor_penalty=solved.floor_penalty))
    broken = check_plan(settled, live.touches)
    if broken:
        what = "; ".join(violation.label for violation in broken[:3])
        return solved, [f"the plan kept breaks the rules of the tables that are there now ({what}): compared with a new solve instead"]
    objective, penalty, _ = objective_of(settled, live.touches)
    notes = []
    if live.objective is not None and abs(objective - live.objective) > 1e-6 * max(1.0, abs(live.objective)):
        notes.append(f"the plan kept had the objective {live.objective:.6g}, with the scores that are there now {objective:.6g}")
    if np.array_equal(live.touches, solved.touches):
        return solved, notes
    upper, afresh = max(solved.upper_bound, objective - penalty), solved.objective - solved.penalty
    if objective - penalty < afresh - 2 * settled.settings.gap * abs(afresh):
        notes.append(f"solved afresh the same tables give {afresh:.6g}; the live plan is worth {objective - penalty:.6g}")
    use = np.array([use_of(settled, limit, live.touches) for limit in settled.limits])
    gap = gap_of(upper, objective - penalty)
    return replace(
        solved,
        touches=live.touches.astype(solved.touches.dtype),
        objective=objective,
        penalty=penalty,
        upper_bound=upper,
        gap=gap,
        status="optimal" if gap <= settled.settings.gap else "feasible",
        use=use,
        missing=shortfalls(settled, live.touches),
    ), notes


def relation(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> duckdb.DuckDBPyRelation:
    """A table or view as a relation."""
    from nba.warehouse import quoted

    return connection.sql(f"select * from {quoted(schema)}.{quoted(name)}")


def _relations(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    query = "select table_schema, table_name from information_schema.tables where table_catalog = current_database()"
    return set(connection.execute(query).fetchall())


def _published(connection: duckdb.DuckDBPyConnection, prefix: str, there: set[tuple[str, str]]) -> str | None:
    if (f"{prefix}memory", "publications") not in there:
        return None
    log = relation(connection, f"{prefix}memory", "publications").df().sort_values("published_at", kind="stable")
    return None if log.empty else str(log["run_id"].iloc[-1])


def _kept_plan(connection: duckdb.DuckDBPyConnection, prefix: str, run_id: str, problem: Problem) -> tuple[np.ndarray | None, float | None]:
    """(touches over pairs, objective) of the plan that memory keeps of a run; (None, None) where it keeps none."""
    import numpy as np
    import pandas as pd

    from nba.warehouse import quoted

    memory = quoted(f"{prefix}memory")
    header = connection.execute(f"select objective from {memory}.plan_summary where run_id = ?", [run_id]).df()
    if header.empty:
        return None, None
    planned = connection.execute(f"select hcp_id, channel, touches from {memory}.recommendations where run_id = ?", [run_id]).df()
    hcp, channel = pd.Index(problem.hcp_ids).get_indexer(planned["hcp_id"]), pd.Index(problem.channels).get_indexer(planned["channel"])
    if (hcp < 0).any() or (channel < 0).any():
        return None, None
    touches = np.zeros(problem.pair_count, dtype=np.int64)
    touches[hcp.astype(np.int64) * len(problem.channels) + channel] = planned["touches"].to_numpy(dtype=np.int64)
    return touches, float(header["objective"].iloc[0])
