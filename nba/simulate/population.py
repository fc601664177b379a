"""Who the HCPs of a world are: what the master table shows of them, and what only the simulation knows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nba.simulate.channels import CHANNELS, SPECIALTIES, SPECIALTY_AFFINITY, SPECIALTY_SHARE, SPECIALTY_VOLUME
from nba.simulate.settings import WorldSettings

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

OPEN, RESTRICTED, NO_SEE = 0, 1, 2
MAX_REPS_PER_TERRITORY = 4


@dataclass(frozen=True)
class Field:
    """The sales force: one entry per rep, territories numbered from 0 and reps in order of their territory.

    activity: how much a rep calls against the average. vacant_from, vacant_to: periods without anybody in the seat.
    """

    territory: Ints
    activity: Floats
    vacant_from: Ints
    vacant_to: Ints

    @property
    def reps(self) -> int:
        return len(self.territory)

    @property
    def territories(self) -> int:
        return int(self.territory[-1]) + 1


def draw_field(settings: WorldSettings, rng: np.random.Generator) -> Field:
    """Reps into territories of one to four reps, their zeal, and the seats that were empty for a while."""
    sizes = rng.integers(1, MAX_REPS_PER_TERRITORY + 1, settings.reps)
    territory = np.repeat(np.arange(settings.reps), sizes)[: settings.reps]
    periods = settings.calendar.periods
    starts = rng.integers(0, periods, settings.reps)
    length = np.maximum(1, np.round(rng.integers(8, 17, settings.reps) / settings.calendar.weeks_per_period)).astype(int)
    is_vacant = rng.random(settings.reps) < 0.08
    return Field(
        territory=territory,
        activity=np.exp(rng.normal(0.0, 0.25, settings.reps)),
        vacant_from=np.where(is_vacant, starts, periods),
        vacant_to=np.where(is_vacant, starts + length, periods),
    )


@dataclass(frozen=True)
class Population:
    """n HCPs of one chunk. Arrays of n, channel arrays (channels, n). -1 stands for none or not known.

    Shown in the master: specialty, practice, hco, territory, rep, decile, access, digital_affinity, years_in_practice.
    Hidden: volume_z, market and base (prescriptions of the class and of the brand per week without promotion),
    headroom (most that promotion can add per week), trend (log per period), effect (promotion units per touch of an HCP
    that responds like the average), response_logit, first_period (periods = never seen), earlier_rep until move_period.
    """

    number: Ints
    specialty: Ints
    practice: Ints
    hco: Ints
    territory: Ints
    rep: Ints
    decile: Ints
    access: Ints
    shown_access: Ints
    digital_affinity: Floats
    years_in_practice: Ints
    volume_z: Floats
    market: Floats
    base: Floats
    headroom: Floats
    trend: Floats
    effect: Floats
    response_logit: Floats
    first_period: Ints
    earlier_rep: Ints
    move_period: Ints
    may_email: Flags

    @property
    def size(self) -> int:
        return len(self.number)


def draw_population(settings: WorldSettings, field: Field, first_number: int, size: int, rng: np.random.Generator) -> Population:
    """Draw one chunk of HCPs; `first_number` is the number of its first HCP in the world, from 1."""
    hco, territory, practice = _draw_practices(field, size, rng)
    rep = _rep_in(field, territory, rng)
    rep = np.where(rng.random(size) < 0.03, -1, rep)
    specialty = rng.choice(len(SPECIALTIES), size, p=SPECIALTY_SHARE)
    volume = 0.9 * rng.standard_normal(size) + np.array(SPECIALTY_VOLUME)[specialty] * 0.6
    shown_volume = volume + 0.35 * rng.standard_normal(size)
    market = 2.2 * np.exp(0.8 * volume)
    share = 1 / (1 + np.exp(1.2 - 0.5 * rng.standard_normal(size)))
    digital, years = _draw_digital(size, rng)
    access = rng.choice(3, size, p=[0.62, 0.23, 0.15])
    effect, response_logit = _draw_affinity(specialty, digital, access, rng)
    first_period = _draw_first_period(settings.calendar.periods, size, rng)
    is_moved = (rng.random(size) < 0.05) & (rep >= 0)
    move_period = np.where(is_moved, rng.integers(0, settings.calendar.periods, size), -1)
    digital_shown = 1 / (1 + np.exp(-1.4 * (digital + 0.5 * rng.standard_normal(size))))
    decile = np.clip(np.floor(10 * _normal_cdf(shown_volume / 1.03)) + 1, 1, 10).astype(int)
    never_seen = first_period == settings.calendar.periods
    return Population(
        number=first_number + np.arange(size),
        specialty=specialty,
        practice=practice,
        hco=hco,
        territory=territory,
        rep=rep,
        decile=np.where(never_seen & (rng.random(size) < 0.5), -1, decile),
        access=access,
        shown_access=np.where(rng.random(size) < 0.04, -1, access),
        digital_affinity=np.round(digital_shown, 2),
        years_in_practice=years,
        volume_z=volume,
        market=market,
        base=(market * share),
        headroom=(0.38 * market**0.8 * np.exp(0.25 * rng.standard_normal(size))),
        trend=((0.04 + 0.15 * rng.standard_normal(size)) * settings.calendar.weeks_per_period / 52),
        effect=effect,
        response_logit=response_logit,
        first_period=first_period,
        earlier_rep=np.where(is_moved, rng.integers(0, field.reps, size), -1),
        move_period=move_period,
        may_email=rng.random(size) < 0.68,
    )


def _draw_practices(field: Field, size: int, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Practice number within the chunk, its territory (-1 for a few), and its type; a practice has one to about ten HCPs."""
    hco = np.cumsum(rng.random(size) < 0.4)
    territory_of = np.where(rng.random(size + 1) < 0.006, -1, field.territory[rng.integers(0, field.reps, size + 1)])
    members = np.bincount(hco, minlength=size + 1)
    practice_of = np.where(members == 1, 0, np.where(members < 5, 1, rng.integers(1, 4, size + 1)))
    return hco, territory_of[hco], practice_of[hco]


