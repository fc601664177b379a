"""From blocked days to eligible runs: which pairs have a day left, which run of days, and what stood in the way.

A run is the longest stretch of cycle days that no block covers, the earliest one on ties. Everything is sorting and
running maxima over the block entries: cost grows with their number, not with pairs x days.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from optimization.problem import Block, Problem


def eligible_runs(blocks: list[Block], pair_count: int, days: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last day of each pair's eligible run (int16, -1 where none)."""
    earliest = np.zeros(pair_count, dtype=np.int16)
    latest = np.full(pair_count, days - 1, dtype=np.int16)
    shut = np.zeros(pair_count, dtype=bool)
    for block in blocks:
        shut[block.pairs[(block.first <= 0) & (block.last >= days - 1)]] = True
    earliest[shut] = latest[shut] = -1
    pairs, first, last = _partial_entries(blocks, shut)
    times = np.bincount(pairs, minlength=pair_count)
    alone = times[pairs] == 1
    one, before, after = pairs[alone], first[alone], last[alone]
    is_early = before >= days - 1 - after  # days before the entry against days behind it; on ties the earlier
    earliest[one] = np.where(is_early, 0, after + 1)
    latest[one] = np.where(is_early, before - 1, days - 1)
    if not alone.all():
        pairs, first, last = (part[~alone] for part in (pairs, first, last))
        order = np.argsort(pairs * (days + 1) + first, kind="stable")  # stable: blocks come in order of pairs, they are merged
        touched, start, length = _longest_gap(pairs[order], first[order], last[order], days)
        earliest[touched] = np.where(length > 0, start, -1)
        latest[touched] = np.where(length > 0, start + length - 1, -1)
    return earliest, latest


def _partial_entries(blocks: list[Block], shut: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Entries of pairs that no single entry shuts for the whole cycle."""
    keep = [np.flatnonzero(~shut[block.pairs]) for block in blocks]
    kept = list(zip(blocks, keep, strict=True))
    none = np.empty(0, dtype=np.int64)
    return (
        np.concatenate([none, *(block.pairs[at] for block, at in kept)]),
        np.concatenate([none, *(block.first[at] for block, at in kept)]),
        np.concatenate([none, *(block.last[at] for block, at in kept)]),
    )


def _longest_gap(pairs: np.ndarray, first: np.ndarray, last: np.ndarray, days: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per distinct pair of sorted entries: the pair, the start and the length of its longest uncovered stretch."""
    opens = np.append(True, pairs[1:] != pairs[:-1])
    group = np.cumsum(opens) - 1
    # Running maximum of `last` inside each pair: adding a step per pair larger than any day keeps pairs apart.
    step = days + 2
    covered = np.maximum.accumulate(last + group * step) - group * step
    start = np.where(opens, 0, np.append(0, covered[:-1] + 1))
    after = covered[np.append(opens[1:], True)] + 1
    # Longest first, earliest on ties: one number per stretch, the largest one wins.
    best = np.maximum.reduceat(np.maximum(first - start, 0) * step + days - start, np.flatnonzero(opens))
    best = np.maximum(best, np.maximum(days - after, 0) * step + days - after)
    length, begins = np.divmod(best, step)
    return pairs[opens], days - begins, length


def first_blockers(blocks: list[Block], eligible: np.ndarray, order: list[str]) -> np.ndarray:
    """Per pair the place in `order` of the first rule that blocks a day of an ineligible pair (int8); -1 for eligible pairs."""
    place = np.full(len(eligible), -1, dtype=np.int8)
    for block in sorted(blocks, key=lambda item: order.index(item.rule), reverse=True):
        place[block.pairs] = order.index(block.rule)
    place[eligible] = -1
    return place


def pair_blocks(problem: Problem) -> pd.DataFrame:
    """Why ineligible pairs are so: one row per pair and blocking rule, by pair in the contract's order of rules.

    Columns pair (int), rule, detail (categorical text). Where one rule blocks a pair several times, the entry that takes most days
    speaks (then the earliest, then the first in the alphabet).
    """
    rules: list[str] = list(dict.fromkeys(block.rule for block in problem.blocks))
    keep = [np.flatnonzero(~problem.eligible[block.pairs]) for block in problem.blocks]
    offset = np.cumsum([0, *(len(block.texts) for block in problem.blocks)])
    kept = list(zip(problem.blocks, keep, offset[:-1].tolist(), strict=True))
    pair, rule, first, last, text = (
        np.concatenate([np.empty(0, dtype=np.int64), *parts])
        for parts in (
            [block.pairs[at] for block, at, _ in kept],
            [np.full(len(at), rules.index(block.rule)) for block, at, _ in kept],
            [block.first[at] for block, at, _ in kept],
            [block.last[at] for block, at, _ in kept],
            [block.text[at] + begin for block, at, begin in kept],
        )
    )
    words, code = np.unique([word for block in problem.blocks for word in block.texts], return_inverse=True)
    text = code[text] if len(text) else text
    order = np.lexsort((text, first, first - last, rule, pair))
    pair, rule, text = pair[order], rule[order], text[order]
    new = np.r_[True, (pair[1:] != pair[:-1]) | (rule[1:] != rule[:-1])][: len(pair)]
    detail = pd.Categorical.from_codes(text[new], categories=words.astype(object))
    return pd.DataFrame({"pair": pair[new], "rule": pd.Categorical.from_codes(rule[new], categories=rules), "detail": detail})
