"""The house rules that a machine can hold: direction of imports, size of binders, what no file may name."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tracked(*suffixes: str) -> list[Path]:
    """Files of the checkout: tracked, and new ones that git does not ignore."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines() if name.endswith(suffixes) and (ROOT / name).is_file()]


def imported_packages(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_optimization_imports_nothing_of_ours_and_no_warehouse():
    files = sorted((ROOT / "optimization").rglob("*.py"))
    assert len(files) > 10
    for path in files:
        assert not imported_packages(path) & {"nba", "dbt", "duckdb", "snowflake"}, path.name


def test_learning_does_not_import_the_planner_or_the_surfaces():
    for path in (ROOT / "nba" / "learning").rglob("*.py"):
        text = path.read_text()
        assert "optimization" not in imported_packages(path), path.name
        assert not re.search(r"from nba\.(cli|load|planning|rollback|warehouse)", text), path.name


def test_binders_are_short_and_hold_no_logic():
    binders = sorted((ROOT / "python_models").rglob("*.py"))
    assert len(binders) >= 6
    for path in binders:
        lines = [line for line in path.read_text().splitlines() if line.strip()]
        assert len(lines) <= 45, f"{path.name} has {len(lines)} lines"


def test_no_file_names_a_machine_path_or_a_package_index():
    pattern = re.compile(r"(?<![\w.])/(?:work|root)/\w+|https?://[\w.-]*(?:pypi|npmjs|debian)[\w.-]*")
    found = []
    for path in tracked(".py", ".sql", ".yml", ".yaml", ".md", ".toml", ".txt", ".lock", ".sh", "Makefile"):
        if path.name != Path(__file__).name:
            found += [f"{path.relative_to(ROOT)}: {hit}" for hit in pattern.findall(path.read_text())]
    assert found == []


@pytest.mark.parametrize("lock", ["core.lock", "test.lock", "lint.lock"])
def test_locks_pin_every_package_with_hashes(lock):
    text = (ROOT / "requirements" / lock).read_text()
    packages = re.findall(r"^[a-z0-9][\w.-]*(?:\[[\w,]+\])?==\S+", text, re.M)
    assert len(packages) > 10
    blocks = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert all("--hash=sha256:" in block for block in blocks)


def test_names_of_unit_tests_fit_into_every_engine():
    """PostgreSQL stores 63 characters, and dbt makes a relation of each name."""
    names = re.findall(r"^  - name: (\w+__\w+)$", "\n".join(path.read_text() for path in (ROOT / "models").rglob("*.yml")), re.M)
    assert len(names) > 30 and [name for name in names if len(name) > 63] == []
