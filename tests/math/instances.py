"""Random allocation problems with limits of every kind, for the solver against the reference.

All numbers are drawn; most bounds are set at or near what one random allowed plan uses, so that many rows are tight at once and a plan
mostly exists.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from plan_cases import SETTINGS, make_problem

from optimization.problem import HcpCap, Limit, NotTogether


@dataclass(frozen=True)
class Shape:
    """Ranges (inclusive) of HCPs and channels, and the most touches that a channel may have."""

    hcps: tuple[int, int]
    channels: tuple[int, int]
    most: int


TINY = Shape((1, 4), (1, 3), 2)
SMALL = Shape((1, 8), (1, 4), 4)  # with one more channel of four touches, the reference model takes minutes for some
MEDIUM = Shape((20, 40), (2, 4), 3)


@dataclass
class Draft:
    """A problem while it is drawn. plan (hcps, channels): touches of a plan that keeps the rules inside HCPs, unless pins break them."""

    rng: np.random.Generator
    hcps: int
    channels: int
    most: np.ndarray
    eligible: np.ndarray
    value: np.ndarray
    rep: np.ndarray
    caps: list[HcpCap] = field(default_factory=list)
    exclusive: list[NotTogether] = field(default_factory=list)
    pins: list[int] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    plan: np.ndarray | None = None

    def chance(self, share):
        return bool(self.rng.random() < share)

    @property
    def everyone(self):
        return np.arange(self.hcps, dtype=np.int32)


def random_instance(seed, shape=TINY):
    """The problem of one seed; the same seed gives the same problem."""
    rng = np.random.default_rng([seed, *shape.hcps, *shape.channels, shape.most])
    hcps, channels = (int(rng.integers(low, high + 1)) for low, high in (shape.hcps, shape.channels))
    most = rng.integers(1, shape.most + 1, channels) if rng.random() < 0.6 else np.ones(channels, dtype=np.int64)
    eligible = rng.random((hcps, channels)) < rng.choice([0.6, 0.85, 1.0])
    rep = np.sort(rng.integers(0, max(1, min(3, hcps // 3)) if hcps < 20 else hcps // 8, hcps))
    draft = Draft(rng, hcps, channels, most, eligible, np.zeros((hcps, channels)), rep)
    draft.value = _values(draft)
    for draw in (_caps, _clashes, _pins):
        draw(draft)
    draft.plan = _some_plan(draft)
    for draw in (_budgets, _capacities, _rep_limits, _floors, _odd_limits):
        draw(draft)
    settings = replace(
        SETTINGS, gap=1e-9, node_limit=1_000_000, overlap=float(rng.choice([0.0, 0.1, 0.25, 0.5])), floor_penalty=_penalty(draft)
    )
    order = rng.permutation(len(draft.limits))
    limits = [replace(draft.limits[k], limit_id=f"limit{n:03d}", label=f"limit {n}") for n, k in enumerate(order)]
    return make_problem(draft.value, eligible, limits, draft.caps, draft.exclusive, draft.pins, most=most, rep=rep, settings=settings)


def _values(draft):
    """Gains with some losses, levels with many ties, all equal, mostly losses, or HCPs of very different size."""
    rng, size = draft.rng, (draft.hcps, draft.channels)
    kind = rng.choice(5, p=[0.45, 0.2, 0.1, 0.1, 0.15])
    if kind == 0:
        return np.round(rng.gamma(2.0, 1.0, size) - 0.6, int(rng.choice([2, 6])))
    if kind == 1:
        return rng.integers(-2, 5, size).astype(float)
    if kind == 2:
        return np.full(size, float(rng.choice([1.0, 0.3])))
    if kind == 3:
        return np.round(rng.normal(-0.7, 1.0, size), 3)
    return np.round(rng.lognormal(0.0, 1.5, (draft.hcps, 1)) * rng.lognormal(0.0, 0.5, size), 4)


def _penalty(draft):
    return None if draft.chance(0.6) else float(draft.rng.choice([0.0, 0.5, 3.0, 40.0]))


# --- rules inside one HCP ---------------------------------------------------------------------------------------------


def _caps(draft):
    for _ in range(int(draft.rng.choice([0, 1, 2], p=[0.35, 0.45, 0.2]))):
        scope = np.flatnonzero(draft.rng.random(draft.channels) < 0.75)
        members = np.flatnonzero(draft.rng.random(draft.hcps) < 0.8)
        if len(scope) and len(members):
            pairs = (members[:, None] * draft.channels + scope).ravel()
            upper = draft.rng.integers(0 if draft.chance(0.2) else 1, 4, len(members))
            draft.caps.append(HcpCap("contact_limit", "contact limit", pairs, np.repeat(np.arange(len(members)), len(scope)), upper))


def _clashes(draft):
    for _ in range(int(draft.rng.choice([0, 1, 2], p=[0.5, 0.3, 0.2]))):
        if draft.channels < 2:
            return
        width = int(draft.rng.integers(2, min(3, draft.channels) + 1))
        codes = np.sort(draft.rng.choice(draft.channels, width, replace=False))
        members = draft.everyone[draft.rng.random(draft.hcps) < 0.8].astype(np.int64)[:, None] * draft.channels + codes
        least = tuple(int(draft.rng.integers(1, draft.most[c] + 1)) for c in codes) if draft.chance(0.5) else None
        draft.exclusive.append(NotTogether("incompatible", "not together", members, least))


def _pins(draft):
    if draft.chance(0.25):
        open_pairs = np.flatnonzero(draft.eligible if draft.chance(0.97) else np.ones_like(draft.eligible))
        count = min(len(open_pairs), int(draft.rng.integers(1, 3)))
        draft.pins = sorted(draft.rng.choice(open_pairs, count, replace=False).tolist())


def _some_plan(draft):
    """Touches added in random order while the rules inside the HCP hold, pins first."""
    touches = np.zeros(draft.hcps * draft.channels, dtype=np.int64)
    touches[draft.pins] = 1
    most, open_pairs = np.tile(draft.most, draft.hcps), draft.eligible.ravel()
    wanted = draft.rng.permutation(np.repeat(np.arange(len(touches)), most))
    for pair in wanted[: int(len(wanted) * draft.rng.uniform(0.25, 0.9))]:
        if open_pairs[pair] and touches[pair] < most[pair]:
            touches[pair] += 1
            touches[pair] -= not _inside_holds(draft, touches)
    return touches.reshape(draft.hcps, draft.channels)


def _inside_holds(draft, touches):
    for cap in draft.caps:
        if np.any(np.bincount(cap.group, weights=touches[cap.pairs], minlength=len(cap.upper)) > cap.upper):
            return False
    return not any(
        (touches[row.members] >= (np.ones(row.members.shape[1]) if row.least is None else np.array(row.least))).all(axis=1).any()
        for row in draft.exclusive
    )


# --- limits that HCPs share -------------------------------------------------------------------------------------------


def _used(draft, hcps, use, counts, touches):
    taken = np.where(draft.eligible, touches, 0)[hcps]
    return float(((taken > 0) & (use != 0)).any(axis=1).sum()) if counts == "hcps" else float((taken * use).sum())


def _add(draft, rule, side, unit, hcps, use, counts="touches", hardness="hard", bound=None, **key):
    """A limit whose bound is drawn around what the plan uses, unless given."""
    hcps, use = np.asarray(hcps, dtype=np.int32), np.asarray(use, dtype=np.float64)
    full = _used(draft, hcps, use, counts, np.tile(draft.most, (draft.hcps, 1)))
    here = _used(draft, hcps, use, counts, draft.plan)
    if bound is None and side == "max":
        bound = draft.rng.choice([here, here + 0.3 * (full - here), 1.5 * full + 1.0, 0.9 * here, 0.0], p=[0.4, 0.38, 0.1, 0.1, 0.02])
    elif bound is None:
        bound = draft.rng.choice([here, 0.5 * here, 1.0, here + 1.0], p=[0.4, 0.4, 0.1, 0.1])
        bound = np.floor(bound) if unit != "cost" else bound
    if hardness == "soft":
        key |= {"requested": float(bound), "reachable": full}
        bound = min(float(bound), full)
    draft.limits.append(Limit("", rule, side, unit, "", float(bound), hcps, use, counts, hardness, **key))


def _coefficients(draft, hcps):
    """Per touch: whole or real, one row for all HCPs or each HCP its own."""
    size = draft.channels if draft.chance(0.6) else (len(hcps), draft.channels)
    drawn = draft.rng.integers(1, 10, size) if draft.chance(0.5) else np.round(draft.rng.uniform(0.1, 9.0, size), 4)
    return np.asarray(drawn, dtype=np.float64)


def _flags(draft, share=0.6):
    flags = (draft.rng.random(draft.channels) < share).astype(np.float64)
    flags[int(draft.rng.integers(draft.channels))] = 1.0
    return flags


def _scopes(draft):
    """The HCPs of each territory: a few neighbouring HCPs, not the same as a rep's."""
    cuts = np.sort(draft.rng.integers(0, draft.hcps + 1, 1 if draft.hcps < 20 else 4))
    return [part for part in np.split(draft.everyone, cuts) if len(part)]


