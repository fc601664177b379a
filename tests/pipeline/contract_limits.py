"""The limits of the rule tables that several HCPs share, read a second time from the contract."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from contract_reference import Plan, Row, World


@dataclass(frozen=True)
class Limit:
    """A shared limit: its key, its bound and which pairs use how much. counts `hcps`: an HCP with a counted pair uses 1."""

    key: tuple[Any, ...]
    bound: float
    use: dict[tuple[str, str], float]
    counts: str = "touches"
    requested: float | None = None
    hardness: str | None = None

    @property
    def sign(self) -> float:
        return 1.0 if self.key[1] == "max" else -1.0

    def used_by(self, hcp: str, plan: Plan) -> float:
        parts = [touches * self.use.get((hcp, channel), 0.0) for channel, touches in plan.items() if touches]
        return float(any(parts)) if self.counts == "hcps" else math.fsum(parts)


def shared_limits(world: World) -> list[Limit]:
    """Every limit of the rule tables that gets a price."""
    return [*_budgets(world), *_channel_capacities(world), *_rep_capacities(world), *_floors(world)]


def _budgets(world: World) -> Iterator[Limit]:
    for row in world.rule("budget"):
        for channel, territory, pairs in _scopes(world, row, list(world.channels)):
            use = {pair: world.channels[pair[1]]["unit_cost"] for pair in pairs}
            yield Limit(("budget", "max", "cost", channel, territory, None, None, None), float(row["max_cost"]), use)


def _channel_capacities(world: World) -> Iterator[Limit]:
    for row in world.rule("channel_capacity"):
        for channel, territory, pairs in _scopes(world, row, list(world.channels)):
            for side in ("min", "max"):
                bound = row.get(f"{side}_actions")
                if bound is not None and (side == "max" or bound > 0):
                    key = ("channel_capacity", side, "touches", channel, territory, None, None, None)
                    yield Limit(key, float(bound), dict.fromkeys(pairs, 1.0))


def _rep_capacities(world: World) -> Iterator[Limit]:
    for row in world.rule("rep_capacity"):
        for channel, territory, rep, pairs in _rep_scopes(world, row):
            minutes = {pair: world.channels[pair[1]]["rep_minutes"] for pair in pairs}
            key = (channel, territory, rep, None, None)
            if row.get("max_minutes") is not None:
                yield Limit(("rep_capacity", "max", "minutes", *key), float(row["max_minutes"]), minutes)
            if row.get("max_actions") is not None:
                yield Limit(("rep_capacity", "max", "touches", *key), float(row["max_actions"]), dict.fromkeys(pairs, 1.0))


def _floors(world: World) -> Iterator[Limit]:
    for row in (row for row in world.rule("coverage_floor") if row["min_hcps"] > 0):
        territories = _territories(world) if row.get("territory_id") == "*" else [row.get("territory_id")]
        channels = world.rep_channels if row.get("channel") is None else list(world.channels) if row["channel"] == "*" else [row["channel"]]
        for territory, value in product(territories, _values(world, row)):
            condition = row | {"value": value}
            inside = [
                hcp for hcp in world.hcps if territory in (None, world.hcps[hcp].get("territory_id")) and world.matches(condition, hcp)
            ]
            pairs = [(hcp, channel) for hcp in inside for channel in channels if channel in world.eligible(hcp)]
            hardness, asked = row.get("hardness") or "soft", float(row["min_hcps"])
            bound = asked if hardness == "hard" else min(asked, float(len({hcp for hcp, channel in pairs if world.is_open(hcp, channel)})))
            key = ("coverage_floor", "min", "hcps", row.get("channel"), territory, None, row.get("attribute"), value)
            yield Limit(key, bound, dict.fromkeys(pairs, 1.0), "hcps", asked, hardness)


def _values(world: World, row: Row) -> list[str | None]:
    """The values a floor stands for: with `*` each one that some HCP has."""
    if row.get("attribute") is None or row.get("value") != "*":
        return [row.get("value")]
    values = {hcp.get(row["attribute"]) for hcp in world.hcps.values()} - {None}
    return sorted(f"{value:.15g}" if isinstance(value, float) else str(value) for value in values)


def _territories(world: World) -> list[str]:
    return sorted({row["territory_id"] for row in world.hcps.values() if row.get("territory_id") is not None})


def _scopes(world: World, row: Row, together: list[str]) -> Iterator[tuple[str | None, str | None, list[tuple[str, str]]]]:
    """(channel, territory, pairs) of every limit a row stands for."""
    channels = together if row.get("channel") == "*" else [row.get("channel")]
    territories = _territories(world) if row.get("territory_id") == "*" else [row.get("territory_id")]
    for channel, territory in product(channels, territories):
        inside = [hcp for hcp, known in world.hcps.items() if territory in (None, known.get("territory_id"))]
        yield channel, territory, [(hcp, one) for hcp in inside for one in (together if channel is None else [channel])]


def _rep_scopes(world: World, row: Row) -> Iterator[tuple[str | None, str | None, str | None, list[tuple[str, str]]]]:
    """(channel, territory, rep, pairs): `*` stands for every rep, and with a territory for those who have HCPs there."""
    named = row.get("rep_id")
    reps = sorted({known["rep_id"] for known in world.hcps.values() if known.get("rep_id") is not None}) if named == "*" else [named]
    for channel, territory, pairs in _scopes(world, row, world.rep_channels):
        for rep in reps:
            own = [
                (hcp, one) for hcp, one in pairs if world.hcps[hcp].get("rep_id") is not None and rep in (None, world.hcps[hcp]["rep_id"])
            ]
            is_each = "*" in (named, row.get("territory_id")) and rep is not None and territory is not None
            if own or not is_each:
                yield channel, territory, rep, own


def use_of_sets(world: World, limits: list[Limit]) -> dict[str, np.ndarray]:
    """By HCP: use of each limit (columns) by each allowed set (rows)."""
    return {hcp: np.array([[limit.used_by(hcp, plan) for limit in limits] for plan in world.allowed_sets(hcp)]) for hcp in world.hcps}
