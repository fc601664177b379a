"""The door: data frames of any make become plain arrays, once, so that no rule has to ask what a null looks like.

After it, text is an object array of str or None (blank counts as null), numbers are float64 with NaN, dates are
datetime64[D] and times datetime64[us] with NaT, flags are bool.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType

import numpy as np
import pandas as pd

from optimization.problem import PlanInputError

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
    }
)


@dataclass(frozen=True)
class Table:
    """One normalised table: `rows` and its columns as arrays of that length."""

    name: str
    rows: int
    columns: Mapping[str, np.ndarray]

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]

    def where(self, keep: np.ndarray) -> Table:
        """The rows of a mask or an index array."""
        columns = {name: values[keep] for name, values in self.columns.items()}
        return Table(self.name, int(np.count_nonzero(keep)) if keep.dtype == bool else len(keep), columns)


def normalise(tables: Mapping[str, pd.DataFrame]) -> dict[str, Table]:
    """Every known table as arrays; an absent one has no rows. Raises PlanInputError naming table, column and value."""
    return {name: _table(name, tables.get(name)) for name in COLUMNS}


def _table(name: str, frame: pd.DataFrame | None) -> Table:
    kinds = COLUMNS[name]
    if frame is None or len(frame) == 0:
        return Table(name, 0, {column: _nulls(kind, 0) for column, kind in kinds.items()})
    missing = [column for column in NEEDED.get(name, ()) if column not in frame.columns]
    if missing:
        raise PlanInputError(f"{name}: column {missing[0]} is missing")
    columns = {}
    for column, kind in kinds.items():
        if column in frame.columns:
            columns[column] = _READERS[kind](frame[column], f"{name}.{column}")
        else:
            columns[column] = _nulls(kind, len(frame))
    return Table(name, len(frame), columns)


def _nulls(kind: str, rows: int) -> np.ndarray:
    if kind == "text":
        return np.full(rows, None, dtype=object)
    if kind in ("number", "bound"):
        return np.full(rows, np.nan)
    if kind == "flag":
        return np.zeros(rows, dtype=bool)
    return np.full(rows, "NaT", dtype="datetime64[D]" if kind == "date" else "datetime64[us]")


def _distinct(series: pd.Series) -> tuple[np.ndarray, list[object]]:
    """Code of each row among the distinct values (-1 = null), and those values: parsing each once keeps wide tables cheap."""
    codes, distinct = pd.factorize(series)
    # One conversion to Python objects: reading an Arrow-backed array element by element is slow.
    return codes, np.asarray(distinct, dtype=object).tolist()


def read_text(series: pd.Series, where: str) -> np.ndarray:
    """Object array of str or None. Whole numbers lose a trailing .0 (an id that passed through a float), booleans are true/false."""
    codes, distinct = _distinct(series)
    words = np.empty(len(distinct) + 1, dtype=object)
    words[:-1] = [_word(value) for value in distinct]
    return words[codes]


def _word(value: object) -> str | None:
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def read_number(series: pd.Series, where: str) -> np.ndarray:
    """float64 with NaN for null; text that is not a number is an error."""
    if pd.api.types.is_numeric_dtype(series.dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)

    def parse(value: object) -> float:
        try:
            return float(str(value))
        except ValueError:
            raise PlanInputError(f"{where}: {value!r} is not a number") from None

    return _parsed(series, parse, np.float64, np.nan)


def _bound(series: pd.Series, where: str) -> np.ndarray:
    values = read_number(series, where)
    wrong = np.flatnonzero((values < 0) | np.isinf(values))
    if len(wrong):
        raise PlanInputError(f"{where}: {values[wrong[0]]:g} must be a finite number >= 0")
    return values


def _date(series: pd.Series, where: str) -> np.ndarray:
    return _time(series, where).astype("datetime64[D]")


def _time(series: pd.Series, where: str) -> np.ndarray:
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    if series.dtype.kind == "M" and isinstance(series.dtype, np.dtype):
        return series.to_numpy().astype("datetime64[us]")

    def parse(value: object) -> np.datetime64:
        try:
            moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) and value.strip() else value
        except ValueError:
            raise PlanInputError(f"{where}: {value!r} is not a date") from None
        if isinstance(moment, datetime):
            moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
            return np.datetime64(moment, "us")
        if isinstance(moment, (date, np.datetime64)):
            return np.datetime64(moment, "us")
        if isinstance(moment, str):
            return np.datetime64("NaT", "us")
        raise PlanInputError(f"{where}: {value!r} is not a date")

    return _parsed(series, parse, "datetime64[us]", np.datetime64("NaT", "us"))


def _flag(series: pd.Series, where: str) -> np.ndarray:
    words = {"true": True, "t": True, "1": True, "yes": True, "y": True, "false": False, "f": False, "0": False, "no": False, "n": False}

    def parse(value: object) -> bool:
        word = _word(value)
        if word is None:
            return False
        if word.strip().lower() not in words:
            raise PlanInputError(f"{where}: {value!r} is neither true nor false")
        return words[word.strip().lower()]

    return _parsed(series, parse, bool, False)


def _parsed(series: pd.Series, parse: Callable[[object], object], dtype: object, null: object) -> np.ndarray:
    codes, distinct = _distinct(series)
    values = np.empty(len(distinct) + 1, dtype=dtype)
    for place, value in enumerate(distinct):
        values[place] = parse(value)
    values[-1] = null
    return values[codes]


_READERS: Mapping[str, Callable[[pd.Series, str], np.ndarray]] = MappingProxyType(
    {"text": read_text, "number": read_number, "bound": _bound, "date": _date, "time": _time, "flag": _flag}
)
