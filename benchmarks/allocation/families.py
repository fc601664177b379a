"""Two seeded families of allocation instances as plain arrays, from which every peer states the same model.

`rep_time`: at the optimum the minutes of every rep bind, and the global limits bind too.
`budget`: the same world, reps have minutes to spare; the global budget and the channel limits bind.

A territory is one rep with about 150 HCPs. Values are continuous and gamma-like, and actions of one HCP do not overlap, so
the problem is linear for everyone. Bounds are set from a priced plan of up to `SAMPLE_REPS` reps: no solver is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FAMILIES = ("rep_time", "budget")
CHANNELS = ("in_person_visit", "live_remote", "phone_call", "rep_email", "sent_email", "webinar")
MINUTES = np.array([35, 24, 11, 4, 0, 0], dtype=np.int64)
COST = np.array([110.0, 48.0, 17.0, 3.0, 1.0, 12.0])
IMPACT = np.array([1.0, 0.62, 0.38, 0.2, 0.14, 0.33])  # mean expected impact of a touch, KPI units
OPEN_SHARE = np.array([0.75, 0.8, 0.85, 0.9, 0.85, 0.83])
INCOMPATIBLE = (0, 1)
HCPS_PER_REP = 150
SAMPLE_REPS = 200
BISECTIONS = 40
# Bounds as shares of what the priced plan uses; nan = no such limit on this channel.
NONE = np.nan
CHANNEL_MIN = np.array([NONE, 0.9, NONE, NONE, NONE, 1.05])
CHANNEL_MAX = np.array([NONE, NONE, 0.97, NONE, 0.93, NONE])
CHANNEL_BUDGET = np.array([0.96, NONE, NONE, 0.97, NONE, NONE])
REP_SHARE = 0.4  # rep_time: minutes of a rep as a share of what its best plan without limits takes
TOUCHES_SHARE = 0.97  # floors that count actions, as a share of the priced plan's: with more, plans are rare under the channel limits
BUDGET_SHARE = 0.45  # budget: the global budget, likewise


@dataclass(frozen=True)
class AllocationCase:
    """One instance. N HCPs, C channels, R reps (= territories).

    value (N, C) KPI units per touch; available (N, C) bool; most_actions (N,) actions per HCP at most; incompatible: two
    channels that one HCP may not both get; minutes integer (C,) or (N, C) per touch; cost (C,) per touch; rep (N,) rep number;
    rep_minutes (R,) at most; floor (R,) distinct HCPs with an action on a channel that takes minutes, at least; budget: cost of
    everything, at most; channel_min, channel_max (C,) actions, and channel_budget (C,) cost: nan where there is no limit.
    floor_counts: `hcps`, or `touches` for the variant in which the floor counts actions (rows over pairs alone then say it all).
    """

    family: str
    seed: int
    value: np.ndarray
    available: np.ndarray
    most_actions: np.ndarray
    incompatible: tuple[int, int]
    minutes: np.ndarray
    cost: np.ndarray
    rep: np.ndarray
    rep_minutes: np.ndarray
    floor: np.ndarray
    budget: float
    channel_min: np.ndarray
    channel_max: np.ndarray
    channel_budget: np.ndarray
    floor_counts: str = "hcps"

    @property
    def hcp_count(self) -> int:
        return len(self.value)

    @property
    def channel_count(self) -> int:
        return self.value.shape[1]

    @property
    def rep_count(self) -> int:
        return len(self.rep_minutes)

    @property
    def pair_minutes(self) -> np.ndarray:
        """(N, C) minutes of one touch, also where they depend on the channel only."""
        return np.broadcast_to(self.minutes, self.value.shape)


def draw_case(family: str, hcps: int, seed: int = 0, minutes_by_pair: bool = False, floor_counts: str = "hcps") -> AllocationCase:
    """The instance of a family (`FAMILIES`) with so many HCPs; the same arguments give the same arrays.

    minutes_by_pair: visits and remote details take a drawn time per HCP (distance), so minutes are (N, C).
    """
    if family not in FAMILIES:
        raise ValueError(f"family {family!r} must be one of {', '.join(FAMILIES)}")
    if floor_counts not in ("hcps", "touches"):
        raise ValueError(f"floor_counts {floor_counts!r} must be hcps or touches")
    if hcps < 1:
        raise ValueError(f"hcps {hcps} must be at least 1")
    rng = np.random.default_rng([seed, hcps, FAMILIES.index(family)])
    reps = max(1, round(hcps / HCPS_PER_REP))
    rep = np.sort(rng.integers(0, reps, hcps)) if reps > 1 else np.zeros(hcps, dtype=np.int64)
    worth = rng.gamma(2.0, 0.5, hcps)  # how much an HCP can be moved at all
    value = IMPACT * worth[:, None] * rng.gamma(3.0, 1 / 3, (hcps, len(CHANNELS)))
    available = rng.random(value.shape) < OPEN_SHARE
    most_actions = rng.choice([1, 2, 3], size=hcps, p=[0.3, 0.45, 0.25])
    minutes = _minutes_of_pairs(rng, hcps) if minutes_by_pair else MINUTES
    limits = _no_limits(reps, rng.uniform(0.95, 1.1, reps))
    case = AllocationCase(family, seed, value, available, most_actions, INCOMPATIBLE, minutes, COST, rep, *limits, floor_counts)
    return _calibrated(case)


def best_sets(case: AllocationCase, price: np.ndarray) -> np.ndarray:
    """(N, C) bool: each HCP's best allowed set when a touch costs `price` (broadcast to (N, C)) KPI units.

    Exact: of the two incompatible channels only the better one can be in a best set, and what is left is a count.
    """
    worth = np.where(case.available, case.value - price, -1.0)
    first, second = case.incompatible
    behind = worth[:, first] >= worth[:, second]
    worth[behind, second] = -1.0
    worth[~behind, first] = -1.0
    rank = np.argsort(np.argsort(-worth, axis=1, kind="stable"), axis=1, kind="stable")
    return (worth > 0) & (rank < case.most_actions[:, None])


def part_of(case: AllocationCase, reps: int) -> AllocationCase:
    """The HCPs of the first so many reps, limits of reps and floors with them, the global limits as they are."""
    keep = slice(0, int(np.searchsorted(case.rep, reps)))
    minutes = case.minutes[keep] if case.minutes.ndim == 2 else case.minutes
    arrays = {name: getattr(case, name)[keep] for name in ("value", "available", "most_actions", "rep")}
    arrays |= {name: getattr(case, name)[:reps] for name in ("rep_minutes", "floor")}
    return _with(case, minutes=minutes, **arrays)


def _with(case: AllocationCase, **changes: object) -> AllocationCase:
    from dataclasses import replace

    return replace(case, **changes)


def _no_limits(reps: int, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, np.ndarray, np.ndarray, np.ndarray]:
    """rep_minutes, floor (still a drawn factor), budget and channel limits of a case that is not calibrated yet."""
    none = np.full(len(CHANNELS), NONE)
    return np.zeros(reps), floor, np.inf, none, none, none


def _minutes_of_pairs(rng: np.random.Generator, hcps: int) -> np.ndarray:
    """Integer (N, C): personal channels times a factor of the HCP's distance."""
    factor = np.ones((hcps, len(CHANNELS)))
    factor[:, :2] = rng.uniform(0.7, 1.5, (hcps, 1))
    return np.rint(MINUTES * factor).astype(np.int64)


