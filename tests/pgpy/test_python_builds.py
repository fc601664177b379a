"""Materialisations, transactions, retry and threads of Python models, through dbt itself."""

from __future__ import annotations

import pytest
from small_project import SCHEMA, SmallProject, messages

GIVEN = "select n, 'name ' || n as name, n * 1.5::float8 as amount from generate_series(1, {rows}) as n"
EXPLAINED = """
    def model(dbt, session):
        dbt.config(materialized="table")
        table = dbt.ref("given").to_arrow_table()
        return table.append_column("twice", [[2 * value for value in table["n"].to_pylist()]])
"""


def count(project: SmallProject, table: str) -> int:
    return project.rows(f"select count(*) from {SCHEMA}.{table}")[0][0]


def test_table_over_a_view_and_over_itself(project: SmallProject) -> None:
    project.write({"models/given.sql": GIVEN.format(rows=5), "models/doubled.py": EXPLAINED})
    first = project.built("run")
    assert first["doubled"].adapter_response["rows_affected"] == 5
    assert project.rows(f"select sum(twice), min(name) from {SCHEMA}.doubled") == [(30, "name 1")]
    project.write({"models/given.sql": GIVEN.format(rows=7)})
    project.built("run")
    assert count(project, "doubled") == 7
    assert project.rows(f"select tablename::text from pg_tables where schemaname = '{SCHEMA}'") == [("doubled",)]


def test_a_failing_model_leaves_the_old_table_and_retry_goes_on_there(project: SmallProject) -> None:
    downstream = "select count(*) as rows from {{ ref('doubled') }}"
    project.write({"models/given.sql": GIVEN.format(rows=3), "models/doubled.py": EXPLAINED, "models/after.sql": downstream})
    project.built("run")
    before = project.rows(f"select * from {SCHEMA}.doubled order by n")
    broken = EXPLAINED.replace("return", "raise ValueError('no such channel: fax')\n        return")
    project.write({"models/given.sql": GIVEN.format(rows=9), "models/doubled.py": broken})
    failed = project.dbt("run")
    assert not failed.success
    assert "Python model doubled failed: ValueError: no such channel: fax" in messages(failed)
    assert "raise ValueError('no such channel: fax')" in messages(failed), "the traceback shows the model's line"
    assert "exec(" not in messages(failed), "and nothing of the adapter's own"
    assert project.rows(f"select * from {SCHEMA}.doubled order by n") == before
    project.write({"models/doubled.py": EXPLAINED})
    again = project.built("retry")
    assert set(again) == {"doubled", "after"}, "what had succeeded is not run again"
    assert count(project, "doubled") == 9


def test_a_stream_that_fails_half_way_leaves_the_old_table(project: SmallProject) -> None:
    streaming = """
        def model(dbt, session):
            import pyarrow as pa

            def batches():
                for part in range(50):
                    if part == {fails}:
                        raise RuntimeError("the tape tore")
                    yield pa.record_batch({{"part": [part] * 20_000}})

            return pa.RecordBatchReader.from_batches(pa.schema([("part", pa.int64())]), batches())
    """
    project.write({"models/streamed.py": streaming.format(fails=-1)})
    project.built("run", "--select", "streamed")
    assert count(project, "streamed") == 1_000_000
    project.write({"models/streamed.py": streaming.format(fails=40)})
    failed = project.dbt("run", "--select", "streamed")
    assert "Python model streamed failed: RuntimeError: the tape tore" in messages(failed)
    assert count(project, "streamed") == 1_000_000
    project.remove("models/streamed.py")


STRATEGIES = ("append", "delete+insert", "merge")
GROWN = """
    def model(dbt, session):
        dbt.config(materialized="incremental", incremental_strategy="{strategy}", unique_key="n", on_schema_change="append_new_columns")
        import pyarrow as pa

        if dbt.is_incremental:
            return pa.table({{"n": [2, 3], "name": ["new", "new"], "score": [0.5, None]}})
        return pa.table({{"n": [1, 2], "name": ["old", "old"]}})
"""


