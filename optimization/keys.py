"""Stable names of limits: a hash of the limit's key, not of its bound or of its place in a table."""

from __future__ import annotations

import hashlib
from collections import defaultdict

from optimization.problem import Limit


def key_text(limit: Limit) -> str:
    """Canonical text of a limit's key: its parts in contract order, tab between them, null as \\N."""
    parts = (
        limit.rule,
        limit.side,
        limit.unit,
        limit.channel,
        limit.territory_id,
        limit.rep_id,
        limit.attribute,
        limit.operator,
        limit.value,
    )
    return "\t".join("\\N" if part is None else _escaped(part) for part in parts)


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace("\t", "\\t") if "\\" in part or "\t" in part else part


def limit_id(key: str, ordinal: int) -> str:
    """First 16 hex digits of the SHA-256 of the key and its ordinal among limits of the same key."""
    return hashlib.sha256(f"{key}\t{ordinal}".encode()).hexdigest()[:16]


def with_limit_ids(limits: list[Limit]) -> list[Limit]:
    """The same limits, in the same order, each with its id.

    Limits of the same key are numbered by bound (as asked for, before a soft floor is cut to what is reachable), then by
    hardness: a limit without a twin keeps its id whatever its bound and whatever other rows come and go.
    """
    twins: dict[str, list[int]] = defaultdict(list)
    for place, limit in enumerate(limits):
        twins[key_text(limit)].append(place)
    named = list(limits)
    for key, places in twins.items():
        if len(places) > 1:
            places.sort(key=lambda place: (_asked(limits[place]), limits[place].hardness))
        for ordinal, place in enumerate(places):
            named[place] = Limit(**(vars(limits[place]) | {"limit_id": limit_id(key, ordinal)}))
    return named


def _asked(limit: Limit) -> float:
    return limit.bound if limit.requested is None else limit.requested
