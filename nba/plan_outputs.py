"""The table `plan_solution` (docs/interfaces.md) from the answer of the planner, as Arrow, without a Python object per pair.

Kinds as long as the HCPs are many have their own columns: `pair` and `block`, and for arms `explore` and `shadow`. The few rows of all
other kinds are written fact by fact (item, field, number or detail): a column that is null for millions of pairs costs a warehouse as
much as a full one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from nba.arms.explore import ExploreDraw
    from optimization import PlanResult

TEXT, INTEGER, DOUBLE, BOOLEAN, DATE = "text", "integer", "double", "boolean", "date"
SOLUTION_COLUMNS: dict[str, str] = (
    dict.fromkeys(("kind", "hcp_id", "channel", "rule", "limit_id", "detail"), TEXT)
    | {"touches": INTEGER}
    | dict.fromkeys(("plan_value", "price_cost", "cost", "rep_minutes"), DOUBLE)
    | {"priority": INTEGER, "rep_priority": INTEGER, "value_short": DOUBLE, "reason_kind": TEXT, "is_eligible": BOOLEAN}
    | {"blocked_by": TEXT, "earliest_date": DATE, "latest_date": DATE, "item": INTEGER, "field": TEXT, "number": DOUBLE}
)
HEADER = ("objective", "penalty", "upper_bound", "price_bound", "gap", "solve_gap", "stability_cost", "expected_impact", "total_cost")
FACTS = ("run", "limit", "rep", "override", "conflict", "warning")
BATCH = 122_880  # rows of one Arrow batch: a row group of DuckDB


def solution_table(
    result: PlanResult,
    seconds: float,
    stamps: Mapping[str, str | None],
    explore: ExploreDraw | None = None,
    overrides: pd.DataFrame | None = None,
) -> pa.Table:
    """All parts of a result under the columns of `plan_solution`, kind by kind. seconds: of the whole solve; stamps: where it came from;
    explore: the draw of the explore arm; overrides: what `override_costs` returns."""
    import pandas as pd
    import pyarrow as pa

    from nba.arms.run import explore_table, shadow_table

    run = {name: getattr(result, name) for name in HEADER} | dict(stamps)
    run |= {"status": result.status, "actions": result.actions_count, "hcps_reached": result.hcps_reached}
    run |= {"seconds": seconds, "solver": result.solver}
    texts = [_loosening_text(*row) for row in result.conflicts[["direction", "loosening"]].itertuples(index=False)]
    conflicts = result.conflicts.drop(columns=["direction", "loosening"]).assign(detail=texts)
    few = {"run": pd.DataFrame([run]), "limit": result.limits, "rep": result.reps, "conflict": conflicts}
    few |= {} if overrides is None else {"override": overrides}
    few |= {"warning": pd.DataFrame({"problem": result.warnings})}
    many = {"pair": result.pairs, "block": result.blocks}
    many |= {"explore": explore_table(result.problem, explore), "shadow": shadow_table(result.problem, result.shadow)}
    batches = [batch for kind, frame in few.items() for batch in _batches(kind, _facts(frame))]
    batches += [batch for kind, table in many.items() for batch in _batches(kind, table)]
    return pa.Table.from_batches(batches, _schema())


def refused_table(problem: str, seconds: float, stamps: Mapping[str, str | None]) -> pa.Table:
    """`plan_solution` of a run whose tables contradict the contract: the header and the contradiction."""
    import pandas as pd
    import pyarrow as pa

    run = dict(stamps) | {"status": "conflict", "actions": 0, "hcps_reached": 0, "seconds": seconds}
    conflict = {"rule": problem.partition(":")[0].partition(".")[0], "label": "input", "problem": problem}
    conflict |= {"what_to_do": "correct the table and column named; nothing was planned"}
    few = {"run": pd.DataFrame([run]), "conflict": pd.DataFrame([conflict])}
    batches = [batch for kind, frame in few.items() for batch in _batches(kind, _facts(frame))]
    return pa.Table.from_batches(batches, _schema())


def rows_of(solution: pa.Table, kind: str) -> pd.DataFrame:
    """The rows of one kind as a frame, facts put together again as the SQL of the plan room does; `action`: the pairs with a touch."""
    import pandas as pd
    import pyarrow.compute as pc

    name = "pair" if kind == "action" else kind
    found = solution.filter(pc.equal(solution["kind"].cast("string"), name)).to_pandas()
    found = found.astype(dict.fromkeys(found.select_dtypes("category").columns, object))
    if kind == "action":
        found = found[found["touches"] > 0].sort_values("priority")
    if kind not in FACTS:
        return found.reset_index(drop=True)
    value = found["number"].astype(object).where(found["number"].notna(), found["detail"])
    items: dict[int, dict[str, Any]] = {}
    for item, field, one in zip(found["item"], found["field"], value, strict=True):
        items.setdefault(item, {})[field] = one
    return pd.DataFrame(list(items.values()))


def _facts(frame: pd.DataFrame) -> pa.Table:
    """One row per cell of the frame that holds something: item (row number), field (column), number or detail (text)."""
    import pyarrow as pa

    facts = [
        (item, field, None, value) if isinstance(value, str) else (item, field, float(value), None)
        for item, row in enumerate(frame.to_dict("records"))
        for field, value in row.items()
        if value is not None and value == value  # nan differs from itself
    ]
    item, field, number, detail = zip(*facts, strict=True) if facts else ((), (), (), ())
    columns = {"item": pa.array(item, pa.int32()), "field": pa.array(field, pa.string()), "number": pa.array(number, pa.float64())}
    return pa.table(columns | {"detail": pa.array(detail, pa.string())})


def _batches(kind: str, table: pa.Table) -> Iterator[pa.RecordBatch]:
    """The table as `plan_solution` rows of one kind: every column there, in order, typed, null where the kind does not use it; all nulls
    of a type share their bytes. KeyError for a column that `plan_solution` lacks."""
    import pyarrow as pa

    unknown = set(table.column_names) - set(SOLUTION_COLUMNS)
    if unknown:
        raise KeyError(f"plan_solution has no column {sorted(unknown)}")
    schema = _schema()
    most = min(BATCH, table.num_rows)
    nulls = {one: pa.nulls(most, one) for one in set(schema.types)}
    name_of_kind = pa.DictionaryArray.from_arrays(pa.nulls(most, pa.int32()).fill_null(0), pa.array([kind], pa.string()))
    for batch in table.to_batches(BATCH):
        filled = {name: _as_text(batch[name]) for name in table.column_names} | {"kind": name_of_kind.slice(0, len(batch))}
        yield pa.record_batch([filled.get(one.name, nulls[one.type].slice(0, len(batch))) for one in schema], schema=schema)


def _as_text(column: pa.Array) -> pa.Array:
    """The column as it is; text coded where it is not yet."""
    import pyarrow as pa

    return column.dictionary_encode() if pa.types.is_string(column.type) else column


def _schema() -> pa.Schema:
    import pyarrow as pa

    types = {
        TEXT: pa.dictionary(pa.int32(), pa.string()),
        INTEGER: pa.int32(),
        DOUBLE: pa.float64(),
        BOOLEAN: pa.bool_(),
        DATE: pa.date32(),
    }
    return pa.schema([(name, types[logical]) for name, logical in SOLUTION_COLUMNS.items()])


def _loosening_text(direction: str, loosening: float) -> str:
    return f"{direction} by {loosening:.10g}" if direction in ("raise", "lower") else str(direction)
