"""Which tables may stay while nothing changed: those whose rows follow from inputs, settings and SQL alone."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SQL = {path.stem: path for room in ("models", "python_models") for path in (ROOT / room).rglob("*.sql")}
# what a gate reads decides whether a build goes on, never what a table holds
GATES = ("gate_",)
# the hash of all inputs is what these rooms are known by
KNOWN_BY_THEIR_HASH = ("base_", "rule_", "raw_")


def kept() -> set[str]:
    found = set()
    for properties in (ROOT / "models").rglob("*.yml"):
        if "config: {materialized: kept_while_unchanged}" in properties.read_text():
            found.add(properties.stem)
    return found


def sources_of(model: str) -> set[str]:
    """The model and all that its rows follow from, up to gates and base views."""
    seen, left = set(), [model]
    while left:
        name = left.pop()
        if name in seen or name.startswith((*GATES, *KNOWN_BY_THEIR_HASH)):
            continue
        seen.add(name)
        assert name in SQL, f"{name} is no SQL model: what it yields may not follow from the inputs alone"
        left += re.findall(r"ref\('([a-z_0-9]+)'\)", SQL[name].read_text())
    return seen


def test_tables_that_stay_read_nothing_that_another_run_left():
    assert {"stg_kpi", "stg_engagement", "feat_hcp", "feat_hcp_channel", "feat_scoring"} <= kept()
    for model in kept():
        for name in sources_of(model) - {"run_config"}:
            text = SQL[name].read_text()
            words = re.findall(r"\b(memory\(|published_run|publications|run_id|invocation_id|run_started_at)|\{\{ this", text)
            assert not words, f"{model} follows from {name}, which says {words}"
