"""Three HCPs, two channels and the tables the planner reads about them, solved through `nba.planning`."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pyarrow as pa

from nba.planning import solve_plan

RULES = {
    "budget": ["channel", "territory_id", "max_cost"],
    "channel_capacity": ["channel", "territory_id", "min_actions", "max_actions"],
    "rep_capacity": ["rep_id", "territory_id", "channel", "max_minutes", "max_actions"],
    "contact_limit": ["channel", "attribute", "value", "max_actions", "window_days"],
    "exclusion": ["hcp_id", "channel", "reason", "valid_from", "valid_to"],
    "consent": ["hcp_id", "channel", "status", "captured_at", "expires_at"],
    "access": ["rep_access", "channel"],
    "channel_window": ["channel", "territory_id", "available_from", "available_to"],
    "min_gap": ["last_channel", "channel", "min_days"],
    "incompatible": ["channel_a", "channel_b"],
    "coverage_floor": ["territory_id", "attribute", "operator", "value", "channel", "min_hcps", "hardness"],
    "override": ["hcp_id", "channel", "action", "reason", "valid_from", "valid_to", "created_by"],
    "holdout": ["arm", "share", "unit", "redraw_cycles", "resource_share"],
}


def config(**changes):
    row = {
        "cycle_start": date(2026, 1, 5),
        "cycle_end": date(2026, 2, 2),
        "overlap": 0.1,
        "floor_penalty": None,
        "gap": 1e-4,
        "node_limit": 2000,
        "seed": 7,
    }
    return pa.Table.from_pylist([row | changes])


def world(rules=None, impact=None):
    """Three HCPs, a rep channel (30 minutes, cost 100) and mail (cost 1); h3 has no rep."""
    impact = {"h1": (5.0, 1.0), "h2": (4.0, 2.0), "h3": (9.0, -1.0)} if impact is None else impact
    hcps = pd.DataFrame(
        {"hcp_id": ["h1", "h2", "h3"], "territory_id": ["T1", "T1", None], "rep_id": ["r1", "r1", None], "rep_access": ["open"] * 3}
    )
    catalog = pd.DataFrame(
        {"channel": ["visit", "mail"], "label": ["Visit", "Mail"], "unit_cost": [100.0, 1.0], "rep_minutes": [30.0, 0.0]}
        | {"requires_consent": [False, False], "max_touches": [3, 1]}
    )
    scores = pd.DataFrame(
        [
            {"hcp_id": h, "channel": c, "expected_impact": v}
            for h, values in impact.items()
            for c, v in zip(("visit", "mail"), values, strict=True)
        ]
    )
    engagement = pd.DataFrame(
        {"hcp_id": ["h1"], "channel": ["mail"], "period_start": [date(2025, 12, 22)], "period_end": [date(2025, 12, 29)]}
        | {"touches": [1], "responses": [0], "content_id": [None], "known_from": [date(2025, 12, 29)]}
    )
    tables = {
        "stg_hcp_master": hcps,
        "stg_catalog": catalog,
        "score_impact": scores,
        "stg_engagement": engagement,
        "stg_prior_actions": pd.DataFrame(columns=["hcp_id", "channel", "latest_date"]),
        "input_fingerprint": pd.DataFrame({"input_fingerprint": ["f" * 64]}),
        "engagement_model": pd.DataFrame({"model_version": ["m1"]}),
    }
    tables |= {f"stg_rule_{name}": pd.DataFrame(columns=columns) for name, columns in RULES.items()}
    for name, rows in (rules or {}).items():
        tables[f"stg_rule_{name}"] = pd.DataFrame(rows, columns=RULES[name])
    return tables


def solved(rules=None, impact=None, **changes):
    """(the table `plan_solution`, lines said)"""
    lines = []
    return solve_plan(world(rules, impact), config(**changes), lines.append), lines
