"""Facts about the machine and the code that a figure depends on; no names of hosts, users or folders."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("numpy", "scipy", "numba", "highspy", "pyomo", "pulp", "ortools", "linopy")
FOLDERS = ("optimization", "benchmarks")
ROOT = Path(__file__).resolve().parents[2]


def machine_facts(packages: tuple[str, ...] = PACKAGES, folders: tuple[str, ...] = FOLDERS) -> dict[str, object]:
    """Processor, cores, memory, Python and package versions, commit (`+` = with changes in these folders that are not committed), load of
    the last minute."""
    return {
        "cpu": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in packages},
        "commit": _commit(folders),
        "load": round(os.getloadavg()[0], 2),
    }


def _field(file: str, name: str) -> str | None:
    path = Path(file)
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith(name):
            return line.split(":", 1)[1].strip()
    return None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit(folders: tuple[str, ...]) -> str | None:
    """Short commit of the checkout; `+` where Python files of these folders differ from it."""
    try:
        short = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
        changed = subprocess.run(["git", "status", "--porcelain", "--", *folders], cwd=ROOT, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    code = [line for line in changed.stdout.splitlines() if line.endswith(".py")]
    return short.stdout.strip() + ("+" if code else "")


def run_limited(command: Sequence[str], environment: Mapping[str, str], output: Path, limit: float) -> bool:
    """Run a worker in the project's folder, its words into `output`; True if it was killed after `limit` seconds, with all it started."""
    with output.open("w") as written:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=written, stderr=written, start_new_session=True)
        try:
            process.wait(limit)
            return False
        except subprocess.TimeoutExpired:
            return True
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def last_words(file: Path) -> str:
    """The last line that names an error, else the last line."""
    lines = [line.strip() for line in file.read_text(errors="replace").splitlines() if line.strip()]
    named = [line for line in lines if "Error" in line and not line.startswith(("File ", "raise "))]
    return (named or lines or ["ended without a word"])[-1][:300]
