"""Which engagement model scores: the champion that memory keeps, or a challenger fitted now.

A challenger takes over where it predicts the newest outcomes better than the champion does, both judged on touches that neither has
learned from, and where the project asks for it only after a person has approved it. docs/models.md says it in words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pyarrow as pa

from nba.learning.duel import EPOCH, Duel, beats, compare
from nba.learning.encoding import is_text
from nba.learning.engagement import Prepared, code_hash, fit_prepared, prepared
from nba.learning.model_json import EngagementModel
from nba.learning.settings import LearningInputError, LearningSettings
from nba.learning.versions import MEANING, VERSION_SCHEMA, as_day, kept_version, new_version, open_version, switches_of


@dataclass(frozen=True)
class Room:
    """What a build brings to the choice: config (row of run_config), columns of the feature tables (whether each is a text, None where the
    engine does not say), channels that record responses, switches as they are kept, approvals by version."""

    config: Mapping[str, Any]
    columns: Mapping[str, bool | None]
    channels: tuple[str, ...]
    switches: str
    approvals: Mapping[str, Mapping[str, Any]]

    @property
    def needs_approval(self) -> bool:
        return self.config.get("model_approval") == "required"

    def approved(self, row: Mapping[str, Any], otherwise: str) -> dict[str, Any]:
        """approval, approved_by, approved_at of a version that scores."""
        said = self.approvals.get(row["model_version"])
        if said is not None:
            return {"approval": "approved", "approved_by": said["approved_by"], "approved_at": said["approved_at"]}
        return {"approval": otherwise if self.needs_approval else "not_required", "approved_by": None, "approved_at": None}


@dataclass(frozen=True)
class Standing:
    """The champion of the last cycle (None = there is none), its model where it can score here, and why it cannot."""

    row: Mapping[str, Any] | None = None
    model: EngagementModel | None = None
    problem: str = ""


def engagement_versions(
    training: Any,
    definitions: pa.Table,
    config: Mapping[str, Any],
    recording_channels: Sequence[str],
    prior: Sequence[Mapping[str, Any]],
    approvals: Sequence[Mapping[str, Any]],
) -> pa.Table:
    """The versions that this run has in hand: the one champion, and what was fitted, retired or is waiting beside it.

    training: relation feat_training, read only where a model is fitted. definitions: stg_feature_definition. config: the row of run_config.
    prior: rows of stg_prior_models; approvals: rows of stg_model_approvals. Raises LearningInputError as fit_engagement does.
    """
    names = [name for name in definitions["feature_name"].to_pylist() if name is not None]
    by_version = {row["model_version"]: row for row in approvals}
    channels = tuple(sorted({str(channel) for channel in recording_channels}))
    room = Room(config, _columns(training), channels, switches_of(config, names), by_version)
    standing = _standing(prior, room)
    champions = [row for row in prior if row["role"] == "champion"]
    why = why_fit(standing, room, champions)
    if not why:
        assert standing.row is not None
        rows = [_stays(standing.row, room, f"kept: {_kept_because(room)}")]
    else:
        settings = LearningSettings.from_config(config)
        rows = _fitted(prepared(training.to_arrow_table(), definitions, settings, channels), room, standing, prior, why)
    return pa.Table.from_pylist(_after_approval(rows, standing, champions), schema=VERSION_SCHEMA)


def _stays(row: Mapping[str, Any], room: Room, reason: str) -> dict[str, Any]:
    """The row of a champion that goes on."""
    return kept_version(row, "champion", reason, **room.approved(row, row["approval"] or "waiting"))


def _after_approval(rows: list[dict[str, Any]], standing: Standing, champions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Where an approval made a waiting challenger the standing one: it is promoted by that, and the champion before it retires."""
    if standing.row is None or standing.row["role"] != "waiting":
        return rows
    version = standing.row["model_version"]
    said = [{**row, "is_promoted": True} if row["model_version"] == version and row["stage"] == "champion" else row for row in rows]
    known = {row["model_version"] for row in rows}
    return said + [kept_version(row, "retired", "its challenger was approved") for row in champions if row["model_version"] not in known]


def _kept_because(room: Room) -> str:
    if room.config.get("retrain") == "never":
        return "nba_retrain is never"
    return "the last decision was to keep it"


def _standing(prior: Sequence[Mapping[str, Any]], room: Room) -> Standing:
    """The champion as the last cycle left it; a challenger that was approved since has taken its place."""
    waiting = [row for row in prior if row["role"] == "waiting" and row["model_version"] in room.approvals]
    champions = [row for row in prior if row["role"] == "champion"]
    row = (waiting or champions or [None])[0]
    if row is None:
        return Standing()
    try:
        model = open_version(row)
        return Standing(row, model, _mismatch(row, model, room))
    except LearningInputError as error:
        return Standing(row, None, f"refused: {error}")


def _columns(relation: Any) -> dict[str, bool | None]:
    """Columns of a relation by lower-case name, each with whether it is a text."""
    types = getattr(relation, "types", None)
    if types is not None:  # DuckDB
        return {name.lower(): str(kind) == "VARCHAR" for name, kind in zip(relation.columns, types, strict=True)}
    schema = getattr(relation, "schema", None)
    if isinstance(schema, pa.Schema):
        return {field.name.lower(): is_text(field.type) for field in schema}
    return {name.lower(): None for name in relation.columns}


