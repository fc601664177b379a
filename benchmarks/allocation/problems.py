"""The same instances as `optimization.Problem`, for our engine and for the checker that judges everybody."""

from __future__ import annotations

from datetime import date

import numpy as np

from benchmarks.allocation.families import CHANNELS, MINUTES, AllocationCase
from optimization.problem import HcpCap, Limit, NotTogether, PlanSettings, Problem

CYCLE = (date(2026, 1, 5), date(2026, 2, 2))
DAYS = 28


def problem_of(case: AllocationCase, gap: float = 1e-4) -> Problem:
    """The case as a problem: no overlap, hard floors, every available pair open on all days of the cycle."""
    hcps, width = case.value.shape
    available = case.available.ravel()
    reps = [f"R{number:05d}" for number in range(case.rep_count)]
    return Problem(
        settings=PlanSettings(*CYCLE, overlap=0.0, floor_penalty=0.0, gap=gap),
        hcp_ids=np.array([f"H{number:07d}" for number in range(hcps)], dtype=object),
        channels=list(CHANNELS[:width]),
        territory=case.rep.astype(np.int32),
        territory_names=reps,
        rep=case.rep.astype(np.int32),
        rep_names=reps,
        cost=case.cost,
        minutes=MINUTES.astype(np.float64),
        most_touches=np.ones(width, dtype=np.int64),
        value=case.value.ravel(),
        eligible=available,
        earliest=np.where(available, 0, -1).astype(np.int16),
        latest=np.where(available, DAYS - 1, -1).astype(np.int16),
        blocked_by=np.where(available, -1, 0).astype(np.int8),
        blockers=["access"],
        blocks=[],
        limits=_rep_limits(case) + _channel_limits(case),
        caps=[_contact_limit(case)],
        exclusive=[_incompatible(case)],
        pins=np.empty(0, dtype=np.int64),
        pin_labels=[],
    )


def _limit(hcps: np.ndarray, use: np.ndarray, **fields: object) -> Limit:
    """A limit over these HCPs; use: (C,) or (len(hcps), C), 0 = not counted."""
    return Limit(hcps=hcps.astype(np.int32), use=np.asarray(use, dtype=np.float64), **fields)


def _rep_limits(case: AllocationCase) -> list[Limit]:
    """Minutes and coverage floor of every rep."""
    first = np.searchsorted(case.rep, np.arange(case.rep_count + 1))
    limits = []
    for rep in range(case.rep_count):
        hcps = np.arange(first[rep], first[rep + 1])
        name = f"R{rep:05d}"
        minutes = case.minutes[hcps] if case.minutes.ndim == 2 else case.minutes
        key = {"territory_id": name, "rep_id": name}
        limits.append(
            _limit(
                hcps,
                minutes,
                limit_id=f"minutes-{name}",
                rule="rep_capacity",
                side="max",
                unit="minutes",
                label=f"minutes of rep {name}",
                bound=float(case.rep_minutes[rep]),
                **key,
            )
        )
        limits.append(
            _limit(
                hcps,
                (minutes > 0).astype(np.float64),
                limit_id=f"floor-{name}",
                rule="coverage_floor",
                side="min",
                unit=case.floor_counts,
                label=f"coverage in territory {name}",
                bound=float(case.floor[rep]),
                counts=case.floor_counts,
                **key,
            )
        )
    return limits


def _channel_limits(case: AllocationCase) -> list[Limit]:
    """The global budget, actions per channel and cost per channel."""
    everyone = np.arange(case.hcp_count)
    limits = [
        _limit(
            everyone,
            case.cost,
            limit_id="budget",
            rule="budget",
            side="max",
            unit="cost",
            label="budget",
            bound=float(case.budget),
        )
    ]
    kinds = [
        ("min", "touches", "channel_capacity", case.channel_min),
        ("max", "touches", "channel_capacity", case.channel_max),
        ("max", "cost", "budget", case.channel_budget),
    ]
    for side, unit, rule, bounds in kinds:
        for channel in np.flatnonzero(~np.isnan(bounds)):
            name = CHANNELS[channel]
            use = np.zeros(case.channel_count)
            use[channel] = 1.0 if unit == "touches" else case.cost[channel]
            label = f"{unit} of {name}, at {'most' if side == 'max' else 'least'}"
            key = {"limit_id": f"{unit}-{side}-{name}", "rule": rule, "side": side, "unit": unit, "label": label, "channel": name}
            limits.append(_limit(everyone, use, bound=float(bounds[channel]), **key))
    return limits


def _contact_limit(case: AllocationCase) -> HcpCap:
    pairs = np.flatnonzero(case.available)
    return HcpCap("contact_limit", "actions per HCP", pairs, pairs // case.channel_count, case.most_actions.astype(np.float64))


def _incompatible(case: AllocationCase) -> NotTogether:
    first, second = case.incompatible
    both = np.flatnonzero(case.available[:, first] & case.available[:, second])
    members = both[:, None] * case.channel_count + np.array([first, second])
    return NotTogether("incompatible", f"{CHANNELS[first]} with {CHANNELS[second]}", members)
