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
ACTION_COLUMNS = ["hcp_id", "channel", "touches", "plan_value", "price_cost", "cost", "rep_minutes", "priority", "rep_priority"]
ACTION_COLUMNS += ["earliest_date", "latest_date"]
FLOOR = ("requested", "effective", "shortfall", "hardness")
LIMIT_COLUMNS = [*LIMIT_KEY, "limit_value", "used", "price", *FLOOR, "step", "step_gain"]


def actions_frame(problem: Problem, pairs: pa.Table) -> pd.DataFrame:
    """The rows of `pairs_table` with a touch, by priority, with territory and rep."""
    import pyarrow as pa

    places = np.flatnonzero(pairs["touches"].to_numpy())
    places = places[np.argsort(pairs["priority"].to_numpy()[places])]
    frame = pairs.select(ACTION_COLUMNS).take(pa.array(places)).to_pandas()
    hcps = places // max(1, len(problem.channels))
    for name, codes, names in (("territory_id", problem.territory, problem.territory_names), ("rep_id", problem.rep, problem.rep_names)):
        frame[name] = np.array([*names, None], dtype=object)[codes[hcps]]
    coded = frame.select_dtypes("category").columns
    return frame.astype(dict.fromkeys(coded, object) | {"rep_priority": "Int64"}).reset_index(drop=True)


def priorities(problem: Problem, touches: np.ndarray, worth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(priority, rep_priority) of every pair (int32): 1..N over planned pairs, and among those of one rep; 0 where there is none.

    By worth, then HCP and channel. The rounding keeps two actions of equal worth in that order whatever the last digit of a sum.
    """
    pairs = np.flatnonzero(touches)
    pairs = pairs[np.argsort(-np.round(worth[pairs], 12), kind="stable")]
    overall, within = (np.zeros(problem.pair_count, dtype=np.int32) for _ in range(2))
    overall[pairs] = np.arange(1, len(pairs) + 1)
    rep = problem.rep[pairs // max(1, len(problem.channels))]
    within[pairs[rep >= 0]] = _rank_within(rep[rep >= 0])
    return overall, within


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


def pairs_table(problem: Problem, touches: np.ndarray, plan_value: np.ndarray, reasons: Reasons) -> pa.Table:
    """Every HCP x channel, in that order: what is planned (0 where nothing is), eligible days or first blocker, why it has no touch."""
    import pyarrow as pa

    hcps, channels = len(problem.hcp_ids), len(problem.channels)
    priority, rep_priority = priorities(problem, touches, plan_value - reasons.price_cost)
    grid = touches.reshape(hcps, channels)
    columns = {
        "hcp_id": _coded(np.repeat(np.arange(hcps, dtype=np.int32), channels), problem.hcp_ids),
        "channel": _coded(np.tile(np.arange(channels, dtype=np.int32), hcps), problem.channels),
        "touches": pa.array(touches.astype(np.int32)),
        "plan_value": pa.array(plan_value),
        "price_cost": pa.array(reasons.price_cost),
        "cost": pa.array((grid * problem.cost).ravel()),
        "rep_minutes": pa.array((grid * problem.minutes).ravel()),
        "priority": pa.array(priority),
        "rep_priority": pa.array(rep_priority, mask=(rep_priority == 0) & (touches > 0) if (problem.rep < 0).any() else None),
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


def blocks_table(problem: Problem, hcp_ids: pa.Array) -> pa.Table:
    """Every pair without an eligible day and rule that blocks it, in words. hcp_ids: the problem's, as Arrow text."""
    import pyarrow as pa

    blocks = pair_blocks(problem)
    hcps, channels = np.divmod(blocks["pair"].to_numpy(dtype=np.int64), max(1, len(problem.channels)))
    columns = {"hcp_id": _coded(hcps, hcp_ids), "channel": _coded(channels, problem.channels)}
    for name in ("rule", "detail"):
        columns[name] = _coded(blocks[name].cat.codes.to_numpy(), blocks[name].cat.categories)
    return pa.table(columns)


def _coded(codes: np.ndarray, names: object) -> pa.DictionaryArray:
    """A text column from places in a list of names; null where the code is negative."""
    import pyarrow as pa

    codes = np.asarray(codes, dtype=np.int32)
    shut = codes < 0
    words = names if isinstance(names, pa.Array) else pa.array(names, pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=shut if shut.any() else None), words)


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
