"""One block (a rep with its HCPs) as an integer problem, compiled: an expanding core over deviations from the best sets.

At prices y of the block's own limits every HCP has a best set; any other falls short of it by a deviation d >= 0, and a whole plan of the
block is worth  L(y) - sum of d - y x room left  (soft limits: less (penalty - y) x shortfall). So the best plan is the cheapest way to
deviate. HCPs enter in order of their smallest deviation; states are what the deviations so far cost and use together, kept sorted,
one per use; it is over when the next HCP deviates by more than the best plan found costs. The method is that of Pisinger (1995),
"A minimal algorithm for the multiple-choice knapsack problem", EJOR 83, for several limits, soft ones among them.
With one limit, states that use more and bring less are dropped (dominance). With more states than fit, the costliest are given up and the
cheapest one given up is what the block's bound then rests on: less tight, still valid.
"""

from __future__ import annotations

import numpy as np

from optimization.kernels import compiled, fill_priced

TOLERANCE = 1e-9


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
    now = y.copy()
    step = np.empty(k)
    before = np.zeros(k)
    for j in range(k):
        step[j] = 0.05 * y[j] if y[j] > 0.0 else 0.0
        if step[j] == 0.0:
            widest = 0.0
            for c in range(len(w)):
                widest = max(widest, abs(u[c, j]))
            step[j] = 0.01 * np.abs(w).max() / widest if widest > 0.0 else 0.0
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
            y[:] = now
    return _dual(w, u, start, bound, y, base, room)


@compiled
def _cost_of(delta, d, y, room, ceiling, slip):  # type: ignore[no-untyped-def]
    """What a state costs as a whole plan: its deviations, the room it leaves, its shortfalls; inf where a hard limit breaks."""
    total = d
    for j in range(len(y)):
        left = room[j] - delta[j]
        if left >= 0.0:
            total += y[j] * left
        elif left >= -slip[j]:
            continue
        elif np.isinf(ceiling[j]):
            return np.inf
        else:
            total += (ceiling[j] - y[j]) * -left
    return total


