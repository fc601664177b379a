"""What a row of the benchmark does: steps of the pipeline in a folder of its world, and the peers of its parts.

A step leaves a file for the next one and works on a copy, so that each can be repeated alone. Copies, exports and comparisons are
outside of the clock.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.pipeline.clock import Clock

Found = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """folder: of the world. rows: of the SHAP tasks. peer_seconds: a part of a peer that would take longer is timed on a sample."""

    folder: Path
    hcps: int
    weeks: int
    seed: int
    rows: int
    peer_seconds: float

    @property
    def inputs(self) -> Path:
        return self.folder / "in"


@dataclass(frozen=True)
class Task:
    """needs: the step that must have been done in the folder; makes: what shows that this one was. words: for a reader."""

    function: Callable[[Job], Found]
    words: str
    needs: str | None = None
    makes: str | None = None
    by_rows: bool = False


def simulate(job: Job) -> Found:
    shutil.rmtree(job.inputs, ignore_errors=True)
    part = job.folder / "in.part"
    shutil.rmtree(part, ignore_errors=True)
    clock = Clock()
    _nba("simulate", "--out", str(part), *(f"--{name}={getattr(job, name)}" for name in ("hcps", "weeks", "seed")), "--format", "parquet")
    part.rename(job.inputs)
    return clock.read()


def load(job: Job) -> Found:
    part = _fresh(job.folder / "loading.duckdb", None)
    clock = Clock()
    _nba("load", str(job.inputs))
    found = clock.read()
    part.rename(job.folder / "loaded.duckdb")
    return found


def refit(job: Job) -> Found:
    """The first build: everything is learned."""
    part = _fresh(job.folder / "building.duckdb", job.folder / "loaded.duckdb")
    found = _build(job, "refit", {})
    part.rename(job.folder / "refit.duckdb")
    return found


def score(job: Job) -> Found:
    """Another build with the engagement model that the first one left."""
    part = _fresh(job.folder / "scoring.duckdb", job.folder / "refit.duckdb")
    found = _build(job, "score", {"nba_retrain": "never"})
    part.unlink()
    return found


def _build(job: Job, name: str, switches: dict[str, str]) -> Found:
    import json

    from benchmarks.pipeline.nodes import by_stage, dearest, timed_build, write_nodes

    # Nothing parsed before: another cycle is another `--vars`, which parses anew.
    target = job.folder / f"target_{name}"
    shutil.rmtree(target, ignore_errors=True)
    switches = {"input_schema": "raw", "nba_cycle_start": cycle_start(job), **switches}
    nodes, whole = timed_build(["build", "--vars", json.dumps(switches), "--target-path", str(target), "--log-path", str(target)])
    write_nodes(nodes, job.folder / f"nodes_{name}.csv")
    features = _sum_of(nodes)
    return whole | {"stages": by_stage(nodes, whole), "dearest": dearest(nodes), "features": features}


def _sum_of(nodes: list[Found]) -> Found:
    """The nodes that do what the feature peers do."""
    from benchmarks.pipeline.stages import FEATURE_MODELS

    mine = [node for node in nodes if node["kind"] == "model" and node["name"] in FEATURE_MODELS]
    sums = {measure: round(sum(node[measure] for node in mine), 3) for measure in ("cpu_seconds", "seconds")}
    return sums | {"memory_mb": max(node["memory_mb"] for node in mine)}


def cycle_start(job: Job) -> str:
    from nba.simulate.settings import WorldSettings

    return str(WorldSettings(job.hcps, job.weeks, job.seed).calendar.cycle_start)[:10]


def _fresh(file: Path, source: Path | None) -> Path:
    """A warehouse of this name, copied or new, as the one that dbt and nba use; what was left of another try is gone."""
    for old in file.parent.glob(f"{file.stem}*"):
        old.unlink()
    if source is not None:
        shutil.copyfile(source, file)
    os.environ["NBA_DUCKDB_PATH"] = str(file)
    return file


def _nba(*arguments: str) -> None:
    from nba.cli import main

    if main(list(arguments)) != 0:
        raise RuntimeError(f"nba {arguments[0]} failed")


def features_pandas(job: Job) -> Found:
    settings = _staged(job)
    clock = Clock()
    from benchmarks.pipeline.peers.features_pandas import features, read_given

    scoring, training = features(read_given(job.folder / "staged", settings))
    return clock.read() | _compared(job, {"scoring": scoring, "training": training}, "to_parquet")


def features_polars(job: Job) -> Found:
    settings = _staged(job)
    clock = Clock()
    from benchmarks.pipeline.peers.features_polars import features

    scoring, training = features(job.folder / "staged", settings)
    return clock.read() | _compared(job, {"scoring": scoring, "training": training}, "write_parquet")


def _staged(job: Job) -> Found:
    from benchmarks.pipeline.feature_tables import run_settings, staged_tables

    staged_tables(job.folder / "refit.duckdb", job.folder / "staged")
    return run_settings(job.folder / "refit.duckdb")


def _compared(job: Job, frames: dict[str, Any], write: str) -> Found:
    from benchmarks.pipeline.feature_tables import differences

    files = {name: job.folder / f"answer_{name}.parquet" for name in frames}
    for name in list(frames):
        getattr(frames.pop(name), write)(files[name])
    found = differences(job.folder / "refit.duckdb", files)
    for file in files.values():
        file.unlink()
    return {"compared": found}


def handwritten(job: Job) -> Found:
    from benchmarks.pipeline.peers.handwritten import recommend

    return recommend(job.inputs, job.folder / "handwritten.csv", cycle_start(job), job.peer_seconds)


def _shap(name: str) -> Callable[[Job], Found]:
    def run(job: Job) -> Found:
        from benchmarks.pipeline.peers.shap_values import explained

        return explained(name, job.rows, job.peer_seconds)

    return run


TASKS = {
    "simulate": Task(simulate, "`nba simulate`", None, "in"),
    "load": Task(load, "`nba load`", "simulate", "loaded.duckdb"),
    "refit": Task(refit, "first `dbt build`", "load", "refit.duckdb"),
    "score": Task(score, "`dbt build` with the fitted engagement model", "refit"),
    "features_pandas": Task(features_pandas, "features in pandas", "refit"),
    "features_polars": Task(features_polars, "features in polars", "refit"),
    "handwritten": Task(handwritten, "pandas, scikit-learn, shap, PuLP", "simulate"),
    "shap_ours": Task(_shap("ours"), "`nba.learning.tree_shap`", by_rows=True),
    "shap_explainer": Task(_shap("explainer"), "`shap.TreeExplainer`", by_rows=True),
    "shap_lightgbm": Task(_shap("lightgbm"), "LightGBM `pred_contrib`", by_rows=True),
    "shap_xgboost": Task(_shap("xgboost"), "XGBoost `pred_contribs`", by_rows=True),
}
