"""The answer of the planner as plain tables, and `plan`, which builds, prices, solves, checks and explains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pandas as pd

from optimization.build import build_problem
from optimization.checker import objective_of
from optimization.conflicts import COLUMNS as CONFLICT_COLUMNS
from optimization.conflicts import diagnose
from optimization.eligibility import pair_blocks
from optimization.prices import LimitsConflict
from optimization.problem import PlanSettings, Problem
from optimization.reasons import Reasons, explain
from optimization.solve import Solution, solve

SOLVER = "highs: integer programs over sets of touches, columns chosen by the prices of z_LP"
LIMIT_KEY = ("limit_id", "rule", "side", "channel", "territory_id", "rep_id", "attribute", "value", "label", "unit")


@dataclass(frozen=True)
class PlanResult:
    """What `plan` returns. KPI units unless said otherwise; a field that does not apply is None or nan.

    status: `optimal` (proven gap within settings.gap), `feasible` (stopped at the node limit) or `conflict` (no plan exists: only
    `conflicts`, `pairs`, `blocks` and `warnings` speak, the numbers are nan).
    actions: one row per planned pair: hcp_id, channel, territory_id, rep_id, touches, plan_value, price_cost, cost, rep_minutes,
    priority, rep_priority, earliest_date, latest_date, by priority.
    limits: one row per shared limit: its key, unit, limit_value, used, price, and for floors requested, effective, shortfall, hardness.
    reps: rep_id, used (minutes), limit_value (minutes, nan without a limit), touches on channels that take a rep's time.
    pairs: every HCP x channel: is_eligible, blocked_by, earliest_date, latest_date, reason_kind, rule, limit_id, value_short.
    blocks: hcp_id, channel, rule, detail. conflicts: see `conflicts.diagnose`.
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
    actions: pd.DataFrame
    limits: pd.DataFrame
    reps: pd.DataFrame
    pairs: pd.DataFrame
    blocks: pd.DataFrame
    conflicts: pd.DataFrame
    warnings: list[str]


def plan(tables: Mapping[str, pd.DataFrame], settings: PlanSettings, say: Callable[[str], None] = lambda line: None) -> PlanResult:
    """The allocation of one cycle, with proof and reasons.

    tables: as in `build.build_problem`; say: receives short progress lines. Raises PlanInputError when a table contradicts the
    contract or the problem is beyond the envelope of `sets.py`; limits that cannot hold together come back as `conflicts`.
    """
    problem = build_problem(tables, settings)
    notes = list(problem.warnings) + _touch_notes(tables)
    return plan_problem(replace(problem, warnings=notes), say)


def plan_problem(problem: Problem, say: Callable[[str], None] = lambda line: None) -> PlanResult:
    """`plan` for a problem that is already built."""
    try:
        solution = solve(problem, say)
    except LimitsConflict:
        return _without_plan(problem, say)
    result = _with_plan(problem, solution)
    say(
        f"{result.status}: {result.actions_count} actions for {result.hcps_reached} HCPs, objective {result.objective:.6g}, "
        f"penalty {result.penalty:.6g}, gap {result.gap:.2e}"
    )
    return result


def _touch_notes(tables: Mapping[str, pd.DataFrame]) -> list[str]:
    catalog = tables["catalog"]
    if "max_touches" not in catalog:
        return []
    several = catalog.loc[pd.to_numeric(catalog["max_touches"], errors="coerce") > 1, "channel"].astype(str)
    if several.empty:
        return []
    return [f"max_touches: {len(several)} channel(s) allow several touches per HCP, one is planned: {', '.join(sorted(several)[:5])}"]


