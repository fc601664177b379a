"""Every kind of cell that is not of its column's type, in CSV and Parquet, each with the exact line; and what is accepted."""

# ruff: noqa: E501 - texts that the user sees stay on one line
from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from test_load_files import TODAY, read

from nba.load.cells import text_rule
from nba.project import Contract, find_project, read_contract


@pytest.fixture(scope="module")
def contract() -> Contract:
    return read_contract(find_project(Path(__file__).parent))


UNKNOWN = "or leave the cell empty where unknown"
WRONG_TEXT = [
    ("engagement_history", "touches", ["3.5", "x", "1,000", "0x10", "1_0", "nan"], 6, "is not a whole number", "'3.5' (row 2); 'x' (row 3); '1,000' (row 4)", f"write digits only, {UNKNOWN}"),
    ("engagement_history", "touches", ["2147483648"], 1, "is too large for a whole number", "'2147483648' (row 2)", "give at most 2147483647"),
    ("kpi_metrics", "kpi_value", ["12a", "1_000", "1 000", "1.2.3"], 4, "is not a number", "'12a' (row 2); '1_000' (row 3); '1 000' (row 4)", f"write it like 1234.5, {UNKNOWN}"),
    ("kpi_metrics", "kpi_value", ["NaN", "-inf", "1e400"], 3, "is NaN or infinite", "'NaN' (row 2); '-inf' (row 3); '1e400' (row 4)", f"give a number, {UNKNOWN}"),
    ("kpi_metrics", "period_start", ["06.01.2025", "2025-1-6", "2025/01/06", "2025-02-30", "2025-01-06 10:00"], 5, "is not a date", "'06.01.2025' (row 2); '2025-1-6' (row 3); '2025/01/06' (row 4)", f"write dates as YYYY-MM-DD, {UNKNOWN}"),
    ("kpi_metrics", "period_start", ["2026-01-05", "2026-01-06"], 1, "starts after today (2026-01-05)", "'2026-01-06' (row 3)", "leave out periods that have not begun, or correct the date"),
    ("kpi_metrics", "known_at", ["yesterday", "2025-01-06 25:00", "2025-01-06Z"], 3, "is not a date or timestamp", "'yesterday' (row 2); '2025-01-06 25:00' (row 3); '2025-01-06Z' (row 4)", f"write it as YYYY-MM-DD or YYYY-MM-DD HH:MM:SS, {UNKNOWN}"),
    ("engagement_action_catalog", "requires_consent", ["maybe", "2"], 2, "is not true or false", "'maybe' (row 2); '2' (row 3)", f"write true or false, {UNKNOWN}"),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG_TEXT, ids=lambda case: f"{case[1]} {case[3]} {case[4]}")
def test_wrong_text_is_counted_with_examples(case: tuple, tmp_path: Path, contract: Contract) -> None:
    table, column, cells, count, problem, examples, hint = case
    lines, _ = read(tmp_path, contract, table, f"{column},other\n" + "".join(f'"{cell}",\n' for cell in cells))
    assert lines == [f"{table}.{column} {problem} ({count} {'row' if count == 1 else 'rows'}). Examples: {examples}. What to do: {hint}."]


DAY = datetime(2025, 1, 6)
WRONG_TYPED: list[tuple[str, str, pa.Array, str]] = [
    ("engagement_history", "touches", pa.array([1.0, 2.5]), "engagement_history.touches is not a whole number (1 row). Examples: '2.5' (row 2). What to do: give a whole number, or null where unknown."),
    ("engagement_history", "touches", pa.array([1, 3_000_000_000]), "engagement_history.touches is too large for a whole number (1 row). Examples: '3000000000' (row 2). What to do: give at most 2147483647."),
    ("kpi_metrics", "kpi_value", pa.array([float("nan"), 1.0]), "kpi_metrics.kpi_value is NaN or infinite (1 row). Examples: 'nan' (row 1). What to do: give a number, or null where unknown."),
    ("kpi_metrics", "period_start", pa.array([DAY, datetime(2025, 1, 6, 10)]), "kpi_metrics.period_start is not a date: it has a time of day (1 row). Examples: '2025-01-06 10:00:00' (row 2). What to do: give whole days."),
    ("kpi_metrics", "period_start", pa.array([date(2026, 2, 2)]), "kpi_metrics.period_start starts after today (2026-01-05) (1 row). Examples: '2026-02-02' (row 1). What to do: leave out periods that have not begun, or correct the date."),
    ("kpi_metrics", "hcp_id", pa.array([float("inf")]), "kpi_metrics.hcp_id is NaN or infinite (1 row). Examples: 'inf' (row 1). What to do: give text, or null."),
    ("engagement_action_catalog", "requires_consent", pa.array([0, 2]), "engagement_action_catalog.requires_consent is not true or false (1 row). Examples: '2' (row 2). What to do: give a boolean, or 1 and 0."),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG_TYPED, ids=lambda case: f"{case[1]} {case[2].type}")
