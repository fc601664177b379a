"""The numbers of one run: (table, subject, item, period, measure) -> amount, read with the words of the suites."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

KEY = ("table_name", "subject", "item", "period_start", "measure")


@dataclass(frozen=True)
class Profile:
    """`rows`: a frame of KEY and `amount`. Subject is the column of the table, item its value; both are empty for the whole table."""

    rows: pd.DataFrame

    @classmethod
    def of_arrow(cls, table: Any) -> Profile:
        """From the columns of an Arrow table that a profile has."""
        frame = table.select([*KEY, "amount"]).to_pandas()
        frame["period_start"] = frame["period_start"].map(lambda day: day.date() if hasattr(day, "date") else day)
        return cls(frame)

    @property
    def is_empty(self) -> bool:
        return self.rows.empty

    def amount(self, table: str, measure: str, subject: str = "", item: str = "") -> float:
        """One number of a table; NaN where there is none."""
        found = self._of(table, measure, subject)
        found = found[found["item"] == item]
        return float(found["amount"].sum()) if len(found) else float("nan")

    def items(self, table: str, measure: str, subject: str) -> pd.Series:
        """Item -> number, summed over periods."""
        return self._of(table, measure, subject).groupby("item")["amount"].sum()

    def cells(self, table: str, measure: str, subject: str) -> pd.DataFrame:
        """Period x item of a history."""
        found = self._of(table, measure, subject)
        return found.pivot_table(index="period_start", columns="item", values="amount", aggfunc="sum").fillna(0.0).sort_index()

    def _of(self, table: str, measure: str, subject: str) -> pd.DataFrame:
        rows = self.rows
        return rows[(rows["table_name"] == table) & (rows["measure"] == measure) & (rows["subject"] == subject)]


@dataclass(frozen=True)
class Sides:
    """This run beside the last good one (`before` is empty on a first run).

    min_hcps: HCPs that both need to be compared; now_hcps, before_hcps: HCPs of both; same_hcps: share of the HCPs then that are here
    now, NaN where nobody knows; recent_periods: periods before a cycle that stand for how things are; cycle_start: of this run.
    """

    now: Profile
    before: Profile
    min_hcps: int
    now_hcps: float
    before_hcps: float
    same_hcps: float
    recent_periods: int
    cycle_start: date

    @property
    def is_another_population(self) -> bool:
        """Less than a tenth of the HCPs then are here: another world in the same warehouse, of which the last run says nothing."""
        return self.same_hcps < 0.1

    @property
    def can_compare(self) -> bool:
        """Whether losses against the last good run mean anything."""
        return self.before_hcps >= self.min_hcps and not self.is_another_population

    @property
    def can_compare_shares(self) -> bool:
        """Whether shares and levels do: both sides need HCPs enough."""
        return self.can_compare and self.now_hcps >= self.min_hcps
