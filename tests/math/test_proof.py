"""The sum that proves a plan: it holds on problems of every kind, and any number in it that is made up is noticed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from every_plan import worth
from instances import SMALL, random_instance
from plan_cases import SETTINGS, make_problem, scope_limit

from optimization.checker import objective_of
from optimization.prices import LimitsConflict
from optimization.proof import assert_identity, spent_of, worth_of
from optimization.solve import solve


@dataclass(frozen=True)
class Claim:
    """What a solution claims, with the fields that the proof reads, so that each can be falsified."""

    touches: np.ndarray
    objective: float
    penalty: float
    upper_bound: float
    price_bound: float
    price: np.ndarray
    best: np.ndarray
    floor_penalty: float


def claim_of(solution):
    return Claim(*(getattr(solution, name) for name in Claim.__dataclass_fields__))


def case():
    """Six HCPs, a budget with a price, a soft floor that is missed, and one that is met."""
    limits = [scope_limit(0, "max", 7.5, range(6), [2.0, 1.0])]
    limits.append(scope_limit(1, "min", 3, [0, 1], [1, 1], "hcps", "soft", "coverage_floor", "hcps"))
    limits.append(scope_limit(2, "min", 1, [2, 3, 4], [1, 1], "hcps", "soft", "coverage_floor", "hcps"))
    value = [[3.0, 1.0], [2.5, 2.0], [1.0, 0.5], [4.0, 1.0], [0.2, 0.1], [5.0, 2.0]]
    problem = make_problem(value, limits=limits, most=[2, 1], settings=replace(SETTINGS, floor_penalty=6.0, gap=1e-9))
    return problem, claim_of(solve(problem))


def test_the_sum_holds_with_a_missed_floor():
    problem, claim = case()
    assert claim.penalty == pytest.approx(6.0)
    assert claim.price[0] > 0
    assert_identity(problem, claim)


@pytest.mark.parametrize("field", ["price_bound", "upper_bound", "objective", "penalty"])
@pytest.mark.parametrize("by", [0.01, -0.01])
def test_a_wrong_number_is_noticed(field, by):
    problem, claim = case()
    wrong = getattr(claim, field) + by
    if field == "upper_bound":  # it may lie anywhere from the plan's worth to the price bound
        wrong = claim.price_bound + by if by > 0 else claim.objective - claim.penalty + by
    with pytest.raises(AssertionError, match=field) as error:
        assert_identity(problem, replace(claim, **{field: wrong}))
    assert str(wrong) in str(error.value)


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_another_price_than_that_of_the_bound_is_noticed(limit):
    problem, claim = case()
    price = claim.price.copy()
    price[limit] += 0.05 if price[limit] < 3 else -0.05
    with pytest.raises(AssertionError, match="best at the prices|sum of its parts"):
        assert_identity(problem, replace(claim, price=price))


def test_a_price_out_of_its_range_is_noticed():
    problem, claim = case()
    for limit, price in ((0, -0.1), (1, 6.5), (0, np.nan)):
        wrong = claim.price.copy()
        wrong[limit] = price
        with pytest.raises(AssertionError, match=f"of limit {limit} is not between 0 and"):
            assert_identity(problem, replace(claim, price=wrong))


def test_a_best_value_below_what_was_chosen_is_noticed_even_where_the_bound_is_the_sum():
    """Lowering one HCP's best and the bound by the same keeps the sum: the part that turns negative gives it away."""
    problem, claim = case()
    best = claim.best.copy()
    best[5] -= 9.0
    with pytest.raises(AssertionError, match="h000005: the touches chosen are worth"):
        assert_identity(problem, replace(claim, best=best, price_bound=claim.price_bound - 9.0, upper_bound=claim.price_bound - 9.0))


def test_another_plan_than_the_one_valued_is_noticed():
    problem, claim = case()
    touches = claim.touches.copy()
    touches[np.flatnonzero(touches)[0]] = 0
    with pytest.raises(AssertionError, match="objective"):
        assert_identity(problem, replace(claim, touches=touches))


def test_the_sum_holds_on_random_problems():
    checked = 0
    for seed in range(50_000, 50_080):
        problem = random_instance(seed, SMALL)
        try:
            solution = solve(problem)
        except LimitsConflict:
            continue
        assert_identity(problem, solution)
        off = 1e-5 * max(1.0, abs(solution.price_bound), float(np.abs(problem.value).max()))
        with pytest.raises(AssertionError):
            assert_identity(problem, replace(claim_of(solution), price_bound=solution.price_bound + off))
        checked += 1
    assert checked >= 40


def test_worth_and_cost_are_those_of_the_definition():
    for seed in range(20):
        problem = random_instance(seed, SMALL)
        channels = len(problem.channels)
        draw = np.random.default_rng(seed)
        touches = draw.integers(0, np.tile(problem.most_touches, len(problem.hcp_ids)) + 1) * problem.eligible
        value = problem.value.reshape(-1, channels)
        wanted = [worth(row, value[h], problem.settings.overlap) for h, row in enumerate(touches.reshape(-1, channels))]
        assert worth_of(problem, touches) == pytest.approx(wanted)
        priced = replace(problem, settings=replace(problem.settings, floor_penalty=1.0))
        assert worth_of(problem, touches).sum() == pytest.approx(objective_of(priced, touches)[0])
        price = draw.random(len(problem.limits))
        from every_plan import limit_use

        sign = [1 if x.side == "max" else -1 for x in problem.limits]
        spent = [
            sum(y * s * limit_use(problem, x, h, row) for y, s, x in zip(price, sign, problem.limits, strict=True))
            for h, row in enumerate(touches.reshape(-1, channels))
        ]
        assert spent_of(problem, touches, price) == pytest.approx(spent)
