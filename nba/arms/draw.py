"""Which HCP is in which arm: a stratified draw of units, kept for some cycles, with the exact probability of every outcome.

Within a stratum (territory and decile) the numbers per arm are the shares times its units, rounded without bias and without losing
remainders (`rounding.py`); which units they are follows the order of hashes. So the probability of an arm is its share, exactly, and
control and explore cannot overlap. Units that were drawn before, in a published run, keep their arm until `redraw_cycles` are over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from nba.arms.hashing import hashes
from nba.arms.rounding import rounded
from nba.arms.units import Units, coded, units_of

if TYPE_CHECKING:
    import pyarrow as pa

ARMS = ("plan", "control", "explore")
UNITS = ("hcp", "hco", "territory")
COLUMNS = ("hcp_id", "arm", "arm_probability", "stratum", "unit_id", "drawn_cycle", "draw_design")
NO_DESIGN, PINNED = "none", "pinned"


class ArmsError(ValueError):
    """rule_holdout says what cannot be drawn; the text names column, value and rule."""


@dataclass(frozen=True)
class Design:
    """What rule_holdout asks for. control, explore: shares of the units, together at most 1; unit: what is drawn as one; redraw_cycles:
    cycles for which a draw is kept, >= 1; cold_share: share of the explore draws aimed at units without history, at least."""

    control: float = 0.0
    explore: float = 0.0
    unit: str = "hcp"
    redraw_cycles: int = 6
    cold_share: float = 0.0

    def __post_init__(self) -> None:
        for name in ("control", "explore", "cold_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ArmsError(f"{name} {getattr(self, name)} must be in [0, 1]")
        if self.control + self.explore > 1 + 1e-9:
            raise ArmsError(f"share: control {self.control:g} and explore {self.explore:g} are more than 1 together")
        if self.unit not in UNITS:
            raise ArmsError(f"unit {self.unit!r} must be one of {', '.join(UNITS)}")
        if self.redraw_cycles < 1:
            raise ArmsError(f"redraw_cycles {self.redraw_cycles} must be >= 1")

    @property
    def is_empty(self) -> bool:
        return self.control == 0 and self.explore == 0

    def text(self, seed: int) -> str:
        """What the probabilities hang on, as one text: a draw under another design is not kept."""
        if self.is_empty:
            return NO_DESIGN
        explore = f"explore {self.explore:g}" + (f" (new {self.cold_share:g})" if self.explore > 0 else "")
        return f"by {self.unit}: control {self.control:g}, {explore}, seed {seed}"


@dataclass(frozen=True)
class Cycle:
    """The cycle drawn for: its start, the grain (`week` or `month`) and the periods it lasts; seed of everything random."""

    start: date
    grain: str
    periods: int
    seed: int

    def keeps(self, drawn: date, cycles: int) -> bool:
        """Whether a draw of that date still holds."""
        if self.grain == "week":
            return drawn <= self.start < drawn + timedelta(days=7 * self.periods * cycles)
        months = (self.start.year - drawn.year) * 12 + self.start.month - drawn.month
        return 0 <= months < self.periods * cycles


def design_of(holdout: pa.Table, cold_share: float) -> Design:
    """The design of the rows of rule_holdout (at most one of each arm; the same unit and redraw_cycles). ArmsError where they differ."""
    rows = {row["arm"]: row for row in holdout.to_pylist()}
    if len(rows) < holdout.num_rows or set(rows) - set(ARMS[1:]):
        raise ArmsError(f"arm: at most one row each of {', '.join(ARMS[1:])}, not {', '.join(map(str, holdout['arm'].to_pylist()))}")
    if not rows:
        return Design()
    for name in ("unit", "redraw_cycles"):
        if len({row[name] for row in rows.values()}) > 1:
            raise ArmsError(f"{name}: must be the same for control and explore")
    one = next(iter(rows.values()))
    shares = {arm: float(rows[arm]["share"]) for arm in rows}
    return Design(shares.get("control", 0.0), shares.get("explore", 0.0), one["unit"], int(one["redraw_cycles"]), cold_share)


def draw_arms(hcps: pa.Table, prior: pa.Table, design: Design, cycle: Cycle) -> pa.Table:
    """One row per HCP, by hcp_id: the columns COLUMNS.

    hcps: hcp_id, territory_id, decile, hco_id, is_cold (no history), is_pinned (a live pin: planned for, whatever is drawn).
    prior: unit_id, arm, arm_probability, stratum, drawn_cycle, draw_design, cycle_start of the published runs of earlier cycles.
    arm_probability: of the arm in which the HCP is, at the time of its draw.
    """
    units = units_of(hcps, design.unit)
    design_text = design.text(cycle.seed)
    count = len(units.names)
    arm, probability = np.zeros(count, dtype=np.int8), np.ones(count)
    stratum = np.array(units.strata, dtype=object)
    drawn = np.full(count, np.datetime64(cycle.start, "D"))
    if not design.is_empty:
        kept = _kept(prior, design, design_text, cycle)
        known = np.array([name in kept for name in units.names.tolist()], dtype=bool) & units.is_drawn
        for place in np.flatnonzero(known).tolist():
            name, probability[place], stratum[place], drawn[place] = kept[units.names[place]]
            arm[place] = ARMS.index(name)
        fresh = np.flatnonzero(units.is_drawn & ~known)
        arm[fresh], probability[fresh], stratum[fresh] = draw_units(units, fresh, design, cycle)
    return _table(units, arm, probability, stratum, drawn, design_text)


def draw_units(units: Units, fresh: np.ndarray, design: Design, cycle: Cycle) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(arm, its probability, stratum) of units that have no arm yet."""
    cold = units.is_cold[fresh]
    explore_cold, explore_warm = cold_shares(design, len(fresh), int(cold.sum()))
    strata = units.strata[fresh]
    if explore_cold != explore_warm:  # a stratum holds units of one probability
        strata = np.where(cold, strata + "|new", strata)
    names, cell = coded(strata)
    sizes = np.bincount(cell, minlength=len(names)).astype(np.float64)
    is_new = np.zeros(len(names), dtype=bool)
    is_new[cell[cold]] = explore_cold != explore_warm
    explore = np.where(is_new, explore_cold, explore_warm)
    expected = np.column_stack([sizes * (1 - design.control - explore), sizes * design.control, sizes * explore])
    purpose = f"{cycle.start.isoformat()}|arms"
    order = np.lexsort((hashes(names.tolist(), cycle.seed, f"{purpose}|strata"), ~is_new))
    numbers = np.empty(expected.shape, dtype=np.int64)
    numbers[order] = rounded(np.maximum(expected[order], 0.0), hashes(["rounding"], cycle.seed, purpose)[0])
    rank = _rank_within(cell, hashes(units.names[fresh].tolist(), cycle.seed, purpose))
    first, second = numbers[cell, 1], numbers[cell, 1] + numbers[cell, 2]
    arm = np.where(rank < first, 1, np.where(rank < second, 2, 0)).astype(np.int8)
    chances = np.column_stack([1 - design.control - explore, np.full(len(names), design.control), explore])
    return arm, chances[cell, arm], names[cell].astype(object)


