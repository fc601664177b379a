"""Churn: which HCPs at risk will lose much of their KPI, on the harness of the engagement model.

A labelled row is one HCP at one earlier snapshot; its outcome (`has_churned`) is defined in feat_churn. Outcomes last for months, so
neighbouring snapshots share a part of theirs: no row is learned from whose outcome was still open when a later part began.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nba.learning.calibration import Calibration, fit_calibration, margin_for
from nba.learning.encoding import Encoder, numbers, texts
from nba.learning.engagement import NAMES, Candidate, Labelled, code_hash, fit_candidates, hash_of_data, refit
from nba.learning.metrics import log_loss, measure
from nba.learning.model_json import EngagementModel
from nba.learning.scoring import BATCH_ROWS, SCORE_SCHEMA, score_batches
from nba.learning.settings import LearningInputError, LearningSettings
from nba.learning.splits import TEST, TRAIN, VALIDATION, Split, hcp_share

UNUSED = -1
EVERYTHING = "all"  # the one channel of a model that knows none
MOST_ROWS = 200_000  # beyond, HCPs are drawn by the hash of their id: more cost time and teach nothing new
LEAST_CASES = 20  # HCPs lost, and HCPs kept, below which a model would learn noise
NO_FEATURES = ("hcp_id", "snapshot_date", "is_scoring", "horizon_end", "is_at_risk", "baseline_kpi", "baseline_known")
NO_FEATURES += ("market_index", "horizon_kpi", "expected_kpi", "fall", "has_churned")
MODEL_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("model_version", "model_kind", "model_json")),
        ("trained_rows", pa.int64()),
        ("events", pa.int64()),
        *((name, pa.string()) for name in ("data_hash", "features", "parameters", "code_hash", "choice_reason")),
    ]
)
METRIC_SCHEMA = pa.schema(
    [
        ("model_kind", pa.string()),
        ("is_chosen", pa.bool_()),
        *((name, pa.float64()) for name in ("auc", "log_loss", "brier", "calibration_error", "base_rate")),
        ("test_rows", pa.int64()),
        ("test_events", pa.int64()),
    ]
)
RISK_SCHEMA = pa.schema(
    [
        pa.field("churn_probability", pa.float64()) if field.name == "engagement_probability" else field
        for field in SCORE_SCHEMA
        if field.name != "channel"
    ]
)


def split_by_outcome(snapshot: np.ndarray, outcome_end: np.ndarray, hcp: np.ndarray, seed: int) -> Split | None:
    """Split by snapshot: the last sixth (at least one) tests; of the snapshots whose outcome was over by then the last quarter (at least
    one) validates, and those whose outcome was over before that train. Where none of these is left, validation takes 40% of the HCPs.

    snapshot, outcome_end (rows,): days. Rows of no part are UNUSED. None when no outcome was over before the last snapshot.
    """
    dates, number = np.unique(snapshot, return_inverse=True)
    if len(dates) < 2:
        return None
    ends = np.array([outcome_end[number == place].max() for place in range(len(dates))])
    tested = max(1, len(dates) // 6)
    first_test = dates[-tested]
    learned = np.flatnonzero(ends <= first_test)
    if not len(learned):
        return None
    part = np.full(len(snapshot), UNUSED, dtype=np.int8)
    part[snapshot >= first_test] = TEST
    kept = max(1, len(learned) // 4)
    first_kept = dates[learned[-kept]]
    trained = learned[ends[learned] <= first_kept]
    if len(trained):
        part[np.isin(number, learned[-kept:])] = VALIDATION
        part[np.isin(number, trained)] = TRAIN
        how = (
            f"trained on {len(trained)} snapshots, chosen on {kept} later, measured on the last {tested} of {len(dates)}, no outcome shared"
        )
        return Split(part, how)
    own = np.isin(number, learned)
    part[own] = np.where(hcp_share(hcp, seed)[own] < 0.4, VALIDATION, TRAIN)
    how = f"trained on 60% and chosen on 40% of the HCPs in {len(learned)} early snapshots, measured on the last {tested} of {len(dates)}"
    return Split(part, how)


def fit_churn(training: pa.Table, definitions: pa.Table, config: Mapping[str, Any]) -> pa.Table:
    """Fit, choose and record the churn model.

    training: feat_churn, of which the rows with a known outcome are taken. definitions: stg_feature_definition. config: the run_config row.
    Returns churn_model, one row, of kind `none` with a reason where there is too little to learn from. Raises LearningInputError when
    training lacks a column it must have.
    """
    settings = LearningSettings.from_config(config)
    rows = _labelled_rows(training, settings.seed)
    names = sorted({name for name in definitions["feature_name"].to_pylist() if name is not None} - set(NO_FEATURES))
    encoder = Encoder.fit(rows, names)
    lost = pc.cast(rows["has_churned"], pa.float64()).to_numpy()
    events, kept = int(lost.sum()), int(len(lost) - lost.sum())
    split = split_by_outcome(_days(rows["snapshot_date"]), _days(rows["horizon_end"]), _texts(rows["hcp_id"]), settings.seed)
    data = _labelled(rows, encoder, lost, split)
    candidates: list[Candidate] = []
    calibrations: dict[str, Calibration] = {}
    if min(events, kept) < LEAST_CASES:
        chosen, reason = "none", f"no model: {events} HCPs lost and {kept} kept in the past, at least {LEAST_CASES} of either are needed"
    elif split is None or not encoder.features:
        chosen, reason = "none", "no model: the panel is too short to check one on a later time"
    else:
        candidates, notes = fit_candidates(data, encoder, settings)
        calibrations = {one.kind: _calibration(one, data, settings, VALIDATION) for one in candidates}
        chosen, reason = _choose(candidates, calibrations, data, notes)
    best = next((candidate for candidate in candidates if candidate.kind == chosen), None)
    used, iterations = (best.settings, best.iterations) if best else (settings, 0)
    switches = {name: config.get(name) for name in ("churn_min_kpi", "churn_drop", "churn_periods")}
    parameters = {**used.parameters(), **switches, "iterations": iterations, "dropped": list(encoder.dropped)}
    record: dict[str, Any] = {
        "data_hash": hash_of_data(data, rows.append_column("channel", pa.repeat(EVERYTHING, len(lost)))),
        "features": json.dumps(list(encoder.features)),
        "code_hash": code_hash(),
        "parameters": json.dumps(parameters, sort_keys=True),
    }
    version = hashlib.sha256("\n".join(["churn", *(record[key] for key in sorted(record))]).encode()).hexdigest()
    core = refit(chosen, data, encoder, used, iterations)
    metrics = tuple(_metrics(one, calibrations[one.kind], data, chosen) for one in candidates)
    calibration = _calibration(best, data, settings, VALIDATION, TEST) if best else Calibration()
    model = EngagementModel(chosen, version, encoder, core, calibration, (EVERYTHING,), metrics)
    record |= {"model_version": version, "model_kind": chosen, "model_json": model.to_json(), "choice_reason": reason}
    return pa.Table.from_pylist([{**record, "trained_rows": len(lost), "events": events}], schema=MODEL_SCHEMA)


def churn_metrics(model: pa.Table) -> pa.Table:
    """churn_metrics: every candidate on the last snapshots, read back from churn_model; no rows without a model."""
    rows = [row for text in model["model_json"].to_pylist() for row in EngagementModel.from_json(text).metrics]
    return pa.Table.from_pylist(rows, schema=METRIC_SCHEMA)


def stream_churn(model_json: str, hcps: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """score_churn as a stream over batches of feat_churn."""
    tables = churn_batches(model_json, (pa.Table.from_batches([batch]) for batch in hcps))
    return pa.RecordBatchReader.from_batches(RISK_SCHEMA, (part for table in tables for part in table.combine_chunks().to_batches()))


def score_churn(model_json: str, hcps: pa.Table) -> pa.Table:
    """score_churn for feat_churn: the HCPs at risk at the cycle start, in their order.

    raw_score = base_value + the driver contributions + other_contribution, in log-odds before calibration; without a model all are null.
    """
    batches = (hcps.slice(first, BATCH_ROWS) for first in range(0, hcps.num_rows, BATCH_ROWS))
    found = list(churn_batches(model_json, batches))
    return pa.concat_tables(found) if found else RISK_SCHEMA.empty_table()


def churn_batches(model_json: str, batches: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Scored HCPs of each batch."""

    def at_risk() -> Iterator[pa.Table]:
        for batch in batches:
            own = batch.filter(pc.and_(batch["is_scoring"], pc.fill_null(batch["is_at_risk"], False)))
            yield own.append_column("channel", pa.repeat(EVERYTHING, own.num_rows))

    for scored in score_batches(model_json, at_risk()):
        yield scored.drop_columns(["channel"]).rename_columns(RISK_SCHEMA.names)


