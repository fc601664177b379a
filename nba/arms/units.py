"""What is drawn as one: an HCP, all HCPs of one organisation, or all of one territory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Units:
    """hcp_ids: sorted; unit_of (hcps): place in `names`; is_pinned (hcps): planned for, whatever its unit draws.
    names (units): unit_id, sorted; strata (units): text; is_cold (units): no member to be drawn has a history; is_drawn (units): has such
    a member."""

    hcp_ids: np.ndarray
    unit_of: np.ndarray
    is_pinned: np.ndarray
    names: np.ndarray
    strata: np.ndarray
    is_cold: np.ndarray
    is_drawn: np.ndarray


def units_of(hcps: pa.Table, unit: str) -> Units:
    """The units of a table of HCPs (columns as in `draw.draw_arms`), whatever the order of its rows.

    An HCP without an organisation is a unit of its own, HCPs without a territory are one. The stratum of an HCP is its territory and
    decile; that of an organisation the territory of most of its members (the first of equal ones) and their middle decile (the lower
    one of two); that of a territory the middle decile alone, since within a territory there is nothing to compare it with.
    """
    hcps = hcps.sort_by("hcp_id")
    ids = np.array(hcps["hcp_id"].to_pylist(), dtype=object)
    territory = np.array([x if x is not None else "unassigned" for x in hcps["territory_id"].to_pylist()], dtype=object)
    decile = np.array([np.nan if x is None else float(x) for x in hcps["decile"].to_pylist()], dtype=np.float64)
    cold, pinned = (np.array(hcps[name].to_pylist(), dtype=bool) for name in ("is_cold", "is_pinned"))
    if unit == "hcp":
        return Units(ids, np.arange(len(ids)), pinned, ids, _strata(territory, decile), cold & ~pinned, ~pinned)
    if unit == "hco":
        given = hcps["hco_id"].to_pylist()
        keys = [f"hcp:{own}" if hco is None else f"hco:{hco}" for own, hco in zip(ids.tolist(), given, strict=True)]
    else:
        keys = [f"territory:{name}" for name in territory.tolist()]
    names, unit_of = coded(np.array(keys, dtype=object))
    count, free = len(names), np.flatnonzero(~pinned)
    members = np.bincount(unit_of[free], minlength=count)
    with_history = np.bincount(unit_of[free], weights=~cold[free], minlength=count)
    place = _most_common(unit_of, territory, count) if unit == "hco" else np.full(count, "all", dtype=object)
    middle = _middle(unit_of, decile, count)
    return Units(ids, unit_of, pinned, names, _strata(place, middle), (members > 0) & (with_history == 0), members > 0)


def coded(texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(distinct texts, sorted; place of every text among them): as `np.unique`, in a tenth of its time."""
    import pyarrow as pa

    found = pa.array(texts, pa.string()).dictionary_encode()
    names = np.array(found.dictionary.to_pylist(), dtype=object)
    order = np.array(sorted(range(len(names)), key=names.__getitem__), dtype=np.int64)
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    return names[order], place[found.indices.to_numpy(zero_copy_only=False)]


def _strata(territory: np.ndarray, decile: np.ndarray) -> np.ndarray:
    """`territory|decile` of every entry."""
    words = {value: plain_number(value) for value in np.unique(decile[np.isfinite(decile)]).tolist()}
    pairs = zip(territory.tolist(), decile.tolist(), strict=True)
    return np.array([f"{place}|{words.get(value, 'unknown')}" for place, value in pairs], dtype=object)


def plain_number(value: float) -> str:
    """A decile as people write it: whole numbers without a point, others with at most six decimals, `unknown` where there is none."""
    if not np.isfinite(value):
        return "unknown"
    return str(int(value)) if value == np.floor(value) and abs(value) < 1e15 else f"{value:.6f}".rstrip("0")


def _most_common(unit_of: np.ndarray, territory: np.ndarray, count: int) -> np.ndarray:
    names, code = coded(territory)
    pairs, times = np.unique(unit_of.astype(np.int64) * len(names) + code, return_counts=True)
    order = np.lexsort((pairs % len(names), -times, pairs // len(names)))
    owner = pairs[order] // len(names)
    first = np.searchsorted(owner, np.arange(count))
    return names[pairs[order][first] % len(names)]


def _middle(unit_of: np.ndarray, decile: np.ndarray, count: int) -> np.ndarray:
    """Lower median of the known deciles of every unit, nan where none is known."""
    known = np.flatnonzero(np.isfinite(decile))
    order = known[np.lexsort((decile[known], unit_of[known]))]
    sizes = np.bincount(unit_of[known], minlength=count)
    begins = np.cumsum(sizes) - sizes
    found = np.full(count, np.nan)
    some = sizes > 0
    found[some] = decile[order[begins[some] + (sizes[some] - 1) // 2]]
    return found
