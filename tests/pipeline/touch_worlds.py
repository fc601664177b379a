"""Small random worlds in which several touches of a channel pay, solved without dbt and told as `published` would tell them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from contract_reference import Row, Switches, World
from odd_worlds import CYCLE_START, Tables, keep_hcps, ordinary, rows, staged

from nba.plan_outputs import rows_of
from nba.planning import solve_plan

START = date.fromisoformat(CYCLE_START)
OVERLAPS = (0.0, 0.02, 0.1, 0.3)
LIMIT_COLUMNS = (
    "limit_id",
    "rule",
    "side",
    "unit",
    "channel",
    "territory_id",
    "rep_id",
    "attribute",
    "value",
    "limit_value",
    "used",
    "price",
)
FLOOR_COLUMNS = ("requested", "effective", "shortfall", "hardness")


def touch_tables(seed: int, hcps: int = 18) -> Tables:
    """An ordinary world of few HCPs with room for up to three touches of a channel and five of an HCP, and every rule that counts them."""
    rng = np.random.default_rng(seed)
    made = {name: frame.copy() for name, frame in ordinary().items()}
    keep_hcps(made, hcps)
    catalog = made["engagement_action_catalog"]
    for channel in ("email", "display_ad"):
        catalog.loc[catalog["channel"] == channel, "max_touches"] = 3
    for name in ("rule_budget", "rule_channel_capacity", "rule_rep_capacity", "rule_contact_limit", "rule_min_gap", "rule_coverage_floor"):
        made[name] = made[name].iloc[:0]
    ids = made["hcp_master"]["hcp_id"]
    rows(made, "rule_budget", {"max_cost": float(rng.integers(400, 1500))}, {"channel": "display_ad", "max_cost": 60.0})
    rows(
        made,
        "rule_channel_capacity",
        {"channel": "email", "min_actions": int(rng.integers(2, 9)), "max_actions": int(rng.integers(10, 22))},
        {"territory_id": "*", "max_actions": int(rng.integers(15, 40))},
    )
    rows(
        made,
        "rule_rep_capacity",
        {"rep_id": "*", "max_minutes": float(rng.integers(10, 40) * 10)},
        {"channel": "phone_call", "max_actions": 5},
    )
    rows(
        made,
        "rule_contact_limit",
        {"max_actions": int(rng.integers(4, 6))},
        {"channel": "email", "max_actions": 4, "window_days": int(rng.integers(15, 50))},
        {"attribute": "rep_access", "value": "no_see", "max_actions": 2},
    )
    rows(
        made,
        "rule_min_gap",
        {"last_channel": "email", "channel": "email", "min_days": int(rng.integers(6, 16))},
        {"last_channel": "display_ad", "channel": "display_ad", "min_days": int(rng.integers(1, 10))},
        {"last_channel": "rep_visit", "channel": "phone_call", "min_days": int(rng.integers(3, 20))},
    )
    rows(
        made,
        "rule_coverage_floor",
        {"attribute": "decile", "operator": ">=", "value": "5", "min_hcps": int(rng.integers(3, 9)), "hardness": "soft"},
        {"channel": "*", "min_hcps": 4, "hardness": "hard"},
    )
    rows(made, "rule_override", {"hcp_id": ids[1], "channel": "display_ad", "action": "pin", "reason": "promised", "created_by": "m"})
    made["prior_actions"] = _prior_actions(list(ids), rng)
    return made


def _prior_actions(ids: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Touches of an earlier plan that history does not cover, two plans of one HCP among them. None for the pinned HCP."""
    some = [(hcp, channel) for hcp in ids for channel in ("email", "display_ad", "rep_visit") if hcp != ids[1] and rng.random() < 0.15]
    days = [START - timedelta(days=int(rng.integers(1, 12))) for _ in some]
    frame = pd.DataFrame(some, columns=["hcp_id", "channel"]).assign(latest_date=days, touches=rng.integers(1, 4, len(some)))
    again = frame.head(2).assign(latest_date=frame["latest_date"].head(2) - pd.Timedelta(days=7), touches=2)
    return pd.concat([frame, again], ignore_index=True)


def solved_world(seed: int) -> World:
    """The planner's answer to the world, as the second reading of the contract wants to see it."""
    tables, switches = touch_tables(seed), Switches(overlap=OVERLAPS[seed % len(OVERLAPS)])
    rng = np.random.default_rng(seed + 1000)
    given = staged(tables) | {"stg_prior_actions": tables["prior_actions"]}
    scores = given["score_impact"]
    # values of their own for every pair, some of them harmful, that of the pin among them
    scores["expected_impact"] *= np.where(rng.random(len(scores)) < 0.08, -1.0, rng.uniform(0.6, 1.4, len(scores)))
    pin = tables["rule_override"].iloc[0]
    scores.loc[(scores["hcp_id"] == pin["hcp_id"]) & (scores["channel"] == pin["channel"]), "expected_impact"] = -0.02
    config = {"cycle_start": START, "cycle_end": START + timedelta(days=28), "overlap": switches.overlap, "floor_penalty": None}
    config |= {"gap": switches.gap, "node_limit": 20000, "seed": 7, "step_limits": 0}
    solution = solve_plan(given, pd.DataFrame([config]), say=lambda line: None)
    inputs = {name: plain_rows(frame) for name, frame in tables.items()}
    return World(inputs, _published(solution, given, inputs["hcp_master"]), switches)


def _published(solution: Any, given: Mapping[str, pd.DataFrame], hcps: list[Row]) -> dict[str, list[Row]]:
    """The tables that the promises about the plan read; emulated: the marts that select them."""
    told = {kind: plain_rows(rows_of(solution, kind)) for kind in ("run", "limit", "pair", "block", "conflict")}
    assert not told["conflict"], told["conflict"]
    rep = {row["hcp_id"]: row.get("rep_id") for row in hcps}
    value = {(row["hcp_id"], row["channel"]): row["expected_impact"] for row in plain_rows(given["score_impact"])}
    pairs = [row | {"expected_impact": value[row["hcp_id"], row["channel"]], "rep_id": rep[row["hcp_id"]]} for row in told["pair"]]
    planned = [row for row in pairs if row["touches"]]
    return {
        "plan_summary": [told["run"][0] | {"cycle_start": START}],
        "hcp_channel_scores": pairs,
        "recommendations": planned,
        "rejections": [row for row in pairs if not row["touches"]],
        "pair_blocks": told["block"],
        "constraint_prices": [dict.fromkeys((*LIMIT_COLUMNS, *FLOOR_COLUMNS)) | row for row in told["limit"]],
        "assignments": [row | {"arm": "plan"} for row in hcps],
        "explore_distribution": [],
        "hcps": hcps,
    }


def plain_rows(frame: pd.DataFrame) -> list[Row]:
    """Rows of plain Python values: nulls as None, days as dates, whole numbers as int."""
    return [{name: _plain(cell) for name, cell in row.items()} for row in frame.astype(object).to_dict("records")]


def _plain(cell: Any) -> Any:
    if cell is None or cell is pd.NaT or cell is pd.NA or (isinstance(cell, float) and cell != cell):
        return None
    if isinstance(cell, np.generic):
        return cell.item()
    if isinstance(cell, pd.Timestamp):
        return cell.to_pydatetime() if cell != cell.normalize() else cell.date()
    return cell.date() if isinstance(cell, datetime) and cell.time() == datetime.min.time() else cell
