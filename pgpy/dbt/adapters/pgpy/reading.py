"""What `dbt.ref()` and `dbt.source()` give a Python model: a relation that is read, in Arrow, when it is asked for its rows.

The names are those of a DuckDB relation, so that one model runs on both engines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dbt.adapters.pgpy.column_types import COLLATED, DAY_MICROSECONDS, FIRST_DAY, ColumnTypeError, quoted, read_expression
from dbt.adapters.pgpy.connections import ReadConnections

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

BATCH_ROWS = 100_000
_BY_POSITION = re.compile(r"#(\d+)((?:\s+(?:asc|desc))?(?:\s+nulls\s+(?:first|last))?)", re.IGNORECASE)
_NAME = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^",]+?))\s*(?:,|$)')


@dataclass(frozen=True)
class Relation:
    """A table or view, with what was selected, filtered and ordered of it so far. Nothing is read before rows are asked for."""

    name: str
    connections: ReadConnections
    chosen: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    ordering: str = ""
    most: int | None = None

    def __repr__(self) -> str:
        return f"Relation({self.query('*')})"

    @property
    def columns(self) -> list[str]:
        """The names of the columns, in order."""
        return list(self._described.names)

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema in which rows arrive. Raises ColumnTypeError naming a column that cannot be read."""
        import pyarrow as pa

        return pa.schema([pa.field(field.name, read_expression(field)[1]) for field in self._described])

    def select(self, *columns: str) -> Relation:
        """Only these columns: names, plain or in double quotes, each for itself or several in one text with commas."""
        wanted = [name for text in columns for name in ([text] if text in self.columns else _names(text))]
        unknown = [name for name in wanted if name not in self.columns]
        if unknown:
            raise ColumnTypeError(f"{self.name} has no column {', '.join(map(repr, unknown))}; it has {', '.join(self.columns)}")
        return replace(self, chosen=tuple(wanted))

    project = select

    def filter(self, condition: str) -> Relation:
        """Only rows for which this SQL condition holds."""
        return replace(self, conditions=(*self.conditions, condition))

    def order(self, by: str) -> Relation:
        """Rows in this order (the text after `order by`). `#2 desc nulls last` is the second column, and a text then goes by its bytes."""
        return replace(self, ordering=by)

    def limit(self, rows: int) -> Relation:
        return replace(self, most=rows)

    def to_arrow_table(self) -> pa.Table:
        import pyarrow as pa

        reader = self.to_arrow_reader(0)
        return pa.Table.from_batches(reader, reader.schema)

    def to_arrow_reader(self, batch_size: int = BATCH_ROWS) -> pa.RecordBatchReader:
        """The rows as a stream in batches of `batch_size` (0 = as they come off the connection)."""
        import pyarrow as pa

        schema = self.schema
        batches = self._batches(schema)
        return pa.RecordBatchReader.from_batches(schema, in_batches_of(batch_size, batches) if batch_size else batches)

    fetch_record_batch = to_arrow_reader

    def df(self) -> pd.DataFrame:
        """The rows as pandas has them: integers with nulls become floats, dates objects."""
        return self.to_arrow_table().to_pandas()

    to_pandas = df

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.to_arrow_reader().__arrow_c_stream__(requested_schema)

    def query(self, columns: str) -> str:
        """The SQL that selects `columns`."""
        where = " where " + " and ".join(f"({condition})" for condition in self.conditions) if self.conditions else ""
        order = f" order by {self._order_by}" if self.ordering else ""
        limit = f" limit {int(self.most)}" if self.most is not None else ""
        return f"select {columns} from {self.name}{where}{order}{limit}"

    @cached_property
    def _described(self) -> pa.Schema:
        """Columns as the driver describes them, with PostgreSQL's type in the metadata."""
        columns = ", ".join(quoted(name) for name in self.chosen) or "*"
        with self.connections.cursor() as cursor:
            return cursor.adbc_execute_schema(f"select {columns} from {self.name}")

    @property
    def _order_by(self) -> str:
        if _BY_POSITION.sub("", self.ordering).replace(",", "").strip():
            return self.ordering

        def column(match: re.Match[str]) -> str:
            field = self._described.field(int(match[1]) - 1)
            collated = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode() in COLLATED
            return quoted(field.name) + (' collate "C"' if collated else "") + match[2]

        return _BY_POSITION.sub(column, self.ordering)

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        columns = ", ".join(read_expression(field)[0] for field in self._described)
        with self.connections.cursor() as cursor:
            cursor.execute(self.query(columns))
            for batch in cursor.fetch_record_batch():
                arrays = [_as(field, column) for field, column in zip(schema, batch.columns, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def in_batches_of(rows: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of exactly `rows`, the last one maybe shorter."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        start = 0
        while batch.num_rows - start + held >= rows:
            waiting.append(batch.slice(start, rows - held))
            start += rows - held
            yield pa.concat_batches(waiting)
            waiting, held = [], 0
        if start < batch.num_rows:
            waiting.append(batch.slice(start))
            held += batch.num_rows - start
    if waiting:
        yield pa.concat_batches(waiting)


def _names(text: str) -> Iterator[str]:
    if not text.strip() or _NAME.sub("", text):
        raise ColumnTypeError(f"select takes names of columns, not {text!r}; compute in a SQL model")
    for match in _NAME.finditer(text):
        yield match[1].replace('""', '"') if match[1] else match[2]


def _as(field: pa.Field, column: pa.Array) -> pa.Array:
    """A column as it came, as the type it was announced with."""
    import pyarrow as pa

    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_date(field.type) or pa.types.is_timestamp(field.type):
        _refuse_infinity(field.name, column)
    try:
        return column if column.type == field.type else column.cast(field.type)
    except pa.ArrowInvalid as error:
        raise ColumnTypeError(f"column {field.name!r} does not fit into {field.type}: {error}; cast it in SQL first") from None


def _refuse_infinity(name: str, column: pa.Array) -> None:
    """The driver shifts dates to 1970 without looking: infinity, or a date past Arrow's end, comes out before PostgreSQL's first day."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_date = pa.types.is_date32(column.type)
    first = pc.min(column.cast(pa.int32() if is_date else pa.int64())).as_py()
    if first is not None and first < (FIRST_DAY if is_date else FIRST_DAY * DAY_MICROSECONDS):
        raise ColumnTypeError(f"column {name!r} holds infinity or a date that Arrow cannot keep; make it null in SQL first")
