"""Bytes made for COPY: whatever the slices, offsets, nulls and lengths of the Arrow arrays, PostgreSQL reads the same rows."""

from __future__ import annotations

import numpy as np
import psycopg2
import pyarrow as pa
import pytest
from postgres_server import PostgresServer


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> PostgresServer:
    postgres.create_database("copying")
    return postgres


def sent_and_read(server: PostgresServer, batches: list[pa.RecordBatch]) -> pa.Table:
    """The rows after COPY into an empty table, as ADBC reads them, in the order of the first column."""
    from dbt.adapters.pgpy.column_types import postgres_columns
    from dbt.adapters.pgpy.connections import PgpyCredentials, ReadConnections
    from dbt.adapters.pgpy.copying import CopySource, binary_of_batches
    from dbt.adapters.pgpy.reading import Relation

    typed = ", ".join(f"{name} {kind}" for name, kind in postgres_columns(batches[0].schema).items())
    connection = psycopg2.connect(host=server.host, port=server.port, user=server.user, dbname="copying")
    with connection, connection.cursor() as cursor:
        cursor.execute(f"drop table if exists sent; create table sent ({typed})")
        cursor.copy_expert("copy sent from stdin (format binary)", CopySource(binary_of_batches(batches)), size=1 << 16)
    connection.close()
    reads = ReadConnections(
        PgpyCredentials(host=server.host, port=server.port, user=server.user, password="", database="copying", schema="public")
    )
    try:
        return Relation("sent", reads).order("#1").to_arrow_table()
    finally:
        reads.close()


def drawn(seed: int, rows: int, share_of_nulls: float) -> pa.Table:
    draw = np.random.default_rng(seed)

    def some(values: object, kind: pa.DataType) -> pa.Array:
        return pa.array(values, kind, mask=draw.random(rows) < share_of_nulls)

    texts = np.array(["", "a", "ß", "漢字", "🩺" * 7, "x" * 40], dtype=object)
    return pa.table(
        {
            "place": pa.array(range(rows), pa.int64()),
            "flag": some(draw.random(rows) < 0.5, pa.bool_()),
            "small": some(draw.integers(-(2**15), 2**15, rows), pa.int16()),
            "whole": some(draw.integers(-(2**31), 2**31, rows), pa.int32()),
            "real": some(draw.normal(size=rows).astype("float32"), pa.float32()),
            "text": some(texts[draw.integers(0, len(texts), rows)], pa.string()),
            "double": some(draw.normal(size=rows) * 10.0 ** draw.integers(-300, 300, rows), pa.float64()),
            "blob": some([draw.bytes(size) for size in draw.integers(0, 9, rows)], pa.binary()),
            "day": some(draw.integers(-2_440_588, 5_000_000, rows).astype("int32"), pa.int32()).cast(pa.date32()),
            "moment": some(draw.integers(-(10**17), 10**17, rows), pa.int64()).cast(pa.timestamp("us")),
            "hour": some(draw.integers(0, 86_400_000_000, rows), pa.int64()).cast(pa.time64("us")),
        }
    )


@pytest.mark.parametrize(("rows", "share_of_nulls"), [(1, 0.0), (1, 1.0), (17, 0.3), (5_000, 0.0), (12_345, 0.1), (6_000, 1.0)])
def test_drawn_rows_come_back_whatever_their_offset(database: PostgresServer, rows: int, share_of_nulls: float) -> None:
    table = drawn(rows, rows + 20, share_of_nulls)
    batches = [*table.slice(13, rows // 2).to_batches(), *table.slice(13 + rows // 2, rows - rows // 2).to_batches()]
    assert sent_and_read(database, batches).equals(table.slice(13, rows))


def test_a_few_long_texts_among_many_short_ones(database: PostgresServer) -> None:
    texts = [f"{n}" * (1 + (n % 3000 == 7) * 400_000) for n in range(9_000)]
    table = pa.table({"place": list(range(9_000)), "text": texts})
    assert sent_and_read(database, table.to_batches()).equals(table)


def test_no_rows(database: PostgresServer) -> None:
    table = drawn(0, 0, 0.0)
    assert sent_and_read(database, [pa.RecordBatch.from_pylist([], schema=table.schema)]).equals(table)


def test_values_of_null_slots_are_not_sent(database: PostgresServer) -> None:
    """Arrow allows bytes behind a null; only the mask says that they do not count."""
    offsets, data = pa.py_buffer(np.array([0, 3, 6], np.int32).tobytes()), pa.py_buffer(b"onetwo")
    text = pa.StringArray.from_buffers(2, offsets, data, pa.py_buffer(b"\x02"), 1)
    batch = pa.record_batch([pa.array([1, 2]), text], names=["place", "text"])
    assert sent_and_read(database, [batch])["text"].to_pylist() == [None, "two"]


def test_memory_holds_a_slice_and_not_the_table() -> None:
    from dbt.adapters.pgpy.copying import binary_of_batches

    taken: list[int] = []

    def batches() -> object:
        for part in range(20):
            taken.append(part)
            yield pa.record_batch({"n": pa.array(range(5_000))})

    chunks = binary_of_batches(batches())
    next(chunks), next(chunks)
    assert taken == [0]
