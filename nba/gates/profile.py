"""The numbers of one run: (table, subject, item, period, measure) -> amount, read with the words of the suites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Profile:
    """`numbers`: (table, measure, subject) -> (item, period, amount). Subject is the column of the table, item its value; both are empty
    for the whole table."""

    numbers: Mapping[tuple[str, str, str], Sequence[tuple[str, date | None, float]]]

    @classmethod
    def of_arrow(cls, table: Any) -> Profile:
        """From an Arrow table with the columns that a profile has."""
        found: dict[tuple[str, str, str], list[tuple[str, date | None, float]]] = {}
        columns = (table.column(name).to_pylist() for name in ("table_name", "measure", "subject", "item", "period_start", "amount"))
        for name, measure, subject, item, period, amount in zip(*columns, strict=True):
            day = period.date() if isinstance(period, datetime) else period
            found.setdefault((name, measure, subject), []).append((item, day, amount))
        return cls(found)

    def amount(self, table: str, measure: str, subject: str = "", item: str = "") -> float:
        """One number of a table; NaN where there is none."""
        found = [amount for one, _, amount in self.numbers.get((table, measure, subject), ()) if one == item]
        return float(sum(found)) if found else float("nan")

    def items(self, table: str, measure: str, subject: str) -> pd.Series:
        """Item -> number, summed over periods."""
        import pandas as pd

        sums: dict[str, float] = {}
        for item, _, amount in self.numbers.get((table, measure, subject), ()):
            sums[item] = sums.get(item, 0.0) + amount
        return pd.Series(sums, dtype="float64").sort_index()

    def cells(self, table: str, measure: str, subject: str) -> pd.DataFrame:
        """Period x item of a history."""
        import pandas as pd

        sums: dict[str, dict[date | None, float]] = {}
        for item, period, amount in self.numbers.get((table, measure, subject), ()):
            column = sums.setdefault(item, {})
            column[period] = column.get(period, 0.0) + amount
        return pd.DataFrame(sums, dtype="float64").fillna(0.0).sort_index()


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
