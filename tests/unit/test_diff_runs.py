"""`nba diff`: which runs are compared, what is counted, and what the two texts say; over a memory of four made-up actions per run."""

from __future__ import annotations

import hashlib
import itertools
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import pytest

from nba.cli import main
from nba.diff.report import as_markdown, as_text, sections
from nba.diff.runs import choose_runs, hcp_moves, known_run, read_difference
from nba.errors import NbaError
from nba.project import find_project
from nba.rollback import Publication
from nba.warehouse.duckdb_file import DuckDBWarehouse

ROOT = find_project(Path(__file__).parent)
KEPT = ["abc-1", "abd-2", "xyz-3"]
# run, hcp, channel, territory, touches, plan_value, cost
ACTIONS = [
    ("run-1", "H1", "email", "T1", 1, 1.0, 2.0),
    ("run-1", "H2", "email", "T1", 1, 0.5, 2.0),
    ("run-1", "H3", "visit", "T2", 1, 3.0, 50.0),
    ("run-1", "H4", "email", None, 1, 0.25, 2.0),
    ("run-2", "H1", "email", "T1", 1, 1.0, 2.0),
    ("run-2", "H1", "visit", "T1", 1, 2.0, 50.0),
    ("run-2", "H2", "email", "T1", 2, 0.75, 4.0),
    ("run-2", "H3", "email", "T2", 1, 1.5, 2.0),
]
LIMITS = [
    ("run-1", "L1", "total budget", "cost", 60.0, 56.0, 0.02),
    ("run-1", "L2", "minutes of rep R1", "minutes", 30.0, 30.0, 0.0),
    ("run-1", "L3", "capacity of email", "touches", 5.0, 3.0, 0.0),
    ("run-1", "L4", "gone | before", "touches", 5.0, 3.0, 0.0),
    ("run-2", "L1", "total budget", "cost", 90.0, 58.0, 0.0),
    ("run-2", "L2", "minutes of rep R1", "minutes", 30.0, 30.0, 0.1),
    ("run-2", "L3", "capacity of email", "touches", 6.0, 4.0, 0.0),
    ("run-2", "L5", "new now", "touches", 5.0, 3.0, 0.5),
]


def memory_of(path: Path) -> None:
    """Two runs, published one after the other."""
    with duckdb.connect(str(path)) as con:
        con.execute(
            """create schema memory;
            create table memory.publications (run_id text, cycle_start date, published_at timestamp, action text);
            create table memory.plan_summary (run_id text, cycle_start date, status text, objective double, penalty double,
                upper_bound double, gap double, expected_impact double, total_cost double, actions integer, hcps_reached integer,
                input_fingerprint text, model_version text, code_version text);
            create table memory.recommendations (run_id text, hcp_id text, channel text, territory_id text, touches integer,
                plan_value double, cost double, brand_id text);
            create table memory.constraint_prices (run_id text, limit_id text, label text, unit text, limit_value double, used double,
                price double);"""
        )
        for number, run in enumerate(("run-1", "run-2"), start=1):
            con.execute("insert into memory.publications values (?, '2026-01-05', ?, 'publish')", [run, f"2026-01-0{number}"])
            rows = [row for row in ACTIONS if row[0] == run]
            numbers = [sum(row[5] for row in rows), 0.0, 6.0, 0.01, 5.0, sum(row[6] for row in rows), len(rows)]
            stamps = [len({row[1] for row in rows}), f"inputs {number}", "model", "code"]
            con.execute(
                f"insert into memory.plan_summary values (?, '2026-01-05', 'optimal', {', '.join('?' * 11)})", [run, *numbers, *stamps]
            )
        con.executemany("insert into memory.recommendations values (?, ?, ?, ?, ?, ?, ?, 'all')", ACTIONS)
        con.executemany("insert into memory.constraint_prices values (?, ?, ?, ?, ?, ?, ?)", LIMITS)


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "nba.duckdb"
    memory_of(path)
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(path))
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    monkeypatch.chdir(ROOT)
    return path


@pytest.fixture
def found(warehouse: Path):
    with closing(DuckDBWarehouse(warehouse, read_only=True)) as house:
        return read_difference(house, "memory", [])


def log_of(*runs: str) -> list[Publication]:
    return [Publication(run, date(2026, 1, 5), "publish") for run in runs]


@pytest.mark.parametrize(
    ("log", "given", "chosen"),
    [
        (("abc-1", "abd-2"), (), ("abc-1", "abd-2")),
        (("abc-1", "abd-2", "xyz-3"), (), ("abd-2", "xyz-3")),
        (("abc-1", "abd-2"), ("xyz",), ("xyz-3", "abd-2")),
        ((), ("abd", "abc-1"), ("abd-2", "abc-1")),
    ],
)
def test_the_runs_named_or_the_last_two_published(log, given, chosen):
    assert choose_runs(log_of(*log), KEPT, given) == chosen


