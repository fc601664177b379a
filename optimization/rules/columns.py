"""One column of a pandas frame or an Arrow table becomes a plain array: what a null, a date, a flag is, is decided here and nowhere else.

Text becomes `Words`, numbers float64 with NaN, dates datetime64[D] and times datetime64[us] with NaT, flags bool. Arrow columns of
millions of rows stay out of Python; odd types go through pandas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from optimization.problem import PlanInputError

Column = pd.Series | pa.ChunkedArray
Values = Any  # Words or a numpy array


@dataclass(frozen=True)
class Words:
    """A text column: the code (int32) of each row into `distinct` (Arrow strings, no two alike), -1 = null; blank counts as null."""

    code: np.ndarray
    distinct: pa.Array

    def __len__(self) -> int:
        return len(self.code)

    def __getitem__(self, rows: Any) -> Any:
        """Of one row its text or None; of a mask or an index array the words of those rows."""
        if isinstance(rows, (int, np.integer)):
            return None if self.code[rows] < 0 else self.distinct[int(self.code[rows])].as_py()
        return Words(self.code[rows], self.distinct)

    def __iter__(self) -> Iterator[str | None]:
        words = [*self.distinct.to_pylist(), None]
        return (words[code] for code in self.code.tolist())

    def equal(self, word: str) -> np.ndarray:
        """Mask of the rows that say this word."""
        place = pc.index(self.distinct, word).as_py()
        return np.zeros(len(self), dtype=bool) if place < 0 else self.code == place

    def sorted(self) -> Words:
        """The same words, codes in the order of their bytes."""
        if _ascending(self.distinct):
            return self
        order = pc.sort_indices(self.distinct)
        rank = np.full(len(order) + 1, -1, dtype=np.int32)
        rank[order.to_numpy()] = np.arange(len(order))
        return Words(rank[self.code], self.distinct.take(order))

    def places(self, names: pa.Array, absent: int, null: int) -> np.ndarray:
        """(int32) place of each row's word among `names`; `absent` where it is not there, `null` for a null."""
        place = np.full(len(self.distinct) + 1, absent, dtype=np.int32)
        place[-1] = null
        if self.distinct.equals(names):
            place[:-1] = np.arange(len(names))
        elif 4 * len(self.distinct) < len(names):  # a table of the few words is cheaper than one of the many names
            found = pc.index_in(names, value_set=self.distinct)
            there = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
            place[found.drop_null().to_numpy()] = there
        else:
            place[:-1] = pc.index_in(self.distinct, value_set=names).fill_null(absent).to_numpy(zero_copy_only=False)
        return place[self.code]


def words_of(names: list[str | None]) -> Words:
    """Words of a list."""
    return _encoded(pa.array(names, pa.string()))


def column_names(table: pd.DataFrame | pa.Table) -> list[str]:
    return table.column_names if isinstance(table, pa.Table) else list(table.columns)


def holds_numbers(column: Column) -> bool:
    """Whether a column is numeric, whatever its make."""
    if isinstance(column, pa.ChunkedArray):
        kind = column.type
        return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return pd.api.types.infer_dtype(column, skipna=True) in ("integer", "floating", "decimal", "mixed-integer-float")


def read_text(column: Column, where: str) -> Words:
    """Whole numbers lose a trailing .0 (an id that passed through a float), booleans are true/false."""
    if isinstance(column, pd.Series) and isinstance(column.dtype, pd.StringDtype):
        held = pa.array(column, from_pandas=True)
        column = held if isinstance(held, pa.ChunkedArray) else pa.chunked_array([held])
    if isinstance(column, pa.ChunkedArray):
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind):
            return _arrow_words(column.cast(pa.string()).combine_chunks())
    codes, distinct = _distinct(_series(column))
    words = words_of([_word(value) for value in distinct])
    return Words(np.append(words.code, np.int32(-1))[codes], words.distinct)


def _arrow_words(values: pa.Array) -> Words:
    """Words of an Arrow string array; of neighbours that say the same, as the rows of one HCP often do, only the first is looked up."""
    if len(values) < 2:
        return _encoded(values)
    opens = np.append(True, pc.not_equal(values[1:], values[:-1]).fill_null(True).to_numpy(zero_copy_only=False))
    heads = np.flatnonzero(opens)
    if len(heads) > 0.9 * len(values):
        return _encoded(values)
    words = _encoded(values.take(pa.array(heads)))
    return Words(np.repeat(words.code, np.diff(np.append(heads, len(values)))), words.distinct)


def _ascending(values: pa.Array) -> bool:
    """Whether every value is beyond the one before it: none is null, no two are alike."""
    return values.null_count == 0 and (len(values) < 2 or pc.all(pc.less(values[:-1], values[1:])).as_py())


