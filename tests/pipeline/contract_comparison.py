"""Where the columns, timelines and sums of a finished build disagree with the second reading of the contract; and all promises."""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from contract_arms import ARM_PROMISES, propensity
from contract_plan import (
    constraint_rows,
    differ,
    eligible_days,
    every_pair_once,
    keys_once,
    limits_kept,
    near,
    pair,
    plan_values,
    price_bound,
    price_costs,
    priorities,
    reasons,
    rules_inside_hcps,
)
from contract_reference import Row, World, as_day

PAIR_TABLES = ("recommendations", "hcp_channel_scores", "pair_blocks", "rejections")
SCORES = ("engagement_probability", "expected_impact", "expected_impact_low", "expected_impact_high")
HCP_TABLES = (*PAIR_TABLES, "assignments", "hcps", "hcp_period_metrics", "gap_list", "recommendation_reasons")


def columns_of_actions(world: World) -> Iterator[str]:
    scores = {pair(row): row for row in world.published["hcp_channel_scores"]}
    for row in world.published["recommendations"]:
        known = world.channels[row["channel"]]
        told = f"{world.start.isoformat()}\t{row['hcp_id']}\t{row['channel']}\tall"
        expected = {
            "cost": row["touches"] * known["unit_cost"],
            "rep_minutes": row["touches"] * known["rep_minutes"],
            **{
                name: scores[pair(row)][name]
                for name in ("engagement_probability", "expected_impact", "expected_impact_low", "expected_impact_high")
            },
        }
        yield from (differ(pair(row), name, row[name], value) for name, value in expected.items() if not near(row[name], value))
        said = (row["status"], row["arm"], row["propensity"], row["planned_date"], row["content_id"], bool(row["summary"]))
        if said != ("planned", world.arm(row["hcp_id"]), propensity(world, *pair(row)), None, None, True):
            yield differ(pair(row), "status, arm, propensity, planned_date, content_id, summary", said, "a planned action of its arm")
        if row["recommendation_id"] != hashlib.md5(told.encode(), usedforsecurity=False).hexdigest():
            yield differ(pair(row), "recommendation_id", row["recommendation_id"], "the hash of cycle, HCP, channel and brand")


def columns_of_scores(world: World) -> Iterator[str]:
    answered = {row["channel"] for row in world.inputs["engagement_history"] if row["responses"] is not None}
    for row in world.published["hcp_channel_scores"]:
        low, middle, high = (row[name] for name in ("expected_impact_low", "expected_impact", "expected_impact_high"))
        if not low <= middle <= high:
            yield differ(pair(row), "expected_impact", middle, f"within {low} and {high}")
        probability = row["engagement_probability"]
        if (probability is not None) != (row["channel"] in answered) or not 0.0 <= (probability or 0.0) <= 1.0:
            yield differ(pair(row), "engagement_probability", probability, f"a probability: {row['channel'] in answered}")


def owners(world: World) -> Iterator[str]:
    """HCP-level tables carry run, cycle, brand, territory and rep; an HCP without a territory is `unassigned`."""
    head = world.published["plan_summary"][0]
    for table in HCP_TABLES:
        for row in world.published[table]:
            own = world.hcps[row["hcp_id"]]
            expected = (head["run_id"], world.start, "all", own.get("territory_id") or "unassigned", own.get("rep_id"))
            said = (row["run_id"], as_day(row["cycle_start"]), row["brand_id"], row["territory_id"], row["rep_id"])
            if said != expected:
                yield differ(f"{table} {row['hcp_id']}", "run, cycle, brand, territory, rep", said, expected)


# --- timeline and sums ----------------------------------------------------------------------------------------------------


def timeline(world: World) -> Iterator[str]:
    """KPI, market, touches and responses as known at cycle start, over the last 24 periods."""
    touches, answers, versions = _known_cells(world)
    through = max((start for _, start in versions), default=None)
    first = {hcp: min(start for owner, start in versions if owner == hcp) for hcp in {owner for owner, _ in versions}}
    periods = world.period_starts[-24:]
    rows = {(row["hcp_id"], as_day(row["period_start"])): row for row in world.published["hcp_period_metrics"]}
    yield from keys_once(
        ((row["hcp_id"], as_day(row["period_start"])) for row in world.published["hcp_period_metrics"]),
        ((hcp, start) for hcp in world.hcps for start in periods),
        "hcp_period_metrics",
    )
    for (hcp, start), row in rows.items():
        version = versions.get((hcp, start))
        is_zero = version is None and world.switches.kpi_absent == "zero" and hcp in first and first[hcp] <= start <= through
        expected = {
            "kpi_value": version["kpi_value"] if version else 0.0 if is_zero else None,
            "market_value": version.get("market_value") if version else None,
            "touches": sum(touches.get((hcp, start), {}).values()),
            "responses": sum(answers[hcp, start].values()) if (hcp, start) in answers else None,
        }
        yield from (differ((hcp, start), name, row[name], value) for name, value in expected.items() if not near(row[name], value))
        if json.loads(row["touches_by_channel"]) != touches.get((hcp, start), {}):
            yield differ((hcp, start), "touches_by_channel", row["touches_by_channel"], touches.get((hcp, start), {}))


