"""The world of nba.simulate as a world of the impact benchmark: its files turned into what staging makes of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.impact.worlds import ImpactWorld, limits_of, settings_of
from nba.simulate.channels import CHANNELS
from nba.simulate.periods import Calendar
from nba.simulate.world import World, simulate_world, truth_table

NEVER = np.datetime64("9999-12-31")


def draw_base(hcps: int, weeks: int, seed: int, grain: str) -> ImpactWorld:
    """The world of nba.simulate with its own truth."""
    world = simulate_world(hcps, weeks, seed, grain)
    chunks = list(world.chunks())
    given = {name: pa.concat_tables([c.tables[name] for c in chunks]) for name in ("hcp_master", "engagement_history", "kpi_metrics")}
    truth = pa.concat_tables([truth_table(c) for c in chunks])
    rep = np.concatenate([c.population.rep for c in chunks])
    return ImpactWorld(
        name="base",
        tables={
            "hcps": _hcps(given["hcp_master"]),
            "engagement": _engagement(given["engagement_history"], world.calendar),
            "kpi": _kpi(given["kpi_metrics"], world.calendar),
            "catalog": _catalog(world),
        },
        truth=truth.select(["hcp_id", "channel", "true_impact", "true_impact_long"]),
        limits=limits_of(CHANNELS, rep),
        cycle_start=world.calendar.cycle_start.item(),
        settings=settings_of("base", "the world that ships: one bounded curve over all channels, fatigue, shocks", world.calendar, seed),
    )


def _hcps(master: pa.Table) -> pa.Table:
    """Columns of stg_hcp_master: an unknown access is restricted, numbers are double."""
    out = master.set_column(master.column_names.index("rep_access"), "rep_access", pc.fill_null(master["rep_access"], "restricted"))
    for name in ("decile", "years_in_practice"):
        out = out.set_column(out.column_names.index(name), name, out[name].cast(pa.float64()))
    return out


def _engagement(history: pa.Table, calendar: Calendar) -> pa.Table:
    """Columns of stg_engagement."""
    ends = _period_ends(history["period_start"], calendar)
    return pa.table(
        {
            "hcp_id": history["hcp_id"],
            "channel": history["channel"],
            "period_start": history["period_start"],
            "period_end": ends,
            "touches": history["touches"],
            "responses": history["responses"],
            "known_from": history["known_at"],
        }
    )


def _kpi(metrics: pa.Table, calendar: Calendar) -> pa.Table:
    """Columns of stg_kpi: a version holds until the next one of its cell is known."""
    rows = metrics.sort_by([("hcp_id", "ascending"), ("period_start", "ascending"), ("known_at", "ascending")])
    start, known = rows["period_start"].to_numpy(), rows["known_at"].to_numpy()
    hcp = pc.dictionary_encode(rows["hcp_id"].combine_chunks()).indices.to_numpy()
    until = np.full(len(known), NEVER, dtype="datetime64[D]")
    has_next = (hcp[1:] == hcp[:-1]) & (start[1:] == start[:-1])
    until[:-1][has_next] = known[1:][has_next]
    columns = {"hcp_id": rows["hcp_id"], "period_start": rows["period_start"], "period_end": _period_ends(rows["period_start"], calendar)}
    values = {"kpi_value": rows["kpi_value"], "market_value": rows["market_value"], "known_from": rows["known_at"]}
    return pa.table({**columns, **values, "known_until": pa.array(until)})


def _period_ends(starts: pa.ChunkedArray, calendar: Calendar) -> pa.Array:
    place = np.searchsorted(calendar.starts, starts.to_numpy().astype("datetime64[D]"))
    return pa.array(calendar.starts[place + 1])


def _catalog(world: World) -> pa.Table:
    """Columns of stg_catalog."""
    return world.catalog.append_column("records_responses", pa.array([c.records_responses for c in CHANNELS]))
