"""This project's engine, by the problem and by plain rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.allocation.peers import Answer, Job
from benchmarks.allocation.trace import ours_line

if TYPE_CHECKING:
    from benchmarks.allocation.linear import LinearModel


def warm() -> None:
    """A small instance solved beforehand: imports, compiled kernels."""
    from benchmarks.allocation.families import draw_case
    from benchmarks.allocation.problems import problem_of
    from optimization.solve import solve

    for family in ("rep_time", "budget"):
        solve(problem_of(draw_case(family, 600)))


def solve_problem(job: Job) -> Answer:
    """`optimization.solve.solve`: it has no clock, only the kill at the limit ends it early."""
    from optimization.solve import solve

    def say(line: str) -> None:
        found = ours_line(line)
        if found is not None:
            job.trace.event("say", *found)

    job.built()
    solution = solve(job.problem, say)
    job.solved()
    return Answer(np.asarray(solution.touches), float(solution.upper_bound), solution.status)


def allocate_rows(job: Job) -> Answer:
    """`optimization.allocate` on the rows of the linear model: contact limits as `at_most`, everything else as plain rows."""
    from optimization import allocate

    model, width = job.model, len(job.problem.channels)
    group = (model.pairs // width).astype(np.int64)
    at_most = _at_most(job)[np.unique(group)]
    rows = model.rows[model.cap_rows :]
    job.built()
    found = allocate(model.gain, group, at_most, rows, model.lower[model.cap_rows :], model.upper[model.cap_rows :], gap=job.gap)
    job.solved()
    return Answer(_touches(model, found.chosen), float(found.upper_bound), found.status)


def _at_most(job: Job) -> np.ndarray:
    (cap,) = job.problem.caps
    if not np.array_equal(cap.group, cap.pairs // len(job.problem.channels)):
        raise ValueError("the contact limit must be one per HCP over all its channels")
    return cap.upper.astype(np.int64)


def _touches(model: LinearModel, chosen: np.ndarray) -> np.ndarray:
    touches = np.zeros(model.pair_count, dtype=np.int16)
    touches[model.pairs] = chosen
    return touches
