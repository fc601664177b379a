"""The sub-command `nba verify`: whether the log of events holds from its first link to its last, and the published plan is what it says."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.audit.chain import COLUMNS, Event, first_broken_link
from nba.audit.record import TABLE, has_log
from nba.errors import NbaError

if TYPE_CHECKING:
    from nba.warehouse import Warehouse

# action in memory.publications -> the event that tells of it
TOLD = {"publish": "plan_published", "rollback": "rolled_back"}


@dataclass(frozen=True)
class Verdict:
    """`events`: how many there are; `head`: hash of the last; `problem`: what is wrong, None where all holds; `checked`: what was held
    against what."""

    events: int
    head: str
    problem: str | None
    checked: tuple[str, ...]


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser(
        "verify",
        help="check that nobody was at the audit log or the published plan",
        description="Recompute the chain of the audit log, hold it beside the publications, and the published plan beside the hash that "
        "was recorded. Status 1 and the first broken link where something does not fit.",
    )
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument("--vars", default="{}", help="switches of the build, as for dbt; nba_schema_prefix is read")
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def run(args: argparse.Namespace) -> int:
    """Verify as the command line says and print what was found; NbaError names what does not fit."""
    from nba.load.command import parse_switches
    from nba.project import find_project
    from nba.warehouse import reading
    from nba.whatif.live import schema_prefix

    project, switches = find_project(args.project_dir), parse_switches(args.vars)
    prefix = schema_prefix(project, switches)
    with reading(args.target, project) as warehouse:
        verdict, pointer = verify_log(warehouse, prefix), published_event(warehouse, prefix)
    if verdict.problem:
        raise NbaError(f"{prefix}memory.{TABLE} does not hold. First broken link: {verdict.problem}")
    print(f"{verdict.events} events, each follows the one before; {', '.join(verdict.checked)}.")
    if pointer is not None:
        from nba.audit.content import content_of_run

        told = json.loads(pointer.details or "{}").get("tables", {})
        print(check_content(str(pointer.run_id), told, content_of_run(project, args.target, switches, str(pointer.run_id), sorted(told))))
    print(f"Head of the chain: event {verdict.events}, {verdict.head}. Note it elsewhere: a log that was cut back together with the")
    print("publications can only be told by a head that somebody else wrote down.")
    return 0


def verify_log(warehouse: Warehouse, prefix: str) -> Verdict:
    """The chain, then its events of publishing beside memory.publications. NbaError where no build has opened a log yet."""
    events = read_events(warehouse, prefix)
    problem = first_broken_link(events)
    if problem is None and not events:
        problem = "the log is empty, and the build that made it wrote its first event: all of it was deleted"
    if problem is None:
        place = f"{warehouse.quoted(f'{prefix}memory')}.{warehouse.quoted('publications')}"
        moved = [(str(run), str(action)) for run, action in warehouse.rows(f"select run_id, action from {place} order by published_at")]
        problem = unlike_publications(events, moved)
    checked = (f"every one of {sum(event.event in TOLD.values() for event in events)} publications is told",)
    return Verdict(len(events), events[-1].hash if events else "", problem, checked)


def read_events(warehouse: Warehouse, prefix: str) -> list[Event]:
    """All events in order of their sequence."""
    if not has_log(warehouse, prefix):
        raise NbaError(f"there is no {prefix}memory.{TABLE}: the first `dbt build` opens it. If one was there, it was dropped")
    place = f"{warehouse.quoted(f'{prefix}memory')}.{warehouse.quoted(TABLE)}"
    return [Event(int(row[0]), *row[1:]) for row in warehouse.rows(f"select {', '.join(COLUMNS)} from {place} order by sequence, hash")]


def unlike_publications(events: Sequence[Event], moved: Sequence[tuple[str, str]]) -> str | None:
    """What the log and the publications (run, action; oldest first) do not agree on, in words; None where they do.

    Publications from before the log was opened are counted in its first run_started.
    """
    opened = next((json.loads(event.details or "{}").get("publications", 0) for event in events if event.event == "run_started"), 0)
    told = [(event.run_id, event.event, event.sequence) for event in events if event.event in TOLD.values()]
    due = [(run, TOLD.get(action, action)) for run, action in moved[int(opened) :]]
    for place in range(max(len(told), len(due))):
        if place >= len(told):
            missing = f"{due[place][1]} of run {due[place][0]} is missing, though memory.publications has it"
            return f"after event {events[-1].sequence}: {missing}: the end of the log was cut off"
        if place >= len(due) or told[place][:2] != due[place]:
            run, event, sequence = told[place]
            instead = "does not have it" if place >= len(due) else f"has {due[place][1]} of run {due[place][0]} in its place"
            return f"event {sequence}: it tells {event} of run {run}; memory.publications {instead}"
    return None


def published_event(warehouse: Warehouse, prefix: str) -> Event | None:
    """The event that published the run which is published now; None where nothing is, or it was before the log."""
    from nba.rollback import read_log

    log = read_log(warehouse, f"{prefix}memory")
    found = [
        event for event in read_events(warehouse, prefix) if event.event == "plan_published" and log and event.run_id == log[-1].run_id
    ]
    return found[-1] if found else None


def check_content(run_id: str, told: Mapping[str, str], found: Mapping[str, Any]) -> str:
    """The line that the published plan is what was published; NbaError names the tables that are not."""
    changed = [name for name, recorded in told.items() if found[name].content_hash != recorded]
    if changed:
        raise NbaError(
            f"run {run_id} is published, but not as it was: {', '.join(changed)} differ from the hash that its event plan_published "
            "recorded. What to do: `nba rollback` to a run that holds, then find out who wrote into memory"
        )
    return f"Published run {run_id} is what was published: {len(told)} tables, {sum(part.rows for part in found.values()):,} rows."
