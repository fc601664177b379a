"""Plans of several touches against the second reading of the contract: random small worlds, solved without dbt."""

from __future__ import annotations

from functools import cache

import pytest
from contract_comparison import Promise
from contract_plan import (
    constraint_rows,
    eligible_days,
    every_pair_once,
    limits_kept,
    plan_values,
    plans,
    price_bound,
    price_costs,
    priorities,
    reasons,
    rules_inside_hcps,
    upper_bound,
)
from contract_reference import World
from touch_worlds import solved_world

SEEDS = tuple(range(4))
MORE_SEEDS = tuple(range(4, 24))
PROMISES: tuple[Promise, ...] = (
    every_pair_once,
    eligible_days,
    rules_inside_hcps,
    limits_kept,
    constraint_rows,
    plan_values,
    price_bound,
    upper_bound,
    reasons,
    price_costs,
    priorities,
)
solved = cache(solved_world)


@pytest.mark.parametrize("seed", [*SEEDS, *(pytest.param(seed, marks=pytest.mark.long) for seed in MORE_SEEDS)])
def test_plan_keeps_every_promise(seed: int) -> None:
    world = solved(seed)
    assert {promise.__name__: found for promise in PROMISES if (found := list(promise(world)))} == {}


def test_worlds_are_worth_checking() -> None:
    """Up to three touches are planned, on more than one channel, beside harmful pins, limits that bind and rules that stop more."""
    worlds = [solved(seed) for seed in SEEDS]
    planned = [row for world in worlds for row in world.published["recommendations"]]
    assert len({row["channel"] for row in planned if row["touches"] > 1}) >= 2
    assert max(row["touches"] for row in planned) == 3
    assert any(row["plan_value"] < 0 for row in planned)
    assert all(sum(row["price"] > 0 for row in world.published["constraint_prices"]) >= 2 for world in worlds)
    assert {"min_gap", "contact_limit"} <= {row["rule"] for world in worlds for row in world.published["pair_blocks"]}
    assert {row["rule"] for world in worlds for row in world.published["constraint_prices"] if row["price"] > 0} >= {
        "budget",
        "rep_capacity",
    }


@pytest.mark.parametrize(
    "promise", [rules_inside_hcps, limits_kept, constraint_rows, plan_values, price_costs], ids=lambda one: one.__name__
)
def test_a_touch_too_many_is_noticed(promise: Promise) -> None:
    world = solved(0)
    rows = world.published["recommendations"]
    most = max(rows, key=lambda row: row["touches"])
    more = [row | {"touches": 9} if row is most else row for row in rows]
    tampered = World(world.inputs, world.published | {"recommendations": more}, world.switches, dict(world.cache))
    assert plans(tampered) != plans(world)
    assert list(promise(tampered)) != []
