"""The rooms of a DuckDB warehouse as tables of a PostgreSQL database."""

from __future__ import annotations

from pathlib import Path

from postgres_server import PostgresServer


def copy_rooms(file: Path, server: PostgresServer, database: str, rooms: tuple[str, ...]) -> None:
    """Create `database` with every table and view of these schemas of the DuckDB file, as tables."""
    import duckdb
    import psycopg2
    from dbt.adapters.pgpy.column_types import postgres_columns
    from dbt.adapters.pgpy.copying import CopySource, binary_of_batches

    server.create_database(database)
    source = duckdb.connect(str(file), read_only=True)
    copy = psycopg2.connect(host=server.host, port=server.port, user=server.user, dbname=database)
    try:
        cursor = copy.cursor()
        for room in rooms:
            cursor.execute(f"create schema {room}")
            found = source.execute("select table_name from information_schema.tables where table_schema = ?", [room]).fetchall()
            for (name,) in found:
                batches = source.sql(f"select * from {room}.{name}").to_arrow_reader()
                columns = ", ".join(f"{column} {kind}" for column, kind in postgres_columns(batches.schema).items())
                cursor.execute(f"create table {room}.{name} ({columns})")
                cursor.copy_expert(f"copy {room}.{name} from stdin (format binary)", CopySource(binary_of_batches(batches)))
        copy.commit()
    finally:
        copy.close()
        source.close()
