"""Wording and membership that limits over scopes share."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimization.problem import PlanInputError
from optimization.rules.context import Context
from optimization.rules.tables import read_text


def scope_phrase(context: Context, channel: str | None, territory: str | None) -> str:
    """` of E-mail in territory T3`, with the parts that the scope has."""
    text = "" if channel is None else f" of {context.label_of(channel)}"
    return text if territory is None else f"{text} in territory {territory}"


def matching_hcps(context: Context, table: str, attribute: str | None, operator: str, value: str | None) -> np.ndarray:
    """Mask of the HCPs that an attribute condition names.

    No attribute or no value = all HCPs (with an attribute and value `*`: those that have one). `=` compares numbers with
    numbers and text with text, `>=` compares numbers (what is not a number never matches), `in` takes values separated by |.
    Raises PlanInputError for a column that the HCP table lacks or another operator.
    """
    if operator not in ("=", ">=", "in"):
        raise PlanInputError(f"{table}.operator: {operator!r} is none of =, >=, in")
    if attribute is None:
        return np.ones(context.hcp_count, dtype=bool)
    column = attribute_column(context, table, attribute)
    if value is None:
        return np.ones(context.hcp_count, dtype=bool)
    if value == "*":
        return column.notna().to_numpy()
    if operator == ">=":
        bound = pd.to_numeric(pd.Series([value]), errors="coerce").iloc[0]
        return (numbers_of(column) >= bound) & np.isfinite(bound)
    wanted = [part.strip() for part in value.split("|")] if operator == "in" else [value]
    return equals_any(column, wanted)


def attribute_column(context: Context, table: str, attribute: str) -> pd.Series:
    """The HCP attribute of that name, or a PlanInputError."""
    if attribute not in context.attributes.columns:
        raise PlanInputError(f"{table}.attribute: {attribute!r} is not a column of hcp_master")
    return context.attributes[attribute]


def numbers_of(column: pd.Series) -> np.ndarray:
    """The column as float64; what is not a number is NaN."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    codes, distinct = pd.factorize(column)
    values = pd.to_numeric(pd.Series([str(value) for value in distinct], dtype=object), errors="coerce")
    return np.append(values.to_numpy(dtype=np.float64), np.nan)[codes]


def equals_any(column: pd.Series, wanted: list[str]) -> np.ndarray:
    """Mask of the entries equal to one of the values: as numbers in a numeric column, else as text."""
    is_numeric = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
    if is_numeric:
        targets = pd.to_numeric(pd.Series(wanted, dtype=object), errors="coerce").dropna().to_numpy(dtype=np.float64)
        return np.isin(numbers_of(column), targets)
    codes, distinct = pd.factorize(read_text(column, str(column.name)))
    hits = np.append(np.isin(distinct.astype(str), wanted), False)
    return hits[codes]
