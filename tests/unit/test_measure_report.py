"""`nba measure`: what is printed and drawn of the tables, and what is said where there is nothing."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from datetime import date
from functools import cache
from pathlib import Path

import duckdb
import pytest
from measured_world import simulated

from nba.cli import main
from nba.diff.report import as_text
from nba.measurement.lift import measured_lift
from nba.measurement.off_policy import off_policy_value
from nba.measurement.picture import curves_of, uplift_picture
from nba.measurement.report import NOTHING, sections
from nba.measurement.uplift import uplift_curve

COUNTS = {"planned": 4, "accepted": 1, "dismissed": 0, "executed": 2}
ADHERENCE = [
    {"measured_cycle": "2025-06-02", "rep_id": rep, "channel": "email", **COUNTS, "touched": touched}
    for rep, touched in (("R1", 3), ("R2", 1))
]


@cache
def tables() -> dict[str, list[dict]]:
    made = simulated(2, hcps=1500, cycles=2, shares={"control": 0.2, "explore": 0.4})
    return {
        "measured_lift": measured_lift(made.hcps).to_pylist(),
        "plan_adherence": ADHERENCE,
        "off_policy_value": off_policy_value(made.hcps, made.explore).to_pylist(),
        "uplift_curve": uplift_curve(made.hcps, made.explore).to_pylist(),
    }


def test_the_text_has_every_table_newest_cycle_first_after_all_together():
    lift, adherence, policies, curves = sections(tables())
    assert [row[0] for row in lift.rows] == ["pooled"] * 3 + ["2025-06-30"] * 3 + ["2025-06-02"] * 3
    assert [row[1] for row in lift.rows[:3]] == ["itt", "adjusted", "per_touch"]
    found = next(row for row in tables()["measured_lift"] if (row["measured_cycle"], row["estimator"]) == ("pooled", "adjusted"))
    assert lift.rows[1][2:4] == (f"{found['lift']:.4g}", f"{found['lift_low']:.4g} to {found['lift_high']:.4g}")
    assert adherence.rows == (("2025-06-02", "email", "8", "2", "0", "4", "4", "50%"),)
    assert [row[1] for row in policies.rows[:3]] == ["none", "uniform", "best_impact"]
    assert {row[1] for row in curves.rows} == {"plan-control", "explore-none"}
    assert "Lift of the plan over the control arm" in as_text(sections(tables()))


def test_why_nothing_is_claimed_stands_beside_the_status():
    made = simulated(2, hcps=200)
    given = tables() | {"off_policy_value": off_policy_value(made.hcps, made.explore).to_pylist(), "uplift_curve": []}
    _, _, policies, curves = sections(given)
    assert any(row[-1].startswith("thin: ") and "effective HCPs drew its action" in row[-1] for row in policies.rows)
    assert curves.lines == ("No drawn arms or actions whose KPI is known yet.",)


def test_touches_that_are_not_known_give_no_rate():
    given = tables() | {"plan_adherence": [row | {"touched": None} for row in ADHERENCE]}
    assert sections(given)[1].rows[0][-2:] == ("", "not known yet")


def test_without_a_past_it_says_so():
    assert as_text(sections({name: [] for name in tables()})).splitlines()[-1].strip() == NOTHING


def test_the_picture_has_a_panel_for_every_curve():
    drawn = ElementTree.fromstring(uplift_picture(tables()["uplift_curve"], "pooled"))
    space = "{http://www.w3.org/2000/svg}"
    curves = curves_of(tables()["uplift_curve"], "pooled")
    panels = drawn.findall(f"{space}g")
    assert len(panels) == len(curves) >= 4
    assert next(iter(curves)) == ("plan-control", "all")
    for panel, curve in zip(panels, curves.values(), strict=True):
        (line,) = panel.findall(f"{space}polyline")
        known = sum(row["gain"] is not None for row in curve)
        assert len(line.get("points").split()) == known + (curve[0]["gain"] is not None)


def test_a_cycle_without_curves_cannot_be_drawn():
    with pytest.raises(ValueError, match="no uplift curve of 2020-01-06 was measured"):
        uplift_picture(tables()["uplift_curve"], "2020-01-06")


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DuckDB file whose schema published has the four tables, with the names and types of the project's views."""
    path = tmp_path / "nba.duckdb"
    made = simulated(2, hcps=1500, shares={"control": 0.2, "explore": 0.4})
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema published")
        found = {
            "measured_lift": measured_lift(made.hcps),
            "off_policy_value": off_policy_value(made.hcps, made.explore),
            "uplift_curve": uplift_curve(made.hcps, made.explore),
        }
        for name, table in found.items():
            connection.register("given", table)
            connection.execute(
                f"create table published.{name} as select 'r' as run_id, cast(? as date) as cycle_start, * from given", [date(2025, 9, 1)]
            )
            connection.unregister("given")
        connection.execute(
            "create table published.plan_adherence as select '2025-06-02' as measured_cycle, 'R1' as rep_id, 'email' as channel, "
            "2 as planned, 0 as accepted, 0 as dismissed, 0 as executed, 1 as touched"
        )
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(path))
    return path


def test_the_command_prints_and_draws_the_published_run(warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    picture = tmp_path / "uplift.svg"
    assert main(["measure", "--picture", str(picture)]) == 0
    said = capsys.readouterr().out
    assert "Lift of the plan over the control arm" in said and "50%" in said
    assert f"Uplift curves (pooled) in {picture}." in said
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")


def test_the_command_names_what_is_missing(warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    assert main(["measure", "--picture", str(tmp_path / "x.svg"), "--cycle", "2020-01-06"]) == 1
    assert "no uplift curve of 2020-01-06 was measured; nothing is drawn" in capsys.readouterr().err
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("drop table published.uplift_curve")
    assert main(["measure"]) == 1
    assert "published.uplift_curve is not there: run `dbt build` first" in capsys.readouterr().err
