"""A world: drawn chunk by chunk, so that a million HCPs never have to be in memory at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from nba.simulate.channels import CHANNEL_NAMES, CHANNELS, PRACTICE_TYPES, SPECIALTIES, Channel
from nba.simulate.history import Panel, engagement_rows, kpi_rows, planned_anyway, run_panel
from nba.simulate.periods import Calendar, kpi_deliveries
from nba.simulate.population import Field, Population, draw_field, draw_population
from nba.simulate.rules import RULE_SCHEMAS, consent_rows, exclusion_rows, world_rules
from nba.simulate.settings import CHUNK_HCPS, WorldSettings
from nba.simulate.truth import Truth, true_impact

# The fixed streams of a world; chunk streams lie below _CHUNKS.
_FIELD, _DELIVERIES, _CHUNKS = 0, 1, 2
_GIVEN = ("Alex", "Kim", "Robin", "Sam", "Jo", "Lee", "Chris", "Max", "Ray", "Toni", "Pat", "Uli")
_FAMILY = ("Abel", "Baker", "Castro", "Dorn", "Evans", "Fischer", "Grant", "Huber", "Ivers", "Jansen", "Koch", "Lang", "Moreau")

CATALOG_SCHEMA = pa.schema(
    [
        ("channel", pa.string()),
        ("label", pa.string()),
        ("channel_type", pa.string()),
        ("unit_cost", pa.float64()),
        ("expected_uplift", pa.float64()),
        ("uplift_basis", pa.string()),
        ("rep_minutes", pa.float64()),
        ("requires_consent", pa.bool_()),
        ("max_touches", pa.int32()),
    ]
)


@dataclass(frozen=True)
class Chunk:
    """Up to 20,000 HCPs: who they are, what happened, what is true, and the rows of the contract's tables."""

    population: Population
    panel: Panel
    truth: Truth
    tables: dict[str, pa.Table]


