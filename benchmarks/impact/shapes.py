"""The shapes of the worlds: how a touch turns into KPI (a functional form of its own each), and whom the field touches.

A form takes the people and the working promotion (effect x stock, (channels, n)) and says (factor, extra): the KPI's mean of a week is
base x shock x factor + extra. Factors stay positive and extras non-negative, so that no mean is ever cut at 0 and the truth stays exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.impact.people import Floats, People
from nba.simulate.channels import CHANNELS, Channel

Form = Callable[[People, Floats], tuple[Floats | float, Floats | float]]


@dataclass(frozen=True)
class Shape:
    """One kind of world. words: what it is. pull: factor on how strongly touches follow volume and recent KPI. busy: factor on touches.

    aim: mean true impact of a touch without other promotion, as a factor on `Channel.effect` in KPI units over a cycle; negative: channels
    that do harm. wrong: the catalogue's uplift as a factor on the truth by channel. seen_after: periods until the field sees a KPI.
    price: KPI units per prescription for a KPI that is no count. visible: size of the effect told by digital affinity and years.
    """

    words: str
    form: Form
    channels: tuple[Channel, ...] = CHANNELS
    grain: str = "week"
    pull: float = 1.0
    growth_pull: float = 1.0
    busy: float = 1.0
    aim: float = 1.0
    negative: tuple[str, ...] = ()
    wrong: tuple[tuple[str, float], ...] = ()
    seen_after: int = 3
    memory: float = 0.8
    bond: float = 0.0
    price: float | None = None
    digital_only: bool = False
    hidden: float = 0.25


def _additive(people: People, work: Floats) -> tuple[float, Floats]:
    return 1.0, work.sum(axis=0)


def _proportional(people: People, work: Floats) -> tuple[Floats, float]:
    return 1.0 + work.sum(axis=0), 0.0


def _potential(people: People, work: Floats) -> tuple[float, Floats]:
    return 1.0, (people.market - people.base) * (1 - np.exp(-work.sum(axis=0)))


def _saturating(people: People, work: Floats) -> tuple[float, Floats]:
    total = work.sum(axis=0)
    return 1.0, np.sqrt(people.market) * total / (1.0 + 2.5 * total)


def _digital(people: People, work: Floats) -> tuple[float, Floats]:
    return 1.0, people.market**0.15 * work.sum(axis=0)


def _none(people: People, work: Floats) -> tuple[float, float]:
    return 1.0, 0.0


def _power(people: People, work: Floats) -> tuple[float, Floats]:
    return 1.0, people.market**0.6 * ((1 + 4 * work.sum(axis=0)) ** 0.6 - 1)


def _exponential(people: People, work: Floats) -> tuple[Floats, float]:
    return np.exp(0.8 * (1 - np.exp(-work.sum(axis=0) / 0.8))), 0.0


def _crowded(people: People, work: Floats) -> tuple[float, Floats]:
    # Each channel tires by itself, and the sum is crowded out by what else is going on.
    own = np.log1p(4 * work) / 4
    return 1.0, people.market**0.8 * own.sum(axis=0) / (1 + own.sum(axis=0))


def _middle(people: People, work: Floats) -> tuple[float, Floats]:
    # The middle prescribers have most to gain: a hump over volume.
    return 1.0, np.exp(-0.5 * (people.volume - 0.3) ** 2) * np.log1p(work.sum(axis=0))


def _share(people: People, work: Floats) -> tuple[Floats, float]:
    # The brand's share moves on the logit scale.
    share = people.base / people.market
    return 1 / (share + (1 - share) * np.exp(-work.sum(axis=0))), 0.0


def _monthly(people: People, work: Floats) -> tuple[Floats, Floats]:
    total = 1 - np.exp(-work.sum(axis=0))
    return 1.0 + 0.6 * total, 0.3 * np.sqrt(people.market) * total


def _bond(people: People, work: Floats) -> tuple[float, Floats]:
    return 1.0, np.sqrt(people.market) * np.log1p(work.sum(axis=0))


def _negative(people: People, work: Floats) -> tuple[Floats, float]:
    return np.exp(np.tanh(work.sum(axis=0))), 0.0


_TWELVE = CHANNELS + tuple(
    replace(c, channel=f"{c.channel}_{kind}", label=f"{c.label}, {kind}", base_rate=0.7 * c.base_rate, effect=share * c.effect)
    for c, kind, share in zip(
        CHANNELS, ("hospital", "nurse", "invited", "on_demand", "search", "starter"), (0.6, 0.5, 1.5, 0.7, 2.0, 0.4), strict=True
    )
)
_MUTE = tuple(replace(c, records_responses=False) for c in CHANNELS)
_WRONG = (("rep_visit", 10.0), ("webinar", 10.0), ("phone_call", 0.0), ("sample_drop", 0.0))

SHAPES: dict[str, Shape] = {
    "additive": Shape("effect without regard to size, added up, weak confounding", _additive, pull=0.4, growth_pull=0.3),
    "proportional": Shape("effect as a share of the HCP's own KPI, strong confounding", _proportional, pull=1.6, growth_pull=2.0),
    "potential": Shape("effect as a share of what the brand does not have yet of the market", _potential),
    "saturating": Shape("steeply diminishing returns, three times the touches", _saturating, busy=3.0),
    "digital": Shape("effect told by digital affinity and answers, hardly by size", _digital, digital_only=True),
    "no_effect": Shape("no touch does anything, the catalogue says otherwise, strong confounding", _none, pull=1.6, growth_pull=2.0),
    "wrong_catalogue": Shape("catalogue ten times too high for two channels, zero for two", _power, wrong=_WRONG),
    "continuous": Shape("a revenue with lognormal noise and returns instead of counts", _exponential, price=85.0),
    "twelve_channels": Shape("twelve channels that crowd each other out", _crowded, channels=_TWELVE),
    "one_channel": Shape("one channel, middle prescribers gain most", _middle, channels=CHANNELS[:1]),
    "no_responses": Shape("no channel records responses, share moves on the logit scale", _share, channels=_MUTE),
    "monthly": Shape("monthly panel with several touches per period", _monthly, grain="month"),
    "rep_persistent": Shape(
        "unseen bonds of rep and HCP keep touches up, bursts follow growth at once",
        _bond,
        bond=0.8,
        growth_pull=3.0,
        seen_after=1,
        memory=0.6,
    ),
    "negative": Shape("emails do harm", _negative, negative=("email",)),
}


def raw_effect(shape: Shape, people: People, rng: np.random.Generator) -> Floats:
    """Effect of a touch relative to the channel's typical one, (channels, n): partly told by what is shown, partly hidden."""
    if shape.digital_only:
        sign = np.array([1.0 if c.rep_minutes == 0 else -1.0 for c in shape.channels])[:, None]
        effect = np.exp(sign * (0.9 * people.digital - 0.015 * (people.years - 19)) - 0.4)
    else:
        effect = np.exp(0.5 * people.liking)
    effect = effect * np.exp(shape.hidden * rng.standard_normal(effect.shape))
    is_rep = np.array([c.rep_minutes > 0 for c in shape.channels])[:, None]
    return np.where(is_rep, effect * np.array([1.0, 0.75, 0.25])[people.access], effect)
