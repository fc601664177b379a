"""Rows of the benchmark to figures: shares of the oracle's gain, by method over worlds, and the targets they are held against."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

from benchmarks.impact.methods import METHODS

Rows = list[dict[str, Any]]
KEY = ("world", "hcps", "weeks", "seed")
# What the work is held to: normed share by HCPs (at least so many), share above the best heuristic, and the rest for every size.
TARGET_NORMED = {2000: 0.65, 10_000: 0.80}
TARGET_ABOVE = 0.05
TARGET_RATIO = (0.85, 1.15)
TARGET_COVERAGE = (0.80, 0.97)
TARGET_NOTHING = 0.15
LEAST_SPAN = 0.02  # of share between random and ceiling, below which the normed share says nothing


@dataclass(frozen=True)
class Verdict:
    """One target: what it is, what was found, whether it is met (None: cannot be judged from the rows)."""

    hcps: int
    target: str
    found: str
    is_met: bool | None


def read_rows(results: Path) -> Rows:
    """Rows of the file, the last of each key, with shares added."""
    rows = [json.loads(line) for line in results.read_text().splitlines() if line.strip()]
    last = {(*(row[name] for name in KEY), row["method"]): row for row in rows}
    return with_shares(list(last.values()))


def with_shares(rows: Rows) -> Rows:
    """share = gain over the oracle's gain of the same world; normed = (share - random) / (ceiling - random); in the world without effects
    share is None and over_catalogue = predicted gain over what the catalogue predicts for its own plan."""
    done = {(*(row[name] for name in KEY), row["method"]): row for row in rows if row["status"] == "done"}
    out = []
    for row in rows:
        place = tuple(row[name] for name in KEY)
        found: dict[str, Any] = {"share": None, "normed": None, "over_catalogue": None}
        best, low, high, catalogue = (done.get((*place, name)) for name in ("oracle", "random", "ceiling", "catalogue"))
        if row["status"] == "done" and best and best["gain"] > 0:
            found["share"] = row["gain"] / best["gain"]
            if low and high and high["gain"] - low["gain"] > LEAST_SPAN * best["gain"]:
                found["normed"] = (row["gain"] - low["gain"]) / (high["gain"] - low["gain"])
        elif row["status"] == "done" and best and catalogue and row["predicted"] is not None:
            found["over_catalogue"] = row["predicted"] / catalogue["predicted"]
        out.append(row | found)
    return out


def values(rows: Rows, name: str, **where: Any) -> list[float]:
    """The figure of every row that has it and fits."""
    return [row[name] for row in rows if row.get(name) is not None and all(row[k] == v for k, v in where.items())]


def mean(found: list[float]) -> float | None:
    return fmean(found) if found else None


def spread(found: list[float]) -> float | None:
    """Standard deviation over worlds and seeds."""
    return pstdev(found) if len(found) > 1 else None


def by_world(rows: Rows, name: str, hcps: int, method: str) -> dict[str, float]:
    """Mean of a figure over the seeds of each world."""
    worlds = dict.fromkeys(row["world"] for row in rows if row["hcps"] == hcps)
    found = {world: values(rows, name, hcps=hcps, method=method, world=world) for world in worlds}
    return {world: fmean(numbers) for world, numbers in found.items() if numbers}


def best_heuristic(rows: Rows, hcps: int) -> str | None:
    """The heuristic with the largest mean share over the worlds that ours was run on."""
    worlds = by_world(rows, "share", hcps, "ours") or by_world(rows, "share", hcps, "random")
    found = {}
    for name, method in METHODS.items():
        shares = by_world(rows, "share", hcps, name)
        if method.kind == "heuristic" and worlds and all(world in shares for world in worlds):
            found[name] = fmean(shares[world] for world in worlds)
    return max(found, key=lambda name: found[name]) if found else None


def verdicts(rows: Rows, hcps: int) -> list[Verdict]:
    """The targets at one size, for `ours`."""
    mine = [row for row in rows if row["hcps"] == hcps and row["method"] == "ours" and row["status"] == "done"]
    if not mine:
        return [Verdict(hcps, "every target", "ours was not run", None)]
    out = []
    normed = list(by_world(rows, "normed", hcps, "ours").values())
    aim = max((share for size, share in TARGET_NORMED.items() if size <= hcps), default=None)
    if aim is not None and normed:
        words = f"{fmean(normed):.3f} (spread {spread(normed) or 0:.3f}, {min(normed):.2f} to {max(normed):.2f}, {len(normed)} worlds)"
        out.append(Verdict(hcps, f"(share - random) / (ceiling - random) >= {aim:g}", words, fmean(normed) >= aim))
    shares, heuristic = by_world(rows, "share", hcps, "ours"), best_heuristic(rows, hcps)
    if heuristic and shares:
        other = by_world(rows, "share", hcps, heuristic)
        above = fmean(shares[world] - other[world] for world in shares)
        words = f"{above:+.3f} above {heuristic}, lowest {min(shares[w] - other[w] for w in shares):+.3f}"
        out.append(Verdict(hcps, f"share >= {TARGET_ABOVE:g} above the best heuristic", words, above >= TARGET_ABOVE))
    out += [_ratio(mine, hcps), *_coverage(mine, hcps), *_nothing(mine, hcps)]
    if hcps == 10_000:
        most = max(row["cpu_seconds"] for row in mine)
        out.append(Verdict(hcps, "<= 60 CPU s", f"at most {most:.0f} s", most <= 60))
    return [verdict for verdict in out if verdict is not None]


def _ratio(mine: Rows, hcps: int) -> Verdict | None:
    ratios = [row["predicted_over_true"] for row in mine if row["predicted_over_true"] is not None]
    if not ratios:
        return None
    low, high = TARGET_RATIO
    inside = sum(low <= ratio <= high for ratio in ratios)
    words = f"mean {fmean(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}, {inside} of {len(ratios)} rows inside"
    return Verdict(hcps, f"predicted / true plan value {low:g} to {high:g}", words, inside == len(ratios))


def _coverage(mine: Rows, hcps: int) -> list[Verdict]:
    low, high = TARGET_COVERAGE
    mine = [row for row in mine if row["true_total"] > 0 and row.get("coverage_by_channel")]
    channels = [share for row in mine for share in row["coverage_by_channel"].values()]
    planned = [row["coverage_planned"] for row in mine if row["coverage_planned"] is not None]
    out = []
    for what, found in (("in every channel", channels), ("among planned pairs", planned)):
        if found:
            inside = sum(low <= share <= high for share in found)
            words = f"mean {fmean(found):.2f}, {min(found):.2f} to {max(found):.2f}, {inside} of {len(found)} inside"
            out.append(Verdict(hcps, f"90% intervals cover {low:.0%} to {high:.0%} {what}", words, inside == len(found)))
    return out


def _nothing(mine: Rows, hcps: int) -> list[Verdict]:
    rows = [row for row in mine if row["over_catalogue"] is not None]
    if not rows:
        return []
    most, called = max(row["over_catalogue"] for row in rows), sorted({c for row in rows for c in row["effective"] or []})
    words = f"at most {most:.1%}; called effective: {', '.join(called) or 'none'}"
    return [Verdict(hcps, f"no effect: predicted <= {TARGET_NOTHING:.0%} of the catalogue's", words, most <= TARGET_NOTHING and not called)]
