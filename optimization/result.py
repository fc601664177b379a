"""The answer of the planner, and `plan`, which builds, prices, solves, checks and explains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from optimization.arms import shadow_channels
from optimization.build import build_problem
from optimization.checker import objective_of
from optimization.plan_tables import actions_frame, blocks_table, limits_frame, pairs_table, reps_frame
from optimization.problem import PlanSettings, Problem
from optimization.reasons import explain, silent

if TYPE_CHECKING:
    import pyarrow as pa

    from optimization.solve import Solution


@dataclass(frozen=True)
class PlanResult:
    """What `plan` returns. KPI units unless said otherwise; a field that does not apply is None or nan.

    status: `optimal` (proven gap within settings.gap), `feasible` (stopped at the node limit) or `conflict` (no plan exists: only
    `conflicts`, `pairs`, `blocks` and `warnings` speak, the numbers are nan).
    solve_gap: gap of the solve before any step towards an earlier plan; stability_cost: what that step gave up.
    expected_impact: sum of touches x stand-alone impact; actions_count: planned pairs, whatever their touches.
    actions: one row per planned pair: hcp_id, channel, territory_id, rep_id, touches, plan_value, price_cost, cost, rep_minutes,
    priority, rep_priority, earliest_date, latest_date, by priority; totals over the pair's touches.
    limits: one row per shared limit: its key, unit, limit_value, used, price, for floors requested, effective, shortfall, hardness, and
    where they were worked out step (smallest loosening that lets one more action in) and step_gain.
    reps: rep_id, used (minutes), limit_value (minutes, nan without a limit), touches on channels that take a rep's time.
    pairs (Arrow): every HCP x channel: the numbers of an action (0 where nothing is planned), is_eligible, blocked_by, earliest_date,
    latest_date, reason_kind, rule, limit_id, value_short. blocks (Arrow): hcp_id, channel, rule, detail. Text of both is coded
    (dictionary columns). conflicts: see `conflicts.diagnose`. problem: what was solved. shadow (hcps): see `arms.shadow_channels`.
    """

    status: str
    objective: float
    penalty: float
    upper_bound: float
    price_bound: float
    gap: float
    solve_gap: float
    stability_cost: float
    expected_impact: float
    total_cost: float
    actions_count: int
    hcps_reached: int
    solver: str
    limits: pd.DataFrame
    reps: pd.DataFrame
    pairs: pa.Table
    blocks: pa.Table
    conflicts: pd.DataFrame
    warnings: list[str]
    problem: Problem
    shadow: np.ndarray | None = None

    @cached_property
    def actions(self) -> pd.DataFrame:
        """The planned pairs, by priority."""
        return actions_frame(self.problem, self.pairs)


def plan(tables: Mapping[str, pd.DataFrame], settings: PlanSettings, say: Callable[[str], None] = lambda line: None) -> PlanResult:
    """The allocation of one cycle, with proof and reasons.

    tables: as in `build.build_problem`, and `earlier_plan` (hcp_id, channel, touches) where the plan is to stay near one; say: receives
    short progress lines. Raises PlanInputError when a table contradicts the
    contract or the problem is beyond the envelope of `sets.py`; limits that cannot hold together come back as `conflicts`.
    """
    from optimization.stability import earlier_touches

    problem = build_problem(tables, settings)
    return plan_problem(problem, say, earlier_touches(problem, tables.get("earlier_plan")))


def plan_problem(problem: Problem, say: Callable[[str], None] = lambda line: None, earlier: np.ndarray | None = None) -> PlanResult:
    """`plan` for a problem that is already built: solve, stay near the earlier plan (touches over pairs), explain, tables."""
    from optimization.prices import LimitsConflict
    from optimization.solve import solve
    from optimization.stability import stay
    from optimization.steps import next_steps

    try:
        solution = solve(problem, say)
    except LimitsConflict:
        return conflict_of(problem, say)
    steps = next_steps(problem, solution, say)
    kept = stay(problem, solution, earlier, say)
    result = result_of(problem, kept.solution, None if kept.solution is solution else solution.gap, kept.cost, steps)
    say(
        f"{result.status}: {result.actions_count} actions for {result.hcps_reached} HCPs, objective {result.objective:.6g}, "
        f"penalty {result.penalty:.6g}, gap {result.gap:.2e}"
    )
    return result


def result_of(
    problem: Problem,
    solution: Solution,
    solve_gap: float | None = None,
    stability_cost: float = 0.0,
    steps: Mapping[int, tuple[float, float]] | None = None,
) -> PlanResult:
    """A solution of the problem with its reasons, as tables.

    solve_gap: of the solve before a step towards an earlier plan (None = there was no such step), stability_cost: KPI units which
    that step gave up; steps: (step, step_gain) by number of the limit, see `plan_tables.limits_frame`.
    """
    touches = np.asarray(solution.touches)
    pairs = np.flatnonzero(touches)
    settled = replace(problem, settings=replace(problem.settings, floor_penalty=solution.floor_penalty))
    objective, penalty, plan_value = objective_of(settled, touches)
    table = pairs_table(problem, touches, plan_value, explain(problem, solution))
    total = objective - penalty
    upper = max(solution.upper_bound, total)
    grid = touches.reshape(len(problem.hcp_ids), len(problem.channels))
    gap = (upper - total) / max(abs(total), 1e-9)
    return PlanResult(
        status=solution.status,
        objective=objective,
        penalty=penalty,
        upper_bound=upper,
        price_bound=max(solution.price_bound, total),
        gap=gap,
        solve_gap=gap if solve_gap is None else solve_gap,
        stability_cost=stability_cost,
        expected_impact=float(problem.value[pairs] @ touches[pairs]),
        total_cost=float(grid.sum(axis=0, dtype=np.int64) @ problem.cost),
        actions_count=len(pairs),
        hcps_reached=int(np.count_nonzero(grid.any(axis=1))),
        solver=solution.solver,
        limits=limits_frame(problem, solution, steps),
        reps=reps_frame(problem, touches),
        pairs=table,
        blocks=blocks_table(problem, table["hcp_id"].chunk(0).dictionary),
        conflicts=_no_conflicts(),
        warnings=list(problem.warnings),
        problem=problem,
        shadow=shadow_channels(problem, solution),
    )


def conflict_of(problem: Problem, say: Callable[[str], None] = lambda line: None) -> PlanResult:
    """The answer where limits and pins cannot hold together: which ones, and how far to loosen them."""
    from optimization.conflicts import diagnose

    nothing = np.zeros(problem.pair_count, dtype=np.int16)
    table = pairs_table(problem, nothing, np.zeros(problem.pair_count), silent(problem))
    unknown = ("objective", "penalty", "upper_bound", "price_bound", "gap", "solve_gap", "stability_cost", "expected_impact", "total_cost")
    return PlanResult(
        status="conflict",
        **dict.fromkeys(unknown, float("nan")),
        actions_count=0,
        hcps_reached=0,
        solver="",
        limits=limits_frame(problem, None),
        reps=reps_frame(problem, nothing),
        pairs=table,
        blocks=blocks_table(problem, table["hcp_id"].chunk(0).dictionary),
        conflicts=diagnose(problem, say),
        warnings=list(problem.warnings),
        problem=problem,
    )


def _no_conflicts() -> pd.DataFrame:
    from optimization.conflicts import COLUMNS

    return pd.DataFrame(columns=COLUMNS)
