"""The allocation benchmark: its instances bind where they should, peers get what the checker judges, figures are read right."""

import json
from dataclasses import fields, replace
from itertools import product

import numpy as np
import pytest

from benchmarks.allocation.families import FAMILIES, best_sets, draw_case, part_of
from benchmarks.allocation.instances import instance
from benchmarks.allocation.linear import linear_model
from benchmarks.allocation.problems import problem_of
from optimization.checker import check_plan, objective_of
from optimization.problem import NotTogether


def solved(model, integer=True, gap=0.0):
    from benchmarks.allocation.peers.highs import highs

    solver = highs(model, integer=integer)
    solver.setOptionValue("mip_rel_gap", gap)
    solver.run()
    return solver


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_arguments_draw_the_same_arrays_and_another_seed_others(family):
    first, again, other = draw_case(family, 400, 3), draw_case(family, 400, 3), draw_case(family, 400, 4)
    for item in fields(first):
        assert np.array_equal(getattr(first, item.name), getattr(again, item.name), equal_nan=item.type == "np.ndarray" or None), item.name
    assert not np.array_equal(first.value, other.value)


def test_a_case_has_the_shape_that_was_asked_for():
    case = draw_case("rep_time", 3000, minutes_by_pair=True)
    assert case.value.shape == (3000, 6) and case.rep_count == 20
    assert 0.81 < case.available.mean() < 0.85
    assert set(np.unique(case.most_actions)) == {1, 2, 3}
    assert case.minutes.shape == (3000, 6) and case.minutes.dtype.kind == "i"
    assert np.all(np.diff(case.rep) >= 0)
    assert np.all(case.value > 0) and len(np.unique(case.value)) == case.value.size


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"family": "rep"}, "family 'rep' must be one of rep_time, budget"),
        ({"hcps": 0}, "hcps 0 must be at least 1"),
        ({"floor_counts": "visits"}, "floor_counts 'visits' must be hcps or touches"),
    ],
)
def test_a_wrong_argument_is_named(given, words):
    with pytest.raises(ValueError, match=words):
        draw_case(**({"family": "budget", "hcps": 10} | given))


def test_best_sets_are_the_best_of_all_sets():
    case = draw_case("budget", 60, 1)
    price = np.random.default_rng(0).uniform(0, 0.6, case.value.shape)
    found = best_sets(case, price)
    worth = case.value - price
    for hcp in range(60):
        best = 0.0
        for taken in product((False, True), repeat=6):
            chosen = np.array(taken)
            if np.any(chosen & ~case.available[hcp]) or chosen.sum() > case.most_actions[hcp] or chosen[list(case.incompatible)].all():
                continue
            best = max(best, worth[hcp][chosen].sum())
        assert worth[hcp][found[hcp]].sum() == pytest.approx(best)


def prices_by_unit(problem):
    """Row prices of the continuous optimum, by the unit of the limit."""
    model = linear_model(problem)
    solver = solved(model, integer=False)
    names = np.array([limit.unit if limit.rep_id else limit.limit_id for limit in problem.limits])
    price = np.array(solver.getSolution().row_dual)
    at = _limit_rows(problem, model)
    return {name: price[at[names == name]] for name in np.unique(names)}


def _limit_rows(problem, model):
    """Row numbers of the limits: those after the rules inside one HCP, reach rows (upper 0, no lower) left out."""
    rows = np.flatnonzero(~((model.upper == 0) & np.isinf(model.lower)))
    return rows[-len(problem.limits) :]


@pytest.mark.parametrize("variant", ["", "_pairs", "_touches"])
def test_every_rep_and_the_budget_bind_in_the_rep_time_family(variant):
    prices = prices_by_unit(instance("rep_time" + variant, 2000, 0, 1e-4))
    assert len(prices["minutes"]) == 13 and np.all(prices["minutes"] > 1e-6)
    assert (prices["touches" if variant == "_touches" else "hcps"] < -1e-6).sum() >= 3
    if variant != "_touches":  # floors on actions are met by the cheapest ones, which leaves money
        assert prices["budget"][0] > 1e-6
    assert sum(abs(prices[name][0]) > 1e-6 for name in prices if name.startswith(("touches-", "cost-"))) >= 2


def test_no_rep_but_the_budget_and_the_channels_bind_in_the_budget_family():
    prices = prices_by_unit(instance("budget", 2000, 0, 1e-4))
    assert np.all(prices["minutes"] == 0)
    assert prices["budget"][0] > 1e-6
    assert sum(abs(prices[name][0]) > 1e-6 for name in prices if name.startswith(("touches-", "cost-"))) >= 3


