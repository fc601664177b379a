"""One hash over every input and rule table: equal inputs give the equal text on every engine, whatever the physical order of rows.

Canonical text of a table: a line `table`, its name and its column names, then one line per row, fields separated by tabs. Columns stand
in the given order, rows are ordered by those columns from left to right (nulls first, text by its UTF-8 bytes). As the contract puts keys
first, that is the order by key with all other columns as tie-break. Dates are ISO, a timestamp is UTC and at midnight only its date,
floating-point and decimal numbers have 9 significant digits, whole numbers all of theirs, null is \\N; backslash, tab and line ends inside
text are escaped as \\\\, \\t, \\n and \\r.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 100_000
NULL_TEXT = "\\N"
# the contract's order: inputs, then rules
FINGERPRINTED = (
    "hcp_master",
    "engagement_history",
    "kpi_metrics",
    "engagement_action_catalog",
    "current_plan",
    "suggestion_feedback",
    "rule_budget",
    "rule_channel_capacity",
    "rule_rep_capacity",
    "rule_contact_limit",
    "rule_exclusion",
    "rule_consent",
    "rule_access",
    "rule_channel_window",
    "rule_min_gap",
    "rule_incompatible",
    "rule_coverage_floor",
    "rule_holdout",
    "rule_override",
    "feature_definition",
)


def input_fingerprint(tables: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of the canonical text of all tables; `tables` as for input_hashes, which says what is raised."""
    return input_hashes(tables)[0]


def input_hashes(tables: Mapping[str, Any]) -> tuple[str, dict[str, tuple[int, str]]]:
    """SHA-256 (hex) of the canonical text of all tables, and by table its rows and the SHA-256 of its own text.

    `tables` maps each name of FINGERPRINTED to a pyarrow Table or a DuckDB relation with its columns in the contract's order, then the
    others by name (as the base_ views have them). Relations are ordered by the engine and streamed in batches.
    Raises ValueError naming tables that are missing or unknown.
    """
    if set(tables) != set(FINGERPRINTED):
        raise ValueError(
            f"tables must be exactly those of the contract; missing: {sorted(set(FINGERPRINTED) - set(tables))}, "
            f"unknown: {sorted(set(tables) - set(FINGERPRINTED))}"
        )
    digest, found = hashlib.sha256(), {}
    for name in FINGERPRINTED:
        columns, batches = _ordered_batches(tables[name])
        own, rows = hashlib.sha256(), 0
        for lines in _table_lines(name, columns, batches):
            digest.update(lines[1])
            own.update(lines[1])
            rows += lines[0]
        found[name] = (rows, own.hexdigest())
    return digest.hexdigest(), found


def _table_lines(name: str, columns: list[str], batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, bytes]]:
    """(rows, canonical text) of the head of a table, then of its parts."""
    yield 0, "\t".join(("table", name, *columns)).encode() + b"\n"
    for batch in batches:
        if batch.num_rows:
            yield batch.num_rows, canonical_lines(batch)


def fingerprint_row(tables: Mapping[str, Any]) -> pa.Table:
    """The one-row table of the model `input_fingerprint`: columns `input_fingerprint`, `table_hashes` (`name=rows:hash;` each) and
    `code_version`: together they tell whether a table has to be made again."""
    import pyarrow as pa

    from nba.versions import code_version

    whole, found = input_hashes(tables)
    told = "".join(f"{name}={rows}:{own};" for name, (rows, own) in found.items())
    row = {"input_fingerprint": whole, "table_hashes": told, "code_version": code_version()}
    return pa.table({name: pa.array([text], pa.string()) for name, text in row.items()})


