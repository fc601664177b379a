"""Encoding: deterministic codes, unknown values, empty columns, exact JSON."""

import json
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from nba.learning.encoding import MAX_CATEGORIES, Encoder
from nba.learning.settings import LearningInputError


def test_codes_follow_the_names_and_nulls_are_missing():
    table = pa.table({"a": ["z", "b", None, "b"], "n": [1, None, 3, 4], "gone": pa.nulls(4), "empty": pa.nulls(4, pa.string())})
    encoder = Encoder.fit(table, ["a", "n", "gone", "empty", "absent"])
    assert encoder.features == ("a", "n")
    assert encoder.dropped == ("gone", "empty")
    assert encoder.categories == {"a": ("b", "z")}
    matrix = encoder.matrix(table)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, np.array([[1, 1], [0, np.nan], [np.nan, 3], [0, 4]], dtype=np.float32))


def test_unseen_value_is_missing_unless_training_had_an_other():
    few = Encoder.fit(pa.table({"a": ["x", "y"]}), ["a"])
    assert np.isnan(few.matrix(pa.table({"a": ["new"]}))).all()
    names = [f"v{i:03d}" for i in range(MAX_CATEGORIES + 5)]
    many = Encoder.fit(pa.table({"a": names + names[10:]}), ["a"])  # the first ten are the rare ones
    assert len(many.categories["a"]) == MAX_CATEGORIES
    assert not set(many.categories["a"]) & set(names[5:10])  # of equally rare ones the first names stay
    assert many.matrix(pa.table({"a": ["v007", "new", "v000", None]}))[:, 0].tolist()[:3] == [MAX_CATEGORIES, MAX_CATEGORIES, 0]
    assert np.isnan(many.matrix(pa.table({"a": pa.array([None], pa.string())}))).all()


def test_every_kind_of_number():
    table = pa.table(
        {
            "flag": [True, False, None],
            "money": pa.array([Decimal("1.5"), None, Decimal("2.5")]),
            "day": pa.array([date(1970, 1, 3), None, date(1970, 1, 1)]),
            "wild": [np.inf, 1e300, 2.0],
            "word": pa.array(["a", "b", "a"]).dictionary_encode(),
        }
    )
    matrix = Encoder.fit(table, table.column_names).matrix(table)
    expected = [[1, 1.5, 2, np.nan, 0], [0, np.nan, np.nan, np.nan, 1], [np.nan, 2.5, 0, 2, 0]]
    np.testing.assert_array_equal(matrix, np.array(expected, dtype=np.float32))


def test_json_round_trip():
    table = pa.table({"a": ["ä", "b"], "n": [1.0, 2.0], "gone": pa.nulls(2)})
    encoder = Encoder.fit(table, ["a", "n", "gone"])
    assert Encoder.from_json(json.loads(json.dumps(encoder.to_json()))) == encoder


def test_bad_tables_are_named():
    encoder = Encoder.fit(pa.table({"n": [1.0], "m": [2.0]}), ["n", "m"])
    with pytest.raises(LearningInputError, match=r"the table to score lacks the feature\(s\) m that the model was trained on"):
        encoder.matrix(pa.table({"n": [1.0]}))
    with pytest.raises(LearningInputError, match="feature 'n' was a number in training and is text now"):
        encoder.matrix(pa.table({"n": ["1"], "m": [1.0]}))
    with pytest.raises(LearningInputError, match="feature 'n' of type list<.*> is neither a number nor a text"):
        Encoder.fit(pa.table({"n": [[1.0]]}), ["n"])
