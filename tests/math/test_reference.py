"""The readable model against every plan of tiny problems, and by hand where a number says more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from every_plan import all_plans, continuous_bound, options_of, penalty_of, worth
from instances import TINY, random_instance
from plan_cases import SETTINGS, limit, make_problem, never_both, per_hcp_cap

from optimization.checker import check_plan, objective_of
from optimization.problem import NotTogether
from optimization.reference import NoPlan, build_reference, reference_solve


def answer(problem):
    found = reference_solve(problem)
    assert found.bound == pytest.approx(found.objective - found.penalty, abs=1e-7)
    return found.touches.tolist(), pytest.approx(found.objective), pytest.approx(found.penalty)


@pytest.mark.parametrize("seeds", [range(first, first + 50) for first in range(20_000, 20_200, 50)], ids=str)
def test_reference_against_every_plan(seeds):
    exist = 0
    for seed in seeds:
        problem = random_instance(seed, TINY)
        penalty = penalty_of(problem, options_of(problem))
        problem = replace(problem, settings=replace(problem.settings, floor_penalty=penalty))
        total = all_plans(problem).total
        if len(total) == 0:
            with pytest.raises(NoPlan):
                reference_solve(problem)
            continue
        found = reference_solve(problem)
        assert check_plan(problem, found.touches) == [], f"seed {seed}"
        assert found.objective - found.penalty == pytest.approx(total.max(), abs=1e-7), f"seed {seed}"
        assert found.bound == pytest.approx(total.max(), abs=1e-6), f"seed {seed}"
        assert continuous_bound(problem) >= total.max() - 1e-7, f"seed {seed}"
        exist += 1
    assert exist >= 30


@pytest.mark.parametrize("seed", range(40))
def test_value_of_several_touches_is_that_of_the_contract(seed):
    """The model's value of a fixed plan, the checker's and the definition's, touch by touch."""
    rng = np.random.default_rng(seed)
    most, overlap = rng.integers(1, 5, 3), float(rng.choice([0.0, 0.1, 0.5]))
    problem = make_problem(rng.normal(0.6, 1.0, (2, 3)), most=most, settings=replace(SETTINGS, overlap=overlap))
    wanted = rng.integers(0, most + 1, (2, 3)).ravel()
    fixed = [limit(k, side, wanted[k], [k]) for k in range(6) for side in ("min", "max")]
    held = make_problem(problem.value.reshape(2, 3), limits=fixed, most=most, settings=problem.settings)
    found = reference_solve(held)
    assert found.touches.tolist() == wanted.tolist()
    by_definition = sum(worth(wanted[h * 3 : h * 3 + 3], problem.value[h * 3 : h * 3 + 3], overlap) for h in (0, 1))
    assert found.bound == pytest.approx(by_definition, abs=1e-7)
    assert objective_of(problem, wanted)[0] == pytest.approx(by_definition, abs=1e-9)


def test_touches_of_one_channel_overlap_each_other():
    # One touch 4; two 8 - 2 = 6; three 12 - 3 x 2 = 6; four 16 - 6 x 2 = 4.
    assert answer(make_problem([[4.0]], most=1, settings=replace(SETTINGS, overlap=0.5))) == ([1], 4.0, 0.0)
    assert answer(make_problem([[4.0]], most=4, settings=replace(SETTINGS, overlap=0.5)))[1] == 6.0
    assert answer(make_problem([[4.0]], most=4, settings=replace(SETTINGS, overlap=0.1))) == ([4], 16 - 6 * 0.4, 0.0)


def test_losses_do_not_overlap():
    # Pinned at -3 beside 2: V = 2 - 3, the loss takes no share of the gain.
    assert answer(make_problem([[-3.0, 2.0]], pins=[0], settings=replace(SETTINGS, overlap=0.5))) == ([1, 1], -1.0, 0.0)


