"""What a relation from `dbt.ref()` can do: the part of DuckDB's relation that models use, with the same answers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from postgres_server import PostgresServer

MADE = """
    create schema given;
    create table given.pairs (hcp_id text, channel varchar(10), "Odd ""name" integer, amount numeric(12, 3), free numeric, extra jsonb);
    insert into given.pairs values
        ('b', 'email', 1, 1.500, 1e20, '{"a": 1}'), ('B', 'call', 2, null, null, null), ('a', null, 3, -0.001, 0.1, '[]'),
        (null, 'call', 4, 0, -3, 'null'), ('ä', 'email', 5, 999999999.999, 2, '"x"'),
        ('a_b', 'call', null, 7, 7, '1'), ('ab', 'call', 7, 7, 7, '1');
    create table given.many as select n, md5(n::text) as text from generate_series(1, 250000) as n;
    create type given.mood as enum ('low', 'high');
    create table given.strange as select 1 as fine, array[1] as listed, 'low'::given.mood as mood, gen_random_uuid() as id;
"""


@pytest.fixture(scope="module")
def reads(postgres: PostgresServer) -> Iterator[Any]:
    from dbt.adapters.pgpy.connections import PgpyCredentials, ReadConnections

    postgres.create_database("reading")
    postgres.run_sql("reading", MADE + "select 1")
    connections = ReadConnections(
        PgpyCredentials(host=postgres.host, port=postgres.port, user=postgres.user, password="", database="reading", schema="given")
    )
    yield connections
    connections.close()


@pytest.fixture
def pairs(reads: Any) -> Any:
    from dbt.adapters.pgpy.reading import Relation

    return Relation('"reading"."given"."pairs"', reads)


@pytest.fixture
def many(reads: Any) -> Any:
    from dbt.adapters.pgpy.reading import Relation

    return Relation("given.many", reads)


def test_columns_and_schema_are_known_before_rows_are_read(pairs: Any) -> None:
    assert pairs.columns == ["hcp_id", "channel", 'Odd "name', "amount", "free", "extra"]
    assert pairs.schema.types == [pa.string(), pa.string(), pa.int32(), pa.decimal128(12, 3), pa.float64(), pa.string()]


def test_numbers_are_exact_where_the_column_says_how_many_digits(pairs: Any) -> None:
    table = pairs.select("hcp_id", "amount", "free", "extra").filter("hcp_id = 'b'").to_arrow_table()
    assert table.to_pylist() == [{"hcp_id": "b", "amount": Decimal("1.500"), "free": 1e20, "extra": '{"a": 1}'}]
    assert not any(field.metadata for field in table.schema)


def test_filters_add_up(pairs: Any) -> None:
    kept = pairs.filter("channel = 'call' or channel is null").filter("amount >= 0").select("hcp_id").to_arrow_table()
    assert sorted(kept["hcp_id"].to_pylist(), key=str) == [None, "a_b", "ab"]


@pytest.mark.parametrize("chosen", [("hcp_id", 'Odd "name'), ('"hcp_id"', '"Odd ""name"'), ('"hcp_id", "Odd ""name"',)])
def test_columns_are_chosen_by_name_plain_or_quoted(pairs: Any, chosen: tuple[str, ...]) -> None:
    assert pairs.project(*chosen).to_arrow_table().column_names == ["hcp_id", 'Odd "name']


def test_an_unknown_column_is_named_with_those_there_are(pairs: Any) -> None:
    with pytest.raises(Exception, match=r"has no column 'hcp'; it has hcp_id, channel"):
        pairs.select("hcp")
    with pytest.raises(Exception, match=r"select takes names of columns"):
        pairs.select("")


def test_order_by_position_sorts_text_by_its_bytes(pairs: Any) -> None:
    by_text = pairs.order("#1 asc nulls first, #2 asc nulls first").to_arrow_table()["hcp_id"].to_pylist()
    assert by_text == [None, "B", "a", "a_b", "ab", "b", "ä"]
    assert pairs.order("#3 desc nulls last").limit(2).to_arrow_table()['Odd "name'].to_pylist() == [7, 5]
    assert 'order by "hcp_id" collate "C" asc nulls first, "Odd ""name" desc' in pairs.order("#1 asc nulls first, #3 desc").query("*")


def test_order_by_an_expression_is_sql(pairs: Any) -> None:
    assert pairs.order("amount * -1 nulls last").limit(1).to_arrow_table()["hcp_id"].to_pylist() == ["ä"]


def test_a_stream_comes_in_batches_of_the_size_asked_for(many: Any) -> None:
    reader = many.order("n").to_arrow_reader(100_000)
    assert reader.schema == pa.schema([("n", pa.int32()), ("text", pa.string())])
    batches = list(reader)
    assert [batch.num_rows for batch in batches] == [100_000, 100_000, 50_000]
    assert pa.Table.from_batches(batches)["n"].to_pylist() == list(range(1, 250_001))


def test_two_streams_at_once_and_one_left_half_read(many: Any, reads: Any) -> None:
    first, second = many.to_arrow_reader(1000), many.to_arrow_reader(1000)
    for _ in range(100):
        assert first.read_next_batch().num_rows == second.read_next_batch().num_rows == 1000
    assert sum(batch.num_rows for batch in second) == 150_000
    del first
    assert many.select("n").to_arrow_table().num_rows == 250_000


def test_no_rows_have_the_schema(pairs: Any) -> None:
    assert pairs.filter("false").to_arrow_table().schema == pairs.schema
    assert pairs.filter("false").df().empty
    assert list(pairs.filter("false").to_arrow_reader(10)) == []


def test_other_libraries_read_it_as_arrow(pairs: Any) -> None:
    import duckdb

    assert pa.table(pairs).num_rows == 7
    assert list(pairs.df()["channel"].dropna().unique()) == ["email", "call"]
    assert duckdb.from_arrow(pairs.to_arrow_reader()).sum("amount").fetchall() == [(Decimal("1000000015.498"),)]


def test_columns_that_cannot_be_read_matter_only_when_read(reads: Any) -> None:
    from dbt.adapters.pgpy.reading import Relation

    strange = Relation("given.strange", reads)
    assert strange.select("fine", "id").to_arrow_table().num_rows == 1
    with pytest.raises(Exception, match=r"column 'listed' has the PostgreSQL type _int4, which is not read; cast it in SQL first"):
        strange.to_arrow_table()
    with pytest.raises(Exception, match=r"column 'mood' has the PostgreSQL type .*cast it in SQL first"):
        strange.select("mood").to_arrow_table()


def test_a_missing_relation_is_named(reads: Any) -> None:
    from dbt.adapters.pgpy.reading import Relation

    with pytest.raises(Exception, match=r'relation "given.nowhere" does not exist'):
        Relation("given.nowhere", reads).to_arrow_table()


def test_a_stream_left_open_ends_with_the_model(postgres: PostgresServer, many: Any) -> None:
    from dbt.adapters.pgpy.connections import PgpyCredentials, ReadConnections
    from dbt.adapters.pgpy.reading import Relation

    known = {"host": postgres.host, "port": postgres.port, "user": postgres.user, "password": ""}
    connections = ReadConnections(PgpyCredentials(**known, database="reading", schema="given", application_name="forgetful"))
    stream = Relation("given.many", connections).to_arrow_reader(1000)
    stream.read_next_batch()
    open_now = "select count(*) from pg_stat_activity where application_name = 'forgetful'"
    assert postgres.run_sql("reading", open_now)[0][0] >= 1
    connections.close()
    deadline = time.monotonic() + 20
    while postgres.run_sql("reading", open_now)[0][0] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert postgres.run_sql("reading", open_now) == [(0,)]
    del stream
