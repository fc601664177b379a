"""The rule tables of a world: scaled to its size, so that limits bind and a plan exists."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from nba.simulate.channels import CHANNEL_NAMES
from nba.simulate.periods import Calendar
from nba.simulate.population import Population
from nba.simulate.settings import WorldSettings

TEXT, DATE, REAL, WHOLE, STAMP = pa.string(), pa.date32(), pa.float64(), pa.int32(), pa.timestamp("s")

# Names, order and types of contract section 3.
RULE_SCHEMAS: dict[str, pa.Schema] = {
    "rule_budget": pa.schema([("channel", TEXT), ("territory_id", TEXT), ("max_cost", REAL)]),
    "rule_channel_capacity": pa.schema([("channel", TEXT), ("territory_id", TEXT), ("min_actions", WHOLE), ("max_actions", WHOLE)]),
    "rule_rep_capacity": pa.schema(
        [("rep_id", TEXT), ("territory_id", TEXT), ("channel", TEXT), ("max_minutes", REAL), ("max_actions", WHOLE)]
    ),
    "rule_contact_limit": pa.schema(
        [("channel", TEXT), ("attribute", TEXT), ("value", TEXT), ("max_actions", WHOLE), ("window_days", WHOLE)]
    ),
    "rule_exclusion": pa.schema([("hcp_id", TEXT), ("channel", TEXT), ("reason", TEXT), ("valid_from", DATE), ("valid_to", DATE)]),
    "rule_consent": pa.schema([("hcp_id", TEXT), ("channel", TEXT), ("status", TEXT), ("captured_at", STAMP), ("expires_at", DATE)]),
    "rule_access": pa.schema([("rep_access", TEXT), ("channel", TEXT)]),
    "rule_channel_window": pa.schema([("channel", TEXT), ("territory_id", TEXT), ("available_from", DATE), ("available_to", DATE)]),
    "rule_min_gap": pa.schema([("last_channel", TEXT), ("channel", TEXT), ("min_days", WHOLE)]),
    "rule_incompatible": pa.schema([("channel_a", TEXT), ("channel_b", TEXT)]),
    "rule_coverage_floor": pa.schema(
        [
            ("territory_id", TEXT),
            ("attribute", TEXT),
            ("operator", TEXT),
            ("value", TEXT),
            ("channel", TEXT),
            ("min_hcps", WHOLE),
            ("hardness", TEXT),
        ]
    ),
    "rule_holdout": pa.schema([("arm", TEXT), ("share", REAL), ("unit", TEXT), ("redraw_cycles", WHOLE), ("resource_share", REAL)]),
    "rule_override": pa.schema(
        [
            ("hcp_id", TEXT),
            ("channel", TEXT),
            ("action", TEXT),
            ("reason", TEXT),
            ("valid_from", DATE),
            ("valid_to", DATE),
            ("created_by", TEXT),
        ]
    ),
    "feature_definition": pa.schema([("feature_name", TEXT), ("label", TEXT), ("description", TEXT), ("unit", TEXT)]),
}
# Grow with the number of HCPs, so they are made chunk by chunk.
CHUNKED_RULES = ("rule_consent", "rule_exclusion")
CONSENT_CHANNELS = ("email", "phone_call", "webinar")


def _table(name: str, rows: list[tuple[Any, ...]]) -> pa.Table:
    schema = RULE_SCHEMAS[name]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.Table.from_arrays([pa.array(list(c), type=f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def world_rules(settings: WorldSettings, territories: int, override_ids: tuple[str, ...]) -> dict[str, pa.Table]:
    """Every rule table that does not grow with the HCPs. `override_ids`: HCPs free of blocks, for a pin and a forbid."""
    hcps, calendar = settings.hcps, settings.calendar
    per_territory, per_rep = hcps / territories, hcps / settings.reps
    # A month of work for one rep, short of what all visits worth making would take.
    minutes = max(60.0, round(10.0 * per_rep / 10) * 10.0)
    start = calendar.cycle_start
    webinars = [("webinar", None, hcps // 100 or None, max(2, hcps // 8))]
    rows: dict[str, list[tuple[Any, ...]]] = {
        "rule_budget": [
            (None, None, max(400.0, round(0.36 * hcps) * 100.0)),
            ("display_ad", None, max(20.0, float(round(0.4 * hcps)))),
            (None, "*", max(400.0, round(0.67 * per_territory) * 100.0)),
        ],
        "rule_channel_capacity": [*webinars, ("sample_drop", "*", None, max(2, round(0.12 * per_territory)))],
        "rule_rep_capacity": [("*", None, None, minutes, None), ("*", None, "rep_visit", None, max(2, int(minutes // 32)))],
        "rule_contact_limit": [(None, None, None, 2, None), ("email", None, None, 4, 28), (None, "rep_access", "no_see", 1, None)],
        "rule_access": [("no_see", "rep_visit"), ("no_see", "sample_drop"), ("restricted", "sample_drop")],
        "rule_channel_window": [("webinar", None, _day(start + 7), _day(start + 20))],
        "rule_min_gap": [
            ("rep_visit", "rep_visit", 14),
            ("email", "email", 7),
            ("rep_visit", "phone_call", 3),
            ("sample_drop", "sample_drop", 21),
        ],
        "rule_incompatible": [("rep_visit", "phone_call")],
        "rule_coverage_floor": [("*", "decile", ">=", "8", None, max(1, round(0.12 * per_territory)), "soft")],
        "rule_holdout": [],
        "rule_override": _overrides(override_ids, calendar),
        "feature_definition": [
            ("digital_affinity", "Digital affinity", "Share of the HCP's contacts that are digital, as the CRM estimates it", "share"),
            ("years_in_practice", "Years in practice", "Full years since the HCP's first licence", "years"),
        ],
    }
    return {name: _table(name, table) for name, table in rows.items()}


def _overrides(ids: tuple[str, ...], calendar: Calendar) -> list[tuple[Any, ...]]:
    day = _day(calendar.cycle_start)
    rows = [(i, "display_ad", "pin", "Launch list of the brand team", day, None, "brand.manager") for i in ids[:1]]
    return rows + [(i, "email", "forbid", "Asked the rep for a pause", day, None, "district.manager") for i in ids[1:2]]


def _day(day: np.datetime64) -> Any:
    return day.astype("datetime64[D]").item()


def consent_rows(population: Population, ids: pa.Array, calendar: Calendar, rng: np.random.Generator) -> pa.Table:
    """Consent of one chunk: e-mail for most, some expired or about to, some captured again; a few opt-outs elsewhere."""
    size, start = population.size, calendar.cycle_start
    agreed = population.may_email
    said_no = ~agreed & (rng.random(size) < 0.35)
    age = rng.integers(60, 900, size)
    expires = np.where(rng.random(size) < 0.25, rng.integers(-40, 300, size), 10_000)
    again = (agreed | said_no) & (rng.random(size) < 0.12)
    parts = [
        (np.flatnonzero(agreed), 0, True, age, expires),
        (np.flatnonzero(said_no), 0, False, age, np.full(size, 10_000)),
        # An earlier word that the later one overrules: the other way round for some.
        (np.flatnonzero(again), 0, rng.random(size) < 0.5, age + rng.integers(30, 400, size), np.full(size, 10_000)),
        (np.flatnonzero(rng.random(size) < 0.03), 1, False, age, np.full(size, 10_000)),
        (np.flatnonzero(rng.random(size) < 0.02), 2, rng.random(size) < 0.3, age, np.full(size, 10_000)),
    ]
    hcp = np.concatenate([p[0] for p in parts])
    channel = np.concatenate([np.full(len(p[0]), p[1]) for p in parts])
    opted_in = np.concatenate([np.broadcast_to(p[2], size)[p[0]] for p in parts])
    days = np.concatenate([p[3][p[0]] for p in parts])
    until = np.concatenate([p[4][p[0]] for p in parts])
    captured = (start - days.astype("timedelta64[D]")).astype("datetime64[s]") + rng.integers(7 * 3600, 19 * 3600, len(hcp))
    order = np.lexsort((captured, channel, hcp))
    columns = [
        ids.take(pa.array(hcp[order])),
        pa.array(CONSENT_CHANNELS).take(pa.array(channel[order])),
        pa.array(["opt_out", "opt_in"]).take(pa.array(opted_in[order].astype(int))),
        pa.array(captured[order]),
        pa.array((start + until.astype("timedelta64[D]"))[order], mask=(until == 10_000)[order]),
    ]
    return pa.Table.from_arrays(columns, schema=RULE_SCHEMAS["rule_consent"])


def exclusion_rows(population: Population, ids: pa.Array, calendar: Calendar, rng: np.random.Generator) -> pa.Table:
    """Exclusions of one chunk: a few HCPs are out entirely, for one channel, or for some days."""
    size, start = population.size, calendar.cycle_start
    kind = np.digitize(rng.random(size), [0.005, 0.01, 0.015])
    hcp = np.flatnonzero(kind < 3)
    kind = kind[hcp]
    reasons = pa.array(["Compliance review", "Does not take part in webinars", "Away"])
    first = start + rng.integers(-3, 12, len(hcp)).astype("timedelta64[D]")
    last = first + rng.integers(4, 25, len(hcp)).astype("timedelta64[D]")
    columns = [
        ids.take(pa.array(hcp)),
        pa.array(CHANNEL_NAMES).take(pa.array(np.full(len(hcp), CHANNEL_NAMES.index("webinar")), mask=kind != 1)),
        reasons.take(pa.array(kind)),
        pa.array(first, mask=kind != 2),
        pa.array(last, mask=kind != 2),
    ]
    return pa.Table.from_arrays(columns, schema=RULE_SCHEMAS["rule_exclusion"])
