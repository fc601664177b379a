"""The allocation benchmark: its instances bind where they should, peers get what the checker judges."""

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


@pytest.mark.parametrize("seed", range(3))
def test_filling_up_uses_several_touches_but_no_combination_that_is_ruled_out(seed):
    from benchmarks.allocation.peers.room import Filling

    problem = small_problem(seed)
    problem = replace(problem, limits=[replace(problem.limits[0], bound=600.0), problem.limits[1]])
    model = linear_model(problem)
    filling = Filling(model)
    hcps, channels = np.divmod(model.pairs, len(problem.channels))
    filling.add(np.flatnonzero(channels == 0))
    filling.add(np.flatnonzero((channels == 0) & (hcps % 2 == 0)))
    filling.add(np.flatnonzero(channels == 2))
    for _ in range(2):
        filling.add(np.arange(len(model.pairs)))
    touches = np.zeros(problem.pair_count, dtype=np.int64)
    touches[model.pairs] = filling.touches
    members = problem.exclusive[0].members
    assert check_plan(problem, touches) == [] and touches.max() > 1
    assert (touches[members] >= 1).all(axis=1).any()
    spoiled = model.touches(np.zeros(len(model.gain)))
    spoiled[members[0]] = [2, 1]
    assert "min_gap" in {item.rule for item in check_plan(problem, spoiled)}
