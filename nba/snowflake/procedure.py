"""What stands between a Python model of dbt and the stored procedure that runs it on Snowflake.

dbt gives the model Snowpark tables and writes the Snowpark DataFrame that it returns; the models read DuckDB-like relations and return
Arrow. `for_snowpark(model)` is put around every model by macros/py_script_comment.sql, so the models are the same on every engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nba.snowflake.tables import SnowparkRelation, as_snowpark

Model = Callable[[Any, Any], Any]


class _Reading:
    """dbt's object with `ref` and `source` giving relations; all else is dbt's own."""

    def __init__(self, dbt: Any) -> None:
        self._dbt = dbt

    def ref(self, *names: str, **version: Any) -> SnowparkRelation:
        return SnowparkRelation(self._dbt.ref(*names, **version))

    def source(self, *names: str) -> SnowparkRelation:
        return SnowparkRelation(self._dbt.source(*names))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dbt, name)


def for_snowpark(model: Model) -> Model:
    """The model as dbt's procedure calls it: inputs as relations, its Arrow table as a Snowpark DataFrame with the same types."""

    def bound(dbt: Any, session: Any) -> Any:
        this = dbt.this
        return as_snowpark(session, model(_Reading(dbt), session), f"{this.database}.{this.schema}.{this.identifier}__rows")

    return bound
