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
    if len(pairs):
        touched, start, length = _longest_gap(pairs, first, last, days)
        earliest[touched] = np.where(length > 0, start, -1)
        latest[touched] = np.where(length > 0, start + length - 1, -1)
    return earliest, latest


def _partial_entries(blocks: list[Block], shut: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Entries of pairs that no single entry shuts for the whole cycle, by pair and first day."""
    if not blocks:
        return (np.empty(0, dtype=np.int64),) * 3
    keep = [~shut[block.pairs] for block in blocks]
    pairs, first, last = (
        np.concatenate([getattr(block, part)[kept] for block, kept in zip(blocks, keep, strict=True)]).astype(np.int64)
        for part in ("pairs", "first", "last")
    )
    order = np.lexsort((first, pairs))
    return pairs[order], first[order], last[order]


def _longest_gap(pairs: np.ndarray, first: np.ndarray, last: np.ndarray, days: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per distinct pair of sorted entries: the pair, the start and the length of its longest uncovered stretch."""
    opens = np.r_[True, pairs[1:] != pairs[:-1]]
    group = np.cumsum(opens) - 1
    touched = pairs[opens]
    # Running maximum of `last` inside each pair: adding a step per pair larger than any day keeps pairs apart.
    step = days + 2
    covered = np.maximum.accumulate(last + group * step) - group * step
    before = np.where(opens, 0, np.r_[0, covered[:-1] + 1])
    closes = np.r_[opens[1:], True]
    start = np.r_[before, covered[closes] + 1]
    length = np.maximum(np.r_[first, np.full(len(touched), days)] - start, 0)
    owner = np.r_[group, np.arange(len(touched))]
    order = np.lexsort((start, -length, owner))
    best = order[np.r_[True, owner[order][1:] != owner[order][:-1]]]
    return touched, start[best], length[best]


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
