"""Which runs are compared, and what memory keeps of them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nba.diff.rules import RuleChange, rule_changes
from nba.errors import NbaError
from nba.rollback import Publication, choose, read_kept, read_log

if TYPE_CHECKING:
    import pandas as pd

    from nba.warehouse import Warehouse

TABLES = ("plan_summary", "recommendations", "constraint_prices", "publications")
NEAR, NEWEST = 3, 5
SAME = 1e-6  # relative: prices and bounds closer than this are the same
MOVES = ("gained", "lost", "changed")
PAIRS = """
with
before as (select * from {memory}.recommendations where run_id = $before),
after as (select * from {memory}.recommendations where run_id = $after)
select
    coalesce(after.hcp_id, before.hcp_id) as hcp_id,
    coalesce(after.channel, before.channel) as channel,
    coalesce(after.territory_id, before.territory_id, 'unassigned') as territory_id,
    coalesce(before.touches, 0) as touches_before,
    coalesce(after.touches, 0) as touches_after,
    coalesce(before.plan_value, 0.0) as plan_value_before,
    coalesce(after.plan_value, 0.0) as plan_value_after,
    coalesce(before.cost, 0.0) as cost_before,
    coalesce(after.cost, 0.0) as cost_after,
    case
        when before.hcp_id is null then 'gained'
        when after.hcp_id is null then 'lost'
        when before.touches <> after.touches then 'changed'
        else 'kept'
    end as move
from before
full join after on
    before.hcp_id = after.hcp_id
    and before.channel = after.channel
    and coalesce(before.brand_id, '') = coalesce(after.brand_id, '')
"""
LIMITS = """
with
before as (select * from {memory}.constraint_prices where run_id = $before),
after as (select * from {memory}.constraint_prices where run_id = $after)
select
    coalesce(after.limit_id, before.limit_id) as limit_id,
    coalesce(after.label, before.label) as label,
    coalesce(after.unit, before.unit) as unit,
    before.limit_value as limit_before, after.limit_value as limit_after,
    before.used as used_before, after.used as used_after,
    before.price as price_before, after.price as price_after,
    case when before.limit_id is null then 'new' when after.limit_id is null then 'gone' else 'both' end as there