def _ordered_batches(table: Any) -> tuple[list[str], Iterable[pa.RecordBatch]]:
    """Lower-case column names and the rows in canonical order, batch by batch."""
    import pyarrow as pa

    if isinstance(table, pa.Table):
        names = list(table.column_names)
        # positions, as names may be any text
        plain = table.rename_columns([f"c{position}" for position in range(len(names))])
        keys = [(name, "ascending", "at_start") for name in plain.column_names]
        ordered = plain.take(_sort_indices(plain, keys)) if keys and plain.num_rows else plain
        return [name.lower() for name in names], ordered.to_batches(max_chunksize=BATCH_ROWS)
    names = list(table.columns)
    order = ", ".join(f"#{position} asc nulls first" for position in range(1, len(names) + 1))
    return [name.lower() for name in names], table.order(order).to_arrow_reader(BATCH_ROWS)


def _sort_indices(table: pa.Table, keys: list[tuple[str, str, str]]) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    known = [key for key in keys if not pa.types.is_null(table.schema.field(key[0]).type)]
    if not known:
        return pa.array(range(table.num_rows))
    return pc.sort_indices(table, sort_keys=known)


def canonical_lines(batch: pa.RecordBatch) -> bytes:
    """The rows of a batch as canonical lines, each ended by a line feed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    fields = [pc.fill_null(_as_text(column), NULL_TEXT) for column in batch.columns]
    lines = pc.binary_join_element_wise(*fields, pa.scalar("\t", pa.large_string()))
    ended = pc.binary_join_element_wise(lines, pa.scalar("\n", pa.large_string()), pa.scalar("", pa.large_string()))
    offsets, data = ended.buffers()[1], ended.buffers()[2]
    first = memoryview(offsets).cast("q")[ended.offset]
    last = memoryview(offsets).cast("q")[ended.offset + len(ended)]
    return bytes(memoryview(data)[first:last])


def _as_text(column: pa.Array) -> pa.Array:
    """One column as canonical text (large_string), nulls kept."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _as_text(column.dictionary_decode())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _escaped(column.cast(pa.large_string()))
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind) or pa.types.is_date(kind):
        return column.cast(pa.large_string())
    if pa.types.is_decimal(kind) and kind.scale == 0:
        return column.cast(pa.large_string())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _numbers_as_text(column.cast(pa.float64(), safe=False))
    if pa.types.is_timestamp(kind):
        # an unzoned timestamp is UTC by the contract; casting drops the zone and keeps the instant
        utc = column.cast(pa.timestamp("us", tz=kind.tz), safe=False).cast(pa.timestamp("us"))
        return _through_distinct(utc, lambda values: [_moment_text(value) for value in values])
    if pa.types.is_time(kind):
        return column.cast(pa.large_string())
    return _escaped(pa.array([None if value is None else str(value) for value in column.to_pylist()], pa.large_string()))


def _escaped(column: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    if not pc.any(pc.match_substring_regex(column, r"[\\\t\n\r]")).as_py():
        return column
    for raw, escaped in (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")):
        column = pc.replace_substring(column, raw, escaped)
    return column


def _through_distinct(column: pa.Array, to_text: Any) -> pa.Array:
    """Format each distinct value once: panels repeat few values many times."""
    import pyarrow as pa

    encoded = column.dictionary_encode()
    texts = pa.array(to_text(encoded.dictionary.to_pylist()), pa.large_string())
    return texts.take(encoded.indices)


def _numbers_as_text(column: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    low, high = (bound.as_py() for bound in pc.min_max(column).values())
    if low is not None and low > -1e9 and high < 1e9 and pc.all(pc.equal(pc.floor(column), column)).as_py():
        # whole numbers of at most 9 digits read alike as integers; this also turns -0 into 0
        return column.cast(pa.int64()).cast(pa.large_string())
    return _through_distinct(column, _number_texts)


def _number_texts(values: list[float]) -> list[str]:
    # one formatting call for all values is several times quicker than one each
    texts = ("%.9g\n" * len(values) % tuple(values)).split("\n")[:-1]
    return ["0" if text == "-0" else text for text in texts]


def _moment_text(value: Any) -> str:
    text = value.isoformat(sep=" ")
    return text[:10] if text[10:] == " 00:00:00" else text
