"""Wording and membership that limits over scopes share."""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimization.problem import PlanInputError
from optimization.rules.columns import holds_numbers, read_text
from optimization.rules.context import Context


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
    codes, words, numbers = attribute_values(context, table, attribute)
    if value is None:
        return np.ones(context.hcp_count, dtype=bool)
    if value == "*":
        hits = np.ones(len(words), dtype=bool)
    elif operator == ">=":
        hits = _as_numbers(words) >= _as_numbers(np.array([value], dtype=object))[0]
    else:
        wanted = np.array([part.strip() for part in value.split("|")] if operator == "in" else [value], dtype=object)
        hits = np.isin(words.astype(str), wanted.astype(str)) if numbers is None else np.isin(numbers, _as_numbers(wanted))
    return np.append(hits, False)[codes]


def attribute_values(context: Context, table: str, attribute: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """An HCP attribute as code per HCP (-1 = null), the distinct values as text, and as numbers where the column holds numbers."""
    if attribute not in context.attributes:
        raise PlanInputError(f"{table}.attribute: {attribute!r} is not a column of hcp_master")
    if ("hcps", attribute) not in context.readings:
        column = context.attributes[attribute]
        read = read_text(column, attribute)
        words = np.array(read.distinct.to_pylist(), dtype=object)
        code = read.code if context.hcp_rows is None else read.code[context.hcp_rows]
        context.readings["hcps", attribute] = code, words, _as_numbers(words) if holds_numbers(column) else None
    return context.readings["hcps", attribute]


def _as_numbers(words: np.ndarray) -> np.ndarray:
    """float64; NaN, which equals and exceeds nothing, for what is not a finite number."""
    numbers = pd.to_numeric(pd.Series(words, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
    return np.where(np.isfinite(numbers), numbers, np.nan)
