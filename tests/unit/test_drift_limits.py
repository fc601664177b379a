"""The macro drift_limits: the shipped limits, the project's own over them, and what is wrong with these, in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import pytest

from nba.monitoring.judge import limits_of
from nba.monitoring.wording import WORDS

MACRO = Path(__file__).resolve().parents[2] / "macros" / "drift_limits.sql"


def drift_limits(given: Any = None) -> tuple[dict[str, dict], list[dict]]:
    """(limits, problems) as the macro returns them for the var nba_drift_limits."""
    found: list[dict] = []
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    environment.globals |= {"var": lambda name, default: default if given is None else given, "return": found.append}
    environment.from_string(MACRO.read_text("utf-8")).module.drift_limits()
    ((result),) = found
    return result["limits"], result["problems"]


def test_every_measure_has_limits_that_rise_and_words():
    limits, problems = drift_limits()
    assert problems == []
    rows = limits_of({"measure": name, **limit} for name, limit in limits.items())
    assert set(rows) == set(WORDS)


def test_own_limits_go_over_the_shipped_ones():
    before, _ = drift_limits()
    limits, problems = drift_limits({"psi": {"warn": 0.3, "error": 0.6}, "price_drift": {"notice": None}})
    assert problems == []
    assert limits["psi"] == {**before["psi"], "warn": 0.3, "error": 0.6}
    assert limits["price_drift"]["notice"] is None
    assert limits["ks"] == before["ks"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([], "is not a mapping"),
        ({"psy": {"warn": 1}}, "names no limits of a measure: psy"),
        ({"psi": 0.3}, "names no limits of a measure: psi"),
        ({"psi": {"warning": 0.3}}, "holds what is no limit: psi warning: 0.3"),
        ({"psi": {"warn": "0.3"}}, "holds what is no limit: psi warn: 0.3"),
        ({"psi": {"warn": True}}, "holds what is no limit: psi warn: True"),
        ({"psi": {"warn": -1}}, "holds what is no limit: psi warn: -1"),
        ({"psi": {"warn": 0.05}}, "falls from notice to warn to error: psi 0.1, 0.05"),
    ],
)
def test_a_mistyped_limit_is_named(given: Any, problem: str):
    _, problems = drift_limits(given)
    assert [(row["switch"], row["problem"], row["severity"]) for row in problems] == [("nba_drift_limits", problem, "error")]
    assert problems[0]["what_to_do"]