def small_problem(seed):
    """Two reps of a few HCPs, some channels with several touches, a combination of touches ruled out, a soft floor, a pin."""
    problem = problem_of(part_of(draw_case("rep_time", 600, seed), 1))
    width = len(problem.channels)
    hcps = 7
    keep = slice(0, hcps * width)
    arrays = {name: getattr(problem, name)[keep] for name in ("value", "eligible", "earliest", "latest", "blocked_by")}
    arrays |= {name: getattr(problem, name)[:hcps] for name in ("hcp_ids", "territory", "rep")}
    limits = [replace(limit, hcps=limit.hcps[:hcps], bound=limit.bound * hcps / len(problem.hcp_ids)) for limit in problem.limits[:2]]
    limits[0] = replace(limits[0], bound=150.0)
    limits[1] = replace(limits[1], hardness="soft", bound=6.0)
    cap = problem.caps[0]
    inside = cap.pairs < hcps * width
    caps = [replace(cap, pairs=cap.pairs[inside], group=cap.group[inside], upper=cap.upper[:hcps] + 1)]
    base = np.arange(hcps)[:, None] * width
    exclusive = [NotTogether("min_gap", "visits with calls", base + np.array([0, 2]), least=(2, 1))]
    touches = np.array([2, 1, 2, 1, 3, 1])
    settings = replace(problem.settings, floor_penalty=0.9)
    pins = np.flatnonzero(arrays["eligible"])[:1]
    return replace(
        problem,
        **arrays,
        limits=limits,
        caps=caps,
        exclusive=exclusive,
        most_touches=touches,
        settings=settings,
        pins=pins,
        pin_labels=["pin"],
    )


@pytest.mark.parametrize("seed", range(3))
def test_the_linear_model_allows_what_the_checker_allows_and_is_worth_the_same(seed):
    problem = small_problem(seed)
    model = linear_model(problem)
    rng = np.random.default_rng(seed)
    outcomes, ruled_out = set(), 0
    together = problem.exclusive[0].members
    together = together[problem.eligible[together].all(axis=1) & (problem.caps[0].upper >= 3)]
    assert len(together)
    for draw in range(60):
        touches = np.zeros(problem.pair_count, dtype=np.int64)
        some = rng.random(len(model.pairs)) < rng.choice([0.08, 0.2])
        touches[model.pairs[some]] = rng.integers(1, 3, int(some.sum()))
        touches[problem.pins] = np.maximum(touches[problem.pins], rng.random() < 0.9)
        if draw % 3 == 0:
            touches[:] = 0  # one HCP with visits and calls, as the rule forbids, or one short of it
            touches[problem.pins] = 1
            touches[rng.choice(together)] = [2 - draw % 2, 1]
        touches = np.minimum(touches, np.tile(problem.most_touches, len(problem.hcp_ids)))
        fixed = touches[model.pairs].astype(float)
        rest = len(model.gain) - len(fixed)
        low, top = (np.r_[fixed, side[len(fixed) :]] for side in (model.low, model.top))
        broken = check_plan(problem, touches)
        allowed = not broken
        ruled_out += {item.rule for item in broken} == {"min_gap"}
        pinned = bool(np.all(touches[problem.pins] > 0))
        solver = solved(replace(model, low=low, top=top))
        found = solver.modelStatusToString(solver.getModelStatus()) == "Optimal" and pinned
        assert rest > 0 and found == allowed
        outcomes.add(allowed)
        if allowed:
            objective, penalty, _ = objective_of(problem, touches)
            assert solver.getInfo().objective_function_value == pytest.approx(objective - penalty, abs=1e-7)
    assert outcomes == {True, False} and ruled_out > 0


def test_an_optimum_of_the_linear_model_is_an_allowed_plan_of_that_worth():
    problem = small_problem(1)
    model = linear_model(problem)
    solver = solved(model)
    touches = model.touches(np.array(solver.getSolution().col_value))
    assert check_plan(problem, touches) == []
    objective, penalty, _ = objective_of(problem, touches)
    assert objective - penalty == pytest.approx(solver.getInfo().objective_function_value)


def test_any_row_prices_give_a_bound_and_the_best_ones_the_continuous_optimum():
    model = linear_model(problem_of(draw_case("budget", 300)))
    solver = solved(model, integer=False)
    optimum, duals = solver.getInfo().objective_function_value, np.array(solver.getSolution().row_dual)
    assert model.bound_of(duals) == pytest.approx(optimum, rel=1e-9)
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert model.bound_of(duals + rng.normal(0, 0.05, len(duals))) >= optimum - 1e-9


def test_overlap_is_refused_because_it_is_not_linear():
    problem = problem_of(draw_case("budget", 50))
    with pytest.raises(ValueError, match=r"overlap 0.1 must be 0"):
        linear_model(replace(problem, settings=replace(problem.settings, overlap=0.1)))


@pytest.mark.parametrize("name", ["rep_time", "budget_touches", "rep_time_pairs"])
def test_greedy_and_rounded_plans_break_no_upper_limit(name):
    from benchmarks.allocation.peers.highs import highs
    from benchmarks.allocation.peers.room import Filling
    from benchmarks.allocation.peers.rounding import rounded

    problem = instance(name, 450, 2, 1e-4)
    model = linear_model(problem)
    solver = highs(model, integer=False)
    solver.run()
    values, rest = np.array(solver.getSolution().col_value), np.array(solver.getSolution().col_dual)
    touches = rounded(model, values, rest, 1 - 1e-6)
    assert {item.rule for item in check_plan(problem, touches)} <= {"coverage_floor"}
    assert objective_of(problem, touches)[0] > 0.98 * solver.getInfo().objective_function_value
    filling = Filling(model)
    filling.add(np.argsort(-model.gain[: len(model.pairs)], kind="stable"))
    greedy = np.zeros(problem.pair_count, dtype=np.int64)
    greedy[model.pairs] = filling.touches
    assert {item.rule for item in check_plan(problem, greedy)} <= {"coverage_floor", "channel_capacity"}


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