@compiled
def _core(
    dev,
    delta_of,
    key_of,
    owner_start,
    y,
    room,
    ceiling,
    slip,
    drop,
    limit,
    spread,
    most_states,
    chosen_node,
    node_parent,
    node_column,
    states,
    kept,
):  # type: ignore[no-untyped-def]
    """The search. dev (columns) deviations of the core's columns, grouped by HCP in the order of entering (owner_start), each group
    ascending; delta_of (columns, k) what they use beyond the base; drop (groups + 1, k): the most that later groups can still give back.

    Returns (cheapest plan found, cheapest deviation given up, states at the end); states: (d, key, node, deltas) of the last list.
    """
    k = len(y)
    d, key, node, delta = np.zeros(most_states), np.zeros(most_states), np.zeros(most_states, dtype=np.int64), np.zeros((most_states, k))
    d2, key2, node2, delta2 = (
        np.zeros(most_states),
        np.zeros(most_states),
        np.zeros(most_states, dtype=np.int64),
        np.zeros((most_states, k)),
    )
    node[0] = -1
    count, nodes, lost = 1, 0, np.inf
    best = _cost_of(delta[0], 0.0, y, room, ceiling, slip)
    chosen_node[0] = -1
    for g in range(len(owner_start) - 1):
        if dev[owner_start[g]] > min(best + spread, limit):
            break
        base_count = count
        source_d, source_key = d[:count].copy(), key[:count].copy()
        source_node, source_delta = node[:count].copy(), delta[:count].copy()
        for c in range(owner_start[g], owner_start[g + 1]):
            if dev[c] > min(best + spread, limit):
                break
            a = 0
            b = 0
            out = 0
            while a < count or b < base_count:
                take_new = a >= count
                if not take_new and b < base_count:
                    take_new = source_key[b] + key_of[c] < key[a]
                if take_new:
                    to_d = source_d[b] + dev[c]
                    to_key = source_key[b] + key_of[c]
                    src = b
                    b += 1
                    if to_d > min(best + spread, limit):
                        continue
                    fits = True
                    for j in range(k):
                        if np.isinf(ceiling[j]) and source_delta[src, j] + delta_of[c, j] + drop[g + 1, j] > room[j] + slip[j]:
                            fits = False
                    if not fits:
                        continue
                    same = out > 0 and abs(key2[out - 1] - to_key) <= 1e-9 * (1.0 + abs(to_key))
                    if same and k > 1:
                        for j in range(k):
                            if abs(delta2[out - 1, j] - source_delta[src, j] - delta_of[c, j]) > 1e-9 * (1.0 + abs(delta2[out - 1, j])):
                                same = False
                    if same and d2[out - 1] <= to_d:
                        continue
                    if nodes >= len(node_parent) or (out >= most_states and not same):
                        lost = min(lost, to_d)
                        continue
                    at = out - 1 if same else out
                    d2[at] = to_d
                    key2[at] = to_key
                    for j in range(k):
                        delta2[at, j] = source_delta[src, j] + delta_of[c, j]
                    node_parent[nodes] = source_node[src]
                    node_column[nodes] = c
                    node2[at] = nodes
                    nodes += 1
                    out = at + 1
                    whole = _cost_of(delta2[at], to_d, y, room, ceiling, slip)
                    if whole < best:
                        best = whole
                        chosen_node[0] = node2[at]
                else:
                    same = out > 0 and abs(key2[out - 1] - key[a]) <= 1e-9 * (1.0 + abs(key[a]))
                    if same and k > 1:
                        for j in range(k):
                            if abs(delta2[out - 1, j] - delta[a, j]) > 1e-9 * (1.0 + abs(delta[a, j])):
                                same = False
                    if same and d2[out - 1] <= d[a]:
                        a += 1
                        continue
                    if out >= most_states and not same:
                        lost = min(lost, d[a])
                        a += 1
                        continue
                    at = out - 1 if same else out
                    d2[at] = d[a]
                    key2[at] = key[a]
                    node2[at] = node[a]
                    for j in range(k):
                        delta2[at, j] = delta[a, j]
                    out = at + 1
                    a += 1
            d, d2 = d2, d
            key, key2 = key2, key
            node, node2 = node2, node
            delta, delta2 = delta2, delta
            count = out
        # what can no longer be part of a plan worth having leaves, and the costliest where the lists run over half
        line = min(best + spread, limit)
        if count > most_states // 2:
            line = min(line, np.partition(d[:count], most_states // 4)[most_states // 4])
        out = 0
        least = np.inf
        for a in range(count):
            if d[a] > line:
                if d[a] <= min(best + spread, limit):
                    lost = min(lost, d[a])
                continue
            fits = True
            for j in range(k):
                if np.isinf(ceiling[j]) and delta[a, j] + drop[g + 1, j] > room[j] + slip[j]:
                    fits = False
            if not fits:
                continue
            if k == 1:
                brings = d[a] - y[0] * delta[a, 0]
                if brings >= least:
                    continue
                least = brings
            d[out] = d[a]
            key[out] = key[a]
            node[out] = node[a]
            for j in range(k):
                delta[out, j] = delta[a, j]
            out += 1
        count = out
        if count == 0:
            break
    found = 0
    for a in range(count):
        whole = _cost_of(delta[a], d[a], y, room, ceiling, slip)
        if whole <= best + spread:
            states[found] = whole
            kept[found] = node[a]
            found += 1
    return best, lost, found


@compiled
def solve_blocks(
    values,
    bonus,
    overlap,
    list_of,
    list_start,
    list_kind,
    item_start,
    item_channel,
    item_touches,
    cost,
    profile,
    flag_start,
    flag,
    longest,
    first,
    last,
    hcp_start,
    hcp,
    row_start,
    bound,
    ceiling,
    price,
    own_start,
    own,
    steps,
    spread,
    most_states,
    place,
    level,
    proven,
    alternative_count,
    alternative_cost,
    alternative_length,
    alternative_hcp,
    alternative_place,
):  # type: ignore[no-untyped-def]
    """Blocks first..last-1 at wide prices (in `cost`) and own prices `price` (rows of all blocks, improved in place).

    bound, ceiling, price: per row of row_start, sign turned so that every limit reads use <= bound; own[own_start[profile]:]: (features, rows of
    the block) what a feature uses, sign turned. Writes place (hcps): the set chosen; level (blocks): L(y); proven (blocks): the block's
    optimum is at most level - proven; alternative_*: (blocks, most[, longest]) whole plans near the best one, as changes of `place`,
    cost over the best plan.
    """
    channels = values.shape[1]
    net, out = np.empty(channels), np.empty(longest)
    most = alternative_cost.shape[1]
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
        for i in range(n):
            h = mine[i]
            which = list_of[h]
            fill_priced(
                values,
                bonus,
                overlap,
                list_start,
                list_kind,
                item_start,
                item_channel,
                item_touches,
                cost,
                flag_start,
                flag,
                h,
                profile[h],
                which,
                net,
                out,
            )
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
        base, room = np.empty(n, dtype=np.int64), np.empty(k)
        level[b] = _descend(w, u, start, limits, top, y, steps, base, room)
        for i in range(n):
            place[mine[i]] = base[i] - start[i]
        if most_states == 0:
            continue
        slip = TOLERANCE * (1.0 + np.abs(limits))
        # how far to look at first: half of what one touch costs at these prices
        reach = 0.0
        weight = np.ones(k)
        for j in range(k):
            widest = 0.0
            for c in range(len(w)):
                widest = max(widest, abs(u[c, j]))
            reach = max(reach, 0.5 * y[j] * widest)
            weight[j] = 1.0 if j == 0 else weight[j - 1] * 7919.0
        largest = np.abs(w).max()
        reach = max(reach, 1e-3 * largest)
        best, lost, limit = np.inf, np.inf, reach
        node_parent, node_column = np.empty(most_states * 40, dtype=np.int64), np.empty(most_states * 40, dtype=np.int64)
        states, kept, chosen = np.empty(most_states), np.empty(most_states, dtype=np.int64), np.empty(1, dtype=np.int64)
        found = 0
        column = np.empty(0, dtype=np.int64)
        group_of = np.empty(0, dtype=np.int64)
        wide = spread[b]
        for _ in range(7):
            # the core's columns, grouped by HCP, HCPs by smallest deviation
            count = 0
            smallest = np.full(n, np.inf)
            size = np.zeros(n, dtype=np.int64)
            deviation = np.empty(start[n])
            for i in range(n):
                held = w[base[i]]
                for j in range(k):
                    held -= y[j] * u[base[i], j]
                for c in range(start[i], start[i + 1]):
                    worth = w[c]
                    for j in range(k):
                        worth -= y[j] * u[c, j]
                    deviation[c] = held - worth
                    if c != base[i] and deviation[c] <= limit:
                        size[i] += 1
                        smallest[i] = min(smallest[i], deviation[c])
                count += size[i]
            order = np.argsort(smallest)
            column, group_of = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
            dev, key_of, delta_of = np.empty(count), np.empty(count), np.empty((count, k))
            groups = 0
            for i in range(n):
                if size[i] > 0:
                    groups += 1
            owner_start = np.zeros(groups + 1, dtype=np.int64)
            drop = np.zeros((groups + 1, k))
            at = 0
            for g in range(groups):
                i = order[g]
                held = np.empty(size[i], dtype=np.int64)
                e = 0
                for c in range(start[i], start[i + 1]):
                    if c != base[i] and deviation[c] <= limit:
                        held[e] = c
                        e += 1
                rank = np.argsort(deviation[held])
                for e in range(size[i]):
                    c = held[rank[e]]
                    column[at] = c
                    group_of[at] = i
                    dev[at] = max(deviation[c], 0.0)
                    key_of[at] = 0.0
                    for j in range(k):
                        delta_of[at, j] = u[c, j] - u[base[i], j]
                        key_of[at] += weight[j] * delta_of[at, j]
                    at += 1
                owner_start[g + 1] = at
            for g in range(groups - 1, -1, -1):
                for j in range(k):
                    least = 0.0
                    for c in range(owner_start[g], owner_start[g + 1]):
                        least = min(least, delta_of[c, j])
                    drop[g, j] = drop[g + 1, j] + least
            best, lost, found = _core(
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
        alternative_count[b] = 0
        if np.isinf(best):
            alternative_count[b] = -1
            continue
        node = chosen[0]
        while node >= 0:
            i = group_of[node_column[node]]
            place[mine[i]] = column[node_column[node]] - start[i]
            node = node_parent[node]
        rank = np.argsort(states[:found])
        written = 0
        for e in range(found):
            if written >= most:
                break
            node = kept[rank[e]]
            if node == chosen[0]:
                continue
            # a plan as changes of the chosen one: back to the base where that deviates, then its own deviations
            length = 0
            fits = True
            walk = chosen[0]
            while walk >= 0:
                if length >= alternative_hcp.shape[2]:
                    fits = False
                    break
                i = group_of[node_column[walk]]
                alternative_hcp[b, written, length] = mine[i]
                alternative_place[b, written, length] = base[i] - start[i]
                length += 1
                walk = node_parent[walk]
            walk = node
            while fits and walk >= 0:
                i = group_of[node_column[walk]]
                seen = -1
                for q in range(length):
                    if alternative_hcp[b, written, q] == mine[i]:
                        seen = q
                if seen < 0:
                    if length >= alternative_hcp.shape[2]:
                        fits = False
                        break
                    seen = length
                    alternative_hcp[b, written, seen] = mine[i]
                    length += 1
                alternative_place[b, written, seen] = column[node_column[walk]] - start[i]
                walk = node_parent[walk]
            if fits:
                alternative_length[b, written] = length
                alternative_cost[b, written] = states[rank[e]] - best
                written += 1
        alternative_count[b] = written
