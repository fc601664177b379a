"""Which run a rollback publishes again, and what it refuses."""

from __future__ import annotations

from datetime import date

import pytest

from nba.errors import NbaError
from nba.rollback import Publication, choose


def log_of(*rows: str) -> list[Publication]:
    """`a` publishes run a; `<a` rolls back to it."""
    return [Publication(row.lstrip("<"), date(2026, 1, 5), "rollback" if row.startswith("<") else "publish") for row in rows]


@pytest.mark.parametrize(
    ("rows", "to", "chosen"),
    [
        (("a", "b"), None, "a"),
        (("a", "b", "c"), None, "b"),
        (("a", "b", "c", "<b"), None, "a"),
        (("a", "b", "<a", "c"), None, "a"),
        (("a", "b", "<a", "<b"), None, "a"),
        (("a", "b", "c"), "a", "a"),
        (("a", "b", "<a"), "b", "b"),
    ],
)
def test_the_run_before_or_the_named_one(rows: tuple[str, ...], to: str | None, chosen: str):
    found = choose(log_of(*rows), frozenset("abc"), to)
    assert (found.run_id, found.action) == (chosen, "rollback")


@pytest.mark.parametrize(
    ("rows", "kept", "to", "message"),
    [
        ((), "", None, "nothing is published yet, so there is nothing to roll back"),
        (("a",), "a", None, "run a is the first that was published: there is nothing before it to roll back to"),
        (("a", "b", "<a"), "ab", None, "run a is the first that was published: there is nothing before it to roll back to"),
        (("a", "b"), "ab", "b", "run b is the published one already"),
        (("a", "b"), "ab", "x", "there is no run x in memory. Runs that were: a."),
        (("a", "b"), "abx", "x", "run x was never published, so it cannot be rolled back to. Runs that were: a."),
        (("a", "b"), "b", None, "run a is no longer kept in memory; choose another with --to"),
    ],
)
def test_what_cannot_be_is_said(rows: tuple[str, ...], kept: str, to: str | None, message: str):
    with pytest.raises(NbaError) as raised:
        choose(log_of(*rows), frozenset(kept), to)
    assert str(raised.value) == message


def test_an_unknown_action_in_the_log_is_refused():
    with pytest.raises(NbaError, match="holds the action 'moved'"):
        Publication("a", date(2026, 1, 5), "moved")
