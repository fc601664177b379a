"""The arms of a run put onto its problem: who is in which, what explore HCPs drew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nba.arms.draw import ARMS, ArmsError
from nba.arms.explore import EXACT, NONE, REPLAYED, ExploreDraw, draw_explore
from optimization.arms import with_arms
from optimization.problem import PlanInputError, Problem

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class RunArms:
    """problem: with its arms; explore: the draw of the explore arm, None where nobody explores."""

    problem: Problem
    explore: ExploreDraw | None = None


def arms_of_run(problem: Problem, tables: Mapping[str, Any]) -> RunArms:
    """The problem with the arms of `draw_arms` and `stg_rule_holdout`; the same problem where everybody is planned for.

    PlanInputError where the tables do not fit together."""
    from nba.plan_inputs import as_frame

    if "draw_arms" not in tables:
        if "stg_rule_holdout" in tables and len(as_frame(tables["stg_rule_holdout"])):
            raise PlanInputError("rule_holdout: asks for arms, but none were drawn: build the model draw_arms first")
        return RunArms(problem)
    arm = arm_codes(problem, tables["draw_arms"])
    if not np.any(arm == ARMS.index("explore")):
        return RunArms(with_arms(problem, arm))
    holdout = as_frame(tables["stg_rule_holdout"])
    share = holdout.loc[holdout["arm"] == "explore", "resource_share"]
    if len(share) != 1 or not 0 <= float(share.iloc[0]) <= 1:
        raise PlanInputError("rule_holdout.resource_share: the row of the arm explore needs one in [0, 1]")
    drawn = draw_explore(problem, arm, float(share.iloc[0]))
    return RunArms(with_arms(problem, arm, drawn.pairs(len(problem.channels))), drawn)


def arm_codes(problem: Problem, draw: Any) -> np.ndarray:
    """(hcps) int8: place in ARMS of every HCP of the problem; PlanInputError for an HCP without an arm."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from nba.plan_inputs import as_arrow, only_columns

    table = as_arrow(only_columns(draw, ("hcp_id", "arm")))
    place = pc.index_in(pa.array(problem.hcp_ids, pa.string()), table["hcp_id"].cast(pa.string()).combine_chunks())
    if place.null_count:
        missing = problem.hcp_ids[place.is_null().to_numpy(zero_copy_only=False)][0]
        raise PlanInputError(f"draw_arms: hcp_id {missing} has no arm")
    code = pc.index_in(table["arm"].cast(pa.string()).combine_chunks(), pa.array(ARMS))
    if code.null_count:
        raise ArmsError(f"draw_arms.arm: must be one of {', '.join(ARMS)}")
    return code.to_numpy(zero_copy_only=False)[place.to_numpy(zero_copy_only=False)].astype(np.int8)


def explore_table(problem: Problem, draw: ExploreDraw | None) -> pa.Table:
    """hcp_id, channel (`none` among them), number (propensity), touches (1 = drawn), detail (how the propensity is known); the rows of
    eligible channels and of none, by HCP."""
    import pyarrow as pa

    if draw is None:
        empty = {"hcp_id": pa.string(), "channel": pa.string(), "number": pa.float64(), "touches": pa.int32(), "detail": pa.string()}
        return pa.table({name: pa.array([], kind) for name, kind in empty.items()})
    shown = np.column_stack([draw.support, np.ones(len(draw.hcps), dtype=bool)])
    row, column = np.nonzero(shown)
    names = np.array([*problem.channels, NONE], dtype=object)
    last = len(problem.channels)
    drawn = np.where(draw.drawn < 0, last, draw.drawn)
    columns = {
        "hcp_id": pa.array(problem.hcp_ids[draw.hcps[row]], pa.string()),
        "channel": pa.array(names[column], pa.string()),
        "number": pa.array(draw.propensity[row, column]),
        "touches": pa.array((drawn[row] == column).astype(np.int32)),
        "detail": pa.array(np.array([EXACT, REPLAYED], dtype=object)[draw.is_replayed[row].astype(int)], pa.string()),
    }
    return pa.table(columns)


def shadow_table(problem: Problem, shadow: np.ndarray | None) -> pa.Table:
    """hcp_id, channel: what control HCPs would have got; no row where that is nothing."""
    import pyarrow as pa

    some = np.empty(0, dtype=np.int64) if shadow is None else np.flatnonzero(shadow >= 0)
    channel = np.empty(0, dtype=np.int64) if shadow is None else shadow[some]
    names = np.array(problem.channels, dtype=object)
    return pa.table({"hcp_id": pa.array(problem.hcp_ids[some], pa.string()), "channel": pa.array(names[channel], pa.string())})
