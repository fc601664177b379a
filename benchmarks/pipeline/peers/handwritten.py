"""What a data scientist would write in a day: four tables and rules in, a CSV of recommendations with reasons out.

pandas for features, scikit-learn for the engagement model (as many and as large trees as ours), shap for the drivers of every pair,
probability times the catalogue's uplift as the value of a touch, PuLP with CBC for the plan. Every step is what its documentation
shows. What it leaves out, next to the pipeline: checks and gates, an impact learned from the panel, churn, arms, gaps and windows of
days, coverage floors, prices and reasons of what was not planned, a proof to 1e-4, memory, monitoring, tests.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.pipeline.clock import Clock
from benchmarks.pipeline.peers import features_pandas
from benchmarks.pipeline.peers.allocation import allocate

SNAPSHOTS, TRAINING_HCPS, TOP = 12, 100_000, 5
TEXT = ["specialty", "practice_type", "rep_access", "channel", "channel_type"]
NO_FEATURE = ["hcp_id", "snapshot_date", "is_scoring", "segment", "kpi_level", "kpi_periods", "label_touches", "label_responses"]
SETTINGS = {"window_short": 4, "window_long": 12}


def recommend(inputs: Path, out: Path, cycle_start: str, most_seconds: float) -> dict[str, Any]:
    """The clock of the whole and of its parts; SHAP values that would take longer than most_seconds are timed on a part of the pairs."""
    whole, parts, part = Clock(), {}, Clock()
    peak = 0.0

    def done(name: str, factor: float = 1.0) -> None:
        nonlocal part, peak
        found = part.read()
        peak = max(peak, found["memory_mb"])
        parts[name] = found | {measure: round(found[measure] * factor, 3) for measure in ("cpu_seconds", "seconds")}
        part = Clock()

    day = pd.Timestamp(cycle_start)
    given = read_inputs(inputs, day)
    done("read")
    scoring, training = features_pandas.features(given)
    done("features")
    model, encode, quality = fit(training)
    done("model")
    scoring["probability"] = model.predict_proba(encode(scoring))[:, 1]
    done("predict")
    drivers, measured = explain(model, encode(scoring), most_seconds)
    done("shap", len(scoring) / measured)
    touches, said = allocate(inputs, scoring, given.hcps, given.catalog, day, most_seconds)
    done("allocation")
    actions = write(out, scoring, touches, drivers)
    done("write")
    sums = {measure: round(sum(found[measure] for found in parts.values()), 3) for measure in ("cpu_seconds", "seconds")}
    said = said if measured == len(scoring) else f"{said}; SHAP timed on {measured:,} of {len(scoring):,} pairs, extrapolated per pair"
    return whole.read() | sums | {"memory_mb": peak, "parts": parts, "said": said, "actions": actions, "quality": quality}


def read_inputs(inputs: Path, day: pd.Timestamp) -> features_pandas.Given:
    """Tables as known at the cycle start: a row is known at `known_at`, or at the end of its week; the latest restatement holds."""
    hcps, catalog = (features_pandas.read_table(inputs / f"{name}.parquet") for name in ("hcp_master", "engagement_action_catalog"))
    hcps["rep_access"] = hcps["rep_access"].fillna("restricted")
    engagement = features_pandas.read_table(inputs / "engagement_history.parquet", "hcp_id", "channel")
    engagement = with_known_days(features_pandas.coded(engagement[engagement["period_start"] < day], hcps, catalog))
    kpi = features_pandas.read_table(inputs / "kpi_metrics.parquet", "hcp_id")
    kpi = with_known_days(features_pandas.coded(kpi[kpi["period_start"] < day], hcps, None))
    kpi = kpi.sort_values(["hcp", "period_start", "known_from"], kind="stable", ignore_index=True)
    is_restated = kpi.duplicated(["hcp", "period_start"], keep="last")
    kpi["known_until"] = kpi["known_from"].shift(-1).where(is_restated, pd.Timestamp("9999-12-31").as_unit("s"))
    starts = [day - pd.Timedelta(weeks=4 * back) for back in range(SNAPSHOTS + 1)]
    snapshots = pd.DataFrame({"snapshot_date": starts, "is_scoring": [start == day for start in starts]})
    snapshots["outcome_end"] = snapshots["snapshot_date"] + pd.Timedelta(weeks=4)
    training = hcps["hcp_id"].sample(min(len(hcps), TRAINING_HCPS), random_state=0)
    dates = {"cycle_start": day, "panel_start": min(engagement["period_start"].min(), kpi["period_start"].min())}
    return features_pandas.make_given(hcps, catalog, engagement, kpi, snapshots, training, dates, SETTINGS)


def with_known_days(table: pd.DataFrame) -> pd.DataFrame:
    """The end of each row's week and the first day at whose start it is known."""
    table["period_end"] = table["period_start"] + pd.Timedelta(weeks=1)
    table["known_from"] = table.pop("known_at").dt.ceil("D").fillna(table["period_end"])
    return table


