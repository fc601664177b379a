"""From the staged tables of a run to the long table `plan_solution` (docs/interfaces.md): one solve, every number it yields.

A contradiction in the inputs is returned as rows of kind `conflict`, not raised: the gate after the model prints them cleanly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from optimization import PlanSettings

PLANNED_TABLES = {"stg_hcp_master": "hcps", "stg_catalog": "catalog", "score_impact": "scores", "stg_prior_actions": "prior_actions"}
PLAN_KEYS = ("hcp_id", "channel", "latest_date")


def solve_plan(tables: Mapping[str, Any], config: Any, say: Callable[[str], None] = print) -> pa.Table:
    """The table `plan_solution`.

    tables: `stg_hcp_master`, `stg_catalog`, `score_impact`, `stg_engagement`, `stg_prior_actions`, `stg_rule_*`, `input_fingerprint` and
    `engagement_model`, each a pandas or Arrow table or a DuckDB relation; config: `run_config`, one row. say: receives progress lines.
    """
    from nba.plan_outputs import refused_table, solution_table
    from nba.versions import code_version
    from optimization import PlanInputError, plan

    began = time.perf_counter()
    stamps = {
        "input_fingerprint": _only_value(tables.get("input_fingerprint"), "input_fingerprint"),
        "code_version": code_version(),
        "model_version": _only_value(tables.get("engagement_model"), "model_version"),
    }
    try:
        settings = plan_settings(config)
        result = plan(planner_tables(tables, settings.cycle_start), settings, say)
    except PlanInputError as error:
        return refused_table(str(error), time.perf_counter() - began, stamps)
    return solution_table(result, time.perf_counter() - began, stamps)


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
    )


def planner_tables(tables: Mapping[str, Any], cycle_start: date) -> dict[str, pd.DataFrame]:
    """The tables under the planner's names, in the order of their keys; history by touch day known at cycle start."""
    named = {ours: in_key_order(as_frame(tables[name]), PLAN_KEYS) for name, ours in PLANNED_TABLES.items()}
    for name, table in tables.items():
        if name.startswith("stg_rule_"):
            rule = as_frame(table)
            named[name.removeprefix("stg_")] = in_key_order(rule, rule.columns)
    named["touch_days"] = touch_days(as_frame(tables["stg_engagement"]), cycle_start)
    return named


def in_key_order(frame: pd.DataFrame, key: Iterable[str]) -> pd.DataFrame:
    """The rows sorted by those columns of `key` that there are, as text: warehouses keep no order, and last bits of sums follow it."""
    by = [name for name in key if name in frame.columns]
    if not by or len(frame) < 2:
        return frame
    return frame.sort_values(by, key=lambda column: column.astype(str), kind="stable", ignore_index=True)


def touch_days(engagement: pd.DataFrame, cycle_start: date) -> pd.DataFrame:
    """hcp_id, channel, touch_date (last day of the period), touches > 0, from the rows of `stg_engagement` known at cycle_start."""
    import pandas as pd

    known = pd.to_datetime(engagement["known_from"]) <= pd.Timestamp(cycle_start)
    days = engagement.loc[known, ["hcp_id", "channel", "period_end", "touches"]]
    days = days.assign(touch_date=pd.to_datetime(days["period_end"]) - pd.Timedelta(days=1)).drop(columns="period_end")
    summed = days.groupby(["hcp_id", "channel", "touch_date"], as_index=False, sort=True)["touches"].sum()
    summed = summed[summed["touches"] > 0].reset_index(drop=True)
    return summed.assign(touch_date=summed["touch_date"].dt.date)[["hcp_id", "channel", "touch_date", "touches"]]


def as_frame(table: Any) -> pd.DataFrame:
    """A pandas frame of a pandas frame, an Arrow table, or a DuckDB relation."""
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    arrow = table.to_arrow_table() if hasattr(table, "to_arrow_table") else table
    return arrow.to_pandas()


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
