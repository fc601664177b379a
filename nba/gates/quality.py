"""What a gate found, as rows: the suites of one side of the house, run on the profile of this run beside that of the last good one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nba.gates.limits import Limits
from nba.gates.profile import Profile, Sides
from nba.gates.running import COLUMNS, Suite, run_suites, suite_of

if TYPE_CHECKING:
    import pyarrow as pa

DOUBLES = ("observed", "at_least", "at_most")


def boundary_tables(side: str) -> tuple[ModuleType, ...]:
    """Modules of the suites on the way in (`inputs`) or out (`plan`)."""
    if side == "inputs":
        from expectations import engagement_action_catalog, engagement_history, hcp_master, kpi_metrics, rules

        return (hcp_master, engagement_history, kpi_metrics, engagement_action_catalog, rules)
    from expectations import channel_usage, hcp_channel_scores, plan_summary, recommendations

    return (recommendations, hcp_channel_scores, plan_summary, channel_usage)


def sides_of(run: Mapping[str, Any], now: pa.Table, before: pa.Table) -> Sides:
    """Both runs; `run` is the row of run_config, `now` and `before` are profiles (`before` empty on a first run)."""
    ours, theirs = Profile.of_arrow(now), Profile.of_arrow(before)
    kept, known = (ours.amount("hcp_master", measure) for measure in ("kept_hcps", "hcps_before"))
    cycle_start = run["cycle_start"]
    return Sides(
        now=ours,
        before=theirs,
        min_hcps=run["gate_min_hcps"],
        now_hcps=ours.amount("hcp_master", "rows"),
        before_hcps=theirs.amount("hcp_master", "rows"),
        same_hcps=kept / known if known > 0 else float("nan"),
        recent_periods=run["window_long"],
        cycle_start=cycle_start if type(cycle_start) is date else cycle_start.date(),
    )


def suites(side: str, run: Mapping[str, Any], now: pa.Table, before: pa.Table) -> list[Suite]:
    """The suites of one side with their facts."""
    sides, limits = sides_of(run, now, before), Limits.of_run(run)
    return [suite_of(module, sides, limits) for module in boundary_tables(side)]


def quality(side: str, run: Mapping[str, Any], now: pa.Table, before: pa.Table, last_good: Sequence[Mapping[str, Any]]) -> pa.Table:
    """One row for each expectation: run_id, cycle_start, compared_with (run id, null on a first run) and the columns of a result."""
    import pyarrow as pa

    results = run_suites(suites(side, run, now, before), Limits.of_run(run))
    kinds = {name: pa.float64() if name in DOUBLES else pa.int64() if name == "row_count" else pa.string() for name in COLUMNS}
    head = {"run_id": run["run_id"], "cycle_start": run["cycle_start"], "compared_with": last_good[0]["run_id"] if last_good else None}
    schema = pa.schema({"run_id": pa.string(), "cycle_start": pa.date32(), "compared_with": pa.string(), **kinds})
    return pa.Table.from_pylist([head | result for result in results], schema)
