"""What the last build left: the problem it planned, and the plan that is live. Read on a read-only connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from nba.warehouse import Relation, Warehouse
    from optimization.problem import Problem
    from optimization.solve import Solution

# what a problem is made of, by room; rule tables are found by their names
STAGED = ("stg_hcp_master", "stg_catalog", "stg_engagement", "stg_prior_actions")
NEEDED = {"checks": ("run_config",), "staging": STAGED, "scores": ("score_impact",), "memory": ("plan_summary", "recommendations")}


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


def schema_prefix(project_dir: Path, switches: Mapping[str, Any]) -> str:
    """nba_schema_prefix of the switches, else of the project."""
    from nba.project import read_yaml

    given = switches.get("nba_schema_prefix")
    return str(read_yaml(project_dir / "dbt_project.yml").get("vars", {}).get("nba_schema_prefix", "") if given is None else given)


def read_live(warehouse: Warehouse, prefix: str) -> Live:
    """The last build's problem and plan. NbaError where a table of it is missing or its tables contradict the contract."""
    from nba.arms.draw import ArmsError
    from nba.arms.run import arms_of_run
    from nba.plan_inputs import as_frame, planner_tables
    from nba.planning import plan_settings
    from nba.warehouse.door import BUILD_FIRST
    from optimization.build import build_problem
    from optimization.problem import PlanInputError

    there = _stored(warehouse)
    missing = [f"{prefix}{room}.{name}" for room, names in NEEDED.items() for name in names if (f"{prefix}{room}", name) not in there]
    if missing:
        raise NbaError(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not there: {BUILD_FIRST}, to its end")
    config = as_frame(relation(warehouse, f"{prefix}checks", "run_config"))
    row = config.iloc[0]
    staged = (name for schema, name in there if schema == f"{prefix}staging")
    rules = sorted(name for name in staged if name.startswith("stg_rule_") or name == "stg_suppressions")
    tables = {name: relation(warehouse, f"{prefix}staging", name) for name in (*STAGED, *rules)}
    tables["score_impact"] = relation(warehouse, f"{prefix}scores", "score_impact")
    settings = plan_settings(config)
    if (f"{prefix}plan", "draw_arms") in there:  # a build of an older version drew none
        tables["draw_arms"] = relation(warehouse, f"{prefix}plan", "draw_arms")
    try:
        problem = arms_of_run(build_problem(planner_tables(tables, settings.cycle_start), settings), tables).problem
    except (PlanInputError, ArmsError) as error:
        raise NbaError(f"the tables of the last build contradict each other: {error}. Run `dbt build` again") from error
    run_id = str(row["run_id"])
    touches, objective = _kept_plan(warehouse, prefix, run_id, problem)
    return Live(run_id, str(settings.cycle_start), _published(warehouse, prefix), problem, touches, objective)


def read_current_plan(warehouse: Warehouse, prefix: str) -> pd.DataFrame:
    """The field's own plan; NbaError where none was given."""
    from nba.plan_inputs import as_frame

    name = (f"{prefix}staging", "stg_current_plan")
    frame = as_frame(relation(warehouse, *name)) if name in _stored(warehouse) else None
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


def relation(warehouse: Warehouse, schema: str, name: str) -> Relation:
    """A table or view that is read when the planner asks for it."""
    from nba.warehouse import Relation

    return Relation(warehouse, schema, name)


def _stored(warehouse: Warehouse) -> set[tuple[str, str]]:
    return {(table.schema, table.name) for table in warehouse.tables()}


def _published(warehouse: Warehouse, prefix: str) -> str | None:
    from nba.rollback import read_log

    log = read_log(warehouse, f"{prefix}memory")
    return log[-1].run_id if log else None


def _kept_plan(warehouse: Warehouse, prefix: str, run_id: str, problem: Problem) -> tuple[np.ndarray | None, float | None]:
    """(touches over pairs, objective) of the plan that memory keeps of a run; (None, None) where it keeps none."""
    import numpy as np
    import pandas as pd

    def kept(columns: str, name: str) -> pd.DataFrame:
        table = f"{warehouse.quoted(f'{prefix}memory')}.{warehouse.quoted(name)}"
        return warehouse.query(f"select {columns} from {table} where run_id = $run_id", {"run_id": run_id}).to_pandas()

    header = kept("objective", "plan_summary")
    if header.empty:
        return None, None
    planned = kept("hcp_id, channel, touches", "recommendations")
    hcp, channel = pd.Index(problem.hcp_ids).get_indexer(planned["hcp_id"]), pd.Index(problem.channels).get_indexer(planned["channel"])
    if (hcp < 0).any() or (channel < 0).any():
        return None, None
    touches = np.zeros(problem.pair_count, dtype=np.int64)
    touches[hcp.astype(np.int64) * len(problem.channels) + channel] = planned["touches"].to_numpy(dtype=np.int64)
    return touches, float(header["objective"].iloc[0])
