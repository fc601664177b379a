"""The tables of a run into the draw: what the models draw_arms and plan_power call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nba.arms.draw import Cycle, design_of, draw_arms
from nba.plan_inputs import as_arrow, as_frame

if TYPE_CHECKING:
    import pyarrow as pa


def drawn_arms(frame: Any, holdout: Any, prior: Any, config: Any) -> pa.Table:
    """The table `draw_arms`; tables as in `draw.draw_arms`, each pandas, Arrow or a DuckDB relation; config: `run_config`, one row."""
    import pandas as pd

    row = as_frame(config).iloc[0]
    start = pd.Timestamp(row["cycle_start"]).date()
    cycle = Cycle(start, str(row["grain"]), int(row["cycle_periods"]), int(row["seed"]))
    return draw_arms(as_arrow(frame), as_arrow(prior), design_of(as_arrow(holdout), float(row["explore_cold_share"])), cycle)
