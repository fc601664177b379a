"""Facts about a table: few rows of measures, which expectations are about; and the arithmetic of two runs beside each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")


@dataclass
class Facts:
    """One row for each subject (column) and item (value) of a table, one column for each measure; a fact that is not known is NaN."""

    rows: dict[tuple[str, str], dict[str, float]] = field(default_factory=dict)

    def add(self, subject: str = "", item: str = "", **measures: float) -> None:
        """Add measures of the table, of a column or of one of its values."""
        self.rows.setdefault((subject, item), {}).update(measures)

    def frame(self, measures: list[str]) -> pd.DataFrame:
        """subject, item and the measures as doubles."""
        import pandas as pd

        made = [{"subject": subject, "item": item, **found} for (subject, item), found in self.rows.items()]
        frame = pd.DataFrame(made, columns=["subject", "item", *measures])
        return frame.astype(dict.fromkeys(measures, "float64"))


def ratio(now: float, before: float) -> float:
    """now / before; NaN where that says nothing."""
    return now / before if before and before == before else NAN


def shares(counts: pd.Series) -> pd.Series:
    """Counts as shares of their sum."""
    total = counts.sum()
    return counts / total if total else counts * NAN


def shift(now: pd.Series, before: pd.Series) -> float:
    """Share that moved between two distributions (total variation distance), in [0, 1]; NaN where one of them is empty."""
    ours, theirs = shares(now), shares(before)
    return NAN if ours.isna().all() or theirs.isna().all() else float(ours.sub(theirs, fill_value=0.0).abs().sum() / 2)


def largest_moves(now: pd.Series, before: pd.Series, count: int = 3) -> str:
    """The items whose shares moved most, in words: `open 20% -> 70%`."""
    ours, theirs = shares(now).align(shares(before), fill_value=0.0)
    order = sorted(ours.index, key=lambda item: (-abs(ours[item] - theirs[item]), item))[:count]
    return ", ".join(f"{item} {theirs[item]:.0%} -> {ours[item]:.0%}" for item in order)


def same_periods(now: pd.DataFrame, before: pd.DataFrame, cycle_start: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both histories over the periods that the last good run had, from the first period of this run up to this run's cycle: a history may
    start later (old periods leave an extract) and an earlier cycle may be planned again, but a period lost in between or at the end counts.
    """
    if now.empty or before.empty:
        return now.iloc[:0], before.iloc[:0]
    kept = before[(before.index >= now.index[0]) & (before.index < cycle_start)]
    return now[now.index.isin(kept.index)], kept


def recent(cells: pd.DataFrame, periods: int) -> pd.Series:
    """Sums over the newest periods by item."""
    return cells.tail(periods).sum()
