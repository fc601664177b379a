"""`nba whatif` over a finished build: starts from what is published, changes nothing, and its numbers hold together."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest
from odd_worlds import CYCLE_START, ordinary
from postgres_copy import copy_rooms
from published_content import published_hashes

from nba.cli import main

VARIABLES = {"input_schema": "raw", "nba_cycle_start": CYCLE_START}


def said_in(message: str):
    """Whether a text was said on stderr, all of it on one line."""
    return lambda text: message in text.splitlines()[-1]


@pytest.fixture(scope="module")
def built(run_dbt, write_inputs, tmp_path_factory) -> Path:
    """A small world, built and published once."""
    path = tmp_path_factory.mktemp("whatif") / "nba.duckdb"
    write_inputs(path, ordinary())
    run_dbt(["build", "--quiet"], path, VARIABLES)
    return path


@pytest.fixture
def ask(built, monkeypatch, capsys, tmp_path):
    """`ask(*words)`: (exit status, stdout, stderr, folder of the files) of one `nba whatif`; the warehouse must stay as it is."""
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(built))

    def run(*words: str):
        before = hashlib.sha256(built.read_bytes()).hexdigest()
        status = main(["whatif", *words, "--out", str(tmp_path / "out")])
        assert hashlib.sha256(built.read_bytes()).hexdigest() == before
        assert not list(built.parent.glob("*.wal"))
        answer = capsys.readouterr()
        return status, answer.out, answer.err, tmp_path / "out"

    return run


def numbers_of(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "comparison.csv").set_index("number")


def test_everything_at_once_changes_nothing_that_is_published(built, ask, read_table):
    before = published_hashes(built)
    pair = read_table(
        built, "select r.hcp_id, r.channel from published.rejections r where r.reason_kind in ('price', 'better_alternative') order by 1, 2"
    ).iloc[0]
    words = ["--budget", "+10%", "--force", pair["hcp_id"], pair["channel"], "--curve", "--points", "6", "--plans", "2", "--current-plan"]
    status, text, progress, folder = ask(*words)
    assert status == 0
    assert published_hashes(built) == before
    for part in (
        "Compared with the published plan",
        "Actions gained and lost",
        "It is in an optimal plan from",
        "Curve of",
        "The field's own plan",
    ):
        assert part in text
    assert "the plan of the scenario: " in progress
    written = {path.name for path in folder.iterdir()}
    assert written >= {"comparison.csv", "actions.csv", "moves.csv", "limits.csv", "scenario.json", "curve.csv", "curve.svg"}
    assert json.loads((folder / "scenario.json").read_text())["scenario"]["force"] == [[pair["hcp_id"], pair["channel"]]]


def test_the_baseline_is_the_published_plan(built, ask, read_table):
    _, text, _, folder = ask("--budget", "+0%")
    assert "No action is gained or lost." in text
    assert pd.read_csv(folder / "actions.csv").empty
    live, header = numbers_of(folder), read_table(built, "published.plan_summary").iloc[0]
    for number, column in (("objective", "objective"), ("penalty", "penalty"), ("cost", "total_cost"), ("actions", "actions")):
        assert live.at[number, "before"] == pytest.approx(header[column], rel=1e-9)
    assert live.at["total", "after"] == pytest.approx(live.at["total", "before"], rel=2 * header["gap"] + 1e-9)


def test_more_money_is_never_worth_less_and_less_never_more(ask, tmp_path):
    totals = {}
    for budget in ("-30%", "+0%", "+30%"):
        status, _, _, folder = ask(f"--budget={budget}")
        assert status == 0
        totals[budget] = numbers_of(folder)["after"]
    for poorer, richer in (("-30%", "+0%"), ("+0%", "+30%")):
        assert totals[poorer]["total"] <= totals[richer]["upper_bound"] + 1e-9
        assert totals[poorer]["total"] < totals[richer]["total"] * (1 + 1e-3)
    assert totals["-30%"]["cost"] < totals["+0%"]["cost"]


def test_moves_add_up_to_the_numbers(built, ask, read_table):
    _, _, _, folder = ask("--budget=-30%")
    numbers, moves, actions = numbers_of(folder), pd.read_csv(folder / "moves.csv"), pd.read_csv(folder / "actions.csv")
    every = moves[(moves["channel"] == "all") & (moves["territory_id"] == "all")].iloc[0]
    assert (every["before"], every["after"]) == (numbers.at["actions", "before"], numbers.at["actions", "after"])
    assert every["after"] - every["before"] == every["gained"] - every["lost"]
    assert every["cost_after"] == pytest.approx(numbers.at["cost", "after"])
    assert (actions["move"] == "lost").sum() == every["lost"] > 0
    cells = moves[(moves["channel"] != "all") & (moves["territory_id"] != "all")]
    assert cells["gained"].sum() == every["gained"]
    limits = pd.read_csv(folder / "limits.csv")
    published = read_table(built, "published.constraint_prices").set_index("limit_id")
    assert limits.set_index("limit_id")["limit_before"].to_dict() == pytest.approx(published["limit_value"].to_dict())


def test_a_forbidden_pair_is_not_planned_and_another_bound_holds(built, ask, read_table):
    planned = read_table(built, "select hcp_id, channel from published.recommendations order by plan_value desc").iloc[0]
    limit = read_table(
        built, "select limit_id, used from published.constraint_prices where unit = 'minutes' and used > 0 order by used desc"
    ).iloc[0]
    status, _, _, folder = ask("--forbid", planned["hcp_id"], planned["channel"], "--limit", f"{limit['limit_id']}=10")
    assert status == 0
    actions, limits = pd.read_csv(folder / "actions.csv"), pd.read_csv(folder / "limits.csv").set_index("limit_id")
    lost = actions[(actions["hcp_id"] == planned["hcp_id"]) & (actions["channel"] == planned["channel"])]
    assert lost["move"].tolist() == ["lost"]
    assert limits.at[limit["limit_id"], "used_after"] <= 10 + 1e-6


def test_the_curve_rises_and_its_plans_lie_below(ask):
    status, _, _, folder = ask("--curve", "--points", "10", "--plans", "3")
    curve = pd.read_csv(folder / "curve.csv")
    assert status == 0
    assert len(curve) == 10
    known = curve.dropna(subset=["upper_bound"])
    assert (known["upper_bound"].diff().dropna() >= -1e-9).all()
    solved = curve.dropna(subset=["total"])
    assert len(solved) >= 2
    assert (solved["total"] <= solved["upper_bound"] + 1e-9).all()


def test_what_the_build_does_not_know_is_one_line(built, ask):
    for words, message in (
        (["--force", "H000000X", "email"], "hcp_id H000000X: no such HCP in this run; near: H0"),
        (["--force", "H0000001", "fax"], "channel fax: no such channel; there are "),
        (["--limit", "0000=5"], "no limit has limit_id 0000"),
        (["--set", "rule_budget:channel=fax:max_cost=5"], "no limit has rule rule_budget, side max, unit cost, channel fax"),
    ):
        status, _, progress, _ = ask(*words)
        assert status == 1
        assert said_in(message)(progress)


def test_a_scenario_without_a_plan_names_the_conflict(ask):
    status, _, progress, _ = ask("--floor", "min_hcps=+9999:hardness=hard")
    assert status == 1
    assert "no plan keeps the limits of this scenario:" in progress
    assert "hcps can be reached" in progress


def test_a_missing_current_plan_and_a_broken_build_are_said(built, tmp_path, monkeypatch, capsys):
    import shutil

    import duckdb

    copy = tmp_path / "copy.duckdb"
    shutil.copy(built, copy)
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(copy))
    with duckdb.connect(str(copy)) as con:
        con.execute("delete from staging.stg_current_plan")
    assert main(["whatif", "--current-plan"]) == 1
    assert "there is no current_plan in this build: load the table current_plan" in capsys.readouterr().err
    with duckdb.connect(str(copy)) as con:
        con.execute("drop table scores.score_impact cascade")
    assert main(["whatif", "--budget", "5"]) == 1
    assert capsys.readouterr().err == "nba whatif: scores.score_impact is not there: run `dbt build` first, to its end\n"


@pytest.fixture(scope="module")
def copied(built, postgres):
    """The same build in PostgreSQL."""
    copy_rooms(built, postgres, "whatif", ("checks", "staging", "scores", "memory"))
    return postgres


def test_both_engines_give_the_same_answers(built, copied, monkeypatch, capsys):
    """The build is copied, so what is compared is how the commands read it."""
    for name, value in copied.env("whatif").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(built))
    open_pairs = "select hcp_id, channel from memory.rejections where reason_kind in ('price', 'better_alternative') order by 1, 2"
    pair = copied.run_sql("whatif", open_pairs)[0]
    for words in (
        ["whatif", "--budget", "+10%", "--force", *pair, "--curve", "--points", "5", "--current-plan"],
        ["whatif", "--budget=-30%"],
        ["whatif", "--force", "H000000X", "email"],
        ["diff"],
        ["diff", "nothing-like-it"],
    ):
        said = {}
        for target in ("duckdb", "postgres"):
            status = main([*words, "--target", target])
            answer = capsys.readouterr()
            said[target] = (status, answer.out, answer.err.splitlines()[-1] if status else "")
        assert said["duckdb"] == said["postgres"], words


def test_rollback_and_diff_on_postgres(copied, monkeypatch, capsys):
    for name, value in copied.env("whatif").items():
        monkeypatch.setenv(name, value)

    def ask(*words: str) -> tuple[int, str]:
        status = main([*words, "--target", "postgres"])
        answer = capsys.readouterr()
        return status, answer.out if status == 0 else answer.err

    ((run,),) = copied.run_sql("whatif", "select run_id from memory.publications")
    first = f"nba rollback: run {run} is the first that was published: there is nothing before it to roll back to\n"
    assert ask("rollback") == (1, first)
    for table in ("plan_summary", "recommendations", "constraint_prices"):
        listed = f"select attname from pg_attribute where attrelid = 'memory.{table}'::regclass and attnum > 0"
        columns = [name for (name,) in copied.run_sql("whatif", listed)]
        cells = ", ".join("'later'" if name == "run_id" else "plan_value + 1" if name == "plan_value" else name for name in columns)
        copied.run_sql("whatif", f"insert into memory.{table} select {cells} from memory.{table} where run_id = '{run}'")
    # published in the far future: a clock that was set back must not hide a rollback
    future = "select 'later', cycle_start, timestamp '2999-01-01', 'publish' from memory.publications"
    copied.run_sql("whatif", f"insert into memory.publications {future}")
    status, text = ask("diff")
    assert status == 0
    assert f"before: run {run}" in text and "after: run later" in text
    said = f"Published now: run {run}, cycle {CYCLE_START}.\nBefore: run later, cycle {CYCLE_START}; it stays in memory.\n"
    assert ask("rollback") == (0, said)
    newest = "select run_id, action, published_at > timestamp '2999-01-01' from memory.publications order by published_at desc limit 1"
    assert copied.run_sql("whatif", newest) == [(run, "rollback", True)]
    assert ask("whatif", "--budget", "+1%")[0] == 0
    copied.run_sql("whatif", "drop table scores.score_impact")
    assert ask("whatif", "--budget", "5") == (1, "nba whatif: scores.score_impact is not there: run `dbt build` first, to its end\n")