def cold_shares(design: Design, units: int, cold: int) -> tuple[float, float]:
    """(explore probability of units without history, of the others): equal where the share of the former is reached anyway."""
    if cold == 0 or cold == units or design.explore == 0 or cold >= design.cold_share * units:
        return design.explore, design.explore
    total = design.explore * units
    first = min(design.cold_share * total / cold, 1.0 - design.control)
    return first, min((total - first * cold) / (units - cold), 1.0 - design.control)


def _kept(prior: pa.Table, design: Design, design_text: str, cycle: Cycle) -> dict[str, tuple[str, float, str, np.datetime64]]:
    """(arm, probability, stratum, drawn_cycle) of every unit: the newest draw of this design, where it still holds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if prior.num_rows == 0:  # its columns may have no types
        return {}
    mine = prior.filter(pc.equal(prior["draw_design"], design_text)).sort_by("cycle_start")
    days = mine["drawn_cycle"].cast(pa.date32())
    holds = {day: cycle.keeps(day, design.redraw_cycles) for day in days.unique().to_pylist()}
    columns = [mine[name].to_pylist() for name in ("unit_id", "arm", "arm_probability", "stratum")]
    rows = zip(*columns, days.to_pylist(), strict=True)
    return {unit: (arm, chance, stratum, np.datetime64(day, "D")) for unit, arm, chance, stratum, day in rows if holds[day]}


def _rank_within(cell: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """0, 1, 2, ... of every unit among those of its cell, by hash; units come by name."""
    order = np.lexsort((chance, cell))
    rank = np.empty(len(cell), dtype=np.int64)
    begins = np.searchsorted(cell[order], cell[order], side="left")
    rank[order] = np.arange(len(cell)) - begins
    return rank


def _table(units: Units, arm: np.ndarray, probability: np.ndarray, stratum: np.ndarray, drawn: np.ndarray, design_text: str) -> pa.Table:
    import pyarrow as pa

    of = units.unit_of
    pinned = units.is_pinned
    columns = {
        "hcp_id": pa.array(units.hcp_ids, pa.string()),
        "arm": pa.array(np.where(pinned, ARMS[0], np.array(ARMS, dtype=object)[arm[of]]), pa.string()),
        "arm_probability": pa.array(np.where(pinned, 1.0, probability[of])),
        "stratum": pa.array(stratum[of], pa.string()),
        "unit_id": pa.array(units.names[of], pa.string()),
        "drawn_cycle": pa.array(np.where(pinned, drawn.max(initial=np.datetime64("0001-01-01")), drawn[of]), pa.date32()),
        "draw_design": pa.array(np.where(pinned & (design_text != NO_DESIGN), PINNED, design_text).astype(object), pa.string()),
    }
    return pa.table(columns)
