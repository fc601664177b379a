"""From the staged tables of a run to the tables of the planner: the columns and rows it needs, out of pandas, Arrow or DuckDB.

Tables with a row per HCP or pair stay columns (Arrow, where they do not come as pandas) and keep the order in which they come: the
planner puts them in order by codes. Small tables come in the order of their keys: warehouses keep no order, and ties follow it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

HCP_COLUMNS = ("hcp_id", "territory_id", "rep_id", "rep_access")
SCORE_COLUMNS = ("hcp_id", "channel", "expected_impact")
PRIOR_COLUMNS = ("hcp_id", "channel", "latest_date", "touches")
EARLIER_COLUMNS = ("hcp_id", "channel", "touches")
TOUCH_COLUMNS = ("hcp_id", "channel", "period_end", "touches", "known_from")
ANY_ORDER = ("stg_rule_consent", "stg_rule_exclusion")  # rules whose answer does not hang on the order of their many rows
ARMS_RULE = "stg_rule_holdout"  # is read where arms are put onto the problem
REACHES = {"rule_contact_limit": "window_days", "rule_min_gap": "min_days"}  # how far back rules look


def planner_tables(tables: Mapping[str, Any], cycle_start: date) -> dict[str, pd.DataFrame | pa.Table]:
    """The tables under the planner's names; of history the touch days known at cycle start that a rule can still see."""
    named: dict[str, Any] = {"catalog": in_key_order(as_frame(tables["stg_catalog"]), ("channel",))}
    for name, table in tables.items():
        if name in ANY_ORDER:
            named[name.removeprefix("stg_")] = only_columns(table)
        elif name.startswith("stg_rule_") and name != ARMS_RULE:
            rule = as_frame(table)
            named[name.removeprefix("stg_")] = in_key_order(rule, rule.columns)
    if "stg_suppressions" in tables:
        suppressions = as_frame(tables["stg_suppressions"])
        named["suppressions"] = in_key_order(suppressions, suppressions.columns)
    attributes = {name for table in named.values() if "attribute" in column_names(table) for name in table["attribute"].dropna()}
    named["hcps"] = only_columns(tables["stg_hcp_master"], (*HCP_COLUMNS, *sorted(attributes - set(HCP_COLUMNS))))
    named["scores"] = only_columns(tables["score_impact"], SCORE_COLUMNS)
    named["prior_actions"] = only_columns(tables["stg_prior_actions"], PRIOR_COLUMNS)
    if "stg_published_plan" in tables:
        named["earlier_plan"] = only_columns(tables["stg_published_plan"], EARLIER_COLUMNS)
    named["touch_days"] = touch_days(tables["stg_engagement"], cycle_start, _reach(named))
    return named


def in_key_order(frame: pd.DataFrame, key: Iterable[str]) -> pd.DataFrame:
    """The rows sorted by those columns of `key` that there are, as text: warehouses keep no order, and last bits of sums follow it."""
    by = [name for name in key if name in frame.columns]
    if not by or len(frame) < 2:
        return frame
    return frame.sort_values(by, key=lambda column: column.astype(str), kind="stable", ignore_index=True)


def touch_days(engagement: Any, cycle_start: date, reach: int | None = None) -> pa.Table:
    """hcp_id, channel, touch_date (last day of the period), touches > 0, from the rows of `stg_engagement` known at cycle_start.

    reach: days before cycle_start beyond which touches are left out; None = all are there. One row per row of the input.
    """
    import numpy as np
    import pyarrow as pa

    start = np.datetime64(cycle_start, "D")
    oldest = None if reach is None else start - np.timedelta64(reach, "D")
    if is_relation(engagement):  # the same sieve again below: here it only saves moving the rows
        since = "" if oldest is None else f" and period_end > date '{oldest}'"
        engagement = engagement.filter(f"known_from <= date '{cycle_start}' and touches > 0{since}")
    table = as_arrow(only_columns(engagement, TOUCH_COLUMNS))
    known, end = (table[name].cast(pa.date32(), safe=False).to_numpy().astype("datetime64[D]") for name in ("known_from", "period_end"))
    touches = table["touches"].cast(pa.float64()).fill_null(0.0).to_numpy()
    keep = (known <= start) & (touches > 0)
    if oldest is not None:
        keep &= end > oldest
    rows = np.flatnonzero(keep)
    kept = table.select(["hcp_id", "channel", "touches"]).take(pa.array(rows))
    return kept.add_column(2, "touch_date", pa.array(end[rows] - np.timedelta64(1, "D")))


def as_frame(table: Any) -> pd.DataFrame:
    """A pandas frame of a pandas frame, an Arrow table, a DuckDB relation, or of whatever else can become one (`to_pandas`)."""
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    return (table.to_arrow_table() if is_relation(table) else table).to_pandas()


def as_arrow(table: Any) -> pa.Table:
    """An Arrow table of the same."""
    import pyarrow as pa

    if isinstance(table, pa.Table):
        return table
    return table.to_arrow_table() if is_relation(table) else pa.Table.from_pandas(as_frame(table), preserve_index=False)


def is_relation(table: Any) -> bool:
    return hasattr(table, "to_arrow_table")


def column_names(table: Any) -> list[str]:
    import pyarrow as pa

    return table.column_names if isinstance(table, pa.Table) else list(table.columns)


def only_columns(table: Any, wanted: Iterable[str] | None = None) -> pd.DataFrame | pa.Table:
    """Those of the wanted columns (None: all) that there are; a DuckDB relation comes as an Arrow table."""
    import pyarrow as pa

    if not isinstance(table, pa.Table) and not is_relation(table):
        table = as_frame(table)
    there = column_names(table)
    names = there if wanted is None else [name for name in wanted if name in set(there)]
    if is_relation(table):
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
        return table.project(quoted).to_arrow_table()
    return table.select(names) if isinstance(table, pa.Table) else table[names]


def _reach(named: Mapping[str, Any]) -> int:
    """Days before the cycle on which a touch can still matter to a rule."""
    import numpy as np
    import pandas as pd

    reach = 0
    for name, column in REACHES.items():
        if name in named and column in named[name].columns:
            days = pd.to_numeric(named[name][column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
            reach = max(reach, int(np.ceil(min(np.nanmax(days, initial=0.0), 1e6))))
    return reach