def fit(training: pd.DataFrame) -> tuple[Any, Any, dict[str, float]]:
    """The classifier of "a touch is answered", the function that makes its matrix, its AUC on a fifth of the pairs, kept from it."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import OrdinalEncoder

    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(training[TEXT].astype(object))
    numeric = [name for name in training.columns if name not in (*NO_FEATURE, *TEXT)]

    def encode(frame: pd.DataFrame) -> np.ndarray:
        return np.hstack([frame[numeric].to_numpy(np.float64), codes.transform(frame[TEXT].astype(object))])

    matrix, answered = encode(training), training["label_responses"].to_numpy(np.float64)
    missed = training["label_touches"].to_numpy(np.float64) - answered
    # One row for the answered touches of a pair and one for the others, weighted by how many they are.
    rows, target = np.vstack([matrix, matrix]), np.repeat([1, 0], len(matrix))
    weight, pair = np.concatenate([answered, missed]), np.tile(np.arange(len(matrix)), 2)
    used = weight > 0
    rows, target, weight, pair = rows[used], target[used], weight[used], pair[used]
    learn, test = train_test_split(np.arange(len(matrix)), test_size=0.2, random_state=0)
    is_test = np.isin(pair, test)
    model = HistGradientBoostingClassifier(max_iter=150, max_depth=6, max_leaf_nodes=31, early_stopping=False, random_state=0)
    model.fit(rows[~is_test], target[~is_test], weight[~is_test])
    auc = roc_auc_score(target[is_test], model.predict_proba(rows[is_test])[:, 1], sample_weight=weight[is_test])
    return model, encode, {"auc": round(float(auc), 4), "learned_from": len(learn)}


def explain(model: Any, matrix: np.ndarray, most_seconds: float, batch: int = 10_000) -> tuple[np.ndarray, int]:
    """The columns of the largest contributions of every pair, largest first, and how many pairs were explained in the time."""
    import time

    import shap

    explainer = shap.TreeExplainer(model, feature_perturbation="tree_path_dependent")
    drivers = np.zeros((len(matrix), TOP), np.int16)
    began, measured = time.perf_counter(), 0
    while measured < len(matrix) and (measured == 0 or time.perf_counter() - began < most_seconds):
        values = explainer.shap_values(matrix[measured : measured + batch], check_additivity=False)
        drivers[measured : measured + len(values)] = np.argsort(-np.abs(values), axis=1)[:, :TOP]
        measured += len(values)
    return drivers, measured


def write(out: Path, scoring: pd.DataFrame, touches: np.ndarray, drivers: np.ndarray) -> int:
    """Recommendations as CSV, by value; the scores and drivers of all pairs as parquet beside it. Returns the number of actions."""
    names = np.array([name for name in scoring.columns if name not in (*NO_FEATURE, *TEXT, "probability", "value")] + TEXT)
    shown = scoring[["hcp_id", "channel", "probability", "value"]].copy()
    for rank in range(TOP):
        shown[f"driver_{rank + 1}"] = pd.Categorical.from_codes(drivers[:, rank], names)
    shown.to_parquet(out.with_suffix(".parquet"))
    plan = shown[touches > 0].assign(touches=touches[touches > 0], cost=(touches * scoring["unit_cost"])[touches > 0])
    plan["reason"] = (
        "because of " + plan["driver_1"].astype(str) + ", " + plan["driver_2"].astype(str) + " and " + plan["driver_3"].astype(str)
    )
    plan.sort_values(["value", "hcp_id"], ascending=[False, True]).to_csv(out, index=False)
    return int(touches.sum())
