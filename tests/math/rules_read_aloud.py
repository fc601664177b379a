"""Every business rule read from the raw rows of its table in plain Python: which rules does a plan break?

A plan is {(hcp_id, channel): (touches, first day, last day)} with days as dates. Nothing is shared with `optimization`; loops over
everything are meant, so that each rule reads like its sentence in the data contract.
"""

from __future__ import annotations

from datetime import date, timedelta


def broken_rules(tables, cycle, plan):
    """Names of the rules that the plan breaks. tables: lists of dicts by name; cycle: (first day, first day after)."""
    hcps = {row["hcp_id"]: row for row in tables["hcps"]}
    catalog = {row["channel"]: row for row in tables["catalog"]}
    world = (tables, hcps, catalog, cycle, plan)
    return {name for name, holds in RULES.items() if not holds(*world)}


def days_of(run):
    _, first, last = run
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def names(key, name):
    """A key of null or `*` names everyone."""
    return key in (None, "*", name)


def each_scope(key, existing):
    """The scopes of a key: null all together (None), `*` each, else that one."""
    return sorted(existing) if key == "*" else [key]


def max_touches(tables, hcps, catalog, cycle, plan):
    return all(run[0] <= catalog[channel]["max_touches"] for (_, channel), run in plan.items())


def inside_cycle(tables, hcps, catalog, cycle, plan):
    return all(cycle[0] <= first <= last < cycle[1] for _, first, last in plan.values())


def exclusion(tables, hcps, catalog, cycle, plan):
    return not any(
        names(row["hcp_id"], hcp)
        and names(row["channel"], channel)
        and (row["valid_from"] or date.min) <= day <= (row["valid_to"] or date.max)
        for (hcp, channel), run in plan.items()
        for day in days_of(run)
        for row in tables["rule_exclusion"]
    )


def consent(tables, hcps, catalog, cycle, plan):
    """The latest word decides (every captured_at of these worlds is another day); an opt-in counts only if given before the cycle."""
    for (hcp, channel), run in plan.items():
        said = [row for row in tables["rule_consent"] if names(row["hcp_id"], hcp) and names(row["channel"], channel)]
        said = [row for row in said if row["status"] == "opt_out" or row["captured_at"] < cycle[0]]
        last = max(said, key=lambda row: row["captured_at"], default=None)
        if last is None and catalog[channel]["requires_consent"]:
            return False
        if last is not None and last["status"] == "opt_out":
            return False
        if last is not None and catalog[channel]["requires_consent"] and last["expires_at"] and run[2] >= last["expires_at"]:
            return False
    return True


def access(tables, hcps, catalog, cycle, plan):
    return not any(
        names(row["rep_access"], hcps[hcp]["rep_access"]) and names(row["channel"], channel)
        for hcp, channel in plan
        for row in tables["rule_access"]
    )


def no_rep(tables, hcps, catalog, cycle, plan):
    return not any(catalog[channel]["rep_minutes"] > 0 and hcps[hcp]["rep_id"] is None for hcp, channel in plan)


def window(tables, hcps, catalog, cycle, plan):
    """A channel with rows for the HCP is open only inside one of them; one without any row is always open."""
    for (hcp, channel), run in plan.items():
        if not any(names(row["channel"], channel) for row in tables["rule_channel_window"]):
            continue
        mine = [row for row in tables["rule_channel_window"] if names(row["channel"], channel)]
        mine = [row for row in mine if row["territory_id"] is None or row["territory_id"] == hcps[hcp]["territory_id"]]
        for day in days_of(run):
            if not any((row["available_from"] or date.min) <= day <= (row["available_to"] or date.max) for row in mine):
                return False
    return True


def gap_between(tables, before, after):
    return max(
        [row["min_days"] for row in tables["rule_min_gap"] if names(row["last_channel"], before) and names(row["channel"], after)] or [0]
    )


def min_gap(tables, hcps, catalog, cycle, plan):
    """Every day of every run is late enough after every touch of the past, and the touches of one HCP have dates in some order."""
    past = [(row["hcp_id"], row["channel"], row["touch_date"]) for row in tables["touch_days"] if row["touches"] > 0]
    past += [(row["hcp_id"], row["channel"], row["latest_date"]) for row in tables["prior_actions"]]
    for (hcp, channel), run in plan.items():
        for who, before, when in past:
            if who == hcp and (run[1] - when).days < gap_between(tables, before, channel):
                return False
    return all(dates_exist(tables, [(c, run) for (who, c), run in plan.items() if who == hcp for _ in range(run[0])]) for hcp in hcps)


def dates_exist(tables, touches):
    """Some order of the touches, each as early as it may be, ends inside every run."""
    seen = set()

    def rest_fits(left, made):
        state = tuple(sorted(channel for channel, _ in left)), tuple(sorted(made.items()))
        if not left or state in seen:
            return not left
        seen.add(state)
        for place, (channel, run) in enumerate(left):
            day = max(
                [run[1], *made.values(), *(when + timedelta(days=gap_between(tables, before, channel)) for before, when in made.items())]
            )
            if day <= run[2] and rest_fits(left[:place] + left[place + 1 :], made | {channel: day}):
                return True
        return False

    return rest_fits(touches, {})


