"""Peers through a modelling layer, each fed row by row from the same sparse rows."""

from __future__ import annotations

import gc
import re

import numpy as np

from benchmarks.allocation.linear import LinearModel
from benchmarks.allocation.peers import Answer, Job
from benchmarks.allocation.peers.highs import MipEnd, highs, mip_end, mip_options, run_mip
from benchmarks.allocation.trace import LogTail, cbc_line, highs_line


def _rows(model: LinearModel):
    """(columns, coefficients, lower, upper) of every row, as lists."""
    start, column, coefficient = model.rows.indptr.tolist(), model.rows.indices.tolist(), model.rows.data.tolist()
    for row, (lower, upper) in enumerate(zip(model.lower.tolist(), model.upper.tolist(), strict=True)):
        yield column[start[row] : start[row + 1]], coefficient[start[row] : start[row + 1]], lower, upper


def _answer(job: Job, end: MipEnd) -> Answer:
    return Answer(None if end.values is None else job.model.touches(end.values), end.bound, end.said)


def _pulp_problem(job: Job):
    import pulp

    model = job.model
    bounds = zip(model.low.tolist(), model.top.tolist(), model.integer.tolist(), strict=True)
    kinds = (pulp.LpContinuous, pulp.LpInteger)
    # Names of equal length keep PuLP's order by name the order of the columns.
    variables = [pulp.LpVariable(f"z{place:08d}", low, top, kinds[whole]) for place, (low, top, whole) in enumerate(bounds)]
    problem = pulp.LpProblem("allocation", pulp.LpMaximize)
    problem += pulp.LpAffineExpression(zip(variables, model.gain.tolist(), strict=True))
    for columns, coefficients, lower, upper in _rows(model):
        terms = pulp.LpAffineExpression(
            [(variables[column], coefficient) for column, coefficient in zip(columns, coefficients, strict=True)]
        )
        problem += terms <= upper if np.isfinite(upper) else terms >= lower
    return problem, variables


def pulp_cbc(job: Job) -> Answer:
    """PuLP with the CBC it ships, through its files."""
    import pulp

    problem, variables = _pulp_problem(job)
    job.built()
    log = job.folder / "solver.log"
    solver = pulp.PULP_CBC_CMD(msg=False, timeLimit=job.left, gapRel=job.gap, threads=1, logPath=str(log))
    problem.solve(solver)
    job.solved()
    text = log.read_text(errors="replace") if log.exists() else ""
    values = [variable.varValue for variable in variables]
    found = problem.sol_status in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible) and None not in values
    result = [line.strip() for line in text.splitlines() if line.startswith("Result - ")]
    said = f"{pulp.LpStatus[problem.status]}; {result[-1] if result else 'no result line'}"
    total = float(job.model.gain @ np.array(values)) if found else None
    bound = _cbc_history(job, text, total if found and "Optimal" in said.split(";")[1] else None)
    return Answer(job.model.touches(np.array(values)) if found else None, bound, said)


def _cbc_history(job: Job, log: str, optimal: float | None) -> float | None:
    """Events at CBC's own seconds, and its last bound. CBC writes its log in one go at the end, so the clock is in the lines.

    optimal: the total that CBC calls optimal; it then prints no bound but claims one within its gap.
    """
    total = re.search(r"Total time .*Wallclock seconds\): +([\d.]+)", log)
    began = job.seconds["build"] + (max(0.0, job.seconds["solve"] - float(total.group(1))) if total else 0.0)
    bound = None if optimal is None else optimal + job.gap * abs(optimal)
    last = None
    for line in log.splitlines():
        found, clock = cbc_line(line), re.search(r"\(([\d.]+) seconds\)", line)
        if found is not None:
            last = found[1] if found[1] is not None else last
            job.trace.event("log", *found, seconds=began + float(clock.group(1)) if clock else None)
    return last if bound is None else bound if last is None else min(bound, last)


def pulp_highs(job: Job) -> Answer:
    """PuLP with its interface to highspy."""
    import pulp

    problem, _ = _pulp_problem(job)
    job.built()
    options = mip_options(job)
    limit, gap = options.pop("time_limit"), options.pop("mip_rel_gap")
    solver = pulp.HiGHS(msg=True, timeLimit=limit, gapRel=gap, log_to_console=False, **options)
    with LogTail(job.folder / "solver.log", highs_line(-1.0), job.trace):
        problem.solve(solver)
        job.solved()
    return _answer(job, mip_end(problem.solverModel, -1.0))


def _pyomo_model(job: Job, row_of):
    """The model over one indexed variable; row_of(coefficients, variables) makes an expression."""
    import pyomo.environ as pyo

    arrays = job.model
    rows = list(_rows(arrays))
    low, top, whole = arrays.low.tolist(), arrays.top.tolist(), arrays.integer.tolist()
    model = pyo.ConcreteModel()
    model.COLUMNS = pyo.RangeSet(0, len(low) - 1)
    model.ROWS = pyo.RangeSet(0, len(rows) - 1)
    kinds = (pyo.Reals, pyo.Integers)
    model.Z = pyo.Var(model.COLUMNS, domain=lambda m, j: kinds[whole[j]], bounds=lambda m, j: (low[j], top[j]))
    variables = [model.Z[j] for j in model.COLUMNS]

    def within(m: pyo.ConcreteModel, i: int):
        columns, coefficients, lower, upper = rows[i]
        body = row_of(coefficients, [variables[j] for j in columns])
        return body <= upper if np.isfinite(upper) else body >= lower

    model.Within = pyo.Constraint(model.ROWS, rule=within)
    model.Total = pyo.Objective(expr=row_of(arrays.gain.tolist(), variables), sense=pyo.maximize)
    return model, variables


