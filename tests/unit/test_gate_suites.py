"""Every expectation of the gates can fail, says so in words, and holds on an ordinary pair of runs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gate_profiles import RUN, Spoil, both, input_rows, plan_rows, put, table, times, without

from nba.gates.limits import Limits
from nba.gates.quality import boundary_tables, quality, sides_of, suites
from nba.gates.running import context, run_suites, suite_of

LIMITS = Limits.of_run(RUN)
ROWS = {"inputs": input_rows, "plan": plan_rows}
H, E, K, C = ({"table_name": name} for name in ("hcp_master", "engagement_history", "kpi_metrics", "engagement_action_catalog"))
R, S, P, U = ({"table_name": name} for name in ("recommendations", "hcp_channel_scores", "plan_summary", "channel_usage"))
# (table, expectation, level) -> what to do to the profile of this run so that just that level is broken
SPOILT: dict[tuple[str, str, str], Spoil] = {
    ("hcp_master", "rows", "error"): put(0, **H, measure="rows", subject=""),
    ("hcp_master", "population_kept", "warn"): put(20, **H, measure="kept_hcps"),
    ("hcp_master", "hcps_change", "error"): put(450, **H, measure="rows", subject=""),
    ("hcp_master", "hcps_change", "warn"): put(700, **H, measure="rows", subject=""),
    ("hcp_master", "hcps_kept", "error"): put(450, **H, measure="kept_hcps"),
    ("hcp_master", "hcps_kept", "warn"): put(700, **H, measure="kept_hcps"),
    ("hcp_master", "spread_moved", "error"): both(put(950, **H, item="open"), put(50, **H, item="no_see")),
    ("hcp_master", "spread_moved", "warn"): both(put(700, **H, item="solo"), put(300, **H, item="group")),
    ("hcp_master", "alignment_moved", "warn"): both(put(990, **H, item="T1"), put(10, **H, item="T2")),
    ("engagement_history", "rows", "error"): without(**E, measure="rows"),
    ("engagement_history", "late_periods", "error"): put(9, **E, measure="late_periods"),
    ("engagement_history", "late_periods", "warn"): put(5, **E, measure="late_periods"),
    ("engagement_history", "newest_level", "warn"): times(0.3, **E, newest=1),
    ("engagement_history", "known_share", "warn"): times(0.7, **E, measure="known_rows"),
    ("engagement_history", "covered_change", "error"): times(0.4, **E, measure="covered_hcps"),
    ("engagement_history", "covered_change", "warn"): times(0.7, **E, measure="covered_hcps"),
    ("engagement_history", "rows_kept", "error"): times(0.45, **E, subject="channel"),
    ("engagement_history", "rows_kept", "warn"): times(0.7, **E, subject="channel"),
    ("engagement_history", "rows_per_hcp", "error"): times(2, **E, subject="channel"),
    ("engagement_history", "rows_per_hcp", "warn"): times(1.3, **E, subject="channel"),
    ("engagement_history", "periods_kept", "error"): without(**E, subject="channel", older=18),
    ("engagement_history", "periods_kept", "warn"): without(**E, subject="channel", older=30),
    ("engagement_history", "mix_moved", "error"): times(8, **E, item="email", measure="touches"),
    ("engagement_history", "mix_moved", "warn"): times(2.5, **E, item="email", measure="touches"),
    ("engagement_history", "recent_mix_moved", "error"): times(8, **E, item="email", measure="touches", newest=12),
    ("engagement_history", "recent_mix_moved", "warn"): times(2.5, **E, item="email", measure="touches", newest=12),
    ("engagement_history", "response_rate_moved", "error"): times(3, **E, item="email", measure="responses"),
    ("engagement_history", "response_rate_moved", "warn"): times(1.8, **E, item="email", measure="responses"),
    ("engagement_history", "recorded_share_moved", "warn"): times(0.5, **E, item="email", measure="recorded_rows"),
    ("kpi_metrics", "rows", "error"): without(**K, measure="rows"),
    ("kpi_metrics", "late_periods", "error"): put(15, **K, measure="late_periods"),
    ("kpi_metrics", "rows_kept", "error"): times(0.45, **K, measure="rows"),
    ("kpi_metrics", "rows_kept", "warn"): times(0.7, **K, measure="rows"),
    ("kpi_metrics", "periods_kept", "error"): without(**K, measure="rows", older=18),
    ("kpi_metrics", "periods_kept", "warn"): without(**K, measure="rows", older=30),
    ("kpi_metrics", "covered_change", "error"): times(0.4, **K, measure="covered_hcps"),
    ("kpi_metrics", "covered_change", "warn"): times(0.7, **K, measure="covered_hcps"),
    ("kpi_metrics", "given_share_moved", "error"): times(0.5, **K, measure="given_rows"),
    ("kpi_metrics", "given_share_moved", "warn"): times(0.8, **K, measure="given_rows"),
    ("kpi_metrics", "zero_share_moved", "error"): times(3, **K, measure="zero_rows"),
    ("kpi_metrics", "zero_share_moved", "warn"): times(1.8, **K, measure="zero_rows"),
    ("kpi_metrics", "level_change", "error"): times(100, **K, measure="middle"),
    ("kpi_metrics", "level_change", "warn"): times(0.4, **K, measure="high"),
    ("engagement_action_catalog", "rows", "error"): without(**C, subject="unit_cost"),
    ("engagement_action_catalog", "channels_kept", "warn"): without(**C, item="visit"),
    ("engagement_action_catalog", "unit_cost_change", "error"): times(100, **C, subject="unit_cost", item="email"),
    ("engagement_action_catalog", "unit_cost_change", "warn"): times(3, **C, subject="unit_cost", item="email"),
    ("engagement_action_catalog", "expected_uplift_change", "warn"): times(-1, **C, subject="expected_uplift"),
    ("rules", "tables", "error"): without(table_name="rule_budget"),
    ("rules", "opt_ins_kept", "error"): times(0.4, table_name="rule_consent", measure="opt_ins"),
    ("rules", "opt_ins_kept", "warn"): times(0.7, table_name="rule_consent", measure="opt_ins"),
    ("rules", "channel_opt_ins_kept", "warn"): times(0.7, table_name="rule_consent", item="email"),
    ("rules", "exclusions_kept", "error"): put(0, table_name="rule_exclusion"),
    ("rules", "exclusions_kept", "warn"): times(0.7, table_name="rule_exclusion"),
    ("rules", "rule_kept", "warn"): put(0, table_name="rule_budget"),
    ("recommendations", "actions", "warn"): without(**R, measure="touches"),
    ("recommendations", "actions_kept", "error"): times(0.4, **R, measure="touches"),
    ("recommendations", "actions_kept", "warn"): times(0.7, **R, measure="touches"),
    ("recommendations", "total_cost_of_an_action", "error"): times(10, **R, measure="total_cost"),
    ("recommendations", "total_cost_of_an_action", "warn"): times(3, **R, measure="total_cost"),
    ("recommendations", "expected_impact_of_an_action", "error"): times(10, **R, measure="expected_impact"),
    ("recommendations", "expected_impact_of_an_action", "warn"): times(0.3, **R, measure="expected_impact"),
    ("recommendations", "mix_moved", "warn"): times(2.5, **R, item="email", measure="touches"),
    ("hcp_channel_scores", "rows", "error"): without(**S),
    ("hcp_channel_scores", "probability_spread", "warn"): put(0.9, **S, item="email", measure="lowest_probability"),
    ("hcp_channel_scores", "eligible_kept", "error"): times(0.4, **S, measure="eligible"),
    ("hcp_channel_scores", "eligible_kept", "warn"): times(0.7, **S, measure="eligible"),
    ("hcp_channel_scores", "channel_eligible_kept", "warn"): times(0.7, **S, item="email", measure="eligible"),
    ("hcp_channel_scores", "probability_moved", "error"): put(0.9, **S, item="email", measure="mean_probability"),
    ("hcp_channel_scores", "probability_moved", "warn"): put(0.5, **S, item="email", measure="mean_probability"),
    ("hcp_channel_scores", "impact_change", "error"): times(30, **S, item="email", measure="mean_impact"),
    ("hcp_channel_scores", "impact_change", "warn"): times(0.4, **S, item="email", measure="mean_impact"),
    ("plan_summary", "gap", "error"): put(0.6, **P, measure="solve_gap"),
    ("plan_summary", "gap", "warn"): put(0.1, **P, measure="solve_gap"),
    ("plan_summary", "hcps_reached_kept", "error"): times(0.4, **P, measure="hcps_reached"),
    ("plan_summary", "hcps_reached_kept", "warn"): times(0.7, **P, measure="hcps_reached"),
    ("plan_summary", "objective_change", "error"): times(0.1, **P, measure="objective"),
    ("plan_summary", "objective_change", "warn"): times(3, **P, measure="objective"),
    ("plan_summary", "cost_change", "error"): times(10, **P, measure="total_cost"),
    ("plan_summary", "cost_change", "warn"): times(3, **P, measure="total_cost"),
    ("channel_usage", "unlisted", "error"): times(1.1, **U, measure="touches"),
    ("channel_usage", "touches_kept", "warn"): times(0.4, **U, item="email", measure="touches"),
}
EVERY = {
    (module.TABLE, one.measure, level): side
    for side in ("inputs", "plan")
    for module in boundary_tables(side)
    for one in module.expected(LIMITS)
    for level in one.levels
}


@pytest.fixture(scope="module")
def gx() -> Any:
    return context()


def found(
    gx: Any, side: str, spoil: Spoil | None = None, first: bool = False, only: tuple[str, str] | None = None, **switches: Any
) -> list[dict[str, Any]]:
    """Results of one side, of a run whose profile was spoilt; `only` one expectation of one table."""
    run, now = RUN | switches, ROWS[side]()
    sides, limits = sides_of(run, table(spoil(now) if spoil else now), table([] if first else ROWS[side]())), Limits.of_run(run)
    made = [suite_of(module, sides, limits) for module in boundary_tables(side) if only is None or only[0] == module.TABLE]
    if only:
        made = [replace(suite, expected=[one for one in suite.expected if one.measure == only[1]]) for suite in made]
    return run_suites(made, limits, gx)


def broken(results: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    return {(row["table_name"], row["expectation"], row["severity"]) for row in results if row["status"] == "not_met"}


def test_every_expectation_has_a_profile_that_breaks_it():
    assert set(SPOILT) == set(EVERY)


@pytest.mark.parametrize("side", ["inputs", "plan"])
def test_a_run_like_the_last_one_meets_everything_and_everything_is_evaluated(gx: Any, side: str):
    results = found(gx, side)
    assert {row["status"] for row in results} == {"met"}
    assert {(row["table_name"], row["expectation"], row["severity"]) for row in results} == {key for key in EVERY if EVERY[key] == side}


@pytest.mark.parametrize("key", SPOILT, ids="-".join)
def test_what_is_spoilt_is_found_in_words(gx: Any, key: tuple[str, str, str]):
    results = found(gx, EVERY[key], SPOILT[key], only=key[:2])
    assert key in broken(results)
    (row,) = [one for one in results if (one["table_name"], one["expectation"], one["severity"]) == key]
    assert "(limit: " in row["problem"] and "nba_gate_" in row["what_to_do"]
    assert "{" not in row["problem"] and "nan" not in row["problem"]
    if key[2] == "warn":
        assert (key[0], key[1], "error") not in broken(results)


def test_an_error_is_wider_than_its_warning():
    for side in ("inputs", "plan"):
        for module in boundary_tables(side):
            for one in module.expected(LIMITS):
                (low, high), (least, most) = one.bounds("error"), one.bounds("warn")
                assert low is None or low <= least, one.measure
                assert high is None or high >= most, one.measure


@pytest.mark.parametrize("side", ["inputs", "plan"])
def test_a_first_run_is_held_to_what_needs_no_memory(gx: Any, side: str):
    results = found(gx, side, first=True)
    assert {row["status"] for row in results} == {"met", "not_evaluated"}
    assert {row["table_name"] for row in results if row["status"] == "met"} == {module.TABLE for module in boundary_tables(side)}


def test_few_hcps_are_not_compared(gx: Any):
    results = found(gx, "inputs", times(0.1, **H), gate_min_hcps=5000)
    assert not broken(results)


def test_another_population_is_noted_and_not_compared(gx: Any):
    spoil = both(put(0, **H, measure="kept_hcps"), put(100, **H, measure="rows", subject=""), times(0.1, **E, subject="channel"))
    assert {key for key in broken(found(gx, "inputs", spoil)) if key[2] == "error"} == set()


def test_a_channel_that_left_the_catalogue_is_a_decision(gx: Any):
    gone = both(without(**C, item="visit"), without(**E, item="visit"))
    assert broken(found(gx, "inputs", gone)) == {("engagement_action_catalog", "channels_kept", "warn")}
    # in the catalogue still: the same file without its history is not
    assert ("engagement_history", "rows_kept", "warn") in broken(found(gx, "inputs", without(**E, item="visit")))


def test_a_family_does_what_its_switch_says(gx: Any):
    spoil = times(0.45, **E, subject="channel")
    assert ("engagement_history", "rows_kept", "warn") in broken(found(gx, "inputs", spoil, gate_volume="warn"))
    results = found(gx, "inputs", spoil, gate_volume="off")
    assert ("rows_kept", "off") in {(row["expectation"], row["status"]) for row in results}
    assert not {key for key in broken(results) if key[1] == "rows_kept"}


def test_a_gate_that_evaluated_nothing_fails(gx: Any):
    results = run_suites(suites("inputs", RUN, table([]), table([])), LIMITS, gx)
    assert {row["table_name"] for row in results if row["status"] == "not_met"} == {module.TABLE for module in boundary_tables("inputs")}
    # not one expectation at all, or none with a fact: Great Expectations calls both a success
    for suite in suites("inputs", RUN, table(input_rows()), table([])):
        for silent in (replace(suite, expected=[]), replace(suite, facts=suite.facts.iloc[:0])):
            (row,) = [row for row in run_suites([silent], LIMITS, gx) if row["status"] == "not_met"]
            assert (row["table_name"], row["expectation"], row["severity"]) == (suite.table, "something_is_evaluated", "error")


def test_rows_for_the_warehouse_have_their_run_and_types():
    made = quality("plan", RUN, table(plan_rows()), table([]), [])
    assert made.column("run_id").unique().to_pylist() == ["now"]
    assert made.column("compared_with").null_count == made.num_rows
    assert str(made.schema.field("observed").type) == "double"


@pytest.mark.parametrize(
    ("name", "value"), [("volume_drop", 1.0), ("share_shift", 0.0), ("level_factor", 1.0), ("warn_at", 0.0), ("min_hcps", 0)]
)
def test_a_limit_that_means_nothing_is_named(name: str, value: float):
    with pytest.raises(ValueError, match=f"nba_gate_{name} is {value}: it must be"):
        Limits.of_run(RUN | {f"gate_{name}": value})
    with pytest.raises(ValueError, match="nba_gate_plan is maybe: give one of error, warn, off"):
        Limits.of_run(RUN | {"gate_plan": "maybe"})


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    quality("plan", RUN, table(plan_rows()), table(plan_rows()), [{"run_id": "before"}])
    assert list(tmp_path.rglob("*")) == []
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"
    assert capfd.readouterr() == ("", "")


def test_great_expectations_is_imported_only_when_a_gate_runs():
    """A command or a model that needs no gate must not pay for the import."""
    told = "import nba.gates.quality, nba.gates.running, nba.cli, expectations.rules, sys; print('great_expectations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True).stdout.strip() == "False"
