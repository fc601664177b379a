"""Staying with an earlier plan: against every plan of tiny problems, and what holds of larger ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from every_plan import all_plans
from plan_cases import limit, make_problem, random_problem, rep_bound_problem

from optimization.checker import check_plan, objective_of
from optimization.prices import LimitsConflict
from optimization.result import plan_problem
from optimization.solve import solve
from optimization.stability import earlier_touches, stay


def with_share(problem, share):
    return replace(problem, settings=replace(problem.settings, stability_share=share))


def kept_by(touches, earlier):
    return int(np.count_nonzero((touches > 0) & (earlier > 0)))


def kept_by_every_plan(problem, plans, earlier):
    asked = (earlier > 0).reshape(-1, len(problem.channels))
    kept = np.zeros(len(plans.total), dtype=np.int64)
    for hcp, options in enumerate(plans.options):
        kept += np.count_nonzero((options.touches > 0) & asked[hcp], axis=1)[plans.choice[:, hcp]]
    return kept


def touches_of(plans, number):
    return np.concatenate([each.touches[option] for each, option in zip(plans.options, plans.choice[number], strict=True)]).astype(np.int16)


def test_as_many_earlier_actions_as_the_share_allows_and_the_best_of_those_plans():
    stood, moved = 0, 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        problem = with_share(random_problem(seed, max_hcps=5), float(rng.choice([0.005, 0.05, 0.3])))
        try:
            solution = solve(problem)
        except LimitsConflict:
            continue
        plans, total = all_plans(problem), solution.objective - solution.penalty
        enough = plans.total >= total - problem.settings.stability_share * abs(total) - 1e-9
        earlier = touches_of(plans, rng.choice(np.flatnonzero(enough)))
        stands = bool(seed % 3 == 0 and earlier.any())
        if not stands:
            earlier = (rng.random(problem.pair_count) < 0.5).astype(np.int16)
        kept = stay(problem, solution, earlier)
        count = kept_by_every_plan(problem, plans, earlier)
        most = count[enough].max()
        now = kept.solution.objective - kept.solution.penalty
        assert kept_by(kept.solution.touches, earlier) == kept.kept == most
        assert kept.cost == pytest.approx(total - now, abs=1e-9)
        assert not stands or np.array_equal(kept.solution.touches, earlier)
        if np.array_equal(kept.solution.touches, earlier):
            stood += 1  # an earlier plan that may stand is the answer, whatever else keeps as much
        else:
            assert now == pytest.approx(plans.total[enough & (count == most)].max(), abs=1e-6)
        moved += not np.array_equal(kept.solution.touches, solution.touches)
        assert check_plan(problem, kept.solution.touches) == []
        assert kept.solution.upper_bound == pytest.approx(solution.upper_bound)
        assert kept.solution.status == solution.status
    assert stood >= 30
    assert moved >= 20


def test_share_zero_and_no_earlier_plan_change_nothing():
    problem = random_problem(3)
    solution, earlier = solve(problem), np.ones(problem.pair_count, dtype=np.int16)
    assert stay(with_share(problem, 0.0), solution, earlier).solution is solution
    assert stay(with_share(problem, 0.3), solution, None).solution is solution
    assert stay(with_share(problem, 0.3), solution, np.zeros_like(earlier)).cost == 0.0


def earlier_values(problem, noise, seed=0):
    rng = np.random.default_rng(seed)
    return replace(problem, value=problem.value * np.exp(noise * rng.standard_normal(problem.pair_count)))


@pytest.fixture(scope="module")
def large():
    """A problem of more sets than are solved exactly, its solution, and the plan of the same problem at other values."""
    problem = rep_bound_problem(400)
    return problem, solve(problem), solve(earlier_values(problem, 0.3)).touches


def test_a_large_plan_stays_close_and_within_the_share(large):
    problem, solution, earlier = large
    total = solution.objective - solution.penalty
    counts = []
    for share in (0.001, 0.01, 0.05):
        kept = stay(with_share(problem, share), solution, earlier)
        touches = kept.solution.touches
        objective, penalty, _ = objective_of(
            replace(problem, settings=replace(problem.settings, floor_penalty=solution.floor_penalty)), touches
        )
        assert check_plan(problem, touches) == []
        assert objective - penalty >= total - share * abs(total) - 1e-9 * abs(total)
        assert kept.cost == pytest.approx(total - (objective - penalty), abs=1e-9 * abs(total))
        assert kept.solution.objective == pytest.approx(objective)
        assert kept.solution.gap == pytest.approx((solution.upper_bound - (objective - penalty)) / (objective - penalty))
        counts.append(kept_by(touches, earlier))
    assert kept_by(solution.touches, earlier) < counts[0] < counts[1] <= counts[2]


def test_a_large_plan_keeps_nearly_all_that_any_plan_can(large):
    """By duality: whatever w is, no plan worth enough keeps more than (bound of value + w x kept, less what it must be worth) / w."""
    from optimization.prices import solve_prices

    problem, solution, earlier = large
    problem, total = with_share(problem, 0.01), solution.objective - solution.penalty
    kept = stay(problem, solution, earlier)
    stays = (earlier > 0).reshape(-1, len(problem.channels))
    least, ceiling = total * 0.99, np.where(solution.shared.soft, solution.floor_penalty, np.inf)
    most = min(
        (solve_prices(replace(solution.sets, bonus=w * stays), solution.shared, ceiling).bound - least) / w
        for w in np.geomspace(0.01, 1.0, 9)
    )
    assert most * 0.99 <= kept.kept <= most + 1e-6


def test_the_same_inputs_again_give_the_same_plan_touch_by_touch(large):
    problem, solution, earlier = large
    problem = with_share(problem, 0.01)
    first = stay(problem, solution, earlier)
    again = stay(problem, solution, first.solution.touches)
    assert np.array_equal(again.solution.touches, first.solution.touches)
    assert again.cost == first.cost > 0
    assert again.kept == again.earlier == np.count_nonzero(first.solution.touches)
    assert np.array_equal(stay(problem, solution, earlier).solution.touches, first.solution.touches)


def test_an_earlier_plan_that_is_no_longer_allowed_gives_way():
    earlier = np.array([1, 1, 1], dtype=np.int16)
    problem = make_problem([[1.0], [1.0], [1.0]], limits=[limit(0, "max", 2, range(3))])
    kept = stay(with_share(problem, 0.5), solve(problem), earlier)
    assert kept.kept == 2
    assert kept.cost == 0.0


def test_the_result_says_what_was_given_up_and_how_good_the_solve_was():
    problem = with_share(make_problem([[1.0, 0.99]], limits=[limit(0, "max", 1, range(2))]), 0.02)
    earlier = np.array([0, 1], dtype=np.int16)
    moved, alone = plan_problem(problem, earlier=earlier), plan_problem(problem)
    assert alone.actions["channel"].tolist() == ["c0"]
    assert moved.actions["channel"].tolist() == ["c1"]
    assert (alone.stability_cost, alone.solve_gap) == (0.0, alone.gap)
    assert moved.stability_cost == pytest.approx(0.01)
    assert moved.solve_gap == alone.solve_gap == 0.0
    assert moved.gap == pytest.approx(0.01 / 0.99)
    assert moved.upper_bound == alone.upper_bound == 1.0
    assert moved.status == "optimal"


def test_earlier_plans_name_hcps_and_channels_and_those_gone_are_left_out():
    problem = make_problem([[1.0, 2.0], [1.0, 2.0]])
    table = pd.DataFrame(
        {"hcp_id": ["h000001", "h000000", "gone", "h000000"], "channel": ["c0", "c1", "c0", "fax"], "touches": [1, 3, 1, 1]}
    )
    assert earlier_touches(problem, table).tolist() == [0, 3, 1, 0]
    assert earlier_touches(problem, table.iloc[:0]).tolist() == [0, 0, 0, 0]
    assert earlier_touches(problem, None) is None
