"""`nba whatif`: scenarios as people write them, in options and in files, and what is said about those that cannot be read."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from nba.cli import main
from nba.errors import NbaError
from nba.whatif.picture import curve_picture
from nba.whatif.report import clipped, table
from nba.whatif.scenario_text import (
    TOTAL_BUDGET,
    amount_of,
    budget_parts,
    file_scenario,
    floor_changes,
    limit_change,
    option_scenario,
    read_scenario,
    rule_changes,
    together,
)
from optimization.scenario import LimitChange, NewLimit, Scenario
from optimization.scenario_curve import Curve

WITHOUT_BUDGET = SimpleNamespace(limits=[])
WITH_BUDGET = SimpleNamespace(limits=[SimpleNamespace(**TOTAL_BUDGET)])


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("50000", ("set", 50000.0)),
        ("0", ("set", 0.0)),
        (" 12.5 ", ("set", 12.5)),
        ("+500", ("add", 500.0)),
        ("-.5", ("add", -0.5)),
        ("+10%", ("multiply", 1.1)),
        ("-100%", ("multiply", 0.0)),
    ],
)
def test_an_amount_is_a_bound_a_step_or_a_share(text, read):
    how, amount = amount_of(text, "--budget")
    assert (how, amount) == (read[0], pytest.approx(read[1]))


@pytest.mark.parametrize("text", ["10%", "abc", "", "1,000", "++5", "5-", "nan", "1e5", "+%"])
def test_other_amounts_are_refused(text):
    with pytest.raises(NbaError) as raised:
        amount_of(text, "--budget")
    assert str(raised.value) == f"--budget: {text!r} is no amount; write 500, +500, -500, +10% or -10%"


def test_a_total_budget_is_changed_or_made():
    assert budget_parts(WITH_BUDGET, "+10%") == ([LimitChange(TOTAL_BUDGET, "multiply", 1.1)], [])
    assert budget_parts(WITHOUT_BUDGET, "500") == ([], [NewLimit(500.0)])
    with pytest.raises(NbaError, match=r"--budget \+10%: this run has no total budget that could change by that; give an amount"):
        budget_parts(WITHOUT_BUDGET, "+10%")


def test_options_speak_the_words_of_the_rule_tables():
    assert limit_change("0a1b=+5") == LimitChange({"limit_id": "0a1b"}, "add", 5.0)
    where = {"rule": "rule_budget", "side": "max", "unit": "cost", "channel": "visit", "territory_id": None}
    assert rule_changes("rule_budget:channel=visit:territory_id=null:max_cost=+10%") == [LimitChange(where, "multiply", 1.1)]
    low, high = rule_changes("channel_capacity:channel=webinar:min_actions=2:max_actions=30")
    assert (low.where["side"], low.amount, high.where["side"], high.amount) == ("min", 2.0, "max", 30.0)
    minutes, actions = rule_changes("rule_rep_capacity:rep_id=R1:max_minutes=-10%:max_actions=9")
    assert (minutes.where["unit"], actions.where["unit"]) == ("minutes", "touches")
    (floor,) = floor_changes("attribute=decile:operator=>=:value=8:min_hcps=+3:hardness=hard")
    assert (floor.where["operator"], floor.where["value"], floor.how, floor.hardness) == (">=", "8", "add", "hard")
    (harder,) = floor_changes("territory_id=T1:hardness=hard")
    assert (harder.how, harder.hardness, harder.where) == (None, "hard", {"rule": "rule_coverage_floor", "territory_id": "T1"})


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (limit_change, "0a1b", "--limit 0a1b: write LIMIT_ID=AMOUNT, for example 8cd6d92099f387a8=+10%"),
        (limit_change, "0a1b=much", "--limit 0a1b: 'much' is no amount"),
        (rule_changes, "rule_budget", "--set rule_budget: '' must be column=value"),
        (rule_changes, "rule_budget:channel=a", "--set rule_budget:channel=a: give a new max_cost"),
        (rule_changes, "rule_budget:max_cost=1:max_cost=2", "--set rule_budget:max_cost=1:max_cost=2: max_cost is there twice"),
        (rule_changes, "rule_budget:rep_id=R1:max_cost=1", "--set rule_budget:rep_id=R1:max_cost=1: rule_budget has no rep_id"),
        (rule_changes, "rule_consent:x=1", "--set rule_consent:x=1: rule_consent is no rule with limits that several HCPs share"),
        (rule_changes, "rule_budget:hardness=soft:max_cost=1", "--set rule_budget:hardness=soft:max_cost=1: rule_budget has no hardness"),
        (floor_changes, "min_hcps=ten", "--floor min_hcps=ten: 'ten' is no amount"),
        (floor_changes, "territory_id=T1", "--floor territory_id=T1: give a new min_hcps or hardness"),
    ],
)  # fmt: skip
def test_words_that_no_rule_has_are_named(read, text, message):
    with pytest.raises(NbaError) as raised:
        read(text)
    assert str(raised.value).startswith(message)


def test_a_file_says_the_same_as_options(tmp_path: Path):
    path = tmp_path / "more.yml"
    path.write_text(
        "title: Ten percent more\nbudget: +500\nlimits:\n  - {limit_id: 0a1b, to: -10%}\n"
        "  - {rule: rule_budget, channel: null, max_cost: 5}\n"
        "floors:\n  - {territory_id: T1, min_hcps: 10, hardness: hard}\nnew_limits:\n  - {max_actions: 30, channel: email}\n"
        "force: [[007, email]]\nforbid:\n  - {hcp_id: H2, channel: email}\n"
    )
    found = file_scenario(WITH_BUDGET, read_scenario(path), path)
    given = option_scenario(
        WITH_BUDGET,
        "+500",
        ["0a1b=-10%"],
        ["rule_budget:channel=null:max_cost=5"],
        ["territory_id=T1:min_hcps=10:hardness=hard"],
        [["007", "email"]],
        [["H2", "email"]],
    )
    assert (found.changes, found.forced, found.forbidden) == (given.changes, given.forced, given.forbidden)
    assert found.new_limits == [NewLimit(30.0, "max", "touches", "email")]
    assert found.title == "Ten percent more"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "is not a YAML mapping; its keys may be title, budget"),
        ("{a: ", "is not valid YAML"),
        ("budgets: 5", "budgets is no part of a scenario; parts are title, budget"),
        ("budget: plenty", "budget: 'plenty' is no amount"),
        ("limits: 5", "limits must be a list of mappings"),
        ("limits: [{limit_id: a}]", "limits: beside limit_id give `to`, the new bound, and nothing else"),
        ("limits: [{rule: rule_colour, to: 5}]", "limits: rule_colour is no rule with limits that several HCPs share"),
        ("force: [H1, email]", "force must be a list of [hcp_id, channel]"),
        ("force: H1", "force must be a list of [hcp_id, channel]"),
        ("forbid: [{hcp_id: H1}]", "forbid must be a list of [hcp_id, channel]"),
        ("new_limits: [{channel: email}]", "new_limits: give one of max_cost"),
        ("new_limits: [{max_cost: +5}]", "new_limits: max_cost +5 must be an amount without a sign: the limit is new"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, text: str, message: str):
    path = tmp_path / "odd.yml"
    path.write_text(text)
    with pytest.raises(NbaError) as raised:
        file_scenario(WITH_BUDGET, read_scenario(path), path)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)


def test_options_come_after_the_file():
    first, second = (
        Scenario([LimitChange({"rule": "budget"}, "set", 5.0)], forced=[("h", "c")], title="a"),
        Scenario([LimitChange({"rule": "budget"}, "add", 1.0)], forced=[("h", "c"), ("i", "c")]),
    )
    both = together(first, second)
    assert ([change.how for change in both.changes], both.forced, both.title) == (["set", "add"], [("h", "c"), ("i", "c")], "a")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "nothing is asked: give --budget, --limit, --set, --floor, --force, --forbid, --scenario, --curve or --current-plan"),
        (["--curve", "--points", "1"], "--points 1 must lie between 2 and 1000"),
        (["--curve", "--plans", "51"], "--plans 51 must lie between 0 and --points 50"),
        (["--curve", "--between", "5", "2"], "--between 5 2 must be two rising numbers >= 0"),
        (["--budget", "5", "--gap", "0"], "--gap 0 must lie between 0 and 1"),
        (["--budget", "5 k"], "--budget: '5 k' is no amount; write 500, +500, -500, +10% or -10%"),
        (["--scenario", "/nowhere/a.yml"], "cannot read /nowhere/a.yml: No such file or directory"),
        (["--floor", "hardness=firm"], "limit rule rule_coverage_floor: hardness 'firm' must be soft or hard"),
    ],
)
def test_a_wrong_question_is_answered_before_the_warehouse_is_opened(words, message, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(tmp_path / "none.duckdb"))
    assert main(["whatif", *words]) == 1
    assert capsys.readouterr().err == f"nba whatif: {message}\n"


def test_a_warehouse_without_a_build_is_said(capsys, monkeypatch, tmp_path):
    import duckdb

    path = tmp_path / "none.duckdb"
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(path))
    assert main(["whatif", "--budget", "5"]) == 1
    assert capsys.readouterr().err == f"nba whatif: there is no warehouse at {path}: run `dbt build` first\n"
    assert not path.exists()
    duckdb.connect(str(path)).close()
    assert main(["whatif", "--budget", "5"]) == 1
    assert "checks.run_config, staging.stg_hcp_master" in (said := capsys.readouterr().err)
    assert said.endswith("are not there: run `dbt build` first, to its end\n")


def test_the_picture_is_svg_that_holds_its_points():
    points = np.array([0.0, 50.0, 100.0, 150.0])
    upper, total = np.array([np.nan, 5.0, 9.0, 10.0]), np.array([np.nan, 4.5, np.nan, 9.5])
    curve = Curve(0, points, upper, np.zeros(4), total, np.zeros(4), 3)
    root = ElementTree.fromstring(curve_picture(curve, "budget of <A & B>", "cost", 100.0))
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    (line,) = (node for node in root if node.tag.endswith("polyline"))
    places = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
    dots = [node for node in root if node.tag.endswith("circle")]
    assert (len(places), len(dots)) == (3, 2)
    assert all(0 <= x <= width and 0 <= y <= height for x, y in places)
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert [y for _, y in places] == sorted((y for _, y in places), reverse=True)
    assert any("budget of <A & B>" in (node.text or "") for node in root)


def test_a_flat_curve_and_a_single_point_have_a_picture():
    for upper in ([3.0, 3.0], [np.nan, 0.0]):
        curve = Curve(0, np.array([1.0, 2.0]), np.array(upper), np.zeros(2), np.full(2, np.nan), np.full(2, np.nan), 1)
        assert ElementTree.fromstring(curve_picture(curve, "a", "cost", 1.0)).tag.endswith("svg")


def test_tables_align_and_long_ones_are_cut():
    assert table(["", "n"], [("a", 1), ("bb", 10)]) == ["       n", "  a    1", "  bb  10"]
    assert clipped([str(n) for n in range(30)], "rows")[-1] == "  ... and 10 more rows"
    assert len(clipped([str(n) for n in range(21)], "rows")) == 21