def _encoded(values: pa.Array) -> Words:
    if _ascending(values) and not (len(values) and pc.any(pc.equal(pc.utf8_trim_whitespace(values), "")).as_py()):
        return Words(np.arange(len(values), dtype=np.int32), values)
    encoded = values.dictionary_encode()
    blank = pc.equal(pc.utf8_trim_whitespace(encoded.dictionary), "")
    if pc.any(blank).as_py():
        encoded = pc.if_else(blank, None, encoded.dictionary).take(encoded.indices).dictionary_encode()
    return Words(encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32), encoded.dictionary)


def _series(column: Column) -> pd.Series:
    return column.to_pandas() if isinstance(column, pa.ChunkedArray) else column


def _distinct(series: pd.Series) -> tuple[np.ndarray, list[object]]:
    """Code of each row among the distinct values (-1 = null), and those values: parsing each once keeps wide tables cheap."""
    codes, distinct = pd.factorize(series)
    # One conversion to Python objects: reading an Arrow-backed array element by element is slow.
    return codes, np.asarray(distinct, dtype=object).tolist()


def _word(value: object) -> str | None:
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def read_number(column: Column, where: str) -> np.ndarray:
    """float64 with NaN for null; text that is not a number is an error."""
    if isinstance(column, pa.ChunkedArray) and (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
        return column.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy()
    series = _series(column)
    if pd.api.types.is_numeric_dtype(series.dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)

    def parse(value: object) -> float:
        try:
            return float(str(value))
        except ValueError:
            raise PlanInputError(f"{where}: {value!r} is not a number") from None

    return _parsed(series, parse, np.float64, np.nan)


def _bound(column: Column, where: str) -> np.ndarray:
    values = read_number(column, where)
    wrong = np.flatnonzero((values < 0) | np.isinf(values))
    if len(wrong):
        raise PlanInputError(f"{where}: {values[wrong[0]]:g} must be a finite number >= 0")
    return values


def _date(column: Column, where: str) -> np.ndarray:
    if isinstance(column, pa.ChunkedArray) and pa.types.is_date32(column.type):
        return column.to_numpy().astype("datetime64[D]")
    return _time(column, where).astype("datetime64[D]")


def _time(column: Column, where: str) -> np.ndarray:
    if isinstance(column, pa.ChunkedArray) and pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us"), safe=False).to_numpy().astype("datetime64[us]")  # with a zone: the moment in UTC
    series = _series(column)
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    if series.dtype.kind == "M" and isinstance(series.dtype, np.dtype):
        return series.to_numpy().astype("datetime64[us]")

    def parse(value: object) -> np.datetime64:
        try:
            moment = datetime.fromisoformat(value.strip()) if isinstance(value, str) and value.strip() else value
        except ValueError:
            raise PlanInputError(f"{where}: {value!r} is not a date") from None
        if isinstance(moment, datetime):
            moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
            return np.datetime64(moment, "us")
        if isinstance(moment, (date, np.datetime64)):
            return np.datetime64(moment, "us")
        if isinstance(moment, str):
            return np.datetime64("NaT", "us")
        raise PlanInputError(f"{where}: {value!r} is not a date")

    return _parsed(series, parse, "datetime64[us]", np.datetime64("NaT", "us"))


def _flag(column: Column, where: str) -> np.ndarray:
    words = {"true": True, "t": True, "1": True, "yes": True, "y": True, "false": False, "f": False, "0": False, "no": False, "n": False}

    def parse(value: object) -> bool:
        word = _word(value)
        if word is None:
            return False
        if word.strip().lower() not in words:
            raise PlanInputError(f"{where}: {value!r} is neither true nor false")
        return words[word.strip().lower()]

    return _parsed(_series(column), parse, bool, False)


def _parsed(series: pd.Series, parse: Callable[[object], object], dtype: object, null: object) -> np.ndarray:
    codes, distinct = _distinct(series)
    values = np.empty(len(distinct) + 1, dtype=dtype)
    for place, value in enumerate(distinct):
        values[place] = parse(value)
    values[-1] = null
    return values[codes]


READERS: Mapping[str, Callable[[Column, str], Values]] = MappingProxyType(
    {"text": read_text, "number": read_number, "bound": _bound, "date": _date, "time": _time, "flag": _flag}
)


def nulls(kind: str, rows: int) -> Values:
    """A column of that kind in which every row is null."""
    if kind == "text":
        return Words(np.full(rows, -1, dtype=np.int32), pa.array([], pa.string()))
    if kind in ("number", "bound"):
        return np.full(rows, np.nan)
    if kind == "flag":
        return np.zeros(rows, dtype=bool)
    return np.full(rows, "NaT", dtype="datetime64[D]" if kind == "date" else "datetime64[us]")
