"""What a Python model may not return or read is refused by model, column and type, and nothing is written."""

from __future__ import annotations

import pytest
from small_project import SCHEMA, SmallProject, messages

REFUSED_RESULTS = {
    "a_list": (
        "pa.table({'ok': [1], 'parts': [[1, 2]]})",
        "column 'parts' has the Arrow type list<",
        "nested columns are not carried over",
    ),
    "a_struct": ("pa.table({'parts': [{'a': 1}]})", "column 'parts' has the Arrow type struct<", "nested columns are not carried over"),
    "a_map": (
        "pa.table({'parts': pa.array([[('a', 1)]], pa.map_(pa.string(), pa.int64()))})",
        "column 'parts' has the Arrow type map<",
        "nested columns are not carried over",
    ),
    "a_duration": ("pa.table({'took': pa.array([1], pa.duration('s'))})", "column 'took' has the Arrow type duration[s]", "cast it first"),
    "no_columns": ("pa.table({})", "without columns", "return at least one"),
    "two_of_a_name": ("pa.table([[1], [2]], names=['x', 'x'])", "more than one column named 'x'", "its own name"),
    "a_long_name": ("pa.table({'x' * 64: [1]})", "1 to 63 bytes", "rename it"),
    "an_empty_name": ("pa.table({'': [1]})", "column ''", "rename it"),
    "a_zero_byte": ("pa.table({'ok': ['fine'], 'note': ['a\\0b']})", "column 'note' holds text with a zero byte", "remove it"),
    "a_nanosecond": ("pa.table({'at': pa.array([1], pa.timestamp('ns'))})", "column 'at' (timestamp[ns])", "round it first"),
    "a_day_before_christ": ("pa.table({'day': pa.array([-3_000_000], pa.int32()).cast(pa.date32())})", "column 'day'", "before 4714 BC"),
    "a_number": ("42", "the model returned int", "return an Arrow table"),
    "nothing": ("None", "the model returned NoneType", "return an Arrow table"),
    "a_mixed_column": ("pandas.DataFrame({'mix': [1, 'a', 2.5]})", "column 'mix' cannot become an Arrow column", "give it one type"),
}
REFUSED_INPUTS = {
    "reads_a_list": ("array[1, 2]", "column 'given' has the PostgreSQL type _int4"),
    "reads_an_interval": ("interval '1 day'", "column 'given' has the PostgreSQL type interval"),
    "reads_money": ("1::money", "column 'given' has the PostgreSQL type money"),
    "reads_infinity": ("date 'infinity'", "column 'given' holds infinity"),
    "reads_the_last_moment": ("timestamp '294276-12-31 23:59:59'", "column 'given' holds infinity or a date that Arrow cannot keep"),
    "reads_no_number": ("'NaN'::numeric(10, 2)", "column 'given' does not fit into decimal128(10, 2)"),
}


@pytest.fixture(scope="module")
def told(project: SmallProject) -> str:
    """What dbt says of one run of every model that must fail."""
    for name, (result, *_) in REFUSED_RESULTS.items():
        text = f"def model(dbt, session):\n    import pandas\n    import pyarrow as pa\n\n    return {result}\n"
        project.write({f"models/{name}.py": text})
    for name, (value, _) in REFUSED_INPUTS.items():
        project.write(
            {
                f"models/{name}_given.sql": f"select 1 as fine, {value} as given",
                f"models/{name}.py": f"def model(dbt, session):\n    return dbt.ref('{name}_given').to_arrow_table()\n",
            }
        )
    result = project.dbt("run")
    failed = {entry.node.name for entry in result.result.results if entry.status == "error"}
    assert failed == {*REFUSED_RESULTS, *REFUSED_INPUTS}
    return messages(result)


def line_of(told: str, name: str) -> str:
    found = [line for line in told.splitlines() if f"Python model {name}" in line]
    assert found, told
    return " ".join(found)


@pytest.mark.parametrize("name", list(REFUSED_RESULTS))
def test_a_result_without_a_place_is_refused_by_name(told: str, name: str) -> None:
    for part in REFUSED_RESULTS[name][1:]:
        assert part in line_of(told, name)


@pytest.mark.parametrize("name", list(REFUSED_INPUTS))
def test_an_input_that_arrow_cannot_keep_is_refused_by_name(told: str, name: str) -> None:
    assert REFUSED_INPUTS[name][1] in line_of(told, name)


def test_a_refusal_is_no_traceback(told: str) -> None:
    assert "Traceback" not in told and 'File "' not in told


def test_nothing_of_a_refused_model_is_left(told: str, project: SmallProject) -> None:
    tables = {name for (name,) in project.rows(f"select tablename::text from pg_tables where schemaname = '{SCHEMA}'")}
    assert not tables & {*REFUSED_RESULTS, *REFUSED_INPUTS}
