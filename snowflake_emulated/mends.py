"""Repairs of fakesnow 0.12.1, each for one thing that it answers wrongly."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def mend_name_of_base(folder: Path) -> None:
    """fakesnow's own DuckDB database is called `memory`, which makes a schema of that name ambiguous: a file gives it another name."""
    from unittest import mock

    import duckdb
    import fakesnow.instance
    import fakesnow.server

    connect = duckdb.connect
    with mock.patch(
        "fakesnow.instance.duckdb.connect", lambda database, config: connect(str(folder / "fakesnow_base.duckdb"), config=config)
    ):
        fakesnow.server.shared_fs = fakesnow.instance.FakeSnow()


def mend_null_timestamps() -> None:
    """A null timestamp came back as 1970-01-01: give the struct that carries timestamps its null mask."""
    import fakesnow.arrow as arrow
    import pyarrow as pa
    import pyarrow.compute as pc

    before = arrow.timestamp_to_sf_struct

    def with_nulls(column: Any) -> Any:
        column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if not column.null_count:
            return before(column.cast(pa.timestamp("us", column.type.tz)))
        whole = before(pc.fill_null(column.cast(pa.timestamp("us", column.type.tz)), pa.scalar(0, pa.timestamp("us", column.type.tz))))
        return pa.StructArray.from_arrays(
            [whole.field(n) for n in range(whole.type.num_fields)], fields=list(whole.type), mask=pc.is_null(column)
        )

    arrow.timestamp_to_sf_struct = with_nulls


def mend_rowtypes() -> None:
    """Integer and float types that DuckDB knows beside those that fakesnow lists."""
    import fakesnow.rowtype as rowtype

    more = {"TINYINT": "fixed", "SMALLINT": "fixed", "UINTEGER": "fixed", "USMALLINT": "fixed", "UTINYINT": "fixed", "FLOAT": "real"}
    rowtype.duckdb_to_sf_type.update(more)
