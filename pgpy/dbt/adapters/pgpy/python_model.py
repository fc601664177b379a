"""Runs the compiled code of a Python model in this process and turns what it returns into Arrow batches."""

from __future__ import annotations

import linecache
import traceback
from types import ModuleType
from typing import TYPE_CHECKING, Any

from dbt.adapters.pgpy.column_types import ColumnTypeError
from dbt.adapters.pgpy.connections import ReadConnections
from dbt.adapters.pgpy.reading import Relation
from dbt_common.exceptions import DbtRuntimeError

if TYPE_CHECKING:
    import pyarrow as pa


class Session:
    """The second argument of a model: `session.table('schema.name')` reads a relation that is no ref."""

    def __init__(self, connections: ReadConnections) -> None:
        self._connections = connections

    def table(self, name: str) -> Relation:
        return Relation(name, self._connections)


def returned_batches(name: str, compiled_code: str, connections: ReadConnections) -> pa.RecordBatchReader:
    """Call `model(dbt, session)` of the compiled code; its result as a stream, which may still be reading its inputs.

    Raises what the model raises, and ColumnTypeError where the result is no table.
    """
    module = ModuleType(f"dbt_python_model_{name}")
    file = f"<python model {name}>"
    # So that a traceback shows the model's lines, though there is no file with just this text.
    linecache.cache[file] = (len(compiled_code), None, compiled_code.splitlines(keepends=True), file)
    exec(compile(compiled_code, file, "exec"), module.__dict__)
    dbt = module.dbtObj(lambda relation: Relation(relation, connections))
    return as_reader(module.model(dbt, Session(connections)))


def as_reader(result: Any) -> pa.RecordBatchReader:
    """A stream over an Arrow table, batch or reader, a relation, a pandas frame, or whatever speaks Arrow's C stream (Polars, DuckDB)."""
    import pyarrow as pa

    if isinstance(result, pa.RecordBatchReader):
        return result
    if isinstance(result, pa.RecordBatch):
        return pa.RecordBatchReader.from_batches(result.schema, [result])
    if isinstance(result, pa.Table):
        return result.to_reader()
    if type(result).__module__.partition(".")[0] == "pandas" and hasattr(result, "columns"):
        return _frame_as_table(result).to_reader()
    if hasattr(result, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(result)
    raise ColumnTypeError(
        f"the model returned {type(result).__name__}; return an Arrow table or reader, a pandas frame, or a relation from dbt.ref()"
    )


def _frame_as_table(frame: Any) -> pa.Table:
    import pyarrow as pa

    names = [str(name) for name in frame.columns]
    arrays = []
    for position, name in enumerate(names):
        try:
            arrays.append(pa.Array.from_pandas(frame.iloc[:, position]))
        except (pa.ArrowException, UnicodeEncodeError) as error:
            raise ColumnTypeError(f"column {name!r} cannot become an Arrow column: {error}; give it one type") from None
    return pa.table(arrays, names=names)


def failure(name: str, error: Exception) -> DbtRuntimeError:
    """What dbt shows of a model that failed: its name, the reason, and the model's own part of the traceback."""
    if isinstance(error, (ColumnTypeError, DbtRuntimeError)):
        return DbtRuntimeError(f"Python model {name}: {error}")
    steps = traceback.extract_tb(error.__traceback__)
    own = next((position for position, step in enumerate(steps) if step.filename == f"<python model {name}>"), 0)
    where = "".join(traceback.format_list(steps[own:]))
    return DbtRuntimeError(f"Python model {name} failed: {type(error).__name__}: {error}\n{where}")
