"""`nba approve` and `nba model-card` on a memory with a champion, a challenger that waits and a version that was retired."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from nba.cli import main
from nba.learning.additive import AdditiveModel, Term
from nba.learning.encoding import Encoder
from nba.learning.metrics import metric_rows
from nba.learning.model_json import EngagementModel
from nba.learning.versions import VERSION_SCHEMA, hash_of_model

ROOT = Path(__file__).resolve().parents[2]
CHAMPION, CHALLENGER, RETIRED = ("c" * 64, "d" * 64, "e" * 64)


def version(name: str, stage: str, **changes: Any) -> dict[str, Any]:
    """A row of memory.model_versions: one feature, two channels."""
    import numpy as np

    encoder = Encoder(("channel",), {"channel": ("email", "visit")}, frozenset(), ("never_known",))
    chance, channel = np.array([0.2, 0.6]), np.array(["email", "visit"])
    metrics = metric_rows("base_rate", chance, channel, np.array([20.0, 60.0]), np.array([100.0, 100.0]), True)
    core = AdditiveModel(-1.0, (Term(0.0, table=(0.1, -0.1)),))
    text = EngagementModel("base_rate", name, encoder, core, recording_channels=("email", "visit"), metrics=tuple(metrics)).to_json()
    row = {
        **{"model_version": name, "stage": stage, "stage_reason": "won <b>", "model_json": text, "model_hash": hash_of_model(text)},
        **{"is_fitted": True, "is_promoted": False, "fitted_run_id": "run1", "fitted_cycle": date(2026, 1, 5), "model_kind": "base_rate"},
        **{"trained_rows": 1234, "trained_from": date(2025, 2, 3), "trained_through": date(2025, 12, 8), "choice_reason": "lowest | loss"},
        **{"switches": '{"grain": "week", "feature_names": ["channel"]}', "parameters": '{"ridge": 1.0}', "approval": "not_required"},
    }
    return {**dict.fromkeys(VERSION_SCHEMA.names), **row, **changes}


@pytest.fixture
def warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "nba.duckdb"
    waiting = {"approval": "waiting", "loss": 0.51, "champion_loss": 0.52, "held_out_touches": 400}
    rows = [version(CHAMPION, "champion"), version(CHALLENGER, "challenger", **waiting), version(RETIRED, "retired", approval=None)]
    with duckdb.connect(str(path)) as connection:
        given = pa.Table.from_pylist([{**row, "run_id": "run1", "cycle_start": date(2026, 1, 5)} for row in rows])
        connection.register("given", given)
        connection.execute("create schema memory; create table memory.model_versions as select * from given")
        connection.execute("create table memory.publications (run_id text, cycle_start date, published_at timestamp, action text)")
        connection.execute("insert into memory.publications values ('run1', '2026-01-05', ?, 'publish')", [datetime(2026, 1, 4, 8)])
        connection.execute("create table memory.models (run_id text, model_version text, model_json text)")
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(path))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(ROOT))
    return path


def nba(*words: str) -> int:
    return main([*words, "--project-dir", str(ROOT), "--target", "duckdb"])


def test_a_challenger_is_approved_once_and_by_somebody(warehouse: Path, capsys: pytest.CaptureFixture[str]):
    assert nba("approve", CHALLENGER[:8], "--by", "Ada O'Neil", "--reason", "ranks visits better") == 0
    assert "which takes over with the next build" in capsys.readouterr().out
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        kept = connection.execute("select model_version, approved_by, reason from memory.model_approvals").fetchall()
    assert kept == [(CHALLENGER, "Ada O'Neil", "ranks visits better")]
    assert nba("approve", CHALLENGER, "--by", "Bob") == 1
    assert f"version {CHALLENGER} was approved by Ada O'Neil at " in capsys.readouterr().err
    assert nba("model-card", CHALLENGER[:6]) == 0
    assert "- Ada O'Neil, 20" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((RETIRED, "--by", "Ada"), "is retired (won <b>): only a challenger or a champion is approved"),
        (
            ("f" * 10, "--by", "Ada"),
            f"there is no version 'ffffffffff' in memory. Versions: {CHAMPION[:12]}, {CHALLENGER[:12]}, {RETIRED[:12]}",
        ),
        (("dd", "--by", "Ada"), "'dd' is too short to name a version: give at least 6 letters of it"),
        ((CHALLENGER, "--by", " "), "--by is empty: an approval needs the name of who gives it"),
    ],
)
def test_what_cannot_be_approved_is_said(warehouse: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str):
    assert nba("approve", *words) == 1
    assert says in capsys.readouterr().err


def test_a_text_that_was_tampered_with_has_no_card_and_no_approval(warehouse: Path, capsys: pytest.CaptureFixture[str]):
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update memory.model_versions set model_json = replace(model_json, '-1.0', '-1.5')")
    for words in (("approve", CHALLENGER, "--by", "Ada"), ("model-card", CHALLENGER)):
        assert nba(*words) == 1
        assert "its text is not the one that was recorded: it was damaged or tampered with" in capsys.readouterr().err
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        assert connection.execute("select count(*) from information_schema.tables where table_name = 'model_approvals'").fetchone() == (0,)


def test_the_card_of_the_champion_says_what_it_is(warehouse: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert nba("model-card", "--output", str(tmp_path / "card.md")) == 0
    card = (tmp_path / "card.md").read_text()
    lines = card.splitlines()
    assert lines[0] == "# Engagement model cccccccccccc"
    assert [line for line in lines if line.startswith("## ")] == [
        "## How it was made",
        "## Features",
        "## How good it was on touches that it had not seen",
        "## Calibration",
        "## What it is not for",
        "## Approval",
    ]
    assert "| all | 200 | 0.4 | 0.7083 |" in card
    assert "| email | 100 | 0.2 |" in card
    assert "| why this kind | lowest \\| loss |" in card
    assert "1,234 pairs touched after snapshots 2025-02-03 to 2025-12-08" in card
    assert "Left out, because no row had a value: never_known." in card
    assert "Nobody had to approve it (nba_model_approval: none)." in card


def test_the_card_of_a_challenger_tells_of_its_duel_and_that_it_waits(warehouse: Path, capsys: pytest.CaptureFixture[str]):
    assert nba("model-card", CHALLENGER) == 0
    said = capsys.readouterr().out
    assert "Log loss per touch 0.51000 against 0.52000 on 400 touches new to both." in said
    assert "It waits for approval: `nba approve VERSION --by NAME`." in said


def test_without_a_build_both_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(tmp_path / "empty.duckdb"))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(ROOT))
    duckdb.connect(str(tmp_path / "empty.duckdb")).close()
    for words in (("approve", CHALLENGER, "--by", "Ada"), ("model-card",)):
        assert nba(*words) == 1
        assert "no build has kept a model yet, run `dbt build` first" in capsys.readouterr().err
