"""How a column is spread, kept small: unknown share, counts between quantiles, or counts by category. A later run is held against it.

A profile is made from a sample of HCPs drawn by hash. HCPs are its units: the pairs of one HCP share most of what is known of them, so
`n` counts HCPs however many pairs stand behind the shares. A column that is the same for all HCPs of a channel has channels for units: its
few values move every pair at once, by chance alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nba.learning.encoding import is_text, numbers, texts

EDGES = 19  # 5%, 10% .. 95%
CATEGORIES = 20
PROFILE_SCHEMA = pa.schema(
    [
        ("table_name", pa.string()),
        ("column_name", pa.string()),
        ("kind", pa.string()),
        ("hcps", pa.int64()),
        ("sampled_rows", pa.int64()),
        ("unknown_rows", pa.int64()),
        ("bounds", pa.string()),
        ("counts", pa.string()),
    ]
)
KEYS = ("hcp_id", "channel", "snapshot_date", "is_scoring", "kpi_level", "kpi_periods", "segment")
SCORES = ("score_engagement_probability", "score_expected_impact", "score_churn_probability")


@dataclass(frozen=True)
class Profile:
    """One column as it was. kind: `number` or `text`. bounds: upper ends of all bins but the last, or the categories kept. counts: rows per
    bin (one more than bounds), or per category and then of all others. unknown: rows without a value. hcps: units, HCPs or channels."""

    kind: str
    bounds: tuple[Any, ...]
    counts: tuple[int, ...]
    unknown: int
    hcps: int

    @property
    def rows(self) -> int:
        """Rows behind the profile."""
        return sum(self.counts) + self.unknown

    def counted(self, column: pa.ChunkedArray) -> tuple[np.ndarray, int] | None:
        """Rows of another column in the bins of this one, and those without a value; None where its kind is another."""
        if is_text(column.type) != (self.kind == "text") and not pa.types.is_null(column.type):
            return None
        return _counts(self.kind, self.bounds, column)


def profile(column: pa.ChunkedArray, hcps: int) -> Profile:
    """The profile of a column with so many units behind it."""
    if is_text(column.type):
        found = pc.value_counts(texts(column).drop_null()).to_pylist()
        ranked = sorted(found, key=lambda entry: (-entry["counts"], entry["values"]))
        bounds: tuple[Any, ...] = tuple(sorted(entry["values"] for entry in ranked[:CATEGORIES]))
        kind = "text"
    else:
        values = numbers(column, "profiled column")
        values = np.sort(values[~np.isnan(values)])
        places = np.arange(1, EDGES + 1) * len(values) // (EDGES + 1)
        # the largest value bounds nothing
        bounds = tuple(float(edge) for edge in np.unique(values[places]) if edge < values[-1]) if len(values) else ()
        kind = "number"
    counts, unknown = _counts(kind, bounds, column)
    return Profile(kind, bounds, tuple(int(count) for count in counts), unknown, hcps)


def _counts(kind: str, bounds: Sequence[Any], column: pa.ChunkedArray) -> tuple[np.ndarray, int]:
    if pa.types.is_null(column.type):
        return np.zeros(len(bounds) + 1, np.int64), len(column)
    if kind == "text":
        known = texts(column).drop_null()
        place = pc.fill_null(pc.index_in(known, value_set=pa.array(bounds, pa.string())), len(bounds))
        codes = place.to_numpy().astype(np.int64)
    else:
        values = numbers(column, "profiled column")
        values = values[~np.isnan(values)]
        codes = np.searchsorted(np.array(bounds, dtype=np.float64), values, side="left")
    return np.bincount(codes, minlength=len(bounds) + 1), len(column) - len(codes)


def profiled_columns(sample: pa.Table) -> list[str]:
    """Columns of a sample that are features or scores."""
    return [name for name in sample.column_names if name not in KEYS]


def profile_table(sample: pa.Table) -> pa.Table:
    """The rows of memory.profiles without the run: every feature and score of the sample."""
    rows = [_row(name, profile(sample[name], units)) for name, units in units_of(sample).items()]
    return pa.Table.from_pylist(rows, schema=PROFILE_SCHEMA)


def units_of(sample: pa.Table) -> dict[str, int]:
    """How many units stand behind each profiled column of a sample."""
    names = profiled_columns(sample)
    hcps = pc.count_distinct(sample["hcp_id"]).as_py() if sample.num_rows else 0
    if "channel" not in sample.column_names or not names:
        return dict.fromkeys(names, hcps)
    known = [name for name in names if not pa.types.is_null(sample[name].type)]
    counted = sample.group_by("channel").aggregate([(name, "count_distinct") for name in known])
    same = {name for name in known if (pc.max(counted[f"{name}_count_distinct"]).as_py() or 0) <= 1}
    return {name: counted.num_rows if name in same else hcps for name in names}


def _row(name: str, found: Profile) -> dict[str, Any]:
    return {
        "table_name": "scores" if name in SCORES else "features",
        "column_name": name,
        "kind": found.kind,
        "hcps": found.hcps,
        "sampled_rows": found.rows,
        "unknown_rows": found.unknown,
        "bounds": json.dumps(list(found.bounds), allow_nan=False),
        "counts": json.dumps(list(found.counts)),
    }


def profile_of(row: Mapping[str, Any]) -> Profile:
    """Inverse of a row of memory.profiles. ValueError for a row that is none, so that a damaged memory is said and not compared with."""
    try:
        bounds, counts = tuple(json.loads(row["bounds"])), tuple(int(count) for count in json.loads(row["counts"]))
    except (TypeError, ValueError) as error:
        raise ValueError(f"the profile of column '{row['column_name']}' in memory cannot be read: {error}") from error
    if row["kind"] not in ("number", "text") or len(counts) != len(bounds) + 1 or min(counts) < 0:
        raise ValueError(f"the profile of column '{row['column_name']}' in memory has {len(counts)} counts for {len(bounds)} bounds")
    return Profile(row["kind"], bounds, counts, int(row["unknown_rows"]), int(row["hcps"]))