def grown(strategy: str) -> str:
    return "grown_" + strategy.replace("+", "_")


@pytest.fixture(scope="module")
def after_each_run(project: SmallProject) -> list[dict[str, list[tuple[object, ...]]]]:
    """The rows of one incremental model for each strategy after a first run, a second and a full refresh."""
    project.write({f"models/{grown(strategy)}.py": GROWN.format(strategy=strategy) for strategy in STRATEGIES})
    found = []
    for flags in ((), (), ("--full-refresh",)):
        project.built("run", "--select", "grown_*", *flags)
        found.append({strategy: project.rows(f"select * from {SCHEMA}.{grown(strategy)} order by n, name desc") for strategy in STRATEGIES})
    return found


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_incremental(after_each_run: list[dict[str, list[tuple[object, ...]]]], strategy: str) -> None:
    first, second, refreshed = (rows[strategy] for rows in after_each_run)
    assert first == refreshed == [(1, "old"), (2, "old")]
    kept = [(2, "old", None)] if strategy == "append" else []
    assert second == [(1, "old", None), *kept, (2, "new", 0.5), (3, "new", None)], "the new column came with the second run"


def test_no_rows_keep_their_types(project: SmallProject) -> None:
    text = """
        def model(dbt, session):
            return dbt.ref("given").filter("n < 0").to_arrow_table()
    """
    project.write({"models/given.sql": GIVEN.format(rows=3), "models/none.py": text})
    project.built("run", "--select", "given", "none")
    assert count(project, "none") == 0
    assert project.types("none") == {"n": "integer", "name": "text", "amount": "double precision"}


def test_hooks_indexes_and_grants_are_those_of_a_sql_model(project: SmallProject) -> None:
    project.rows("create role reads_tables; select 1")
    settings = """
        models:
          - name: hooked
            config:
              indexes: [{columns: [n], unique: true}]
              grants: {select: [reads_tables]}
              pre_hook: [{sql: "create table if not exists made.hooks (n int)", transaction: false}, "insert into made.hooks values (1)"]
              post_hook: "insert into made.hooks select n from {{ this }}"
    """
    text = "def model(dbt, session):\n    import pyarrow as pa\n\n    return pa.table({'n': [10, 20]})\n"
    project.write({"models/hooked.yml": settings, "models/hooked.py": text})
    project.built("run", "--select", "hooked")
    assert project.rows(f"select n from {SCHEMA}.hooks order by n") == [(1,), (10,), (20,)]
    assert project.rows(f"select count(*) from pg_indexes where schemaname = '{SCHEMA}' and tablename = 'hooked'") == [(1,)]
    assert project.rows(f"select has_table_privilege('reads_tables', '{SCHEMA}.hooked', 'select')") == [(True,)]


def test_many_models_at_once_keep_their_rows_apart(project: SmallProject) -> None:
    names = [f"side_by_side_{position}" for position in range(8)]
    for position, name in enumerate(names):
        text = f"""
            def model(dbt, session):
                import time
                import pyarrow as pa

                given = dbt.ref("given_to_all")
                batches = list(given.filter("n % 8 = {position}").to_arrow_reader(100))
                time.sleep(0.2)
                other = given.select("n").order("n desc").limit(1).to_arrow_table()
                assert other["n"].to_pylist() == [20_000], other
                return pa.Table.from_batches(batches)
        """
        project.write({f"models/{name}.py": text})
    project.write({"models/given_to_all.sql": "{{ config(materialized='table') }}\n" + GIVEN.format(rows=20_000)})
    built = project.built("run", "--select", "given_to_all+")
    for position, name in enumerate(names):
        found = project.rows(f"select count(*), min(n % 8), max(n % 8) from {SCHEMA}.{name}")
        assert found == [(2500, position, position)]
    spans = [built[name].timing[1] for name in names]
    assert any(a.started_at < b.started_at < a.completed_at for a in spans for b in spans if a is not b), "they did run side by side"
    assert len({built[name].thread_id for name in names}) == 4
