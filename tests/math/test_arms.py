"""Arms in the planner: explore actions are deducted before the rest is solved, controls get nothing, shadows are best at the prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from every_plan import all_plans, options_of
from instances import SMALL, TINY, random_instance
from plan_cases import SETTINGS, limit, make_problem

from nba.arms.explore import draw_explore
from optimization.arms import CONTROL, EXPLORE, PLAN, best_touches, with_arms, without_arms
from optimization.checker import check_plan
from optimization.problem import PlanInputError
from optimization.reasons import KINDS
from optimization.result import plan_problem
from optimization.scenario import Scenario, ScenarioError, apply

BUDGET = limit(0, "max", 3, range(8), [2.0, 1.0] * 4, unit="cost")
VALUES = [[4.0, 1.0], [3.0, 2.0], [5.0, 1.0], [2.0, 1.5]]


def armed(seed, shape):
    """(problem of the seed without pins, the same with random arms and an explore draw)"""
    problem = random_instance(seed, shape)
    problem = replace(problem, pins=np.empty(0, dtype=np.int64), pin_labels=[])
    rng = np.random.default_rng(seed)
    arm = rng.choice([PLAN, CONTROL, EXPLORE], size=len(problem.hcp_ids), p=[0.5, 0.2, 0.3])
    draw = draw_explore(problem, arm, 0.5, replays=20)
    return problem, with_arms(problem, arm, draw.pairs(len(problem.channels)))


@pytest.mark.parametrize("seed", range(40))
def test_the_plan_arm_is_solved_on_what_explore_leaves(seed):
    problem, changed = armed(seed, TINY)
    if changed is problem:
        return
    found = plan_problem(changed)
    plans = all_plans(replace(problem, limits=changed.limits, settings=replace(problem.settings, floor_penalty=1.0)))
    fixed = np.ones(len(plans.total), dtype=bool)
    drawn = np.zeros(problem.pair_count, dtype=np.int64)
    drawn[changed.drawn] = 1
    width = len(problem.channels)
    for hcp in np.flatnonzero(changed.arm != PLAN).tolist():
        held = (plans.options[hcp].touches == drawn[hcp * width : hcp * width + width]).all(axis=1)
        fixed &= held[plans.choice[:, hcp]]
    if not fixed.any():
        assert found.status == "conflict"
        return
    again = plan_problem(replace(changed, settings=replace(changed.settings, floor_penalty=1.0)))
    assert again.objective - again.penalty == pytest.approx(plans.total[fixed].max(), abs=1e-7)
    assert again.upper_bound >= again.objective - again.penalty - 1e-9


@pytest.mark.parametrize("seed", range(25))
def test_a_shadow_is_the_channel_of_a_best_set_at_the_final_prices(seed):
    from optimization.prices import LimitsConflict
    from optimization.solve import solve

    problem, changed = armed(100 + seed, SMALL)
    controls = [] if changed.arm is None else np.flatnonzero(changed.arm == CONTROL).tolist()
    if not controls:
        return
    try:
        solution = solve(changed)
    except LimitsConflict:
        return
    shadow = plan_problem(replace(changed, settings=replace(changed.settings, stability_share=0.0))).shadow
    sign = np.array([1.0 if x.side == "max" else -1.0 for x in changed.limits])
    options = options_of(replace(problem, limits=changed.limits))
    for hcp, touches in zip(controls, best_touches(without_arms(changed), solution, np.array(controls)), strict=True):
        each = options[hcp]
        priced = each.value - each.use @ (sign * solution.price)
        mine = int(np.flatnonzero((each.touches == touches).all(axis=1))[0])
        assert priced[mine] == pytest.approx(priced.max(), abs=1e-7)
        assert shadow[hcp] == -1 if not touches.any() else touches[shadow[hcp]] > 0
    assert all(shadow[hcp] == -1 for hcp in range(len(problem.hcp_ids)) if hcp not in controls)


def test_by_hand_explore_is_deducted_and_controls_are_held_out():
    """A budget of 3: the dear action of h0 was drawn (2), so one cheap action is left for h2; h1 is a control."""
    problem = make_problem(VALUES, limits=[BUDGET], cost=[2.0, 1.0], settings=replace(SETTINGS, overlap=0.0))
    changed = with_arms(problem, np.array([EXPLORE, CONTROL, PLAN, EXPLORE]), [0])
    found = plan_problem(changed)
    chosen = {(row.hcp_id, row.channel) for row in found.actions.itertuples()}
    assert chosen == {("h000000", "c0"), ("h000002", "c1")}
    assert (found.objective, found.limits["used"].tolist()) == (5.0, [3.0])
    kinds = found.pairs["reason_kind"].to_pylist()
    assert kinds[2:4] == [KINDS[0]] * 2
    assert kinds[1] == kinds[6] == kinds[7] == KINDS[0]
    assert found.pairs["value_short"].to_pylist()[2:4] == [None, None]
    assert found.shadow.tolist() == [-1] * 4  # 2.5 per unit of budget is more than any action of h1 brings
    assert found.pairs["is_eligible"].to_pylist() == [True] * 8
    rich = with_arms(replace(problem, limits=[replace(problem.limits[0], bound=5.0)]), changed.arm, [0])
    assert plan_problem(rich).shadow.tolist() == [-1, 0, -1, -1]


def test_without_arms_the_problem_is_the_same_object():
    problem = make_problem(VALUES, limits=[BUDGET])
    assert with_arms(problem, np.zeros(4)) is problem


def test_soft_floors_are_cut_to_what_the_arms_leave():
    floor = limit(1, "min", 4, range(8), None, counts="hcps", hardness="soft", rule="coverage_floor", unit="hcps")
    changed = with_arms(make_problem(VALUES, limits=[floor]), np.array([EXPLORE, CONTROL, PLAN, EXPLORE]), [0])
    assert (changed.limits[0].bound, changed.limits[0].reachable) == (2.0, 2.0)


def test_the_checker_sees_a_touched_control_and_a_missing_draw():
    changed = with_arms(make_problem(VALUES), np.array([EXPLORE, CONTROL, PLAN, EXPLORE]), [0])
    assert check_plan(changed, np.array([1, 0, 0, 0, 1, 1, 0, 0])) == []
    said = [(x.rule, x.label) for x in check_plan(changed, np.array([0, 0, 1, 0, 0, 0, 0, 1]))]
    assert said == [("holdout", "explore draw of h000000 by c0"), ("holdout", "the arm of the HCP")]


@pytest.mark.parametrize(
    ("arm", "drawn", "pins", "message"),
    [
        ([0, 1, 0, 0], [2], [], "drawn: h000001 by c0 cannot be: its HCP is not in the arm explore"),
        ([2, 0, 0, 0], [0, 1], [], "drawn: an explore HCP gets one action at most"),
        ([1, 0, 0, 0], [], [0], "rule_override: the pin of h000000 by c0 is of an HCP outside the arm plan; leave it out of the draw"),
        ([1, 0, 0], [], [], "arm: one place in plan, control, explore for each of 4 HCPs is needed"),
    ],
)
def test_arms_that_cannot_be(arm, drawn, pins, message):
    with pytest.raises(PlanInputError) as caught:
        with_arms(make_problem(VALUES, pins=pins), np.array(arm), drawn)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("scenario", "message"),
    [
        (Scenario(forced=[("h000001", "c0")]), "h000001 by c0 cannot be forced: the HCP is in the arm control, which gets nothing"),
        (
            Scenario(forced=[("h000003", "c0")]),
            "h000003 by c0 cannot be forced: the HCP is in the arm explore, which gets what was drawn for it",
        ),
        (Scenario(forbidden=[("h000000", "c0")]), "h000000 by c0 cannot be forbidden: it was drawn for exploration"),
    ],
)
def test_what_if_leaves_arms_alone(scenario, message):
    changed = with_arms(make_problem(VALUES, limits=[BUDGET]), np.array([EXPLORE, CONTROL, PLAN, EXPLORE]), [0])
    with pytest.raises(ScenarioError) as caught:
        apply(changed, scenario)
    assert str(caught.value) == message
