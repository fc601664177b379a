"""All measures of a panel in one pass, as findings and one verdict per channel. No model is fitted: rates, means and their spread."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nba.readiness.findings import PERIODS, Finding, about_tables, about_time, one_row, share_of
from nba.readiness.panel import NEWEST_OPEN, OVERLAP, STRATA, VARIATION, build_panel, grain_of
from nba.readiness.verdicts import Evidence, verdict

if TYPE_CHECKING:
    import duckdb

# 1.96 + 0.84: two-sided 5%, found in 80% of the cases
POWER = 2.8016
CONTROL_SHARES = (0.05, 0.10)


@dataclass(frozen=True)
class Channel:
    """What is known about a channel, and whether its effect can be estimated: `status` go, weak or no-go, with the reason in words."""

    name: str
    evidence: Evidence
    status: str
    reason: str


@dataclass(frozen=True)
class Readiness:
    """Grain, findings in the order of the report, and channels by name."""

    grain: str
    findings: tuple[Finding, ...]
    channels: tuple[Channel, ...]

    @property
    def is_go(self) -> bool:
        """Whether any channel's effect can be estimated."""
        return any(channel.status == "go" for channel in self.channels)


def assess(connection: duckdb.DuckDBPyConnection) -> Readiness:
    """Readiness of the tables of nba.readiness.sources on this connection."""
    grain = grain_of(connection)
    findings = [*about_tables(connection), *about_time(connection, grain)]
    has_panel = grain in PERIODS and build_panel(connection, grain, PERIODS[grain])
    if has_panel:
        connection.execute(STRATA)
        findings.append(_reported(connection))
    found = connection.execute(
        "select distinct channel from (from engagement_history select channel union all from engagement_action_catalog select channel) "
        "where channel is not null order by channel"
    ).fetchall()
    channels = []
    for (name,) in found:
        evidence = _evidence(connection, name, has_panel)
        channels.append(Channel(name, evidence, *verdict(evidence, grain)))
    return Readiness(grain, (*findings, *(_control(connection, grain) if has_panel else ())), tuple(channels))


def _reported(connection: duckdb.DuckDBPyConnection) -> Finding:
    """How many of the newest KPI periods are still coming in."""
    open_periods = float(one_row(connection, NEWEST_OPEN)[0])
    text = (
        f"the newest {open_periods:.0f} periods are still coming in and are left out below"
        if open_periods
        else "the newest period is complete"
    )
    return Finding("time", "kpi_metrics", "open_periods", open_periods, "periods", text)


def _evidence(connection: duckdb.DuckDBPyConnection, channel: str, has_panel: bool) -> Evidence:
    name = {"channel": channel}
    touches, hcps, answered, responses = one_row(
        connection,
        "select coalesce(sum(e.touches), 0), count(distinct e.hcp_id), "
        "coalesce(sum(e.touches) filter (e.responses is not null), 0), sum(e.responses) from engagement_history as e "
        "semi join hcp_master as h on e.hcp_id = h.hcp_id where e.channel = $channel and e.touches > 0",
        name,
    )
    all_hcps = one_row(connection, "select count(distinct hcp_id) from hcp_master")[0]
    listed, uplift, basis, needs_consent = one_row(
        connection,
        "select count(*), max(expected_uplift), max(uplift_basis), bool_or(requires_consent) "
        "from engagement_action_catalog where channel = $channel",
        name,
    )
    rate = share_of(responses, answered) if responses is not None else None
    if basis == "response" and uplift is not None:
        uplift = uplift * rate if rate is not None else None
    consenting = None
    if needs_consent:
        consenting = one_row(
            connection,
            "select count(*) from (select hcp_id, arg_max(status, captured_at) as status from rule_consent as c semi join hcp_master as h "
            "on c.hcp_id = h.hcp_id where channel = $channel or channel is null group by hcp_id) where status = 'opt_in'",
            name,
        )[0]
    facts = {
        "is_listed": bool(listed),
        "touches": float(touches),
        "hcps": int(hcps),
        "hcp_share": share_of(hcps, all_hcps),
        "answered_share": share_of(answered, touches) if touches else None,
        "response_rate": rate,
        "uplift": uplift,
        "consent_share": None if consenting is None else share_of(consenting, all_hcps),
        "top_share": _top_share(connection, channel) if has_panel and touches else None,
    }
    return Evidence(**facts, **(_design(connection, channel) if has_panel and touches else {}))


