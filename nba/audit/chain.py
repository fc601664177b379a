"""The chain of the audit log: what of an event is hashed, and what is wrong with a chain.

An event's hash is SHA-256 over eight lines joined by line feeds: sequence, moment (UTC, six decimals), by whom, event, run, subject,
details, hash of the event before (empty for the first). Null is \\N; backslash and line feed inside a field are written \\\\ and \\n. The
macro `record_event` computes the same in the warehouse. Changing, deleting, inserting or swapping rows leaves an event whose hash or whose
predecessor does not fit; only a cut at the end leaves a shorter chain that fits, which nba.audit.verify finds beside the publications.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

COLUMNS = ("sequence", "recorded_at", "recorded_by", "event", "run_id", "subject", "details", "previous_hash", "hash")


@dataclass(frozen=True)
class Event:
    """One row of memory.audit_log. `recorded_at` is UTC without a zone; `details` is JSON text; `previous_hash` is empty for the first."""

    sequence: int
    recorded_at: datetime
    recorded_by: str
    event: str
    run_id: str | None
    subject: str | None
    details: str | None
    previous_hash: str
    hash: str = ""

    @property
    def canonical_text(self) -> str:
        """What is hashed."""
        fields = (self.recorded_by, self.event, self.run_id, self.subject, self.details)
        moment = self.recorded_at.strftime("%Y-%m-%d %H:%M:%S.%f")
        return "\n".join((str(self.sequence), moment, *(_field(text) for text in fields), self.previous_hash))

    @property
    def due_hash(self) -> str:
        """The hash that the row should carry, 64 hexadecimal digits."""
        return hashlib.sha256(self.canonical_text.encode()).hexdigest()

    @property
    def sealed(self) -> Event:
        """The event with its hash."""
        return replace(self, hash=self.due_hash)


def _field(text: str | None) -> str:
    return "\\N" if text is None else text.replace("\\", "\\\\").replace("\n", "\\n")


def first_broken_link(events: Sequence[Event]) -> str | None:
    """What is wrong with the first event that does not fit, in words; None where the whole chain holds.

    events: all of the log, in order of sequence (of equal ones in any order).
    """
    before: Event | None = None
    for event in events:
        if problem := _misfit(event, before):
            return f"event {event.sequence} ({event.event}, {event.recorded_at:%Y-%m-%d %H:%M:%S} UTC, by {event.recorded_by}): {problem}"
        before = event
    return None


def _misfit(event: Event, before: Event | None) -> str | None:
    """What is wrong between an event and the one before it."""
    due = 1 if before is None else before.sequence + 1
    if event.sequence < due:
        return "its number is there twice, so the chain forks: somebody appended beside the lock of the log, or inserted a row"
    if event.sequence > due:
        lost = f"event {due} is" if event.sequence == due + 1 else f"events {due} to {event.sequence - 1} are"
        return f"{lost} missing before it, so rows were deleted"
    if event.hash != event.due_hash:
        told = f"its hash is {_short(event.hash)}, its content gives {_short(event.due_hash)}"
        return f"its row was changed, or put in from outside: {told}"
    if event.previous_hash != (before.hash if before else ""):
        told = f"it follows {_short(event.previous_hash)}, the row before it is {_short(before.hash) if before else 'nothing'}"
        return f"{told}: rows before it were replaced or reordered"
    return None


def _short(text: str) -> str:
    return f"{text[:12]}…" if len(text) > 12 else text or "empty"
