"""Worlds of the impact benchmark by name, as the tables an estimator gets, beside the truth it is judged by.

    world = draw_world("proportional", hcps=2000, weeks=78, seed=1)

Names: `base` (the world of nba.simulate) and the shapes of benchmarks.impact.shapes. The same arguments give the same world.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.impact.panel import Panel, play, true_impact
from benchmarks.impact.people import ACCESS, Floats, Ints, People, draw_people
from benchmarks.impact.shapes import SHAPES, Shape, raw_effect
from nba.simulate.channels import PRACTICE_TYPES, SPECIALTIES, Channel
from nba.simulate.periods import Calendar
from nba.simulate.settings import WorldSettings

NAMES = ("base", *SHAPES)
ATTRIBUTES = ("digital_affinity", "years_in_practice")
AIM = 1.5  # mean true impact of a touch over `Channel.effect`, where nothing else is said
NEVER = np.datetime64("9999-12-31")


@dataclass(frozen=True)
class Limits:
    """What a plan may use. unit_cost, rep_minutes, channel_actions (most touches of a channel in all; inf = no limit): (channels,).

    budget: cost of all actions. rep_capacity: minutes of each rep, (reps,). hcp_rep: rep of an HCP in the order of `hcps`, -1 = none.
    most_actions: touches per HCP.
    """

    unit_cost: Floats
    rep_minutes: Floats
    channel_actions: Floats
    budget: float
    rep_capacity: Floats
    hcp_rep: Ints
    most_actions: int = 2


@dataclass(frozen=True)
class ImpactWorld:
    """tables: hcps, engagement, kpi, catalog. truth: hcp_id, channel, true_impact, true_impact_long for every pair, HCP by HCP.

    settings: words for a reader and the switches an estimator needs (grain, cycle_periods, kpi_absent, attributes).
    """

    name: str
    tables: dict[str, pa.Table]
    truth: pa.Table
    limits: Limits
    cycle_start: Any
    settings: dict[str, Any]

    @property
    def channels(self) -> list[str]:
        return self.tables["catalog"]["channel"].to_pylist()

    def true_matrix(self, column: str = "true_impact") -> Floats:
        """The truth as (hcps, channels), in the order of `hcps` and of the catalogue."""
        return self.truth[column].to_numpy().reshape(self.tables["hcps"].num_rows, len(self.channels))


def draw_world(name: str, hcps: int, weeks: int, seed: int, grain: str | None = None) -> ImpactWorld:
    """One world. grain: `week`, `month`, or None for the shape's own. ValueError names what is wrong."""
    if name not in NAMES:
        raise ValueError(f"world {name!r} must be one of {', '.join(NAMES)}")
    if name == "base":
        from benchmarks.impact.base_world import draw_base

        return draw_base(hcps, weeks, seed, grain or "week")
    shape = SHAPES[name]
    calendar = WorldSettings(hcps, weeks, seed, grain or shape.grain).calendar
    return _assemble(name, shape, calendar, hcps, seed)


def build_shape(name: str, calendar: Calendar, hcps: int, seed: int) -> tuple[People, Floats, Panel, np.random.Generator]:
    """People, effects (channels, n) and the panel of a shape; the generator goes on to the records."""
    shape = SHAPES[name]
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, list(SHAPES).index(name)])))
    # What a specialty likes belongs to the shape, not to the seed: else no model could learn it from other worlds.
    tastes = np.random.Generator(np.random.PCG64(list(SHAPES).index(name))).normal(0.0, 0.3, (len(shape.channels), len(SPECIALTIES)))
    people = draw_people(hcps, calendar.periods, shape.channels, tastes, shape.bond, rng)
    effect = _aimed(shape, people, raw_effect(shape, people, rng), calendar, rng)
    zeal = np.exp(rng.normal(0.0, 0.25, people.reps))
    return people, effect, play(shape, people, effect, zeal, calendar, rng), rng


