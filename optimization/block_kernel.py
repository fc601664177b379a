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
FAR = 9.5  # first reaches within which sets are looked at before all of them are: two more rounds of the search


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
def _descend(w, u, start, bound, ceiling, y, steps, enough, base, room):  # type: ignore[no-untyped-def]
    """Better prices of the block's own limits, by sign-based steps from y until the next one can lower L(y) by no more than `enough` of it;
    y holds the best ones in the end, and L(y) is returned."""
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
        moved, left = False, 0.0
        for j in range(k):
            side = -1.0 if room[j] > 0.0 else (1.0 if room[j] < 0.0 else 0.0)
            if side * before[j] > 0.0:
                step[j] *= 1.3
            elif side * before[j] < 0.0:
                step[j] *= 0.5
            before[j] = side
            left += step[j] * abs(room[j])
            to = min(max(now[j] + side * step[j], 0.0), ceiling[j])
            if to != now[j]:
                moved = True
            now[j] = to
        if not moved or left <= enough * abs(best):
            break
        value = _dual(w, u, start, bound, now, base, room)
        if value < best:
            best = value
            for j in range(k):
                y[j] = now[j]
    return _dual(w, u, start, bound, y, base, room)


@compiled
def _fill(sets, terms, mine, start, own_start, own, w, u, uses, used_by):  # type: ignore[no-untyped-def]
    """w (columns): value of every set of the block's HCPs net of wide prices; u (columns, rows): what it uses of the block's limits.

    uses (kinds, rows), used_by (kinds): scratch, what a kind uses in the profile of which it was last asked: HCPs of a block mostly
    share their profile. used_by is -1 at first.
    """
    _, _, _, list_of, list_start, list_kind, item_start, item_channel, item_touches = sets
    _, profile, flag_start, flag, longest = terms
    channels, n, k = sets[0].shape[1], len(mine), u.shape[1]
    net, out = np.empty(channels), np.empty(longest)
    for i in range(n):
        h = mine[i]
        which = list_of[h]
        fill_priced(sets, terms, h, net, out)
        row = profile[h]
        base_own = own_start[row]
        for p in range(start[i + 1] - start[i]):
            c = start[i] + p
            w[c] = out[p]
            kind = list_kind[list_start[which] + p]
            if used_by[kind] != row:
                used_by[kind] = row
                for j in range(k):
                    total = 0.0
                    for e in range(item_start[kind], item_start[kind + 1]):
                        total += item_touches[e] * own[base_own + item_channel[e] * k + j]
                    for e in range(flag_start[kind], flag_start[kind + 1]):
                        total += own[base_own + (channels + flag[e]) * k + j]
                    uses[kind, j] = total
            for j in range(k):
                u[c, j] = uses[kind, j]


@compiled
def _near(w, u, start, y, far):  # type: ignore[no-untyped-def]
    """(w, u, start, place in the HCP's list) of the sets that fall short of their HCP's best at y by at most `far`."""
    n, k, count = len(start) - 1, u.shape[1], 0
    net, first = np.empty(len(w)), np.zeros(n + 1, dtype=np.int64)
    for i in range(n):
        top = -np.inf
        for c in range(start[i], start[i + 1]):
            net[c] = w[c]
            for j in range(k):
                net[c] -= y[j] * u[c, j]
            top = max(top, net[c])
        for c in range(start[i], start[i + 1]):
            net[c] -= top
            if net[c] >= -far:
                count += 1
        first[i + 1] = count
    near_w, near_u, spot = np.empty(count), np.empty((count, k)), np.empty(count, dtype=np.int64)
    at = 0
    for i in range(n):
        for c in range(start[i], start[i + 1]):
            if net[c] >= -far:
                near_w[at] = w[c]
                for j in range(k):
                    near_u[at, j] = u[c, j]
                spot[at] = c - start[i]
                at += 1
    return near_w, near_u, first, spot