def _calibrated(case: AllocationCase) -> AllocationCase:
    """Bounds that bind: from the plan at prices under which the family's own scarce resource is just used up."""
    free = best_sets(case, np.zeros(1))
    taken = np.bincount(case.rep, weights=(free * case.pair_minutes).sum(axis=1), minlength=case.rep_count)
    share = REP_SHARE if case.family == "rep_time" else 1.5
    case = _with(case, rep_minutes=np.maximum(np.floor(share * taken), case.pair_minutes.max()))
    sample = part_of(case, min(case.rep_count, SAMPLE_REPS))
    plan = _priced_plan(sample)
    scale = case.hcp_count / max(1, sample.hcp_count)
    actions = plan.sum(axis=0) * scale
    # With the other limits on top less is spent: the budget is cut to what still binds.
    budget = float(np.floor(0.985 * (actions @ case.cost)))
    return _with(
        case,
        floor=_floors(case, sample, plan),
        budget=budget,
        channel_min=np.floor(CHANNEL_MIN * actions),
        channel_max=np.floor(CHANNEL_MAX * actions),
        channel_budget=np.floor(CHANNEL_BUDGET * actions * case.cost),
    )


def _priced_plan(case: AllocationCase) -> np.ndarray:
    """(N, C) bool: the best sets at the smallest prices that keep each rep's minutes (rep_time) or the whole cost (budget)."""
    by_rep = case.family == "rep_time"
    use = case.pair_minutes.astype(np.float64) if by_rep else np.broadcast_to(case.cost, case.value.shape)
    owner = case.rep if by_rep else np.zeros(case.hcp_count, dtype=np.int64)
    free = best_sets(case, np.zeros(1))
    bound = case.rep_minutes if by_rep else np.array([BUDGET_SHARE * (free * use).sum()])
    low, high = np.zeros(len(bound)), np.full(len(bound), float(case.value.max(initial=0.0)))
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        plan = best_sets(case, middle[owner][:, None] * use)
        over = np.bincount(owner, weights=(plan * use).sum(axis=1), minlength=len(bound)) > bound
        low, high = np.where(over, middle, low), np.where(over, high, middle)
    return best_sets(case, high[owner][:, None] * use)


def _floors(case: AllocationCase, sample: AllocationCase, plan: np.ndarray) -> np.ndarray:
    """As many HCPs (or actions) as the priced plan has, times the drawn factor, at most what 60% of the minutes reach; (R,)."""
    timed, timed_sample = case.pair_minutes > 0, sample.pair_minutes > 0
    counted = plan & timed_sample
    reached = counted.any(axis=1).sum() if case.floor_counts == "hcps" else TOUCHES_SHARE * counted.sum()
    reached = reached / max(1, (sample.available & timed_sample).any(axis=1).sum())
    cheapest = np.where(case.available & timed, case.pair_minutes, np.iinfo(np.int64).max).min(axis=1)
    open_here = cheapest < np.iinfo(np.int64).max
    order = np.lexsort((cheapest, case.rep))
    order = order[open_here[order]]
    rep, spent = case.rep[order], np.cumsum(cheapest[order], dtype=np.float64)
    count = np.bincount(rep, minlength=case.rep_count)
    before = np.r_[0.0, spent][np.cumsum(count) - count]
    fits = np.bincount(rep, weights=spent - before[rep] <= 0.6 * case.rep_minutes[rep], minlength=case.rep_count)
    return np.minimum(np.floor(case.floor * reached * count), fits)
