"""Business rules: tables that became empty, above all those that protect HCPs."""

from __future__ import annotations

from nba.gates.expecting import Expected
from nba.gates.facts import Facts, ratio
from nba.gates.limits import Limits
from nba.gates.profile import Sides

TABLE = "rules"
RULES = ("budget", "channel_capacity", "rep_capacity", "contact_limit", "access", "channel_window", "min_gap", "incompatible")
RULES += ("coverage_floor", "holdout", "override")


def facts(sides: Sides) -> Facts:
    """Rows of each rule table; opt-ins by channel."""
    found = Facts()
    # an empty rule is a decision: it is counted, so that a profile without rules is noticed
    found.add(tables=float(sum(sides.now.amount(f"rule_{name}", "rows") >= 0 for name in (*RULES, "consent", "exclusion"))))
    if not sides.can_compare:
        return found
    for name in RULES:
        now, before = (side.amount(f"rule_{name}", "rows") for side in (sides.now, sides.before))
        if before > 0:
            found.add(f"rule_{name}", f"rule_{name}", rule_kept=float(now > 0))
    now, before = (side.amount("rule_exclusion", "rows") for side in (sides.now, sides.before))
    if before > 0:
        found.add("rule_exclusion", exclusions_kept=ratio(now, before) if before >= sides.min_hcps else float(now > 0))
    now, before = (side.items("rule_consent", "opt_ins", "channel") for side in (sides.now, sides.before))
    if before.sum() >= sides.min_hcps:
        found.add("rule_consent", opt_ins_kept=ratio(float(now.sum()), float(before.sum())))
    for channel in before.index[before >= sides.min_hcps]:
        found.add("rule_consent", channel, channel_opt_ins_kept=ratio(float(now.get(channel, 0.0)), float(before[channel])))
    return found


def expected(limits: Limits) -> list[Expected]:
    """Half of the opt-ins or of the exclusions gone closes the gate."""
    kept = {"at_least": limits.least_kept, "shown": "percent"}
    return [
        Expected(
            "tables",
            "volume",
            "are counted in {observed} tables",
            "see that profile_inputs counts every rule table",
            at_least=len(RULES) + 2,
            levels=("error",),
        ),
        Expected(
            "opt_ins_kept",
            "volume",
            "have {observed} of the opt-ins of the last good run",
            "see that the whole consent table was loaded: nobody else may be contacted on channels that need it",
            **kept,
        ),
        Expected(
            "channel_opt_ins_kept",
            "volume",
            "have for a channel {observed} of the opt-ins of the last good run",
            "see that its consent was loaded",
            **{**kept, "levels": ("warn",)},
        ),
        Expected(
            "exclusions_kept",
            "volume",
            "have {observed} of the exclusions of the last good run",
            "see that the whole table was loaded: who is excluded must not be contacted",
            **kept,
        ),
        Expected(
            "rule_kept",
            "volume",
            "have a table that has no row any more",
            "see that the limit was lifted on purpose",
            at_least=1,
            levels=("warn",),
        ),
    ]