def _labelled_rows(training: pa.Table, seed: int) -> pa.Table:
    """Rows with a known outcome, about MOST_ROWS of them, sorted, so that nothing depends on the order of the warehouse."""
    for name in ("hcp_id", "snapshot_date", "horizon_end", "is_at_risk", "has_churned"):
        if name not in training.column_names:
            raise LearningInputError(f"feat_churn lacks the column '{name}'")
    known = pc.and_(pc.is_valid(training["has_churned"]), pc.fill_null(training["is_at_risk"], False))
    rows = training.filter(known)
    if rows.num_rows > MOST_ROWS:
        rows = rows.filter(pa.array(hcp_share(_texts(rows["hcp_id"]), seed) < MOST_ROWS / rows.num_rows))
    return rows.sort_by([("snapshot_date", "ascending"), ("hcp_id", "ascending")])


def _labelled(rows: pa.Table, encoder: Encoder, lost: np.ndarray, split: Split | None) -> Labelled:
    channel = np.full(len(lost), EVERYTHING)
    return Labelled(encoder.matrix(rows), channel, np.ones(len(lost)), lost, split or Split(np.full(len(lost), UNUSED, np.int8), ""))


def _days(column: pa.ChunkedArray) -> np.ndarray:
    """Days since 1970-01-01."""
    return numbers(column, "date")


