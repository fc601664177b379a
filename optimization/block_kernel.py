"""Blocks (a rep with its HCPs) as integer problems, compiled: their own prices, their best plans, and other plans that cost little more.

The search is in `core_kernel.py`. At prices y of the block's own limits L(y), the sum of the best priced values plus y x bound, is an upper
bound on what the block can bring; how much less its best plan brings is what the search finds.
"""

from __future__ import annotations

import numpy as np

from optimization.core_kernel import gather, rank, search
from optimization.kernels import compiled, fill_priced

TOLERANCE = 1e-9
MANY_SETS = 64  # of one HCP, beyond which its sets are not compared with each other


@compiled
def _dual(w, u, start, bound, y, base, room):  # type: ignore[no-untyped-def]
    """L(y): sum of the best priced values plus y x bound; writes the best columns and the room that they leave."""
    k = len(bound)
    total = 0.0
    for j in range(k):
        total += y[j] * bound[j]
        room[j] = bound[j]
    for i in range(len(start) - 1):
        top = -np.inf
        at = start[i]
        for c in range(start[i], start[i + 1]):
            net = w[c]
            for j in range(k):
                net -= y[j] * u[c, j]
            if net > top:
                top = net
                at = c
        base[i] = at
        total += top
        for j in range(k):
            room[j] -= u[at, j]
    return total


@compiled
def _descend(w, u, start, bound, ceiling, y, steps, base, room):  # type: ignore[no-untyped-def]
    """Better prices of the block's own limits, by sign-based steps from y; y holds the best ones in the end, and L(y) is returned."""
    k = len(bound)
    best = _dual(w, u, start, bound, y, base, room)
    now, step, before = np.empty(k), np.empty(k), np.zeros(k)
    largest = 0.0
    for c in range(len(w)):
        largest = max(largest, abs(w[c]))
    for j in range(k):
        now[j] = y[j]
        step[j] = 0.05 * y[j] if y[j] > 0.0 else 0.0
        if step[j] == 0.0:
            widest = 0.0
            for c in range(len(w)):
                widest = max(widest, abs(u[c, j]))
            step[j] = 0.01 * largest / widest if widest > 0.0 else 0.0
    for _ in range(steps):
        moved = False
        for j in range(k):
            side = -1.0 if room[j] > 0.0 else (1.0 if room[j] < 0.0 else 0.0)
            if side * before[j] > 0.0:
                step[j] *= 1.3
            elif side * before[j] < 0.0:
                step[j] *= 0.5
            before[j] = side
            to = min(max(now[j] + side * step[j], 0.0), ceiling[j])
            if to != now[j]:
                moved = True
            now[j] = to
        if not moved:
            break
        value = _dual(w, u, start, bound, now, base, room)
        if value < best:
            best = value
            for j in range(k):
                y[j] = now[j]
    return _dual(w, u, start, bound, y, base, room)


@compiled
def _fill(sets, terms, mine, start, own_start, own, w, u):  # type: ignore[no-untyped-def]
    """w (columns): value of every set of the block's HCPs net of wide prices; u (columns, rows): what it uses of the block's limits."""
    _, _, _, list_of, list_start, list_kind, item_start, item_channel, item_touches = sets
    _, profile, flag_start, flag, longest = terms
    channels, n, k = sets[0].shape[1], len(mine), u.shape[1]
    net, out = np.empty(channels), np.empty(longest)
    for i in range(n):
        h = mine[i]
        which = list_of[h]
        fill_priced(sets, terms, h, net, out)
        base_own = own_start[profile[h]]
        for p in range(start[i + 1] - start[i]):
            c = start[i] + p
            w[c] = out[p]
            kind = list_kind[list_start[which] + p]
            for e in range(item_start[kind], item_start[kind + 1]):
                for j in range(k):
                    u[c, j] += item_touches[e] * own[base_own + item_channel[e] * k + j]
            for e in range(flag_start[kind], flag_start[kind + 1]):
                for j in range(k):
                    u[c, j] += own[base_own + (channels + flag[e]) * k + j]


@compiled
def _undominated(w, u, start, spot):  # type: ignore[no-untyped-def]
    """Keeps, in place, the sets of each HCP that no other beats: none is worth as much and uses as little of every limit of the block.

    Any plan of the block may have the better one instead, so neither prices nor the best plan change. spot (columns): place in the
    HCP's list. HCPs of very many sets are left as they are.
    """
    k, out = u.shape[1], 0
    first = 0
    for i in range(len(start) - 1):
        last = start[i + 1]
        few = last - first <= MANY_SETS
        for c in range(first, last):
            beaten = False
            if few:
                for e in range(first, last):
                    if e == c or w[e] < w[c]:
                        continue
                    better = True
                    same = w[e] == w[c]
                    for j in range(k):
                        if u[e, j] > u[c, j]:
                            better = False
                            break
                        if u[e, j] < u[c, j]:
                            same = False
                    if better and (not same or e < c):
                        beaten = True
                        break
            spot[c] = -1 if beaten else c - first
        for c in range(first, last):
            if spot[c] >= 0:
                at = spot[c]
                w[out] = w[c]
                for j in range(k):
                    u[out, j] = u[c, j]
                spot[out] = at
                out += 1
        first = last
        start[i + 1] = out


