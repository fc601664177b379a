"""Loops of the draws, compiled: rounding without lost remainders, and the explore draw replayed. Chance comes from hashes mixed with a
counter (Steele and others, 2014: SplitMix), so it is the same on every machine."""

from __future__ import annotations

import numpy as np

from optimization.kernels import compiled

NEAR = 1e-9  # closer to a whole number than this is that number


@compiled
def mixed(number):  # type: ignore[no-untyped-def]
    """uint64 -> uint64, every bit of the input in every bit of the output."""
    number = np.uint64(number) + np.uint64(0x9E3779B97F4A7C15)
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return number ^ (number >> np.uint64(31))


@compiled
def unit_interval(number):  # type: ignore[no-untyped-def]
    """uint64 -> [0, 1)."""
    return (number >> np.uint64(11)) / 9007199254740992.0


@compiled
def open_column(part, not_one, not_other):  # type: ignore[no-untyped-def]
    """A column of this row that is not whole, other than two; -1 where there is none."""
    for column in range(3):
        if column != not_one and column != not_other and NEAR < part[column] < 1 - NEAR:
            return column
    return -1


@compiled
def find_cycle(part, pool, held, rows, columns):  # type: ignore[no-untyped-def]
    """Length of a cycle of open cells among the pool's rows, 0 where there is none: rows[k] is raised at columns[k] and lowered at
    columns[k + 1]. Three rows always hold one: an open row has two open cells at least, and there are three columns."""
    for one in range(held):
        for other in range(one + 1, held):
            found = 0
            for column in range(3):
                if NEAR < part[pool[one], column] < 1 - NEAR and NEAR < part[pool[other], column] < 1 - NEAR and found < 2:
                    columns[found] = column
                    found += 1
            if found == 2:
                rows[0], rows[1] = pool[one], pool[other]
                return 2
    if held < 3:
        return 0
    first = open_column(part[pool[0]], -1, -1)
    second = open_column(part[pool[0]], first, -1)
    third = 3 - first - second
    # rows 1 and 2 hold two open columns each, no two rows the same two: one of them holds (second, third), the other (third, first)
    has = NEAR < part[pool[1], second] < 1 - NEAR and NEAR < part[pool[1], third] < 1 - NEAR
    rows[0], rows[1], rows[2] = pool[0], pool[1] if has else pool[2], pool[2] if has else pool[1]
    columns[0], columns[1], columns[2] = first, second, third
    return 3


@compiled
def round_rows(part, base):  # type: ignore[no-untyped-def]
    """Make every cell of part (rows, 3), in [0, 1], 0 or 1 in place; rows and columns sum to whole numbers."""
    pool, rows, columns = np.empty(4, dtype=np.int64), np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64)
    held, step = 0, np.uint64(0)
    for row in range(len(part)):
        pool[held] = row
        held += 1
        while True:
            kept = 0
            for place in range(held):
                cells = part[pool[place]]
                one = open_column(cells, -1, -1)
                if one >= 0 and open_column(cells, one, -1) >= 0:  # one open cell alone is a last digit
                    pool[kept] = pool[place]
                    kept += 1
            held = kept
            length = find_cycle(part, pool, held, rows, columns)
            if length == 0:
                break
            forth, back = 1.0, 1.0
            for k in range(length):
                up, down = part[rows[k], columns[k]], part[rows[k], columns[(k + 1) % length]]
                forth = min(forth, 1 - up, down)
                back = min(back, up, 1 - down)
            chance = unit_interval(mixed(mixed(base) + step))
            step += np.uint64(1)
            move = forth if chance * (forth + back) < back else -back
            for k in range(length):
                part[rows[k], columns[k]] += move
                part[rows[k], columns[(k + 1) % length]] -= move


@compiled
def replay(chance, entry_start, entry_limit, entry_use, left, key, first, last, kept, drawn):  # type: ignore[no-untyped-def]
    """Draw for every HCP, in a random order, and drop to none what no longer fits; once for each replay first..last - 1.

    chance (hcps, channels): probabilities, the rest is none; entries of cell hcp * channels + channel: limits and use of one action;
    left (limits): what may be used; key (hcps): hashes. kept (hcps, channels) grows by the replays in which the action would have
    fitted at the HCP's turn; drawn (hcps): channel or -1 in replay `last - 1`.
    """
    hcps, channels = chance.shape
    turn, use = np.empty(hcps, dtype=np.uint64), np.empty(len(left))
    for number in range(first, last):
        use[:] = 0.0
        for hcp in range(hcps):
            turn[hcp] = mixed(mixed(key[hcp]) + np.uint64(2 * number))
        order = np.argsort(turn, kind="mergesort")
        for hcp in order:
            point = unit_interval(mixed(mixed(key[hcp]) + np.uint64(2 * number + 1)))
            chosen, passed = -1, 0.0
            for channel in range(channels):
                passed += chance[hcp, channel]
                if chosen < 0 and point < passed and chance[hcp, channel] > 0:
                    chosen = channel
            taken = -1
            for channel in range(channels):
                if chance[hcp, channel] <= 0:
                    continue
                cell, fits = hcp * channels + channel, True
                for entry in range(entry_start[cell], entry_start[cell + 1]):
                    limit = entry_limit[entry]
                    if use[limit] + entry_use[entry] > left[limit] * (1 + 1e-9) + 1e-9:
                        fits = False
                if fits:
                    kept[hcp, channel] += 1
                    if channel == chosen:
                        taken = channel
            if taken >= 0:
                cell = hcp * channels + taken
                for entry in range(entry_start[cell], entry_start[cell + 1]):
                    use[entry_limit[entry]] += entry_use[entry]
            drawn[hcp] = taken