def contact_limit(tables, hcps, catalog, cycle, plan):
    """Planned touches together, with a window also the known ones still inside it on the first planned day."""
    past = [(row["hcp_id"], row["channel"], row["touch_date"], row["touches"]) for row in tables["touch_days"]]
    past += [(row["hcp_id"], row["channel"], row["latest_date"], row.get("touches") or 1) for row in tables["prior_actions"]]
    for row in tables["rule_contact_limit"]:
        for hcp, attributes in hcps.items():
            if row["attribute"] is not None and row["value"] is not None and attributes[row["attribute"]] != row["value"]:
                continue
            for scope in each_scope(row["channel"], catalog):
                runs = [run for (who, channel), run in plan.items() if who == hcp and scope in (None, channel)]
                known = 0
                if row["window_days"] is not None and runs:
                    opens = min(run[1] for run in runs) - timedelta(days=row["window_days"])
                    known = sum(count for who, channel, when, count in past if who == hcp and scope in (None, channel) and when > opens)
                if runs and sum(run[0] for run in runs) + known > row["max_actions"]:
                    return False
    return True


def incompatible(tables, hcps, catalog, cycle, plan):
    return not any(
        {(hcp, row["channel_a"]), (hcp, row["channel_b"])} <= set(plan) and row["channel_a"] != row["channel_b"]
        for hcp in hcps
        for row in tables["rule_incompatible"]
    )


def pin_and_forbid(tables, hcps, catalog, cycle, plan):
    for row in tables["rule_override"]:
        first, last = row["valid_from"] or date.min, row["valid_to"] or date.max
        live = first < cycle[1] and last >= cycle[0]
        if row["action"] == "pin" and live:
            run = plan.get((row["hcp_id"], row["channel"]))
            if run is None or run[1] < first or run[2] > last:
                return False
        for (hcp, channel), run in plan.items():
            forbidden = row["action"] == "forbid" and names(row["hcp_id"], hcp) and names(row["channel"], channel)
            if forbidden and any(first <= day <= last for day in days_of(run)):
                return False
    return True


def scoped(plan, hcps, channel, territory):
    return [(pair, run) for pair, run in plan.items() if channel in (None, pair[1]) and territory in (None, hcps[pair[0]]["territory_id"])]


def scopes_of(row, hcps, catalog):
    territories = {each["territory_id"] for each in hcps.values()} - {None}
    return [(c, t) for c in each_scope(row["channel"], catalog) for t in each_scope(row["territory_id"], territories)]


def budget(tables, hcps, catalog, cycle, plan):
    return all(
        sum(catalog[channel]["unit_cost"] * run[0] for (_, channel), run in scoped(plan, hcps, *scope)) <= row["max_cost"] * (1 + 1e-6)
        for row in tables["rule_budget"]
        for scope in scopes_of(row, hcps, catalog)
    )


def channel_capacity(tables, hcps, catalog, cycle, plan):
    for row in tables["rule_channel_capacity"]:
        for scope in scopes_of(row, hcps, catalog):
            made = sum(run[0] for _, run in scoped(plan, hcps, *scope))
            if row["max_actions"] is not None and made > row["max_actions"]:
                return False
            if row["min_actions"] is not None and made < row["min_actions"]:
                return False
    return True


def rep_capacity(tables, hcps, catalog, cycle, plan):
    reps = {each["rep_id"] for each in hcps.values()} - {None}
    territories = {each["territory_id"] for each in hcps.values()} - {None}
    timed = [channel for channel, each in catalog.items() if each["rep_minutes"] > 0]
    for row in tables["rule_rep_capacity"]:
        channels = [timed] if row["channel"] is None else [[channel] for channel in each_scope(row["channel"], catalog)]
        for rep in each_scope(row["rep_id"], reps):
            for territory in each_scope(row["territory_id"], territories):
                for some in channels:
                    mine = [(c, run[0]) for (hcp, c), run in plan.items() if c in some and hcps[hcp]["rep_id"] is not None
                            and rep in (None, hcps[hcp]["rep_id"]) and territory in (None, hcps[hcp]["territory_id"])]  # fmt: skip
                    if row["max_minutes"] is not None and sum(catalog[c]["rep_minutes"] * n for c, n in mine) > row["max_minutes"]:
                        return False
                    if row["max_actions"] is not None and sum(n for _, n in mine) > row["max_actions"]:
                        return False
    return True


def hard_floor(tables, hcps, catalog, cycle, plan):
    territories = {each["territory_id"] for each in hcps.values()} - {None}
    timed = [channel for channel, each in catalog.items() if each["rep_minutes"] > 0]
    for row in tables["rule_coverage_floor"]:
        channels = timed if row["channel"] is None else list(catalog) if row["channel"] == "*" else [row["channel"]]
        for territory in each_scope(row["territory_id"], territories):
            reached = {
                hcp
                for hcp, channel in plan
                if channel in channels
                and territory in (None, hcps[hcp]["territory_id"])
                and (row["attribute"] is None or hcps[hcp][row["attribute"]] == row["value"])
            }
            if row["hardness"] == "hard" and len(reached) < row["min_hcps"]:
                return False
    return True


ONE_HCP = (max_touches, inside_cycle, exclusion, consent, access, no_rep, window, min_gap, contact_limit, incompatible, pin_and_forbid)
SHARED = (budget, channel_capacity, rep_capacity, hard_floor)
RULES = {rule.__name__: rule for rule in (*ONE_HCP, *SHARED)}
