"""What `nba whatif --out FOLDER` writes."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError
from nba.plain_text import spreadsheet_text

if TYPE_CHECKING:
    import pandas as pd

    from optimization.problem import Problem
    from optimization.scenario import Scenario
    from optimization.scenario_compare import Comparison
    from optimization.scenario_curve import Curve
    from optimization.scenario_field import FieldPlan


def open_folder(folder: Path) -> Path:
    """The folder, made where it is not there; NbaError where it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NbaError(f"cannot write into {folder}: {error.strerror}") from error
    return folder


def write_comparison(folder: Path, found: Comparison) -> list[str]:
    """comparison.csv (numbers), actions.csv (HCP x channel that move), moves.csv (channel x territory), limits.csv."""
    tables = {
        "comparison.csv": found.numbers,
        "actions.csv": found.actions[found.actions["move"] != "kept"],
        "moves.csv": found.moves,
        "limits.csv": found.limits,
    }
    for name, frame in tables.items():
        _write_csv(frame, folder / name)
    return list(tables)


def _write_csv(frame: pd.DataFrame, path: Path) -> None:
    """The frame as CSV, texts such that no spreadsheet runs them."""
    texts = {
        name: frame[name].map(_cell) for name in frame.columns if frame[name].dtype.kind == "O" or str(frame[name].dtype).startswith("str")
    }
    frame.assign(**texts).to_csv(path, index=False, quoting=csv.QUOTE_NONNUMERIC)


def _cell(value: Any) -> Any:
    return spreadsheet_text(value) if isinstance(value, str) else value


def write_scenario(folder: Path, scenario: Scenario, facts: Mapping[str, Any]) -> list[str]:
    """scenario.json: what was asked, and of which run."""
    asked = {
        "title": scenario.title,
        "limits": [asdict(change) for change in scenario.changes],
        "new_limits": [asdict(new) for new in scenario.new_limits],
        "force": [list(pair) for pair in scenario.forced],
        "forbid": [list(pair) for pair in scenario.forbidden],
    }
    text = json.dumps({**facts, "scenario": asked}, indent=2, ensure_ascii=False, default=float)
    (folder / "scenario.json").write_text(text + "\n", "utf-8")
    return ["scenario.json"]


def write_curve(folder: Path, problem: Problem, curve: Curve) -> list[str]:
    """curve.csv and curve.svg."""
    import pandas as pd

    from nba.whatif.picture import curve_picture

    limit = problem.limits[curve.limit]
    columns = ("bound", "upper_bound", "price", "total", "gap")
    frame = pd.DataFrame({"limit_id": limit.limit_id, **{name: getattr(curve, name) for name in columns}})
    _write_csv(frame, folder / "curve.csv")
    (folder / "curve.svg").write_text(curve_picture(curve, limit.label, limit.unit, limit.bound), "utf-8")
    return ["curve.csv", "curve.svg"]


def write_field(folder: Path, plan: FieldPlan) -> list[str]:
    """current_plan_rows.csv (rows that cannot stand) and current_plan_limits.csv (its use of every limit)."""
    _write_csv(plan.rows, folder / "current_plan_rows.csv")
    _write_csv(plan.limits, folder / "current_plan_limits.csv")
    return ["current_plan_rows.csv", "current_plan_limits.csv"]
