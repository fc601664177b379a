"""The arms of a finished build against the second reading of the contract."""

from __future__ import annotations

import math
from collections.abc import Iterator

from contract_limits import shared_limits
from contract_plan import differ, keys_once, limits_and_rows, near, pair
from contract_reference import RELATIVE, Row, World


def propensity(world: World, hcp: str, channel: str) -> float | None:
    """Probability of a planned action: 1, or of an explore HCP that of its distribution."""
    rows = world.once("distribution", lambda: {pair(row): row["propensity"] for row in world.published["explore_distribution"]})
    return 1.0 if world.arm(hcp) == "plan" else rows.get((hcp, channel))


def holdout(world: World, arm: str) -> Row | None:
    return next((row for row in world.rule("holdout") if row["arm"] == arm), None)


def arms_drawn(world: World) -> Iterator[str]:
    """Pinned HCPs are planned for; the others are in arms by their shares, as well as whole HCPs allow."""
    rows = world.published["assignments"]
    free = [row for row in rows if not world.pinned(row["hcp_id"])]
    for row in rows:
        if world.pinned(row["hcp_id"]) and (row["arm"], row["arm_probability"]) != ("plan", 1.0):
            yield differ(row["hcp_id"], "arm", row["arm"], "plan, as pinned")
        if not 0 < row["arm_probability"] <= 1:
            yield differ(row["hcp_id"], "arm_probability", row["arm_probability"], "in (0, 1]")
    for arm in ("control", "explore"):
        share = (holdout(world, arm) or {"share": 0.0})["share"]
        found = sum(row["arm"] == arm for row in free)
        if abs(found - share * len(free)) >= 1:
            yield differ(arm, "HCPs", found, share * len(free))
    for row in free:
        if row["arm"] == "control" and not near(row["arm_probability"], holdout(world, "control")["share"]):
            yield differ(row["hcp_id"], "arm_probability", row["arm_probability"], holdout(world, "control")["share"])


def arms_kept(world: World) -> Iterator[str]:
    """Controls get nothing, explore HCPs what was drawn for them: one touch of one channel, or nothing."""
    for row in world.published["recommendations"]:
        if world.arm(row["hcp_id"]) == "control":
            yield f"{pair(row)}: a control gets nothing"
        if world.arm(row["hcp_id"]) == "explore" and (world.drawn(row["hcp_id"]), row["touches"]) != ([row["channel"]], 1):
            yield differ(pair(row), "action", (row["channel"], row["touches"]), world.drawn(row["hcp_id"]))
    planned = {pair(row) for row in world.published["recommendations"]}
    for hcp in world.hcps:
        if world.arm(hcp) == "explore":
            yield from (f"{hcp}: {channel} was drawn and is not planned" for channel in world.drawn(hcp) if (hcp, channel) not in planned)


def explore_distribution(world: World) -> Iterator[str]:
    """Over eligible channels and none, summing to 1, with expected use under resource_share of every upper limit."""
    rows, share = world.published["explore_distribution"], (holdout(world, "explore") or {}).get("resource_share")
    expected = []
    for hcp in (hcp for hcp in world.hcps if world.arm(hcp) == "explore"):
        alone = [channel for channel in world.eligible(hcp) if {channel: 1} in world.own_sets(hcp)]
        expected += [(hcp, channel) for channel in (*alone, "none")]
        mine = [row for row in rows if row["hcp_id"] == hcp]
        if not near(math.fsum(row["propensity"] for row in mine), 1.0) or min(row["propensity"] for row in mine) < 0:
            yield differ(hcp, "propensities", [row["propensity"] for row in mine], "shares of 1")
        if sum(row["is_drawn"] for row in mine) != 1:
            yield differ(hcp, "draws", sum(row["is_drawn"] for row in mine), 1)
    yield from keys_once(map(pair, rows), expected, "explore_distribution")
    for limit in shared_limits(world):
        use = math.fsum(row["propensity"] * limit.use.get(pair(row), 0.0) for row in rows)
        if limit.key[1] == "max" and share is not None and use > share * limit.bound * (1 + RELATIVE):
            yield differ(limit.key, "expected use of exploring", use, share * limit.bound)


def shadows(world: World) -> Iterator[str]:
    """What a control would have got: a channel of a set that is best at the published prices, none where that is nothing."""
    limits, prices = limits_and_rows(world)
    for row in world.published["assignments"]:
        hcp, channel = row["hcp_id"], row["shadow_channel"]
        if world.arm(hcp) != "control":
            if channel is not None:
                yield differ(hcp, "shadow_channel", channel, "null outside the arm control")
            continue
        sets = world.own_sets(hcp)
        cost = [math.fsum(x.sign * p["price"] * x.used_by(hcp, plan) for x, p in zip(limits, prices, strict=True)) for plan in sets]
        worth = [world.set_value(hcp, plan) - one for plan, one in zip(sets, cost, strict=True)]
        best = [plan for plan, one in zip(sets, worth, strict=True) if one >= max(worth) - RELATIVE]
        if not any(channel in plan if channel is not None else not plan for plan in best):
            yield differ(hcp, "shadow_channel", channel, f"of one of {best}")


def power(world: World) -> Iterator[str]:
    """Counts of the arms, what the plan is expected to bring per HCP, and smaller lifts with smaller deviations."""
    arms = [row["arm"] for row in world.published["assignments"]]
    worth = math.fsum(row["plan_value"] for row in world.published["recommendations"] if row["arm"] == "plan")
    for row in world.published["plan_power"]:
        said = (row["control_hcps"], row["plan_hcps"])
        if said != (arms.count("control"), arms.count("plan")):
            yield differ(row["cycles"], "HCPs", said, (arms.count("control"), arms.count("plan")))
        if arms.count("control") and not near(row["expected_lift"], worth / arms.count("plan")):
            yield differ(row["cycles"], "expected_lift", row["expected_lift"], worth / arms.count("plan"))
        if row["smallest_lift"] is not None:
            lift = 2.8015852 * row["residual_sd"] * math.sqrt(1 / arms.count("control") + 1 / arms.count("plan"))
            if not near(row["smallest_lift"], lift) or row["is_detectable"] != (row["expected_lift"] >= lift):
                yield differ(row["cycles"], "smallest_lift", row["smallest_lift"], lift)
    yield from keys_once((row["cycles"] for row in world.published["plan_power"]), (1, 3, 6), "plan_power")


ARM_PROMISES = (arms_drawn, arms_kept, explore_distribution, shadows, power)