def pyomo_naive(job: Job) -> Answer:
    """Pyomo as its tutorials write it: sums of products, the persistent HiGHS interface."""
    import pyomo.environ as pyo
    from pyomo.contrib.solver.solvers.highs import Highs

    def row_of(coefficients: list[float], variables: list):
        return pyo.quicksum(coefficient * variable for coefficient, variable in zip(coefficients, variables, strict=True))

    model, variables = _pyomo_model(job, row_of)
    job.built()
    options = mip_options(job)
    config = {"time_limit": options.pop("time_limit"), "rel_gap": options.pop("mip_rel_gap"), "threads": options.pop("threads")}
    solver = Highs()
    with LogTail(job.folder / "solver.log", highs_line(), job.trace):
        result = solver.solve(model, solver_options=options, load_solutions=False, raise_exception_on_nonoptimal_result=False, **config)
        job.solved()
    said = f"{result.solution_status.name}; {result.termination_condition.name}"
    bound = None if result.objective_bound is None else float(result.objective_bound)
    if result.incumbent_objective is None:
        return Answer(None, bound, said)
    result.solution_loader.load_vars()
    return Answer(job.model.touches(np.array([variable.value for variable in variables])), bound, said)


def pyomo_expert(job: Job) -> Answer:
    """Pyomo's LinearExpression, compiled once to arrays with the collector off, passed to highspy whole."""
    from pyomo.core.expr.numeric_expr import LinearExpression
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

    gc.disable()
    model, _ = _pyomo_model(job, lambda coefficients, variables: LinearExpression(linear_coefs=coefficients, linear_vars=variables))
    form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    gc.enable()
    kind, bound = np.array([row.bound_type for row in form.rows]), np.asarray(form.rhs, dtype=np.float64)
    order = np.array([variable.index() for variable in form.columns])
    arrays = LinearModel(
        form.c.toarray().ravel(),
        job.model.low[order],
        job.model.top[order],
        job.model.integer[order],
        form.A.tocsr(),
        np.where(kind > 0, -np.inf, bound),
        np.where(kind < 0, np.inf, bound),
        job.model.pairs,
        job.model.pair_count,
    )
    solver = highs(arrays)
    job.built()
    end = run_mip(job, solver)
    if end.values is None:
        return _answer(job, end)
    values = np.zeros(len(job.model.gain))
    values[order] = end.values
    return _answer(job, MipEnd(values, end.total, end.bound, end.said))


def linopy_highs(job: Job) -> Answer:
    """linopy with labelled arrays: rows of like length are one padded block, HiGHS in process."""
    import linopy
    import xarray as xr

    arrays = job.model
    model = linopy.Model()
    places = [_span(arrays.integer), _span(~arrays.integer)]
    labels = np.empty(len(arrays.gain), dtype=np.int64)
    for name, place, whole in zip(("whole", "part"), places, (True, False), strict=True):
        if len(place):
            axis = [np.arange(len(place))]
            low, top = (xr.DataArray(side[place], coords=axis, dims=[name]) for side in (arrays.low, arrays.top))
            labels[place] = model.add_variables(low, top, name=name, integer=whole).labels.values
    for name, rows in _blocks(arrays):
        expression, below = _expression(arrays, labels, rows, model)
        side = xr.DataArray(np.where(below, arrays.upper[rows], arrays.lower[rows]), coords=[np.arange(len(rows))], dims=["row"])
        for sign, kept in (("<=", below), (">=", ~below)):
            if kept.any():
                where = np.flatnonzero(kept)
                model.add_constraints(expression.isel(row=where), sign, side.isel(row=where), name=f"{name} {sign}")
    everything = xr.Dataset({"coeffs": ("_term", arrays.gain), "vars": ("_term", labels), "const": 0.0})
    model.add_objective(linopy.LinearExpression(everything, model), sense="max")
    job.built()
    with LogTail(job.folder / "solver.log", highs_line(), job.trace):
        model.solve("highs", io_api="direct", progress=False, log_to_console=False, **mip_options(job))
        job.solved()
    solver = model.solver_model
    end = mip_end(solver)
    if end.values is None:
        return _answer(job, end)
    values = np.zeros(len(arrays.gain))
    for name, place in zip(("whole", "part"), places, strict=True):
        if len(place):
            values[place] = model.variables[name].solution.values
    return _answer(job, MipEnd(values, end.total, end.bound, end.said))


def _span(flags: np.ndarray) -> np.ndarray:
    return np.flatnonzero(flags)


def _blocks(arrays: LinearModel):
    """(name, rows) with row lengths within a factor of two, so that padding at most doubles the terms."""
    length = np.diff(arrays.rows.indptr)
    size = np.where(length > 0, np.ceil(np.log2(np.maximum(length, 1))), -1).astype(np.int64)
    for kind in np.unique(size[size >= 0]).tolist():
        yield f"rows{kind}", np.flatnonzero(size == kind)


def _expression(arrays: LinearModel, labels: np.ndarray, rows: np.ndarray, model):
    """(padded linopy expression over `rows`, bool per row: it is an upper limit)."""
    import linopy
    import xarray as xr

    length = np.diff(arrays.rows.indptr)[rows]
    terms = np.arange(int(length.max()))
    there = terms < length[:, None]
    place = np.where(there, arrays.rows.indptr[rows][:, None] + terms, 0)
    coefficient = np.where(there, arrays.rows.data[place], np.nan)
    variable = np.where(there, labels[arrays.rows.indices[place]], -1)
    table = xr.Dataset(
        {"coeffs": (("row", "_term"), coefficient), "vars": (("row", "_term"), variable), "const": ("row", np.zeros(len(rows)))},
        coords={"row": np.arange(len(rows))},
    )
    return linopy.LinearExpression(table, model), np.isfinite(arrays.upper[rows])
