"""The impact benchmark's figures: shares, targets and tables from rows made by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.impact.pictures import draw_coverage, draw_shares
from benchmarks.impact.report import markdown, write_csv
from benchmarks.impact.summary import best_heuristic, read_rows, verdicts, with_shares

MACHINE = {"cpu": "x", "cores": 2, "memory_gb": 4.0, "python": "3", "commit": "abc", "load": 0.1, "versions": {"numpy": "2"}}


def _row(world: str, method: str, gain: float, **more: Any) -> dict[str, Any]:
    key = {"world": world, "hcps": 2000, "weeks": 78, "seed": 1, "method": method, "status": "done", "gain": gain, "machine": MACHINE}
    figures = {"predicted": None, "predicted_over_true": None, "cpu_seconds": 1.0, "memory_mb": 100.0, "said": None, "effective": None}
    return key | figures | {"broken": [], "true_total": abs(gain), "command": "again"} | more


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    told = {"coverage_by_channel": {"a": 0.9, "b": 0.7}, "coverage_planned": 0.9, "coverage_lowest": 0.7, "coverage_highest": 0.9}
    gains = {"oracle": 100.0, "ceiling": 80.0, "random": 40.0, "catalogue": 50.0, "top_decile": 55.0}
    return [
        *(_row("base", method, gain) for method, gain in gains.items()),
        _row("base", "ours", 72.0, predicted=144.0, predicted_over_true=2.0, **told),
        _row("no_effect", "oracle", 0.0),
        _row("no_effect", "catalogue", 0.0, predicted=200.0),
        _row("no_effect", "ours", 0.0, predicted=50.0, effective=["email"]),
        _row("base", "t_learner", 0.0) | {"status": "killed", "said": "killed at 9 s"},
    ]


def test_shares_are_over_the_oracle_of_the_same_world(rows: list[dict[str, Any]]) -> None:
    found = {(row["world"], row["method"]): row for row in with_shares(rows)}
    assert found["base", "ours"]["share"] == 0.72 and found["base", "ours"]["normed"] == pytest.approx(0.8)
    assert found["no_effect", "ours"]["share"] is None and found["no_effect", "ours"]["over_catalogue"] == 0.25
    assert found["base", "t_learner"]["share"] is None


def test_verdicts_say_what_is_not_met(rows: list[dict[str, Any]]) -> None:
    shared = with_shares(rows)
    assert best_heuristic(shared, 2000) == "top_decile"
    met = {verdict.target.split()[0]: verdict.is_met for verdict in verdicts(shared, 2000) if not verdict.target.startswith("90%")}
    assert met == {"(share": True, "share": True, "predicted": False, "no": False}
    covers = [verdict for verdict in verdicts(shared, 2000) if verdict.target.startswith("90%")]
    assert [verdict.is_met for verdict in covers] == [False, True] and "1 of 2 inside" in covers[0].found


def test_without_ours_nothing_is_judged(rows: list[dict[str, Any]]) -> None:
    others = with_shares([row for row in rows if row["method"] != "ours"])
    assert [verdict.is_met for verdict in verdicts(others, 2000)] == [None]


def test_report_says_what_did_not_run(rows: list[dict[str, Any]]) -> None:
    text = markdown(with_shares(rows))
    assert "t_learner: killed, killed at 9 s" in text
    assert "**not met**" in text and "| `ours` | 0.250 | email |" in text


def test_the_last_row_of_a_key_counts(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    file, table = tmp_path / "impact.jsonl", tmp_path / "impact.csv"
    file.write_text("\n".join(json.dumps(row) for row in [*rows, _row("base", "ours", 60.0)]))
    found = read_rows(file)
    assert {row["share"] for row in found if row["method"] == "ours" and row["world"] == "base"} == {0.6}
    write_csv(found, table)
    with table.open() as lines:
        written = list(csv.DictReader(lines))
    assert len(written) == len(rows) and {row["gain"] for row in written if row["world"] == "base" and row["method"] == "ours"} == {"60.0"}


def test_pictures_are_drawn(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for draw in (draw_shares, draw_coverage):
        draw(with_shares(rows), tmp_path / "picture.svg")
        assert "<svg" in (tmp_path / "picture.svg").read_text()
