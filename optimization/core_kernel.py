"""The search for the best plan of one block, compiled: an expanding core over deviations from the best sets.

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

from optimization.kernels import compiled


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
def _cut(d, count, wanted):  # type: ignore[no-untyped-def]
    """A value that about `wanted` of the first `count` entries are at or below, by halving."""
    low, high = 0.0, 0.0
    for a in range(count):
        high = max(high, d[a])
    for _ in range(30):
        middle = 0.5 * (low + high)
        inside = 0
        for a in range(count):
            if d[a] <= middle:
                inside += 1
        if inside > wanted:
            high = middle
        else:
            low = middle
    return high


@compiled
def rank(values, count, order):  # type: ignore[no-untyped-def]
    """order[:count] = places of the first `count` values, smallest first, earlier ones first among equals (Shell's sort)."""
    for a in range(count):
        order[a] = a
    gap = count // 2
    while gap > 0:
        for a in range(gap, count):
            held = order[a]
            b = a
            while b >= gap and (
                values[order[b - gap]] > values[held] or (values[order[b - gap]] == values[held] and order[b - gap] > held)
            ):
                order[b] = order[b - gap]
                b -= gap
            order[b] = held
        gap //= 2


@compiled
def search(
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
    """(cheapest plan found, cheapest deviation given up, states at the end).

    dev (columns): deviations of the core's columns, grouped by HCP in the order of entering (owner_start), each group ascending; delta_of
    (columns, k): what they use beyond the base; drop (groups + 1, k): the most that later groups can still give back. Writes states and
    kept: cost and node of whole plans within `spread` of the cheapest; chosen_node[0]: its own node.
    """
    k = len(y)
    d, key, node, delta = np.zeros(most_states), np.zeros(most_states), np.zeros(most_states, dtype=np.int64), np.zeros((most_states, k))
    d2, key2, node2, delta2 = (
        np.zeros(most_states),
        np.zeros(most_states),
        np.zeros(most_states, dtype=np.int64),
        np.zeros((most_states, k)),
    )
    source_d, source_key, source_node = np.zeros(most_states), np.zeros(most_states), np.zeros(most_states, dtype=np.int64)
    source_delta = np.zeros((most_states, k))
    node[0] = -1
    count, nodes, lost = 1, 0, np.inf
    best = _cost_of(delta[0], 0.0, y, room, ceiling, slip)
    chosen_node[0] = -1
    for g in range(len(owner_start) - 1):
        if dev[owner_start[g]] > min(best + spread, limit):
            break
        base_count = count
        for a in range(count):
            source_d[a], source_key[a], source_node[a] = d[a], key[a], node[a]
            for j in range(k):
                source_delta[a, j] = delta[a, j]
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
                    if same:
                        # of the two uses the smaller stands: the bound stays on the loose side, however small the numbers are
                        for j in range(k):
                            delta2[out - 1, j] = min(delta2[out - 1, j], source_delta[src, j] + delta_of[c, j])
                        if d2[out - 1] <= to_d:
                            continue
                    if nodes >= len(node_parent) or (out >= most_states and not same):
                        lost = min(lost, to_d)
                        continue
                    at = out - 1 if same else out
                    d2[at] = to_d
                    if not same:
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
                    if same:
                        for j in range(k):
                            delta2[out - 1, j] = min(delta2[out - 1, j], delta[a, j])
                        if d2[out - 1] <= d[a]:
                            a += 1
                            continue
                    if out >= most_states and not same:
                        lost = min(lost, d[a])
                        a += 1
                        continue
                    at = out - 1 if same else out
                    d2[at] = d[a]
                    node2[at] = node[a]
                    if not same:
                        key2[at] = key[a]
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
            line = min(line, _cut(d, count, most_states // 4))
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
def gather(w, u, start, y, base, limit, weight):  # type: ignore[no-untyped-def]
    """The core: columns that deviate by at most `limit`, grouped by HCP, HCPs by smallest deviation. (column, HCP of each, and what
    `search` asks for: dev, delta_of, key_of, owner_start, drop)."""
    n, k = len(start) - 1, len(y)
    count = 0
    smallest, order = np.empty(n), np.empty(n, dtype=np.int64)
    size = np.zeros(n, dtype=np.int64)
    deviation = np.empty(start[n])
    for i in range(n):
        smallest[i] = np.inf
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
    rank(smallest, n, order)
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
        held, by_deviation, place = np.empty(size[i], dtype=np.int64), np.empty(size[i]), np.empty(size[i], dtype=np.int64)
        e = 0
        for c in range(start[i], start[i + 1]):
            if c != base[i] and deviation[c] <= limit:
                held[e] = c
                by_deviation[e] = deviation[c]
                e += 1
        rank(by_deviation, size[i], place)
        for e in range(size[i]):
            c = held[place[e]]
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
    return column, group_of, dev, delta_of, key_of, owner_start, drop
