"""Columns of every make read alike: ids stay text, blanks are null, moments are UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from optimization.problem import PlanInputError
from optimization.rules.columns import READERS, Words, holds_numbers, read_number, read_text, words_of
from optimization.rules.context import ALL, UNKNOWN, codes_of


def arrow(values: list, kind: pa.DataType | None = None) -> pa.ChunkedArray:
    """The values as an Arrow column in two chunks."""
    half, whole = len(values) // 2, pa.array(values, kind)
    return pa.chunked_array([whole[:half], whole[half:]])


IDS = ["b", "b", None, "001", " ", "", "a", "b"]
SAID = ["b", "b", None, "001", None, None, "a", "b"]


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(pd.Series(IDS, dtype=object), id="pandas objects"),
        pytest.param(pd.Series(IDS, dtype="str"), id="pandas text"),
        pytest.param(pd.Series(IDS, dtype="category"), id="pandas categories"),
        pytest.param(arrow(IDS, pa.string()), id="arrow"),
        pytest.param(arrow(IDS, pa.large_string()), id="arrow, large"),
        pytest.param(arrow(IDS, pa.string()).dictionary_encode(), id="arrow, dictionary"),
    ],
)
def test_text_of_every_make(column):
    words = read_text(column, "t.c")
    assert list(words) == SAID
    assert [words[row] for row in range(8)] == SAID
    assert sorted(words.distinct.to_pylist()) == ["001", "a", "b"]
    assert words.code.dtype == np.int32
    assert list(words[np.array([6, 2, 3])]) == ["a", None, "001"]
    assert words.equal("b").tolist() == [True, True, False, False, False, False, False, True]
    assert not words.equal("none of them").any()
    ordered = words.sorted()
    assert (ordered.distinct.to_pylist(), list(ordered)) == (["001", "a", "b"], SAID)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.Series([7.0, None, 1.5]), ["7", None, "1.5"]),
        (arrow([7.0, None, 1.5]), ["7", None, "1.5"]),
        (arrow([7, None, 8], pa.int64()), ["7", None, "8"]),
        (arrow([True, None, False]), ["true", None, "false"]),
        (pd.Series(["1", 1, 1.0, None], dtype=object), ["1", "1", "1", None]),
        (arrow([None, None, None], pa.null()), [None, None, None]),
        (arrow([], pa.string()), []),
    ],
)
def test_text_of_what_is_no_text(column, expected):
    words = read_text(column, "t.c")
    assert list(words) == expected
    assert len(set(words.distinct.to_pylist())) == len(words.distinct)


@pytest.mark.parametrize("names", [["a", "b"], ["b", "c", "d"], [f"n{number:04d}" for number in range(60)] + ["a", "b"]])
def test_places_among_names(names):
    words = words_of(["b", None, "x", "a", "*"])
    place = {name: number for number, name in enumerate(names)}
    expected = [place.get("b", UNKNOWN), ALL, UNKNOWN, place.get("a", UNKNOWN), ALL]
    assert codes_of(words, pa.array(names)).tolist() == expected


def test_places_among_the_very_same_names():
    names = pa.array(["a", "b", "c"])
    assert Words(np.array([2, 0, -1], dtype=np.int32), names).places(names, -5, -7).tolist() == [2, 0, -7]


@pytest.mark.parametrize(
    ("column", "is_number"),
    [
        (arrow([1, 2], pa.int32()), True),
        (arrow([Decimal("1.50"), None]), True),
        (arrow(["1", "2"]), False),
        (pd.Series([1, None, 2.5]), True),
        (pd.Series(["1", "2"]), False),
    ],
)
def test_numbers_are_known_by_their_type(column, is_number):
    assert holds_numbers(column) == is_number


@pytest.mark.parametrize(
    "column",
    [arrow([1, None, 3], pa.int32()), arrow([1.0, None, 3.0]), arrow([Decimal("1.00"), None, Decimal("3.00")]), pd.Series([1, None, 3])],
)
def test_numbers_of_every_make(column):
    values = read_number(column, "t.c")
    assert (values.dtype, values[[0, 2]].tolist(), bool(np.isnan(values[1]))) == (np.float64, [1.0, 3.0], True)


def test_what_is_no_number_is_named():
    with pytest.raises(PlanInputError, match=r"^t\.c: 'x' is not a number$"):
        read_number(arrow(["1", "x"]), "t.c")
    with pytest.raises(PlanInputError, match=r"^t\.c: -1 must be a finite number >= 0$"):
        READERS["bound"](arrow([1.0, -1.0]), "t.c")


MOMENT = datetime(2026, 1, 5, 23, 30, tzinfo=timezone(timedelta(hours=-2)))


@pytest.mark.parametrize(
    "column",
    [
        arrow([MOMENT, None], pa.timestamp("us", tz="America/Noronha")),
        arrow([MOMENT.astimezone(UTC).replace(tzinfo=None), None], pa.timestamp("ns")),
        pd.Series([MOMENT, None]),
        pd.Series([MOMENT.isoformat(), " "], dtype=object),
    ],
)
def test_moments_are_utc(column):
    assert [str(moment) for moment in READERS["time"](column, "t.c")] == ["2026-01-06T01:30:00.000000", "NaT"]
    assert [str(day) for day in READERS["date"](column, "t.c")] == ["2026-01-06", "NaT"]


@pytest.mark.parametrize("column", [arrow([date(2026, 1, 6), None]), pd.Series([date(2026, 1, 6), None], dtype=object)])
def test_days(column):
    days = READERS["date"](column, "t.c")
    assert (days.dtype, [str(day) for day in days]) == (np.dtype("datetime64[D]"), ["2026-01-06", "NaT"])
