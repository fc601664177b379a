"""Two plans side by side: what a scenario gains, which actions come and go, which limits bind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from optimization.problem import Limit, Problem

if TYPE_CHECKING:
    from optimization.solve import Solution

NUMBERS = (
    "objective",
    "penalty",
    "total",
    "upper_bound",
    "gap",
    "expected_impact",
    "cost",
    "rep_minutes",
    "actions",
    "touches",
    "hcps_reached",
)
MOVES = ("gained", "lost", "changed", "kept")
TOGETHER = "all"
KEY = ("limit_id", "rule", "side", "unit", "channel", "territory_id", "rep_id", "label")


@dataclass(frozen=True)
class Comparison:
    """KPI units unless said otherwise.

    numbers: one row per number of a plan (`NUMBERS`; total = objective - penalty): number, before, after, change.
    gain_low, gain_high: the best plan under the scenario is worth between so much more (negative: less) than the best one before,
    by the proven bounds of both.
    actions: HCP x channel planned in either: hcp_id, channel, territory_id, touches_before, touches_after, move (`gained`, `lost`,
    `changed` = other touches, `kept`).
    moves: channel x territory (`all` = all together): before, after (actions), gained, lost, changed, cost_before, cost_after.
    limits: a row per limit of either problem: its key, limit_before, limit_after, used_before, used_after, price_before, price_after,
    turn (`newly binding`, `no longer binding`, or empty). A limit binds when its price is above 0.
    """

    numbers: pd.DataFrame
    gain_low: float
    gain_high: float
    actions: pd.DataFrame
    moves: pd.DataFrame
    limits: pd.DataFrame

    def number(self, name: str, side: str = "after") -> float:
        """One number of the plan `before` or `after`, or its `change`."""
        return float(self.numbers.set_index("number").at[name, side])


def compare(before: Problem, base: Solution, after: Problem, other: Solution) -> Comparison:
    """The plan `other` of problem `after` beside the plan `base` of problem `before`: same HCPs and channels, other limits or pairs."""
    numbers = pd.DataFrame({"number": NUMBERS, "before": numbers_of(before, base), "after": numbers_of(after, other)})
    numbers["change"] = numbers["after"] - numbers["before"]
    actions = _actions(before, base.touches, other.touches)
    low, high = other.objective - other.penalty - base.upper_bound, other.upper_bound - (base.objective - base.penalty)
    return Comparison(numbers, low, max(low, high), actions, _moves(before, actions), _limits(before, base, after, other))


def numbers_of(problem: Problem, plan: Solution) -> list[float]:
    """The numbers of one plan, in the order of `NUMBERS`."""
    grid = np.asarray(plan.touches, dtype=np.int64).reshape(-1, len(problem.channels))
    per_channel = grid.sum(axis=0)
    return [
        plan.objective,
        plan.penalty,
        plan.objective - plan.penalty,
        plan.upper_bound,
        plan.gap,
        float(problem.value @ grid.ravel()),
        float(per_channel @ problem.cost),
        float(per_channel @ problem.minutes),
        float(np.count_nonzero(grid)),
        float(per_channel.sum()),
        float(np.count_nonzero(grid.any(axis=1))),
    ]


def _actions(problem: Problem, before: np.ndarray, after: np.ndarray) -> pd.DataFrame:
    before, after = np.asarray(before, dtype=np.int64), np.asarray(after, dtype=np.int64)
    pairs = np.flatnonzero((before > 0) | (after > 0))
    hcp, channel = np.divmod(pairs, max(1, len(problem.channels)))
    old, new = before[pairs], after[pairs]
    territories = np.array([*problem.territory_names, None], dtype=object)
    return pd.DataFrame(
        {
            "hcp_id": problem.hcp_ids[hcp],
            "channel": np.array(problem.channels, dtype=object)[channel],
            "territory_id": territories[problem.territory[hcp]],
            "touches_before": old,
            "touches_after": new,
            "move": np.select([old == 0, new == 0, old != new], list(MOVES[:3]), MOVES[3]),
        }
    )


def _moves(problem: Problem, actions: pd.DataFrame) -> pd.DataFrame:
    unit_cost = dict(zip(problem.channels, problem.cost.tolist(), strict=True))
    cost = actions["channel"].map(unit_cost).astype(float)
    counted = pd.DataFrame(
        {
            "channel": actions["channel"],
            "territory_id": actions["territory_id"].fillna("unassigned"),
            "before": (actions["touches_before"] > 0).astype(np.int64),
            "after": (actions["touches_after"] > 0).astype(np.int64),
            **{move: (actions["move"] == move).astype(np.int64) for move in MOVES[:3]},
            "cost_before": cost * actions["touches_before"],
            "cost_after": cost * actions["touches_after"],
        }
    )
    every = [
        counted,
        counted.assign(territory_id=TOGETHER),
        counted.assign(channel=TOGETHER),
        counted.assign(channel=TOGETHER, territory_id=TOGETHER),
    ]
    return pd.concat(every).groupby(["channel", "territory_id"], as_index=False, sort=True).sum()


def _limits(before: Problem, base: Solution, after: Problem, other: Solution) -> pd.DataFrame:
    left, right = _side(before.limits, base, "before"), _side(after.limits, other, "after")
    joined = right.merge(left.drop(columns=list(KEY[1:])), on="limit_id", how="left")
    bound_before, bound_after = joined["price_before"].fillna(0.0) > 0, joined["price_after"] > 0
    joined["turn"] = np.select([bound_after & ~bound_before, bound_before & ~bound_after], ["newly binding", "no longer binding"], "")
    sides = [f"{number}_{side}" for number in ("limit", "used", "price") for side in ("before", "after")]
    return joined[[*KEY, *sides, "turn"]]


def _side(limits: list[Limit], plan: Solution, side: str) -> pd.DataFrame:
    frame = pd.DataFrame({part: np.array([getattr(limit, part) for limit in limits], dtype=object) for part in KEY})
    frame[f"limit_{side}"] = np.array([limit.bound for limit in limits], dtype=np.float64)
    frame[f"used_{side}"], frame[f"price_{side}"] = np.asarray(plan.use, dtype=np.float64), np.asarray(plan.price, dtype=np.float64)
    return frame
