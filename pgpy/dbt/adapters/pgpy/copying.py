"""Arrow batches as the binary format that COPY reads, made while it reads: memory holds one slice, not the table.

A row is the number of its fields, then each field as its length and that many bytes; a null has the length -1 and no bytes
(PostgreSQL documentation, COPY, file formats). A slice of rows is laid out as a matrix of bytes with room for the widest value of each
column, and what no value uses is left out at the end, all columns of all rows at once. That costs the client what CSV costs and the
server less than half: it parses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from dbt.adapters.pgpy.column_types import DAY_MICROSECONDS, FIRST_DAY, ColumnTypeError, is_bytes, is_text

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

BEGIN, END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
SLICE_ROWS = 5_000
# A slice that would need more room is halved, so that one long text does not widen thousands of rows.
SLICE_BYTES = 16 << 20
# PostgreSQL counts from 1 January 2000, Arrow from 1970.
EPOCH_DAYS = 10_957


class CopySource:
    """A readable file for `copy ... from stdin` over chunks of bytes.

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


def binary_of_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """The binary format, slice by slice. Raises ColumnTypeError naming the column whose values PostgreSQL cannot keep."""
    yield BEGIN
    for batch in batches:
        for start in range(0, batch.num_rows, SLICE_ROWS):
            piece = batch.slice(start, SLICE_ROWS)
            yield from _rows([carried(name, column) for name, column in zip(piece.schema.names, piece.columns, strict=True)])
    yield END


def carried(name: str, column: pa.Array) -> pa.Array:
    """The column as one of the types that have a binary form here: boolean, int16 to int64, floats, date32, time and timestamp in
    microseconds, string, binary. Decimals and uint64 become their text. `name` is the column's, for the error."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, types = column.type, pa.types
    if types.is_dictionary(kind):
        return carried(name, column.cast(kind.value_type))
    if is_text(kind):
        text = column.cast(pa.string())
        if pc.any(pc.match_substring(text, "\0")).as_py():
            raise ColumnTypeError(f"column {name!r} holds text with a zero byte, which PostgreSQL cannot keep; remove it")
        return text
    if types.is_date(kind) or types.is_timestamp(kind) or types.is_time(kind):
        return _whole_microseconds(name, column)
    if types.is_null(kind) or types.is_decimal(kind) or types.is_uint64(kind):
        return column.cast(pa.string())
    if is_bytes(kind):
        return column.cast(pa.binary())
    wider = {pa.int8(): pa.int16(), pa.uint8(): pa.int16(), pa.uint16(): pa.int32(), pa.uint32(): pa.int64(), pa.float16(): pa.float32()}
    return column.cast(wider.get(kind, kind))


def _whole_microseconds(name: str, column: pa.Array) -> pa.Array:
    """Days, or times in microseconds, the finest that PostgreSQL keeps; a value that would lose some is refused rather than cut."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind, types = column.type, pa.types
    to = pa.date32() if types.is_date(kind) else pa.time64("us") if types.is_time(kind) else pa.timestamp("us", kind.tz)
    try:
        exact = column.cast(to)
    except pa.ArrowInvalid as error:
        raise ColumnTypeError(f"column {name!r} ({kind}) does not fit into whole microseconds: {error}; round it first") from None
    first = pc.min(exact.cast(pa.int32() if types.is_date(to) else pa.int64())).as_py()
    if first is not None and not types.is_time(kind) and first < FIRST_DAY * (1 if types.is_date(to) else DAY_MICROSECONDS):
        raise ColumnTypeError(f"column {name!r} holds a date before 4714 BC, PostgreSQL's first; make it null or a text")
    return exact


def _rows(columns: list[pa.Array]) -> Iterator[bytes]:
    """The rows of carried columns, in halves where they would need too much room."""
    import numpy as np

    rows = len(columns[0])
    widths = [_widest(column) for column in columns]
    room = 2 + sum(4 + width for width in widths)
    if rows > 1 and rows * room > SLICE_BYTES:
        for half in (slice(0, rows // 2), slice(rows // 2, rows)):
            yield from _rows([column[half] for column in columns])
        return
    written = np.zeros((rows, room), np.uint8)
    used = np.ones((rows, room), bool)
    written[:, :2] = _big_endian(np.array([len(columns)], np.int16))
    at = 2
    for column, width in zip(columns, widths, strict=True):
        here = slice(at + 4, at + 4 + width)
        lengths = _write(column, width, written[:, here], used[:, here])
        written[:, at : at + 4] = _big_endian(lengths)
        at += 4 + width
    yield written[used].data


def _widest(column: pa.Array) -> int:
    """Bytes of the longest value."""
    import pyarrow.compute as pc

    if is_text(column.type) or is_bytes(column.type):
        return pc.max(pc.binary_length(column)).as_py() or 0
    return max(column.type.bit_width // 8, 1)


def _write(column: pa.Array, width: int, written: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Put the values into `written`, mark in `used` the bytes that they fill; the length of each (int32, -1 = null)."""
    import numpy as np
    import pyarrow.compute as pc

    known = column.is_valid().to_numpy(zero_copy_only=False) if column.null_count else None
    if is_text(column.type) or is_bytes(column.type):
        filled = pc.fill_null(column, "" if is_text(column.type) else b"") if column.null_count else column
        ends = np.frombuffer(filled.buffers()[1], np.int32)[filled.offset : filled.offset + len(filled) + 1]
        lengths = np.diff(ends)
        used[:] = np.arange(width, dtype=np.int32) < lengths[:, None]
        if ends[-1] > ends[0]:
            written[used] = np.frombuffer(filled.buffers()[2], np.uint8)[ends[0] : ends[-1]]
    else:
        lengths = np.full(len(column), width, np.int32)
        written[:] = _big_endian(_numbers(column))
        if known is not None:
            used[:] = known[:, None]
    return lengths if known is None else np.where(known, lengths, -1).astype(np.int32)


def _numbers(column: pa.Array) -> np.ndarray:
    """The values as PostgreSQL counts them, anything where they are null."""
    import numpy as np
    import pyarrow as pa

    types, kind = pa.types, column.type
    if types.is_boolean(kind):
        return column.fill_null(False).to_numpy(zero_copy_only=False).astype(np.uint8)
    plain = pa.int32() if types.is_date(kind) else pa.int64() if types.is_temporal(kind) else kind
    values = column.cast(plain).fill_null(0).to_numpy()
    if types.is_date(kind):
        return (values.astype(np.int64) - EPOCH_DAYS).astype(np.int32)
    return values - EPOCH_DAYS * DAY_MICROSECONDS if types.is_timestamp(kind) else values


def _big_endian(values: np.ndarray) -> np.ndarray:
    """One row of bytes for each number."""
    import numpy as np

    return values.astype(values.dtype.newbyteorder(">")).view(np.uint8).reshape(len(values), values.dtype.itemsize)


def csv_of_rows(rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """CSV of Python values (a seed's): null unquoted and everything else quoted, so that an empty text stays one."""
    lines: list[str] = []
    for row in rows:
        lines.append(",".join("" if value is None else '"' + str(value).replace('"', '""') + '"' for value in row))
        if len(lines) == SLICE_ROWS:
            yield ("\n".join(lines) + "\n").encode()
            lines = []
    if lines:
        yield ("\n".join(lines) + "\n").encode()