def _known_cells(world: World) -> tuple[dict[Any, dict[str, int]], dict[Any, dict[str, int]], dict[Any, Row]]:
    """Known touches and known responses by (HCP, period) and channel, and the KPI version that held at cycle start."""
    touches: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    answers: dict[Any, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in world.known("engagement_history", world.switches.engagement_lag):
        cell = row["hcp_id"], as_day(row["period_start"])
        if row["touches"] > 0:
            touches[cell][row["channel"]] += row["touches"]
            if row["responses"] is not None:
                answers[cell][row["channel"]] += row["responses"]
    versions: dict[Any, Row] = {}
    for row in sorted(world.known("kpi_metrics", world.switches.kpi_lag), key=lambda row: str(row.get("known_at") or "")):
        versions[row["hcp_id"], as_day(row["period_start"])] = row
    return touches, answers, versions


def sums(world: World) -> Iterator[str]:
    recommendations = world.published["recommendations"]
    territories = {own.get("territory_id") or "unassigned" for own in world.hcps.values()}
    usage = world.published["channel_usage"]
    yield from keys_once((row["territory_id"] for row in world.published["territory_summary"]), territories, "territory_summary")
    yield from keys_once((row["territory_id"] for row in world.published["territories"]), territories, "territories")
    yield from keys_once(
        ((row["channel"], row["territory_id"]) for row in usage), ((c, t) for c in world.channels for t in territories), "channel_usage"
    )
    for table, keys in (("territory_summary", ("territory_id",)), ("channel_usage", ("channel", "territory_id"))):
        for row in world.published[table]:
            mine = [action for action in recommendations if all(action[key] == row[key] for key in keys)]
            expected = {name: math.fsum(action[name] for action in mine) for name in ("touches", "cost", "rep_minutes", "plan_value")}
            expected |= {"actions": len(mine), "hcps_reached": len({action["hcp_id"] for action in mine})}
            expected["expected_impact"] = math.fsum(action["touches"] * action["expected_impact"] for action in mine)
            yield from (
                differ([row[key] for key in keys], name, row[name], value) for name, value in expected.items() if not near(row[name], value)
            )
    for row in usage:
        total = sum(action["touches"] for action in recommendations if action["territory_id"] == row["territory_id"])
        if not near(row["share_of_mix"], row["touches"] / total if total else 0.0):
            yield differ((row["channel"], row["territory_id"]), "share_of_mix", row["share_of_mix"], f"{row['touches']} of {total}")
    for row in world.published["reps"]:
        mine = [action for action in recommendations if action["rep_id"] == row["rep_id"]]
        if not near(row["minutes_used"], math.fsum(action["rep_minutes"] for action in mine)) or row["actions"] != len(mine):
            yield differ(row["rep_id"], "minutes_used and actions", (row["minutes_used"], row["actions"]), "the sums of the rep's actions")


def runs_and_models(world: World) -> Iterator[str]:
    head = world.published["plan_summary"]
    history = [row for row in world.published["plan_history"] if row["is_published"]]
    if len(head) != 1 or len(history) != 1:
        yield f"plan_summary has {len(head)} rows, plan_history {len(history)} published ones"
    shared = set(head[0]) & set(history[0])
    yield from (differ("plan_history", name, history[0][name], head[0][name]) for name in shared if history[0][name] != head[0][name])
    performance = [(as_day(row["cycle_start"]), row["channel"]) for row in world.published["model_performance"]]
    yield from keys_once(performance, performance, "model_performance")


def reasons_of_actions(world: World) -> Iterator[str]:
    """The impact's drivers sum to the impact; ranks run from 1."""
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in world.published["recommendation_reasons"]:
        groups[row["recommendation_id"], row["explains"]].append(row)
    for action in world.published["recommendations"]:
        mine = groups[action["recommendation_id"], "impact"]
        if not near(math.fsum(row["contribution"] for row in mine), action["expected_impact"]):
            yield differ(pair(action), "sum of impact drivers", math.fsum(row["contribution"] for row in mine), action["expected_impact"])
        if action["engagement_probability"] is not None and not groups.get((action["recommendation_id"], "engagement")):
            yield f"{pair(action)}: no reason for its engagement"
    for key, rows in groups.items():
        if sorted(row["driver_rank"] for row in rows) != list(range(1, len(rows) + 1)):
            yield f"{key}: driver ranks {sorted(row['driver_rank'] for row in rows)}"


def gaps_listed(world: World) -> Iterator[str]:
    reached = {row["hcp_id"] for row in world.published["recommendations"]}
    kinds = {pair(row): row for row in world.published["rejections"]}
    for row in world.published["gap_list"]:
        if row["hcp_id"] in reached:
            yield f"gap_list: {row['hcp_id']} has an action"
        rejected = kinds[row["hcp_id"], row["best_channel"]]
        if (row["reason_kind"], row["rule"], row["value_short"]) != (rejected["reason_kind"], rejected["rule"], rejected["value_short"]):
            yield differ(row["hcp_id"], "reason", row["reason_kind"], rejected["reason_kind"])


Promise = Callable[[World], Iterator[str]]
PROMISES: tuple[Promise, ...] = (
    every_pair_once,
    eligible_days,
    rules_inside_hcps,
    limits_kept,
    constraint_rows,
    plan_values,
    price_bound,
    reasons,
    price_costs,
    priorities,
    columns_of_actions,
    columns_of_scores,
    owners,
    timeline,
    sums,
    runs_and_models,
    reasons_of_actions,
    gaps_listed,
    *ARM_PROMISES,
)
