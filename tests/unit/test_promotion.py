"""Which model scores: a champion that goes on, a challenger that beats it or waits for a person; and a memory that is not trusted."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from learning_world import DEFINITIONS, panel

from nba.learning import promotion
from nba.learning.duel import Duel, beats
from nba.learning.model_json import EngagementModel
from nba.learning.promotion import engagement_versions
from nba.learning.scoring import score_engagement
from nba.learning.settings import LearningInputError
from nba.learning.versions import hash_of_model, open_version

ROOT = Path(__file__).resolve().parents[2]
CHANNELS = ("email", "visit", "webinar")
FIRST = date(2025, 4, 28)


class Rows:
    """Stands for the relation feat_training; counts how often it is read."""

    def __init__(self, table: pa.Table) -> None:
        self.table, self.read = table, 0

    @property
    def columns(self) -> list[str]:
        return self.table.column_names

    @property
    def schema(self) -> pa.Schema:
        return self.table.schema

    def to_arrow_table(self) -> pa.Table:
        self.read += 1
        return self.table


@cache
def rows_of(cycles_on: int) -> pa.Table:
    """A panel of 300 HCPs as it is known so many cycles after the first: one more snapshot each."""
    whole = panel(hcps=300, snapshots=6, seed=3)
    return whole.filter(pa.compute.less(whole["snapshot_date"], date(2025, 1, 6) + timedelta(28 * (4 + cycles_on))))


def run(
    cycles_on: int, prior: tuple[dict, ...] = (), approvals: tuple[dict, ...] = (), rows: Rows | None = None, **switches: Any
) -> list[dict]:
    """The versions of a build so many cycles after the first."""
    config = {
        **{
            "run_id": f"run{cycles_on}",
            "cycle_start": FIRST + timedelta(28 * cycles_on),
            "cycle_days": 28,
            "seed": 7,
            "min_channel_touches": 100,
        },
        **{"grain": "week", "cycle_periods": 4, "window_short": 4, "window_long": 12, "retrain": "auto", "retrain_cycles": 3},
        **{"promotion_margin": 0.0, "model_approval": "none"},
        **switches,
    }
    training = rows or Rows(rows_of(cycles_on))
    return engagement_versions(training, DEFINITIONS, config, CHANNELS, prior, approvals).to_pylist()


@pytest.fixture(scope="module")
def first() -> dict:
    (champion,) = run(0)
    return champion


@pytest.fixture(scope="module")
def second(first: dict) -> list[dict]:
    """A cycle later, trained again."""
    return run(1, (kept(first),), retrain="always")


def kept(row: dict, role: str = "champion", decision: str = "keep", **changes: Any) -> dict:
    """A version as stg_prior_models hands it on."""
    return {
        **row,
        "role": role,
        "decision": decision,
        "decided_version": row["model_version"],
        "decision_reason": "it will be 3 cycles old",
        **changes,
    }


def stages(rows: list[dict]) -> dict[str, str]:
    return {row["stage"]: row["stage_reason"] for row in rows}


def test_the_first_model_scores_without_a_rival(first: dict):
    assert (first["stage"], first["is_fitted"], first["is_promoted"], first["approval"]) == ("champion", True, True, "not_required")
    assert first["stage_reason"] == "fitted: there is no model yet; the first model has nobody to beat"
    assert first["model_hash"] == hash_of_model(first["model_json"])
    assert (first["trained_from"], first["trained_through"]) == (date(2025, 1, 6), date(2025, 3, 31))


def test_a_kept_champion_is_not_fitted_and_scores_the_same_bytes(first: dict, second: list[dict]):
    rows = Rows(rows_of(1))
    (champion,) = run(1, (kept(first),), rows=rows)
    assert rows.read == 0
    assert champion["model_json"] == first["model_json"]
    assert (champion["is_fitted"], champion["fitted_cycle"], champion["stage_reason"]) == (
        False,
        FIRST,
        "kept: the last decision was to keep it",
    )
    assert {row["model_version"] for row in second} > {first["model_version"]}  # a fit in between changes nothing of the old one
    pairs = rows_of(0).slice(0, 300)
    before, after = (score_engagement(row["model_json"], pairs) for row in (first, champion))
    assert before.equals(after) and sink(before) == sink(after)


def sink(table: pa.Table) -> bytes:
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return out.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("switches", "decision", "why"),
    [
        ({}, "retrain", "the last decision was to train again (it will be 3 cycles old)"),
        ({"retrain": "always"}, "keep", "nba_retrain is always"),
        ({"retrain_cycles": 1}, "keep", "it is 1 cycles old"),
        ({"seed": 8}, "keep", "the features to learn from or a switch of learning changed"),
    ],
    ids=["decided", "always", "age", "another seed"],
)
def test_what_makes_a_build_train_again(first: dict, switches: dict, decision: str, why: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(promotion, "compare", lambda *given: Duel(0.5, 0.6, 321))
    monkeypatch.setattr(promotion, "fit_prepared", lambda rows, settings: {**first, "model_version": "another"})
    champion, old = run(1, (kept(first, decision=decision),), **switches)
    assert (
        champion["stage_reason"] == f"fitted: {why}; won (log loss per touch 0.50000 against 0.60000 on 321 touches that are new to both)"
    )
    assert (champion["model_version"], champion["is_promoted"], champion["held_out_touches"]) == ("another", True, 321)
    assert (old["stage"], old["model_version"], old["is_fitted"]) == ("retired", first["model_version"], False)


def test_never_keeps_a_model_whatever_was_decided(first: dict):
    (champion,) = run(5, (kept(first, decision="retrain"),), retrain="never", rows=Rows(rows_of(1)))
    assert champion["stage_reason"] == "kept: nba_retrain is never"


def test_challenger_and_champion_meet_on_touches_that_are_new_to_both(second: list[dict]):
    (fitted,) = [row for row in second if row["is_fitted"]]
    newest = pa.compute.equal(rows_of(1)["snapshot_date"], date(2025, 4, 28))
    assert fitted["held_out_touches"] == pa.compute.sum(rows_of(1).filter(newest)["label_touches"]).as_py()
    assert 0.3 < fitted["loss"] < 0.7 and 0.3 < fitted["champion_loss"] < 0.7
    # a panel that stays the same: neither may be much better
    assert fitted["loss"] == pytest.approx(fitted["champion_loss"], rel=0.05)
    assert (fitted["stage"] == "champion") == (fitted["loss"] < fitted["champion_loss"])


def test_without_a_new_outcome_the_champion_stays(first: dict, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(promotion, "fit_prepared", lambda rows, settings: {**first, "model_version": "another"})
    found = stages(run(1, (kept(first),), retrain="always", rows=Rows(rows_of(0)), seed=8))
    assert found["champion"] == "kept: the challenger did not win (no outcome is known that the champion has not learned from)"


@pytest.mark.parametrize(("challenger", "margin", "wins"), [(0.5, 0.0, True), (0.6, 0.0, False), (0.596, 0.01, False), (0.593, 0.01, True)])
def test_the_margin_is_a_share_of_the_champions_loss(challenger: float, margin: float, wins: bool):
    assert beats(Duel(challenger, 0.6, 100), margin) is wins


def test_a_winner_waits_for_a_person_and_takes_over_without_a_fit(first: dict, monkeypatch: pytest.MonkeyPatch):
    record = {**json.loads(json.dumps(first, default=str)), "model_version": "f" * 64}
    record["model_json"] = first["model_json"].replace(first["model_version"], "f" * 64)
    monkeypatch.setattr(promotion, "fit_prepared", lambda rows, settings: record)
    monkeypatch.setattr(promotion, "compare", lambda *given: Duel(0.5, 0.6, 321))
    champion, waiting = run(1, (kept(first),), retrain="always", model_approval="required")
    assert (champion["stage"], champion["model_version"]) == ("champion", first["model_version"])
    assert (waiting["stage"], waiting["approval"]) == ("challenger", "waiting")

    approvals = ({"model_version": "f" * 64, "approved_by": "Ada", "approved_at": None},)
    rows = Rows(rows_of(2))
    prior = (kept(champion, decision="retrain"), kept(waiting, role="waiting", decided_version=first["model_version"], decision="retrain"))
    now, old = run(2, prior, approvals, rows=rows, model_approval="required")
    assert (now["model_version"], now["stage"], now["is_promoted"], now["approved_by"]) == ("f" * 64, "champion", True, "Ada")
    assert (old["stage"], old["stage_reason"]) == ("retired", "its challenger was approved")
    assert rows.read == 0


def test_the_first_model_scores_unapproved_and_says_so(first: dict, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(promotion, "fit_prepared", lambda rows, settings: first)
    (champion,) = run(0, model_approval="required")
    assert champion["approval"] == "first"


@pytest.mark.parametrize(
    ("changes", "switches", "why"),
    [
        ({"model_json": None}, {}, "memory holds no text of it"),
        ({"model_hash": None}, {}, "memory holds no hash of it"),
        ({"model_json": "{}"}, {}, "its text is not the one that was recorded: it was damaged or tampered with"),
        ({}, {"grain": "month"}, "its features meant something else: grain changed"),
        ({}, {"window_long": 10}, "its features meant something else: window_long changed"),
    ],
    ids=["no text", "no hash", "tampered", "another grain", "another window"],
)
def test_a_champion_that_cannot_score_loses(first: dict, changes: dict, switches: dict, why: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(promotion, "fit_prepared", lambda rows, settings: {**first, "model_version": "another"})
    champion, old = run(1, (kept({**first, **changes}),), **switches)
    assert (champion["stage"], champion["model_version"]) == ("champion", "another")
    assert old["stage"] == "retired" and why in old["stage_reason"]
    assert old["stage_reason"].startswith("refused: ") == bool(changes)


def test_a_champion_with_a_feature_that_is_gone_loses(first: dict, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(promotion, "fit_prepared", lambda rows, settings: {**first, "model_version": "another"})
    _, old = run(1, (kept(first),), rows=Rows(rows_of(1).drop_columns(["decile"])))
    assert old["stage_reason"] == "it reads features that are no longer there: decile"


def test_a_feature_that_turned_into_a_text_is_seen_before_it_is_scored(first: dict, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(promotion, "fit_prepared", lambda rows, settings: {**first, "model_version": "another"})
    table = rows_of(1)
    texts = table.set_column(table.column_names.index("decile"), "decile", table["decile"].cast(pa.string()))
    _, old = run(1, (kept(first),), rows=Rows(texts))
    assert old["stage_reason"] == "features turned from numbers into texts or back: decile"


def test_another_run_of_the_cycle_takes_the_fit_that_is_there(first: dict, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(promotion, "fit_prepared", lambda rows, settings: pytest.fail("it was fitted again"))
    (champion,) = run(0, (kept(first, role="same_cycle"),))
    assert {**champion, "fitted_run_id": ""} == {**first, "fitted_run_id": ""}


def damaged(text: str, change: str) -> str:
    data = json.loads(text)
    if change == "format":
        data["format"] = 99
    elif change == "kind":
        data["kind"] = "oracle"
    elif change == "encoder":
        data["encoder"] = ["features"]
    elif change == "calibration":
        data["calibration"] = {"slope": 1.0, "surprise": 2}
    elif change == "core":
        data["core"] = {"base": "x", "terms": 3}
    return {"list": "[1]", "cut": text[: len(text) // 2], "deep": "[" * 100_000, "bytes": "\x80\x04\x95."}.get(change) or json.dumps(data)


@pytest.mark.parametrize("change", ["list", "cut", "deep", "bytes", "format", "kind", "encoder", "calibration", "core"])
def test_a_text_that_is_no_model_is_refused_in_words(first: dict, change: str):
    text = damaged(first["model_json"], change)
    with pytest.raises(LearningInputError, match=r"model_json is not an engagement model|model format 99 is not 1"):
        EngagementModel.from_json(text)
    with pytest.raises(LearningInputError, match=f"model {first['model_version']}: its text is not the one that was recorded"):
        open_version({**first, "model_json": text})


def test_a_text_of_another_version_is_refused(first: dict):
    with pytest.raises(LearningInputError, match="model other: its text names another version"):
        open_version({**first, "model_version": "other"})


def test_nothing_that_runs_code_while_loading_is_used_anywhere():
    pattern = re.compile(
        r"^\s*(?:import|from)\s+(?:pickle|cloudpickle|dill|joblib|marshal|shelve|skops)\b|allow_pickle\s*=\s*True|(?<![\w.])eval\(", re.M
    )
    files = [path for folder in ("nba", "optimization", "python_models", "pgpy") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 150
    assert [str(path) for path in files if pattern.search(path.read_text("utf-8"))] == []
    assert pattern.search("import pickle") and pattern.search("from joblib import load") and pattern.search("x = eval('1')")
