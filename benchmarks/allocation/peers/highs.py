"""HiGHS without a modelling layer: the plain MILP, and the LP followed by restricted MILPs, which is how an expert would go about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from benchmarks.allocation.linear import LinearModel
from benchmarks.allocation.peers import Answer, Job
from benchmarks.allocation.trace import LogTail, highs_line

if TYPE_CHECKING:
    import highspy

FIRST_FREE = 0.04  # columns per HCP freed beyond the fractional and the basic ones in the first restricted MILP
GROWTH = 3


def arrays(job: Job) -> Answer:
    """The whole model as arrays into HiGHS."""
    solver = highs(job.model)
    job.built()
    answer = run_mip(job, solver)
    return Answer(None if answer.values is None else job.model.touches(answer.values), answer.bound, answer.said)


def lp_restricted(job: Job) -> Answer:
    """The LP, then MILPs in which only columns with a small reduced gain are free, more of them each round.

    With z the LP optimum, a plan that moves a fixed column off its bound is at most z - (its reduced gain). So
    bound = min(z, max(dual bound of the restricted MILP, z - smallest reduced gain left out)).
    """
    model = job.model
    job.built()
    lp = linear_relaxation(job, model)
    job.trace.event("lp", None, lp.bound)
    rank = np.where(lp.fractional, -1.0, np.where(lp.short <= 1e-9, 0.0, lp.short))
    order = np.argsort(np.where(model.integer, rank, np.inf), kind="stable")[: int(model.integer.sum())]
    ranked = np.maximum(rank[order], 0.0)
    basic, extra = int((ranked <= 0).sum()), max(200, int(FIRST_FREE * len(job.problem.hcp_ids)))
    best, bound, said, free = None, lp.bound, "LP only", basic + extra
    while job.trace.seconds < job.limit:
        columns = order[:free]
        outside = float(ranked[free]) if free < len(order) else np.inf
        if best is not None and outside >= lp.bound - best.total:
            outside = np.inf  # what is left out cannot be part of a better plan
        found = _restricted(job, model, lp.nearest, columns, best)
        said = found.said
        if found.values is not None and (best is None or found.total > best.total):
            best = found
        if found.bound is not None:
            bound = min(bound, max(found.bound, lp.bound - outside))
        if best is not None:
            bound = max(bound, best.total)
            job.trace.event("restricted", best.total, bound)
            if bound - best.total <= job.gap * abs(best.total) or np.isinf(outside):
                break
        if free >= len(order):
            break
        extra *= GROWTH
        free = basic + extra
    job.solved()
    return Answer(None if best is None else model.touches(best.values), bound, said)


@dataclass(frozen=True)
class MipEnd:
    """values (n,) of the best plan or None, its total (KPI units), the solver's bound or None, its own words."""

    values: np.ndarray | None
    total: float
    bound: float | None
    said: str


@dataclass(frozen=True)
class LpEnd:
    """The LP's end, arrays over columns.

    values, rest: solution and reduced gains; bound: a valid one from the duals; nearest: where an integer column rests; fractional: bool;
    short: what is lost at least when the column leaves its bound, 0 for basic ones.
    """

    values: np.ndarray
    rest: np.ndarray
    bound: float
    nearest: np.ndarray
    fractional: np.ndarray
    short: np.ndarray


