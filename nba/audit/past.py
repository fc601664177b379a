"""A past run as memory has it: what it read, with which switches and code, and what it published."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from nba.audit.chain import Event
from nba.audit.verify import read_events
from nba.errors import NbaError

if TYPE_CHECKING:
    from nba.warehouse import Warehouse

KEPT_ROOM = "kept"
# an optional table that was not there stays away when the run is built again
ABSENT = "is not there"


@dataclass(frozen=True)
class PastRun:
    """One run. `switches`: what its command line gave; `kept`: input or rule table -> its copy in schema `kept`; `hashes`: published table
    -> hash; `started`: sequence of its event run_started; `by`: who built it."""

    run_id: str
    cycle_start: date
    started: int
    started_at: datetime
    by: str
    switches: Mapping[str, Any]
    kept: Mapping[str, str]
    hashes: Mapping[str, str]
    code_version: str

    def __post_init__(self) -> None:
        if not self.hashes:
            raise NbaError(f"run {self.run_id} recorded no hash of what it published, so there is nothing to compare with")


def read_past_run(warehouse: Warehouse, prefix: str, name: str) -> PastRun:
    """The run of that id, or of the names `first` and `published`. NbaError where it is unknown or its inputs are not kept."""
    from nba.rollback import read_log

    events = read_events(warehouse, prefix)
    log = read_log(warehouse, f"{prefix}memory")
    published = {event.run_id: event for event in events if event.event == "plan_published"}
    if name in ("first", "published"):
        runs = [row.run_id for row in log if row.run_id in published]
        if not runs:
            raise NbaError("no run was published since the audit log was opened")
        name = runs[0] if name == "first" else log[-1].run_id
    started = next((event for event in events if event.event == "run_started" and event.run_id == name), None)
    if started is None or name not in published:
        known = ", ".join(run for run in published if run) or "none"
        problem = "was never published" if started else "is not in the audit log"
        raise NbaError(f"run {name} {problem}; published runs there: {known}")
    return _past(warehouse, prefix, started, published[name])


def _past(warehouse: Warehouse, prefix: str, started: Event, published: Event) -> PastRun:
    run_id = str(published.run_id)
    memory = warehouse.quoted(f"{prefix}memory")
    values = {"run_id": run_id}
    header = warehouse.rows(f"select cycle_start, code_version from {memory}.plan_summary where run_id = $run_id", values)
    inputs = warehouse.rows(
        f"select table_name, kept_as, not_kept from {memory}.inputs_by_run where run_id = $run_id order by table_name", values
    )
    if not header or not inputs:
        raise NbaError(f"memory has no header or no inputs of run {run_id}: it cannot be built again")
    return PastRun(
        run_id=run_id,
        cycle_start=header[0][0],
        started=started.sequence,
        started_at=started.recorded_at,
        by=started.recorded_by,
        switches=json.loads(started.details or "{}").get("given", {}),
        kept=_kept(warehouse, prefix, run_id, inputs),
        hashes=json.loads(published.details or "{}").get("tables", {}),
        code_version=str(header[0][1]),
    )


def _kept(warehouse: Warehouse, prefix: str, run_id: str, inputs: list[tuple[Any, ...]]) -> dict[str, str]:
    there = {table.name for table in warehouse.tables(f"{prefix}{KEPT_ROOM}")}
    gone = [f"{table} ({why})" for table, kept_as, why in inputs if kept_as is None and why != ABSENT]
    gone += [f"{table} (its copy {kept_as} was deleted)" for table, kept_as, _ in inputs if kept_as is not None and kept_as not in there]
    if gone:
        raise NbaError(
            f"the inputs of run {run_id} are not kept, so it cannot be built again: {', '.join(gone)}. Inputs stay for the last "
            "nba_keep_inputs published runs, tables of up to nba_keep_input_rows rows: raise them for runs to come"
        )
    return {table: kept_as for table, kept_as, _ in inputs if kept_as is not None}
