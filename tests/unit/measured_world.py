"""Past cycles with a known truth: HCPs drawn into arms, a plan for the large ones, reps who do 40% of it, and draws of single actions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

CHANNELS = ("email", "rep_visit", "webinar")
GAINS = {"email": 0.5, "rep_visit": 2.0, "webinar": 1.0}  # KPI per executed touch of an HCP of level 1, times `effect`
SHARES = {"control": 0.10, "explore": 0.25}
ADHERENCE = 0.4


@dataclass(frozen=True)
class Simulated:
    """hcps, explore: tables as the pipeline gives them. lift: mean true effect on HCPs of being planned for; per_touch: mean true effect of
    the touches the plan adds; policy: name -> true mean KPI of all HCPs under it; naive: difference of touched and untouched HCPs."""

    hcps: pa.Table
    explore: pa.Table
    lift: float
    per_touch: float
    policy: dict[str, float]
    naive: float


@dataclass(frozen=True)
class Drawn:
    """Arms as drawn, one entry per HCP."""

    arm: np.ndarray
    probability: np.ndarray
    stratum: list[str]
    unit: np.ndarray


def simulated(
    seed: int, hcps: int = 600, cycles: int = 1, effect: float = 1.0, unit: str = "hcp", shares: dict[str, float] | None = None
) -> Simulated:
    """`cycles` cycles of the same draw. unit: `hcp` or `hco` (groups of about three). Levels are skewed, every HCP has its own effect."""
    draw = np.random.default_rng(seed)
    size = draw.lognormal(0.0, 0.6, hcps)
    own = draw.lognormal(0.0, 0.3, hcps) * size
    decile = np.argsort(np.argsort(size)) * 10 // hcps + 1
    territory = draw.integers(0, 6, hcps)
    group = np.arange(hcps) if unit == "hcp" else draw.integers(0, hcps // 3, hcps)
    shock = draw.normal(0.0, 0.0 if unit == "hcp" else 1.0, hcps)[group]  # what one HCO has in common
    arm, probability = _arms(draw, group, {**SHARES, **(shares or {})})
    chance = _chances(draw, decile)
    taken = (draw.random(hcps)[:, None] > chance.cumsum(axis=1)).sum(axis=1)
    gain = effect * np.array([0.0, *GAINS.values()])[None, :] * own[:, None]
    drawn = Drawn(arm, probability, [f"T{a}|{b}" for a, b in zip(territory, decile, strict=True)], group)
    parts, lifts, added, policies, naive = [], [], [], [], []
    for number in range(cycles):
        natural = draw.poisson(0.2 * size)  # reps go where prescriptions are, plan or not
        planned = (size > np.median(size)).astype(int) * 2  # a plan for the large ones alone
        done = draw.binomial(planned, ADHERENCE)
        level = 4.0 * size + shock
        mean = {
            "control": level + gain[:, 2] * natural,
            "plan": level + gain[:, 2] * (natural + done),
            "explore": level + gain[:, 2] * natural + gain[np.arange(hcps), taken],
        }
        noise = draw.normal(0.0, 1.0, hcps)
        kpi = np.select([arm == name for name in mean], list(mean.values())) + noise
        touches = natural + np.where(arm == "plan", done, 0) + np.where((arm == "explore") & (taken > 0), 1, 0)
        parts.append((number, kpi, level, touches, planned))
        lifts.append(ADHERENCE * planned * gain[:, 2])
        added.append(ADHERENCE * planned)
        policies.append({name: mean["control"] + (policy * gain).sum(axis=1) for name, policy in true_policies(chance, gain).items()})
        naive.append(kpi[touches > 0].mean() - kpi[touches == 0].mean())
    table = pa.concat_tables([_hcp_rows(hcps, drawn, gain, part) for part in parts])
    explored = [_explore_rows(number, np.flatnonzero(arm == "explore"), chance, taken, gain) for number in range(cycles)]
    return Simulated(
        table,
        pa.concat_tables(explored),
        float(np.mean(lifts)),
        float(np.sum(lifts) / np.sum(added)) if effect else 0.0,
        {name: float(np.mean([found[name].mean() for found in policies])) for name in policies[0]},
        float(np.mean(naive)),
    )


def true_policies(chance: np.ndarray, gain: np.ndarray) -> dict[str, np.ndarray]:
    """The policies by another reading: probabilities of none and the channels per HCP. The estimate of impact is the truth here."""
    hcps = len(chance)
    none = np.tile([1.0, 0.0, 0.0, 0.0], (hcps, 1))
    found = {"none": none, "uniform": (chance > 0) / (chance > 0).sum(axis=1)[:, None], "best_impact": none.copy()}
    worth = np.where(chance > 0, gain, -1.0)
    for action in (1, 2, 3):
        is_best = (worth[:, action] == worth.max(axis=1)) & (worth[:, action] > 0)
        found["best_impact"][is_best] = np.eye(4)[action]
    for action, name in enumerate(CHANNELS, start=1):
        found[f"always:{name}"] = np.where((chance[:, action] > 0)[:, None], np.eye(4)[action], none)
    return found


def cycle_day(number: int) -> date:
    return date(2025, 6, 2) + timedelta(days=28 * number)


def _arms(draw: np.random.Generator, group: np.ndarray, shares: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Arm and its probability per HCP: each unit draws for itself."""
    spot = draw.random(int(group.max()) + 1)[group]
    control, explore = shares["control"], shares["explore"]
    arm = np.where(spot < control, "control", np.where(spot < control + explore, "explore", "plan"))
    return arm, np.select([arm == "control", arm == "explore"], [control, explore], 1.0 - control - explore)


