"""The checker on corrupted plans: a good plan that fills every limit to the edge, then spoilt in one way after another."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from optimization.checker import check_plan, shortfalls, use_of
from optimization.problem import Block, HcpCap, Limit, NotTogether, PlanInputError, PlanSettings, Problem

HCPS, CHANNELS, DAYS = 6, 3, 28
SETTINGS = PlanSettings(date(2026, 1, 5), date(2026, 2, 2), floor_penalty=1.0)
MOST = np.array([3, 2, 1])
EVERYONE = np.arange(HCPS, dtype=np.int32)


def limit(label, side, unit, touches, eligible, hcps, use, counts="touches", hardness="hard"):
    """A limit that the plan fills to the last unit."""
    hcps, use = np.asarray(hcps, dtype=np.int32), np.asarray(use, dtype=np.float64)
    bound = plain_use(touches, eligible, hcps, use, counts)
    return Limit(label, label.split()[0], side, unit, label, bound, hcps, use, counts, hardness)


def plain_use(touches, eligible, hcps, use, counts):
    total = 0.0
    for place, hcp in enumerate(hcps.tolist()):
        row = use if use.ndim == 1 else use[place]
        mine = [float(row[c] * touches[hcp, c]) for c in range(CHANNELS) if eligible[hcp, c]]
        total += float(any(mine)) if counts == "hcps" else sum(mine)
    return total


def good(seed):
    """(problem, touches): each HCP has a touch to give and one to take, one pair is shut, every rule is there and is kept."""
    rng = np.random.default_rng(seed)
    eligible = rng.random((HCPS, CHANNELS)) < 0.8
    eligible[:, 0], eligible[0, 2], eligible[1] = True, False, True
    touches = np.where(eligible, rng.integers(0, MOST + 1, (HCPS, CHANNELS)), 0)
    touches[0, 0], touches[1] = 1, [2, 1, 0]
    cost = np.round(rng.uniform(1, 9, CHANNELS), 2)
    minutes = rng.integers(5, 40, (3, CHANNELS))
    made = (touches, eligible)
    limits = [
        limit("budget of all", "max", "cost", *made, EVERYONE, cost),
        limit("budget of c0", "max", "cost", *made, EVERYONE, cost * [1, 0, 0]),
        limit("budget of the first", "max", "cost", *made, EVERYONE[:3], cost),
        limit("rep_capacity in minutes", "max", "minutes", *made, EVERYONE[:3], minutes),
        limit("rep_capacity in touches", "max", "touches", *made, EVERYONE[3:], np.ones(CHANNELS)),
        limit("channel_capacity above", "max", "touches", *made, EVERYONE, [1, 0, 0]),
        limit("channel_capacity below", "min", "touches", *made, EVERYONE, [1, 0, 0]),
        limit("coverage_floor hard", "min", "hcps", *made, EVERYONE, [1, 1, 0], "hcps"),
        limit("coverage_floor soft", "min", "hcps", *made, EVERYONE, [1, 1, 1], "hcps", "soft"),
    ]
    cap = HcpCap("contact_limit", "contact limit", np.arange(HCPS * CHANNELS), np.repeat(EVERYONE, CHANNELS), touches.sum(axis=1))
    members = EVERYONE.astype(np.int64)[:, None] * CHANNELS + [0, 1]
    clash = NotTogether("min_gap", "gap of c0 and c1", members[touches[:, 0] < 3], least=(3, 1))
    size = HCPS * CHANNELS
    shut = Block("window", np.arange(size), np.zeros(size, int), np.ones(size, int), np.zeros(size, int), ["shut"])
    pins = np.flatnonzero(touches.ravel())[:2]
    return Problem(
        settings=SETTINGS,
        hcp_ids=np.array([f"h{number}" for number in range(HCPS)], dtype=object),
        channels=["c0", "c1", "c2"],
        territory=np.zeros(HCPS, dtype=np.int32),
        territory_names=["T"],
        rep=np.zeros(HCPS, dtype=np.int32),
        rep_names=["R"],
        cost=cost,
        minutes=np.ones(CHANNELS),
        most_touches=MOST,
        value=rng.normal(0.5, 1, size),
        eligible=eligible.ravel(),
        earliest=np.where(eligible.ravel(), 2, -1).astype(np.int16),
        latest=np.where(eligible.ravel(), DAYS - 1, -1).astype(np.int16),
        blocked_by=np.where(eligible.ravel(), -1, 1).astype(np.int8),
        blockers=["exclusion", "consent"],
        blocks=[shut],
        limits=limits,
        caps=[cap],
        exclusive=[clash],
        pins=pins,
        pin_labels=[f"pin of {pair}" for pair in pins],
    ), touches.ravel()


def named(problem, touches):
    return {violation.label: violation for violation in check_plan(problem, touches)}


def bare(problem):
    """Without limits and rules inside HCPs: what is left are pairs, days and pins."""
    return replace(problem, limits=[], caps=[], exclusive=[])


SEEDS = range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_good_plan_is_not_named(seed):
    problem, touches = good(seed)
    for kind in (np.int8, np.int16, np.int64, np.uint8):
        assert check_plan(problem, touches.astype(kind)) == []
    assert [use_of(problem, each, touches) for each in problem.limits] == pytest.approx([each.bound for each in problem.limits])
    assert not shortfalls(problem, touches).any()


@pytest.mark.parametrize("seed", SEEDS)
def test_every_limit_tightened_by_one_is_named_alone(seed):
    problem, touches = good(seed)
    for number, each in enumerate(problem.limits):
        limits = list(problem.limits)
        limits[number] = replace(each, bound=each.bound + (1 if each.side == "min" else -1))
        found = check_plan(replace(problem, limits=limits), touches)
        if each.hardness == "soft":
            assert found == []
            assert shortfalls(replace(problem, limits=limits), touches)[number] == 1
        else:
            assert [(one.rule, one.label, one.amount) for one in found] == [(each.rule, each.label, pytest.approx(1.0))]
            assert problem.eligible[found[0].pair] and found[0].pair // CHANNELS in each.hcps


@pytest.mark.parametrize("seed", SEEDS)
def test_one_touch_more_breaks_what_it_uses_and_what_holds_its_hcp(seed):
    problem, touches = good(seed)
    touches[0] += 1  # h0 on c0: one of three touches is made
    found = named(problem, touches)
    assert found["contact limit"].amount == 1
    assert found["channel_capacity above"].amount == 1
    assert found["budget of c0"].amount == pytest.approx(problem.cost[0])
    assert found["rep_capacity in minutes"].amount == pytest.approx(problem.limits[3].use[0, 0])
    assert set(found) == {"contact limit", "channel_capacity above", "budget of all", "budget of c0", "budget of the first",
                          "rep_capacity in minutes"}  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_an_hcp_left_out_breaks_minimum_floor_and_pins(seed):
    problem, touches = good(seed)
    touches[:CHANNELS] = 0
    found = named(problem, touches)
    assert found["channel_capacity below"].amount == 1
    assert found["coverage_floor hard"].amount == 1
    assert found["pin of 0"].pair == 0 and "coverage_floor soft" not in found
    assert shortfalls(problem, touches).tolist() == [0.0] * 8 + [1.0]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("channel", range(CHANNELS))
def test_touches_beyond_the_catalogue_are_named(seed, channel):
    problem, touches = good(seed)
    pair = CHANNELS + channel
    touches[pair] = MOST[channel] + 2
    assert [(one.rule, one.amount, one.pair) for one in check_plan(bare(problem), touches)] == [("max_touches", 2.0, pair)]
    assert "more touches than the catalogue allows" in named(problem, touches)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shut_pair_is_named_under_its_blocker_and_counts_nowhere(seed):
    problem, touches = good(seed)
    touches[2] = 1  # h0 on c2
    found = check_plan(problem, touches)
    assert ("consent", "pair without an eligible day", 1.0, 2) in [(one.rule, one.label, one.amount, one.pair) for one in found]
    assert {one.rule for one in found} == {"consent", "contact_limit"}


@pytest.mark.parametrize("seed", SEEDS)
def test_touches_that_clash_are_named(seed):
    problem, touches = good(seed)
    touches[CHANNELS : CHANNELS + 2] = [2, 2]
    assert "gap of c0 and c1" not in named(problem, touches)
    touches[CHANNELS : CHANNELS + 2] = [3, 1]
    found = named(problem, touches)["gap of c0 and c1"]
    assert (found.rule, found.amount, found.pair // CHANNELS) == ("min_gap", 1.0, 1)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_cap_lowered_by_one_is_named(seed):
    problem, touches = good(seed)
    for hcp in np.flatnonzero(touches.reshape(HCPS, CHANNELS).any(axis=1)):
        upper = problem.caps[0].upper.copy()
        upper[hcp] -= 1
        [found] = check_plan(replace(problem, caps=[replace(problem.caps[0], upper=upper)]), touches)
        assert (found.rule, found.amount, found.pair // CHANNELS) == ("contact_limit", 1.0, hcp)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_pin_dropped_is_named(seed):
    problem, touches = good(seed)
    for place, pin in enumerate(problem.pins):
        spoilt = touches.copy()
        spoilt[pin] = 0
        assert [(one.label, one.pair) for one in check_plan(bare(problem), spoilt)] == [(problem.pin_labels[place], pin)]


def test_days_inside_a_block_or_outside_the_cycle_are_named():
    problem, touches = good(0)
    pair = int(np.flatnonzero(touches)[0])
    for change, label in (({"earliest": 1}, "blocked day inside an eligible run"), ({"latest": DAYS}, "eligible run outside the cycle")):
        [(name, day)] = change.items()
        days = getattr(problem, name).copy()
        days[pair] = day
        found = check_plan(replace(problem, **{name: days}), touches)
        assert [(one.label, one.amount, one.pair) for one in found] == [(label, 1.0, pair)]


@pytest.mark.parametrize(("over", "is_broken"), [(0.9e-6, False), (1.1e-6, True)])
@pytest.mark.parametrize("side", ["max", "min"])
def test_limits_hold_to_a_relative_tolerance(side, over, is_broken):
    problem, touches = good(3)
    sized = limit(
        "budget sized", side, "cost", touches.reshape(HCPS, CHANNELS), problem.eligible.reshape(HCPS, CHANNELS), EVERYONE, [1e6] * 3
    )
    share = 1 + over if side == "max" else 1 - over
    moved = replace(problem, limits=[replace(sized, use=sized.use * share)])
    assert bool(check_plan(moved, touches)) == is_broken


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda t: t[:-1], id="one pair short"),
        pytest.param(lambda t: t.reshape(HCPS, CHANNELS), id="a table"),
        pytest.param(lambda t: t.astype(float), id="numbers with a fraction"),
        pytest.param(lambda t: t * 0.5, id="half touches"),
        pytest.param(lambda t: t.astype(str), id="text"),
        pytest.param(lambda t: t.astype(object), id="objects"),
        pytest.param(lambda t: t.astype(complex), id="complex"),
    ],
)
def test_anything_but_whole_touches_of_every_pair_is_refused(spoil):
    problem, touches = good(1)
    with pytest.raises(PlanInputError, match="touches must be 18 whole numbers"):
        check_plan(problem, spoil(touches))


def test_negative_touches_are_refused():
    problem, touches = good(1)
    touches[4] = -1
    with pytest.raises(PlanInputError, match="touches must be >= 0, not -1"):
        check_plan(problem, touches)


@pytest.mark.parametrize("seed", range(60))
def test_any_touches_at_all_against_the_rules_read_aloud(seed):
    """Random touches, mostly bad: exactly the labels that a plain reading of every row gives."""
    problem, _ = good(seed % 7)
    touches = np.random.default_rng(seed).integers(0, 4, HCPS * CHANNELS)
    table, eligible = touches.reshape(HCPS, CHANNELS), problem.eligible.reshape(HCPS, CHANNELS)
    wanted = {problem.pin_labels[k] for k, pin in enumerate(problem.pins) if touches[pin] == 0}
    for each in problem.limits:
        use = plain_use(table, eligible, each.hcps, each.use, each.counts)
        broken = use > each.bound * (1 + 1e-6) if each.side == "max" else use < each.bound * (1 - 1e-6)
        wanted |= {each.label} if broken and each.hardness == "hard" else set()
    pairs = [(hcp, channel) for hcp in range(HCPS) for channel in range(CHANNELS)]
    wanted |= {"contact limit"} if any(sum(table[hcp]) > problem.caps[0].upper[hcp] for hcp in range(HCPS)) else set()
    clashing = {members[0] // CHANNELS for members in problem.exclusive[0].members.tolist()}
    wanted |= {"gap of c0 and c1"} if any(table[hcp, 0] >= 3 and table[hcp, 1] >= 1 for hcp in clashing) else set()
    wanted |= {"more touches than the catalogue allows"} if any(table[pair] > MOST[pair[1]] for pair in pairs) else set()
    wanted |= {"pair without an eligible day"} if any(table[pair] and not eligible[pair] for pair in pairs) else set()
    assert set(named(problem, touches)) == wanted
