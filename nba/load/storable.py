"""What the files may hold and the target's engine cannot store, said before anything is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nba.load.problems import Problem, example, short
from nba.load.tables import SCRATCH_SCHEMA
from nba.warehouse import quoted

if TYPE_CHECKING:
    import duckdb

    from nba.warehouse.door import StoreLimits


def unstorable(con: duckdb.DuckDBPyConnection, limits: StoreLimits, tables: Iterable[str]) -> list[Problem]:
    """Columns and cells of these tables of the scratch database that lie beyond the engine's limits."""
    problems = []
    for table in tables:
        columns = con.sql(f"describe {SCRATCH_SCHEMA}.{quoted(table)}").fetchall()
        names, texts = [row[0] for row in columns], [row[0] for row in columns if row[1] == "VARCHAR"]
        problems += _unstorable_names(limits, table, names)
        if not limits.takes_zero_byte and texts:
            problems += _zero_bytes(con, limits, table, texts)
    return problems


def _unstorable_names(limits: StoreLimits, table: str, names: list[str]) -> list[Problem]:
    problems = []
    if limits.columns is not None and len(names) > limits.columns:
        what = f"has {len(names)} columns: {limits.engine} takes at most {limits.columns}"
        problems.append(Problem(table, "", None, "", what, "leave out columns that are not needed"))
    for name in names:
        if limits.name_bytes is not None and len(name.encode()) > limits.name_bytes:
            what = f"has a column name longer than the {limits.name_bytes} bytes that {limits.engine} keeps"
            problems.append(Problem(table, "", None, short(name), what, "shorten the name"))
        if name in limits.reserved:
            problems.append(Problem(table, name, None, "", f"bears a name that {limits.engine} keeps for itself", "rename the column"))
    return problems


def _zero_bytes(con: duckdb.DuckDBPyConnection, limits: StoreLimits, table: str, texts: list[str]) -> list[Problem]:
    relation = f"{SCRATCH_SCHEMA}.{quoted(table)}"
    conditions = [f"contains({quoted(name)}, chr(0))" for name in texts]
    counts = con.sql(f"select {', '.join(f'count(*) filter (where {found})' for found in conditions)} from {relation}").fetchall()[0]
    problems = []
    for name, condition, count in zip(texts, conditions, counts, strict=True):
        if count:
            rows = con.sql(f"select rowid, {quoted(name)} from {relation} where {condition} order by rowid limit 3").fetchall()
            examples = "; ".join(example(text.replace("\0", "\\0"), position + 1) for position, text in rows)
            what = f"holds the character 0, which {limits.engine} does not store"
            problems.append(Problem(table, name, count, examples, what, "take it out of the text"))
    return problems
