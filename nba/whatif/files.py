"""What `nba whatif --out FOLDER` writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError

if TYPE_CHECKING:
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
        frame.to_csv(folder / name, index=False)
    return list(tables)


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
    frame.to_csv(folder / "curve.csv", index=False)
    (folder / "curve.svg").write_text(curve_picture(curve, limit.label, limit.unit, limit.bound), "utf-8")
    return ["curve.csv", "curve.svg"]


def write_field(folder: Path, plan: FieldPlan) -> list[str]:
    """current_plan_rows.csv (rows that cannot stand) and current_plan_limits.csv (its use of every limit)."""
    plan.rows.to_csv(folder / "current_plan_rows.csv", index=False)
    plan.limits.to_csv(folder / "current_plan_limits.csv", index=False)
    return ["current_plan_rows.csv", "current_plan_limits.csv"]