def _aimed(shape: Shape, people: People, effect: Floats, calendar: Calendar, rng: np.random.Generator) -> Floats:
    """Effects scaled so that a touch without other promotion brings the aim on average, which differs by 10% between seeds."""
    from benchmarks.impact.panel import State

    aim = shape.aim * AIM * np.array([c.effect for c in shape.channels]) * (shape.price or 1.0)
    aim = aim * np.exp(0.1 * rng.standard_normal(len(aim)))
    sign = np.array([-1.0 if c.channel in shape.negative else 1.0 for c in shape.channels])
    nothing = State(np.zeros_like(effect), np.zeros(people.size), people.base)
    effect = 0.1 * sign[:, None] * effect
    for _ in range(3):
        found = true_impact(shape, people, effect, nothing, calendar)[0].mean(axis=1) * sign
        effect = effect * np.clip(np.divide(aim, found, out=np.ones_like(aim), where=found > 0), 0.1, 10.0)[:, None]
    return effect


def _assemble(name: str, shape: Shape, calendar: Calendar, hcps: int, seed: int) -> ImpactWorld:
    people, effect, panel, rng = build_shape(name, calendar, hcps, seed)
    impact, impact_long = true_impact(shape, people, effect, panel.state, calendar)
    ids = codes("H", np.arange(hcps) + 1, 7)
    tables = {
        "hcps": _hcps(people, ids),
        "engagement": _engagement(shape, panel, ids, calendar, rng),
        "kpi": _kpi(shape, people, panel, ids, calendar, rng),
        "catalog": _catalog(shape, impact.mean(axis=1), rng),
    }
    return ImpactWorld(
        name=name,
        tables=tables,
        truth=truth_rows(ids, [c.channel for c in shape.channels], impact, impact_long),
        limits=limits_of(shape.channels, people.rep),
        cycle_start=calendar.cycle_start.item(),
        settings=settings_of(name, shape.words, calendar, seed),
    )


def settings_of(name: str, words: str, calendar: Calendar, seed: int) -> dict[str, Any]:
    """What a reader and an estimator want to know about a world."""
    return {
        "name": name,
        "words": words,
        "seed": seed,
        "grain": calendar.grain,
        "cycle_periods": calendar.cycle_periods,
        "kpi_absent": "zero",
        "attributes": ATTRIBUTES,
    }


def limits_of(channels: tuple[Channel, ...], rep: Ints) -> Limits:
    """Limits under which about a third of the HCPs get a visit and no channel reaches everybody."""
    hcps, minutes = len(rep), np.array([c.rep_minutes for c in channels])
    share = 0.3 if len(channels) > 1 else 1.0
    served = np.bincount(rep[rep >= 0], minlength=rep.max() + 1)
    return Limits(
        unit_cost=np.array([c.unit_cost for c in channels]),
        rep_minutes=minutes,
        channel_actions=np.where(minutes > 0, np.inf, max(1.0, round(share * hcps * min(1.0, 6 / len(channels))))),
        budget=36.0 * hcps,
        rep_capacity=np.maximum(30.0, np.round(10.0 * served)),
        hcp_rep=rep,
    )


def truth_rows(ids: pa.Array, channels: list[str], impact: Floats, impact_long: Floats) -> pa.Table:
    """HCP x channel: the true impact over the cycle and the long horizon; inputs (channels, n)."""
    size, width = len(ids), len(channels)
    return pa.table(
        {
            "hcp_id": ids.take(pa.array(np.repeat(np.arange(size), width))),
            "channel": pa.array(channels).take(pa.array(np.tile(np.arange(width), size))),
            "true_impact": impact.T.ravel(),
            "true_impact_long": impact_long.T.ravel(),
        }
    )


def codes(prefix: str, numbers: np.ndarray, width: int) -> pa.Array:
    """Padded text codes."""
    return pa.array([f"{prefix}{n:0{width}d}" for n in numbers.tolist()], type=pa.string())


def _hcps(people: People, ids: pa.Array) -> pa.Table:
    """Columns of stg_hcp_master."""
    n = np.arange(people.size) + 1
    return pa.table(
        {
            "hcp_id": ids,
            "npi": codes("", n, 10),
            "full_name": codes("HCP ", n, 7),
            "specialty": pa.array(SPECIALTIES).take(pa.array(people.specialty)),
            "practice_type": pa.array(PRACTICE_TYPES).take(pa.array(people.practice)),
            "hco_id": codes("O", people.hco + 1, 7),
            "territory_id": codes("T", people.territory + 1, 4),
            "rep_id": codes("R", people.rep + 1, 5),
            "decile": pa.array(people.decile.astype(np.float64)),
            "rep_access": pa.array(ACCESS).take(pa.array(people.access)),
            "crm_account_id": codes("001", n, 12),
            "digital_affinity": pa.array(people.digital_shown),
            "years_in_practice": pa.array(people.years.astype(np.float64)),
        }
    )