def _rep_in(field: Field, territory: Ints, rng: np.random.Generator) -> Ints:
    first = np.searchsorted(field.territory, territory)
    count = np.searchsorted(field.territory, territory, side="right") - first
    return np.where(territory >= 0, first + np.floor(rng.random(len(territory)) * count).astype(int), -1)


def _draw_digital(size: int, rng: np.random.Generator) -> tuple[Floats, Ints]:
    """Digital affinity (standard normal, lower with age) and years in practice."""
    years_z = rng.standard_normal(size)
    digital = -0.5 * years_z + np.sqrt(0.75) * rng.standard_normal(size)
    return digital, np.clip(np.round(19 + 9 * years_z), 1, 48).astype(int)


def _draw_affinity(specialty: Ints, digital: Floats, access: Ints, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Effect of a touch and log-odds of a response, (channels, n): partly from what is shown, partly hidden."""
    effects, logits = [], []
    for position, channel in enumerate(CHANNELS):
        hidden = rng.standard_normal(len(specialty))
        affinity = channel.digital * digital + np.array(SPECIALTY_AFFINITY)[specialty, position] + 0.45 * hidden
        effect = channel.effect * np.exp(0.5 * affinity + 0.25 * rng.standard_normal(len(specialty)))
        if channel.rep_minutes > 0:
            effect *= np.array([1.0, 0.75, 0.25])[access]
        # Some who dislike digital contact are put off by it: a touch there costs a little.
        is_put_off = (channel.digital > 0) & (digital < -1.2) & (rng.random(len(specialty)) < 0.4)
        effects.append(np.where(is_put_off, -0.25 * effect, effect))
        logits.append(np.log(channel.response_rate / (1 - channel.response_rate)) + 0.8 * affinity)
    return np.array(effects), np.array(logits)


def _draw_first_period(periods: int, size: int, rng: np.random.Generator) -> Ints:
    """Most are there from the start, 5% come later, 3% are new at the cycle start and have no history at all."""
    kind = rng.random(size)
    later = rng.integers(0, max(1, int(0.7 * periods)), size)
    return np.where(kind < 0.03, periods, np.where(kind < 0.08, later, 0))


def _normal_cdf(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normal distribution function, to 1e-4 (Page, 1977): enough for a decile."""
    return 1 / (1 + np.exp(-(1.5976 * z + 0.07056 * z**3)))