def _budgets(draft):
    if draft.chance(0.6):
        _add(draft, "budget", "max", "cost", draft.everyone, _coefficients(draft, draft.everyone))
    if draft.chance(0.3):
        channel = int(draft.rng.integers(draft.channels))
        use = _coefficients(draft, draft.everyone) * (np.arange(draft.channels) == channel)
        _add(draft, "budget", "max", "cost", draft.everyone, use, channel=f"c{channel}")
    if draft.chance(0.25):
        for number, hcps in enumerate(_scopes(draft)):
            _add(draft, "budget", "max", "cost", hcps, _coefficients(draft, hcps), territory_id=f"S{number}")


def _capacities(draft):
    for side, share in (("max", 0.4), ("min", 0.25)):
        if draft.chance(share):
            channel = int(draft.rng.integers(draft.channels))
            flags = np.arange(draft.channels) == channel if draft.chance(0.8) else np.ones(draft.channels)
            _add(draft, "channel_capacity", side, "touches", draft.everyone, flags, channel=f"c{channel}")


def _rep_limits(draft):
    if draft.chance(0.55):
        minutes = _coefficients(draft, draft.everyone) * _flags(draft, 0.4) * 5.0
        for rep in np.unique(draft.rep):
            mine = np.flatnonzero(draft.rep == rep)
            _add(draft, "rep_capacity", "max", "minutes", mine, minutes if minutes.ndim == 1 else minutes[mine], rep_id=f"r{rep}")
    if draft.chance(0.2):
        rep = int(draft.rng.choice(draft.rep))
        _add(draft, "rep_capacity", "max", "touches", np.flatnonzero(draft.rep == rep), _flags(draft), rep_id=f"r{rep}")
    if draft.chance(0.15):
        _add(draft, "rep_capacity", "max", "minutes", draft.everyone, _coefficients(draft, draft.everyone) * _flags(draft))


