"""Measurement of past cycles in the pipeline: memory written by hand, marts read back; and a project without a past."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from conftest import ROOT
from postgres_copy import copy_rooms
from postgres_server import PostgresServer

FIRST_WEEK, CYCLE = date(2025, 9, 1), date(2026, 1, 5)
WEEKS = [FIRST_WEEK + timedelta(weeks=number) for number in range(18)]
# a cycle before arms were drawn, the one that is measured, and one that was rolled back
BEFORE, MEASURED, TAKEN_BACK = date(2025, 11, 10), date(2025, 12, 8), date(2025, 12, 22)
ARMS = {"plan": 30, "control": 30, "explore": 80}
CHANCE = {"plan": 0.6, "control": 0.2, "explore": 0.2}
MARTS = ("measured_lift", "plan_adherence", "off_policy_value", "uplift_curve")
VARIABLES = {"input_schema": "raw", "nba_cycle_start": str(CYCLE)}
SELECT = ["run", "--quiet", "--select", *(f"+fct_{mart}" for mart in MARTS)]


def hcps() -> list[tuple[str, str, int]]:
    """(hcp_id, arm, number within the arm)."""
    return [(f"{arm}{number:02d}", arm, number) for arm, count in ARMS.items() for number in range(count)]


def weekly_kpi(arm: str, number: int, week: date) -> float:
    """1 a week before the draw; in the measured cycle 2, 3 with a plan or an email (even explore HCPs), 1 more now and then."""
    if week < MEASURED:
        return 1.0
    gain = 1.0 if arm == "plan" or (arm == "explore" and number % 2 == 0) else 0.0
    return 2.0 + gain + (1.0 if number % 4 < 2 and week == WEEKS[-1] else 0.0)


def inputs() -> dict[str, pd.DataFrame]:
    master = [(hcp, "T1", "R1", number % 3 + 1) for hcp, _, number in hcps()]
    kpi = [(hcp, week, weekly_kpi(arm, number, week)) for hcp, arm, number in hcps() for week in WEEKS]
    # unknown in the cycle, and first seen after the draw: both stay out
    kpi = [(hcp, week, None if (hcp, week) == ("plan28", WEEKS[-2]) else value) for hcp, week, value in kpi]
    kpi = [row for row in kpi if row[0] != "control29" or row[1] > MEASURED]
    touches = [("plan00", 2), ("plan01", 2), ("plan02", 3), ("plan03", 2), ("plan04", 1)]
    history = [(hcp, "email", WEEKS[-3], count, 0) for hcp, count in touches]
    history += [(hcp, "email", week, 1, 1) for hcp, arm, number in hcps() if number < 5 for week in (WEEKS[0], WEEKS[5])]
    history += [("explore79", "email", WEEKS[-1], 1, 0)]
    words = [("a0", "executed", "2025-12-20"), ("a1", "accepted", "2025-12-10"), ("a1", "dismissed", "2025-12-11")]
    feedback = pd.DataFrame([*words, ("a2", "accepted", "2026-01-05 08:00")], columns=["recommendation_id", "status", "at"])
    return {
        "hcp_master": pd.DataFrame(master, columns=["hcp_id", "territory_id", "rep_id", "decile"]),
        "kpi_metrics": pd.DataFrame(kpi, columns=["hcp_id", "period_start", "kpi_value"]),
        "engagement_history": pd.DataFrame(history, columns=["hcp_id", "channel", "period_start", "touches", "responses"]),
        "engagement_action_catalog": pd.DataFrame([("email", 1.0, 0.2)], columns=["channel", "unit_cost", "expected_uplift"]),
        "suggestion_feedback": feedback.assign(at=pd.to_datetime(feedback["at"], format="mixed"), reason=None, by=None),
    }


def memory() -> dict[str, pd.DataFrame]:
    """What earlier builds would have left: two runs of the measured cycle, of which the later one holds."""
    log = [
        ("r1", BEFORE, "2025-11-09", "publish"),
        ("r2", MEASURED, "2025-12-06", "publish"),
        ("r2b", MEASURED, "2025-12-07", "publish"),
        ("r3", TAKEN_BACK, "2025-12-20", "publish"),
        ("r2b", MEASURED, "2025-12-21", "rollback"),
    ]
    runs = {"r1": BEFORE, "r2": MEASURED, "r2b": MEASURED, "r3": TAKEN_BACK}
    assigned = [("r1", hcp, "plan", 1.0, f"T1|{number % 3 + 1}", None, None) for hcp, _, number in hcps()]
    for run in ("r2", "r2b", "r3"):
        assigned += [(run, hcp, arm, CHANCE[arm], f"T1|{number % 3 + 1}", f"unit {hcp}", MEASURED) for hcp, arm, number in hcps()]
    actions = [(f"a{number}", "r2b", "T1", "R1", f"plan{number:02d}", "email", 2, 1.5) for number in range(10)]
    actions += [("wrong", "r2", "T1", "R1", "plan20", "email", 9, 99.0), ("later", "r3", "T1", "R1", "plan20", "email", 9, 99.0)]
    drawn = [
        ("r2b", hcp, channel, 0.5, (number % 2 == 0) == (channel == "email"))
        for hcp, arm, number in hcps() if arm == "explore" for channel in ("none", "email")
    ]  # fmt: skip
    scores = [("r2b", hcp, "email", 0.01 * number, True) for hcp, _, number in hcps()]
    publications = pd.DataFrame(log, columns=["run_id", "cycle_start", "published_at", "action"])
    return {
        "publications": publications.astype({"published_at": "datetime64[us]"}),
        "plan_summary": pd.DataFrame(
            [(run, day, day + timedelta(weeks=4)) for run, day in runs.items()], columns=["run_id", "cycle_start", "cycle_end"]
        ),
        "assignments": pd.DataFrame(
            assigned, columns=["run_id", "hcp_id", "arm", "arm_probability", "stratum", "unit_id", "drawn_cycle"]
        ),
        "recommendations": pd.DataFrame(
            actions, columns=["recommendation_id", "run_id", "territory_id", "rep_id", "hcp_id", "channel", "touches", "plan_value"]
        ),
        "explore_distribution": pd.DataFrame(drawn, columns=["run_id", "hcp_id", "channel", "propensity", "is_drawn"]),
        "hcp_channel_scores": pd.DataFrame(scores, columns=["run_id", "hcp_id", "channel", "expected_impact", "is_eligible"]),
    }  # fmt: skip


def marts_of(path: Path, read_table: Any) -> dict[str, pd.DataFrame]:
    return {mart: read_table(path, f"marts.fct_{mart}").drop(columns=["run_id"]) for mart in MARTS}


@pytest.fixture(scope="module")
def builds(run_dbt, write_inputs, read_table, tmp_path_factory) -> dict[str, dict[str, pd.DataFrame]]:
    """The marts without a past, with it, with its rows in another order, and while the KPI of the last cycle is still coming in."""
    path = tmp_path_factory.mktemp("measured") / "nba.duckdb"
    found = {}
    write_inputs(path, inputs())
    run_dbt(SELECT, path, VARIABLES)
    found["no past"] = marts_of(path, read_table)
    write_inputs(path, memory(), schema="memory")
    run_dbt(SELECT, path, VARIABLES)
    found["past"] = marts_of(path, read_table)
    for schema, tables in (("raw", inputs()), ("memory", memory())):
        write_inputs(path, {name: frame.sample(frac=1, random_state=1) for name, frame in tables.items()}, schema=schema)
    run_dbt(SELECT, path, VARIABLES)
    found["shuffled"] = marts_of(path, read_table)
    with duckdb.connect(str(path)) as connection:
        connection.execute("alter table memory.assignments drop column unit_id; alter table memory.assignments drop column drawn_cycle")
    run_dbt(SELECT, path, VARIABLES | {"nba_kpi_known_lag": 1})
    found["late"] = marts_of(path, read_table)
    return found


def one(frame: pd.DataFrame, **keys: str) -> pd.Series:
    for name, value in keys.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1, frame
    return frame.iloc[0]


def test_a_project_without_a_past_has_empty_marts_of_the_same_columns(builds):
    for mart, frame in builds["no past"].items():
        assert len(frame) == 0
        assert list(frame.columns) == list(builds["past"][mart].columns)


def test_the_run_that_holds_in_each_cycle_is_measured(builds):
    lift = builds["past"]["measured_lift"]
    assert sorted(set(lift["measured_cycle"])) == [str(BEFORE), str(MEASURED), "pooled"]
    assert not lift.duplicated(["measured_cycle", "estimator"]).any()


def test_lift_is_what_the_kpi_says(builds):
    for estimator in ("itt", "adjusted"):
        row = one(builds["past"]["measured_lift"], measured_cycle=str(MEASURED), estimator=estimator)
        assert row["status"] == "measured"
        # plan28 has an unknown week, control29 was first seen after the draw
        assert (row["plan_hcps"], row["control_hcps"], row["left_out_hcps"]) == (29, 29, 2)
        assert row["lift"] == pytest.approx(4.0, abs=0.05)
        assert row["lift_low"] < 4.0 < row["lift_high"]
        assert row["predicted_lift"] == pytest.approx(15.0 / 29)
        assert row["predicted_ratio"] == pytest.approx(15.0 / 29 / row["lift"])


def test_a_cycle_without_arms_is_observational_and_pooled_leaves_it_out(builds):
    lift = builds["past"]["measured_lift"]
    before = lift[lift["measured_cycle"] == str(BEFORE)]
    assert set(before["status"]) == {"observational"}
    assert before["lift"].isna().all() and before["reason"].str.contains("no arms were drawn").all()
    pooled, single = (one(lift, measured_cycle=cycle, estimator="itt") for cycle in ("pooled", str(MEASURED)))
    assert pooled["lift"] == pytest.approx(single["lift"])


def test_few_touches_more_give_no_effect_per_touch(builds):
    row = one(builds["past"]["measured_lift"], measured_cycle=str(MEASURED), estimator="per_touch")
    assert row["status"] == "weak" and pd.isna(row["lift"])
    assert row["touch_difference"] == pytest.approx(10 / 29, abs=0.02)


def test_adherence_counts_history_and_what_was_known_of_feedback(builds):
    row = one(builds["past"]["plan_adherence"], measured_cycle=str(MEASURED))
    assert (row["territory_id"], row["rep_id"], row["channel"], row["status"]) == ("T1", "R1", "email", "measured")
    assert (row["planned"], row["planned_touches"], row["touched"], row["touches_done"]) == (10, 20, 5, 9)
    # a1 was accepted, then dismissed; a2's word came on the first day of the present cycle
    assert (row["executed"], row["dismissed"], row["accepted"], row["without_feedback"]) == (1, 1, 0, 8)
    assert row["adherence_rate"] == pytest.approx(0.5)


def test_policies_are_judged_from_the_draws(builds):
    values = builds["past"]["off_policy_value"]
    for policy, value in (("none", 8.5), ("always:email", 12.5), ("best_impact", 12.5), ("uniform", 10.5)):
        row = one(values, measured_cycle=str(MEASURED), policy=policy, estimator="dr")
        assert (row["status"], row["explore_hcps"]) == ("measured", 80)
        assert row["value"] == pytest.approx(value, abs=0.1)
    assert one(values, measured_cycle="pooled", policy="always:email", estimator="snips")["lift"] == pytest.approx(4.0)


def test_curves_reach_the_whole_lift(builds):
    curves = builds["past"]["uplift_curve"]
    for comparison, channel in (("plan-control", "all"), ("explore-none", "all"), ("explore-none", "email")):
        found = curves[(curves["measured_cycle"] == str(MEASURED)) & (curves["comparison"] == comparison) & (curves["channel"] == channel)]
        assert sorted(found["share"].round(6)) == [number / 10 for number in range(1, 11)]
        last = found[found["share"] == 1.0]
        if comparison == "plan-control":
            # 29 HCPs on each side: fewer than a curve needs
            assert set(found["status"]) == {"thin"}
        else:
            assert last["gain"].iloc[0] == pytest.approx(4.0, abs=0.1)


def test_the_order_of_rows_changes_nothing(builds):
    for mart, frame in builds["past"].items():
        keys = [name for name in ("measured_cycle", "estimator", "policy", "comparison", "channel", "rep_id", "share") if name in frame]
        pair = [table.sort_values(keys, ignore_index=True) for table in (frame, builds["shuffled"][mart])]
        pd.testing.assert_frame_equal(*pair)


def test_what_is_not_known_yet_is_not_claimed(builds):
    late = builds["late"]
    row = one(late["measured_lift"], measured_cycle=str(MEASURED), estimator="itt")
    assert (row["status"], pd.isna(row["lift"])) == ("not_yet_known", True)
    assert set(late["off_policy_value"]["status"]) == {"not_yet_known"}
    # touches have no lag here: adherence stays
    assert one(late["plan_adherence"], measured_cycle=str(MEASURED))["adherence_rate"] == pytest.approx(0.5)


@pytest.mark.long
def test_postgresql_measures_alike(builds, write_inputs, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from dbt.cli.main import dbtRunner

    path = tmp_path / "nba.duckdb"
    write_inputs(path, inputs())
    write_inputs(path, memory(), schema="memory")
    copy_rooms(path, postgres, "measured", ("raw", "memory"))
    for key, value in {**postgres.env("measured"), "OMP_NUM_THREADS": "1"}.items():
        monkeypatch.setenv(key, value)
    folders = {"project-dir": ROOT, "profiles-dir": ROOT, "target-path": tmp_path / "t", "log-path": tmp_path / "l"}
    paths = [word for name, folder in folders.items() for word in (f"--{name}", str(folder))]
    # with the seed that the rules are checked against, which a run on DuckDB does without
    build = ["build", *SELECT[1:], "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"]
    result = dbtRunner().invoke([*build, "--target", "postgres", "--vars", json.dumps(VARIABLES), *paths])
    assert result.success, [f"{r.node.name}: {r.message}" for r in getattr(result.result, "results", None) or [] if r.status == "error"]
    for mart, ours in builds["past"].items():
        theirs = pd.DataFrame(postgres.run_sql("measured", f"select {', '.join(ours.columns)} from marts.fct_{mart}"), columns=ours.columns)
        keys = [name for name in ("measured_cycle", "estimator", "policy", "comparison", "channel", "share") if name in ours]
        pair = [table.astype(object).where(table.notna(), None).sort_values(keys, ignore_index=True) for table in (ours, theirs)]
        assert len(pair[0]) == len(pair[1]) > 0
        for name in ours.columns.drop("cycle_start"):
            for one_cell, other in zip(pair[0][name], pair[1][name], strict=True):
                assert one_cell == (pytest.approx(other, rel=1e-6, abs=1e-9) if isinstance(other, float) else other), (mart, name)