from before
full join after on before.limit_id = after.limit_id
"""


@dataclass(frozen=True)
class Difference:
    """before, after: rows of plan_summary, one each; pairs: HCP x channel of either plan with touches, plan_value (KPI units), cost
    and move (`gained`, `lost`, `changed`, `kept`); limits: of either run with bound, use, price and turn; rules: rows that differ."""

    before: pd.Series
    after: pd.Series
    pairs: pd.DataFrame
    limits: pd.DataFrame
    rules: tuple[RuleChange, ...] = ()


def read_difference(warehouse: Warehouse, schema: str, given: Sequence[str]) -> Difference:
    """The runs named (none: the published one and the one published before it; one: that and the published one), oldest first.

    schema: name of the memory schema. NbaError where memory is not there or a run is unknown.
    """
    there = {table.name.lower() for table in warehouse.tables(schema)}
    missing = [name for name in TABLES if name not in there]
    if missing:
        raise NbaError(f"{schema}.{missing[0]} is not there: nothing is kept yet, run `dbt build` first")
    memory = warehouse.quoted(schema)
    before, after = choose_runs(read_log(warehouse, schema), read_kept(warehouse, schema), given)
    header = f"select * from {memory}.{warehouse.quoted('plan_summary')} where run_id = $run_id"
    headers = [warehouse.query(header, {"run_id": run}).to_pandas().iloc[0] for run in (before, after)]
    runs = {"before": before, "after": after}
    pairs, limits = (warehouse.query(text.format(memory=memory), runs).to_pandas() for text in (PAIRS, LIMITS))
    # sorted here: engines sort text by rules of their own
    pairs = pairs.sort_values(["hcp_id", "channel"], ignore_index=True)
    limits = with_turns(limits.sort_values(["label", "limit_id"], ignore_index=True))
    return Difference(*headers, pairs, limits, tuple(rule_changes(warehouse, schema, before, after)))


def choose_runs(log: Sequence[Publication], kept: Sequence[str], given: Sequence[str]) -> tuple[str, str]:
    """(before, after) given the log (oldest first), the runs kept (newest cycle first) and up to two names or their beginnings."""
    if len(given) == 2:
        before, after = (known_run(kept, name) for name in given)
    elif not log:
        raise NbaError("nothing is published yet: name two runs" if kept else "nothing is kept yet, run `dbt build` first")
    elif given:
        before, after = known_run(kept, given[0]), known_run(kept, log[-1].run_id)
    else:
        try:
            before, after = choose(log, frozenset(kept), None).run_id, known_run(kept, log[-1].run_id)
        except NbaError as error:
            newest = [run for run in kept if run != log[-1].run_id][:NEWEST]
            hint = f" Name a run to compare with: {', '.join(newest)}." if newest else ""
            raise NbaError(f"only one run was published so far, {log[-1].run_id}: there is nothing before it.{hint}") from error
    if before == after:
        raise NbaError(f"both are run {after}: name two different ones")
    return before, after


def known_run(kept: Sequence[str], name: str) -> str:
    """The run of that name, or the only one that begins so; NbaError names the near ones."""
    begin = [run for run in kept if run.startswith(name)] if name else []
    if name in begin or len(begin) == 1:
        return name if name in begin else begin[0]
    if begin:
        raise NbaError(f"several runs begin with {name}: {', '.join(sorted(begin)[:NEWEST])}")
    near = difflib.get_close_matches(name, kept, n=NEAR, cutoff=0.5)
    known = (
        f"near: {', '.join(near)}" if near else f"kept are {', '.join(kept[:NEWEST]) or 'none'}{' and more' if len(kept) > NEWEST else ''}"
    )
    raise NbaError(f"there is no run {name} in memory; {known}")


def with_turns(limits: pd.DataFrame) -> pd.DataFrame:
    """`turn` of each limit: `new`, `gone`, `newly binding`, `released`, `price`, `bound`, or empty.

    A limit binds when its price is above 0; `bound`: only the bound differs.
    """
    import numpy as np

    before, after = limits["price_before"].fillna(0.0), limits["price_after"].fillna(0.0)
    differs = {
        name: ~np.isclose(limits[f"{name}_before"].fillna(0.0), limits[f"{name}_after"].fillna(0.0), rtol=SAME, atol=0.0)
        for name in ("price", "limit")
    }
    tests = [limits["there"] == "new", limits["there"] == "gone", (after > 0) & (before <= 0), (before > 0) & (after <= 0)]
    turn = np.select([*tests, differs["price"], differs["limit"]], ["new", "gone", "newly binding", "released", "price", "bound"], "")
    return limits.assign(turn=turn)


def hcp_moves(pairs: pd.DataFrame) -> pd.DataFrame:
    """One row per HCP with an action that moves: hcp_id, territory_id, move, value and cost change, largest change of value first.

    move: `gained` (actions come, none goes), `lost` (they go, none comes), `changed` (both, or other touches).
    """
    import numpy as np

    every = pairs.assign(
        value_change=pairs["plan_value_after"] - pairs["plan_value_before"],
        cost_change=pairs["cost_after"] - pairs["cost_before"],
        **{move: pairs["move"] == move for move in MOVES},
    ).groupby("hcp_id", sort=True)
    found = every[["value_change", "cost_change", *MOVES]].sum().assign(territory_id=every["territory_id"].first())
    found = found[found[list(MOVES)].sum(axis=1) > 0]
    only = [(found["lost"] == 0) & (found["changed"] == 0), (found["gained"] == 0) & (found["changed"] == 0)]
    found["move"] = np.select(only, ["gained", "lost"], "changed")
    found["size"] = found["value_change"].abs()
    return found.sort_values("size", ascending=False, kind="stable").reset_index()


def channels_of(pairs: pd.DataFrame, hcp_id: str, move: str) -> str:
    """The channels on which an HCP's actions move so, as text."""
    return ", ".join(pairs.loc[(pairs["hcp_id"] == hcp_id) & (pairs["move"] == move), "channel"])