def _floors(draft):
    for hardness, share in (("soft", 0.4), ("hard", 0.2)):
        if draft.chance(share):
            scopes = _scopes(draft) if draft.chance(0.5) else [draft.everyone]
            flags = _flags(draft) if draft.chance(0.6) else np.ones(draft.channels)
            for number, hcps in enumerate(scopes):
                _add(draft, "coverage_floor", "min", "hcps", hcps, flags, "hcps", hardness, territory_id=f"S{number}")


def _odd_limits(draft):
    """A limit over nothing, a limit stated twice, one with a refund, one on HCPs reached."""
    if draft.chance(0.08):
        _add(draft, "budget", "max", "cost", draft.everyone, np.zeros(draft.channels))
    if draft.chance(0.08):
        _add(draft, "budget", "max", "cost", np.empty(0, dtype=np.int32), np.ones(draft.channels), bound=0.0)
    if draft.limits and draft.chance(0.1):
        draft.limits.append(draft.limits[int(draft.rng.integers(len(draft.limits)))])
    if draft.chance(0.08):
        _add(draft, "budget", "max", "cost", draft.everyone, np.round(draft.rng.normal(1.0, 1.5, draft.channels), 2))
    if draft.chance(0.06):
        _add(draft, "budget", "max", "hcps", draft.everyone, _flags(draft), "hcps")
