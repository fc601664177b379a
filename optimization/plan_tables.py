"""The parts of a plan as tables: actions, limits, reps for people; every pair and every block as Arrow columns of codes.

The big tables hold text as codes into short lists of names (dictionary columns), so that a million HCPs cost bytes, not objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from optimization.eligibility import pair_blocks
from optimization.problem import Problem
from optimization.reasons import KINDS, Reasons

if TYPE_CHECKING:
    import pyarrow as pa

    from optimization.solve import Solution

LIMIT_KEY = ("limit_id", "rule", "side", "channel", "territory_id", "rep_id", "attribute", "value", "label", "unit")
FLOOR = ("requested", "effective", "shortfall", "hardness")
LIMIT_COLUMNS = [*LIMIT_KEY, "limit_value", "used", "price", *FLOOR, "step", "step_gain"]


def planned_table(problem: Problem, touches: np.ndarray, plan_value: np.ndarray, reasons: Reasons) -> pa.Table:
    """One row per planned pair, by priority. Values, cost and minutes are of all its touches together."""
    import pyarrow as pa

    pairs = np.flatnonzero(touches)
    # The rounding keeps two actions of equal worth in hcp_id order whatever the last digit of a sum; pairs are in that order.
    worth = np.round(plan_value[pairs] - reasons.price_cost[pairs], 12)
    pairs = pairs[np.lexsort((pairs, -worth))]
    hcps, channels = np.divmod(pairs, max(1, len(problem.channels)))
    count, rep = touches[pairs].astype(np.int32), problem.rep[hcps]
    columns = {
        "hcp_id": _coded(hcps, problem.hcp_ids),
        "channel": _coded(channels, problem.channels),
        "territory_id": _coded(problem.territory[hcps], problem.territory_names),
        "rep_id": _coded(rep, problem.rep_names),
        "touches": pa.array(count),
        "plan_value": pa.array(plan_value[pairs]),
        "price_cost": pa.array(reasons.price_cost[pairs]),
        "cost": pa.array(problem.cost[channels] * count),
        "rep_minutes": pa.array(problem.minutes[channels] * count),
        "priority": pa.array(np.arange(1, len(pairs) + 1, dtype=np.int32)),
        "rep_priority": pa.array(_rank_within(rep), mask=rep < 0),
        "earliest_date": _days(problem, problem.earliest[pairs]),
        "latest_date": _days(problem, problem.latest[pairs]),
    }
    return pa.table(columns)


def limits_frame(problem: Problem, solution: Solution | None, steps: Mapping[int, tuple[float, float]] | None = None) -> pd.DataFrame:
    """One row per shared limit; without a plan only what was asked.

    steps: by number of the limit, the smallest loosening that lets one more action in and the KPI that it gains; nan elsewhere.
    """
    nothing = np.full(len(problem.limits), np.nan)
    used, price, missing = (solution.use, solution.price, solution.missing) if solution else (nothing, nothing, nothing)
    rows = []
    for number, limit in enumerate(problem.limits):
        row = {name: getattr(limit, name) for name in LIMIT_KEY}
        row |= {"limit_value": limit.bound, "used": float(used[number]), "price": float(price[number])}
        floor = (limit.bound if limit.requested is None else limit.requested, limit.bound, float(missing[number]), limit.hardness)
        row |= dict(zip(FLOOR, floor if limit.rule == "coverage_floor" else [None] * 4, strict=True))
        step, gain = (steps or {}).get(number, (np.nan, np.nan))
        rows.append(row | {"step": float(step), "step_gain": float(gain)})
    return pd.DataFrame(rows, columns=LIMIT_COLUMNS)


def reps_frame(problem: Problem, touches: np.ndarray) -> pd.DataFrame:
    """One row per rep that has HCPs: planned minutes and touches of channels that take time, against the rep's own limit over all
    channels (nan without one)."""
    names = problem.rep_names
    timed = touches.reshape(len(problem.hcp_ids), len(problem.channels))[:, problem.minutes > 0]
    count, spent = timed.sum(axis=1, dtype=np.int64), timed @ problem.minutes[problem.minutes > 0]
    mine = problem.rep >= 0
    limit = dict.fromkeys(names, np.nan)
    for x in problem.limits:
        if x.rep_id in limit and x.unit == "minutes" and x.side == "max" and x.channel is None and x.territory_id is None:
            limit[x.rep_id] = float(np.fmin(limit[x.rep_id], x.bound))
    columns = {
        "rep_id": np.asarray(names, dtype=object),
        "used": np.bincount(problem.rep[mine], weights=spent[mine], minlength=len(names)),
        "limit_value": np.array(list(limit.values()), dtype=np.float64),
        "touches": np.bincount(problem.rep[mine], weights=count[mine], minlength=len(names)).astype(np.int64),
    }
    return pd.DataFrame(columns)


def pairs_table(problem: Problem, touches: np.ndarray, reasons: Reasons) -> pa.Table:
    """Every HCP x channel, in that order: planned touches, eligible days or first blocker, and why it has no touch."""
    import pyarrow as pa

    hcps, channels = len(problem.hcp_ids), len(problem.channels)
    columns = {
        "hcp_id": _coded(np.repeat(np.arange(hcps, dtype=np.int32), channels), problem.hcp_ids),
        "channel": _coded(np.tile(np.arange(channels, dtype=np.int32), hcps), problem.channels),
        "touches": pa.array(touches.astype(np.int32)),
        "is_eligible": pa.array(problem.eligible.astype(bool)),
        "blocked_by": _coded(problem.blocked_by, problem.blockers),
        "earliest_date": _days(problem, problem.earliest),
        "latest_date": _days(problem, problem.latest),
        "reason_kind": _coded(reasons.kind, KINDS),
        "rule": _coded(reasons.rule, reasons.rules),
        "limit_id": _coded(reasons.limit, [x.limit_id for x in problem.limits]),
        "value_short": pa.array(reasons.value_short, from_pandas=True),
    }
    return pa.table(columns)


def blocks_table(problem: Problem) -> pa.Table:
    """Every pair without an eligible day and rule that blocks it, in words."""
    import pyarrow as pa

    blocks = pair_blocks(problem)
    hcps, channels = np.divmod(blocks["pair"].to_numpy(dtype=np.int64), max(1, len(problem.channels)))
    columns = {"hcp_id": _coded(hcps, problem.hcp_ids), "channel": _coded(channels, problem.channels)}
    for name in ("rule", "detail"):
        columns[name] = _coded(blocks[name].cat.codes.to_numpy(), blocks[name].cat.categories)
    return pa.table(columns)


def _coded(codes: np.ndarray, names: object) -> pa.DictionaryArray:
    """A text column from places in a list of names; null where the code is negative."""
    import pyarrow as pa

    codes = np.asarray(codes, dtype=np.int32)
    shut = codes < 0
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=shut if shut.any() else None), pa.array(names, pa.string()))


def _days(problem: Problem, days: np.ndarray) -> pa.Array:
    """A date column from cycle days; null where negative."""
    import pyarrow as pa

    first = (problem.settings.cycle_start - date(1970, 1, 1)).days
    return pa.array(days.astype(np.int32) + np.int32(first), mask=days < 0).view(pa.date32())


def _rank_within(group: np.ndarray) -> np.ndarray:
    """Rank 1..n of every entry among those of its group, in the order given (int32)."""
    order = np.argsort(group, kind="stable")
    ranked = group[order]
    opens = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]][: len(ranked)])
    rank = np.empty(len(group), dtype=np.int32)
    rank[order] = np.arange(len(group)) - np.repeat(opens, np.diff(np.r_[opens, len(group)])) + 1
    return rank
