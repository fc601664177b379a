"""From the staged tables of a run to the long table `plan_solution` (docs/interfaces.md): one solve, every number it yields.

A contradiction in the inputs is returned as rows of kind `conflict`, not raised: the gate after the model prints them cleanly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from nba.plain_text import print_line
from nba.plan_inputs import as_frame, planner_tables

if TYPE_CHECKING:
    import pyarrow as pa

    from optimization import PlanSettings


def solve_plan(tables: Mapping[str, Any], config: Any, say: Callable[[str], None] = print_line) -> pa.Table:
    """The table `plan_solution`.

    tables: `stg_hcp_master`, `stg_catalog`, `score_impact`, `stg_engagement`, `stg_prior_actions`, `stg_published_plan`, `stg_rule_*`,
    `stg_suppressions`, `draw_arms`, `input_fingerprint` and `engagement_model`, each a pandas or Arrow table or a DuckDB relation;
    config: `run_config`, one row.
    say: receives progress lines.
    """
    from nba.arms.draw import ArmsError
    from nba.arms.run import arms_of_run
    from nba.plan_outputs import refused_table, solution_table
    from nba.versions import code_version
    from optimization import PlanInputError
    from optimization.build import build_problem
    from optimization.override_costs import override_costs
    from optimization.result import plan_problem
    from optimization.stability import earlier_touches

    began = time.perf_counter()
    stamps = {
        "input_fingerprint": _only_value(tables.get("input_fingerprint"), "input_fingerprint"),
        "code_version": code_version(),
        "model_version": _only_value(tables.get("engagement_model"), "model_version"),
    }
    try:
        settings = plan_settings(config)
        named = planner_tables(tables, settings.cycle_start)
        arms = arms_of_run(build_problem(named, settings), tables)
        result = plan_problem(arms.problem, say, earlier_touches(arms.problem, named.get("earlier_plan")))
        price = dict(zip(result.limits["limit_id"], result.limits["price"], strict=True))
        overrides = None if result.status == "conflict" else override_costs(named, settings, arms.problem, price)
    except (PlanInputError, ArmsError) as error:
        return refused_table(str(error), time.perf_counter() - began, stamps)
    return solution_table(result, time.perf_counter() - began, stamps, arms.explore, overrides)


def plan_settings(config: Any) -> PlanSettings:
    """Switches of the solve from the one row of `run_config`."""
    import pandas as pd

    from optimization import PlanSettings

    row = as_frame(config).iloc[0]
    penalty = row.get("floor_penalty")
    return PlanSettings(
        cycle_start=_as_date(row["cycle_start"]),
        cycle_end=_as_date(row["cycle_end"]),
        overlap=float(row["overlap"]),
        floor_penalty=None if pd.isna(penalty) else float(penalty),
        gap=float(row["gap"]),
        node_limit=int(row["node_limit"]),
        seed=int(row["seed"]),
        stability_share=float(row.get("stability_share", PlanSettings.stability_share)),
        step_limits=int(row.get("step_limits", PlanSettings.step_limits)),
    )


def _only_value(table: Any, column: str) -> str | None:
    """The column's value in a table of at most one row; None without the table, the row or the value."""
    if table is None:
        return None
    frame = as_frame(table)
    value = frame[column].iloc[0] if len(frame) else None
    return value if isinstance(value, str) else None


def _as_date(value: Any) -> date:
    import pandas as pd

    return pd.Timestamp(value).date()
