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
WAREHOUSE = "nba.duckdb"


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
    """needs: steps that must have been done; makes: the file that shows that this one was. words: for a reader.

    by: `hcps`, `rows` of SHAP values, or nothing: the shipped sample has one size.
    """

    function: Callable[[Job], Found]
    words: str
    needs: tuple[str, ...] = ()
    makes: str | None = None
    by: str = "hcps"

    @property
    def by_rows(self) -> bool:
        return self.by == "rows"


def sample_cold(job: Job) -> Found:
    """Compiles every kernel: what the other tasks then find in the cache."""
    cache = Path(os.environ["NUMBA_CACHE_DIR"])
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir(parents=True)
    found = _build(job, _workplace(job, "sample_cold"), None)
    (job.folder / "compiled").write_text(code_hash())
    return found


def sample_warm(job: Job) -> Found:
    return _build(job, _workplace(job, "sample_warm"), None)


def code_hash() -> str:
    """Of all that may hold a kernel: a change of it is compiled anew."""
    import hashlib

    root = Path(__file__).resolve().parents[2]
    files = sorted(file for folder in ("nba", "optimization") for file in (root / folder).rglob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def simulate(job: Job) -> Found:
    shutil.rmtree(job.inputs, ignore_errors=True)
    part = job.folder / "in.part"
    shutil.rmtree(part, ignore_errors=True)
    clock = Clock()
    _nba("simulate", "--out", str(part), *(f"--{name}={getattr(job, name)}" for name in ("hcps", "weeks", "seed")), "--format", "parquet")
    part.rename(job.inputs)
    return clock.read()


def load(job: Job) -> Found:
    _workplace(job, "load")
    clock = Clock()
    _nba("load", str(job.inputs))
    return clock.read()


def refit(job: Job) -> Found:
    """The first build: everything is learned."""
    shutil.rmtree(job.folder / "staged", ignore_errors=True)
    return _build(job, _workplace(job, "refit", job.folder / "load"), {})


def score(job: Job) -> Found:
    """Another build with the engagement model that the first one left."""
    return _build(job, _workplace(job, "score", job.folder / "refit"), {"nba_retrain": "never"})


def earlier(job: Job) -> Found:
    """The first build, one cycle back: what a next cycle finds."""
    return _build(job, _workplace(job, "earlier", job.folder / "load"), {"nba_cycle_start": cycle_start(job, back=1)})


def following(job: Job) -> Found:
    """The build of the cycle after it: four more weeks are known, everything is scored anew."""
    return _build(job, _workplace(job, "following", job.folder / "earlier"), {"nba_retrain": "never"})


def _build(job: Job, place: Path, switches: dict[str, str] | None) -> Found:
    """switches: of a build of the world; None builds the shipped sample."""
    import json

    from benchmarks.pipeline.nodes import by_stage, dearest, timed_build, write_nodes

    # Nothing parsed before: another cycle is another `--vars`, which parses anew.
    switches = {"input_schema": "raw", "nba_cycle_start": cycle_start(job), **switches} if switches is not None else {}
    paths = ["--target-path", str(place / "target"), "--log-path", str(place / "target")]
    nodes, whole = timed_build(["build", "--vars", json.dumps(switches), *paths])
    write_nodes(nodes, job.folder / f"nodes_{place.stem}.csv")
    return whole | {"stages": by_stage(nodes, whole), "dearest": dearest(nodes), "features": _sum_of(nodes)}


def _sum_of(nodes: list[Found]) -> Found:
    """The nodes that do what the feature peers do."""
    from benchmarks.pipeline.stages import FEATURE_MODELS

    mine = [node for node in nodes if node["kind"] == "model" and node["name"] in FEATURE_MODELS]
    sums = {measure: round(sum(node[measure] for node in mine), 3) for measure in ("cpu_seconds", "seconds")}
    return sums | {"memory_mb": max(node["memory_mb"] for node in mine)}


def cycle_start(job: Job, back: int = 0) -> str:
    """First day of the cycle that the world was made for, or of one so many cycles before."""
    import numpy as np

    from nba.simulate.settings import WorldSettings

    return str(WorldSettings(job.hcps, job.weeks, job.seed).calendar.cycle_start - np.timedelta64(28 * back, "D"))[:10]


def _workplace(job: Job, name: str, source: Path | None = None) -> Path:
    """An empty folder with a warehouse of the name that every step gives it (views hold it), as the one that dbt and nba use.

    The warehouse of source is copied; where the disk has no room for another one it is taken, and its step is run again when it is
    needed again.
    """
    place = job.folder / f"{name}.part"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    if source is not None:
        has_room = shutil.disk_usage(place).free > 3 * (source / WAREHOUSE).stat().st_size
        for file in source.glob(f"{WAREHOUSE}*"):
            (shutil.copyfile if has_room else shutil.move)(file, place / file.name)
    os.environ["NBA_DUCKDB_PATH"] = str(place / WAREHOUSE)
    return place


def settle(task: str, folder: Path) -> None:
    """After the worker has ended and closed its warehouse: keep that for the next step, or clear it away where nothing needs it."""
    place = folder / f"{task}.part"
    if not place.exists():
        return
    if not str(TASKS[task].makes).endswith(WAREHOUSE):
        shutil.rmtree(place)
        return
    for other in place.iterdir():
        if not other.name.startswith(WAREHOUSE):
            shutil.rmtree(other) if other.is_dir() else other.unlink()
    shutil.rmtree(folder / task, ignore_errors=True)
    place.rename(folder / task)


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

    staged_tables(job.folder / "refit" / WAREHOUSE, job.folder / "staged")
    return run_settings(job.folder / "refit" / WAREHOUSE)


def _compared(job: Job, frames: dict[str, Any], write: str) -> Found:
    from benchmarks.pipeline.feature_tables import differences

    files = {name: job.folder / f"answer_{name}.parquet" for name in frames}
    for name in list(frames):
        getattr(frames.pop(name), write)(files[name])
    found = differences(job.folder / "refit" / WAREHOUSE, files)
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
    "sample_cold": Task(sample_cold, "`dbt build` of the sample, nothing compiled", (), "compiled", "sample"),
    "sample_warm": Task(sample_warm, "`dbt build` of the sample, kernels in the cache", ("sample_cold",), None, "sample"),
    "simulate": Task(simulate, "`nba simulate`", (), "in"),
    "load": Task(load, "`nba load`", ("simulate",), f"load/{WAREHOUSE}"),
    "refit": Task(refit, "first `dbt build`", ("sample_cold", "load"), f"refit/{WAREHOUSE}"),
    "features_pandas": Task(features_pandas, "features in pandas", ("refit",)),
    "features_polars": Task(features_polars, "features in polars", ("refit",)),
    "score": Task(score, "`dbt build` with the fitted engagement model", ("sample_cold", "refit")),
    "earlier": Task(earlier, "first `dbt build`, one cycle back", ("sample_cold", "load"), f"earlier/{WAREHOUSE}"),
    "following": Task(following, "`dbt build` of the following cycle with the fitted engagement model", ("sample_cold", "earlier")),
    "handwritten": Task(handwritten, "pandas, scikit-learn, shap, PuLP", ("simulate",)),
    "shap_ours": Task(_shap("ours"), "`nba.learning.tree_shap`", by="rows"),
    "shap_explainer": Task(_shap("explainer"), "`shap.TreeExplainer`", by="rows"),
    "shap_lightgbm": Task(_shap("lightgbm"), "LightGBM `pred_contrib`", by="rows"),
    "shap_xgboost": Task(_shap("xgboost"), "XGBoost `pred_contribs`", by="rows"),
}
