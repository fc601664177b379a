"""Folders of inputs made wrong, odd or merely unusual by a generator: one small valid world, changed by one to three mutations.

A mutation is four small facts (what, which table, where, which of several variants), drawn by hypothesis; `apply` does it. The
same numbers make the same folder, so a folder that failed is named by its mutations and can be made again.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

from mutated_bytes import BYTE_CHANGES, csv_bytes, parquet_bytes
from mutated_rows import CELL_CHANGES, COLUMN_CHANGES, ROW_CHANGES, RULE_CHANGES

from nba.simulate import simulate_world

CYCLE_START = {"week": "2026-01-05", "month": "2026-01-01"}
INPUTS = ("hcp_master", "engagement_history", "kpi_metrics", "engagement_action_catalog", "current_plan")
# what happens to whole files of a folder
FOLDER_CHANGES = ("no_file", "twice", "unknown_table", "misspelt", "file_name_case", "sub_folder", "hidden", "symlink")


@dataclass
class Given:
    """One table on its way into a file: names, rows of Python values, and how the file is written."""

    names: list[str]
    rows: list[list[Any]]
    is_parquet: bool = False
    byte_change: str = ""
    variant: int = 0
    types: dict[str, str] = field(default_factory=dict)

    def column(self, name: str) -> int | None:
        return self.names.index(name) if name in self.names else None


@dataclass
class Folder:
    """Tables by name, and files that are written as they are."""

    tables: dict[str, Given]
    extra: dict[str, bytes] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True)
        for name, given in self.tables.items():
            content = parquet_bytes(given) if given.is_parquet else csv_bytes(given)
            file = f"{self.names.get(name, name)}.{'parquet' if given.is_parquet else 'csv'}"
            if name in self.links:
                (folder.parent / f"{folder.name}_{file}").write_bytes(content)
                (folder / file).symlink_to(folder.parent / f"{folder.name}_{file}")
            else:
                (folder / file).write_bytes(content)
        for file, content in self.extra.items():
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_bytes(content)
        return folder


@dataclass(frozen=True)
class Mutation:
    """what: name of a change; table, place, variant: any whole numbers, taken modulo what there is to choose from."""

    what: str
    table: int
    place: int
    variant: int

    def apply(self, folder: Folder) -> None:
        names = [name for name in INPUTS if name in folder.tables]
        if self.what in RULE_CHANGES:
            RULE_CHANGES[self.what](folder.tables, self.place, self.variant)
        elif not names:
            return
        elif self.what in FOLDER_CHANGES:
            change_folder(folder, self.what, names[self.table % len(names)], self.variant)
        else:
            # hcp_master, history and KPI most often: they are what a plan rests on; now and then a rule table
            rules = sorted(name for name in folder.tables if name.startswith("rule_") and folder.tables[name].rows)
            choice = [*names, *names[:3], *rules[self.place % max(len(rules), 1) :][:1]]
            given = folder.tables[choice[self.table % len(choice)]]
            if self.what in BYTE_CHANGES:
                given.byte_change, given.variant = self.what, self.variant
                given.is_parquet = self.what.startswith("parquet")
            else:
                changes: dict[str, Callable[..., None]] = {**ROW_CHANGES, **COLUMN_CHANGES, **CELL_CHANGES}
                changes[self.what](given, random.Random(self.place), self.variant)


ALL_CHANGES = (*FOLDER_CHANGES, *BYTE_CHANGES, *COLUMN_CHANGES, *CELL_CHANGES, *ROW_CHANGES, *RULE_CHANGES)


def change_folder(folder: Folder, what: str, table: str, variant: int) -> None:
    given = folder.tables[table]
    if what == "no_file":
        del folder.tables[table]
    elif what == "twice":
        folder.extra[f"{table}.{'csv' if given.is_parquet else 'parquet'}"] = (
            csv_bytes(given) if given.is_parquet else parquet_bytes(Given(given.names, given.rows))
        )
    elif what == "unknown_table":
        folder.extra[("territories.csv", "a';drop table x;--.csv", "{{ x }}.parquet", "hcp_master .csv")[variant % 4]] = b"a,b\n1,2\n"
    elif what == "misspelt":
        folder.names[table] = table[:-1]
    elif what == "file_name_case":
        folder.names[table] = table.upper()
    elif what == "sub_folder":
        folder.extra[f"{table}/{table}.csv"] = b"x\n"
    elif what == "hidden":
        folder.extra[f".{table}.csv"] = b"x\n"
    elif what == "symlink":
        folder.links.append(table)


@cache
def _world(grain: str) -> dict[str, tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]]:
    world = simulate_world(hcps=36, weeks=30 if grain == "week" else 130, seed=23, grain=grain)
    found = {}
    for name, table in world.tables().items():
        columns = [column.to_pylist() for column in table.columns]
        found[name] = (tuple(table.column_names), tuple(zip(*columns, strict=True)))
    # pins of the simulator may contradict a mutated rule by chance: rules of their own test that
    found["rule_override"] = (found["rule_override"][0], ())
    return found


def valid_folder(grain: str = "week") -> Folder:
    """36 HCPs, 30 weeks or months, six channels and every rule table: a folder that loads and builds."""
    return Folder({name: Given(list(names), [list(row) for row in rows]) for name, (names, rows) in _world(grain).items()})


@dataclass(frozen=True)
class Plan:
    """How one folder is made: the grain of its world and what is changed, in order."""

    grain: str
    mutations: tuple[Mutation, ...]

    def folder(self) -> Folder:
        made = valid_folder(self.grain)
        for mutation in self.mutations:
            mutation.apply(made)
        return made

    def __str__(self) -> str:
        return f"{self.grain}: " + ", ".join(f"{m.what}({m.table},{m.place},{m.variant})" for m in self.mutations)


def drawn_plans(count: int) -> list[Plan]:
    """The first `count` plans of a repeatable row: every change leads one folder in turn, half of them with another one beside it."""
    rounds = -(-count // len(ALL_CHANGES))
    found = [_drawn(what, rounds) for what in ALL_CHANGES]
    return [led[turn] for turn in range(rounds) for led in found if turn < len(led)][:count]


def _drawn(what: str, count: int) -> list[Plan]:
    from hypothesis import HealthCheck, Phase, given, seed, settings
    from hypothesis import strategies as st

    number = st.integers(0, 9999)
    other = st.builds(Mutation, st.sampled_from(ALL_CHANGES), number, number, number)
    grain = st.sampled_from(["week", "week", "week", "month"])
    mutations = st.tuples(st.builds(Mutation, st.just(what), number, number, number), st.lists(other, max_size=2))
    led: list[Plan] = []

    # each change has a row of its own, the same every time
    @seed(crc32(what.encode()))
    @settings(max_examples=count + 1, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(mutations, grain)
    def draw(made: tuple[Mutation, list[Mutation]], grain: str) -> None:
        led.append(Plan(grain, (made[0], *made[1])))

    draw()
    # the first one is always made of zeros
    return led[1:]
