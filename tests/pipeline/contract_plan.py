"""Where the plan of a finished build and the second reading of the contract disagree: one function per promise, one line each."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from contract_limits import Limit, shared_limits, use_of_sets
from contract_reference import RELATIVE, Plan, Row, World, as_day


def near(left: float | None, right: float | None, scale: float = 1.0) -> bool:
    """Equal within 1e-6 of the larger number or of `scale`; null only equals null."""
    if left is None or right is None:
        return left is right
    return abs(left - right) <= RELATIVE * max(abs(left), abs(right), 1e-3 * scale)


def pair(row: Row) -> tuple[str, str]:
    return row["hcp_id"], row["channel"]


def text(value: Any) -> str:
    return "null" if value is None else f"{value:.9g}" if isinstance(value, float) else str(value)


def differ(where: Any, what: str, said: Any, expected: Any) -> str:
    return f"{where}: {what} is {text(said)}, expected {text(expected)}"


def keys_once(rows: Iterable[Any], expected: Iterable[Any], where: str) -> Iterator[str]:
    """Every expected key exactly once and no other."""
    found, wanted = Counter(rows), set(expected)
    yield from (f"{where}: {key} appears {count} times" for key, count in found.items() if count > 1)
    yield from (f"{where}: {key} is missing" for key in sorted(wanted - set(found), key=str))
    yield from (f"{where}: {key} should not be there" for key in sorted(set(found) - wanted, key=str))


def plans(world: World) -> dict[str, Plan]:
    """Planned touches by HCP and channel."""
    chosen: dict[str, Plan] = {hcp: {} for hcp in world.hcps}
    for row in world.published["recommendations"]:
        chosen[row["hcp_id"]][row["channel"]] = row["touches"]
    return chosen


def limits_and_rows(world: World) -> tuple[list[Limit], list[Row]]:
    """The limits by the second reading beside the published rows of the same key; what finds no partner is for `constraint_rows`."""

    def match() -> tuple[list[Limit], list[Row]]:
        rows = defaultdict(list)
        for row in sorted(world.published["constraint_prices"], key=lambda row: row["limit_value"]):
            rows[limit_key(row)].append(row)
        limits = sorted(shared_limits(world), key=lambda limit: limit.bound)
        matched = [(limit, rows[limit.key].pop(0)) for limit in limits if rows[limit.key]]
        return [limit for limit, _ in matched], [row for _, row in matched]

    return world.once("limits", match)


def limit_key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("rule", "side", "unit", "channel", "territory_id", "rep_id", "attribute", "value"))


def used(limit: Limit, chosen: dict[str, Plan]) -> float:
    return math.fsum(limit.used_by(hcp, plan) for hcp, plan in chosen.items())


# --- who may get what, when -----------------------------------------------------------------------------------------------


def every_pair_once(world: World) -> Iterator[str]:
    every = {(hcp, channel) for hcp in world.hcps for channel in world.channels}
    planned = [pair(row) for row in world.published["recommendations"]]
    yield from keys_once(map(pair, world.published["hcp_channel_scores"]), every, "hcp_channel_scores")
    yield from keys_once(map(pair, world.published["rejections"]), every - set(planned), "rejections")
    yield from keys_once(planned, every & set(planned), "recommendations")
    yield from keys_once((row["hcp_id"] for row in world.published["assignments"]), world.hcps, "assignments")
    yield from keys_once((row["hcp_id"] for row in world.published["hcps"]), world.hcps, "hcps")


def eligible_days(world: World) -> Iterator[str]:
    blocks = []
    for row in world.published["hcp_channel_scores"]:
        taken, run = world.blocked_days(*pair(row)), world.run(*pair(row))
        expected = (run is not None, None if run else next(iter(taken)), run and run[0], run and run[1])
        said = (row["is_eligible"], row["blocked_by"], as_day(row["earliest_date"]), as_day(row["latest_date"]))
        if said != expected:
            yield differ(pair(row), "eligible, blocker, days", said, expected)
        if run is None:
            blocks += [(*pair(row), rule) for rule in taken]
    yield from keys_once([(*pair(row), row["rule"]) for row in world.published["pair_blocks"]], blocks, "pair_blocks")
    yield from (f"pair_blocks: {pair(row)} has no detail" for row in world.published["pair_blocks"] if not row["detail"])


def rules_inside_hcps(world: World) -> Iterator[str]:
    for hcp, plan in plans(world).items():
        if not set(plan) <= set(world.eligible(hcp)) or not world.is_allowed(hcp, plan):
            yield f"{hcp}: {plan} is not allowed, eligible are {world.eligible(hcp)}"
    for row in world.published["recommendations"]:
        if world.run(*pair(row)) != (as_day(row["earliest_date"]), as_day(row["latest_date"])):
            yield differ(pair(row), "days", (row["earliest_date"], row["latest_date"]), world.run(*pair(row)))


# --- limits ---------------------------------------------------------------------------------------------------------------


def limits_kept(world: World) -> Iterator[str]:
    chosen = plans(world)
    for limit in shared_limits(world):
        use = used(limit, chosen)
        if limit.sign * (use - limit.bound) > RELATIVE * max(1.0, abs(limit.bound)) and limit.hardness != "soft":
            yield differ(limit.key, "use", use, limit.bound)


def constraint_rows(world: World) -> Iterator[str]:
    expected = Counter((limit.key, round(limit.bound, 6)) for limit in shared_limits(world))
    said = Counter((limit_key(row), round(row["limit_value"], 6)) for row in world.published["constraint_prices"])
    yield from (f"constraint_prices: {key} is missing" for key in expected - said)
    yield from (f"constraint_prices: {key} should not be there" for key in said - expected)
    names = [row["limit_id"] for row in world.published["constraint_prices"]]
    yield from keys_once(names, names, "limit_id")
    chosen = plans(world)
    for limit, row in zip(*limits_and_rows(world), strict=True):
        use = used(limit, chosen)
        if not near(row["used"], use):
            yield differ(limit.key, "used", row["used"], use)
        if row["price"] is None or row["price"] < 0:
            yield differ(limit.key, "price", row["price"], "at least 0")
        soft = (limit.requested, limit.bound, max(0.0, limit.bound - use), limit.hardness) if limit.counts == "hcps" else (None,) * 4
        if (row["requested"], row["effective"], row["shortfall"], row["hardness"]) != soft:
            yield differ(limit.key, "floor", [row[name] for name in ("requested", "effective", "shortfall", "hardness")], soft)


# --- values, bound, prices ------------------------------------------------------------------------------------------------


def plan_values(world: World) -> Iterator[str]:
    chosen = plans(world)
    shares = {hcp: world.plan_values(hcp, plan) for hcp, plan in chosen.items()}
    for row in world.published["recommendations"]:
        expected = shares[row["hcp_id"]][row["channel"]]
        if not near(row["plan_value"], expected):
            yield differ(pair(row), "plan_value", row["plan_value"], expected)
    head = world.published["plan_summary"][0]
    objective = math.fsum(world.set_value(hcp, plan) for hcp, plan in chosen.items())
    soft = [limit for limit in shared_limits(world) if limit.hardness == "soft"]
    penalty = world.floor_penalty() * math.fsum(max(0.0, limit.bound - used(limit, chosen)) for limit in soft)
    expected = {
        "objective": objective,
        "penalty": penalty,
        "gap": (head["upper_bound"] - (objective - penalty)) / max(abs(objective - penalty), 1e-9),
        "expected_impact": math.fsum(n * world.value(hcp, channel) for hcp, plan in chosen.items() for channel, n in plan.items()),
        "total_cost": math.fsum(n * world.channels[channel]["unit_cost"] for plan in chosen.values() for channel, n in plan.items()),
        "actions": len(world.published["recommendations"]),
        "hcps_reached": sum(bool(plan) for plan in chosen.values()),
    }
    yield from (differ("plan_summary", name, head[name], value) for name, value in expected.items() if not near(head[name], value))
    if head["upper_bound"] < objective - penalty - RELATIVE * abs(objective) or head["gap"] < 0:
        yield differ("plan_summary", "upper_bound", head["upper_bound"], f"at least {objective - penalty}")
    if (head["status"] == "optimal") != (head["solve_gap"] <= world.switches.gap * (1 + RELATIVE)):
        yield differ("plan_summary", "status", head["status"], f"what a gap of {head['solve_gap']} allows")


def priced_sets(world: World) -> dict[str, np.ndarray]:
    """By HCP the priced value of every allowed set at the published prices."""

    def make() -> dict[str, np.ndarray]:
        limits, rows = limits_and_rows(world)
        cost = np.array([limit.sign * row["price"] for limit, row in zip(limits, rows, strict=True)])
        use = use_of_sets(world, limits)
        return {hcp: np.array([world.set_value(hcp, plan) for plan in world.allowed_sets(hcp)]) - use[hcp] @ cost for hcp in world.hcps}

    return world.once("priced", make)


def price_bound(world: World) -> Iterator[str]:
    """The published prices minimise the bound: its value there is the value of the linear program over all sets."""
    limits, rows = limits_and_rows(world)
    head = world.published["plan_summary"][0]
    expression = math.fsum(priced.max() for priced in priced_sets(world).values())
    expression += math.fsum(limit.sign * row["price"] * limit.bound for limit, row in zip(limits, rows, strict=True))
    if not near(head["price_bound"], expression):
        yield differ("plan_summary", "price_bound", head["price_bound"], expression)
    least = best_value(world, whole=False)
    if not near(head["price_bound"], least):
        yield differ("plan_summary", "price_bound", head["price_bound"], f"the linear program's {least}")
    if head["upper_bound"] > head["price_bound"] + RELATIVE * abs(head["price_bound"]):
        yield differ("plan_summary", "upper_bound", head["upper_bound"], f"at most price_bound {head['price_bound']}")


def upper_bound(world: World) -> Iterator[str]:
    """No whole plan is better than the bound, and the plan is as close to the best one as its gap says. Slow: for small worlds."""
    head, best = world.published["plan_summary"][0], best_value(world, whole=True)
    if head["upper_bound"] < best - RELATIVE * max(1.0, abs(best)):
        yield differ("plan_summary", "upper_bound", head["upper_bound"], f"at least the best plan's {best}")
    if head["objective"] - head["penalty"] > best + RELATIVE * max(1.0, abs(best)):
        yield differ("plan_summary", "objective", head["objective"], f"at most the best plan's {best}")


def best_value(world: World, whole: bool) -> float:
    """The largest objective - penalty over all allowed sets under all limits; `whole`: one set per HCP, else shares of sets."""
    from scipy import optimize, sparse

    limits = shared_limits(world)
    use = use_of_sets(world, limits)
    gain = np.concatenate([[world.set_value(hcp, plan) for plan in world.allowed_sets(hcp)] for hcp in world.hcps])
    owner = np.concatenate([np.full(len(use[hcp]), place) for place, hcp in enumerate(world.hcps)])
    soft = [place for place, limit in enumerate(limits) if limit.hardness == "soft"]
    one_each = sparse.csr_array((np.ones(len(gain)), (owner, np.arange(len(gain)))), shape=(len(world.hcps), len(gain)))
    rows = [optimize.LinearConstraint(sparse.hstack([one_each, sparse.csr_array((len(world.hcps), len(soft)))]), 1, 1)]
    if limits:
        signs, bounds = np.array([limit.sign for limit in limits]), np.array([limit.bound for limit in limits])
        missing = sparse.csr_array((-np.ones(len(soft)), (soft, np.arange(len(soft)))), shape=(len(limits), len(soft)))
        together = sparse.hstack([sparse.csr_array(signs[:, None] * np.vstack(list(use.values())).T), missing])
        rows.append(optimize.LinearConstraint(together, -np.inf, signs * bounds + 1e-9))
    cost = np.concatenate([-gain, np.full(len(soft), world.floor_penalty())])
    kinds = np.concatenate([np.full(len(gain), float(whole)), np.zeros(len(soft))])
    result = optimize.milp(cost, integrality=kinds, constraints=rows, options={"mip_rel_gap": 1e-7})
    assert result.success, result.message
    return -float(result.fun)


# --- why not, and in which order ------------------------------------------------------------------------------------------


def reasons(world: World) -> Iterator[str]:
    limits, rows = limits_and_rows(world)
    largest = max((abs(world.value(hcp, channel)) for hcp in world.hcps for channel in world.channels), default=1.0)
    for row in world.published["rejections"]:
        hcp, channel = pair(row)
        if world.arm(hcp) == "control" or (world.arm(hcp) == "explore" and world.run(hcp, channel)):
            said = (row["reason_kind"], row["rule"], row["limit_id"], row["value_short"])
            if said != ("holdout", None, None, None):
                yield differ(pair(row), "reason_kind, rule, limit_id, value_short", said, "held out by the arm")
            continue
        sets, priced = world.allowed_sets(hcp), priced_sets(world)[hcp]
        forced = max((value for plan, value in zip(sets, priced, strict=True) if channel in plan), default=None)
        short = None if forced is None else max(0.0, priced.max() - forced)
        parts = [limit.sign * price["price"] * limit.used_by(hcp, {channel: 1}) for limit, price in zip(limits, rows, strict=True)]
        alone = world.value(hcp, channel) - math.fsum(parts)
        kinds = _reason_kinds(world.value(hcp, channel), alone, short, largest)
        if row["reason_kind"] not in kinds:
            yield differ(pair(row), "reason_kind", row["reason_kind"], f"{kinds} (alone {alone}, short {short})")
        if not (near(row["value_short"], short, largest) or (short is not None and row["value_short"] == 0 and short < RELATIVE * largest)):
            yield differ(pair(row), "value_short", row["value_short"], short)
        if world.run(hcp, channel) is None and row["rule"] != next(iter(world.blocked_days(hcp, channel))):
            yield differ(pair(row), "rule", row["rule"], "the first blocker")
        if row["reason_kind"] == "price":
            named = [part for part, price in zip(parts, rows, strict=True) if price["limit_id"] == row["limit_id"]]
            if not named or named[0] < max(parts) - RELATIVE * largest:
                yield differ(pair(row), "limit_id", row["limit_id"], "the limit with the largest price x use")


def _reason_kinds(value: float, alone: float, short: float | None, largest: float) -> set[str]:
    """The reason that applies first; two where a number lies on the border between them."""
    if short is None:
        return {"rule"}
    if value <= 0:
        return {"no_value"}
    kinds = {"price"} if alone <= RELATIVE * largest else set()
    if alone > -RELATIVE * largest:
        later = {"better_alternative"} if short > RELATIVE * largest else {"tie", "better_alternative"} if short else {"tie"}
        kinds |= later if alone > RELATIVE * largest or abs(alone) <= RELATIVE * largest else set()
    return kinds


def price_costs(world: World) -> Iterator[str]:
    limits, prices = limits_and_rows(world)
    chosen = plans(world)
    for row in world.published["recommendations"]:
        hcp, channel = pair(row)
        expected = 0.0
        for limit, price in zip(limits, prices, strict=True):
            one = {channel: row["touches"]}
            # an HCP counted once by a floor is shared by the actions that count
            sharing = sum(limit.used_by(hcp, {other: n}) > 0 for other, n in chosen[hcp].items()) if limit.counts == "hcps" else 1
            expected += limit.sign * price["price"] * limit.used_by(hcp, one) / max(1, sharing)
        if not near(row["price_cost"], expected, row["plan_value"]):
            yield differ(pair(row), "price_cost", row["price_cost"], expected)


def priorities(world: World) -> Iterator[str]:
    rows = sorted(
        world.published["recommendations"],
        key=lambda row: (-round(row["plan_value"] - row["price_cost"], 12), row["hcp_id"], row["channel"]),
    )
    within: Counter[str] = Counter()
    for place, row in enumerate(rows, start=1):
        within[row["rep_id"]] += 1
        expected = (place, within[row["rep_id"]] if row["rep_id"] is not None else None)
        if (row["priority"], row["rep_priority"]) != expected:
            yield differ(pair(row), "priority and rep_priority", (row["priority"], row["rep_priority"]), expected)
