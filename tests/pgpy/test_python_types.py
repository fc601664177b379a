"""Every type goes from Arrow into PostgreSQL and back again to the same values, with a null in each column."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from small_project import SCHEMA, SmallProject

# name -> (Arrow type as the model writes it, PostgreSQL type, values; a null is added to each)
COLUMNS: dict[str, tuple[str, str, list[Any]]] = {
    "a_bool": ("pa.bool_()", "boolean", [True, False]),
    "an_int8": ("pa.int8()", "smallint", [-128, 127]),
    "an_int16": ("pa.int16()", "smallint", [-32768, 32767]),
    "an_int32": ("pa.int32()", "integer", [-(2**31), 2**31 - 1]),
    "an_int64": ("pa.int64()", "bigint", [-(2**63), 2**63 - 1]),
    "a_uint16": ("pa.uint16()", "integer", [0, 65535]),
    "a_uint32": ("pa.uint32()", "bigint", [0, 2**32 - 1]),
    "a_uint64": ("pa.uint64()", "numeric(20,0)", [0, 2**64 - 1]),
    "a_real": ("pa.float32()", "real", [1.100000023841858, -3.4028234663852886e38]),
    "a_double": ("pa.float64()", "double precision", [0.1, 1.7976931348623157e308, 5e-324, -0.0, float("inf"), float("-inf")]),
    "a_nan": ("pa.float64()", "double precision", [float("nan")]),
    "a_price": ("pa.decimal128(10, 2)", "numeric(10,2)", [Decimal("-99999999.99"), Decimal("0.01")]),
    "a_wide": ("pa.decimal128(38, 10)", "numeric(38,10)", [Decimal("9" * 28 + "." + "9" * 10), Decimal("-0.0000000001")]),
    "a_whole": ("pa.decimal128(38, 0)", "numeric(38,0)", [Decimal("9" * 38)]),
    "a_huge": ("pa.decimal256(76, 20)", "numeric(76,20)", [Decimal("9" * 56 + "." + "9" * 20)]),
    "a_date": ("pa.date32()", "date", [dt.date(1, 1, 1), dt.date(1969, 12, 31), dt.date(2026, 1, 5), dt.date(9999, 12, 31)]),
    "a_time": ("pa.time64('us')", "time without time zone", [dt.time(0, 0), dt.time(23, 59, 59, 999999)]),
    "a_moment": (
        "pa.timestamp('us')",
        "timestamp without time zone",
        [dt.datetime(1, 1, 1), dt.datetime(1969, 12, 31, 23, 59, 59, 999999), dt.datetime(9999, 12, 31, 23, 59, 59, 999999)],
    ),
    "a_zoned": (
        "pa.timestamp('us', 'UTC')",
        "timestamp with time zone",
        [dt.datetime(1969, 12, 31, 23, 59, 59, 1, dt.UTC), dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC)],
    ),
    "a_blob": ("pa.binary()", "bytea", [b"", b"\x00\xff\\"]),
    "a_text": ("pa.string()", "text", ["plain", ""]),
    "a_large_text": ("pa.large_string()", "text", ["large"]),
    "a_text_view": ("pa.string_view()", "text", ["viewed", ""]),
    "a_dictionary": ("pa.dictionary(pa.int8(), pa.string())", "text", ["low", "high", "low"]),
}
NASTY = [
    "", " ", "null", "NULL", "\\N", "\\.", "\\", "\\\\", "\\n", '"', '""', '"a","b"', "'", "''", ",", ";", "\n", "\r", "\r\n", "\t",
    "first\n\\.\nlast", "\\.\n", "a\\", '\\"', "$1 %s {{ x }} :y", "naïve ß 漢字 🩺👩‍⚕️", "\u00a0\u200b\ufeff", "\x01\x1f\x7f",
    "x" * 100_000,
]  # fmt: skip

FRAMED = """
import pandas as pd


