"""From tables to the allocation problem: codes and arrays first, then every rule in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from optimization.eligibility import eligible_runs, first_blockers, pair_blocks
from optimization.keys import with_limit_ids
from optimization.problem import Block, PlanInputError, PlanSettings, Problem, RuleYield
from optimization.rules import RULES
from optimization.rules.columns import column_names
from optimization.rules.context import Context, Runs, codes_of
from optimization.rules.tables import Table, normalise

MOST_TOUCHES = 10_000  # the catalogue may say more; no plan holds more touches of one channel for one HCP

__all__ = ["build_context", "build_problem", "pair_blocks"]


def build_problem(tables: Mapping[str, pd.DataFrame | pa.Table], settings: PlanSettings) -> Problem:
    """The allocation problem of one cycle.

    tables: pandas or Arrow tables by name: `hcps`, `catalog`, `scores`, `touch_days`, `prior_actions` and the `rule_` tables; an absent
    rule table is an empty one, a column that may be null may be absent. HCPs are sorted by hcp_id, channels by channel.
    Raises PlanInputError, naming table, column and value, when the tables contradict the contract.
    """
    context = build_context(tables, settings)
    days = [rule.days(context) for rule in RULES if rule.days]
    blocks = [block for item in days for block in item.blocks if len(block.pairs)]
    pair_count = context.hcp_count * context.channel_count
    earliest, latest = eligible_runs(blocks, pair_count, context.days)
    context = replace(context, runs=Runs(earliest, latest))
    rows = [rule.rows(context) for rule in RULES if rule.rows]
    return _assemble(context, blocks, days + rows, _values(context))


def build_context(tables: Mapping[str, pd.DataFrame | pa.Table], settings: PlanSettings) -> Context:
    """The tables as arrays over HCPs and channels in their final order, for the rules to read."""
    ready = normalise(tables)
    if ready["rule_holdout"].rows:
        raise PlanInputError("rule_holdout: the planner draws no arms; draw them first and give the problem to optimization.arms.with_arms")
    catalog, _ = _ordered(ready["catalog"], "channel")
    hcps, hcp_rows = _ordered(ready["hcps"], "hcp_id")
    territory, rep = (hcps[name].sorted() for name in ("territory_id", "rep_id"))
    channels = list(catalog["channel"])
    labels = [label or channel for label, channel in zip(catalog["label"], channels, strict=True)]
    ready["hcps"], ready["catalog"] = hcps, catalog
    return Context(
        settings=settings,
        hcp_ids=hcps["hcp_id"].distinct,
        channels=channels,
        labels=labels,
        unit_cost=_at_least_zero(catalog, "unit_cost", None),
        rep_minutes=_at_least_zero(catalog, "rep_minutes", 0.0),
        requires_consent=catalog["requires_consent"],
        most_touches=np.floor(np.minimum(_at_least_zero(catalog, "max_touches", 1.0) * (1 + 1e-6), MOST_TOUCHES)).astype(np.int64),
        territory=territory.code,
        territory_names=territory.distinct.to_pylist(),
        rep=rep.code,
        rep_names=rep.distinct.to_pylist(),
        attributes={name: tables["hcps"][name] for name in column_names(tables["hcps"])},
        hcp_rows=hcp_rows,
        tables=ready,
    )


def _ordered(table: Table, key: str) -> tuple[Table, np.ndarray | None]:
    """The table by its key, which must be there and unique, and the row of each place in it (None: it was in order)."""
    if table.rows == 0:
        raise PlanInputError(f"{table.name}: no rows")
    words = table[key].sorted()
    if np.any(words.code < 0):
        raise PlanInputError(f"{table.name}.{key}: null")
    times = np.bincount(words.code)
    if np.any(times > 1):
        raise PlanInputError(f"{table.name}.{key}: {words.distinct[int(np.argmax(times > 1))]} is there twice")
    table = Table(table.name, table.rows, {**table.columns, key: words})
    if np.all(words.code[1:] > words.code[:-1]):
        return table, None
    rows = np.argsort(words.code, kind="stable")
    return table.where(rows), rows


def _at_least_zero(catalog: Table, column: str, absent: float | None) -> np.ndarray:
    values = catalog[column] if absent is None else np.where(np.isnan(catalog[column]), absent, catalog[column])
    wrong = np.flatnonzero(~(values >= 0) | np.isinf(values))
    if len(wrong):
        raise PlanInputError(f"catalog.{column}: {values[wrong[0]]:g} of {catalog['channel'][wrong[0]]} must be a finite number >= 0")
    return values


def _values(context: Context) -> np.ndarray:
    """Expected impact of every pair; each pair must have exactly one, and it must be finite."""
    scores = context.tables["scores"]
    pairs = codes_of(scores["hcp_id"], context.hcp_ids).astype(np.int64)
    channels = context.channel_codes(scores["channel"])
    known = (pairs >= 0) & (channels >= 0)
    pairs *= context.channel_count
    pairs += channels
    impact = scores["expected_impact"]
    if not known.all():
        pairs, impact = pairs[known], impact[known]
    value = np.full(context.hcp_count * context.channel_count, np.nan)
    value[pairs] = impact
    wrong = np.flatnonzero(~np.isfinite(value))
    if len(wrong):
        hcp, channel = divmod(int(wrong[0]), context.channel_count)
        where = f"hcp_id {context.hcp_ids[hcp]}, channel {context.channels[channel]}"
        raise PlanInputError(f"scores.expected_impact: {len(wrong)} pair(s) have no finite value, for example {where}")
    if len(pairs) != len(value):
        raise PlanInputError(f"scores: {len(pairs) - len(value)} pair(s) are there twice")
    return value


def _assemble(context: Context, blocks: list[Block], declared: list[RuleYield], value: np.ndarray) -> Problem:
    assert context.runs is not None
    blockers = list(dict.fromkeys(rule.name for rule in RULES if rule.days))
    return Problem(
        settings=context.settings,
        hcp_ids=context.hcp_ids.to_numpy(zero_copy_only=False),
        channels=context.channels,
        territory=context.territory,
        territory_names=context.territory_names,
        rep=context.rep,
        rep_names=context.rep_names,
        cost=context.unit_cost,
        minutes=context.rep_minutes,
        most_touches=context.most_touches,
        value=value,
        eligible=context.runs.eligible,
        earliest=context.runs.earliest,
        latest=context.runs.latest,
        blocked_by=first_blockers(blocks, context.runs.eligible, blockers),
        blockers=blockers,
        blocks=blocks,
        limits=with_limit_ids([limit for item in declared for limit in item.limits]),
        caps=[cap for item in declared for cap in item.caps],
        exclusive=[row for item in declared for row in item.exclusive if len(row.members)],
        pins=np.concatenate([np.empty(0, dtype=np.int64), *(item.pins for item in declared)]).astype(np.int64),
        pin_labels=[label for item in declared for label in item.pin_labels],
        warnings=[warning for item in declared for warning in item.warnings],
    )