def _top_share(connection: duckdb.DuckDBPyConnection, channel: str) -> float | None:
    """Share of the touches that went to the fifth of the HCPs with the highest decile, else with the highest KPI."""
    found = one_row(
        connection,
        """
        with sized as (
            select h.hcp_id, count(*) over () as hcps,
                row_number() over (order by min(h.decile) desc nulls last, coalesce(avg(c.kpi), 0) desc, h.hcp_id) as place
            from hcp_master as h left join cells as c on h.hcp_id = c.hcp_id group by h.hcp_id
        )
        select sum(t.touches) filter (s.place <= ceil(0.2 * s.hcps)), sum(t.touches)
        from touched as t inner join sized as s on t.hcp_id = s.hcp_id where t.channel = $channel
        """,
        {"channel": channel},
    )
    return share_of(found[0] or 0.0, found[1] or 0.0)


def _design(connection: duckdb.DuckDBPyConnection, channel: str) -> dict[str, float | None]:
    name = {"channel": channel}
    cells, touched, overlapping = one_row(connection, OVERLAP, name)
    variation, noise, rows, hcps, clustered = one_row(connection, VARIATION, name)
    cycles = one_row(connection, "select count(distinct cycle) from strata")[0]
    freedom = (rows or 0) - (hcps or 0) - cycles + 1
    detectable = None
    if variation and variation > 1e-9 * (rows or 1) and freedom > 0:
        detectable = POWER * max(math.sqrt(noise / freedom / variation), math.sqrt(clustered) / variation)
    return {
        "overlap_share": share_of(overlapping or 0, cells or 0),
        "touched_share": share_of(touched or 0, cells or 0),
        "informative_touches": float(variation or 0.0),
        "detectable": detectable,
        "cycles": float(cycles),
    }


def _control(connection: duckdb.DuckDBPyConnection, grain: str) -> list[Finding]:
    """Smallest lift of the plan that one cycle of a control arm shows, each HCP compared with its own mean of the cycles before."""
    rows, hcps, cycles, noise, mean = one_row(
        connection,
        """
        with by_hcp as (select hcp_id, cycle, kpi, kpi - avg(kpi) over (partition by hcp_id) as rest from strata),
        residuals as (select hcp_id, cycle, kpi, rest - avg(rest) over (partition by cycle) as rest from by_hcp)
        select count(*), count(distinct hcp_id), count(distinct cycle), sum(rest * rest), avg(kpi) from residuals
        """,
    )
    found = []
    freedom = rows - hcps - cycles + 1
    before = max(min(cycles - 1, 12 // PERIODS[grain]), 1)
    for share in CONTROL_SHARES:
        control = round(share * hcps)
        if freedom <= 0 or control < 1 or control >= hcps:
            text = f"{hcps} HCPs and {cycles} cycles are too few to tell"
            found.append(Finding("control", f"{share:.0%}", "detectable_lift", None, "KPI units per HCP and cycle", text))
            continue
        error = math.sqrt(noise / freedom * (1 + 1 / before) * (1 / control + 1 / (hcps - control)))
        lift = POWER * error
        relative = f" ({100 * lift / mean:.1f}% of the mean KPI)" if mean and mean > 0 else ""
        text = f"{control} HCPs in the control arm show a lift of {lift:.3g} KPI units per HCP and cycle or more{relative}"
        found.append(Finding("control", f"{share:.0%}", "detectable_lift", lift, "KPI units per HCP and cycle", text))
    return found
