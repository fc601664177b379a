"""`nba plan` against the emulated account: the same tables, the solver on the client, the solution back in the account."""

from __future__ import annotations

from typing import Any

from conftest import Builds, Place
from published_tables import Published, differences, in_one_order

from snowflake_emulated.server import Emulator


def test_the_plan_made_on_the_client_is_the_plan_that_the_procedure_made(builds: Builds, account: Emulator, client: Place) -> None:
    said = client.nba("plan").stdout
    assert "Go on with: dbt retry" in said
    with account.connect() as connection:
        cursor = connection.cursor()
        run = cursor.execute("select run_id from NBA.checks.run_config").fetchone()
        assert cursor.execute("select run_id from NBA.plan.client_run").fetchall() == [run]
        by_client, by_procedure = _solution(cursor, "client_solution"), _solution(cursor, "plan_solution")
    assert len(by_client["solution"][1]) > 100
    assert differences(by_client, by_procedure) == []


def _solution(cursor: Any, name: str) -> Published:
    """A solution without the facts that tell when and by which code it was made."""
    kept = f"select * from NBA.plan.{name} where field is null or field not in ('seconds', 'code_version')"
    read = cursor.execute(kept)
    return {"solution": in_one_order([column[0].lower() for column in read.description], read.fetchall())}