@compiled
def _undominated(w, u, start, spot):  # type: ignore[no-untyped-def]
    """Keeps, in place, the sets of each HCP that no other beats: none is worth as much and uses as little of every limit of the block.

    Any plan of the block may have the better one instead, so neither prices nor the best plan change. HCPs of very many sets are left as
    they are. Returns how many are kept.
    """
    k, out, first = u.shape[1], 0, 0
    order, kept, beaten = np.empty(MANY_SETS, dtype=np.int64), np.empty(MANY_SETS, dtype=np.int64), np.zeros(MANY_SETS, dtype=np.bool_)
    for i in range(len(start) - 1):
        last = start[i + 1]
        few = last - first <= MANY_SETS
        if few:
            # by falling value: what beats a set comes before it
            for c in range(first, last):
                at = c - first
                while at > 0 and w[order[at - 1]] < w[c]:
                    order[at] = order[at - 1]
                    at -= 1
                order[at] = c
            count = 0
            for place in range(last - first):
                c = order[place]
                worse = False
                for e in range(count):
                    worse = True
                    for j in range(k):
                        if u[kept[e], j] > u[c, j]:
                            worse = False
                            break
                    if worse:
                        break
                beaten[c - first] = worse
                if not worse:
                    kept[count] = c
                    count += 1
        for c in range(first, last):
            if not few or not beaten[c - first]:
                w[out] = w[c]
                for j in range(k):
                    u[out, j] = u[c, j]
                spot[out] = spot[c]
                out += 1
        first = last
        start[i + 1] = out
    return out


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
def _widest(w, u, y):  # type: ignore[no-untyped-def]
    """(largest |value| of a set, half of what the dearest limit takes from the set that uses most of it)."""
    largest, reach = 0.0, 0.0
    for c in range(len(w)):
        largest = max(largest, abs(w[c]))
    for j in range(len(y)):
        widest = 0.0
        for c in range(len(w)):
            widest = max(widest, abs(u[c, j]))
        reach = max(reach, 0.5 * y[j] * widest)
    return largest, max(reach, 1e-3 * largest)


@compiled
def _improve(w, u, start, limits, top, y, steps, enough, level, base, room):  # type: ignore[no-untyped-def]
    """L(y) after better prices of the block's own limits were looked for (y, base, room: at these); level: L at the first y.

    Sets far from the best are left out meanwhile. What is found is weighed over all of them, and looked for among all where it is worse.
    """
    first, (largest, reach) = y.copy(), _widest(w, u, y)
    for far in (4.0 * reach + 0.1 * largest, np.inf):
        near_w, near_u, near_start, spot = _near(w, u, start, first, far)
        count = _undominated(near_w, near_u, near_start, spot)
        _descend(near_w[:count], near_u[:count], near_start, limits, top, y, steps, enough, base, room)
        found = _dual(w, u, start, limits, y, base, room)
        if found <= level:
            break
        y[:] = first
    return _dual(w, u, start, limits, y, base, room)