def test_wrong_typed_cells_are_counted_with_examples(case: tuple, tmp_path: Path, contract: Contract) -> None:
    table, column, cells, line = case
    lines, _ = read(tmp_path, contract, table, pa.table({column: cells}))
    assert lines == [line]


def value_of(text: str, data_type: str) -> Any:
    return duckdb.connect().execute(f"select {text_rule('c', data_type).value} from (select cast(? as varchar) as c)", [text]).fetchone()[0]


@pytest.mark.parametrize(
    ("text", "data_type", "value"),
    [
        ("001", "text", "001"),
        ("", "text", None),
        (" 12 ", "integer", 12),
        ("12.0", "integer", 12),
        ("-0", "integer", 0),
        (".5", "double precision", 0.5),
        ("1e3", "double precision", 1000.0),
        (" ", "double precision", None),
        ("2025-01-06", "date", date(2025, 1, 6)),
        ("2025-01-06T00:00:00", "date", date(2025, 1, 6)),
        ("9999-12-31", "date", date(9999, 12, 31)),
        ("2025-01-06", "timestamp", datetime(2025, 1, 6)),
        ("2025-01-06T10:30", "timestamp", datetime(2025, 1, 6, 10, 30)),
        ("2025-01-06T10:30:00.25Z", "timestamp", datetime(2025, 1, 6, 10, 30, 0, 250_000)),
        ("2025-01-06 10:30:00+02:00", "timestamp", datetime(2025, 1, 6, 8, 30)),
        ("2025-01-06T10:30:00-0500", "timestamp", datetime(2025, 1, 6, 15, 30)),
        ("YES", "boolean", True),
        ("f", "boolean", False),
        ("1", "boolean", True),
    ],
)
def test_accepted_text(text: str, data_type: str, value: Any) -> None:
    assert value_of(text, data_type) == value


def test_typed_columns_become_the_contracts_types(tmp_path: Path, contract: Contract) -> None:
    table = pa.table(
        {
            "HCP_ID": pa.array([7, 8]),
            "period_start": pa.array([DAY, DAY]),
            "kpi_value": pa.array([Decimal("1.50"), None]),
            "market_value": pa.array([None, None]),
            "known_at": pa.array([DAY, None], pa.timestamp("ns", tz="Europe/Berlin")),
            "tags": pa.array([["a"], []]),
        }
    )
    lines, rows = read(tmp_path, contract, "kpi_metrics", table)
    assert lines == []
    assert rows == [("7", date(2025, 1, 6), 1.5, None, DAY, "[a]"), ("8", date(2025, 1, 6), None, None, None, "[]")]


def test_unreadable_type_is_kept_for_the_builds_own_check(tmp_path: Path, contract: Contract) -> None:
    lines, rows = read(tmp_path, contract, "kpi_metrics", pa.table({"hcp_id": ["1"], "period_start": [True]}))
    assert (lines, rows) == ([], [("1", True)])


def test_unknown_columns_of_hcp_master_get_the_type_that_every_cell_has(tmp_path: Path, contract: Contract) -> None:
    content = (
        "years,score,zip,is_new,mixed,none,hcp_id,big\n3,1,02139,true,1,,a,12345678901234567890\n-4,2.5,10115,FALSE,x,,b,1\n,,,,,,c,\n"
    )
    lines, rows = read(tmp_path, contract, "hcp_master", content)
    assert lines == []
    assert rows == [
        ("a", 3, 1.0, "02139", True, "1", None, 12345678901234567890.0),
        ("b", -4, 2.5, "10115", False, "x", None, 1.0),
        ("c", None, None, None, None, None, None, None),
    ]
    other, rows = read(tmp_path / "kpi", contract, "kpi_metrics", "hcp_id,extra\n1,5\n")
    assert (other, rows) == ([], [("1", "5")])


def test_clock_is_used_for_period_starts_only(tmp_path: Path, contract: Contract) -> None:
    assert date(2030, 1, 1) > TODAY
    lines, _ = read(tmp_path, contract, "rule_exclusion", "hcp_id,channel,valid_from,valid_to\n1,email,2030-01-01,9999-12-31\n")
    assert lines == []