@compiled
def _other_plans(
    states, kept, found, best, chosen, node_parent, node_column, group_of, column, mine, base, spot, cost, length_of, hcp, place
):  # type: ignore[no-untyped-def]
    """How many other plans of a block were written, cheapest first: each as changes of the chosen plan."""
    most = len(cost)
    order = np.empty(found, dtype=np.int64)
    rank(states, found, order)
    written = 0
    for e in range(found):
        if written >= most:
            break
        node = kept[order[e]]
        if node == chosen:
            continue
        # a plan as changes of the chosen one: back to the base where that deviates, then its own deviations
        length = 0
        fits = True
        walk = chosen
        while walk >= 0:
            if length >= hcp.shape[1]:
                fits = False
                break
            i = group_of[node_column[walk]]
            hcp[written, length] = mine[i]
            place[written, length] = spot[base[i]]
            length += 1
            walk = node_parent[walk]
        walk = node
        while fits and walk >= 0:
            i = group_of[node_column[walk]]
            seen = -1
            for q in range(length):
                if hcp[written, q] == mine[i]:
                    seen = q
            if seen < 0:
                if length >= hcp.shape[1]:
                    fits = False
                    break
                seen = length
                hcp[written, seen] = mine[i]
                length += 1
            place[written, seen] = spot[column[node_column[walk]]]
            walk = node_parent[walk]
        if fits:
            length_of[written] = length
            cost[written] = states[order[e]] - best
            written += 1
    return written


@compiled
def solve_blocks(sets, terms, blocks, first, last, price, steps, spread, most_states, place, level, proven, others):  # type: ignore[no-untyped-def]
    """Blocks first..last-1 at wide prices (in `terms`) and own prices `price` (rows of all blocks, improved in place).

    bound, ceiling, price: per row of row_start, sign turned so that every limit reads use <= bound; own[own_start[profile]:]: (features,
    rows of the block) what a feature uses, sign turned. Writes place (hcps): the set chosen; level (blocks): L(y); proven (blocks): the
    block's optimum is at most level - proven; alternative_*: (blocks, most[, longest]) whole plans near the best one, changes of `place`,
    cost over the best plan.
    """
    hcp_start, hcp, row_start, bound, ceiling, own_start, own = blocks
    alternative_count, alternative_cost, alternative_length, alternative_hcp, alternative_place = others
    list_of, list_start = sets[3], sets[4]
    for b in range(first, last):
        n, k = hcp_start[b + 1] - hcp_start[b], row_start[b + 1] - row_start[b]
        mine = hcp[hcp_start[b] : hcp_start[b + 1]]
        limits = bound[row_start[b] : row_start[b + 1]]
        top = ceiling[row_start[b] : row_start[b + 1]]
        y = price[row_start[b] : row_start[b + 1]]
        start = np.zeros(n + 1, dtype=np.int64)
        for i in range(n):
            which = list_of[mine[i]]
            start[i + 1] = start[i] + list_start[which + 1] - list_start[which]
        w, u = np.empty(start[n]), np.zeros((start[n], k))
        _fill(sets, terms, mine, start, own_start, own, w, u)
        spot = np.empty(start[n], dtype=np.int64)
        _undominated(w, u, start, spot)
        w, u = w[: start[n]], u[: start[n]]
        base, room = np.empty(n, dtype=np.int64), np.empty(k)
        level[b] = _descend(w, u, start, limits, top, y, steps, base, room)
        for i in range(n):
            place[mine[i]] = spot[base[i]]
        if most_states == 0:
            continue
        slip = np.empty(k)
        for j in range(k):
            slip[j] = TOLERANCE * (1.0 + abs(limits[j]))
        # how far to look at first: half of what one touch costs at these prices
        reach = 0.0
        weight = np.empty(k)
        for j in range(k):
            widest = 0.0
            for c in range(len(w)):
                widest = max(widest, abs(u[c, j]))
            reach = max(reach, 0.5 * y[j] * widest)
            weight[j] = 1.0 if j == 0 else weight[j - 1] * 7919.0
        largest = 0.0
        for c in range(len(w)):
            largest = max(largest, abs(w[c]))
        reach = max(reach, 1e-3 * largest)
        best, lost, limit = np.inf, np.inf, reach
        node_parent, node_column = np.empty(most_states * 40, dtype=np.int64), np.empty(most_states * 40, dtype=np.int64)
        states, kept, chosen = np.empty(most_states), np.empty(most_states, dtype=np.int64), np.empty(1, dtype=np.int64)
        found = 0
        column = np.empty(0, dtype=np.int64)
        group_of = np.empty(0, dtype=np.int64)
        wide = spread[b]
        for _ in range(7):
            column, group_of, dev, delta_of, key_of, owner_start, drop = gather(w, u, start, y, base, limit, weight)
            best, lost, found = search(
                dev,
                delta_of,
                key_of,
                owner_start,
                y,
                room,
                top,
                slip,
                drop,
                limit,
                wide,
                most_states,
                chosen,
                node_parent,
                node_column,
                states,
                kept,
            )
            if best <= limit or limit > 4.0 * largest * n:
                break
            limit *= 3.0
        proven[b] = min(best, min(lost, limit)) if limit <= 4.0 * largest * n else min(best, lost)
        if np.isinf(best):
            alternative_count[b] = -1
            continue
        node = chosen[0]
        while node >= 0:
            i = group_of[node_column[node]]
            place[mine[i]] = spot[column[node_column[node]]]
            node = node_parent[node]
        alternative_count[b] = _other_plans(
            states,
            kept,
            found,
            best,
            chosen[0],
            node_parent,
            node_column,
            group_of,
            column,
            mine,
            base,
            spot,
            alternative_cost[b],
            alternative_length[b],
            alternative_hcp[b],
            alternative_place[b],
        )