@pytest.mark.parametrize(
    ("log", "kept", "given", "message"),
    [
        ((), [], (), "nothing is kept yet, run `dbt build` first"),
        ((), KEPT, (), "nothing is published yet: name two runs"),
        (("abc-1",), ["abc-1"], (), "only one run was published so far, abc-1: there is nothing before it."),
        (("abc-1",), KEPT, (), "only one run was published so far, abc-1: there is nothing before it. Name a run to compare with: abd-2"),
        (("abc-1",), KEPT, ("abc",), "both are run abc-1: name two different ones"),
        ((), KEPT, ("abc-1", "abc-1"), "both are run abc-1: name two different ones"),
        ((), KEPT, ("ab", "xyz"), "several runs begin with ab: abc-1, abd-2"),
        ((), KEPT, ("abe-1", "xyz"), "there is no run abe-1 in memory; near: abc-1"),
        ((), KEPT, ("00", "xyz"), "there is no run 00 in memory; kept are abc-1, abd-2, xyz-3"),
        ((), [], ("00", "xyz"), "there is no run 00 in memory; kept are none"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_said(log, kept, given, message):
    with pytest.raises(NbaError) as raised:
        choose_runs(log_of(*log), kept, given)
    assert str(raised.value).startswith(message)


def test_a_whole_name_wins_over_a_beginning():
    assert known_run(["abc", "abc-1"], "abc") == "abc"


def test_hcps_gain_lose_or_change(found):
    moves = hcp_moves(found.pairs).set_index("hcp_id")
    assert moves["move"].to_dict() == {"H1": "gained", "H2": "changed", "H3": "changed", "H4": "lost"}
    assert moves["value_change"].to_dict() == pytest.approx({"H1": 2.0, "H2": 0.25, "H3": -1.5, "H4": -0.25})
    assert moves["cost_change"].to_dict() == pytest.approx({"H1": 50.0, "H2": 2.0, "H3": -48.0, "H4": -2.0})
    assert list(moves.index[:2]) == ["H1", "H3"]
    assert found.pairs["move"].value_counts().to_dict() == {"gained": 2, "lost": 2, "changed": 1, "kept": 1}


def test_sums_are_those_of_the_plans(found):
    pairs = found.pairs
    assert pairs["plan_value_after"].sum() - pairs["plan_value_before"].sum() == pytest.approx(
        found.after["objective"] - found.before["objective"]
    )
    assert pairs["cost_after"].sum() - pairs["cost_before"].sum() == pytest.approx(found.after["total_cost"] - found.before["total_cost"])


def test_limits_turn(found):
    turns = found.limits.set_index("limit_id")["turn"].to_dict()
    assert turns == {"L1": "released", "L2": "newly binding", "L3": "bound", "L4": "gone", "L5": "new"}


def test_the_text_says_it(found):
    text = as_text(sections(found))
    for line in (
        "before: run run-1, cycle 2026-01-05, optimal",
        "the same: model, code; different: inputs.",
        "1 gain an action, 1 lose one, 2 change theirs; 0 keep what they had.",
        "Actions: 2 gained, 2 lost, 1 with other touches, 1 kept.",
        "Limits newly binding",
        "Limits released",
    ):
        assert line in text
    assert max(len(line) for line in text.splitlines()) < 160


def test_markdown_tables_are_whole_and_bars_in_names_stay_inside_their_cell(found):
    lines = as_markdown(sections(found)).splitlines()
    assert lines[0] == "## Difference of two plans"
    bars = [line.replace("\\|", "").count("|") for line in lines]
    for (above, count), (below, following) in itertools.pairwise(zip(lines, bars, strict=True)):
        if above.startswith("|") and below.startswith("|"):
            assert count == following
    assert any("gone \\| before" in line for line in lines)
    assert any(line.startswith("| total budget | cost | 60 | 90 |") for line in lines)


def test_two_equal_plans_say_so(warehouse):
    with duckdb.connect(str(warehouse)) as con:
        for name in ("plan_summary", "recommendations", "constraint_prices"):
            con.execute(f"insert into memory.{name} select * replace ('run-3' as run_id) from memory.{name} where run_id = 'run-2'")
    with closing(DuckDBWarehouse(warehouse, read_only=True)) as house:
        text = as_text(sections(read_difference(house, "memory", ["run-2", "run-3"])))
    assert "No HCP gains, loses or changes an action." in text
    assert "Every limit has the bound and the price that it had." in text


def test_the_command_reads_only(warehouse, capsys, monkeypatch):
    before = hashlib.sha256(warehouse.read_bytes()).hexdigest()
    assert main(["diff"]) == 0
    assert main(["diff", "run-1", "run-2", "--markdown"]) == 0
    assert "## Difference of two plans" in capsys.readouterr().out
    assert main(["diff", "run-7"]) == 1
    assert capsys.readouterr().err == "nba diff: there is no run run-7 in memory; near: run-2, run-1\n"
    assert main(["diff", "run-1", "run-2", "run-1"]) == 1
    assert capsys.readouterr().err == "nba diff: 3 runs are named: give at most two\n"
    assert hashlib.sha256(warehouse.read_bytes()).hexdigest() == before
    assert not list(warehouse.parent.glob("*.wal"))
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(warehouse.parent / "none.duckdb"))
    assert main(["diff"]) == 1
    assert "run `dbt build` first" in capsys.readouterr().err
    assert not (warehouse.parent / "none.duckdb").exists()


def test_a_warehouse_without_memory_is_said(tmp_path, monkeypatch, capsys):
    path = tmp_path / "other.duckdb"
    duckdb.connect(str(path)).close()
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(path))
    monkeypatch.chdir(ROOT)
    assert main(["diff"]) == 1
    assert capsys.readouterr().err == "nba diff: memory.plan_summary is not there: nothing is kept yet, run `dbt build` first\n"