@compiled
def _search(w, u, start, y, limits, top, base, room, sizes, wide, most_states, place, mine, others):  # type: ignore[no-untyped-def]
    """(L(y) less the best plan's total or a bound on that, other plans written, -1 where no plan was found).

    sizes: largest value and first reach. The sets that fall short by little are looked at first, all of them only where that proves too
    few. Writes the best plan into `place` (hcps).
    """
    largest, limit = sizes
    n, k = len(start) - 1, len(y)
    slip, weight = np.empty(k), np.empty(k)
    for j in range(k):
        slip[j] = TOLERANCE * (1.0 + abs(limits[j]))
        weight[j] = 1.0 if j == 0 else weight[j - 1] * 7919.0
    node_parent, node_column = np.empty(most_states * 40, dtype=np.int64), np.empty(most_states * 40, dtype=np.int64)
    states, kept, chosen = np.empty(most_states), np.empty(most_states, dtype=np.int64), np.empty(1, dtype=np.int64)
    far = FAR * limit
    near_w, near_u, first, spot = _near(w, u, start, y, far)
    count = _undominated(near_w, near_u, first, spot)
    near_w, near_u = near_w[:count], near_u[:count]
    for i in range(n):
        place[mine[i]] = spot[first[i]]
    _dual(near_w, near_u, first, limits, y, base, room)
    column, group_of = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    best, lost, found = np.inf, np.inf, 0
    for _ in range(7):
        if limit > far:
            far = np.inf
            near_w, near_u, first, spot = _near(w, u, start, y, far)
            count = _undominated(near_w, near_u, first, spot)
            near_w, near_u = near_w[:count], near_u[:count]
            _dual(near_w, near_u, first, limits, y, base, room)
        column, group_of, dev, delta_of, key_of, owner_start, drop = gather(near_w, near_u, first, y, base, limit, weight)
        best, lost, found = search(
            dev, delta_of, key_of, owner_start, y, room, top, slip, drop, limit, wide, most_states, chosen,
            node_parent, node_column, states, kept,
        )  # fmt: skip
        if best <= limit or limit > 4.0 * largest * n:
            break
        limit *= 3.0
    for i in range(n):
        place[mine[i]] = spot[base[i]]
    proven = min(best, min(lost, limit)) if limit <= 4.0 * largest * n else min(best, lost)
    if np.isinf(best):
        return proven, -1
    node = chosen[0]
    while node >= 0:
        i = group_of[node_column[node]]
        place[mine[i]] = spot[column[node_column[node]]]
        node = node_parent[node]
    cost, length, hcp, change = others
    written = _other_plans(
        states, kept, found, best, chosen[0], node_parent, node_column, group_of, column, mine, base, spot, cost, length, hcp, change
    )
    return proven, written


@compiled
def solve_blocks(sets, terms, blocks, first, last, price, steps, enough, spread, most_states, place, level, proven, others):  # type: ignore[no-untyped-def]
    """Blocks first..last-1 at wide prices (in `terms`) and own prices `price` (rows of all blocks, improved in place).

    bound, ceiling, price: per row of row_start, sign turned so that every limit reads use <= bound; own[own_start[profile]:]: (features,
    rows of the block) what a feature uses, sign turned. Writes place (hcps): the set chosen; level (blocks): L(y); proven (blocks): the
    block's optimum is at most level - proven; others: count (blocks), cost, length, hcp, place (blocks, most[, longest]) of whole plans
    near the best one, as changes of `place`, cost over the best plan.
    """
    hcp_start, hcp, row_start, bound, ceiling, own_start, own = blocks
    number, cost, length, changed, change = others
    list_of, list_start = sets[3], sets[4]
    kinds, most_rows = len(sets[6]) - 1, 0
    for b in range(first, last):
        most_rows = max(most_rows, row_start[b + 1] - row_start[b])
    uses, used_by = np.empty((kinds, most_rows)), np.full(kinds, -1, dtype=np.int64)
    for b in range(first, last):
        mine = hcp[hcp_start[b] : hcp_start[b + 1]]
        n, rows = len(mine), slice(row_start[b], row_start[b + 1])
        limits, top, y = bound[rows], ceiling[rows], price[rows]
        start = np.zeros(n + 1, dtype=np.int64)
        for i in range(n):
            which = list_of[mine[i]]
            start[i + 1] = start[i] + list_start[which + 1] - list_start[which]
        w, u = np.empty(start[n]), np.empty((start[n], len(y)))
        _fill(sets, terms, mine, start, own_start, own, w, u, uses, used_by)
        base, room = np.empty(n, dtype=np.int64), np.empty(len(y))
        level[b] = _dual(w, u, start, limits, y, base, room)
        if steps > 0:
            level[b] = _improve(w, u, start, limits, top, y, steps, enough, level[b], base, room)
        if most_states == 0:
            for i in range(n):
                place[mine[i]] = base[i] - start[i]
            continue
        here = (cost[b], length[b], changed[b], change[b])
        sizes = _widest(w, u, y)
        proven[b], number[b] = _search(w, u, start, y, limits, top, base, room, sizes, spread[b], most_states, place, mine, here)