def _engagement(shape: Shape, panel: Panel, ids: pa.Array, calendar: Calendar, rng: np.random.Generator) -> pa.Table:
    """Columns of stg_engagement; one row in ten is known a week late, 3% of responses are unknown."""
    period, channel, hcp = np.nonzero(panel.touches)
    silent = ~np.array([c.records_responses for c in shape.channels])[channel] | (rng.random(len(hcp)) < 0.03)
    ends = calendar.starts[period + 1]
    late = np.where(rng.random(len(hcp)) < 0.1, 7, 0).astype("timedelta64[D]")
    return pa.table(
        {
            "hcp_id": ids.take(pa.array(hcp)),
            "channel": pa.array([c.channel for c in shape.channels]).take(pa.array(channel)),
            "period_start": pa.array(calendar.starts[period]),
            "period_end": pa.array(ends),
            "touches": pa.array(panel.touches[period, channel, hcp].astype(np.int32)),
            "responses": pa.array(panel.responses[period, channel, hcp].astype(np.int32), mask=silent),
            "known_from": pa.array(ends + late),
        }
    )


def _kpi(shape: Shape, people: People, panel: Panel, ids: pa.Array, calendar: Calendar, rng: np.random.Generator) -> pa.Table:
    """Columns of stg_kpi: known three to five weeks late (monthly: 26 days), 2% of the cells restated; no row where nothing happened."""
    number = np.arange(calendar.periods)[:, None]
    is_shown = (panel.market != 0) | (panel.kpi != 0) | (number == people.first_period)
    period, hcp = np.nonzero(is_shown & (number >= people.first_period))
    ends = calendar.starts[period + 1]
    lag = 26 if calendar.grain == "month" else 21 + 7 * ((calendar.periods - period) % 3)
    known = ends + np.broadcast_to(lag, period.shape).astype("timedelta64[D]")
    kpi, market = panel.kpi[period, hcp], panel.market[period, hcp]
    restated = np.flatnonzero((rng.random(len(hcp)) < 0.02) & (kpi > 0))
    later = known[restated] + np.timedelta64(21, "D")
    missing = np.floor(kpi[restated] * 0.5 + 0.5)
    until = np.full(len(hcp), NEVER, dtype="datetime64[D]")
    until[restated] = later

    def both(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return np.concatenate([first, second])

    early = kpi.copy()
    early[restated] -= missing
    early_market = market.copy()
    early_market[restated] -= missing
    return pa.table(
        {
            "hcp_id": ids.take(pa.array(both(hcp, hcp[restated]))),
            "period_start": pa.array(calendar.starts[both(period, period[restated])]),
            "period_end": pa.array(both(ends, ends[restated])),
            "kpi_value": pa.array(both(early, kpi[restated])),
            "market_value": pa.array(both(early_market, market[restated])),
            "known_from": pa.array(both(known, later)),
            "known_until": pa.array(both(until, np.full(len(restated), NEVER, dtype="datetime64[D]"))),
        }
    )


def _catalog(shape: Shape, mean_impact: Floats, rng: np.random.Generator) -> pa.Table:
    """Columns of stg_catalog: beliefs around the truth, or as wrong as the shape says; something where the truth is nothing."""
    belief, wrong = np.exp(rng.normal(0.0, 0.3, len(mean_impact))), dict(shape.wrong)
    rows = []
    for position, channel in enumerate(shape.channels):
        truth = abs(mean_impact[position]) or AIM * channel.effect
        uplift = truth * wrong[channel.channel] if channel.channel in wrong else truth * belief[position]
        rows.append(catalog_row(channel, float(f"{uplift:.3g}")))
    return pa.Table.from_pylist(rows)


def catalog_row(channel: Channel, uplift: float) -> dict[str, Any]:
    """One row of stg_catalog."""
    shown = ("channel", "label", "channel_type", "unit_cost", "rep_minutes", "requires_consent", "max_touches", "records_responses")
    return {field: getattr(channel, field) for field in shown} | {"expected_uplift": uplift, "uplift_basis": "touch"}
