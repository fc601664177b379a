"""How much a feature says of a denied column: an effect size from 0 (nothing) to 1 (everything), freed of what chance alone would show.

Text against a denied column: Cramér's V with the correction of Bergsma (2013). Numbers: the correlation ratio of their ranks between the
values of the denied column, corrected like an adjusted R squared (epsilon squared, Kelley 1935). No p-value: a large sample makes
anything significant and nothing important.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

CLASSES = 10  # of a denied column that holds numbers or dates: tenths
FEW = 10  # HCPs below which a value is put together with the other rare ones
FEATURE, DENIED = "feature__", "denied__"


def feature_proxies(sample: Any) -> pa.Table:
    """feature_name, denied_column, measure (`cramers_v` or `correlation_ratio`), association, hcps (with both known): one row per feature
    and denied column, by both.

    sample: one row per HCP, a column `feature__<name>` or `denied__<name>` for each (pandas or Arrow). Association is null where one
    of the two has a single value.
    """
    import pyarrow as pa

    frame = sample if hasattr(sample, "columns") and not isinstance(sample, pa.Table) else sample.to_pandas()
    frame = frame.rename(columns={name: name.lower() for name in frame.columns})
    rows = []
    for denied in sorted(name for name in frame.columns if name.startswith(DENIED)):
        classes = class_codes(frame[denied])
        for feature in sorted(name for name in frame.columns if name.startswith(FEATURE)):
            measure, association, hcps = association_of(frame[feature], classes)
            rows.append((feature.removeprefix(FEATURE), denied.removeprefix(DENIED), measure, association, hcps))
    types = (pa.string(), pa.string(), pa.string(), pa.float64(), pa.int64())
    names = ("feature_name", "denied_column", "measure", "association", "hcps")
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    return pa.table({name: pa.array(column, kind) for name, column, kind in zip(names, columns, types, strict=True)})


def association_of(feature: pd.Series, classes: np.ndarray) -> tuple[str, float | None, int]:
    """(measure, association rounded to 6 digits, HCPs with both known). classes: codes of the denied column, -1 unknown."""
    import pandas as pd

    is_text = not _is_number(feature)
    known = feature.notna().to_numpy() & (classes >= 0)
    count, denied = int(known.sum()), classes[known]
    if is_text:
        own = class_codes(feature)[known]
        found = cramers_v(own, denied)
    else:
        values = pd.to_numeric(feature[known]).rank().to_numpy(dtype=np.float64)
        found = correlation_ratio(values, denied)
    return "cramers_v" if is_text else "correlation_ratio", None if found is None else round(found, 6), count


def class_codes(column: pd.Series) -> np.ndarray:
    """Codes (int64) of the classes of a column, -1 where unknown: its values, rare ones together; tenths of many numbers or dates."""
    import pandas as pd

    values = column
    if pd.api.types.is_datetime64_any_dtype(column) or (column.dtype == object and _are_dates(column)):
        values = pd.to_datetime(column, errors="coerce")
        values = pd.Series(np.where(values.notna(), values.astype("int64"), np.nan), index=column.index)
    if _is_number(values) and values.nunique() > CLASSES:
        return pd.qcut(pd.to_numeric(values).rank(), CLASSES, labels=False, duplicates="drop").fillna(-1).to_numpy().astype(np.int64)
    codes, _ = pd.factorize(values.astype(object).where(values.notna(), None).map(lambda one: None if one is None else str(one)), sort=True)
    times = np.bincount(codes[codes >= 0], minlength=1)
    return np.where(codes >= 0, np.where(times[codes] < FEW, len(times), codes), -1).astype(np.int64)


def cramers_v(left: np.ndarray, right: np.ndarray) -> float | None:
    """Bias-corrected Cramér's V of two columns of codes; None where one has a single value."""
    _, one = np.unique(left, return_inverse=True)
    _, other = np.unique(right, return_inverse=True)
    rows, columns, count = int(one.max(initial=-1)) + 1, int(other.max(initial=-1)) + 1, len(left)
    if rows < 2 or columns < 2:
        return None
    table = np.bincount(one * columns + other, minlength=rows * columns).reshape(rows, columns).astype(np.float64)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / count
    square = float(((table - expected) ** 2 / expected).sum()) / count
    square = max(0.0, square - (rows - 1) * (columns - 1) / (count - 1))
    rows_left, columns_left = rows - (rows - 1) ** 2 / (count - 1), columns - (columns - 1) ** 2 / (count - 1)
    most = min(rows_left, columns_left) - 1
    return float(min(1.0, np.sqrt(square / most))) if most > 0 else None


def correlation_ratio(values: np.ndarray, classes: np.ndarray) -> float | None:
    """Square root of epsilon squared of the values between the classes; None where either has a single value."""
    _, own = np.unique(classes, return_inverse=True)
    groups, count = int(own.max(initial=-1)) + 1, len(values)
    if groups < 2 or count <= groups:
        return None
    spread = float(((values - values.mean()) ** 2).sum())
    if spread == 0:
        return None
    size = np.bincount(own)
    within = spread - float((size * (np.bincount(own, weights=values) / size - values.mean()) ** 2).sum())
    return float(np.sqrt(max(0.0, 1.0 - within / (count - groups) * (count - 1) / spread)))


def _is_number(column: pd.Series) -> bool:
    """Whether a column holds numbers: also decimals, which come as objects."""
    import decimal

    import pandas as pd

    if pd.api.types.is_bool_dtype(column):
        return False
    if pd.api.types.is_numeric_dtype(column):
        return True
    known = column.dropna()
    return (
        len(known) > 0
        and column.dtype == object
        and all(isinstance(one, (int, float, decimal.Decimal)) and not isinstance(one, bool) for one in known)
    )


def _are_dates(column: pd.Series) -> bool:
    import datetime

    known = column.dropna()
    return len(known) > 0 and all(isinstance(one, datetime.date) for one in known)