@dataclass(frozen=True)
class World:
    """Everything about a world follows from its settings; chunks are drawn when asked for, each from its own stream."""

    settings: WorldSettings

    @property
    def calendar(self) -> Calendar:
        return self.settings.calendar

    @property
    def channels(self) -> tuple[Channel, ...]:
        return CHANNELS

    @cached_property
    def field(self) -> Field:
        return draw_field(self.settings, self._rng(_FIELD))

    @cached_property
    def deliveries(self) -> np.ndarray:
        return kpi_deliveries(self.calendar, self._rng(_DELIVERIES))

    def chunks(self) -> Iterator[Chunk]:
        """All chunks in the order of their HCPs."""
        for number in range(self.settings.chunks):
            yield self.chunk(number)

    def chunk(self, number: int) -> Chunk:
        """Draw one chunk; the same bytes every time."""
        first = number * CHUNK_HCPS
        size = min(CHUNK_HCPS, self.settings.hcps - first)
        people, play, record, rules = (self._rng(_CHUNKS, number, part) for part in range(4))
        population = draw_population(self.settings, self.field, first + 1, size, people)
        panel = run_panel(population, self.field, self.calendar, play)
        ids = hcp_ids(population)
        tables = {
            "hcp_master": self._master(population, ids, number),
            "engagement_history": engagement_rows(panel, ids, self.calendar, record),
            "kpi_metrics": kpi_rows(panel, ids, population, self.calendar, self.deliveries, record),
            "current_plan": self._current_plan(population, panel, ids, play),
            "rule_consent": consent_rows(population, ids, self.calendar, rules),
            "rule_exclusion": exclusion_rows(population, ids, self.calendar, rules),
        }
        truth = true_impact(population, panel.state, self.calendar)
        return Chunk(population, panel, truth, tables)

    @cached_property
    def first_chunk(self) -> Chunk:
        """The first 20,000 HCPs stand for all where the whole world needs a mean or an example."""
        return self.chunk(0)

    @cached_property
    def mean_impact(self) -> dict[str, float]:
        """True mean impact of one touch by channel, over the first chunk."""
        return dict(zip(CHANNEL_NAMES, (float(v) for v in self.first_chunk.truth.impact.mean(axis=1)), strict=True))

    @cached_property
    def catalog(self) -> pa.Table:
        """engagement_action_catalog: beliefs near the truth, but not equal to it."""
        rows = [
            {
                **{f: getattr(c, f) for f in CATALOG_SCHEMA.names if hasattr(c, f)},
                "expected_uplift": float(f"{max(self.mean_impact[c.channel], 0.0005) * c.belief:.3g}"),
                "uplift_basis": "touch",
            }
            for c in CHANNELS
        ]
        return pa.Table.from_pylist(rows, schema=CATALOG_SCHEMA)

    @cached_property
    def rules(self) -> dict[str, pa.Table]:
        """Every rule table that does not grow with the HCPs."""
        return world_rules(self.settings, self.field.territories, self._override_ids())

    def tables(self) -> dict[str, pa.Table]:
        """All input and rule tables in memory: for worlds that fit."""
        chunks = [chunk.tables for chunk in self.chunks()]
        grown = {name: pa.concat_tables([c[name] for c in chunks]) for name in chunks[0]}
        all_tables = {**grown, "engagement_action_catalog": self.catalog, **self.rules}
        return {name: all_tables[name] for name in self.table_names}

    @property
    def table_names(self) -> list[str]:
        """The tables that are written, inputs first."""
        return ["hcp_master", "engagement_history", "kpi_metrics", "engagement_action_catalog", "current_plan", *RULE_SCHEMAS]

    def _rng(self, *key: int) -> np.random.Generator:
        grain = 0 if self.settings.grain == "week" else 1
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.settings.seed, grain], spawn_key=key)))

    def _master(self, population: Population, ids: pa.Array, number: int) -> pa.Table:
        given, family = np.array(_GIVEN), np.array(_FAMILY)
        n = population.number
        moved = population.move_period
        names = np.char.add(np.char.add(given[n % len(given)], " "), family[n // len(given) % len(family)])
        starts = self.calendar.starts
        return pa.table(
            {
                "hcp_id": ids,
                # Made-up numbers: real ones never start with 0.
                "npi": _codes("", n, 10),
                "full_name": pa.array(names.tolist()),
                "specialty": pa.array(SPECIALTIES).take(pa.array(population.specialty)),
                "practice_type": pa.array(PRACTICE_TYPES).take(pa.array(population.practice)),
                "hco_id": _codes("O", number * CHUNK_HCPS + population.hco + 1, 7),
                "territory_id": _codes("T", population.territory + 1, 4),
                "rep_id": _codes("R", population.rep + 1, 5),
                "decile": pa.array(population.decile.astype(np.int32), mask=population.decile < 0),
                "rep_access": pa.array(["open", "restricted", "no_see"]).take(
                    pa.array(population.shown_access, mask=population.shown_access < 0)
                ),
                "crm_account_id": _codes("001", n, 12),
                "digital_affinity": pa.array(population.digital_affinity),
                "years_in_practice": pa.array(population.years_in_practice.astype(np.int32)),
                "aligned_since": pa.array(starts[np.maximum(moved, 0)], mask=moved < 0),
            }
        )

    def _current_plan(self, population: Population, panel: Panel, ids: pa.Array, rng: np.random.Generator) -> pa.Table:
        touches = planned_anyway(population, self.field, panel, self.calendar, rng).T
        hcp, channel = np.nonzero(touches)
        return pa.table(
            {
                "hcp_id": ids.take(pa.array(hcp)),
                "channel": pa.array(CHANNEL_NAMES).take(pa.array(channel)),
                "touches": pa.array(touches[hcp, channel].astype(np.int32)),
            }
        )

    def _override_ids(self) -> tuple[str, ...]:
        """The first HCPs without any consent or exclusion row: a pin on them cannot collide with another rule."""
        tables = self.first_chunk.tables
        taken = {*tables["rule_consent"]["hcp_id"].to_pylist(), *tables["rule_exclusion"]["hcp_id"].to_pylist()}
        return tuple(i for i in tables["hcp_master"]["hcp_id"].to_pylist() if i not in taken)[:2]


def hcp_ids(population: Population) -> pa.Array:
    """`H0000001` for the first HCP of the world."""
    return _codes("H", population.number, 7)


def truth_table(chunk: Chunk) -> pa.Table:
    """HCP x channel: the true impact of one touch at cycle start over the cycle and over the long horizon, and P(response)."""
    size, channels = chunk.population.size, len(CHANNELS)
    return pa.table(
        {
            "hcp_id": hcp_ids(chunk.population).take(pa.array(np.repeat(np.arange(size), channels))),
            "channel": pa.array(list(CHANNEL_NAMES)).take(pa.array(np.tile(np.arange(channels), size))),
            "true_impact": chunk.truth.impact.T.ravel(),
            "true_impact_long": chunk.truth.impact_long.T.ravel(),
            "true_probability": chunk.truth.response_probability.T.ravel(),
        }
    )


def _codes(prefix: str, numbers: np.ndarray, width: int) -> pa.Array:
    """Padded text codes; 0 is none (null)."""
    return pa.array([f"{prefix}{n:0{width}d}" if n else None for n in numbers.tolist()], type=pa.string())


def simulate_world(hcps: int, weeks: int, seed: int, grain: str = "week") -> World:
    """A world of `hcps` HCPs with `weeks` weeks of history (monthly: weeks / 4.345 months), ending at a fixed cycle start.

    Raises ValueError naming the field, its value and what it must be.
    """
    return World(WorldSettings(hcps=hcps, weeks=weeks, seed=seed, grain=grain))


def describe(world: World) -> dict[str, Any]:
    """The parameters of a world and its suggested cycle, for people: plain values, ready for JSON."""
    calendar, settings = world.calendar, world.settings
    return {
        "hcps": settings.hcps,
        "weeks": settings.weeks,
        "seed": settings.seed,
        "grain": settings.grain,
        "periods": calendar.periods,
        "nba_cycle_start": str(calendar.cycle_start),
        "cycle_end": str(calendar.cycle_end),
        "long_periods": calendar.long_periods,
        "extract_date": str(calendar.extract_date),
        "reps": world.field.reps,
        "territories": world.field.territories,
        "mean_true_impact": world.mean_impact,
        "channels": {c.channel: {f: getattr(c, f) for f in c.__dataclass_fields__} for c in CHANNELS},
    }
