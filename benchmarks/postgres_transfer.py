"""CPU seconds to move a table to PostgreSQL and back: the adapter's COPY and ADBC beside pandas' own `to_sql` and `read_sql`.

python benchmarks/postgres_transfer.py [rows] [rows for pandas]: 1,000,000 and 20,000 unless told. Starts a server of its own.
Client is this process, server the PostgreSQL process of the connection; both on this machine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
TICKS = 100  # /proc counts CPU time in hundredths of a second


def made_table(rows: int) -> pa.Table:
    """40 columns: 20 doubles, 8 bigints, 6 texts, 3 dates, 2 timestamps, 1 boolean; 5% nulls in all but the last three."""
    draw = np.random.default_rng(1)
    words = np.array([f"HCP-{number:06d}" for number in range(10_000)])

    def column(values: np.ndarray) -> pa.Array:
        return pa.array(values, mask=draw.random(rows) < 0.05)

    columns = {f"amount_{k}": column(draw.normal(size=rows)) for k in range(20)}
    columns |= {f"count_{k}": column(draw.integers(0, 1_000_000, rows)) for k in range(8)}
    columns |= {f"name_{k}": column(words[draw.integers(0, len(words), rows)]) for k in range(6)}
    columns |= {f"day_{k}": column(draw.integers(0, 20_000, rows).astype("datetime64[D]")) for k in range(3)}
    columns |= {f"at_{k}": pa.array(draw.integers(0, int(1.7e15), rows).astype("datetime64[us]")) for k in range(2)}
    return pa.table({**columns, "is_planned": draw.random(rows) < 0.5})


def server_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measured(name: str, rows: int, process: int, run: Callable[[], Any]) -> None:
    wall, client, server = time.perf_counter(), time.process_time(), server_seconds(process)
    run()
    spent = time.process_time() - client, server_seconds(process) - server
    per_million = sum(spent) * 1e6 / rows
    print(
        f"{name:28s} rows {rows:9,d}  client {spent[0]:6.2f}  server {spent[1]:6.2f}  per million rows {per_million:7.1f} CPU s"
        f"  (wall {time.perf_counter() - wall:.1f} s)",
        flush=True,
    )


def adapter(server: Any, rows: int) -> None:
    import psycopg2
    from dbt.adapters.pgpy.column_types import postgres_columns
    from dbt.adapters.pgpy.connections import PgpyCredentials, ReadConnections
    from dbt.adapters.pgpy.copying import CopySource, binary_of_batches
    from dbt.adapters.pgpy.reading import Relation

    table = made_table(rows)
    typed = ", ".join(f"{name} {kind}" for name, kind in postgres_columns(table.schema).items())
    connection = psycopg2.connect(host=server.host, port=server.port, user=server.user, dbname="transfer")
    cursor = connection.cursor()
    cursor.execute(f"create table moved ({typed})")
    statement = "copy moved from stdin (format binary)"
    process = connection.get_backend_pid()
    source = CopySource(binary_of_batches(table.to_batches()))
    measured("write: COPY, binary", rows, process, lambda: cursor.copy_expert(statement, source, size=1 << 20))
    connection.commit()
    reads = ReadConnections(
        PgpyCredentials(host=server.host, port=server.port, user=server.user, password="", database="transfer", schema="public")
    )
    with reads.cursor() as reading:
        reading.execute("select pg_backend_pid()")
        process = reading.fetchone()[0]
    read: list[pa.Table] = []
    measured("read: ADBC", rows, process, lambda: read.append(Relation("moved", reads).to_arrow_table()))
    assert read[0].equals(table.cast(read[0].schema)), "what came back is what was sent"
    reads.close()
    connection.close()


def pandas_alone(server: Any, rows: int) -> None:
    import pandas as pd
    import psycopg2
    import sqlalchemy

    frame = made_table(rows).to_pandas()
    opened = psycopg2.connect(host=server.host, port=server.port, user=server.user, dbname="transfer")
    engine = sqlalchemy.create_engine("postgresql+psycopg2://", creator=lambda: opened, poolclass=sqlalchemy.pool.StaticPool)
    process = opened.get_backend_pid()
    measured("write: pandas to_sql", rows, process, lambda: frame.to_sql("by_pandas", engine, index=False))
    measured("read: pandas read_sql", rows, process, lambda: pd.read_sql("select * from by_pandas", engine))
    engine.dispose()


def main() -> None:
    from postgres_server import running_server

    rows, few = (int(text) for text in (sys.argv[1:] + ["1000000", "20000"][len(sys.argv) - 1 :]))
    with running_server() as server:
        server.create_database("transfer")
        adapter(server, rows)
        pandas_alone(server, few)


if __name__ == "__main__":
    main()
