"""A rep, or a pool of reps, has so many minutes and makes so many actions.

Table rule_rep_capacity: sum of rep_minutes x touches <= max_minutes, and sum of touches <= max_actions, over the pairs of the
HCPs of the scope. rep_id set = that rep; `*` = every rep alone; null = the reps together as one pool (of the territory, when
one is named; of each territory with `*`). channel null = all channels with rep_minutes > 0 together, `*` = each of them.
HCPs without a rep are in no rep's limit.
"""

from __future__ import annotations

import numpy as np

from optimization.problem import Limit, PlanInputError, RuleYield
from optimization.rules.context import Context, unknown_names


def declare(context: Context) -> RuleYield:
    """A minutes limit and a touches limit per row and scope, each where given. PlanInputError for minutes of channels that take none."""
    table = context.tables["rule_rep_capacity"]
    limits: list[Limit] = []
    for row in range(table.rows):
        minutes, actions = table["max_minutes"][row], table["max_actions"][row]
        for channel, codes in context.channel_scopes(table["channel"][row], together=context.rep_channels):
            _check(context, channel, codes, minutes)
            for rep, territory, hcps in _scopes(context, table["rep_id"][row], table["territory_id"][row]):
                key = (channel, territory, rep)
                if not np.isnan(minutes):
                    limits.append(_limit(context, "minutes", minutes, hcps, context.per_touch(codes, context.rep_minutes), key))
                if not np.isnan(actions):
                    limits.append(_limit(context, "touches", actions, hcps, context.per_touch(codes), key))
    warnings = unknown_names("rule_rep_capacity", "channel", table["channel"], context.channel_codes(table["channel"]))
    strangers = sorted({rep for rep in table["rep_id"] if rep not in (None, "*") and rep not in context.rep_place})
    if strangers:
        warnings.append(f"rule_rep_capacity.rep_id: {len(strangers)} rep(s) have no HCP, for example {strangers[0]}")
    return RuleYield(limits=limits, warnings=warnings)


def _check(context: Context, channel: str | None, codes: np.ndarray, minutes: float) -> None:
    known = channel is None or len(codes) > 0
    if known and not np.isnan(minutes) and not np.any(context.rep_minutes[codes] > 0):
        scope = "every channel" if channel is None else f"channel {channel}"
        raise PlanInputError(f"rule_rep_capacity.max_minutes: a limit of {minutes:g}, but {scope} of the catalogue has rep_minutes 0")


def _scopes(context: Context, rep: str | None, territory: str | None) -> list[tuple[str | None, str | None, np.ndarray]]:
    """(rep, territory, HCPs with a rep) of every limit that a row's keys stand for."""
    if rep is None:
        return [(None, name, hcps[context.rep[hcps] >= 0]) for name, hcps in context.territory_scopes(territory)]
    if rep == "*":
        reps = list(zip(context.rep_names, context.hcps_by_rep, strict=True))
    else:
        place = context.rep_place.get(rep)
        reps = [(rep, context.everyone[:0] if place is None else context.hcps_by_rep[place])]
    if territory is None:
        return [(name, None, hcps) for name, hcps in reps]
    return [scope for name, hcps in reps for scope in _within(context, name, hcps, territory, rep == "*")]


def _within(
    context: Context, rep: str, hcps: np.ndarray, territory: str, each_rep: bool
) -> list[tuple[str | None, str | None, np.ndarray]]:
    """A rep's HCPs by territory; with `*` on either key only combinations that exist."""
    if territory == "*":
        codes = np.unique(context.territory[hcps])
        return [(rep, context.territory_names[code], hcps[context.territory[hcps] == code]) for code in codes if code >= 0]
    inside = hcps[context.territory[hcps] == context.territory_place.get(territory, -2)]
    return [] if each_rep and len(inside) == 0 else [(rep, territory, inside)]


def _limit(
    context: Context,
    unit: str,
    bound: float,
    hcps: np.ndarray,
    use: np.ndarray,
    key: tuple[str | None, str | None, str | None],
) -> Limit:
    channel, territory, rep = key
    label = "minutes" if unit == "minutes" else "actions"
    label += " of all reps" if rep is None and territory is None else " of the reps" if rep is None else f" of rep {rep}"
    label += "" if territory is None else f" in territory {territory}"
    label += "" if channel is None else f" on {context.label_of(channel)}"
    return Limit(
        limit_id="",
        rule="rep_capacity",
        side="max",
        unit=unit,
        label=label,
        bound=float(bound),
        hcps=hcps,
        use=use,
        channel=channel,
        territory_id=territory,
        rep_id=rep,
    )
