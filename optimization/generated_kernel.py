"""The best sets of touches of one HCP without listing all of them: a search by channel that is cut off where what is left cannot matter.

Channels are visited in falling order of value, so what a touch loses to overlap is known when it is added: value x overlap x touches
before it. With the rules inside the HCP left out, the best that the remaining channels can add depends on nothing but the number of
touches made so far; a table of it (channels x touches, filled from the last channel backwards) is the bound of the search. Flags that
look at one open channel, or at all of them, are exact in the table; the rest of the flags enter as the most that they could still pay.
"""

from __future__ import annotations

import numpy as np

from optimization.kernels import compiled


@compiled
def _lay_out(values, bonus, overlap, least, most, cost, mine, scopes, rule_first, rule_last, rule, is_cap, need, limit, hcp, forced, work):  # type: ignore[no-untyped-def]
    """Fill `work` for one HCP and return its touches at most, -1 where its pins leave no set.

    work: order, low, high (channels); net, fixed, worth (channels): value less cost of a touch, of the first one, lost to overlap; entry:
    cost of the first touch of all; flag_cost, flag_last (scopes): cost, 0 where already in fixed or entry, and the last place in the
    order that sets the flag; table (channels + 1, touches + 1).
    """
    order, low, high, net, fixed, worth, entry, flag_cost, flag_last, table = work
    channels = values.shape[1]
    for c in range(channels):
        order[c] = c
        low[c] = max(least[hcp, c], 1 if c == forced else 0)
        high[c] = most[hcp, c]
        worth[c] = overlap * max(values[hcp, c], 0.0)
        net[c] = values[hcp, c] - cost[mine, c]
        fixed[c] = bonus[hcp, c] if bonus.shape[0] > 0 else 0.0
    for i in range(rule_first, rule_last):
        if is_cap[rule[i]]:
            for c in range(channels):
                if need[rule[i], c] > 0:
                    high[c] = min(high[c], limit[rule[i]])
    room = 0
    for c in range(channels):
        if low[c] > high[c]:
            return -1
        room += high[c]
    for i in range(rule_first, rule_last):
        if is_cap[rule[i]]:
            outside = 0
            for c in range(channels):
                if need[rule[i], c] == 0:
                    outside += high[c]
            room = min(room, outside + limit[rule[i]])
    entry[0] = 0.0
    for f in range(scopes.shape[0]):
        flag_cost[f] = cost[mine, channels + f]
        seen, at, is_all = 0, -1, True
        for c in range(channels):
            if high[c] > 0:
                if scopes[f, c]:
                    seen += 1
                    at = c
                else:
                    is_all = False
        if seen == 0:
            flag_cost[f] = 0.0
        elif is_all:
            entry[0] += flag_cost[f]
            flag_cost[f] = 0.0
        elif seen == 1:
            fixed[at] -= flag_cost[f]
            flag_cost[f] = 0.0
    for i in range(1, channels):  # by falling worth, equal ones in channel order
        c = order[i]
        j = i - 1
        while j >= 0 and worth[order[j]] < worth[c]:
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = c
    for k in range(channels):
        for f in range(scopes.shape[0]):
            if scopes[f, order[k]] and high[order[k]] > 0:
                flag_last[f] = k
    for n in range(room + 1):
        table[channels, n] = 0.0
    for k in range(channels - 1, -1, -1):
        c = order[k]
        for n in range(room + 1):
            top = -np.inf
            for t in range(low[c], min(high[c], room - n) + 1):
                gain = _gain(net[c], fixed[c], worth[c], entry[0], t, n) + table[k + 1, n + t]
                if gain > top:
                    top = gain
            table[k, n] = top
    return room


@compiled
def _gain(net, fixed, worth, entry, t, n):  # type: ignore[no-untyped-def]
    """Priced value that t touches of a channel add after n touches of channels of more value."""
    if t == 0:
        return 0.0
    return t * net - worth * (t * n + 0.5 * t * (t - 1.0)) + fixed - (entry if n == 0 else 0.0)


@compiled
def _search(scopes, rule_first, rule_last, rule, is_cap, need, limit, size, room, work, path, threshold, slack, is_best, found, priced, at):  # type: ignore[no-untyped-def]
    """Walk the sets of one HCP: is_best: only the best one above `threshold`, into found[at]; else all of at least `threshold`, from
    found[at] on while there is room. (how many were found, sets looked at)."""
    order, low, high, net, fixed, worth, entry, flag_cost, flag_last, table = work
    touches, before, total, cursor, first, counted, on, waiting = path
    channels, count, seen = len(order), 0, 0
    counted[:] = 0
    on[:] = 0
    waiting[:] = 0.0
    for f in range(scopes.shape[0]):
        waiting[0] += max(-flag_cost[f], 0.0)
    k = 0
    before[0], total[0] = 0, 0.0
    cursor[0] = -1
    while k >= 0:
        if cursor[k] == -1:  # a new place: look whether anything below it can matter, and at which number of touches to begin
            above = total[k] + table[k, before[k]] + waiting[k]
            if above < threshold - slack or (is_best and count > 0 and above <= threshold + slack):
                k -= 1
                continue
            if k == channels:
                seen += 1
                if total[k] >= threshold and (not is_best or count == 0 or total[k] > threshold):
                    place = at if is_best else at + count
                    count += 1
                    if place < len(priced):
                        priced[place] = total[k]
                        for i in range(channels):
                            found[place, order[i]] = touches[i]
                    if is_best:
                        threshold = total[k]
                    elif at + count > len(priced):
                        return count, seen
                k -= 1
                continue
            c = order[k]
            top = -np.inf
            first[k] = low[c]
            for t in range(low[c], min(high[c], room - before[k]) + 1):
                gain = _gain(net[c], fixed[c], worth[c], entry[0], t, before[k]) + table[k + 1, before[k] + t]
                if gain > top:
                    top = gain
                    first[k] = t
        else:
            _mark(scopes, rule_first, rule_last, rule, is_cap, need, order[k], touches[k], counted, on, -1)
        c = order[k]
        cursor[k] += 1
        t = first[k] if cursor[k] == 0 else low[c] + cursor[k] - 1
        while cursor[k] > 0 and t == first[k]:
            cursor[k] += 1
            t += 1
        if t > high[c] or before[k] + t > room:
            k -= 1
            continue
        touches[k] = t
        _mark(scopes, rule_first, rule_last, rule, is_cap, need, c, t, counted, on, 1)
        if _broken(rule_first, rule_last, rule, is_cap, limit, size, counted):
            continue
        cost, left = 0.0, 0.0
        for f in range(scopes.shape[0]):
            if flag_cost[f] != 0.0:
                if on[f] == 0 and flag_last[f] > k:
                    left += max(-flag_cost[f], 0.0)
                elif scopes[f, c] and t > 0 and on[f] == 1:
                    cost += flag_cost[f]
        before[k + 1] = before[k] + t
        total[k + 1] = total[k] + _gain(net[c], fixed[c], worth[c], entry[0], t, before[k]) - cost
        waiting[k + 1] = left
        k += 1
        cursor[k] = -1
    return count, seen


