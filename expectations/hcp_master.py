"""Who there is: how many HCPs, the same ones as last time, and how they spread."""

from __future__ import annotations

from nba.gates.expecting import Expected
from nba.gates.facts import NAN, Facts, largest_moves, ratio, shift
from nba.gates.limits import Limits
from nba.gates.profile import Sides

TABLE = "hcp_master"
# a new alignment renames territories every year: worth a look, never a stop
SPREAD = ("specialty", "practice_type", "rep_access", "decile")
NO_VALUE = "(none)"


def facts(sides: Sides) -> Facts:
    """HCPs of this run beside those of the last good one."""
    found = Facts()
    found.add(rows=sides.now.amount(TABLE, "rows"))
    if sides.before_hcps >= sides.min_hcps:
        found.add(population_kept=sides.same_hcps)
    if sides.can_compare:
        found.add(hcps_kept=sides.same_hcps, hcps_change=ratio(sides.now_hcps, sides.before_hcps))
    if sides.can_compare_shares:
        for column in (*SPREAD, "territory_id"):
            now, before = (side.items(TABLE, "rows", column) for side in (sides.now, sides.before))
            # a column that is filled for the first time says nothing about the file
            is_new = set(before.index) <= {NO_VALUE}
            measure = "spread_moved" if column in SPREAD else "alignment_moved"
            found.add(column, largest_moves(now, before), **{measure: NAN if is_new else shift(now, before)})
    return found


def expected(limits: Limits) -> list[Expected]:
    """Half of the HCPs gone, or other ones in their place, closes the gate."""
    extract = "compare the extract with the one before"
    return [
        Expected("rows", "volume", "has {observed} rows", "load at least one HCP", at_least=1, levels=("error",)),
        Expected(
            "population_kept",
            "volume",
            "has {observed} of the HCPs of the last good run: taken for another population, and not compared with it",
            "use a schema or nba_schema_prefix of its own for another population, or restore the old hcp_id",
            at_least=0.1,
            levels=("warn",),
            shown="percent",
        ),
        Expected(
            "hcps_change",
            "volume",
            "has {observed} of the number of HCPs of the last good run",
            extract,
            at_least=limits.least_kept,
            shown="percent",
        ),
        Expected(
            "hcps_kept",
            "volume",
            "has {observed} of the HCPs of the last good run",
            f"{extract}: territories that are missing, ids that lost their zeros",
            at_least=limits.least_kept,
            shown="percent",
        ),
        Expected(
            "spread_moved",
            "distribution",
            "has {observed} of its HCPs elsewhere in the distribution of the last good run",
            extract,
            at_most=limits.most_shifted,
            shown="percent",
        ),
        Expected(
            "alignment_moved",
            "distribution",
            "has {observed} of its HCPs in another territory's share than in the last good run",
            "see that the new alignment is the one that holds at cycle start",
            at_most=limits.most_shifted,
            levels=("warn",),
            shown="percent",
        ),
    ]
