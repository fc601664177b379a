"""Seeds go in with COPY and end up as dbt-postgres would have put them."""

from __future__ import annotations

import pytest
from small_project import SCHEMA, SmallProject

NASTY = """id,name,score,day,flag,note
1,"comma, quote "" and
a line end",1.5,2026-01-05,true,\\N
2,,,,,
3,"null",-0.25,1969-12-31,false,"\\."
4,"  spaces  ",1e3,9999-12-31,true,🩺
5,'single',0,2026-02-28,,"back\\slash	tab"
"""
TYPED = """
    seeds:
      - name: typed
        config: {column_types: {id: text, score: "numeric(10,3)", note: "varchar(20)"}}
      - name: mixed_case
        config: {quote_columns: true}
"""


def loaded(project: SmallProject, kind: str) -> dict[str, list[tuple[object, ...]]]:
    """Rows and types of every seed as that adapter type loads them, by a first run and by one that finds them there."""
    project.configure(type=kind, schema=f"{SCHEMA}_{kind}")
    found: dict[str, list[tuple[object, ...]]] = {}
    for run, arguments in enumerate([(), ("--full-refresh",) if kind == "postgres" else ()]):
        project.built("seed", *arguments)
        for table in ("guessed", "typed", "mixed_case", "empty", "many"):
            found[f"{table} {run}"] = project.rows(f"select * from {SCHEMA}_{kind}.{table} order by 1")
        found[f"types {run}"] = project.rows(
            "select table_name::text, column_name::text, data_type::text, numeric_scale, character_maximum_length "
            f"from information_schema.columns where table_schema = '{SCHEMA}_{kind}' order by 1, ordinal_position"
        )
    return found


@pytest.fixture(scope="module")
def seeds(project: SmallProject) -> SmallProject:
    project.write({"seeds/seeds.yml": TYPED, "seeds/mixed_case.csv": "Id,Some Name\n1,a\n2,b\n", "seeds/empty.csv": "id,name\n"})
    for name, text in {"guessed": NASTY, "typed": NASTY, "many": "id,name\n" + "".join(f"{n},row {n}\n" for n in range(2_000))}.items():
        (project.folder / "seeds" / f"{name}.csv").write_text(text)
    return project


def test_seeds_are_those_of_dbt_postgres(seeds: SmallProject) -> None:
    with_copy, with_inserts = loaded(seeds, "pgpy"), loaded(seeds, "postgres")
    assert with_copy == with_inserts
    assert len(with_copy["many 1"]) == 2_000
    assert with_copy["typed 0"][1] == ("2", None, None, None, None, None)
    assert ("typed", "note", "character varying", None, 20) in with_copy["types 0"]


def test_a_seed_that_does_not_fit_leaves_the_old_rows(seeds: SmallProject) -> None:
    seeds.configure()
    seeds.built("seed", "--select", "typed")
    seeds.write({"seeds/typed.csv": NASTY.replace("1e3", "a lot")})
    failed = seeds.dbt("seed", "--select", "typed")
    assert not failed.success
    assert "a lot" in failed.result.results[0].message and "score" in failed.result.results[0].message
    assert len(seeds.rows(f"select * from {SCHEMA}.typed")) == 5


def test_seeds_are_copied(seeds: SmallProject) -> None:
    seeds.configure()
    seeds.built("seed", "--select", "many")
    written = (seeds.folder / "target" / "run" / "small" / "seeds" / "many.csv").read_text()
    assert "copy" in written and "insert" not in written
