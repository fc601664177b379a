"""One row of the benchmark in a fresh process: draw, prepare, then build, solve and read back by the clock, then judge.

    python -m benchmarks.allocation.worker FOLDER PEER INSTANCE HCPS SEED LIMIT GAP [SAMPLE]

Writes `events.jsonl` while it runs and `row.json` at the end into FOLDER. The clock runs from the first line of the peer's own
building to the plan as an array; drawing the instance, its linear model, imports and compiling are outside (except for `ours_cold`).
"""

from __future__ import annotations

import json
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.allocation.instances import instance
from benchmarks.allocation.peers import PEERS, Answer, Job
from benchmarks.allocation.trace import Trace


def main(arguments: list[str]) -> None:
    folder, name, kind = Path(arguments[0]), arguments[1], arguments[2]
    hcps, seed, limit, gap = int(arguments[3]), int(arguments[4]), float(arguments[5]), float(arguments[6])
    problem = instance(kind, hcps, seed, gap, Path(arguments[7]) if len(arguments) > 7 else None)
    peer = PEERS[name]
    model = None
    if peer.linear:
        from benchmarks.allocation.linear import linear_model

        model = linear_model(problem)
    began = time.perf_counter()
    peer.prepare()
    prepared = time.perf_counter() - began
    _forget_peak()
    memory_before = _memory_mb("VmRSS:")
    trace = Trace(folder / "events.jsonl")
    job = Job(problem, model, gap, limit, trace, folder)
    cpu = _cpu_seconds()
    trace.start()
    try:
        answer = peer.function(job)
    except (RuntimeError, MemoryError) as error:
        answer = Answer(None, None, f"{type(error).__name__}: {error}")
    total = trace.seconds
    row = {
        "said": answer.said,
        "seconds": total,
        "build_seconds": job.seconds.get("build"),
        "solve_seconds": job.seconds.get("solve"),
        "read_seconds": total - job.seconds.get("build", 0.0) - job.seconds["solve"] if "solve" in job.seconds else None,
        "prepare_seconds": prepared,
        "cpu_seconds": _cpu_seconds() - cpu,
        "memory_mb": _memory_mb("VmHWM:"),
        "memory_before_mb": memory_before,
        "hcps_in_instance": len(problem.hcp_ids),
        "pairs": int(problem.eligible.sum()),
        "overlap": problem.settings.overlap,
    }
    row |= _judged(problem, answer)
    trace.event("end", row["total"] if row["violations"] == 0 else None, answer.bound, seconds=total)
    (folder / "row.json").write_text(json.dumps(row))


def _judged(problem, answer: Answer) -> dict[str, object]:
    """Objective, penalty, violations and gap, from the plan alone and the peer's own bound."""
    from optimization.checker import check_plan, objective_of

    row: dict[str, object] = {"bound": answer.bound, "total": None, "objective": None, "penalty": None, "gap": None}
    row |= {"actions": None, "violations": None, "violation_units": None, "broken": None}
    if answer.touches is None:
        return row
    broken = check_plan(problem, answer.touches)
    objective, penalty, _ = objective_of(problem, answer.touches)
    total = objective - penalty
    row |= {"total": total, "objective": objective, "penalty": penalty, "actions": int(answer.touches.sum())}
    row |= {"violations": len(broken), "violation_units": sum(item.amount for item in broken)}
    row["broken"] = "; ".join(f"{item.label} by {item.amount:g}" for item in broken[:3]) or None
    if answer.bound is not None and not broken:
        row["gap"] = max(0.0, answer.bound - total) / max(abs(total), 1e-9)
    return row


def _cpu_seconds() -> float:
    """CPU of this process and of the children it has waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _forget_peak() -> None:
    """From here on the peak counts anew; where the system cannot do that, drawing the instance counts too."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _memory_mb(field: str) -> float:
    """VmRSS (now) or VmHWM (largest since `_forget_peak`) of this process, or the largest of a child it has waited for."""
    status = Path("/proc/self/status")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if status.exists():
        own = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith(field))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


if __name__ == "__main__":
    main(sys.argv[1:])
