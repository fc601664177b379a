"""The allocation problem as arrays: what the rules yield and what every solver, the checker and the diagnosis read.

Pairs are all HCP x channel combinations in row-major order: pair = hcp * number of channels + channel. A plan is `touches`: whole
numbers over pairs, 0..most_touches of the channel. Names that many HCPs or pairs share are codes into a short list of names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

LONGEST_CYCLE = 10_000  # days; day numbers are held in 16 bits


class PlanInputError(ValueError):
    """Tables that contradict the contract reached the planner; the text names table, column and value."""


@dataclass(frozen=True)
class PlanSettings:
    """Run switches of one solve.

    cycle_start, cycle_end: the cycle is [cycle_start, cycle_end).
    overlap: share of the smaller value lost by each pair of touches of one HCP, in [0, 0.5].
    floor_penalty: KPI units per HCP missing on a soft floor; None = twice the largest V(S) of one HCP.
    gap: relative gap at which the solve stops; node_limit: branch-and-bound nodes after which it stops anyway.
    stability_share: share of objective - penalty that may be given up to keep actions of an earlier plan, in [0, 1); 0 = none.
    step_limits: the tightest limits, so many, whose next step is worked out; 0 = none.
    """

    cycle_start: date
    cycle_end: date
    overlap: float = 0.1
    floor_penalty: float | None = None
    gap: float = 1e-4
    node_limit: int = 2000
    seed: int = 0
    stability_share: float = 0.005
    step_limits: int = 10

    def __post_init__(self) -> None:
        if self.cycle_end <= self.cycle_start:
            raise PlanInputError(f"cycle_end {self.cycle_end} must be after cycle_start {self.cycle_start}")
        if (self.cycle_end - self.cycle_start).days > LONGEST_CYCLE:
            raise PlanInputError(f"cycle_end {self.cycle_end} is more than {LONGEST_CYCLE} days after cycle_start {self.cycle_start}")
        if not 0 <= self.overlap <= 0.5:
            raise PlanInputError(f"overlap {self.overlap} must be in [0, 0.5]")
        if self.floor_penalty is not None and self.floor_penalty < 0:
            raise PlanInputError(f"floor_penalty {self.floor_penalty} must be >= 0")
        if not self.gap > 0:
            raise PlanInputError(f"gap {self.gap} must be > 0")
        if self.node_limit < 1:
            raise PlanInputError(f"node_limit {self.node_limit} must be >= 1")
        if not 0 <= self.stability_share < 1:
            raise PlanInputError(f"stability_share {self.stability_share} must be in [0, 1)")
        if self.step_limits < 0:
            raise PlanInputError(f"step_limits {self.step_limits} must be >= 0")


@dataclass(frozen=True)
class Block:
    """Days on which one rule blocks pairs: entry i blocks pair `pairs[i]` on cycle days first[i]..last[i] (inclusive, day 0 =
    cycle_start), for the reason `texts[text[i]]`, in business words."""

    rule: str
    pairs: np.ndarray
    first: np.ndarray
    last: np.ndarray
    text: np.ndarray
    texts: list[str]

    @property
    def detail(self) -> np.ndarray:
        """The reason of every entry, written out."""
        return np.array(self.texts, dtype=object)[self.text]


@dataclass(frozen=True)
class Limit:
    """One limit shared by several HCPs: what their touches use of it, against a bound.

    side `max`: use <= bound; side `min`: use >= bound.
    hcps (k,): sorted numbers of the HCPs that count. use, float64: (channels,) per touch, the same for each of these HCPs, or
    (k, channels) each HCP its own; 0 = not counted. Pairs that are not eligible count nowhere.
    counts `touches`: use adds use x touches; `hcps`: use is 0/1 flags, an HCP counts once if it has a touch on any flagged channel.
    hardness `soft` (coverage floors): a shortfall is allowed at a penalty; requested is the floor before it was cut to what is reachable.
    """

    limit_id: str
    rule: str
    side: str
    unit: str
    label: str
    bound: float
    hcps: np.ndarray
    use: np.ndarray
    counts: str = "touches"
    hardness: str = "hard"
    requested: float | None = None
    reachable: float | None = None
    channel: str | None = None
    territory_id: str | None = None
    rep_id: str | None = None
    attribute: str | None = None
    value: str | None = None
    operator: str | None = None

    @classmethod
    def of_pairs(cls, pairs: np.ndarray, coefficients: np.ndarray | None, channels: int, **fields: Any) -> Limit:
        """The limit over these pairs (`channels` of them per HCP) with a coefficient each (None = 1); `fields`: everything else."""
        pairs = np.asarray(pairs, dtype=np.int64)
        hcps, place = np.unique(pairs // channels, return_inverse=True)
        table = np.zeros((len(hcps), channels))
        np.add.at(table, (place, pairs % channels), 1.0 if coefficients is None else np.asarray(coefficients, dtype=np.float64))
        if fields.get("counts") == "hcps":
            table = (table != 0).astype(np.float64)
        same = len(hcps) > 0 and bool((table == table[0]).all())
        return cls(hcps=hcps.astype(np.int32), use=table[0] if same else table, **fields)

    def entries(self, channels: int) -> tuple[np.ndarray, np.ndarray]:
        """(pairs, coefficients) of every use that is not 0, by pair; pairs that are not eligible among them."""
        base = self.hcps.astype(np.int64) * channels
        if self.use.ndim == 1:
            counted = np.flatnonzero(self.use)
            return (base[:, None] + counted).ravel(), np.tile(self.use[counted], len(base))
        row, channel = np.nonzero(self.use)
        return base[row] + channel, self.use[row, channel]


@dataclass(frozen=True)
class HcpCap:
    """Within one HCP: the pairs of group g get at most upper[g] touches together. pairs and group have the same length; groups lie
    inside one HCP."""

    rule: str
    label: str
    pairs: np.ndarray
    group: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True)
class NotTogether:
    """Within one HCP: the pairs of one row of `members` (n, k) may not all have at least `least` (k,) touches (None = 1 each)."""

    rule: str
    label: str
    members: np.ndarray
    least: tuple[int, ...] | None = None


@dataclass(frozen=True)
class RuleYield:
    """What one rule file yields: blocked days, shared limits, limits inside one HCP, pinned pairs, notes for the closing lines."""

    blocks: list[Block] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    caps: list[HcpCap] = field(default_factory=list)
    exclusive: list[NotTogether] = field(default_factory=list)
    pins: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    pin_labels: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Problem:
    """Everything a solve needs. Arrays over pairs have length len(hcp_ids) * len(channels).

    hcp_ids: text (object), sorted; channels: sorted. territory, rep (hcps,) int32: place in territory_names, rep_names (sorted), -1
    where unassigned. cost (money), minutes (rep minutes), most_touches (whole touches per HCP) of one channel each: (channels,).
    value: V of one touch of the pair, its expected impact (KPI units); eligible: the pair has an eligible day;
    earliest, latest (int16): cycle day numbers of the eligible run, -1 where none.
    blocked_by (int8): place in `blockers` of the first rule that blocks the pair, -1 where it is eligible.
    pins: pairs that must get at least one touch.
    arm (hcps): place in `arms.ARMS`, None = everybody is planned for; drawn: the pins among `pins` that were drawn for explore HCPs.
    Both are for reasons and messages: what they mean for a plan is said by a cap and the pins (`arms.with_arms`).
    """

    settings: PlanSettings
    hcp_ids: np.ndarray
    channels: list[str]
    territory: np.ndarray
    territory_names: list[str]
    rep: np.ndarray
    rep_names: list[str]
    cost: np.ndarray
    minutes: np.ndarray
    most_touches: np.ndarray
    value: np.ndarray
    eligible: np.ndarray
    earliest: np.ndarray
    latest: np.ndarray
    blocked_by: np.ndarray
    blockers: list[str]
    blocks: list[Block]
    limits: list[Limit]
    caps: list[HcpCap]
    exclusive: list[NotTogether]
    pins: np.ndarray
    pin_labels: list[str]
    warnings: list[str] = field(default_factory=list)
    arm: np.ndarray | None = None
    drawn: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def pair_count(self) -> int:
        return len(self.hcp_ids) * len(self.channels)

    def blocker_of(self, pairs: np.ndarray) -> np.ndarray:
        """Name of the first blocking rule of each of these pairs, None where eligible."""
        return np.array([*self.blockers, None], dtype=object)[self.blocked_by[pairs]]