def highs(model: LinearModel, integer: bool = True) -> highspy.Highs:
    """A solver holding the model, one thread, silent on the console."""
    import highspy

    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = model.rows.shape
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = model.gain, model.low, model.top
    lp.row_lower_, lp.row_upper_ = model.lower, model.upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = model.rows.indptr, model.rows.indices, model.rows.data
    if integer:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[whole] for whole in model.integer.tolist()]
    solver = highspy.Highs()
    solver.setOptionValue("log_to_console", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(lp)
    return solver


def run_mip(job: Job, solver: highspy.Highs) -> MipEnd:
    """The MILP to the job's gap within what is left of its time; marks `solved`."""
    log = job.folder / "solver.log"
    for name, setting in mip_options(job).items():
        solver.setOptionValue(name, setting)
    with LogTail(log, highs_line(), job.trace):
        solver.run()
        job.solved()
    return mip_end(solver)


def mip_options(job: Job) -> dict[str, object]:
    """The options every peer on HiGHS runs with, whatever layer passes them."""
    return {
        "log_file": str(job.folder / "solver.log"),
        "threads": 1,
        "mip_rel_gap": job.gap,
        "time_limit": job.left,
        "mip_min_logging_interval": 1.0,
    }


def mip_end(solver: highspy.Highs, sign: float = 1.0) -> MipEnd:
    info = solver.getInfo()
    said = solver.modelStatusToString(solver.getModelStatus())
    bound = sign * float(info.mip_dual_bound)
    values = np.array(solver.getSolution().col_value) if info.primal_solution_status == 2 else None
    return MipEnd(values, sign * float(info.objective_function_value), bound if np.isfinite(bound) else None, said)


def linear_relaxation(job: Job, model: LinearModel) -> LpEnd:
    """The LP by HiGHS in its own choice of method. RuntimeError when the time does not suffice."""
    import highspy

    solver = highs(model, integer=False)
    solver.setOptionValue("time_limit", job.left)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"LP: {solver.modelStatusToString(solver.getModelStatus())}")
    solution = solver.getSolution()
    values, duals = np.array(solution.col_value), np.array(solution.row_dual)
    rest = model.gain - model.rows.T @ duals
    nearest = np.where(rest > 0, model.top, model.low)
    whole = np.rint(values)
    fractional = np.abs(values - whole) > 1e-7
    basic = np.abs(rest) <= 1e-9
    nearest = np.where(basic & ~fractional, whole, nearest)
    return LpEnd(values, rest, model.bound_of(duals), nearest, fractional & model.integer, np.where(model.integer, np.abs(rest), 0.0))


def _restricted(job: Job, model: LinearModel, nearest: np.ndarray, columns: np.ndarray, best: MipEnd | None) -> MipEnd:
    """The MILP with every integer column outside `columns` fixed where the LP leaves it."""
    free = np.zeros(len(model.gain), dtype=bool)
    free[columns] = True
    free |= ~model.integer
    fixed = np.where(free, 0.0, nearest)
    used = model.rows @ fixed
    matrix = sparse.csc_matrix(model.rows)[:, free].tocsr()
    part = LinearModel(
        model.gain[free],
        model.low[free],
        model.top[free],
        model.integer[free],
        matrix,
        model.lower - used,
        model.upper - used,
        model.pairs[:0],
        0,
    )
    import highspy

    solver = highs(part)
    # A round that cannot close its own gap must leave time for a wider one, unless there is nothing wider.
    limit = job.left if free.all() else min(job.left, max(5.0, job.left / 2))
    log = job.folder / f"restricted_{len(columns)}.log"
    for name, setting in (mip_options(job) | {"log_file": str(log), "mip_rel_gap": job.gap / 2, "time_limit": limit}).items():
        solver.setOptionValue(name, setting)
    if best is not None and np.allclose(best.values[~free], fixed[~free]):
        start = highspy.HighsSolution()
        start.col_value = best.values[free].tolist()
        solver.setSolution(start)
    constant = float(model.gain @ fixed)
    with LogTail(log, _shifted(constant), job.trace):
        solver.run()
    end = mip_end(solver)
    values = None
    if end.values is not None:
        values = fixed.copy()
        values[free] = end.values
    return MipEnd(values, end.total + constant, None if end.bound is None else end.bound + constant, end.said)


def _shifted(constant: float):
    """Plans of a restricted MILP are plans of the whole; its bounds are not bounds of the whole."""
    parse = highs_line()

    def line(text: str) -> tuple[float | None, float | None] | None:
        found = parse(text)
        return None if found is None or found[0] is None else (found[0] + constant, None)

    return line
