"""Rows of the benchmark in a fresh process: draw the world, let each method answer by the clock, then judge the answer by the truth.

    python -m benchmarks.impact.worker FOLDER WORLD HCPS WEEKS SEED METHOD [METHOD ..]

Writes `<method>.json` into FOLDER. The clock counts the method alone, its own imports included: drawing
the world, dense panels, imports of this file and the plan are outside.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.allocation.worker import _cpu_seconds, _forget_peak, _memory_mb
from benchmarks.impact.measures import interval_measures, value_measures
from benchmarks.impact.methods import METHODS, Answer
from benchmarks.impact.observed import observe
from benchmarks.impact.value import best_plan, breaks
from benchmarks.impact.worlds import ImpactWorld, draw_world


def main(arguments: list[str]) -> None:
    folder, name = Path(arguments[0]), arguments[1]
    world = draw_world(name, *(int(number) for number in arguments[2:5]))
    seen = observe(world)
    for method in arguments[5:]:
        function = METHODS[method].function
        _forget_peak()
        before, cpu, began = _memory_mb("VmRSS:"), _cpu_seconds(), time.perf_counter()
        answer = function(seen)
        row: dict[str, Any] = {"seconds": time.perf_counter() - began, "cpu_seconds": _cpu_seconds() - cpu}
        row |= {"memory_mb": _memory_mb("VmHWM:"), "memory_before_mb": before, "said": answer.said, "effective": answer.effective}
        (folder / f"{method}.json").write_text(json.dumps(row | judged(world, answer)))


def judged(world: ImpactWorld, answer: Answer) -> dict[str, Any]:
    """Everything that the truth says about an answer."""
    truth = world.true_matrix()
    plans = answer.plans if answer.plans is not None else [best_plan(world, answer.score)]
    row = value_measures(truth, plans[0], answer.score if answer.in_kpi else None)
    row["gain"] = float(np.mean([truth[plan].sum() for plan in plans]))
    row["true_total"] = float(np.abs(truth).sum())
    row["broken"] = [words for plan in plans for words in breaks(world, plan)]
    if answer.low is not None:
        row |= interval_measures(truth, answer.low, answer.high, plans[0], world.channels)
    return row


if __name__ == "__main__":
    main(sys.argv[1:])
