"""Hostile names in what the commands print and write: they stay readable, and nothing in them acts."""

from __future__ import annotations

import csv
import html.parser
import io
import os
from pathlib import Path

import pyarrow as pa
import pytest
from hostile_texts import HOSTILE_TEXTS

from nba.diff.report import Section, as_markdown, as_text
from nba.errors import NbaError
from nba.export import write_file
from nba.load.folder import list_folder
from nba.load.problems import LoadError, Problem
from nba.plain_text import lines, markdown_text, one_line, print_line, spreadsheet_text
from nba.project import find_project, read_contract
from nba.readiness.page import _text
from nba.readiness.sources import from_folder
from nba.whatif.files import _write_csv
from nba.whatif.picture import text as drawn_text
from nba.whatif.report import table

HOSTILE = [pytest.param(text, id=kind) for kind, text in HOSTILE_TEXTS.items()]
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "\uff20A1"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_stays_on_one_line_without_what_steers_a_terminal(text: str) -> None:
    shown = one_line(text)
    assert shown.isprintable() or not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in shown)
    assert not set(shown) & set("\x1b\u202e\u2066\u2028\u200b\ufeff\r\n\t")
    # what needs no change has none
    assert shown == text or any(not letter.isprintable() for letter in text)


def test_what_is_replaced_can_be_read() -> None:
    assert one_line("a\x1b[31m\tb\u202ec\ud800") == "a\\x1b[31m\\tb\\u202ec\\ud800"
    assert lines("one\x07\ntwo") == "one\\x07\ntwo"