def test_rules_inside_an_hcp():
    assert answer(make_problem([[3.0, 2.9, 1.0]], exclusive=[never_both(1, 3, 0, 1)]))[0] == [1, 0, 1]
    assert answer(make_problem([[3.0, 2.0]], caps=[per_hcp_cap(1, 2, 3)], most=2, settings=replace(SETTINGS, overlap=0.0)))[0] == [2, 1]
    clash = NotTogether("min_gap", "gap", np.array([[0, 1]]), least=(2, 1))
    assert answer(make_problem([[3.0, 1.0]], exclusive=[clash], most=2, settings=replace(SETTINGS, overlap=0.0)))[0] == [2, 0]
    far = NotTogether("min_gap", "gap", np.array([[0, 1]]), least=(3, 1))  # three touches are never made
    assert answer(make_problem([[3.0, 2.0]], exclusive=[far], most=2, settings=replace(SETTINGS, overlap=0.0)))[0] == [2, 2]


def test_an_hcp_is_reached_once():
    floor = limit(0, "min", 2, range(4), None, "hcps", "hard", "coverage_floor", "hcps")
    budget = limit(1, "max", 2, range(4))
    assert answer(make_problem([[9.0, 8.0], [1.0, 0.5]], limits=[floor, budget], most=2))[0] == [1, 0, 1, 0]
    few = limit(0, "max", 1, range(4), None, "hcps", unit="hcps")
    assert answer(make_problem([[9.0, 8.0], [1.0, 0.5]], limits=[few], settings=replace(SETTINGS, overlap=0.0)))[0] == [1, 1, 0, 0]


def test_a_soft_floor_costs_its_penalty():
    floor = limit(0, "min", 2, [0, 1], None, "hcps", "soft", "coverage_floor", "hcps")
    cheap = make_problem([[-3.0], [4.0]], limits=[floor], settings=replace(SETTINGS, floor_penalty=2.0))
    assert answer(cheap) == ([0, 1], 4.0, 2.0)
    dear = make_problem([[-3.0], [4.0]], limits=[floor], settings=replace(SETTINGS, floor_penalty=3.5))
    assert answer(dear) == ([1, 1], 1.0, 0.0)


@pytest.mark.parametrize(
    "problem",
    [
        make_problem([[1.0]], limits=[limit(0, "min", 2, [0])]),
        make_problem([[1.0]], limits=[limit(0, "min", 1, [])]),
        make_problem([[1.0]], limits=[limit(0, "max", -1, [0])]),
        make_problem([[1.0]], limits=[limit(0, "max", -1, [])]),
        make_problem([[1.0, 1.0]], exclusive=[never_both(1, 2, 0, 1)], pins=[0, 1]),
        make_problem([[1.0, 1.0]], caps=[per_hcp_cap(1, 2, 0)], pins=[0]),
        make_problem([[1.0]], eligible=[False], pins=[0]),
        make_problem([[1.0]], eligible=[False], limits=[limit(0, "min", 1, [0], None, "hcps", rule="coverage_floor")]),
    ],
    ids=["too much", "of nothing", "less than nothing", "less than nothing of nothing", "clash", "cap", "shut pin", "shut floor"],
)
def test_no_plan(problem):
    with pytest.raises(NoPlan):
        reference_solve(problem)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (2, 2)])
def test_nothing_to_choose_from(shape):
    floor = limit(0, "min", 1, [], None, "hcps", "soft", "coverage_floor", "hcps")
    problem = make_problem(np.ones(shape), eligible=np.zeros(shape), limits=[floor], settings=replace(SETTINGS, floor_penalty=5.0))
    found = reference_solve(problem)
    assert (found.touches.tolist(), found.objective, found.penalty, found.bound) == ([0] * problem.pair_count, 0.0, 5.0, -5.0)


def test_the_model_reads_as_it_says():
    problem = make_problem(np.ones((2, 2)), most=[1, 2], limits=[limit(0, "max", 3, range(4))], pins=[1])
    model = build_reference(problem)
    assert sorted(model.TOUCHES) == [(0, 1), (1, 1), (1, 2), (2, 1), (3, 1), (3, 2)]
    assert [str(model.InOrder[index].expr) for index in model.InOrder] == ["Touch[1,2]  <=  Touch[1,1]", "Touch[3,2]  <=  Touch[3,1]"]
    assert len(model.BothMade) == 4 and len(model.Within) == 1 and list(model.Pinned) == [1]
