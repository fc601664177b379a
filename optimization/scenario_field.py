"""The field's own plan under our limits: what it is worth, what it breaks, and how far it stays below what can be had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from optimization.checker import Violation, check_plan, objective_of, use_of
from optimization.prices import LimitsConflict
from optimization.problem import HcpCap, Problem
from optimization.scenario import ScenarioError

if TYPE_CHECKING:
    from optimization.solve import Solution

PROBLEMS = ("unknown_hcp", "unknown_channel", "not_eligible", "above_max_touches")


@dataclass(frozen=True)
class FieldPlan:
    """KPI units unless said otherwise. `given`: the plan as the field states it, without rows of unknown HCPs and channels; `cut`: without
    what is not eligible or above max_touches.

    given, cut: touches over pairs; objective, penalty: of both, as (given, cut); broken: (given, cut) what the checker finds;
    rows: rows of the table that cannot stand: hcp_id, channel, touches, problem (`PROBLEMS`), rule, touches_allowed.
    limits: one row per limit: limit_id, label, side, unit, limit_value, used_given (ineligible pairs count), used_cut.
    """

    given: np.ndarray
    cut: np.ndarray
    objective: tuple[float, float]
    penalty: tuple[float, float]
    broken: tuple[list[Violation], list[Violation]]
    rows: pd.DataFrame
    limits: pd.DataFrame

    def below(self, upper_bound: float) -> float:
        """How far the cut plan stays below a bound, relative to its own worth (the contract's gap)."""
        total = self.objective[1] - self.penalty[1]
        return max(0.0, upper_bound - total) / max(abs(total), 1e-9)


def current_plan(problem: Problem, table: pd.DataFrame) -> FieldPlan:
    """The field's plan `hcp_id`, `channel`, `touches` (>= 0; rows of one pair add up) under the limits of the problem.

    The floor penalty must be settled in problem.settings, so that plans are compared at the same one. ScenarioError for an empty
    table and for touches that are no whole numbers >= 0.
    """
    wanted = _added_up(table)
    hcp = pd.Index(problem.hcp_ids).get_indexer(wanted["hcp_id"])
    channel = pd.Index(problem.channels).get_indexer(wanted["channel"])
    known = (hcp >= 0) & (channel >= 0)
    pairs = hcp[known].astype(np.int64) * len(problem.channels) + channel[known]
    given = np.zeros(problem.pair_count, dtype=np.int64)
    given[pairs] = wanted["touches"].to_numpy()[known]
    cut = np.minimum(np.where(problem.eligible, given, 0), np.tile(problem.most_touches, len(problem.hcp_ids))).astype(np.int64)
    worth = [objective_of(problem, touches) for touches in (given, cut)]
    return FieldPlan(
        given=given,
        cut=cut,
        objective=(worth[0][0], worth[1][0]),
        penalty=(worth[0][1], worth[1][1]),
        broken=(check_plan(problem, given), check_plan(problem, cut)),
        rows=_refused(problem, wanted, hcp, channel, cut),
        limits=_uses(problem, given, cut),
    )


def best_part(
    problem: Problem, plan: FieldPlan, start: Solution | None = None, say: Callable[[str], None] = lambda line: None
) -> Solution | None:
    """The best plan that takes nothing but touches of the field's own (Solution), or None where no part of it keeps the hard limits.

    Pins that the field does not plan are left out.
    """
    from optimization.solve import solve

    inside = np.flatnonzero(plan.cut > 0)
    most = HcpCap("current_plan", "no more than the field plans", inside, np.arange(len(inside)), plan.cut[inside])
    held = plan.cut[problem.pins] > 0
    narrowed = replace(
        problem,
        eligible=problem.eligible & (plan.cut > 0),
        caps=[*problem.caps, most],
        pins=problem.pins[held],
        pin_labels=[label for label, kept in zip(problem.pin_labels, held, strict=True) if kept],
    )
    try:
        return solve(narrowed, say, start=start)
    except LimitsConflict:
        return None


def _added_up(table: pd.DataFrame) -> pd.DataFrame:
    if table.empty:
        raise ScenarioError("current_plan: there are no rows")
    touches = pd.to_numeric(table["touches"], errors="coerce").to_numpy(dtype=np.float64)
    wrong = np.flatnonzero(~(touches >= 0) | (touches != np.floor(touches)) | np.isinf(touches))
    if len(wrong):
        row = table.iloc[wrong[0]]
        raise ScenarioError(f"current_plan.touches: {row['touches']} of {row['hcp_id']} by {row['channel']} must be a whole number >= 0")
    named = pd.DataFrame(
        {"hcp_id": table["hcp_id"].astype(str), "channel": table["channel"].astype(str), "touches": touches.astype(np.int64)}
    )
    summed = named.groupby(["hcp_id", "channel"], as_index=False, sort=True)["touches"].sum()
    return summed[summed["touches"] > 0].reset_index(drop=True)


def _refused(problem: Problem, wanted: pd.DataFrame, hcp: np.ndarray, channel: np.ndarray, cut: np.ndarray) -> pd.DataFrame:
    """Rows that the problem does not allow as they are."""
    known = (hcp >= 0) & (channel >= 0)
    pair = np.where(known, hcp * len(problem.channels) + channel, 0)
    closed = known & ~problem.eligible[pair]
    above = known & ~closed & (wanted["touches"].to_numpy() > cut[pair])
    found = np.select([hcp < 0, channel < 0, closed, above], list(PROBLEMS), "")
    rule = np.full(len(wanted), None, dtype=object)
    rule[closed] = problem.blocker_of(pair[closed])
    rule[above] = "max_touches"
    rows = wanted.assign(problem=found, rule=rule, touches_allowed=np.where(known, cut[pair], 0))
    return rows[rows["problem"] != ""].reset_index(drop=True)


def _uses(problem: Problem, given: np.ndarray, cut: np.ndarray) -> pd.DataFrame:
    everything = replace(problem, eligible=np.ones(problem.pair_count, dtype=bool))
    rows = [(x.limit_id, x.label, x.side, x.unit, x.bound, use_of(everything, x, given), use_of(problem, x, cut)) for x in problem.limits]
    return pd.DataFrame(rows, columns=["limit_id", "label", "side", "unit", "limit_value", "used_given", "used_cut"])
