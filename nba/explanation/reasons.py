"""Reasons of planned actions: one row per action and driver, first of the impact, then of the likelihood of a response."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nba.impact.table import DRIVERS as IMPACT_DRIVERS
from nba.learning.scoring import DRIVERS, number_texts

REASON_SCHEMA = pa.schema(
    [
        ("hcp_id", pa.string()),
        ("channel", pa.string()),
        ("explains", pa.string()),
        ("driver_rank", pa.int32()),
        ("feature_name", pa.string()),
        ("label", pa.string()),
        ("feature_value", pa.string()),
        ("contribution", pa.float64()),
        ("contribution_unit", pa.string()),
    ]
)
KEYS = ["hcp_id", "channel"]
BY_KEY = [(name, "ascending") for name in KEYS]
UNITS = {"impact": "KPI units", "engagement": "log-odds"}  # of contributions, by what they explain, in the order of the rows
BASE, OTHER = "channel_effect", "other_drivers"  # what the impact's drivers start from, and what those add up to that are not listed


def labels_of(definitions: pa.Table) -> dict[str, str]:
    """Label by feature name; a definition without a label has its name."""
    rows = zip(definitions["feature_name"].to_pylist(), definitions["label"].to_pylist(), strict=True)
    return {name: label or name for name, label in rows if name}


def planned_rows(actions: pa.Table) -> pa.Table:
    """plan_actions by HCP and channel."""
    return actions.sort_by(BY_KEY)


def beside(planned: pa.Table, table: pa.Table) -> pa.Table:
    """The rows of a pair table for the planned actions, in their order; null where it has none. planned: planned_rows."""
    keys = planned.select(KEYS).cast(pa.schema([(name, pa.string()) for name in KEYS]))
    for place, name in ((table.column_names.index(name), name) for name in KEYS):
        table = table.set_column(place, name, table[name].cast(pa.string()))
    rows = table.join(keys, KEYS, join_type="left semi").sort_by(BY_KEY)
    return rows if rows.num_rows == planned.num_rows else keys.join(rows, KEYS, join_type="left outer").sort_by(BY_KEY)


def plan_reasons(actions: pa.Table, scores: pa.Table, impact: pa.Table, definitions: pa.Table) -> pa.Table:
    """explain_plan: drivers of every planned action.

    actions: plan_actions. scores, impact: score_engagement and score_impact, or what they have of planned pairs. definitions:
    stg_feature_definition. Impact drivers are in KPI units and sum to the expected impact: the channel's effect, then up to five, then
    all others; engagement drivers rank 1..5 in log-odds before calibration, and are absent where there is no engagement probability.
    Rows by HCP, channel, impact before engagement, rank.
    """
    labels = labels_of(definitions)
    planned = planned_rows(actions)
    chosen, scored = beside(planned, impact), beside(planned, scores)
    base, others = chosen["impact_base"], chosen["impact_other"]
    parts = [_rows(chosen, pc.is_valid(base), "impact", 1, BASE, number_texts(_filled(base)), base, labels)]
    listed = np.zeros(planned.num_rows, np.int64)
    for k in range(1, IMPACT_DRIVERS + 1):
        driver = chosen[f"impact_driver_{k}"]
        listed += pc.is_valid(driver).to_numpy()
        values = pc.fill_null(chosen[f"impact_driver_{k}_value"], "unknown")
        parts.append(_rows(chosen, pc.is_valid(driver), "impact", k + 1, driver, values, chosen[f"impact_driver_{k}_contribution"], labels))
    # ranks follow each other: what is left over comes after as many drivers as there are
    left = pc.fill_null(pc.not_equal(others, 0.0), False)
    parts.append(_rows(chosen, left, "impact", listed + 2, OTHER, number_texts(_filled(others)), others, labels))
    for rank in range(1, DRIVERS + 1):
        driver = scored[f"driver_{rank}"]
        values, contributions = scored[f"driver_{rank}_value"], scored[f"driver_{rank}_contribution"]
        parts.append(_rows(scored, pc.is_valid(driver), "engagement", rank, driver, values, contributions, labels))
    # by numbers: to sort millions of texts takes minutes
    places = np.concatenate([place for _, place in parts])
    return pa.concat_tables([rows for rows, _ in parts]).take(np.argsort(places, kind="stable"))


def _filled(column: pa.ChunkedArray) -> np.ndarray:
    return pc.fill_null(column, 0.0).to_numpy()


def _rows(
    table: pa.Table,
    has: pa.ChunkedArray,
    explains: str,
    rank: int | np.ndarray,
    names: pa.ChunkedArray | str,
    values: pa.ChunkedArray | np.ndarray,
    contributions: pa.ChunkedArray,
    labels: dict[str, str],
) -> tuple[pa.Table, np.ndarray]:
    """Reasons of the rows that have one, and the place of each among all reasons. rank, names, values, contributions: by row of `table`."""
    kept = np.flatnonzero(has.to_numpy())
    ranks = np.broadcast_to(rank, table.num_rows)[kept]
    names = pa.chunked_array([pa.repeat(pa.scalar(names), table.num_rows)]) if isinstance(names, str) else names
    coded = names.take(kept).combine_chunks().dictionary_encode()
    worded = pa.array([labels.get(name, name) for name in coded.dictionary.to_pylist()], pa.string())
    columns = {
        "hcp_id": table["hcp_id"].take(kept),
        "channel": table["channel"].take(kept),
        "explains": pa.repeat(pa.scalar(explains), len(kept)),
        "driver_rank": pa.array(ranks),
        "feature_name": coded.cast(pa.string()),
        "label": pa.DictionaryArray.from_arrays(coded.indices, worded).cast(pa.string()),
        "feature_value": pa.array(values[kept], pa.string()) if isinstance(values, np.ndarray) else values.take(kept),
        "contribution": contributions.take(kept),
        "contribution_unit": pa.repeat(pa.scalar(UNITS[explains]), len(kept)),
    }
    return pa.table(columns).cast(REASON_SCHEMA), (kept * len(UNITS) + list(UNITS).index(explains)) * 16 + ranks
