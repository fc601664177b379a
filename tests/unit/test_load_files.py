"""Every way in which a file cannot be read, each with the exact line that the user sees."""

# ruff: noqa: E501 - texts that the user sees stay on one line
from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nba.errors import NbaError
from nba.load.folder import list_folder
from nba.load.tables import read_table
from nba.project import Contract, find_project, read_contract

TODAY = date(2026, 1, 5)
KPI_COLUMNS = "brand_id, hcp_id, known_at, kpi_value, market_value, period_start"


@pytest.fixture(scope="module")
def contract() -> Contract:
    return read_contract(find_project(Path(__file__).parent))


def read(folder: Path, contract: Contract, name: str, content: bytes | str | pa.Table) -> tuple[list[str], list[tuple] | None]:
    """Lines of the problems and the rows of the typed table (None when unreadable)."""
    folder.mkdir(exist_ok=True)
    if isinstance(content, pa.Table):
        pq.write_table(content, folder / f"{name}.parquet")
    else:
        (folder / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    (file,) = list_folder(folder, contract).files
    con = duckdb.connect()
    rows, problems = read_table(con, file, contract.table(name), TODAY)
    return [problem.line() for problem in problems], None if rows is None else con.sql(f"select * from raw.{name}").fetchall()


KPI = "hcp_id,period_start,kpi_value\n"

UNREADABLE = {
    "latin1": (b"hcp_id,period_start,kpi_value\n1,2025-01-06,2\ncaf\xe9,2025-01-06,2\n",
        "kpi_metrics cannot be read: kpi_metrics.csv is not UTF-8. Examples: line 3, byte 0xe9 at position 4. What to do: save the file as UTF-8 (in Excel: CSV UTF-8)."),
    "cut in a character": (b"hcp_id,period_start,kpi_value\n1,2025-01-06,2\ncaf\xc3",
        "kpi_metrics cannot be read: kpi_metrics.csv is not UTF-8. Examples: line 3, byte 0xc3 at position 4. What to do: save the file as UTF-8 (in Excel: CSV UTF-8)."),
    "utf16": ("hcp_id\n1\n".encode("utf-16"),
        "kpi_metrics cannot be read: kpi_metrics.csv is UTF-16, not UTF-8. What to do: save the file as UTF-8 (in Excel: CSV UTF-8)."),
    "zero byte": (b"hcp_id,period_start,kpi_value\n1,2025-01-06,\x00\n",
        "kpi_metrics cannot be read: kpi_metrics.csv holds a zero byte, so it is no CSV text. Examples: line 2, byte 0x00 at position 14. What to do: save the file as UTF-8 (in Excel: CSV UTF-8)."),
    "empty file": (b"",
        f"kpi_metrics cannot be read: kpi_metrics.csv is an empty file without a header line. What to do: put the column names into the first line: {KPI_COLUMNS}."),
    "blank first line": (b"\nhcp_id,period_start,kpi_value\n1,2025-01-06,2\n",
        f"kpi_metrics cannot be read: kpi_metrics.csv has an empty first line instead of a header. What to do: put the column names into the first line: {KPI_COLUMNS}."),
    "no header": (b"1,2025-01-06,2\n2,2025-01-06,3\n",
        f"kpi_metrics has no header: the first line of kpi_metrics.csv names no column of kpi_metrics. Examples: 1,2025-01-06,2. What to do: the first line must be the header; known columns: {KPI_COLUMNS}."),
    "semicolons": (b"hcp_id;period_start;kpi_value\n1;2025-01-06;2\n",
        "kpi_metrics cannot be read: kpi_metrics.csv is separated by semicolons. What to do: separate the fields by commas."),
    "tabs": (b"hcp_id\tperiod_start\tkpi_value\n1\t2025-01-06\t2\n",
        "kpi_metrics cannot be read: kpi_metrics.csv is separated by tabs. What to do: separate the fields by commas."),
    "duplicate header": (b"hcp_id,period_start,kpi_value, HCP_ID\n1,2025-01-06,2,1\n",
        "kpi_metrics.hcp_id is there 2 times (names do not differ by case or blanks). What to do: keep one of the columns."),
    "nameless column": (b"hcp_id,period_start,kpi_value,\n1,2025-01-06,2,1\n",
        "kpi_metrics has a column without a name: column 4. What to do: name it or take it out."),
    "quote in a name": (b'hcp_id,period_start,kpi_value,"a""b"\n1,2025-01-06,2,1\n',
        'kpi_metrics has a column name with quotes or control characters: column 4. Examples: a"b. What to do: rename the column.'),
    "open quote in the header": (b'hcp_id,"period_start,kpi_value\n1,2025-01-06,2\n',
        'kpi_metrics cannot be read: the header of kpi_metrics.csv has an open quote. Examples: hcp_id,"period_start,kpi_value. What to do: write the header on one line.'),
    "two kinds of line ends": (b"hcp_id,period_start,kpi_value\r\n1,2025-01-06,2\n2,2025-01-06,2\r\n",
        "kpi_metrics cannot be read: kpi_metrics.csv mixes two kinds of line ends. What to do: save it with one kind of line end."),
}  # fmt: skip


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable_file_is_named_with_its_reason(case: str, tmp_path: Path, contract: Contract) -> None:
    content, line = UNREADABLE[case]
    assert read(tmp_path, contract, "kpi_metrics", content) == ([line], None)


def test_rows_of_another_width_are_counted_and_the_row_numbers_stay_right(tmp_path: Path, contract: Contract) -> None:
    content = KPI + "1,2025-01-06,2\n2,2025-01-06\n3,2025-01-06,2,9\n4,2025-13-01,2\n"
    lines, rows = read(tmp_path, contract, "kpi_metrics", content)
    assert lines == [
        "kpi_metrics has rows in kpi_metrics.csv without the 3 fields that the header names (2 rows). Examples: line 3: 2,2025-01-06; line 4: 3,2025-01-06,2,9. "
        "What to do: quote fields that hold commas, and write every field, also the empty ones.",
        "kpi_metrics.period_start is not a date (1 row). Examples: '2025-13-01' (row 5). What to do: write dates as YYYY-MM-DD, or leave the cell empty where unknown.",
    ]
    assert rows is not None
    assert [row[0] for row in rows] == ["1", "4"]


def test_open_quote_is_a_problem_and_never_swallows_rows_in_silence(tmp_path: Path, contract: Contract) -> None:
    lines, _ = read(tmp_path, contract, "kpi_metrics", KPI + '"1,2025-01-06,2\n2,2025-01-06,2\n')
    assert lines == [
        'kpi_metrics has rows in kpi_metrics.csv that cannot be split into fields (unquoted value) (1 row). Examples: line 2: "1,2025-01-06,2\\n2,2025-01-06,2. '
        "What to do: close every quote, and double the quotes inside a quoted field."
    ]


def test_ids_keep_zeros_and_harmless_shapes_are_read(tmp_path: Path, contract: Contract) -> None:
    content = b'\xef\xbb\xbf Period_Start , HCP_ID,kpi_value,"Note, long"\r\n2025-01-06,001,2,"a, ""b""\nc"\r\n2025-01-06T00:00:00Z,"",,\r\n\r\n2025-01-06, x ,1.5e1,NULL'
    lines, rows = read(tmp_path, contract, "kpi_metrics", content)
    assert lines == []
    day = date(2025, 1, 6)
    assert rows == [("001", day, 2.0, 'a, "b"\nc'), (None, day, None, None), (" x ", day, 15.0, "NULL")]


def test_header_alone_is_an_empty_table_with_types(tmp_path: Path, contract: Contract) -> None:
    assert read(tmp_path, contract, "rule_budget", "channel,territory_id,max_cost") == ([], [])


def test_unreadable_parquet_names_the_file(tmp_path: Path, contract: Contract) -> None:
    (tmp_path / "kpi_metrics.parquet").write_bytes(b"hcp_id,period_start\n")
    (file,) = list_folder(tmp_path, contract).files
    rows, (problem,) = read_table(duckdb.connect(), file, contract.table("kpi_metrics"), TODAY)
    assert rows is None
    assert problem.line().startswith("kpi_metrics cannot be read: kpi_metrics.parquet is no readable Parquet file: ")


def test_parquet_without_columns_is_named(tmp_path: Path, contract: Contract) -> None:
    pq.write_table(pa.table({}), tmp_path / "kpi_metrics.parquet")
    (file,) = list_folder(tmp_path, contract).files
    rows, (problem,) = read_table(duckdb.connect(), file, contract.table("kpi_metrics"), TODAY)
    assert rows is None
    assert problem.line() == "kpi_metrics cannot be read: kpi_metrics.parquet has no columns. What to do: write it again with its columns."


def test_folder_problems(tmp_path: Path, contract: Contract) -> None:
    with pytest.raises(NbaError, match=r"nowhere is missing: give the folder that holds the files <table>.csv or <table>.parquet"):
        list_folder(tmp_path / "nowhere", contract)
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "hcp_master.csv").write_text("hcp_id\n")
    with pytest.raises(
        NbaError, match=r"holds no table: looked for <table>.csv and <table>.parquet with one of the names hcp_master, engagement_history"
    ):
        list_folder(tmp_path, contract)
    with pytest.raises(NbaError, match=r"hcp_master.csv is a file: give the folder"):
        list_folder(tmp_path / "truth" / "hcp_master.csv", contract)
    for name in ("HCP_Master.CSV", "hcp_master.parquet", "kpi_metric.csv", "notes.txt", ".hidden.csv", "rule_budget.csv.gz"):
        (tmp_path / name).write_text("")
    listing = list_folder(tmp_path, contract)
    assert listing.files == ()
    assert [problem.line() for problem in listing.problems] == [
        "hcp_master is there more than once: HCP_Master.CSV, hcp_master.parquet. What to do: keep one of the files."
    ]
    assert listing.notes == (
        "kpi_metric.csv is not a table of the contract and was ignored (did you mean kpi_metrics.csv?)",
        "notes.txt is not a table of the contract and was ignored",
        "rule_budget.csv.gz is not a table of the contract and was ignored (did you mean rule_budget.csv?)",
    )