@compiled
def _mark(scopes, rule_first, rule_last, rule, is_cap, need, c, t, counted, on, sign):  # type: ignore[no-untyped-def]
    """Add (sign 1) or take back (-1) t touches of a channel in the counts of rules and flags."""
    if t == 0:
        return
    for i in range(rule_first, rule_last):
        r = rule[i]
        if need[r, c] > 0:
            if is_cap[r]:
                counted[i - rule_first] += sign * t
            elif t >= need[r, c]:
                counted[i - rule_first] += sign
    for f in range(scopes.shape[0]):
        if scopes[f, c]:
            on[f] += sign


@compiled
def _broken(rule_first, rule_last, rule, is_cap, limit, size, counted):  # type: ignore[no-untyped-def]
    for i in range(rule_first, rule_last):
        r = rule[i]
        if is_cap[r]:
            if counted[i - rule_first] > limit[r]:
                return True
        elif counted[i - rule_first] == size[r]:
            return True
    return False


@compiled
def _space(channels, scopes, rules, touches):  # type: ignore[no-untyped-def]
    """Scratch of one search: (work, path)."""
    whole = np.zeros((3, channels), dtype=np.int64)
    real = np.zeros((3, channels))
    table = np.zeros((channels + 1, touches + 1))
    work = (whole[0], whole[1], whole[2], real[0], real[1], real[2], np.zeros(1), np.zeros(scopes), np.zeros(scopes, dtype=np.int64), table)
    at = np.zeros((4, channels + 1), dtype=np.int64)
    sums = np.zeros((2, channels + 1))
    path = (at[0], at[1], sums[0], at[2], at[3], np.zeros(rules, dtype=np.int64), np.zeros(scopes, dtype=np.int64), sums[1])
    return work, path


@compiled
def best_of_hcps(
    values,
    bonus,
    overlap,
    least,
    most,
    scopes,
    rule_start,
    rule,
    is_cap,
    need,
    limit,
    size,
    longest,
    widest,
    cost,
    profile,
    slack,
    hcps,
    forced,
    best,
    found,
):  # type: ignore[no-untyped-def]
    """Best priced value of each of `hcps` and a set reaching it; forced: a channel that must be touched, -1 for none. -inf where there
    is no set. longest: rules of one HCP at most, widest: touches of one HCP at most. The sum of the sets looked at."""
    work, path = _space(values.shape[1], scopes.shape[0], longest, widest)
    priced = np.zeros(1)
    one = np.zeros((1, values.shape[1]), dtype=np.int16)
    looked = 0
    for i in range(len(hcps)):
        h = hcps[i]
        a, b = rule_start[h], rule_start[h + 1]
        best[i] = -np.inf
        room = _lay_out(values, bonus, overlap, least, most, cost, profile[h], scopes, a, b, rule, is_cap, need, limit, h, forced, work)
        if room < 0:
            continue
        count, seen = _search(scopes, a, b, rule, is_cap, need, limit, size, room, work, path, -np.inf, slack, True, one, priced, 0)
        looked += seen
        if count > 0:
            best[i] = priced[0]
            found[i] = one[0]
    return looked


@compiled
def sets_above(
    values,
    bonus,
    overlap,
    least,
    most,
    scopes,
    rule_start,
    rule,
    is_cap,
    need,
    limit,
    size,
    longest,
    widest,
    cost,
    profile,
    slack,
    threshold,
    owner,
    found,
    priced,
):  # type: ignore[no-untyped-def]
    """All sets with a priced value of at least their HCP's threshold: owner, touches, priced value, in HCP order. Their number, more than
    len(priced) when they are too many to be held."""
    work, path = _space(values.shape[1], scopes.shape[0], longest, widest)
    at = 0
    for h in range(values.shape[0]):
        a, b = rule_start[h], rule_start[h + 1]
        room = _lay_out(values, bonus, overlap, least, most, cost, profile[h], scopes, a, b, rule, is_cap, need, limit, h, -1, work)
        if room < 0:
            continue
        count, _ = _search(scopes, a, b, rule, is_cap, need, limit, size, room, work, path, threshold[h], slack, False, found, priced, at)
        for i in range(at, min(at + count, len(owner))):
            owner[i] = h
        at += count
        if at > len(priced):
            break
    return at
