"""What is believed of every HCP and channel: who may be touched, how likely a response, how much it brings."""

from __future__ import annotations

from nba.gates.expecting import Expected
from nba.gates.facts import NAN, Facts, ratio
from nba.gates.limits import Limits
from nba.gates.profile import Sides

TABLE = "hcp_channel_scores"


def facts(sides: Sides) -> Facts:
    """Scores by channel beside those of the last good run; channels that both have."""
    found = Facts()
    now, before = ({name: side.items(TABLE, name, "channel") for name in MEASURES} for side in (sides.now, sides.before))
    found.add(rows=float(now["rows"].sum()))
    if sides.now_hcps >= sides.min_hcps:
        for channel in now["highest_probability"].index:
            spread = now["highest_probability"][channel] - now["lowest_probability"][channel]
            found.add("engagement_probability", channel, probability_spread=float(spread))
    both = now["rows"].index.intersection(before["rows"].index)
    if not sides.can_compare or both.empty:
        return found
    for channel in both:
        theirs = ratio(before["eligible"][channel], before["rows"][channel]) if before["eligible"][channel] >= sides.min_hcps else NAN
        found.add("is_eligible", channel, channel_eligible_kept=ratio(ratio(now["eligible"][channel], now["rows"][channel]), theirs))
    ours, theirs = (ratio(float(side["eligible"][both].sum()), float(side["rows"][both].sum())) for side in (now, before))
    found.add("is_eligible", eligible_kept=ratio(ours, theirs))
    if sides.can_compare_shares:
        for channel in both.intersection(now["mean_probability"].index).intersection(before["mean_probability"].index):
            moved = abs(now["mean_probability"][channel] - before["mean_probability"][channel])
            found.add("engagement_probability", channel, probability_moved=float(moved))
        for channel in both.intersection(now["mean_impact"].index).intersection(before["mean_impact"].index):
            values = now["mean_impact"][channel], before["mean_impact"][channel]
            found.add("expected_impact", channel, impact_change=ratio(*values) if min(values) > 0 else NAN)
    return found


MEASURES = ("rows", "eligible", "mean_probability", "lowest_probability", "highest_probability", "mean_impact")


def expected(limits: Limits) -> list[Expected]:
    """Half of the eligible pairs gone, other probabilities or another order of impact close the gate."""
    return [
        Expected("rows", "plan", "have {observed} rows", "see why no pair was scored", at_least=1, levels=("error",)),
        Expected(
            "probability_spread",
            "plan",
            "give every HCP the same probability in a channel",
            "see model_performance: the model may have learned nothing",
            at_least=1e-9,
            levels=("warn",),
        ),
        Expected(
            "eligible_kept",
            "plan",
            "have {observed} of the share of eligible pairs of the last good run",
            "see in pair_blocks which rule blocks them",
            at_least=limits.least_kept,
            shown="percent",
        ),
        Expected(
            "channel_eligible_kept",
            "plan",
            "have in a channel {observed} of the share of eligible pairs of the last good run",
            "see in pair_blocks which rule blocks them",
            at_least=limits.least_kept,
            levels=("warn",),
            shown="percent",
        ),
        Expected(
            "probability_moved",
            "plan",
            "have a mean probability that moved by up to {observed} against the last good run",
            "see how responses are counted and model_performance",
            at_most=limits.most_shifted,
            shown="percent",
        ),
        Expected(
            "impact_change",
            "plan",
            "have a mean impact of {observed} that of the last good run",
            "see impact_diagnostics, the unit of the KPI and the catalogue",
            at_least=lambda level: 1 / limits.most_times(level),
            at_most=limits.most_times,
            shown="times",
        ),
    ]
