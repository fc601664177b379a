"""Versions of the engagement model: what is kept of each, and how one that memory kept is opened again without trusting it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from nba.learning.model_json import EngagementModel
from nba.learning.settings import LearningInputError

STAGES = ("champion", "challenger", "retired")
# What a feature or a label means hangs on these: models on either side of a change cannot be compared.
MEANING = ("grain", "cycle_periods", "window_short", "window_long", "kpi_absent", "engagement_known_lag", "kpi_known_lag")
RECIPE = ("snapshots", "training_hcps", "min_channel_touches", "seed")
FIT_FIELDS = (
    "model_version",
    "model_kind",
    "model_json",
    "trained_rows",
    "data_hash",
    "features",
    "parameters",
    "code_hash",
    "choice_reason",
)
VERSION_SCHEMA = pa.schema(
    [
        ("model_version", pa.string()),
        ("stage", pa.string()),
        ("is_fitted", pa.bool_()),
        ("fitted_run_id", pa.string()),
        ("fitted_cycle", pa.date32()),
        *((name, pa.string()) for name in ("model_kind", "model_json", "model_hash")),
        ("trained_rows", pa.int64()),
        ("trained_from", pa.date32()),
        ("trained_through", pa.date32()),
        *((name, pa.string()) for name in ("data_hash", "features", "parameters", "code_hash", "switches", "choice_reason")),
        *((name, pa.float64()) for name in ("loss", "champion_loss")),
        ("held_out_touches", pa.int64()),
        ("is_promoted", pa.bool_()),
        ("approval", pa.string()),
        ("approved_by", pa.string()),
        ("approved_at", pa.timestamp("us")),
        ("stage_reason", pa.string()),
    ]
)


def hash_of_model(model_json: str) -> str:
    """SHA-256 of the text of a model: a version is the same only if this is."""
    return hashlib.sha256(model_json.encode()).hexdigest()


def switches_of(config: Mapping[str, Any], names: Sequence[str]) -> str:
    """The switches that a model was made under, and the features there were to learn from, as canonical JSON."""
    kept = {name: config.get(name) for name in (*MEANING, *RECIPE)}
    return json.dumps({**kept, "feature_names": sorted(names)}, sort_keys=True)


def open_version(row: Mapping[str, Any]) -> EngagementModel:
    """The model of a version that memory kept.

    LearningInputError in words for a text that is missing, damaged, of another format or not the one that was recorded. It is data: nothing
    of it is run.
    """
    version, text = row["model_version"], row["model_json"]
    if not text:
        raise LearningInputError(f"model {version}: memory holds no text of it")
    if not row.get("model_hash"):
        raise LearningInputError(f"model {version}: memory holds no hash of it, so nobody can say whether it is the one that was recorded")
    if hash_of_model(text) != row["model_hash"]:
        raise LearningInputError(f"model {version}: its text is not the one that was recorded: it was damaged or tampered with")
    model = EngagementModel.from_json(text)
    if model.model_version != version:
        raise LearningInputError(f"model {version}: its text names another version, {model.model_version}")
    return model


def new_version(
    record: Mapping[str, Any], config: Mapping[str, Any], switches: str, span: tuple[date | None, date | None]
) -> dict[str, Any]:
    """The row of a model that this run fitted, not yet in a stage."""
    row = dict.fromkeys(VERSION_SCHEMA.names)
    return row | {
        **{name: record[name] for name in FIT_FIELDS},
        "is_fitted": True,
        "is_promoted": False,
        "fitted_run_id": config["run_id"],
        "fitted_cycle": as_day(config["cycle_start"]),
        "model_hash": hash_of_model(record["model_json"]),
        "trained_from": span[0],
        "trained_through": span[1],
        "switches": switches,
    }


def kept_version(row: Mapping[str, Any], stage: str, reason: str, **more: Any) -> dict[str, Any]:
    """The row of a model that an earlier run fitted, in its present stage."""
    carried = {name: row.get(name) for name in VERSION_SCHEMA.names}
    own = {"is_fitted": False, "is_promoted": False, "loss": None, "champion_loss": None, "held_out_touches": None}
    return carried | own | {"stage": stage, "stage_reason": reason, **more}


def as_day(value: Any) -> date | None:
    """A date, also where the warehouse gave a timestamp."""
    return value.date() if isinstance(value, datetime) else value
