"""From a file to a typed table `raw.<table>` of the scratch database, with the cells that could not be read counted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from nba.errors import tells_full_disk
from nba.load.cells import NESTED, CellRule, Wrong, guessed_type_sql, started_by, typed_rule
from nba.load.csv_file import name_problems, read_csv_text
from nba.load.folder import TableFile
from nba.load.problems import Problem, example
from nba.project import Table
from nba.warehouse import one_file, quoted

if TYPE_CHECKING:
    import duckdb

SCRATCH_SCHEMA = "raw"
GUESSED_TABLE = "hcp_master"  # its unknown columns are candidate features, so numbers among them should be numbers


@dataclass(frozen=True)
class Source:
    """A file as it lies in the scratch database: columns c0, c1, ... of `relation`, their names and the engine's types.

    `first_row` is the row number of the first data row as people count (2 below a CSV header); `rejected_lines` were left out before.
    """

    relation: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    first_row: int
    rejected_lines: tuple[int, ...] = ()

    def row_number(self, position: int) -> int:
        """The row number that people see for the row at 0-based `position`."""
        row = position + self.first_row
        for line in self.rejected_lines:
            if line > row:
                break
            row += 1
        return row


@dataclass(frozen=True)
class ColumnRead:
    """How one column of the file becomes one of the table. `cell` is the text of a cell for examples."""

    name: str
    cell: str
    rule: CellRule


def read_table(con: duckdb.DuckDBPyConnection, file: TableFile, table: Table, today: date) -> tuple[int | None, list[Problem]]:
    """Create `raw.<table>` from the file: declared columns in the contract's order and type, then the others as given.

    Returns the number of rows (None when the file could not be read at all) and the problems. Wrong cells are null in the table.
    """
    source, problems = _read_source(con, file, table)
    if source is None:
        return None, problems
    columns = _column_reads(con, source, table, file.is_csv)
    if table.kind == "input":
        columns = [_with_clock(column, today) if column.name == "period_start" else column for column in columns]
    select = ", ".join(f"{column.rule.value} as {quoted(column.name)}" for column in columns)
    con.execute(f"create schema if not exists {SCRATCH_SCHEMA}")
    con.execute(f"create or replace table {SCRATCH_SCHEMA}.{quoted(table.name)} as select {select} from {source.relation}")
    problems += _wrong_cells(con, source, table, columns)
    rows = con.sql(f"select count(*) from {source.relation}").fetchall()[0][0]
    con.execute(f"drop table {source.relation}")
    return rows, problems


def _read_source(con: duckdb.DuckDBPyConnection, file: TableFile, table: Table) -> tuple[Source | None, list[Problem]]:
    known = frozenset(column.name for column in table.columns)
    if not file.is_csv:
        return _read_parquet(con, file, table)
    text, problems = read_csv_text(con, file.path, table.name, known)
    if text is None:
        return None, problems
    return Source(text.relation, text.columns, ("VARCHAR",) * len(text.columns), 2, text.rejected_lines), problems


def _read_parquet(con: duckdb.DuckDBPyConnection, file: TableFile, table: Table) -> tuple[Source | None, list[Problem]]:
    import duckdb
    import pyarrow
    import pyarrow.parquet

    relation = f"text.{quoted(table.name)}"
    con.execute("create schema if not exists text")
    try:
        names = tuple(name.strip().lower() for name in pyarrow.parquet.read_schema(file.path).names)
        problems = name_problems(names, table.name)
        if not names:
            what = f"cannot be read: {file.path.name} has no columns"
            return None, [Problem(table.name, "", None, "", what, "write it again with its columns")]
        if problems:
            return None, problems
        aliases = ", ".join(f"c{position}" for position in range(len(names)))
        con.execute(f"create or replace table {relation} as select * from read_parquet(?) as given({aliases})", [one_file(file.path)])
    except (duckdb.Error, pyarrow.ArrowException, OSError) as error:
        if tells_full_disk(error):
            # of the copy that is being made: the file is not to blame
            raise
        # the libraries below name their own kinds of errors, which help nobody
        reason = re.sub(r"\b\w+(Exception|Error|Error code \d+): ", "", str(error).split("\n")[0]).rstrip(".")
        return None, [
            Problem(table.name, "", None, "", f"cannot be read: {file.path.name} is no readable Parquet file: {reason}", "write it again")
        ]
    types = tuple(row[1] for row in con.sql(f"describe {relation}").fetchall())
    return Source(relation, names, types, 1), problems


def _column_reads(con: duckdb.DuckDBPyConnection, source: Source, table: Table, is_csv: bool) -> list[ColumnRead]:
    place = {name: position for position, name in enumerate(source.columns)}
    counts = con.sql(f"select {', '.join(f'count(c{position})' for position in place.values())} from {source.relation}").fetchall()[0]
    reads = []
    for column in table.columns:
        if column.name not in place:
            continue
        position = place[column.name]
        if counts[position] == 0:
            rule = CellRule(f"cast(null as {column.data_type})")
        else:
            rule = typed_rule(f"c{position}", source.types[position], column.data_type)
        reads.append(ColumnRead(column.name, f"c{position}", rule))
    others = [name for name in source.columns if table.column(name) is None]
    guessed = dict.fromkeys(others, "text")
    if is_csv and others and table.name == GUESSED_TABLE:
        guesses = ", ".join(guessed_type_sql(f"c{place[name]}") for name in others)
        guessed = dict(zip(others, con.sql(f"select {guesses} from {source.relation}").fetchall()[0], strict=True))
    return reads + [
        ColumnRead(name, f"c{place[name]}", _other_rule(f"c{place[name]}", source.types[place[name]], guessed[name])) for name in others
    ]


def _other_rule(cell: str, given: str, guessed: str) -> CellRule:
    """A column that the contract does not name is kept: text by its guessed type, typed ones as they are, nested ones as text."""
    if given == "VARCHAR":
        value = f"nullif({cell}, '')"
        return CellRule(value if guessed == "text" else f"cast(nullif(trim({cell}), '') as {guessed})")
    if given.startswith(("DECIMAL", "HUGEINT", "UHUGEINT")) and not NESTED.search(given):
        return CellRule(f"cast({cell} as double)")
    is_plain = given.split("(")[0] in {"BOOLEAN", "DOUBLE", "FLOAT", "DATE", "TIMESTAMP"} or given.endswith(("INT", "INTEGER"))
    return CellRule(cell if is_plain else f"cast({cell} as varchar)")


def _with_clock(column: ColumnRead, today: date) -> ColumnRead:
    late = started_by(f"try_cast({column.rule.value} as date)", today)
    return ColumnRead(column.name, column.cell, CellRule(column.rule.value, (*column.rule.wrong, late)))


def _wrong_cells(con: duckdb.DuckDBPyConnection, source: Source, table: Table, columns: list[ColumnRead]) -> list[Problem]:
    """Count every kind of wrong cell and take its first three examples, in one pass."""
    kinds: list[tuple[ColumnRead, Wrong]] = [(column, wrong) for column in columns for wrong in column.rule.wrong]
    if not kinds:
        return []
    counts = con.sql(
        f"select {', '.join(f'count(*) filter (where {wrong.condition})' for _, wrong in kinds)} from {source.relation}"
    ).fetchall()[0]
    problems = []
    for (column, wrong), count in zip(kinds, counts, strict=True):
        if count:
            rows = con.sql(
                f"select rowid, cast({column.cell} as varchar) from {source.relation} where {wrong.condition} order by rowid limit 3"
            ).fetchall()
            examples = "; ".join(example(text, source.row_number(position)) for position, text in rows)
            problems.append(Problem(table.name, column.name, count, examples, wrong.problem, wrong.what_to_do, wrong.is_cell_lost))
    return problems
