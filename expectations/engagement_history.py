"""What was done: touches and responses by channel and period, up to the cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nba.gates.expecting import Expected
from nba.gates.facts import NAN, Facts, largest_moves, ratio, recent, same_periods, shift
from nba.gates.limits import Limits
from nba.gates.profile import Profile, Sides

if TYPE_CHECKING:
    import pandas as pd

TABLE = "engagement_history"


def facts(sides: Sides) -> Facts:
    """The same periods then and now: history may grow at its end, but what was there stays."""
    found = Facts()
    rows = sides.now.cells(TABLE, "rows", "channel")
    total = float(rows.to_numpy().sum())
    known, covered = (sides.now.amount(TABLE, measure) for measure in ("known_rows", "covered_hcps"))
    found.add(rows=total, late_periods=sides.now.amount(TABLE, "late_periods"), known_share=ratio(known, total))
    if sides.now_hcps >= sides.min_hcps and len(rows) > 1:
        # campaigns and holidays make periods differ by more than half: the poorest of them is the yardstick
        earlier = rows.iloc[:-1].tail(sides.recent_periods).sum(axis=1).min()
        found.add(newest_level=ratio(float(rows.iloc[-1].sum()), float(earlier)))
    if not sides.can_compare:
        return found
    before = sides.before.cells(TABLE, "rows", "channel")
    found.add(covered_change=ratio(ratio(covered, sides.now_hcps), ratio(sides.before.amount(TABLE, "covered_hcps"), sides.before_hcps)))
    ours, theirs = same_periods(rows, before, sides.cycle_start)
    # channels that came into the catalogue or left it are a decision, not a broken file
    kept = sorted(sides.now.items("engagement_action_catalog", "value", "unit_cost").index.intersection(theirs.columns))
    then, here = theirs[kept].sum(), ours.reindex(columns=kept, fill_value=0.0).sum()
    found.add(
        rows_kept=ratio(float(here.sum()), float(then.sum())), periods_kept=ratio(len(ours), len(before[before.index < sides.cycle_start]))
    )
    growth = ratio(sides.now_hcps, sides.before_hcps)
    found.add(rows_per_hcp=ratio(ratio(float(here.sum()), float(then.sum())), max(growth, 1.0)))
    if sides.can_compare_shares:
        _add_shares(found, sides, kept)
    return found


def _add_shares(found: Facts, sides: Sides, kept: list[str]) -> None:
    """Mix of touches, share of them that is answered, share of rows that record it; channels that both catalogues have."""
    touches, other = (side.cells(TABLE, "touches", "channel") for side in (sides.now, sides.before))
    pairs = (same_periods(touches, other, sides.cycle_start), (touches.tail(sides.recent_periods), other.tail(sides.recent_periods)))
    for measure, (ours, theirs) in zip(("mix_moved", "recent_mix_moved"), pairs, strict=True):
        now, before = (side.reindex(columns=kept, fill_value=0.0).sum() for side in (ours, theirs))
        found.add("channel", largest_moves(now, before), **{measure: shift(now, before)})
    now, before = (_answered(side, sides) for side in (sides.now, sides.before))
    for channel in kept:
        moved = {measure: abs(now[measure].get(channel, NAN) - before[measure].get(channel, NAN)) for measure in ANSWERED}
        found.add("responses", channel, **moved)


def _answered(side: Profile, sides: Sides) -> dict[str, pd.Series]:
    """Measure of ANSWERED -> channel -> responses of a touch, share of rows with a response count; newest periods, NaN with few."""
    sums = {name: recent(side.cells(TABLE, name, "channel"), sides.recent_periods) for name in MEASURES}
    rate = (sums["responses"] / sums["recorded_touches"]).where(sums["recorded_touches"] >= sides.min_hcps)
    return dict(zip(ANSWERED, (rate, (sums["recorded_rows"] / sums["rows"]).where(sums["rows"] >= sides.min_hcps)), strict=True))


ANSWERED = ("response_rate_moved", "recorded_share_moved")
MEASURES = ("rows", "recorded_rows", "recorded_touches", "responses")


def expected(limits: Limits) -> list[Expected]:
    """Old, halved, doubled or reshuffled history closes the gate."""
    extract = "compare the extract with the one before, period by period"
    return [
        Expected(
            "rows",
            "volume",
            "has {observed} rows before the cycle",
            "load history that ends before nba_cycle_start",
            at_least=1,
            levels=("error",),
        ),
        Expected(
            "late_periods",
            "freshness",
            "ends {observed} whole periods before the cycle",
            "load the newest periods, or plan the cycle that follows them",
            at_most=lambda level: limits.late_periods if level == "error" else limits.late_periods // 2,
        ),
        Expected(
            "newest_level",
            "freshness",
            "has in its newest period {observed} of the rows of the poorest one of those before",
            "see whether that period is complete",
            at_least=1 - limits.volume_drop,
            levels=("warn",),
            shown="percent",
        ),
        Expected(
            "known_share",
            "coverage",
            "has {observed} of its rows about HCPs of hcp_master",
            "bring the ids of both tables into line",
            at_least=limits.least_kept,
            # dropping them was decided with unknown_hcp
            levels=("warn",),
            shown="percent",
        ),
        Expected(
            "covered_change",
            "coverage",
            "covers {observed} of the share of HCPs that it covered in the last good run",
            extract,
            at_least=limits.least_kept,
            shown="percent",
        ),
        Expected(
            "rows_kept",
            "volume",
            "has {observed} of the rows that the last good run had in the same periods",
            extract,
            at_least=limits.least_kept,
            shown="percent",
        ),
        Expected(
            "rows_per_hcp",
            "volume",
            "has {observed} the rows for each HCP that the last good run had in the same periods",
            "see whether a file was loaded twice",
            at_most=limits.most_grown,
            shown="times",
        ),
        Expected(
            "periods_kept",
            "volume",
            "has {observed} of the periods of the last good run",
            extract,
            at_least=limits.least_kept,
            shown="percent",
        ),
        Expected(
            "mix_moved",
            "distribution",
            "has {observed} of its touches in another channel than the last good run had in the same periods",
            extract,
            at_most=limits.most_shifted,
            shown="percent",
        ),
        Expected(
            "recent_mix_moved",
            "distribution",
            "has {observed} of its newest touches in another channel than in the last good run",
            "see that every channel delivered",
            at_most=limits.most_shifted,
            shown="percent",
        ),
        Expected(
            "response_rate_moved",
            "distribution",
            "has response rates that moved by up to {observed} of touches against the last good run",
            "see how responses are counted now",
            at_most=limits.most_shifted,
            shown="percent",
        ),
        Expected(
            "recorded_share_moved",
            "distribution",
            "records responses in a share of rows that moved by up to {observed} against the last good run",
            "see whether a channel stopped to record responses",
            at_most=limits.most_shifted,
            levels=("warn",),
            shown="percent",
        ),
    ]
