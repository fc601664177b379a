"""The adapter as others would install it: a wheel that adds to dbt's packages and replaces nothing of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "pgpy"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel made from a copy of the folder, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(PACKAGE, folder / "pgpy", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder)]
    subprocess.run([*command, str(folder / "pgpy")], check=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.mark.long
def test_the_wheel_holds_only_what_is_its_own(wheel: Path) -> None:
    assert wheel.name == "dbt_pgpy-0.1.0-py3-none-any.whl"
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    shipped = {
        str(path.relative_to(PACKAGE)) for path in (PACKAGE / "dbt").rglob("*") if path.suffix in (".py", ".sql", ".yml") and path.is_file()
    }
    assert held == shipped
    assert {"dbt/include/pgpy/macros/table.sql", "dbt/include/pgpy/dbt_project.yml", "dbt/adapters/pgpy/impl.py"} <= held
    assert all(name.startswith(("dbt/adapters/pgpy/", "dbt/include/pgpy/")) for name in held)


@pytest.mark.long
def test_dbt_finds_the_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(tmp_path), str(wheel)]
    subprocess.run(command, check=True)
    program = (
        "from dbt.adapters.factory import FACTORY; FACTORY.load_plugin('pgpy'); import dbt.adapters.pgpy as found; "
        "print(found.__file__); print(FACTORY.packages['dbt_pgpy'])"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment, cwd=tmp_path).stdout
    adapter, macros = told.split()
    assert Path(adapter).is_relative_to(tmp_path) and Path(macros).is_relative_to(tmp_path)
    assert (Path(macros) / "macros" / "incremental.sql").is_file()
