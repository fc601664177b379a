"""Arrow batches as the CSV that COPY reads, made while it reads: memory holds one slice, not the table.

Text is always quoted and a null never is, so that an empty text stays one. Everything that is not text is written by Arrow in a form that
PostgreSQL reads back to the same value (shortest exact numbers, ISO dates, UTC instants).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dbt.adapters.pgpy.column_types import ColumnTypeError

if TYPE_CHECKING:
    import pyarrow as pa

SLICE_ROWS = 10_000


class CopySource:
    """A readable file for `copy ... from stdin (format csv)` over chunks of bytes.

    `problem` is what making a chunk raised: libpq keeps only its text.
    """

    problem: Exception | None = None

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._left = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        if not self._left:
            try:
                self._left = memoryview(next(self._chunks, b""))
            except Exception as error:
                self.problem = error
                raise
        taken = self._left if size < 0 else self._left[:size]
        self._left = self._left[len(taken) :]
        return bytes(taken)


def csv_of_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """CSV without a header, slice by slice. Raises ColumnTypeError naming the column whose values PostgreSQL cannot keep."""
    import pyarrow as pa
    from pyarrow import csv

    options = csv.WriteOptions(include_header=False, quoting_style="needed")
    for batch in batches:
        for start in range(0, batch.num_rows, SLICE_ROWS):
            out = pa.BufferOutputStream()
            csv.write_csv(writable(batch.slice(start, SLICE_ROWS)), out, options)
            yield out.getvalue().to_pybytes()


def writable(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with only such columns as Arrow's CSV writer writes the way PostgreSQL reads them."""
    import pyarrow as pa

    return pa.RecordBatch.from_arrays(
        [_writable(name, column) for name, column in zip(batch.schema.names, batch.columns, strict=True)], names=batch.schema.names
    )


def _writable(name: str, column: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, types = column.type, pa.types
    if types.is_dictionary(kind):
        return _writable(name, column.cast(kind.value_type))
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        text = column.cast(pa.large_string()) if types.is_string_view(kind) else column
        if pc.any(pc.match_substring(text, "\0")).as_py():
            raise ColumnTypeError(f"column {name!r} holds text with a zero byte, which PostgreSQL cannot keep; remove it")
        return text
    if types.is_timestamp(kind) or types.is_date64(kind) or types.is_time(kind):
        return _moments(name, column)
    if types.is_date32(kind):
        return _in_this_era(name, column)
    if types.is_decimal(kind) or types.is_float16(kind):
        return column.cast(pa.string())
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind) or types.is_fixed_size_binary(kind):
        return pa.array([None if value is None else "\\x" + value.hex() for value in column.to_pylist()], pa.string())
    return column


def _moments(name: str, column: pa.Array) -> pa.Array:
    """Times in microseconds, the finest that PostgreSQL keeps; a value that would lose some is refused rather than cut."""
    import pyarrow as pa

    kind, types = column.type, pa.types
    if types.is_date64(kind):
        return _in_this_era(name, column.cast(pa.date32()))
    to = pa.time64("us") if types.is_time(kind) else pa.timestamp("us", kind.tz)
    try:
        exact = column.cast(to)
    except pa.ArrowInvalid as error:
        raise ColumnTypeError(f"column {name!r} ({kind}) does not fit into whole microseconds: {error}; round it first") from None
    if types.is_time(kind):
        return exact.cast(pa.string())
    return _in_this_era(name, exact.cast(pa.timestamp("us", "UTC")) if kind.tz else exact)


def _in_this_era(name: str, column: pa.Array) -> pa.Array:
    """The dates or instants, refused before year 1: their text would be read as another year."""
    import pyarrow as pa
    import pyarrow.compute as pc

    first = pc.min(column.cast(pa.int32() if pa.types.is_date32(column.type) else pa.int64())).as_py()
    year_one = -719_162 if pa.types.is_date32(column.type) else -719_162 * 86_400_000_000
    if first is not None and first < year_one:
        raise ColumnTypeError(f"column {name!r} holds a date before the year 1, which is not carried over; make it null or a text")
    return column


def csv_of_rows(rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """CSV of Python values (a seed's), null unquoted and everything else quoted."""
    lines: list[str] = []
    for row in rows:
        lines.append(",".join("" if value is None else '"' + str(value).replace('"', '""') + '"' for value in row))
        if len(lines) == SLICE_ROWS:
            yield ("\n".join(lines) + "\n").encode()
            lines = []
    if lines:
        yield ("\n".join(lines) + "\n").encode()