def _chances(draw: np.random.Generator, decile: np.ndarray) -> np.ndarray:
    """Probabilities of none, email, rep_visit, webinar: large HCPs draw visits more often; webinars are not open to some."""
    chance = np.column_stack([np.full(len(decile), 3.0), np.full(len(decile), 2.0), 0.5 + decile / 4.0, np.full(len(decile), 1.0)])
    chance[draw.random(len(decile)) < 0.2, 3] = 0.0
    return chance / chance.sum(axis=1, keepdims=True)


def _hcp_rows(hcps: int, drawn: Drawn, gain: np.ndarray, part: tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]) -> pa.Table:
    number, kpi, level, touches, planned = part
    noise = np.random.default_rng(number + 1000 * hcps).normal(0.0, 1.0, hcps)
    return pa.table(
        {
            "measured_cycle": pa.array([cycle_day(number)] * hcps, pa.date32()),
            "hcp_id": [f"H{row:05d}" for row in range(hcps)],
            "unit_id": [f"U{unit:05d}" for unit in drawn.unit],
            "stratum": drawn.stratum,
            "arm": drawn.arm.tolist(),
            "arm_probability": drawn.probability,
            "kpi": kpi,
            "kpi_before": level + noise,
            "kpi_long_before": level + 0.5 * np.roll(noise, 1),
            "market_before": pa.nulls(hcps, pa.float64()),
            "touches": touches.astype(float),
            "predicted": planned * gain[:, 2],
            "best_impact": gain[:, 2],
            "is_kpi_known": [True] * hcps,
            "are_touches_known": [True] * hcps,
        }
    )


def _explore_rows(number: int, rows: np.ndarray, chance: np.ndarray, taken: np.ndarray, gain: np.ndarray) -> pa.Table:
    found = [
        (cycle_day(number), f"H{row:05d}", name, chance[row, action], bool(taken[row] == action), gain[row, action] if action else None)
        for row in rows
        for action, name in enumerate(("none", *CHANNELS))
        if chance[row, action] > 0
    ]
    names = ("measured_cycle", "hcp_id", "channel", "propensity", "is_drawn", "expected_impact")
    kinds = (pa.date32(), pa.string(), pa.string(), pa.float64(), pa.bool_(), pa.float64())
    columns = zip(*found, strict=True) if found else [[]] * len(names)
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, kinds, strict=True)], names=names)
