"""What each standing decision about single HCPs costs at the final prices: overrides by managers and suppressed suggestions.

The cost of a row = sum over its HCPs of the best priced value without the row less the best priced value with it, both at the prices of the
solved plan (contract section 4: priced value of S = V(S) - sum of price x use(S)). Where an HCP has several rows, each is taken away
alone. Only the HCPs with a row are looked at, as a problem of their own: what they share with others is in the prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from optimization.arms import PLAN
from optimization.build import build_problem
from optimization.problem import PlanSettings, Problem

if TYPE_CHECKING:
    from optimization.sets import HcpSets
    from optimization.shared import SharedLimits

SOURCES = {"rule_override": "override", "suppressions": "suppression"}
COLUMNS = ["source", "hcp_id", "channel", "action", "reason", "valid_from", "valid_to", "created_by", "hcps", "cost", "is_estimate"]
ASKED = 20_000  # HCPs of a row for everybody that are asked; more are drawn from them
BY_HCP = ("hcps", "scores", "touch_days", "prior_actions", "history", "rule_exclusion", "rule_consent", *SOURCES)


def override_costs(
    tables: Mapping[str, pd.DataFrame | pa.Table], settings: PlanSettings, problem: Problem, price: Mapping[str, float], asked: int = ASKED
) -> pd.DataFrame:
    """COLUMNS, one row per row of `rule_override` and `suppressions` that is live in the cycle, by source in the order given.

    tables: what the problem was built from; problem: with its arms; price: KPI units per unit by limit_id. hcps: HCPs of the plan arm that
    the row speaks of (an arm decides about all others); cost: KPI units, nan where no set is allowed without the row; is_estimate: cost of
    `asked` HCPs put up to all of them. action: pin, forbid or suppress.
    """
    rows = _live_rows(tables, settings, problem)
    if rows.empty:
        return rows[COLUMNS]
    planned = np.ones(len(problem.hcp_ids), dtype=bool) if problem.arm is None else np.asarray(problem.arm == PLAN)
    one = rows["place"] >= 0
    rows.loc[one, "hcps"] = planned[rows.loc[one, "place"]].astype(int)
    rows.loc[~one, "hcps"] = int(planned.sum())
    rows["cost"], rows["is_estimate"] = 0.0, ~one & (rows["hcps"] > asked)
    _named(rows[one & (rows["hcps"] > 0)], rows, tables, settings, problem, price)
    everyone = np.flatnonzero(planned)
    drawn = everyone
    if len(everyone) > asked:
        drawn = np.sort(np.random.default_rng(20_026).choice(everyone, asked, replace=False))
    wide = rows[~one & (rows["hcps"] > 0)]
    if len(wide):
        mine = _only(tables, problem.hcp_ids[drawn])
        best = _best(mine, settings, price)
        for label in wide.index:
            lost = _lost(_best(_without(mine, rows.loc[[label]]), settings, price), best)
            rows.loc[label, "cost"] = float(np.nansum(lost)) * len(everyone) / len(drawn)
    return rows[COLUMNS].reset_index(drop=True)


def _named(
    some: pd.DataFrame, rows: pd.DataFrame, tables: Mapping[str, Any], settings: PlanSettings, problem: Problem, price: Mapping[str, float]
) -> None:
    """The costs of rows that name their HCP, all first rows of the HCPs at once, then all second ones, into `rows`."""
    if some.empty:
        return
    places = np.unique(some["place"].to_numpy())
    mine = _only(tables, problem.hcp_ids[places])
    best = _best(mine, settings, price)
    number = some.groupby("place").cumcount()
    for turn in range(int(number.max()) + 1):
        taken = some[number == turn]
        lost = _lost(_best(_without(mine, taken), settings, price), best)
        rows.loc[taken.index, "cost"] = lost[np.searchsorted(places, taken["place"].to_numpy())]


def _lost(without: np.ndarray, best: np.ndarray) -> np.ndarray:
    """What each HCP loses; a longer run of days that clashes with another one could only seem to gain."""
    return np.where(np.isfinite(without) & np.isfinite(best), np.maximum(without - best, 0.0), np.nan)


def _live_rows(tables: Mapping[str, Any], settings: PlanSettings, problem: Problem) -> pd.DataFrame:
    """The rows that touch the cycle and name an HCP (place, -1 = everybody) and channels of this run; row: place in their table."""
    parts = []
    for source in SOURCES:
        frame = _frame(tables.get(source))
        frame = frame.reindex(columns=[name for name in COLUMNS if name in ("action", *frame.columns)] if len(frame) else COLUMNS[1:8])
        frame = frame.assign(source=SOURCES[source], row=np.arange(len(frame)))
        parts.append(frame.assign(action="suppress") if source == "suppressions" else frame)
    rows = (
        pd.concat([part for part in parts if len(part)], ignore_index=True) if any(map(len, parts)) else parts[0].assign(source=[], row=[])
    )
    rows = rows.reindex(columns=[*COLUMNS, "row"]).astype({"hcp_id": object, "channel": object, "reason": object, "created_by": object})
    first, last = (pd.to_datetime(rows[name], errors="coerce") for name in ("valid_from", "valid_to"))
    live = ~(first >= pd.Timestamp(settings.cycle_end)) & ~(last < pd.Timestamp(settings.cycle_start))
    for name, days in (("valid_from", first), ("valid_to", last)):
        rows[name] = days.dt.strftime("%Y-%m-%d").astype(object).where(days.notna(), None)
    for name in ("hcp_id", "channel", "reason", "created_by"):
        rows[name] = rows[name].where(rows[name].notna(), None)
    anybody, any_channel = (rows[name].isin([None, "*", ""]) for name in ("hcp_id", "channel"))
    place = pc.index_in(pa.array(rows["hcp_id"], pa.string()), pa.array(problem.hcp_ids, pa.string()))
    rows["place"] = np.where(anybody, -1, place.fill_null(-2).to_numpy(zero_copy_only=False))
    known = (rows["place"] >= -1) & (any_channel | rows["channel"].isin(problem.channels))
    rows.loc[anybody, "hcp_id"], rows.loc[any_channel, "channel"] = None, None
    return rows[live & known].reset_index(drop=True)


def _only(tables: Mapping[str, Any], hcps: np.ndarray) -> dict[str, Any]:
    """The tables with the rows of these HCPs, and those of everybody."""
    ids = pa.array(hcps, pa.string())
    found = dict(tables)
    for name in BY_HCP:
        if tables.get(name) is None or not len(tables[name]):
            continue
        table = tables[name]
        given = table["hcp_id"] if isinstance(table, pa.Table) else pa.array(table["hcp_id"], from_pandas=True)
        given = given.cast(pa.string())
        keep = pc.or_(pc.is_in(given, value_set=ids), pc.or_kleene(pc.is_null(given), pc.fill_null(pc.equal(given, "*"), False)))
        found[name] = table.filter(keep) if isinstance(table, pa.Table) else table[keep.to_numpy(zero_copy_only=False)]
        if name in SOURCES:
            found[name] = _frame(tables[name]).assign(row=np.arange(len(table)))[keep.to_numpy(zero_copy_only=False)]
    return found


def _without(tables: Mapping[str, Any], taken: pd.DataFrame) -> dict[str, Any]:
    """The tables without these live rows."""
    found = dict(tables)
    for table, source in SOURCES.items():
        gone = taken.loc[taken["source"] == source, "row"]
        if len(gone):
            found[table] = tables[table][~tables[table]["row"].isin(gone)]
    return found


def _best(tables: Mapping[str, Any], settings: PlanSettings, price: Mapping[str, float]) -> np.ndarray:
    """(HCPs of the tables, sorted by id) best priced value, -inf where no set is allowed."""
    problem = build_problem(tables, settings)
    return best_values(problem, np.array([price.get(limit.limit_id, 0.0) for limit in problem.limits]))


def best_values(problem: Problem, price: np.ndarray) -> np.ndarray:
    """(hcps) best priced value of each HCP at these prices (limits), -inf where no set is allowed or a pin has no day."""
    from optimization.sets import BeyondEnvelope, build_sets
    from optimization.shared import Pricing, build_shared

    try:
        sets = build_sets(problem)
    except BeyondEnvelope:
        sets = None
    if sets is None or np.any(np.diff(sets.start) == 0):
        best = _described(problem, price)
    else:
        best = Pricing(sets, build_shared(problem, sets)).best(price)[0]
    best = best.copy()
    best[np.unique(problem.pins[~problem.eligible[problem.pins]]) // len(problem.channels)] = -np.inf
    return best


def _described(problem: Problem, price: np.ndarray) -> np.ndarray:
    """The same where the sets of an HCP are too many to be listed, or none."""
    from optimization.generated_sets import AllSets, Pool
    from optimization.shared import build_shared

    every = AllSets.of(problem)
    sets: HcpSets = Pool(np.arange(len(problem.hcp_ids)), every.least.astype(np.int16)).sets(every)
    shared: SharedLimits = build_shared(problem, sets)
    return every.best(shared, price)[0]


def _frame(table: Any) -> pd.DataFrame:
    if table is None:
        return pd.DataFrame(columns=["hcp_id", "channel", "action", "reason", "valid_from", "valid_to", "created_by"])
    return table.to_pandas() if isinstance(table, pa.Table) else table.reset_index(drop=True)
