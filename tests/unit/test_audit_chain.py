"""The chain of the audit log: what holds, and which link is named when somebody was at it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

import pytest

from nba.audit.chain import Event, first_broken_link

AT = datetime(2026, 1, 5, 8, 30, 0, 120)


def chain(length: int = 5) -> list[Event]:
    events: list[Event] = []
    for number in range(1, length + 1):
        before = events[-1].hash if events else ""
        events.append(Event(number, AT, "anna", "rules_changed", f"r{number}", None, '{"rows": 1}', before).sealed)
    return events


def test_the_hash_is_sha256_of_the_canonical_text_written_out():
    event = Event(7, AT, "anna\nb", "plan_published", None, "a\\n", '{"ü": 1}', "ab" * 32).sealed
    text = "7\n2026-01-05 08:30:00.000120\nanna\\nb\nplan_published\n\\N\na\\\\n\n" + '{"ü": 1}' + "\n" + "ab" * 32
    assert event.hash == hashlib.sha256(text.encode()).hexdigest()
    # null is not the text that stands for it, and fields do not run into each other
    assert replace(event, run_id="\\N").due_hash != event.hash
    assert replace(event, recorded_by="anna", event="b\nplan_published").due_hash != event.hash


def test_a_whole_chain_holds():
    assert first_broken_link(chain()) is None
    assert first_broken_link([]) is None
    # a cut at the end leaves a chain that holds: what was published tells of it (nba.audit.verify)
    assert first_broken_link(chain()[:3]) is None


@pytest.mark.parametrize(
    ("change", "number", "says"),
    [
        (lambda e: [*e[:2], replace(e[2], recorded_by="nobody"), *e[3:]], 3, "its row was changed, or put in from outside"),
        (lambda e: [*e[:2], replace(e[2], details=None), *e[3:]], 3, "its row was changed"),
        (lambda e: [*e[:2], replace(e[2], recorded_by="nobody").sealed, *e[3:]], 4, "rows before it were replaced or reordered"),
        (lambda e: [*e[:2], *e[3:]], 4, "event 3 is missing before it, so rows were deleted"),
        (lambda e: e[3:], 4, "events 1 to 3 are missing before it"),
        (lambda e: [*e[:1], replace(e[2], sequence=2), replace(e[1], sequence=3), *e[3:]], 2, "its row was changed"),
        (lambda e: [*e[:3], replace(e[2], event="rolled_back").sealed, *e[3:]], 3, "its number is there twice, so the chain forks"),
        (lambda e: [*e[:2], Event(3, AT, "eve", "x", None, None, None, "0" * 64).sealed, *e[3:]], 3, "it follows 000000000000…"),
    ],
    ids=["changed", "emptied", "changed and sealed", "deleted", "head cut off", "reordered", "inserted", "replaced"],
)
def test_the_first_broken_link_is_named(change, number, says):
    broken = first_broken_link(change(chain()))
    assert broken is not None and broken.startswith(f"event {number} (") and says in broken, broken
