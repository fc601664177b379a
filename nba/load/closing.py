"""The closing lines of a load: what is there now, what is not used, and the next command."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from nba.load.tables import SCRATCH_SCHEMA

if TYPE_CHECKING:
    import duckdb

EMPTY_DATE = "YYYY-MM-DD"


def next_cycle_start(newest_period: date | None, grain: str | None) -> str:
    """The first period start after the newest period; a placeholder where the panel has none."""
    if newest_period is None or grain not in ("week", "month"):
        return EMPTY_DATE
    if grain == "week":
        return (newest_period + timedelta(days=7)).isoformat()
    return (newest_period.replace(day=1) + timedelta(days=32)).replace(day=1).isoformat()


def build_line(schema: str, cycle_start: str, switches: Mapping[str, Any], target: str | None) -> str:
    """The `dbt build` command for the loaded tables, ready for a shell: the user's own switches stay, places and the date are filled in."""
    import yaml

    given = {
        "input_schema": schema,
        **{
            name: value
            for name, value in switches.items()
            if name not in ("input_schema", "rule_schema", "input_tables", "input_database", "nba_cycle_start")
        },
    }
    pairs = [f"{name}: {_flow(yaml, value)}" for name, value in given.items()] + [f'nba_cycle_start: "{cycle_start}"']
    aim = f" --target {shlex.quote(target)}" if target else ""
    return f"dbt build{aim} --vars {shlex.quote('{' + ', '.join(pairs) + '}')}"


def _flow(yaml: Any, value: Any) -> str:
    """A value as one line of YAML."""
    return yaml.safe_dump(value, default_flow_style=True, width=10**9, allow_unicode=True).removesuffix("\n").removesuffix("\n...")


def consent_line(scratch: duckdb.DuckDBPyConnection) -> str:
    """Channels on which nobody may be contacted when nobody opted in, read from the catalogue of the scratch database."""
    columns = {row[0].lower() for row in scratch.sql(f"describe {SCRATCH_SCHEMA}.engagement_action_catalog").fetchall()}
    channels: list[str] = []
    if "requires_consent" in columns:
        found = scratch.sql(
            f"select cast(channel as text) from {SCRATCH_SCHEMA}.engagement_action_catalog "
            "where try_cast(cast(requires_consent as text) as boolean) order by 1"
        ).fetchall()
        channels = [channel for (channel,) in found]
    if not channels:
        return "rule_consent is empty; no channel of the catalogue requires consent."
    return f"rule_consent is empty, so nobody opted in: nobody may be contacted on {', '.join(channels)}."
