"""CPU seconds, wall seconds and peak memory of a part of this process and the children it has waited for."""

from __future__ import annotations

import resource
import time
from contextlib import suppress
from pathlib import Path


class Clock:
    """Runs from its making; the peak of memory is forgotten then where the system can do that (Linux)."""

    def __init__(self) -> None:
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
        self._cpu, self._began = cpu_seconds(), time.perf_counter()

    def read(self) -> dict[str, float]:
        """cpu_seconds, seconds, memory_mb (largest resident size since the clock was made)."""
        found = {"cpu_seconds": cpu_seconds() - self._cpu, "seconds": time.perf_counter() - self._began}
        return {name: round(value, 4) for name, value in found.items()} | {"memory_mb": round(peak_mb())}


def cpu_seconds() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def peak_mb() -> float:
    """Largest resident size since the last `Clock`, or of a child."""
    status = Path("/proc/self/status")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if status.exists():
        own = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024
