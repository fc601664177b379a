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
BASE, OTHER = "channel_effect", "other_drivers"  # what the impact's drivers start from, and what those add up to that are not listed


def labels_of(definitions: pa.Table) -> dict[str, str]:
    """Label by feature name; a definition without a label has its name."""
    rows = zip(definitions["feature_name"].to_pylist(), definitions["label"].to_pylist(), strict=True)
    return {name: label or name for name, label in rows if name}


def of_actions(actions: pa.Table, table: pa.Table) -> pa.Table:
    """The rows of a pair table that belong to planned actions, sorted by HCP and channel."""
    keys = actions.select(KEYS).cast(pa.schema([(name, pa.string()) for name in KEYS]))
    table = table.set_column(table.column_names.index("hcp_id"), "hcp_id", table["hcp_id"].cast(pa.string()))
    table = table.set_column(table.column_names.index("channel"), "channel", table["channel"].cast(pa.string()))
    return table.join(keys, KEYS, join_type="left semi").sort_by([(name, "ascending") for name in KEYS])


def plan_reasons(actions: pa.Table, scores: pa.Table, impact: pa.Table, definitions: pa.Table) -> pa.Table:
    """explain_plan: drivers of every planned action.

    actions: plan_actions. scores: score_engagement. impact: score_impact. definitions: stg_feature_definition.
    Impact drivers are in KPI units and sum to the expected impact: the channel's effect first, then up to five, then all others;
    engagement drivers rank 1..5 in log-odds before calibration, and are absent where there is no engagement probability.
    Rows by HCP, channel, impact before engagement, rank.
    """
    labels = labels_of(definitions)
    chosen = of_actions(actions, impact)
    parts = []
    names = pa.repeat(pa.scalar(BASE), chosen.num_rows)
    shown = pa.array(number_texts(chosen["impact_base"].to_numpy()), pa.string())
    parts.append(_rows(chosen, "impact", 1, names, shown, chosen["impact_base"], "KPI units", labels))
    for k in range(1, IMPACT_DRIVERS + 1):
        driver = f"impact_driver_{k}"
        known = chosen.filter(pc.is_valid(chosen[driver]))
        values, contributions = pc.fill_null(known[f"{driver}_value"], "unknown"), known[f"{driver}_contribution"]
        parts.append(_rows(known, "impact", k + 1, known[driver], values, contributions, "KPI units", labels))
    # ranks follow each other: what is left over comes after as many drivers as there are
    for listed in range(IMPACT_DRIVERS + 1):
        rest = chosen.filter(pc.and_(pc.not_equal(chosen["impact_other"], 0.0), pc.equal(_listed(chosen), listed)))
        others = pa.repeat(pa.scalar(OTHER), rest.num_rows)
        shown = pa.array(number_texts(rest["impact_other"].to_numpy()), pa.string())
        parts.append(_rows(rest, "impact", listed + 2, others, shown, rest["impact_other"], "KPI units", labels))
    scored = of_actions(actions, scores)
    for rank in range(1, DRIVERS + 1):
        known = scored.filter(pc.is_valid(scored[f"driver_{rank}"]))
        driver = f"driver_{rank}"
        parts.append(
            _rows(known, "engagement", rank, known[driver], known[f"{driver}_value"], known[f"{driver}_contribution"], "log-odds", labels)
        )
    order = [("hcp_id", "ascending"), ("channel", "ascending"), ("explains", "descending"), ("driver_rank", "ascending")]
    return pa.concat_tables(parts).sort_by(order)


def _listed(table: pa.Table) -> pa.ChunkedArray:
    """How many impact drivers each row has."""
    total = pc.cast(pc.is_valid(table["impact_driver_1"]), pa.int32())
    for k in range(2, IMPACT_DRIVERS + 1):
        total = pc.add(total, pc.cast(pc.is_valid(table[f"impact_driver_{k}"]), pa.int32()))
    return total


def _rows(
    table: pa.Table, explains: str, rank: int, names: pa.Array, values: pa.Array, contributions: pa.Array, unit: str, labels: dict[str, str]
) -> pa.Table:
    rows = table.num_rows
    features = np.asarray(names.to_pylist(), dtype=object)
    columns = {
        "hcp_id": table["hcp_id"],
        "channel": table["channel"],
        "explains": pa.repeat(pa.scalar(explains), rows),
        "driver_rank": pa.repeat(pa.scalar(rank, pa.int32()), rows),
        "feature_name": names,
        "label": pa.array([labels.get(name, name) for name in features], pa.string()),
        "feature_value": values,
        "contribution": contributions,
        "contribution_unit": pa.repeat(pa.scalar(unit), rows),
    }
    return pa.table(columns).cast(REASON_SCHEMA)
