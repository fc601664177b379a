"""Which panel and which code a model was learned from, so that what is known already is not learned again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import numpy as np

from nba.impact.history import People
from nba.impact.model import ImpactModel
from nba.impact.panel import Panel
from nba.impact.settings import ImpactSettings

PACKAGES = ("nba.impact", "nba.learning")
LIBRARIES = ("numpy", "scikit-learn")  # another release may add up otherwise


def learned_from(panel: Panel, who: People, catalogue: np.ndarray, settings: ImpactSettings) -> str:
    """SHA-256 (hex) of all that a fit reads: panel, people, catalogue (C,), settings, the estimator's source and the libraries under it."""
    digest = hashlib.sha256(_code().encode())
    for name, value in [*_fields(panel), *_fields(who), ("catalogue", catalogue), ("settings", repr(settings))]:
        digest.update(f"\n{name} ".encode())
        if isinstance(value, np.ndarray) and value.dtype != object:
            digest.update(f"{value.dtype} {value.shape} ".encode() + np.ascontiguousarray(value).tobytes())
        else:
            digest.update(_text(value).encode())
    return digest.hexdigest()


def kept_model(records: Iterable[Mapping[str, Any]], learned: str) -> ImpactModel | None:
    """The model of the record (model_version, model_json, learned_from) learned from the same; None where there is none, or where its
    text is not what its version says."""
    for record in records:
        if record["learned_from"] == learned and hashlib.sha256(record["model_json"].encode()).hexdigest()[:16] == record["model_version"]:
            return ImpactModel.from_json(record["model_json"])
    return None


def _fields(of: Any) -> list[tuple[str, Any]]:
    return [(field.name, getattr(of, field.name)) for field in fields(of)]


def _text(value: Any) -> str:
    if hasattr(value, "to_pylist"):
        return "\x1f".join(value.to_pylist())
    if isinstance(value, np.ndarray):
        return "\x1f".join(map(str, value.tolist()))
    if isinstance(value, dict):
        return "\x1e".join(f"{key}={_text(part)}" for key, part in value.items())
    return repr(value)


def _code() -> str:
    sources = (path for package in PACKAGES for path in files(package).iterdir() if path.name.endswith(".py"))
    known = sorted((path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in sources)
    return repr((known, [(name, version(name)) for name in LIBRARIES]))
