"""The explore draw: published probabilities are those of the draw, expected use keeps its share of every limit, no draw breaks one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from nba.arms.explore import draw_explore, single_actions
from optimization.arms import CONTROL, EXPLORE, PLAN
from optimization.checker import uses_of
from optimization.problem import HcpCap, Limit, NotTogether, PlanSettings, Problem

SETTINGS = PlanSettings(cycle_start=date(2026, 1, 5), cycle_end=date(2026, 2, 2), seed=7)
COST = np.array([30.0, 3.0, 1.0])


def limit(bound, hcps, use, side="max", unit="cost"):
    return Limit(
        limit_id=f"{unit}{len(hcps)}{bound}", rule="budget", side=side, unit=unit, label=unit, bound=bound,
        hcps=np.asarray(hcps, dtype=np.int32), use=np.asarray(use, dtype=np.float64),
    )  # fmt: skip


def problem(limits=(), hcps=40, pins=(), caps=(), exclusive=(), seed=7, shut=()):
    """Three channels (visit, call, email) that cost 30, 3 and 1; `shut` are pairs that are not eligible."""
    size = hcps * 3
    eligible = np.ones(size, dtype=bool)
    eligible[list(shut)] = False
    return Problem(
        settings=replace(SETTINGS, seed=seed), hcp_ids=np.array([f"h{i:04d}" for i in range(hcps)], dtype=object),
        channels=["visit", "call", "email"], territory=np.zeros(hcps, dtype=np.int32), territory_names=["T"],
        rep=np.zeros(hcps, dtype=np.int32), rep_names=["r"], cost=COST, minutes=np.zeros(3), most_touches=np.array([2, 1, 1]),
        value=np.ones(size), eligible=eligible, earliest=np.zeros(size, dtype=np.int16), latest=np.zeros(size, dtype=np.int16),
        blocked_by=np.where(eligible, -1, 0).astype(np.int8), blockers=["exclusion"], blocks=[], limits=list(limits), caps=list(caps),
        exclusive=list(exclusive), pins=np.asarray(pins, dtype=np.int64), pin_labels=[f"pin {p}" for p in pins],
    )  # fmt: skip


EVERYBODY = np.full(40, EXPLORE)


def used(case, draw):
    touches = np.zeros(case.pair_count, dtype=np.int64)
    touches[draw.pairs(3)] = 1
    return uses_of(case, touches)


def test_without_limits_every_eligible_channel_and_none_are_alike():
    case = problem(shut=[0, 1, 4])
    draw = draw_explore(case, np.array([EXPLORE, EXPLORE, CONTROL, PLAN] * 10), 0.1)
    assert draw.hcps.tolist()[:4] == [0, 1, 4, 5]
    assert draw.propensity[0].tolist() == [0, 0, 0.5, 0.5]
    assert draw.propensity[1].tolist() == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3])
    assert draw.propensity[2].tolist() == [0.25] * 4
    assert not draw.is_replayed.any()
    assert np.allclose(draw.propensity.sum(axis=1), 1)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 1.0])
def test_expected_use_stays_under_the_share_of_every_limit(share):
    limits = [
        limit(200.0, range(40), COST),
        limit(4.0, range(20), [0, 1, 0], unit="touches"),
        limit(90.0, range(5, 30), [30, 15, 0], unit="minutes"),
    ]
    case = problem(limits)
    draw = draw_explore(case, EVERYBODY, share, replays=50)
    for one in limits:
        expected = float((draw.propensity[one.hcps, :3] * one.use).sum())
        assert expected <= share * one.bound * (1 + 1e-9)
    assert np.all(used(case, draw) <= [one.bound for one in limits])
    assert np.all(draw.propensity >= 0)
    if share == 0:
        assert np.all(draw.drawn[:20] != 1)  # nothing that a limit counts, everything else
        assert np.all(draw.propensity[30:, 0] == 0)


def test_an_action_of_several_limits_takes_the_smallest_factor_and_none_the_rest():
    limits = [limit(300.0, range(40), [30, 0, 0]), limit(8.0, range(40), [1, 1, 0], unit="touches")]
    draw = draw_explore(problem(limits), EVERYBODY, 0.5, replays=0)
    # expected: 300 of cost, 20 touches; wanted: 150 and 4
    assert draw.propensity[0].tolist() == pytest.approx([0.05, 0.05, 0.25, 0.65])


@pytest.mark.parametrize("bound", [40.0, 95.0])
def test_no_draw_breaks_a_limit_and_replayed_propensities_are_what_happens(bound):
    """Two narrow limits, drawn whole with 4,000 seeds: as often as published, within chance of both estimates."""
    limits = [limit(bound, range(12), COST), limit(1.0, range(6), [0, 1, 0], unit="touches")]
    arm = np.array([EXPLORE] * 12)
    first = draw_explore(problem(limits, hcps=12), arm, 1.0, replays=3000)
    assert first.is_replayed.all()
    seeds = 1500
    hits = np.zeros((12, 4))
    for seed in range(seeds):
        case = problem(limits, hcps=12, seed=seed)
        draw = draw_explore(case, arm, 1.0, replays=0)
        assert np.all(used(case, draw) <= [bound, 1.0])
        hits[np.arange(12), np.where(draw.drawn < 0, 3, draw.drawn)] += 1
    spread = np.sqrt(np.maximum(first.propensity * (1 - first.propensity), 1e-6) * (1 / seeds + 1 / 3000))
    assert np.all(np.abs(hits / seeds - first.propensity) < 4.5 * spread)


def test_pinned_actions_are_deducted_first():
    one = limit(60.0, range(40), [30, 0, 0])
    case = problem([one], pins=[0, 3])
    draw = draw_explore(case, np.array([PLAN, PLAN] + [EXPLORE] * 38), 1.0, replays=10)
    assert np.all(draw.propensity[:, 0] == 0)
    assert np.all(draw.drawn != 0)


def test_the_draw_does_not_hang_on_who_else_explores_where_no_limit_binds():
    case = problem([limit(1e6, range(40), COST)])
    everybody = draw_explore(case, EVERYBODY, 1.0)
    half = draw_explore(case, np.array([EXPLORE, PLAN] * 20), 1.0)
    assert half.drawn.tolist() == everybody.drawn[::2].tolist()
    assert len(set(everybody.drawn.tolist())) == 4


def test_what_the_rules_inside_an_hcp_forbid_alone_is_no_choice():
    cap = HcpCap("contact_limit", "none left", np.array([0, 1, 2, 5]), np.array([0, 0, 0, 1]), np.array([1, 0]))
    clash = NotTogether("incompatible", "never together", np.array([[6, 7]]))
    assert np.flatnonzero(~single_actions(problem(caps=[cap], exclusive=[clash], shut=[9]))).tolist() == [5, 9]


def test_nobody_explores():
    draw = draw_explore(problem([limit(10.0, range(40), COST)]), np.zeros(40), 0.5)
    assert len(draw.hcps) == len(draw.pairs(3)) == 0