def _with_plan(problem: Problem, solution: Solution) -> PlanResult:
    chosen = np.zeros(problem.pair_count, dtype=bool)
    chosen[solution.pairs] = True
    settled = replace(problem, settings=replace(problem.settings, floor_penalty=solution.floor_penalty))
    objective, penalty, plan_value = 0.0, solution.penalty, np.zeros(problem.pair_count)
    if len(solution.pairs):
        objective, penalty, plan_value = objective_of(settled, chosen)
    reasons = explain(problem, solution)
    actions = _actions(problem, solution.pairs, plan_value, reasons)
    return PlanResult(
        status=solution.status,
        objective=objective,
        penalty=penalty,
        upper_bound=max(solution.upper_bound, objective - penalty),
        price_bound=max(solution.prices.bound, objective - penalty),
        gap=solution.gap,
        solve_gap=solution.gap,
        stability_cost=0.0,
        expected_impact=float(problem.value[solution.pairs].sum()),
        total_cost=float(problem.cost[solution.pairs % max(1, len(problem.channels))].sum()),
        actions_count=len(solution.pairs),
        hcps_reached=len(np.unique(solution.pairs // max(1, len(problem.channels)))),
        solver=SOLVER,
        actions=actions,
        limits=_limits(problem, solution),
        reps=_reps(problem, solution.pairs),
        pairs=_pairs(problem, reasons),
        blocks=_blocks(problem),
        conflicts=pd.DataFrame(columns=CONFLICT_COLUMNS),
        warnings=list(problem.warnings),
    )


def _without_plan(problem: Problem, say: Callable[[str], None]) -> PlanResult:
    nothing = np.empty(0, dtype=np.int64)
    silent = np.full(problem.pair_count, None, dtype=object)
    blank = np.full(problem.pair_count, np.nan)
    reasons = Reasons(silent, silent, np.full(problem.pair_count, -1), blank, blank)
    numbers = dict.fromkeys(("objective", "penalty", "upper_bound", "price_bound", "gap", "solve_gap", "stability_cost"), float("nan"))
    return PlanResult(
        status="conflict",
        **numbers,
        expected_impact=float("nan"),
        total_cost=float("nan"),
        actions_count=0,
        hcps_reached=0,
        solver=SOLVER,
        actions=_actions(problem, nothing, blank, reasons),
        limits=_limits(problem, None),
        reps=_reps(problem, nothing),
        pairs=_pairs(problem, reasons),
        blocks=_blocks(problem),
        conflicts=diagnose(problem, say),
        warnings=list(problem.warnings),
    )


def _dates(problem: Problem, days: np.ndarray) -> np.ndarray:
    calendar = [
        problem.settings.cycle_start + timedelta(days=d) for d in range((problem.settings.cycle_end - problem.settings.cycle_start).days)
    ]
    lookup: np.ndarray = np.array([*calendar, None], dtype=object)
    return lookup[np.where(days >= 0, days, len(calendar))]


def _names(problem: Problem, pairs: np.ndarray) -> dict[str, np.ndarray]:
    width = max(1, len(problem.channels))
    channels = np.array([*problem.channels, ""], dtype=object)
    return {"hcp_id": problem.hcp_ids[pairs // width], "channel": channels[pairs % width]}


def _actions(problem: Problem, pairs: np.ndarray, plan_value: np.ndarray, reasons: Reasons) -> pd.DataFrame:
    hcps, channels = np.divmod(pairs, max(1, len(problem.channels)))
    territories, reps = (np.array([*names, None], dtype=object) for names in (problem.territory_names, problem.rep_names))
    frame = pd.DataFrame(
        _names(problem, pairs)
        | {
            "territory_id": territories[problem.territory[hcps]],
            "rep_id": reps[problem.rep[hcps]],
            "touches": np.ones(len(pairs), dtype=np.int64),
            "plan_value": plan_value[pairs],
            "price_cost": reasons.price_cost[pairs],
            "cost": problem.cost[channels],
            "rep_minutes": problem.minutes[channels],
            "earliest_date": _dates(problem, problem.earliest[pairs]),
            "latest_date": _dates(problem, problem.latest[pairs]),
        }
    )
    # The rounding keeps two actions of equal worth in hcp_id order whatever the last digit of a sum.
    frame["worth"] = (frame["plan_value"] - frame["price_cost"]).round(12)
    frame = frame.sort_values(["worth", "hcp_id", "channel"], ascending=[False, True, True], kind="stable").reset_index(drop=True)
    frame["priority"] = np.arange(1, len(frame) + 1)
    frame["rep_priority"] = (frame.groupby("rep_id", sort=False).cumcount() + 1).where(frame["rep_id"].notna()).astype("Int64")
    order = ["hcp_id", "channel", "territory_id", "rep_id", "touches", "plan_value", "price_cost", "cost", "rep_minutes"]
    return frame[[*order, "priority", "rep_priority", "earliest_date", "latest_date"]]


def _limits(problem: Problem, solution: Solution | None) -> pd.DataFrame:
    """One row per shared limit; without a plan only what was asked."""
    count = len(problem.limits)
    used = solution.shared.total_use(solution.sets, solution.columns) if solution else np.full(count, np.nan)
    price = solution.prices.price if solution else np.full(count, np.nan)
    missing = solution.missing if solution else np.full(count, np.nan)
    rows = []
    for number, limit in enumerate(problem.limits):
        row = {name: getattr(limit, name) for name in LIMIT_KEY}
        row |= {"limit_value": limit.bound, "used": float(used[number]), "price": float(price[number])}
        floor = limit.rule == "coverage_floor"
        row |= {"requested": (limit.bound if limit.requested is None else limit.requested) if floor else None}
        row |= {"effective": limit.bound if floor else None, "shortfall": float(missing[number]) if floor else None}
        rows.append(row | {"hardness": limit.hardness if floor else None})
    return pd.DataFrame(rows, columns=[*LIMIT_KEY, "limit_value", "used", "price", "requested", "effective", "shortfall", "hardness"])


def _reps(problem: Problem, pairs: np.ndarray) -> pd.DataFrame:
    """One row per rep that has HCPs: planned minutes and touches against the rep's own limit over all channels."""
    names = problem.rep_names
    owner, spent = problem.rep[pairs // max(1, len(problem.channels))], problem.minutes[pairs % max(1, len(problem.channels))]
    timed = (owner >= 0) & (spent > 0)
    minutes = np.bincount(owner[timed], weights=spent[timed], minlength=len(names))
    touches = np.bincount(owner[timed], minlength=len(names))
    limit = dict.fromkeys(names, np.nan)
    for x in problem.limits:
        if x.rep_id in limit and x.unit == "minutes" and x.side == "max" and x.channel is None and x.territory_id is None:
            limit[x.rep_id] = float(np.fmin(limit[x.rep_id], x.bound))
    return pd.DataFrame(
        {"rep_id": np.asarray(names, dtype=object), "used": minutes, "limit_value": list(limit.values()), "touches": touches}
    )


def _pairs(problem: Problem, reasons: Reasons) -> pd.DataFrame:
    ids = np.array([*(x.limit_id for x in problem.limits), None], dtype=object)
    every = np.arange(problem.pair_count)
    return pd.DataFrame(
        _names(problem, every)
        | {
            "is_eligible": problem.eligible.astype(bool),
            "blocked_by": problem.blocker_of(every),
            "earliest_date": _dates(problem, problem.earliest),
            "latest_date": _dates(problem, problem.latest),
            "reason_kind": reasons.kind,
            "rule": reasons.rule,
            "limit_id": ids[reasons.limit],
            "value_short": reasons.value_short,
        }
    )


def _blocks(problem: Problem) -> pd.DataFrame:
    blocks = pair_blocks(problem)
    return pd.DataFrame(
        _names(problem, blocks["pair"].to_numpy(dtype=np.int64))
        | {"rule": blocks["rule"].to_numpy(), "detail": blocks["detail"].to_numpy()}
    )
