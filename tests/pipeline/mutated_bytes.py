"""How a table becomes the bytes of a file, right or wrong."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from mutated_folders import Given

BYTE_CHANGES = (
    "empty_file",
    "semicolons",
    "tabs",
    "bars",
    "quote_everything",
    "open_quote",
    "bom",
    "latin1",
    "utf16",
    "crlf",
    "mixed_line_ends",
    "old_mac",
    "cut_csv",
    "short_rows",
    "long_rows",
    "blank_lines",
    "comment",
    "zero_byte",
    "decimal_comma",
    "parquet",
    "parquet_cut",
    "parquet_garbage",
    "parquet_decimal",
    "parquet_dictionary",
    "parquet_nested",
    "parquet_zones",
    "parquet_float",
    "parquet_large",
    "parquet_binary",
    "parquet_no_rows",
    "parquet_time",
    "parquet_is_csv",
)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def csv_bytes(given: Given) -> bytes:
    """The table as CSV, with the change of its bytes."""
    change = given.byte_change
    out = io.StringIO()
    delimiter = {"semicolons": ";", "tabs": "\t", "bars": "|"}.get(change, ",")
    writer = csv.writer(
        out,
        delimiter=delimiter,
        lineterminator={"crlf": "\r\n", "old_mac": "\r"}.get(change, "\n"),
        quoting=csv.QUOTE_ALL if change == "quote_everything" else csv.QUOTE_MINIMAL,
    )
    if change == "comment":
        out.write("# made by hand\n")
    writer.writerow(given.names)
    for number, row in enumerate(given.rows):
        cells = [_cell(value) for value in row]
        if change == "decimal_comma":
            cells = [cell.replace(".", ",") for cell in cells]
        if change == "short_rows" and number % 7 == given.variant % 7:
            cells = cells[:-1]
        if change == "long_rows" and number % 7 == given.variant % 7:
            cells.append("x")
        writer.writerow(cells)
        if change == "blank_lines" and number % 5 == 0:
            out.write("\n")
        if change == "mixed_line_ends" and number % 2:
            out.seek(out.tell() - 1)
            out.write("\r\n")
    return _text_bytes(out.getvalue(), change, given.variant)


def _text_bytes(text: str, change: str, variant: int) -> bytes:
    # a lone surrogate is no text: none is made here
    made = text.encode("utf-8")
    if change == "empty_file":
        return (b"", b"\n", b"   ", b"\xef\xbb\xbf")[variant % 4]
    if change == "open_quote":
        place = made.find(b"\n", len(made) * (variant % 9) // 10) + 1
        return made[:place] + b'"' + made[place:]
    if change == "bom":
        return b"\xef\xbb\xbf" + made
    if change == "latin1":
        return text.replace("\n", "é\n", 2 + variant % 3).encode("latin-1", "replace")
    if change == "utf16":
        return text.encode(("utf-16", "utf-16-le", "utf-16-be")[variant % 3])
    if change == "cut_csv":
        return made[: max(1, len(made) * (1 + variant % 98) // 100)]
    if change == "zero_byte":
        place = len(made) * (variant % 10) // 10
        return made[:place] + b"\x00" + made[place:]
    return made


def parquet_bytes(given: Given) -> bytes:
    """The table as Parquet; columns take the type of their values, texts where they mix."""
    change, variant = given.byte_change, given.variant
    arrays = [_typed([row[place] for row in given.rows], change, variant + place) for place in range(len(given.names))]
    if change == "parquet_no_rows":
        arrays = [array.slice(0, 0) for array in arrays]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(given.names)), out, row_group_size=100)
    made = out.getvalue()
    if change == "parquet_cut":
        return made[: len(made) * (variant % 100) // 100]
    if change == "parquet_garbage":
        return (b"PAR1", b"PAR1" + b"\xff" * 200 + b"PAR1", b"not a parquet file", made[:4] + made[8:])[variant % 4]
    if change == "parquet_is_csv":
        return csv_bytes(given)
    return made


def _plain(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, OverflowError):
        return pa.array([None if value is None else _cell(value) for value in values], pa.string())


def _typed(values: list[Any], change: str, turn: int) -> pa.Array:
    """One column; every second one or so gets the odd type, so that some stay as they should be."""
    array = _plain(values)
    number, text, day = (
        pa.types.is_integer(array.type) or pa.types.is_floating(array.type),
        pa.types.is_string(array.type),
        pa.types.is_date(array.type),
    )
    if turn % 2 and change not in ("parquet_dictionary", "parquet_large"):
        return array
    try:
        if change == "parquet_decimal" and number:
            return pa.array([None if value is None else Decimal(str(round(value, 4))) for value in values], pa.decimal128(30, 4))
        if change == "parquet_dictionary":
            return array.dictionary_encode()
        if change == "parquet_nested":
            return pa.array([[value] for value in values]) if turn % 4 else pa.array([{"value": value} for value in values])
        if change == "parquet_zones" and day:
            return array.cast(pa.timestamp("us")).cast(pa.timestamp("us", ("UTC", "Europe/Berlin", "+05:30")[turn % 3]))
        if change == "parquet_float" and number:
            return array.cast(pa.float32(), safe=False)
        if change == "parquet_large" and text:
            return array.cast(pa.large_string())
        if change == "parquet_binary" and text:
            return array.cast(pa.binary())
        if change == "parquet_time" and day:
            return array.cast(pa.timestamp("ns"))
    except pa.ArrowException:
        return array
    return array
