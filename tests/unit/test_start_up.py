"""What a build loads before it has work for it: nothing heavy. Seconds are measured by benchmarks; what is imported can be held."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("great_expectations", "highspy", "matplotlib", "numba", "pandas", "pyomo", "scipy", "shap", "sklearn")


def loaded_by(code: str) -> list[str]:
    """The heavy packages that a fresh interpreter has after `code`."""
    told = f"{code}\nimport sys\nprint(' '.join(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def imports_of_binders() -> str:
    """Every import of our own packages in the dbt Python models, which stand inside their functions."""
    lines = []
    for path in sorted((ROOT / "python_models").rglob("*.py")):
        found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
        lines += [ast.unparse(node) for node in found if (node.module or "").split(".")[0] in ("nba", "optimization", "expectations")]
    assert lines, "no binder imports anything: is the folder gone?"
    return "\n".join(lines)


def test_binders_and_doors_load_heavy_packages_only_when_they_work() -> None:
    doors = ("nba.cli", "nba.planning", "nba.gates.quality", "nba.serving", "nba.fingerprint", "optimization", "expectations")
    assert loaded_by(f"{imports_of_binders()}\nimport {', '.join(doors)}") == []


def test_gates_bring_no_solver() -> None:
    assert not {"highspy", "pyomo", "numba"} & set(loaded_by("import nba.gates.running, nba.gates.limits, nba.gates.facts"))


def test_the_planner_brings_no_gates_and_no_models() -> None:
    loaded = loaded_by("import optimization.solve, optimization.model, nba.plan_outputs")
    assert not {"great_expectations", "pyomo", "sklearn", "shap"} & set(loaded)