def test_a_line_of_progress_stays_one(capsys: pytest.CaptureFixture[str]) -> None:
    print_line("impact: a\nb\x1b[2J placebo_failed")
    assert capsys.readouterr().out == "impact: a\\nb\\x1b[2J placebo_failed\n"


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_gets_an_apostrophe_and_other_texts_do_not(text: str) -> None:
    assert spreadsheet_text(text) == f"'{text}"
    assert spreadsheet_text(f"x{text}") == f"x{text}"
    assert spreadsheet_text(f"'{text}") == f"'{text}"


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_an_exported_csv_runs_no_formula_and_leaves_numbers_alone(tmp_path: Path, kind: pa.DataType) -> None:
    texts = [*FORMULAS, *HOSTILE_TEXTS.values(), None]
    batch = pa.record_batch({"hcp_id": pa.array(texts).cast(kind), "gain": pa.array([-1.5] * len(texts)), "touches": [-1] * len(texts)})
    assert write_file(tmp_path / "x.csv", pa.RecordBatchReader.from_batches(batch.schema, [batch]), "csv") == len(texts)
    with open(tmp_path / "x.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["hcp_id"] for row in rows] == [spreadsheet_text(text or "") for text in texts]
    assert {(row["gain"], row["touches"]) for row in rows} == {("-1.5", "-1")}
    assert not [row for row in rows if row["hcp_id"][:1] in ("=", "+", "-", "@", "\t", "\r", "\n")]


def test_an_exported_parquet_holds_the_names_as_they_are(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    batch = pa.record_batch({"hcp_id": [*FORMULAS, *HOSTILE_TEXTS.values()]})
    write_file(tmp_path / "x.parquet", pa.RecordBatchReader.from_batches(batch.schema, [batch]), "parquet")
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == batch.to_pylist()


def test_whatif_files_run_no_formula(tmp_path: Path) -> None:
    import pandas as pd

    texts = [*FORMULAS, *HOSTILE_TEXTS.values()]
    _write_csv(pd.DataFrame({"hcp_id": texts, "cost_change": [-1.5] * len(texts)}), tmp_path / "x.csv")
    with open(tmp_path / "x.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [["hcp_id", "cost_change"], *([spreadsheet_text(text), "-1.5"] for text in texts)]


@pytest.mark.parametrize("text", HOSTILE)
def test_tables_keep_their_rows(text: str) -> None:
    part = Section(text, (text,), ("HCP", "x"), ((text, "1"), ("b", "2")))
    assert len(as_text([part]).splitlines()) == 5
    assert len(table(["HCP", "x"], [(text, 1)])) == 2
    marked = as_markdown([part]).splitlines()
    assert len(marked) == 8
    for line in marked[-3:]:
        assert line.replace("\\\\", "").replace("\\|", "").count("|") == 3


def test_markdown_makes_nothing_of_a_name() -> None:
    assert markdown_text("![x](http://e.example)<b>@team_#1|`*") == r"\!\[x\](http://e.example)&lt;b&gt;&#64;team\_\#1\|\`\*"
    # inside a word an underscore means nothing
    assert markdown_text("rule_budget") == "rule_budget"


class Elements(html.parser.HTMLParser):
    """The names of the elements that a page has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.found.append(tag)


@pytest.mark.parametrize("text", HOSTILE)
def test_pages_and_pictures_hold_names_as_text(text: str) -> None:
    assert Elements(f"<td>{_text(text)}</td>").found == ["td"]
    assert Elements(drawn_text(0, 0, text)).found == ["text"]


def test_a_refusal_is_one_line_for_each_problem() -> None:
    problem = Problem("hcp_master", "a\nb", 1, "\x1b[2J 2. fine", "is wrong\r", "stop")
    assert str(LoadError([problem])).splitlines()[1:] == [
        "1. hcp_master.a\\nb is wrong\\r (1 row). Examples: \\x1b[2J 2. fine. What to do: stop."
    ]


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A folder whose name is a pattern that fits its neighbour, and the neighbour with other rows."""
    for name, hcp in (("a[1]*", "right"), ("a1x", "wrong")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "hcp_master.csv").write_text(f"hcp_id\n{hcp}\n")
        (folder / "engagement_history.csv").write_text(f"hcp_id,channel,period_start,touches\n{hcp},email,2025-01-06,1\n")
        (folder / "kpi_metrics.csv").write_text(f"hcp_id,period_start,kpi_value\n{hcp},2025-01-06,1\n")
        (folder / "engagement_action_catalog.csv").write_text("channel,unit_cost,expected_uplift\nemail,1,1\n")
    return tmp_path / "a[1]*"


def test_a_folder_named_like_a_pattern_is_that_folder(inputs: Path) -> None:
    import duckdb

    from nba.load.tables import read_table

    contract = read_contract(find_project())
    (file,) = [file for file in list_folder(inputs, contract).files if file.table == "hcp_master"]
    with duckdb.connect() as con:
        import datetime

        assert read_table(con, file, contract.table("hcp_master"), datetime.date(2026, 1, 5)) == (1, [])
        assert con.sql("select hcp_id from raw.hcp_master").fetchall() == [("right",)]
    con = from_folder(inputs, find_project())
    assert con.sql("select hcp_id from hcp_master").fetchall() == [("right",)]


def test_links_out_of_the_folder_and_names_that_are_no_file_are_refused(inputs: Path) -> None:
    contract = read_contract(find_project())
    secret = inputs.parent / "secret.csv"
    secret.write_text("root:x:0\n")
    place = inputs / "current_plan.csv"
    place.symlink_to(secret)
    with pytest.raises(NbaError, match=r"current_plan.csv is a link that leads out of .*: put the file itself there. Nothing was written"):
        list_folder(inputs, contract)
    place.unlink()
    place.symlink_to(inputs / "nowhere.csv")
    with pytest.raises(NbaError, match="is a link to nothing"):
        list_folder(inputs, contract)
    place.unlink()
    # a pipe would keep the load waiting for ever
    os.mkfifo(place)
    with pytest.raises(NbaError, match="is no regular file"):
        list_folder(inputs, contract)
    place.unlink()
    (inputs / "kpi_metrics.csv").rename(inputs / "given.txt")
    (inputs / "kpi_metrics.csv").symlink_to("given.txt")
    assert "kpi_metrics" in list_folder(inputs, contract).tables


def test_a_file_name_that_is_no_text_is_shown(tmp_path: Path) -> None:
    contract = read_contract(find_project())
    (tmp_path / "hcp_master.csv").write_text("hcp_id\n1\n")
    with open(os.fsencode(tmp_path) + b"/\xff\x1b.csv", "wb") as file:
        file.write(b"x")
    (note,) = list_folder(tmp_path, contract).notes
    assert one_line(note).startswith("\\udcff\\x1b.csv is not a table of the contract")
    io.TextIOWrapper(io.BytesIO(), "utf-8").write(one_line(note))
