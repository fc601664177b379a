"""A folder of inputs of 24 HCPs, three channels and 20 weeks, with rules that bind, for `nba load`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

FIRST_WEEK = date(2025, 1, 6)
WEEKS = 20
CHANNELS = ("email", "rep_visit", "webinar")
HCPS = tuple(f"{number:03d}" for number in range(24))


def write_world(folder: Path) -> Path:
    """One CSV file per table; returns the folder."""
    weeks = [(number, (FIRST_WEEK + timedelta(days=7 * number)).isoformat()) for number in range(WEEKS)]
    numbered = list(enumerate(HCPS))
    tables = {
        "hcp_master": (
            "hcp_id,full_name,specialty,territory_id,rep_id,decile,rep_access,years",
            [_hcp(n, hcp) for n, hcp in numbered],
        ),
        "engagement_history": (
            "hcp_id,channel,period_start,touches,responses",
            [
                f"{hcp},{channel},{week},{(n + w + c) % 3},{min((n + w + c) % 3, (w + n) % 2)}"
                for w, week in weeks
                for n, hcp in numbered
                for c, channel in enumerate(CHANNELS)
            ],
        ),
        "kpi_metrics": (
            "hcp_id,period_start,kpi_value",
            [f"{hcp},{week},{(n * w) % 7 + 0.25}" for w, week in weeks for n, hcp in numbered],
        ),
        "engagement_action_catalog": (
            "channel,unit_cost,expected_uplift,rep_minutes,requires_consent",
            ["email,1,0.2,0,true", "rep_visit,100,1.5,30,false", "webinar,20.5,0.6,0,false"],
        ),
        "rule_budget": ("channel,territory_id,max_cost", [",,900", "rep_visit,T1,300"]),
        "rule_rep_capacity": ("rep_id,territory_id,channel,max_minutes,max_actions", ["*,,,120,"]),
        "rule_consent": ("hcp_id,channel,status,captured_at,expires_at", [f"{hcp},email,opt_in,2025-02-01," for hcp in HCPS[:12]]),
        "rule_exclusion": ("hcp_id,channel,reason,valid_from,valid_to", ['003,,"on leave, until June\nor later",,']),
        "rule_min_gap": ("last_channel,channel,min_days", ["rep_visit,rep_visit,14"]),
    }
    for name, (header, rows) in tables.items():
        (folder / f"{name}.csv").write_text(_text(header, rows), "utf-8")
    return folder


def _hcp(n: int, hcp: str) -> str:
    """A line of hcp_master; the name holds what escapes go wrong on."""
    specialty, access = ("oncology", "cardiology")[n % 2], ("open", "restricted")[n % 2]
    return f'{hcp},"Dr. O\'Neill \\ {hcp}",{specialty},T{n % 3},R{n % 3},{n % 10 + 1},{access},{n}'


def _text(header: str, rows: Sequence[str]) -> str:
    return "\n".join([header, *rows]) + "\n"
