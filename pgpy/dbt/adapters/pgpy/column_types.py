"""The one table of types: which PostgreSQL type an Arrow column becomes, and as which Arrow type a PostgreSQL column is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# What PostgreSQL keeps of a name; it would cut the rest off without a word.
NAME_BYTES = 63
# Read as their text: PostgreSQL's own form of them is text, and Arrow has no type of its own.
READ_AS_TEXT = frozenset({"uuid", "json", "jsonb", "xml", "citext"})
# Read in the Arrow type that the driver gives them. Not money: it would come as a number of cents.
READ_AS_THEY_ARE = frozenset(
    {"bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar", "bpchar", "char", "name"}
    | {"date", "time", "timestamp", "timestamptz", "bytea"}
)
# Ordered by a collation, hence in another order than elsewhere unless told.
COLLATED = frozenset({"text", "varchar", "bpchar", "name"})
NUMERIC_WITHOUT_SCALE = -1
FIRST_DAY = -2_440_588  # PostgreSQL's first, 24 November 4714 BC, in days from 1970
DAY_MICROSECONDS = 86_400_000_000


class ColumnTypeError(Exception):
    """A column that cannot be carried over; the message names column and type and says what to do."""


def postgres_columns(schema: pa.Schema) -> dict[str, str]:
    """Column name -> PostgreSQL type of the table that is to hold `schema`.

    Raises ColumnTypeError for no columns at all, two of one name, names PostgreSQL would cut or refuse, and types that have no place.
    """
    if not schema.names:
        raise ColumnTypeError("the model returned a table without columns; return at least one")
    twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if twice:
        raise ColumnTypeError(f"the model returned more than one column named {', '.join(map(repr, twice))}; give each its own name")
    for name in schema.names:
        if not name or "\0" in name or len(name.encode()) > NAME_BYTES:
            raise ColumnTypeError(f"column {name!r}: a PostgreSQL name has 1 to {NAME_BYTES} bytes and no zero byte; rename it")
    return {field.name: postgres_type(field.name, field.type) for field in schema}


def postgres_type(name: str, kind: pa.DataType) -> str:
    """The PostgreSQL type of one Arrow type; `name` is the column's, for the error."""
    import pyarrow as pa

    plain = {
        pa.null(): "text",  # a column of which nothing is known
        pa.bool_(): "boolean",
        pa.int8(): "smallint",
        pa.int16(): "smallint",
        pa.int32(): "integer",
        pa.int64(): "bigint",
        pa.uint8(): "smallint",
        pa.uint16(): "integer",
        pa.uint32(): "bigint",
        pa.uint64(): "numeric(20,0)",
        pa.float16(): "real",
        pa.float32(): "real",
        pa.float64(): "double precision",
        pa.date32(): "date",
        pa.date64(): "date",
    }.get(kind)
    if plain:
        return plain
    types = pa.types
    if is_text(kind):
        return "text"
    if is_bytes(kind):
        return "bytea"
    if types.is_decimal(kind):
        return f"numeric({kind.precision + max(-kind.scale, 0)},{max(kind.scale, 0)})"
    if types.is_timestamp(kind):
        return "timestamp without time zone" if kind.tz is None else "timestamp with time zone"
    if types.is_time(kind):
        return "time without time zone"
    if types.is_dictionary(kind):
        return postgres_type(name, kind.value_type)
    nested = ": nested columns are not carried over; give each part its own column, or a text with JSON" if types.is_nested(kind) else ""
    raise ColumnTypeError(f"column {name!r} has the Arrow type {kind}, which has no PostgreSQL type here{nested or '; cast it first'}")


def is_text(kind: pa.DataType) -> bool:
    from pyarrow import types

    return types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)


def is_bytes(kind: pa.DataType) -> bool:
    from pyarrow import types

    return types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind) or types.is_fixed_size_binary(kind)


def read_expression(field: pa.Field) -> tuple[str, pa.DataType]:
    """How a column is selected and as which Arrow type it arrives, from the field the ADBC driver describes it with.

    numeric(p,s) is exact; numeric without precision may hold anything and is read as double precision.
    Raises ColumnTypeError, naming the column, for types that have no plain Arrow type.
    """
    import pyarrow as pa

    metadata = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    source = metadata.get("POSTGRESQL:type", "")
    column = quoted(field.name)
    if source == "numeric":
        modifier = int(metadata.get("POSTGRESQL:typmod", NUMERIC_WITHOUT_SCALE))
        decimal = None if modifier == NUMERIC_WITHOUT_SCALE else _decimal(field.name, modifier)
        return (column, decimal) if decimal else (f"{column}::double precision as {column}", pa.float64())
    if source in READ_AS_TEXT:
        return f"{column}::text as {column}", pa.string()
    if source in READ_AS_THEY_ARE:
        return column, field.type
    raise ColumnTypeError(f"column {field.name!r} has the PostgreSQL type {source or field.type}, which is not read; cast it in SQL first")


def _decimal(name: str, modifier: int) -> pa.DataType:
    """The Arrow type of numeric(p,s) with that type modifier: p in the upper half, s as 11 bits with a sign."""
    import pyarrow as pa

    precision, scale = ((modifier - 4) >> 16) & 0xFFFF, (modifier - 4) & 0x7FF
    scale -= 2048 if scale >= 1024 else 0
    precision, scale = max(precision, scale) - min(scale, 0), max(scale, 0)
    if precision > 76:
        raise ColumnTypeError(f"column {name!r} is numeric({precision},{scale}); Arrow keeps at most 76 digits: cast it in SQL first")
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
