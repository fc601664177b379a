"""Snowpark tables with the reading methods of a DuckDB relation, and Arrow tables as typed Snowpark tables.

The models' functions read their inputs by `to_arrow_table`, `to_arrow_reader`, `select`, `project`, `filter`, `order` and `columns`
and hand back Arrow. Names are lower case on this side and upper case on Snowflake's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

PLACE = re.compile(r"#(\d+) asc nulls first")


class SnowparkRelation:
    """A Snowpark DataFrame that reads as a DuckDB relation does. frame: the DataFrame, with column names as the account has them."""

    def __init__(self, frame: Any) -> None:
        self.frame = frame

    @property
    def columns(self) -> list[str]:
        """Column names, lower case."""
        return [_plain(name).lower() for name in self.frame.columns]

    def select(self, *names: str) -> SnowparkRelation:
        """Only these columns, by their lower-case names; ValueError naming those that are not there."""
        own = dict(zip(self.columns, self.frame.columns, strict=True))
        unknown = [name for name in names if name.lower() not in own]
        if unknown:
            raise ValueError(f"the table has no column {unknown}; it has {sorted(own)}")
        return SnowparkRelation(self.frame.select(*[own[name.lower()] for name in names]))

    def project(self, quoted: str) -> SnowparkRelation:
        """Only these columns, given as one text of double-quoted names with commas between."""
        return self.select(*[name.replace('""', '"') for name in re.findall(r'"((?:[^"]|"")*)"', quoted)])

    def filter(self, condition: str) -> SnowparkRelation:
        """The rows for which a portable SQL condition holds."""
        from snowflake.snowpark.functions import sql_expr

        return SnowparkRelation(self.frame.filter(sql_expr(condition)))

    def order(self, places: str) -> SnowparkRelation:
        """Rows by columns given as `#1 asc nulls first, #2 asc nulls first, ...`; text by its UTF-8 bytes, as without a collation."""
        found = [PLACE.fullmatch(one.strip()) for one in places.split(",")]
        if not all(found):
            raise ValueError(f"cannot order by {places!r}: only `#n asc nulls first` is known here")
        keys = [self.frame[self.frame.columns[int(one.group(1)) - 1]].asc_nulls_first() for one in found if one]
        return SnowparkRelation(self.frame.sort(*keys))

    def to_arrow_table(self) -> pa.Table:
        """All rows with the types that `arrow_schema` gives."""
        import pyarrow as pa

        schema = arrow_schema(self.frame.schema)
        given = self.frame.to_arrow()
        if given.num_columns != len(schema):  # no rows came, and so no columns
            return schema.empty_table()
        return pa.Table.from_arrays([_as(column, one.type) for column, one in zip(given.columns, schema, strict=True)], schema=schema)

    def to_arrow_reader(self, rows: int) -> pa.RecordBatchReader:
        """The rows in batches of at most so many."""
        table = self.to_arrow_table()
        return table.to_reader(max_chunksize=rows)


def _plain(name: str) -> str:
    """A column name without the quotes that Snowpark puts around odd ones."""
    return name[1:-1].replace('""', '"') if name.startswith('"') and name.endswith('"') else name


def arrow_schema(schema: Any) -> pa.Schema:
    """Arrow types of a Snowpark schema: whole numbers int64, all other numbers double, timestamps in microseconds without a zone, texts.
    TypeError naming a column of a nested or semi-structured type."""
    import pyarrow as pa
    from snowflake.snowpark import types

    def arrow(field: Any) -> pa.DataType:
        kind = field.datatype
        if isinstance(kind, types.DecimalType):
            return pa.float64() if kind.scale else pa.int64()
        for known, arrow_type in (
            (types._IntegralType, pa.int64()),
            (types._FractionalType, pa.float64()),
            (types.BooleanType, pa.bool_()),
            (types.DateType, pa.date32()),
            (types.TimestampType, pa.timestamp("us")),
            (types.StringType, pa.string()),
        ):
            if isinstance(kind, known):
                return arrow_type
        raise TypeError(f"column {_plain(field.name).lower()} has type {kind}: this project reads numbers, texts, dates and booleans only")

    return pa.schema([(_plain(field.name).lower(), arrow(field)) for field in schema.fields])


def _as(column: pa.ChunkedArray, wanted: pa.DataType) -> pa.ChunkedArray:
    """The column as that type; a zoned timestamp is told in UTC."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) and column.type.tz:
        column = column.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"), safe=False)
    return column.cast(wanted, safe=False)


def snowflake_type(kind: pa.DataType) -> str:
    """The Snowflake type that a column of an Arrow type gets. TypeError for nested types, binaries and times."""
    import pyarrow as pa

    checks = (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_integer, "number(38, 0)"),
        (pa.types.is_floating, "double"),
        (pa.types.is_date, "date"),
        (pa.types.is_timestamp, "timestamp_ntz"),
        (pa.types.is_null, "varchar"),
        (lambda one: pa.types.is_string(one) or pa.types.is_large_string(one) or pa.types.is_string_view(one), "varchar"),
    )
    for is_kind, name in checks:
        if is_kind(kind):
            return name
    if pa.types.is_decimal(kind):
        return f"number({kind.precision}, {kind.scale})"
    raise TypeError(f"no Snowflake type for Arrow type {kind}")


def as_snowpark(session: Any, table: Any, name: str) -> Any:
    """An Arrow table, record batch reader or pandas frame as a Snowpark DataFrame over the temporary table `name`, with exact types.

    name: qualified in full. What is a Snowpark DataFrame already comes back as it is.
    """
    import pyarrow as pa

    if hasattr(table, "write") and hasattr(table, "queries"):
        return table
    if isinstance(table, pa.RecordBatchReader):
        table = table.read_all()
    if not isinstance(table, pa.Table):
        table = pa.Table.from_pandas(table, preserve_index=False)
    table = _decoded(table)
    columns = [(one.name.upper(), snowflake_type(one.type)) for one in table.schema]
    listed = ", ".join(f"{_quoted(column)} {kind}" for column, kind in columns)
    session.sql(f"create or replace temporary table {name} ({listed})").collect()
    if table.num_rows:
        _write(session, table, name)
    return session.table(name)


def _decoded(table: pa.Table) -> pa.Table:
    """Dictionary-coded columns as what they code."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(field.type.value_type))
    return table


def _write(session: Any, table: pa.Table, name: str) -> None:
    """Rows into a table that is there, by way of Parquet on a stage of the session, as Snowpark writes pandas frames."""
    import pandas as pd

    frame = table.rename_columns([column.upper() for column in table.column_names]).to_pandas(types_mapper=pd.ArrowDtype)
    database, schema, identifier = [part.strip('"') for part in name.split(".")]
    session.write_pandas(
        frame, identifier.upper(), database=database.upper(), schema=schema.upper(), quote_identifiers=True, use_logical_type=True
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
