"""Names that break whatever trusts them, through `nba load`, the whole build and every command: out they come as they went in."""

from __future__ import annotations

import csv
import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hostile_texts import HOSTILE_TEXTS
from hostile_world import ATTRIBUTES, hostile_tables
from odd_worlds import CYCLE_START

from nba.cli import main
from nba.plain_text import spreadsheet_text

# one whole build of its own
pytestmark = pytest.mark.long
ROOT = Path(__file__).resolve().parents[2]
PREFIX = "trial_"
VARIABLES = {"input_schema": "raw", "nba_cycle_start": CYCLE_START, "hcp_attributes": list(ATTRIBUTES), "nba_schema_prefix": PREFIX}


def nba(*words: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command."""
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as wrong:
        code = main(list(words))
    return code, out.getvalue(), wrong.getvalue()


def clean(text: str) -> bool:
    """Whether a terminal shows every line of it and obeys none."""
    return not any((ord(letter) < 32 and letter != "\n") or letter in "\x7f\u202e\u2066\u2028" for letter in text)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, run_dbt) -> Path:
    """A folder and a file with hostile names, loaded and built twice."""
    home = tmp_path_factory.mktemp("hostile") / "in'it [x] {{ y }}; $HOME"
    folder = home / "a*b? [1]"
    folder.mkdir(parents=True)
    for name, frame in hostile_tables().items():
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), folder / f"{name}.parquet")
    file = home / "nba.duckdb"
    patch = pytest.MonkeyPatch()
    patch.setenv("NBA_DUCKDB_PATH", str(file))
    patch.delenv("DBT_PROFILES_DIR", raising=False)
    code, out, wrong = nba("load", str(folder), "--project-dir", str(ROOT), "--vars", json.dumps({"hcp_attributes": list(ATTRIBUTES)}))
    assert code == 0, wrong
    assert clean(out)
    run_dbt(["build", "--quiet"], file, VARIABLES)
    yield file
    patch.undo()


def rows(file: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(file), read_only=True) as con:
        return con.execute(query).fetchall()


def test_every_name_comes_out_as_it_went_in(warehouse: Path) -> None:
    given = hostile_tables()
    hcps, catalog = given["hcp_master"], given["engagement_action_catalog"]
    published = f"{PREFIX}published"
    assert {row[0] for row in rows(warehouse, f"select hcp_id from {published}.hcps")} == set(hcps["hcp_id"])
    assert set(HOSTILE_TEXTS.values()) <= set(hcps["hcp_id"])
    assert {row[0] for row in rows(warehouse, f"select channel from {published}.channels")} == set(catalog["channel"])
    assert {row[0] for row in rows(warehouse, f"select label from {published}.channels")} == set(catalog["label"])
    for column in ("territory_id", "rep_id"):
        found = {row[0] for row in rows(warehouse, f"select distinct {column} from {published}.hcps where {column} is not null")}
        assert found <= set(hcps[column].dropna()) | {"unassigned"}
        assert set(hcps[column].dropna()) <= found
    pairs = rows(warehouse, f"select hcp_id, channel from {published}.hcp_channel_scores")
    assert set(pairs) == {(hcp, channel) for hcp in hcps["hcp_id"] for channel in catalog["channel"]}
    planned = rows(warehouse, f"select hcp_id, channel from {published}.recommendations")
    assert planned and set(planned) <= set(pairs)


def test_attributes_are_kept_as_json_under_their_own_names(warehouse: Path) -> None:
    given = hostile_tables()["hcp_master"].set_index("hcp_id")
    columns = [row[0] for row in rows(warehouse, f"describe {PREFIX}published.hcps")]
    assert "attributes" in columns
    for hcp, text in rows(warehouse, f"select hcp_id, attributes from {PREFIX}published.hcps"):
        kept = json.loads(text)
        for name in ATTRIBUTES:
            # control characters become blanks there
            wanted = "".join(" " if ord(letter) < 32 else letter for letter in given.at[hcp, name])
            assert kept[name] == wanted


def test_nothing_was_dropped_or_made_by_a_name(warehouse: Path) -> None:
    schemas = {
        row[0]
        for row in rows(warehouse, "select schema_name from duckdb_schemas() where database_name = current_database() and not internal")
    }
    assert {"raw", f"{PREFIX}published"} <= schemas
    assert all(name in ("raw", "sample", "main") or name.startswith(PREFIX) for name in schemas)
    assert rows(warehouse, "select count(*) from raw.hcp_master") == [(len(hostile_tables()["hcp_master"]),)]


def test_export_holds_the_names_and_its_csv_runs_none(warehouse: Path) -> None:
    own = ("--project-dir", str(ROOT), "--vars", json.dumps({"nba_schema_prefix": PREFIX}))
    for kind in ("parquet", "csv"):
        code, out, wrong = nba("export", str(warehouse.parent / f"'{kind}'; [out]"), "--format", kind, *own)
        assert (code, wrong) == (0, "")
        assert clean(out)
    hcps = hostile_tables()["hcp_master"]
    read = pq.read_table(warehouse.parent / "'parquet'; [out]" / "hcps.parquet")
    assert set(read["hcp_id"].to_pylist()) == set(hcps["hcp_id"])
    with open(warehouse.parent / "'csv'; [out]" / "hcps.csv", newline="", encoding="utf-8") as file:
        written = {row["hcp_id"] for row in csv.DictReader(file)}
    assert written == {spreadsheet_text(name) for name in hcps["hcp_id"]}


def test_commands_take_and_show_hostile_names(warehouse: Path) -> None:
    own = ("--project-dir", str(ROOT), "--vars", json.dumps({"nba_schema_prefix": PREFIX}))
    (first,) = rows(warehouse, f"select hcp_id, channel from {PREFIX}published.recommendations order by priority limit 1")
    code, out, wrong = nba("whatif", "--forbid", *first, "--force", *first, *own)
    assert code == 1 and clean(wrong)
    code, out, wrong = nba("whatif", "--force", *first, "--out", str(warehouse.parent / "what'if"), *own)
    assert code == 0, wrong
    assert clean(out) and clean(wrong)
    for name in HOSTILE_TEXTS.values():
        for words in (
            ("whatif", "--force", name, f"{name}no channel"),
            ("rollback", "--to", name),
            ("diff", name),
            ("whatif", "--limit", f"{name}=5"),
        ):
            if name.startswith("-"):
                continue
            code, out, wrong = nba(*words, *own)
            assert code == 1, (words, out, wrong)
            assert clean(wrong) and "unexpected" not in wrong and "Traceback" not in wrong
    for words in (("measure",), ("readiness", "--page", str(warehouse.parent / "page.html"))):
        code, out, wrong = nba(*words, "--project-dir", str(ROOT), *(own[2:] if words == ("measure",) else ()))
        assert code == 0, wrong
        assert clean(out)
    assert "<script>" not in (warehouse.parent / "page.html").read_text("utf-8")


@pytest.mark.parametrize("prefix", ['a"b', "x; drop schema raw cascade; --", "{{ 1/0 }}", "a b", "é", "../x", "a\nb"])
def test_a_prefix_that_is_no_name_is_refused(prefix: str, warehouse: Path, run_dbt) -> None:
    before = warehouse.read_bytes()
    code, _, wrong = nba("diff", "--project-dir", str(ROOT), "--vars", json.dumps({"nba_schema_prefix": prefix}))
    assert code == 1 and clean(wrong) and "unexpected" not in wrong
    assert warehouse.read_bytes() == before
    shutil.rmtree(warehouse.parent / "gone", ignore_errors=True)