def model(dbt, session):
    return pd.DataFrame(
        {
            "text": ["a", None],
            "category": pd.Categorical(["x", None]),
            "whole": pd.array([2**60, None], dtype="Int64"),
            "number": [1.5, None],
            "flag": [True, None],
            "nothing": [None, None],
            "at": pd.to_datetime(["2026-03-29 03:30", "1969-12-31 23:59"]).tz_localize("Europe/Berlin"),
        },
        index=["first", "second"],
    )
"""


def longest() -> int:
    return max(len(values) for _, _, values in COLUMNS.values()) + 1


def padded(values: list[Any]) -> list[Any]:
    return [*values, *[None] * (longest() - len(values))]


@pytest.fixture(scope="module")
def there_and_back(project: SmallProject) -> SmallProject:
    """`there` is made of the values above, `back` is what a Python model reads of it and writes again."""
    typed = "\n".join(f"    columns[{name!r}] = pa.array({padded(values)!r}, {kind})" for name, (kind, _, values) in COLUMNS.items())
    texts = repr([*NASTY, None]).replace("{", "\\x7b")  # dbt takes two braces in a row for Jinja
    project.write(
        {
            "models/there.py": (
                "import datetime\nfrom decimal import Decimal\n\ninf, nan = float('inf'), float('nan')\n\n\ndef model(dbt, session):\n"
                f"    import pyarrow as pa\n\n    columns = {{}}\n{typed}\n    return pa.table(columns)\n"
            ),
            "models/back.py": "def model(dbt, session):\n    return dbt.ref('there').to_arrow_table()\n",
            "models/nasty.py": (
                "def model(dbt, session):\n    import pyarrow as pa\n\n"
                f"    texts = {texts}\n    return pa.table({{'place': list(range(len(texts))), 'text': texts}})\n"
            ),
            "models/framed.py": FRAMED,
            "models/nasty_back.py": "def model(dbt, session):\n    return dbt.ref('nasty').df()\n",
        }
    )
    project.built("run")
    return project


@pytest.mark.parametrize("table", ["there", "back"])
def test_each_arrow_type_has_its_postgres_type(there_and_back: SmallProject, table: str) -> None:
    assert there_and_back.types(table) == {name: kind for name, (_, kind, _) in COLUMNS.items()}


@pytest.mark.parametrize("table", ["there", "back"])
@pytest.mark.parametrize("name", list(COLUMNS))
def test_values_and_nulls_survive(there_and_back: SmallProject, table: str, name: str) -> None:
    found = [value for (value,) in there_and_back.rows(f"select {name} from {SCHEMA}.{table}")]
    expected = padded(COLUMNS[name][2])
    # psycopg2's own forms of three types
    plain = {"a_blob": bytes, "a_uint64": int, "a_real": lambda value: float(np.float32(value))}.get(name, lambda value: value)
    found = [None if value is None else plain(value) for value in found]
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


@pytest.mark.parametrize("table", ["nasty", "nasty_back"])
def test_text_survives_with_every_nasty_character(there_and_back: SmallProject, table: str) -> None:
    found = there_and_back.rows(f"select text from {SCHEMA}.{table} order by place")
    assert [text for (text,) in found] == [*NASTY, None]


def test_a_pandas_frame_keeps_values_and_types_and_loses_its_index(there_and_back: SmallProject) -> None:
    assert there_and_back.types("framed") == {
        "text": "text",
        "category": "text",
        "whole": "bigint",
        "number": "double precision",
        "flag": "boolean",
        "nothing": "text",
        "at": "timestamp with time zone",
    }
    assert there_and_back.rows(f"select * from {SCHEMA}.framed order by at desc") == [
        ("a", "x", 2**60, 1.5, True, None, dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC)),
        (None, None, None, None, None, None, dt.datetime(1969, 12, 31, 22, 59, tzinfo=dt.UTC)),
    ]
