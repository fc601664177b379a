"""What is wrong with a folder of inputs, as rows of one numbered list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nba.errors import NbaError
from nba.plain_text import one_line

MAX_EXAMPLE_CHARACTERS = 60
MAX_EXAMPLES_CHARACTERS = 500  # of several, as the gates of a build cut them


@dataclass(frozen=True)
class Problem:
    """One kind of violation: where, how many rows (None = not a matter of rows), the first examples, what is wrong and what to do.

    `is_cell_lost`: the wrong cells are null in the scratch table, so what the checks find in that column may only follow from this.
    """

    table: str
    column: str
    rows: int | None
    examples: str
    problem: str
    what_to_do: str
    is_cell_lost: bool = False

    def __post_init__(self) -> None:
        if not self.table or not self.problem or not self.what_to_do:
            raise ValueError("a problem needs a table, a text and what to do")

    def line(self) -> str:
        """The problem as one sentence row, worded as the build's own gates word it."""
        place = f"{self.table}.{self.column}" if self.column else self.table
        count = "" if self.rows is None else f" ({self.rows} {'row' if self.rows == 1 else 'rows'})"
        examples = f" Examples: {self.examples}." if self.examples else ""
        return one_line(f"{place} {self.problem}{count}.{examples} What to do: {self.what_to_do.rstrip('.')}.")


class LoadError(NbaError):
    """The folder was refused; `problems` are the rows of the printed list."""

    def __init__(self, problems: Sequence[Problem], note: str = "") -> None:
        self.problems = tuple(problems)
        count = f"{len(self.problems)} {'problem' if len(self.problems) == 1 else 'problems'}"
        lines = [f"{number}. {problem.line()}" for number, problem in enumerate(self.problems, 1)]
        super().__init__("\n".join([f"the folder was refused ({count}). Nothing was written.", *lines, *([note] if note else [])]))


def short(text: str) -> str:
    """A value as an example may show it: one line, cut when long."""
    return cut(one_line(text), MAX_EXAMPLE_CHARACTERS)


def cut(text: str, longest: int) -> str:
    """At most so many characters of it."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def example(value: str, row: int) -> str:
    """One example cell: its value and its row (in CSV files the header is row 1, as in a spreadsheet)."""
    return f"'{short(value)}' (row {row})"
