"""The door: data frames of any make become plain arrays, once, so that no rule has to ask what a null looks like.

After it, text is `Words` (blank counts as null), numbers are float64 with NaN, dates are datetime64[D] and times datetime64[us] with
NaT, flags are bool; see `columns.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa

from optimization.problem import PlanInputError
from optimization.rules.columns import READERS, Values, column_names, nulls

# Column kinds of every table. A column that is absent reads as all null.
COLUMNS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "hcps": {"hcp_id": "text", "territory_id": "text", "rep_id": "text", "rep_access": "text"},
        "catalog": {
            "channel": "text",
            "label": "text",
            "unit_cost": "number",
            "rep_minutes": "number",
            "requires_consent": "flag",
            "max_touches": "number",
        },
        "scores": {"hcp_id": "text", "channel": "text", "expected_impact": "number"},
        "touch_days": {"hcp_id": "text", "channel": "text", "touch_date": "date", "touches": "number"},
        "history": {"hcp_id": "text", "channel": "text", "last_touch_date": "date"},
        "prior_actions": {"hcp_id": "text", "channel": "text", "latest_date": "date", "touches": "number"},
        "rule_budget": {"channel": "text", "territory_id": "text", "max_cost": "bound"},
        "rule_channel_capacity": {"channel": "text", "territory_id": "text", "min_actions": "bound", "max_actions": "bound"},
        "rule_rep_capacity": {
            "rep_id": "text",
            "territory_id": "text",
            "channel": "text",
            "max_minutes": "bound",
            "max_actions": "bound",
        },
        "rule_contact_limit": {
            "channel": "text",
            "attribute": "text",
            "value": "text",
            "max_actions": "bound",
            "window_days": "bound",
        },
        "rule_exclusion": {"hcp_id": "text", "channel": "text", "reason": "text", "valid_from": "date", "valid_to": "date"},
        "rule_consent": {
            "hcp_id": "text",
            "channel": "text",
            "status": "text",
            "captured_at": "time",
            "expires_at": "date",
        },
        "rule_access": {"rep_access": "text", "channel": "text"},
        "rule_channel_window": {"channel": "text", "territory_id": "text", "available_from": "date", "available_to": "date"},
        "rule_min_gap": {"last_channel": "text", "channel": "text", "min_days": "bound"},
        "rule_incompatible": {"channel_a": "text", "channel_b": "text"},
        "rule_coverage_floor": {
            "territory_id": "text",
            "attribute": "text",
            "operator": "text",
            "value": "text",
            "channel": "text",
            "min_hcps": "bound",
            "hardness": "text",
        },
        "rule_override": {
            "hcp_id": "text",
            "channel": "text",
            "action": "text",
            "reason": "text",
            "valid_from": "date",
            "valid_to": "date",
            "created_by": "text",
        },
        "suppressions": {
            "hcp_id": "text",
            "channel": "text",
            "reason": "text",
            "valid_from": "date",
            "valid_to": "date",
            "created_by": "text",
        },
        "rule_holdout": {"arm": "text"},
    }
)

# Columns whose absence from a table with rows would quietly turn one row into "everyone" or "nothing".
NEEDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "hcps": ("hcp_id",),
        "catalog": ("channel", "unit_cost"),
        "scores": ("hcp_id", "channel", "expected_impact"),
        "touch_days": ("hcp_id", "channel", "touch_date", "touches"),
        "history": ("hcp_id", "channel", "last_touch_date"),
        "prior_actions": ("hcp_id", "channel", "latest_date"),
        "rule_budget": ("max_cost",),
        "rule_contact_limit": ("max_actions",),
        "rule_exclusion": ("hcp_id", "channel"),
        "rule_consent": ("hcp_id", "channel", "status"),
        "rule_access": ("rep_access", "channel"),
        "rule_channel_window": ("channel",),
        "rule_min_gap": ("last_channel", "channel", "min_days"),
        "rule_incompatible": ("channel_a", "channel_b"),
        "rule_coverage_floor": ("min_hcps",),
        "rule_override": ("hcp_id", "channel", "action"),
        "suppressions": ("hcp_id", "channel", "valid_to"),
    }
)


@dataclass(frozen=True)
class Table:
    """One normalised table: `rows` and its columns as arrays of that length."""

    name: str
    rows: int
    columns: Mapping[str, Values]

    def __getitem__(self, column: str) -> Values:
        return self.columns[column]

    def where(self, keep: np.ndarray) -> Table:
        """The rows of a mask or an index array."""
        columns = {name: values[keep] for name, values in self.columns.items()}
        return Table(self.name, int(np.count_nonzero(keep)) if keep.dtype == bool else len(keep), columns)


def normalise(tables: Mapping[str, pd.DataFrame | pa.Table]) -> dict[str, Table]:
    """Every known table as arrays; an absent one has no rows. Raises PlanInputError naming table, column and value."""
    return {name: _table(name, tables.get(name)) for name in COLUMNS}


def _table(name: str, frame: pd.DataFrame | pa.Table | None) -> Table:
    kinds = COLUMNS[name]
    if frame is None or len(frame) == 0:
        return Table(name, 0, {column: nulls(kind, 0) for column, kind in kinds.items()})
    missing = [column for column in NEEDED.get(name, ()) if column not in column_names(frame)]
    if missing:
        raise PlanInputError(f"{name}: column {missing[0]} is missing")
    columns = {}
    for column, kind in kinds.items():
        if column in column_names(frame):
            columns[column] = READERS[kind](frame[column], f"{name}.{column}")
        else:
            columns[column] = nulls(kind, len(frame))
    return Table(name, len(frame), columns)
