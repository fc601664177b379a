"""The allocation problem as arrays: what the rules yield and what every solver, the checker and the diagnosis read.

Pairs are all HCP x channel combinations in row-major order: pair = hcp * number of channels + channel.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np


class PlanInputError(ValueError):
    """Tables that contradict the contract reached the planner; the text names table, column and value."""


@dataclass(frozen=True)
class PlanSettings:
    """Run switches of one solve.

    cycle_start, cycle_end: the cycle is [cycle_start, cycle_end).
    overlap: share of the smaller value lost by each pair of touches of one HCP, in [0, 0.5].
    floor_penalty: KPI units per HCP missing on a soft floor; None = twice the largest V(S) of one HCP.
    gap: relative gap at which the solve stops; node_limit: branch-and-bound nodes after which it stops anyway.
    """

    cycle_start: date
    cycle_end: date
    overlap: float = 0.1
    floor_penalty: float | None = None
    gap: float = 1e-4
    node_limit: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.cycle_end <= self.cycle_start:
            raise PlanInputError(f"cycle_end {self.cycle_end} must be after cycle_start {self.cycle_start}")
        if not 0 <= self.overlap <= 0.5:
            raise PlanInputError(f"overlap {self.overlap} must be in [0, 0.5]")
        if self.floor_penalty is not None and self.floor_penalty < 0:
            raise PlanInputError(f"floor_penalty {self.floor_penalty} must be >= 0")
        if not self.gap > 0:
            raise PlanInputError(f"gap {self.gap} must be > 0")
        if self.node_limit < 1:
            raise PlanInputError(f"node_limit {self.node_limit} must be >= 1")


@dataclass(frozen=True)
class Block:
    """Days on which one rule blocks pairs: entry i blocks pair `pairs[i]` on cycle days first[i]..last[i] (inclusive, day 0 =
    cycle_start)."""

    rule: str
    pairs: np.ndarray
    first: np.ndarray
    last: np.ndarray
    detail: np.ndarray  # text per entry, in business words


@dataclass(frozen=True)
class Limit:
    """One limit shared by several HCPs: sum of coefficients over chosen pairs (or distinct HCPs) against a bound.

    side `max`: use <= bound; side `min`: use >= bound. counts `touches`: use adds coefficient x touches of every chosen
    pair; `hcps`: use counts the HCPs with at least one chosen pair among `pairs` (coefficients are 1).
    hardness `soft` (coverage floors): a shortfall is allowed at a penalty; requested is the floor before it was cut to what is reachable.
    """

    limit_id: str
    rule: str
    side: str
    unit: str
    label: str
    bound: float
    pairs: np.ndarray
    coefficients: np.ndarray
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


@dataclass(frozen=True)
class HcpCap:
    """Within one HCP: among the pairs of group g at most upper[g] touches. pairs and group have the same length; groups lie inside one
    HCP."""

    rule: str
    label: str
    pairs: np.ndarray
    group: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True)
class NotTogether:
    """Within one HCP: the pairs of one row of `members` (n, k) may not all be chosen."""

    rule: str
    label: str
    members: np.ndarray


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

    value: V({pair}), the expected impact of one touch (KPI units); eligible: the pair has an eligible day;
    earliest, latest: cycle day numbers of the eligible run, -1 where none; blocked_by: first blocking rule or "".
    territory, rep: per HCP, None where unassigned.
    """

    settings: PlanSettings
    hcp_ids: np.ndarray
    channels: list[str]
    territory: np.ndarray
    rep: np.ndarray
    value: np.ndarray
    cost: np.ndarray
    minutes: np.ndarray
    eligible: np.ndarray
    earliest: np.ndarray
    latest: np.ndarray
    blocked_by: np.ndarray
    blocks: list[Block]
    limits: list[Limit]
    caps: list[HcpCap]
    exclusive: list[NotTogether]
    pins: np.ndarray
    pin_labels: list[str]
    warnings: list[str] = field(default_factory=list)

    @property
    def pair_count(self) -> int:
        return len(self.hcp_ids) * len(self.channels)
