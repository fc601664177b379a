"""The generic test never_null: it fails on a null in any of its columns, and its rows say in which and how often."""

from __future__ import annotations

from pathlib import Path

import duckdb
import jinja2
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def failing_rows(rows: str, columns: list[str]) -> list[tuple[str, int]]:
    """What the test's query gives for `rows` (values of a, b and c): (column_name, missing_rows), in any order."""
    text = (ROOT / "tests" / "generic" / "never_null.sql").read_text()
    body = text.split("%}\n", 1)[1].split("{% endtest %}")[0]
    query = jinja2.Template(body).render(model=f"(select * from (values {rows}) as given (a, b, c))", columns=columns)
    return sorted(duckdb.sql(query).fetchall())


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("(1, 'x', true)", []),
        ("(1, 'x', true), (null, 'y', false)", [("a", 1)]),
        ("(null, null, true), (2, null, null)", [("a", 1), ("b", 2)]),
    ],
)
def test_failing_rows_name_the_column_and_count_its_nulls(rows: str, found: list[tuple[str, int]]) -> None:
    assert failing_rows(rows, ["a", "b"]) == found  # c is not asked about


def test_no_column_is_promised_twice_or_without_being_described() -> None:
    promised = 0
    for path in [*(ROOT / "models").rglob("*.yml"), *(ROOT / "python_models").rglob("*.yml")]:
        for model in (yaml.safe_load(path.read_text()) or {}).get("models", []):
            given = [test["never_null"]["arguments"]["columns"] for test in model.get("data_tests", []) if "never_null" in test]
            columns = [column for columns in given for column in columns]
            described = {column["name"]: column.get("data_tests", []) for column in model.get("columns", [])}
            assert len(columns) == len(set(columns)) and set(columns) <= set(described), path
            assert not [column for column in columns if "not_null" in described[column]], path
            promised += len(columns)
    assert promised, "no model promises anything: is the test gone?"
