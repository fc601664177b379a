"""OR-Tools: CP-SAT on scaled integers, PDLP followed by rounding. Its library and highspy's do not load into one process."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from benchmarks.allocation.linear import LinearModel
from benchmarks.allocation.peers import Answer, Job

LARGEST_GAIN = 1e6  # CP-SAT: the largest gain becomes this integer
DECIMALS = 4  # CP-SAT: coefficients of rows may have so many


def cp_sat(job: Job) -> Answer:
    """CP-SAT with one worker. Gains are rounded up to integers, so that its bound, scaled back, stays a bound."""
    from ortools.sat.python import cp_model

    model = job.model
    scale = LARGEST_GAIN / max(float(np.abs(model.gain[model.integer]).max(initial=0.0)), 1e-12)
    program, variables = _cp_model(model, scale)
    job.built()
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.interleave_search = True  # its strategies take turns; without it one worker found no plan at 2,000 HCPs
    solver.parameters.relative_gap_limit = job.gap
    solver.parameters.max_time_in_seconds = job.left
    solver.best_bound_callback = lambda bound: job.trace.event("bound", None, bound / scale)

    class Found(cp_model.CpSolverSolutionCallback):
        def on_solution_callback(self) -> None:
            job.trace.event("plan", self.objective_value / scale, self.best_objective_bound / scale)

    status = solver.solve(program, Found())
    job.solved()
    said = solver.status_name(status)
    bound = solver.best_objective_bound / scale
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Answer(None, bound if bound < 1e15 else None, said)
    values = np.array([solver.value(variable) for variable in variables[: len(model.pairs)]])
    return Answer(model.touches(values), bound, said)


def _cp_model(model: LinearModel, scale: float):
    from ortools.sat.python import cp_model

    program = cp_model.CpModel()
    low, top = np.ceil(model.low).astype(int).tolist(), np.floor(model.top + 1e-9).astype(int).tolist()
    variables = [program.new_int_var(low[place], top[place], "") for place in range(len(low))]
    start, column = model.rows.indptr.tolist(), model.rows.indices.tolist()
    times = _multiplier(model.rows)
    whole = np.rint(model.rows.data * np.repeat(times, np.diff(model.rows.indptr))).astype(np.int64).tolist()
    # A bound rounded inwards keeps every plan of whole coefficients that the exact bound allows, to the checker's tolerance.
    upper = np.floor(model.upper * times + 1e-6).tolist()
    lower = np.ceil(model.lower * times - 1e-6).tolist()
    for row in range(model.rows.shape[0]):
        inside = column[start[row] : start[row + 1]]
        terms = cp_model.LinearExpr.weighted_sum([variables[place] for place in inside], whole[start[row] : start[row + 1]])
        if np.isfinite(upper[row]):
            program.add(terms <= int(upper[row]))
        if np.isfinite(lower[row]):
            program.add(terms >= int(lower[row]))
    gain = np.ceil(model.gain * scale).astype(np.int64).tolist()
    program.maximize(cp_model.LinearExpr.weighted_sum(variables, gain))
    return program, variables


def _multiplier(rows: sparse.csr_matrix) -> np.ndarray:
    """Per row the smallest power of ten that makes its coefficients whole. ValueError beyond `DECIMALS`."""
    owner = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    times = np.ones(rows.shape[0])
    for _ in range(DECIMALS + 1):
        scaled = rows.data * times[owner]
        wrong = np.unique(owner[np.abs(scaled - np.rint(scaled)) > 1e-9 * np.maximum(1.0, np.abs(scaled))])
        if len(wrong) == 0:
            return times
        times[wrong] *= 10.0
    raise ValueError(f"{len(wrong)} row(s) have coefficients with more than {DECIMALS} decimals")


def pdlp_rounding(job: Job) -> Answer:
    """PDLP to a relative 1e-4, a valid bound from whatever duals it ends with, then rounding with room for every limit."""
    from ortools.pdlp import solve_log_pb2, solvers_pb2
    from ortools.pdlp.python import pdlp

    from benchmarks.allocation.peers.rounding import rounded

    model = job.model
    program = pdlp.QuadraticProgram()
    program.objective_vector = -model.gain
    program.constraint_matrix = sparse.csc_matrix(model.rows)
    program.constraint_lower_bounds, program.constraint_upper_bounds = model.lower, model.upper
    program.variable_lower_bounds, program.variable_upper_bounds = model.low, model.top
    job.built()
    settings = solvers_pb2.PrimalDualHybridGradientParams()
    criteria = settings.termination_criteria
    criteria.simple_optimality_criteria.eps_optimal_relative = job.gap
    criteria.simple_optimality_criteria.eps_optimal_absolute = job.gap
    criteria.time_sec_limit = job.left
    settings.num_threads = 1
    result = pdlp.primal_dual_hybrid_gradient(program, settings)
    duals = np.asarray(result.dual_solution)
    bound = min(model.bound_of(duals), model.bound_of(-duals))
    job.trace.event("lp", None, bound)
    rest = model.gain - model.rows.T @ -duals
    touches = rounded(model, np.asarray(result.primal_solution), rest, 0.9)
    job.solved()
    return Answer(touches, bound, f"PDLP {solve_log_pb2.TerminationReason.Name(result.solve_log.termination_reason)}, rounded")
