"""Allocation problems made by hand or at random, and a brute force that knows nothing of sets, prices or solvers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from optimization.problem import HcpCap, Limit, NotTogether, PlanSettings, Problem

SETTINGS = PlanSettings(cycle_start=date(2026, 1, 5), cycle_end=date(2026, 2, 2))


def make_problem(
    value, eligible=None, limits=(), caps=(), exclusive=(), pins=(), cost=None, minutes=None, most=1, rep=None, settings=SETTINGS
):
    """Problem from an (hcps, channels) table of values; cost, minutes and most (touches) are per channel, rep a code per HCP (rep `r0`
    works territory `T0`, and so on)."""
    value = np.asarray(value, dtype=np.float64)
    hcps, channels = value.shape
    size = hcps * channels
    eligible = np.ones(size, dtype=bool) if eligible is None else np.asarray(eligible, dtype=bool).ravel()
    places = np.zeros(hcps, dtype=np.int32) if rep is None else np.asarray(rep, dtype=np.int32)
    days = settings.cycle_end.toordinal() - settings.cycle_start.toordinal()
    return Problem(
        settings=settings,
        hcp_ids=np.array([f"h{i:06d}" for i in range(hcps)], dtype=object),
        channels=[f"c{c}" for c in range(channels)],
        territory=places,
        territory_names=[f"T{r}" for r in range(places.max(initial=-1) + 1)],
        rep=np.full(hcps, -1, dtype=np.int32) if rep is None else places,
        rep_names=[] if rep is None else [f"r{r}" for r in range(places.max(initial=-1) + 1)],
        cost=np.ones(channels) if cost is None else np.asarray(cost, dtype=np.float64),
        minutes=np.zeros(channels) if minutes is None else np.asarray(minutes, dtype=np.float64),
        most_touches=np.broadcast_to(np.asarray(most, dtype=np.int64), channels),
        value=value.ravel(),
        eligible=eligible,
        earliest=np.where(eligible, 0, -1).astype(np.int16),
        latest=np.where(eligible, days - 1, -1).astype(np.int16),
        blocked_by=np.where(eligible, -1, 0).astype(np.int8),
        blockers=["exclusion"],
        blocks=[],
        limits=[x.over(channels) if isinstance(x, PairLimit) else x for x in limits],
        caps=list(caps),
        exclusive=list(exclusive),
        pins=np.asarray(pins, dtype=np.int64),
        pin_labels=[f"pin {p}" for p in pins],
    )


@dataclass(frozen=True)
class PairLimit:
    """A limit written down pair by pair, until the number of channels is known."""

    pairs: np.ndarray
    coefficients: np.ndarray | None
    bound: float
    fields: dict

    def over(self, channels):
        return Limit.of_pairs(self.pairs, self.coefficients, channels, bound=float(self.bound), **self.fields)


def limit(number, side, bound, pairs, coefficients=None, counts="touches", hardness="hard", rule="budget", unit="money", **key):
    """A limit over pair numbers; `make_problem` turns it into a `Limit`."""
    fields = {"limit_id": f"limit{number:03d}", "rule": rule, "side": side, "unit": unit, "label": f"limit {number}"}
    return PairLimit(np.asarray(pairs, dtype=np.int64), coefficients, bound, fields | {"counts": counts, "hardness": hardness} | key)


def scope_limit(number, side, bound, hcps, use, counts="touches", hardness="hard", rule="budget", unit="money", **key):
    """A limit over HCPs with the same use per channel for each of them."""
    hcps, use = np.asarray(hcps, dtype=np.int32), np.asarray(use, dtype=np.float64)
    return Limit(f"limit{number:03d}", rule, side, unit, f"limit {number}", float(bound), hcps, use, counts, hardness, **key)


def per_hcp_cap(hcps, channels, upper, scope=None, rule="contact_limit"):
    """At most `upper` touches per HCP over the channels of `scope`."""
    scope = list(range(channels)) if scope is None else list(scope)
    pairs = np.array([h * channels + c for h in range(hcps) for c in scope], dtype=np.int64)
    return HcpCap(rule, f"at most {upper}", pairs, np.repeat(np.arange(hcps), len(scope)), np.full(hcps, upper))


def never_both(hcps, channels, a, b):
    return NotTogether("incompatible", f"c{a} and c{b}", np.array([[h * channels + a, h * channels + b] for h in range(hcps)]))


def random_problem(seed, max_hcps=6, max_channels=3, settings=SETTINGS):
    """Small problem with random limits of every kind; always has at least one plan when no hard minimum is drawn too high."""
    rng = np.random.default_rng(seed)
    hcps, channels = int(rng.integers(2, max_hcps + 1)), int(rng.integers(2, max_channels + 1))
    size = hcps * channels
    value = np.round(rng.gamma(2.0, 1.0, size) - 0.6, 2 if rng.random() < 0.5 else 6)
    eligible = rng.random(size) < 0.85
    cost, minutes = np.round(rng.uniform(1, 9, size)), np.where(np.arange(size) % channels == 0, rng.integers(1, 5, size) * 10, 0)
    pairs = np.flatnonzero(eligible)
    owner, channel = pairs // channels, pairs % channels
    limits, caps, exclusive, number = [], [], [], itertools.count()
    if rng.random() < 0.7:
        limits.append(limit(next(number), "max", round(cost[pairs].sum() * rng.uniform(0, 0.6), 1), pairs, cost[pairs]))
    if rng.random() < 0.6:
        for rep in range(2):
            mine = pairs[(owner % 2 == rep) & (minutes[pairs] > 0)]
            if len(mine):
                limits.append(
                    limit(
                        next(number),
                        "max",
                        int(minutes[mine].sum() * rng.uniform(0, 0.8)),
                        mine,
                        minutes[mine],
                        rule="rep_capacity",
                        unit="minutes",
                    )
                )
    if rng.random() < 0.4:
        mine = pairs[channel == 1]
        limits.append(limit(next(number), "max", int(rng.integers(0, hcps + 1)), mine, rule="channel_capacity", unit="touches"))
    if rng.random() < 0.3:
        mine = pairs[channel == 0]
        low = int(rng.integers(0, max(1, len(mine) // 2) + 1))
        limits.append(limit(next(number), "min", low, mine, rule="channel_capacity", unit="touches"))
    if rng.random() < 0.6:
        mine = pairs[np.isin(channel, rng.choice(channels, int(rng.integers(1, channels + 1)), replace=False)) & (owner % 2 == 0)]
        floor = int(rng.integers(0, len(np.unique(mine // channels)) + 1)) if len(mine) else 0
        hardness = "hard" if rng.random() < 0.25 else "soft"
        limits.append(limit(next(number), "min", floor, mine, None, "hcps", hardness, "coverage_floor", "hcps"))
    if rng.random() < 0.7:
        caps.append(per_hcp_cap(hcps, channels, int(rng.integers(1, 3))))
    if rng.random() < 0.4:
        exclusive.append(never_both(hcps, channels, 0, 1))
    pins = rng.choice(pairs, 1) if len(pairs) and rng.random() < 0.2 else []
    overlap = float(rng.choice([0.0, 0.1, 0.5]))
    penalty = None if rng.random() < 0.5 else round(float(rng.uniform(0, 3)), 2)
    settings = replace(settings, overlap=overlap, floor_penalty=penalty)
    return make_problem(value.reshape(hcps, channels), eligible, limits, caps, exclusive, pins, settings=settings)


def use_by_pair(problem, x):
    """What one touch of each eligible pair uses of a limit."""
    return {p: u for p, u in zip(*(part.tolist() for part in x.entries(len(problem.channels))), strict=True) if problem.eligible[p]}


def set_value(problem, members):
    """V(S) by its definition."""
    v = [problem.value[p] for p in members]
    overlap = sum(min(max(a, 0.0), max(b, 0.0)) for a, b in itertools.combinations(v, 2))
    return sum(v) - problem.settings.overlap * overlap


def default_penalty(problem):
    if problem.settings.floor_penalty is not None:
        return problem.settings.floor_penalty
    channels = len(problem.channels)
    best = 0.0
    for h in range(len(problem.hcp_ids)):
        best = max([best, *(set_value(problem, s) for s in own_sets(problem, h, channels))])
    return 2 * best


def own_sets(problem, hcp, channels, with_pins=False):
    """All sets of one HCP that its own rules allow (the empty one included), straight from the definitions."""
    base = hcp * channels
    mine = [p for p in range(base, base + channels) if problem.eligible[p]]
    pins = {int(p) for p in problem.pins if base <= p < base + channels}
    for size in range(len(mine) + 1):
        for members in itertools.combinations(mine, size):
            chosen = set(members)
            if with_pins and not pins <= chosen:
                continue
            caps_hold = all(
                sum(1 for p, g in zip(cap.pairs, cap.group, strict=True) if g == group and p in chosen) <= cap.upper[group]
                for cap in problem.caps
                for group in {g for p, g in zip(cap.pairs, cap.group, strict=True) if p in chosen}
            )
            if caps_hold and not any(set(map(int, row)) <= chosen for x in problem.exclusive for row in x.members):
                yield members


def brute_force(problem, forced=None):
    """(best objective - penalty, best plan) over all plans, or (None, None) when no plan keeps the hard limits."""
    channels, hcps = len(problem.channels), len(problem.hcp_ids)
    penalty = default_penalty(problem)
    tables = [use_by_pair(problem, x) for x in problem.limits]
    states = {tuple(0.0 for _ in problem.limits): (0.0, ())}
    for h in range(hcps):
        options = []
        for members in own_sets(problem, h, channels, with_pins=True):
            use = [
                sum(t.get(p, 0.0) for p in members) if x.counts == "touches" else float(any(p in t for p in members))
                for x, t in zip(problem.limits, tables, strict=True)
            ]
            options.append((members, set_value(problem, members), use))
        following: dict[tuple, tuple] = {}
        for state, (total, plan) in states.items():
            for members, gain, use in options:
                key = tuple(round(a + b, 9) for a, b in zip(state, use, strict=True))
                if key not in following or following[key][0] < total + gain:
                    following[key] = (total + gain, plan + members)
        states = following
    best = (None, None)
    for use, (total, plan) in states.items():
        missing = 0.0
        for x, u in zip(problem.limits, use, strict=True):
            if x.side == "max" and u > x.bound + 1e-6 * max(abs(x.bound), 1e-9):
                break
            if x.side == "min" and u < x.bound - 1e-6 * max(abs(x.bound), 1e-9):
                if x.hardness != "soft":
                    break
                missing += x.bound - u
        else:
            if best[0] is None or total - penalty * missing > best[0]:
                best = (total - penalty * missing, np.array(sorted(plan), dtype=np.int64))
    return best


def rep_bound_problem(hcps, channels=6, seed=0, floors=True, settings=SETTINGS):
    """The family of the measurements: every rep's minutes are tight, with a budget, channel budgets and capacities, one
    soft floor per territory, one incompatible pair of channels and 1-3 touches per HCP."""
    rng = np.random.default_rng(seed)
    reps = max(1, round(hcps / 150))
    rep = np.arange(hcps) % reps
    size = hcps * channels
    channel = np.arange(size) % channels
    owner = np.arange(size) // channels
    scale = rng.gamma(2.0, 0.5, hcps)
    strength = np.array([1.0, 0.8, 0.35, 0.3, 0.25, 0.2, 0.2, 0.15, 0.15, 0.1, 0.1, 0.1])[:channels]
    value = scale[owner] * strength[channel] * rng.lognormal(0.0, 0.5, size) - 0.05
    eligible = rng.random(size) < 0.83
    minutes = np.where(channel == 0, rng.integers(25, 50, size), np.where(channel == 1, rng.integers(10, 25, size), 0)).astype(float)
    # Minutes differ by HCP in the limits; the table of channels names what a visit usually takes.
    typical = np.array([40.0, 20.0, *[0.0] * 10])[:channels]
    price = np.array([120.0, 60.0, 15.0, 10.0, 2.0, 1.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0])[:channels]
    everyone, minutes = np.arange(hcps), minutes.reshape(hcps, channels)
    rows = [np.flatnonzero(rep == r) for r in range(reps)]
    limits, number = [], itertools.count()
    for r in range(reps):
        key = {"rule": "rep_capacity", "unit": "minutes", "rep_id": f"r{r}"}
        limits.append(scope_limit(next(number), "max", 1500, rows[r], minutes[rows[r]], **key))
        if floors:
            timed = (minutes[rows[r]] > 0) & eligible.reshape(hcps, channels)[rows[r]]
            floor = int(0.35 * np.count_nonzero(timed.any(axis=1)))
            flags = (typical > 0).astype(float)
            limits.append(
                scope_limit(next(number), "min", floor, rows[r], flags, "hcps", "soft", "coverage_floor", "hcps", territory_id=f"T{r}")
            )
    limits.append(scope_limit(next(number), "max", 55.0 * hcps, everyone, price))
    for c, share in ((2, 4.0), (3, 3.0)):
        if c < channels:
            limits.append(scope_limit(next(number), "max", share * hcps, everyone, price * (np.arange(channels) == c), channel=f"c{c}"))
    if channels > 4:
        flags, key = np.arange(channels) == 4, {"rule": "channel_capacity", "unit": "touches", "channel": "c4"}
        limits.append(scope_limit(next(number), "max", int(0.3 * hcps), everyone, flags, **key))
        limits.append(scope_limit(next(number), "min", int(0.05 * hcps), everyone, flags, **key))
    caps = [per_hcp_cap(hcps, channels, 1)]
    caps[0] = replace(caps[0], upper=rng.integers(1, 4, hcps))
    exclusive = [never_both(hcps, channels, 0, channels - 1)] if channels > 1 else []
    return make_problem(value.reshape(hcps, channels), eligible, limits, caps, exclusive, (), price, typical, rep=rep, settings=settings)
