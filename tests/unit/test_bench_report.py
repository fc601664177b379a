"""The allocation benchmark: logs, gaps over time, statuses and best bounds are read right, and a row runs from command to table."""

import json

import pytest


def test_logs_of_solvers_are_read_with_the_sign_of_a_maximisation():
    from benchmarks.allocation.trace import cbc_line, highs_line, ours_line

    row = " L       0       0         0   0.00%   2233.699785     2233.343816        0.02%     3584    152   2496      5715    18.4s"
    assert highs_line()(row) == (2233.343816, 2233.699785)
    start = "         0       0         0   0.00%   3199.077954     -inf                 inf        0      0      0         0     1.0s"
    assert highs_line()(start) == (None, 3199.077954)
    turned = "         0       0         0   0.00%   -720.6          -719.8             0.1%        0      0      0         0     1.0s"
    assert highs_line(-1.0)(turned) == (719.8, 720.6)
    assert highs_line()("  Primal bound      2233.40641671") is None
    assert cbc_line("Cbc0012I Integer solution of -719.84703 found by feasibility pump after 0 nodes (4.97 seconds)") == (719.84703, None)
    nodes = "Cbc0010I After 100 nodes, 55 on tree, -719.84703 best solution, best possible -720.61774 (7.57 seconds)"
    assert cbc_line(nodes) == (719.84703, 720.61774)
    none_yet = "Cbc0010I After 0 nodes, 1 on tree, 1e+50 best solution, best possible -720.61774 (7.57 seconds)"
    assert cbc_line(none_yet) == (None, 720.61774)
    partial = "Cbc0005I Partial search - best objective -719.84703 (best possible -720.61774), took 1589 iterations (7.68 seconds)"
    assert cbc_line(partial) == (719.84703, 720.61774)
    assert ours_line("plan: 956 columns, 2233.54255 of at most 2233.89098, gap 1.56e-04") == (2233.54255, 2233.89098)
    assert ours_line("prices: 2196 of 30282 columns, bound 2234.17474, 162 to enter") == (None, 2234.17474)


def test_seconds_to_gaps_combine_the_best_plan_and_the_best_bound_so_far():
    from benchmarks.allocation.run import history_of
    from benchmarks.allocation.trace import seconds_to_gaps

    told = [(1.0, None, 101.0), (2.0, 99.5, None), (4.0, 99.0, 100.0), (3.0, None, 99.59), (5.0, 99.585, None)]
    events = [{"seconds": seconds, "what": "x", "plan": plan, "bound": bound} for seconds, plan, bound in told]
    assert seconds_to_gaps(events) == {"0.01": 3.0, "0.001": 3.0, "0.0001": 5.0}
    assert history_of(events) == [[1.0, None, 101.0], [2.0, 99.5, 101.0], [3.0, 99.5, 99.59], [5.0, 99.585, 99.59]]
    assert seconds_to_gaps(events[:1]) == {"0.01": None, "0.001": None, "0.0001": None}


def test_a_status_says_proven_only_of_an_allowed_plan_within_the_gap():
    from benchmarks.allocation.run import status_of

    row = {"total": 10.0, "violations": 0, "gap": 1e-4, "gap_wanted": 1e-4}
    assert status_of(row) == "proven"
    assert status_of(row | {"gap": 1.2e-4}) == "unproven"
    assert status_of(row | {"gap": None}) == "no bound"
    assert status_of(row | {"violations": 2}) == "broken"
    assert status_of(row | {"total": None}) == "no plan"


def test_rows_are_chosen_by_name_and_a_file_remembers_those_done(tmp_path):
    from benchmarks.allocation.run import done_rows, rows_wanted

    rows = rows_wanted("budget,rep_time_touches,sample", "2000,50", "ours,ours_allocate", 5.0, 1e-4, 0)
    named = [(row.family, row.hcps, row.peer) for row in rows]
    assert named[:2] == [("sample", 0, "ours"), ("budget", 2000, "ours")]
    assert ("budget", 2000, "ours_allocate") not in named and ("rep_time_touches", 50, "ours_allocate") in named
    with pytest.raises(ValueError, match="peer 'cplex' must be one of ours, "):
        rows_wanted("budget", "50", "cplex", 5.0, 1e-4, 0)
    file = tmp_path / "rows.jsonl"
    keep = dict(zip(("family", "hcps", "seed", "peer", "limit", "gap_wanted"), rows[1].key, strict=True))
    lines = [keep | {"status": "proven"}, keep | {"peer": "ours_cold", "status": "error"}]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert done_rows(file) == {rows[1].key}


def test_a_bound_below_an_allowed_plan_is_called_wrong_and_not_believed():
    from benchmarks.allocation.report import with_best_bounds

    def row(peer, total, bound, violations=0):
        return {"family": "budget", "hcps": 9, "seed": 0, "peer": peer, "total": total, "bound": bound, "violations": violations}

    rows = [row("ours", 100.0, 101.0), row("cp_sat", 98.0, 99.0), row("greedy", 104.0, None, 3), row("pulp_cbc", 99.0, 100.5)]
    ours, wrong, broken, cbc = with_best_bounds(rows)
    assert wrong["bound_is_wrong"] and not ours["bound_is_wrong"] and not cbc["bound_is_wrong"]
    assert ours["gap_known"] == pytest.approx(0.01) and cbc["gap_known"] == pytest.approx(2 / 99)
    assert broken["gap_known"] is None


def test_one_row_runs_from_the_command_to_the_table(tmp_path):
    from benchmarks.allocation.report import markdown, read_rows, with_best_bounds, write_csv
    from benchmarks.allocation.run import main

    file = tmp_path / "rows.jsonl"
    given = ["--families", "budget", "--sizes", "150", "--peers", "highs_arrays", "--limit", "20", "--results", str(file)]
    main(given)
    main(given)
    rows = with_best_bounds(read_rows(file))
    assert len(file.read_text().splitlines()) == 1 and rows[0]["status"] == "proven"
    assert rows[0]["violations"] == 0 and rows[0]["gap"] <= 1e-4 and rows[0]["seconds_to_gap"]["0.0001"] <= rows[0]["seconds"] + 1
    assert rows[0]["build_seconds"] + rows[0]["solve_seconds"] + rows[0]["read_seconds"] == pytest.approx(rows[0]["seconds"])
    assert "| highs_arrays: HiGHS MILP from arrays | **proven** |" in markdown(rows)
    write_csv(rows, tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_text().startswith("family,hcps,peer,status,")
