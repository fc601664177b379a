"""The fingerprint: a known text, independent of row order, container and engine type, and changed by every cell."""

# ruff: noqa: E501 - texts that the user sees stay on one line
from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from nba.fingerprint import FINGERPRINTED, canonical_lines, fingerprint_row, input_fingerprint
from nba.project import find_project, read_contract

ROOT = find_project(Path(__file__).parent)


def tables_with(**given: Any) -> Mapping[str, Any]:
    return {name: given.get(name, pa.table({"a": pa.array([], pa.string())})) for name in FINGERPRINTED}


def test_tables_are_those_of_the_contract_in_its_order() -> None:
    assert read_contract(ROOT).names == FINGERPRINTED
    binder = (ROOT / "python_models" / "plan" / "input_fingerprint.py").read_text()
    assert [name for name in FINGERPRINTED if f'"{name}": dbt.ref("base_{name}")' not in binder] == []
    with pytest.raises(ValueError, match=r"missing: \['rule_budget'\], unknown: \['other'\]"):
        input_fingerprint({**{name: table for name, table in tables_with().items() if name != "rule_budget"}, "other": None})


def test_hash_is_that_of_the_written_down_text() -> None:
    kpi = pa.table({"hcp_id": ["b", None, "a"], "Period_Start": [date(2025, 1, 6)] * 3, "kpi_value": [1.0, None, 1 / 3]})
    text = ""
    for name in FINGERPRINTED:
        text += f"table\t{name}\thcp_id\tperiod_start\tkpi_value\n" if name == "kpi_metrics" else f"table\t{name}\ta\n"
        if name == "kpi_metrics":
            text += "\\N\t2025-01-06\t\\N\na\t2025-01-06\t0.333333333\nb\t2025-01-06\t1\n"
    assert input_fingerprint(tables_with(kpi_metrics=kpi)) == hashlib.sha256(text.encode()).hexdigest()
    row = fingerprint_row(tables_with(kpi_metrics=kpi))
    assert row["input_fingerprint"].to_pylist() == [hashlib.sha256(text.encode()).hexdigest()]


def test_the_row_tells_rows_and_hash_of_each_table() -> None:
    (told,) = fingerprint_row(tables_with(kpi_metrics=pa.table({"hcp_id": ["a", "b"]})))["table_hashes"].to_pylist()
    found = dict(part.split("=") for part in told.rstrip(";").split(";"))
    assert tuple(found) == FINGERPRINTED
    kpi, budget = b"table\tkpi_metrics\thcp_id\na\nb\n", b"table\trule_budget\ta\n"
    assert found["kpi_metrics"] == f"2:{hashlib.sha256(kpi).hexdigest()}"
    assert found["rule_budget"] == f"0:{hashlib.sha256(budget).hexdigest()}"


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (
            pa.array([1.0, -0.0, 1e9, 123456789.4, 1e-7, 1e300, 0.1 + 0.2, None]),
            ["1", "0", "1e+09", "123456789", "1e-07", "1e+300", "0.3", "\\N"],
        ),
        (pa.array([7, -3, 12345678901, None]), ["7", "-3", "12345678901", "\\N"]),
        (pa.array([Decimal("1.500"), Decimal("2.000")]), ["1.5", "2"]),
        (pa.array([Decimal("12345678901")]), ["12345678901"]),
        (pa.array([True, False, None]), ["true", "false", "\\N"]),
        (
            pa.array([datetime(2025, 1, 6), datetime(2025, 1, 6, 10, 0, 1), datetime(2025, 1, 6, 10, 0, 0, 250_000)]),
            ["2025-01-06", "2025-01-06 10:00:01", "2025-01-06 10:00:00.250000"],
        ),
        (pa.array([datetime(2025, 1, 6)], pa.timestamp("ns", tz="Asia/Tokyo")), ["2025-01-06"]),
        (pa.array(["a\tb", "c\\d", "e\nf\r", "\\N", "", None]), ["a\\tb", "c\\\\d", "e\\nf\\r", "\\\\N", "", "\\N"]),
        (pa.array([None, None], pa.null()), ["\\N", "\\N"]),
        (pa.array(["x", None, "x"]).dictionary_encode(), ["x", "\\N", "x"]),
        (pa.array([0.5, 2.0], pa.float32()), ["0.5", "2"]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_canonical_text_of_cells(cells: pa.Array, texts: list[str]) -> None:
    lines = canonical_lines(pa.record_batch([cells, cells], names=["a", "b"])).decode()
    assert lines == "".join(f"{text}\t{text}\n" for text in texts)
    sliced = canonical_lines(pa.record_batch([cells, cells], names=["a", "b"]).slice(1)).decode()
    assert sliced == "".join(f"{text}\t{text}\n" for text in texts[1:])


def test_order_container_and_engine_types_do_not_matter() -> None:
    con = duckdb.connect()
    con.execute(
        "create table e as select case when i % 50 = 0 then null else 'h' || (i % 997) end as hcp_id, 'é' || (i % 3) as channel, date '2025-01-06' + (i // 1000)::integer as period_start, "
        "(i % 4)::integer as touches, nullif(i % 4, 1)::integer as responses, i / 7.0 as x from range(250000) as t(i)"
    )
    plain = input_fingerprint(tables_with(engagement_history=con.sql("select * from e")))
    shuffled = con.sql("select * from e order by hash(x)")
    assert input_fingerprint(tables_with(engagement_history=shuffled)) == plain
    assert input_fingerprint(tables_with(engagement_history=shuffled.to_arrow_table())) == plain
    other = con.sql(
        "select hcp_id, channel, period_start::timestamp as period_start, touches::decimal(38, 0) as touches, responses::double as responses, x from e order by x desc"
    )
    assert input_fingerprint(tables_with(engagement_history=other)) == plain


def test_every_cell_column_and_row_counts() -> None:
    base = {"hcp_id": ["a", "b"], "kpi_value": [1.0, 2.0]}
    seen = {input_fingerprint(tables_with(kpi_metrics=pa.table(base)))}
    changed = [
        {"hcp_id": ["a", "c"], "kpi_value": [1.0, 2.0]},
        {"hcp_id": ["a", "b"], "kpi_value": [2.0, 1.0]},
        {"hcp_id": ["a", "b"], "kpi_value": [1.0, None]},
        {"hcp_id": ["a", "b"], "kpi_value": [1.0, 2.00000001]},
        {"hcp_id": ["a", "b"], "market_value": [1.0, 2.0]},
        {"hcp_id": ["a", "b", "b"], "kpi_value": [1.0, 2.0, 2.0]},
        {"hcp_id": ["a"], "kpi_value": [1.0]},
        {"hcp_id": ["a\t1", "b"], "kpi_value": [1.0, 2.0]},
    ]
    for number, given in enumerate(changed, 2):
        seen.add(input_fingerprint(tables_with(kpi_metrics=pa.table(given))))
        assert len(seen) == number
    assert input_fingerprint(tables_with(engagement_history=pa.table(base))) not in seen
    assert input_fingerprint(tables_with(kpi_metrics=pa.table({**base, "kpi_value": [1.0, 2.00000000001]}))) in seen
