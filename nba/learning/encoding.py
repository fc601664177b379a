"""From a feature table to a matrix of float32: numbers as they are, texts as codes, unknown as NaN.

Categories: the 200 most frequent of training (ties by name) get the codes 0.. in order of name. If training had more, the rest share one
more code, `other`, and so do values never seen. If it had not, an unseen value is missing (NaN): the model was never shown an `other`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nba.learning.settings import LearningInputError

MAX_CATEGORIES = 200


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type is categorical."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def numbers(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """A column as float64: null and infinite are NaN, booleans 0/1, dates days since 1970-01-01. Raises LearningInputError for text."""
    kind = column.type
    if pa.types.is_null(kind):
        return np.full(len(column), np.nan)
    if is_text(kind):
        raise LearningInputError(f"feature '{name}' was a number in training and is text now")
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.date32(), safe=False)
    if pa.types.is_date(column.type):
        column = column.cast(pa.date32()).cast(pa.int32())
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    try:
        values = column.cast(pa.float64(), safe=False).to_numpy().astype(np.float64)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise LearningInputError(f"feature '{name}' of type {kind} is neither a number nor a text") from error
    values[~np.isfinite(values)] = np.nan
    return values


def texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column as plain strings (numbers become their text: the column was categorical in training)."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return column.cast(pa.string())


@dataclass(frozen=True)
class Encoder:
    """Which features there are, in which order, and the codes of the categorical ones.

    features: names in the order of the definitions. categories: name -> kept values in code order, for categorical features.
    others: categorical features with a code `other` (= number of kept values). dropped: features without one value in training.
    """

    features: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]
    others: frozenset[str]
    dropped: tuple[str, ...]

    def __post_init__(self) -> None:
        for name, kept in self.categories.items():
            if name not in self.features:
                raise LearningInputError(f"categories of '{name}', which is not a feature")
            if len(kept) > MAX_CATEGORIES:
                raise LearningInputError(f"feature '{name}' keeps {len(kept)} categories, at most {MAX_CATEGORIES} are allowed")

    @classmethod
    def fit(cls, training: pa.Table, names: list[str]) -> Encoder:
        """Read types, kept categories and empty columns off a training table; names that are not columns of it are passed over."""
        features, categories, others, dropped = [], {}, set(), []
        for name in dict.fromkeys(names):
            if name not in training.column_names:
                continue
            column = training[name]
            if column.null_count == len(column) or (not is_text(column.type) and np.isnan(numbers(column, name)).all()):
                dropped.append(name)
                continue
            features.append(name)
            if is_text(column.type):
                counts = pc.value_counts(texts(column).drop_null()).to_pylist()
                ranked = sorted(counts, key=lambda entry: (-entry["counts"], entry["values"]))
                categories[name] = tuple(sorted(entry["values"] for entry in ranked[:MAX_CATEGORIES]))
                if len(ranked) > MAX_CATEGORIES:
                    others.add(name)
        return cls(tuple(features), categories, frozenset(others), tuple(dropped))

    @property
    def is_categorical(self) -> np.ndarray:
        """Mask over the features."""
        return np.array([name in self.categories for name in self.features], dtype=bool)

    def codes(self, name: str) -> int:
        """Number of codes of a categorical feature, `other` included."""
        return len(self.categories[name]) + (name in self.others)

    def matrix(self, table: pa.Table) -> np.ndarray:
        """float32 (rows, features), stored feature by feature; NaN = missing. Raises LearningInputError when a feature is not a column of
        the table."""
        missing = [name for name in self.features if name not in table.column_names]
        if missing:
            raise LearningInputError(f"the table to score lacks the feature(s) {', '.join(missing)} that the model was trained on")
        out = np.empty((table.num_rows, len(self.features)), dtype=np.float32, order="F")
        for position, name in enumerate(self.features):
            out[:, position] = self._encode(name, table[name])
        return out

    def _encode(self, name: str, column: pa.ChunkedArray) -> np.ndarray:
        if name not in self.categories:
            with np.errstate(over="ignore"):  # beyond float32 is infinite, and infinite is unknown
                values = numbers(column, name).astype(np.float32)
            values[~np.isfinite(values)] = np.nan
            return values
        if pa.types.is_null(column.type):
            return np.full(len(column), np.nan, dtype=np.float32)
        column = texts(column)
        found = pc.index_in(column, value_set=pa.array(self.categories[name], pa.string()))
        if name in self.others:
            unseen = pc.and_(pc.is_valid(column), pc.is_null(found))
            found = pc.if_else(unseen, pa.scalar(len(self.categories[name]), pa.int32()), found)
        return found.cast(pa.float32()).to_numpy()

    def to_json(self) -> dict[str, Any]:
        """Plain lists and texts."""
        return {
            "features": list(self.features),
            "categories": {name: list(self.categories[name]) for name in self.features if name in self.categories},
            "others": sorted(self.others),
            "dropped": list(self.dropped),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Encoder:
        """Inverse of to_json."""
        kept = {name: tuple(values) for name, values in data["categories"].items()}
        return cls(tuple(data["features"]), kept, frozenset(data["others"]), tuple(data["dropped"]))