def _texts(column: pa.ChunkedArray) -> np.ndarray:
    return texts(column).to_numpy(zero_copy_only=False).astype(str)


def _calibration(candidate: Candidate, data: Labelled, settings: LearningSettings, *parts: int) -> Calibration:
    """Calibration on rows that the candidate was not trained on; the base rate is what it is."""
    margin = margin_for(float(len(data.touches)))
    if candidate.kind == "base_rate":
        return Calibration(margin=margin)
    own = data.mask(*parts)
    return fit_calibration(candidate.raw[own], data.channel[own], data.responses[own], data.touches[own], settings, margin)


def _chance(candidate: Candidate, calibration: Calibration, data: Labelled, own: np.ndarray) -> np.ndarray:
    return calibration.probability(candidate.raw[own], data.channel[own])


def _choose(candidates: list[Candidate], calibrations: dict[str, Calibration], data: Labelled, notes: list[str]) -> tuple[str, str]:
    """The kind with the lowest log loss on the validation part; the base rate where that kind does not beat it on the test part."""
    best = min(candidates, key=lambda candidate: candidate.loss)
    own = data.mask(TEST)
    later = {
        one.kind: log_loss(_chance(one, calibrations[one.kind], data, own), data.responses[own], data.touches[own]) for one in candidates
    }
    losses = ", ".join(f"{NAMES[kind]} {loss:.5f}" for kind, loss in later.items()).replace(NAMES["base_rate"], "the base rate")
    if best.kind != "base_rate" and later[best.kind] >= later["base_rate"]:
        notes = [f"{NAMES[best.kind]} did not beat the base rate there", *notes]
        best = candidates[0]
    name = "the base rate" if best.kind == "base_rate" else NAMES[best.kind]
    return best.kind, "; ".join([f"{name} (log loss on later snapshots: {losses})", data.split.how, *notes])


def _metrics(candidate: Candidate, calibration: Calibration, data: Labelled, chosen: str) -> dict[str, Any]:
    own = data.mask(TEST)
    found = measure(_chance(candidate, calibration, data, own), data.responses[own], data.touches[own])
    rows = found.pop("touches")
    shown = {name: None if np.isnan(value) else value for name, value in found.items()}
    events = int(data.responses[own].sum())
    return {"model_kind": candidate.kind, "is_chosen": candidate.kind == chosen, **shown, "test_rows": int(rows), "test_events": events}