def _mismatch(row: Mapping[str, Any], model: EngagementModel, room: Room) -> str:
    """Why a model cannot score the pairs of this build; empty where it can."""
    if model.kind == "none":
        return "there was nothing to learn from then"
    missing = sorted(name for name in model.encoder.features if name.lower() not in room.columns)
    if missing:
        return f"it reads features that are no longer there: {', '.join(missing)}"
    turned = sorted(name for name in model.encoder.features if room.columns[name.lower()] not in (None, name in model.encoder.categories))
    if turned:
        return f"features turned from numbers into texts or back: {', '.join(turned)}"
    if tuple(model.recording_channels) != room.channels:
        return "other channels record responses now"
    then, now = json.loads(row["switches"] or "{}"), json.loads(room.switches)
    changed = [name for name in MEANING if then.get(name) != now.get(name)]
    if changed:
        return f"its features meant something else: {', '.join(changed)} changed"
    return ""


def why_fit(standing: Standing, room: Room, champions: Sequence[Mapping[str, Any]]) -> str:
    """Why a model is fitted in this build; empty where the standing one goes on."""
    row, retrain = standing.row, room.config.get("retrain")
    if row is None:
        return "there is no model yet"
    if standing.problem:
        return standing.problem
    if retrain == "never":
        return ""
    if retrain == "always":
        return "nba_retrain is always"
    if row["switches"] != room.switches:
        return "the features to learn from or a switch of learning changed"
    if row["code_hash"] != code_hash():
        return "the code of learning changed"
    decided = champions[0] if champions else {}
    if decided.get("decision") == "retrain" and decided.get("decided_version") == row["model_version"]:
        return f"the last decision was to train again ({decided['decision_reason']})"
    cycles = (as_day(room.config["cycle_start"]) - as_day(row["fitted_cycle"])).days / float(room.config["cycle_days"])
    if round(cycles) >= int(room.config["retrain_cycles"]):
        return f"it is {round(cycles)} cycles old"
    return ""


def _fitted(rows: Prepared, room: Room, standing: Standing, prior: Sequence[Mapping[str, Any]], why: str) -> list[dict[str, Any]]:
    """A challenger, and what becomes of it and of the standing champion."""
    known = _same_fit(rows, room, prior)
    record = known if known is not None else fit_prepared(rows, LearningSettings.from_config(room.config))
    dates = [EPOCH + timedelta(days=int(day)) for day in (rows.dates.min(), rows.dates.max())] if len(rows.dates) else [None, None]
    challenger = new_version(record, room.config, room.switches, (dates[0], dates[1]))
    if standing.row is None or standing.problem:
        otherwise = "first" if standing.row is None else "no_alternative"
        reason = f"fitted: {why}; " + ("the first model has nobody to beat" if standing.row is None else "a model that cannot score loses")
        first = {**challenger, "stage": "champion", "is_promoted": True, "stage_reason": reason, **room.approved(challenger, otherwise)}
        gone = standing.row if standing.row is not None and standing.row["model_version"] != challenger["model_version"] else None
        return [first, *([kept_version(gone, "retired", standing.problem)] if gone is not None else [])]
    if challenger["model_version"] == standing.row["model_version"]:
        reason = f"fitted: {why}; it came out the same"
        return [_stays(standing.row, room, reason)]
    assert standing.model is not None
    duel = compare(rows, challenger, standing.model, as_day(standing.row["trained_through"]), room.config)
    challenger |= {"loss": duel.challenger, "champion_loss": duel.champion, "held_out_touches": duel.touches}
    return _after(duel, challenger, standing.row, room, why)


def _after(duel: Duel, challenger: dict[str, Any], champion: Mapping[str, Any], room: Room, why: str) -> list[dict[str, Any]]:
    margin = float(room.config["promotion_margin"])
    said = (
        duel.why_not
        or f"log loss per touch {duel.challenger:.5f} against {duel.champion:.5f} on {duel.touches} touches that are new to both"
    )
    if duel.why_not or not beats(duel, margin):
        lost = said if duel.why_not else f"{said}: not lower by {margin:g}"
        return [
            _stays(champion, room, f"kept: the challenger did not win ({said})"),
            {**challenger, "stage": "retired", "stage_reason": f"fitted: {why}; {lost}"},
        ]
    if room.needs_approval and challenger["model_version"] not in room.approvals:
        waiting = {"stage": "challenger", "approval": "waiting", "stage_reason": f"fitted: {why}; won ({said}), waits for approval"}
        return [_stays(champion, room, "kept: the challenger that won waits for approval"), {**challenger, **waiting}]
    won = {"stage": "champion", "is_promoted": True, "stage_reason": f"fitted: {why}; won ({said})", **room.approved(challenger, "waiting")}
    return [{**challenger, **won}, kept_version(champion, "retired", f"lost to a challenger ({said})")]


def _same_fit(rows: Prepared, room: Room, prior: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """A model that an earlier run of this cycle fitted to the same rows with the same code: a fit would give it again, to the bit."""
    wanted = (rows.data_hash, code_hash(), room.switches, json.dumps(list(rows.encoder.features)))
    for row in prior:
        if row["role"] != "same_cycle" or (row["data_hash"], row["code_hash"], row["switches"], row["features"]) != wanted:
            continue
        try:
            model = open_version(row)
        except LearningInputError:
            continue
        if tuple(model.recording_channels) == rows.channels:
            return row
    return None
