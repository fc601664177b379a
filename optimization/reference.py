"""The reference for every faster answer: the readable model of the whole problem, compiled once and solved by HiGHS as arrays.

In reach up to some thousand pairs. The restricted programs of the solver are another formulation, over sets of touches: `model.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from optimization.checker import objective_of
from optimization.problem import Problem
from optimization.reference_model import NoPlan, build_reference

if TYPE_CHECKING:
    import highspy
    import pyomo.environ as pyo

__all__ = ["NoPlan", "ReferencePlan", "build_reference", "reference_solve"]


class ReferencePlan(NamedTuple):
    """touches (pairs,) whole numbers; objective, penalty and bound (proven upper bound on objective - penalty) in KPI units."""

    touches: np.ndarray
    objective: float
    penalty: float
    bound: float


def reference_solve(problem: Problem, gap: float = 0.0) -> ReferencePlan:
    """The best plan to within a relative `gap`, by HiGHS. Raises NoPlan where there is none."""
    import highspy

    model = build_reference(problem)
    touches = np.zeros(problem.pair_count, dtype=np.int64)
    if len(model.TOUCHES) == 0:
        objective, penalty, _ = objective_of(problem, touches)
        return ReferencePlan(touches, objective, penalty, objective - penalty)
    program, names, unit = _program(model)
    solver = highspy.Highs()
    options = {"output_flag": False, "threads": 1, "random_seed": 0, "mip_rel_gap": gap, "mip_abs_gap": 1e-10}
    options |= {"primal_feasibility_tolerance": 1e-9, "mip_feasibility_tolerance": 1e-8}
    for name, setting in options.items():
        solver.setOptionValue(name, setting)
    solver.passModel(program)
    solver.run()
    status = solver.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        raise NoPlan("the hard limits, the rules inside HCPs and the pins do not hold together")
    if status != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS ended with {solver.modelStatusToString(status)}")
    for (symbol, index), amount in zip(names, solver.getSolution().col_value, strict=True):
        if symbol == "Touch":
            touches[index[0]] += round(amount)
    objective, penalty, _ = objective_of(problem, touches)
    return ReferencePlan(touches, objective, penalty, solver.getInfo().mip_dual_bound * unit)


def _program(model: pyo.ConcreteModel) -> tuple[highspy.HighsLp, list[tuple[str, object]], float]:
    """(the model as HiGHS takes it, (symbol, index) of each column, KPI units of one unit of its objective).

    Rows are divided by their largest coefficient and values by the largest: the solver's tolerances are absolute.
    """
    import highspy
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler
    from scipy import sparse

    form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    matrix, cost = form.A.tocsr(), form.c.toarray().ravel()
    size = abs(matrix).max(axis=1).toarray().ravel() if matrix.shape[0] else np.zeros(0)
    size[size == 0] = 1.0
    unit = float(np.abs(cost).max(initial=0.0)) or 1.0
    matrix = (sparse.diags(1.0 / size) @ matrix).tocsc()
    kind, rhs = np.array([row.bound_type for row in form.rows]), np.asarray(form.rhs, dtype=np.float64) / size
    names = [(variable.parent_component().local_name, variable.index()) for variable in form.columns]
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_, lp.sense_ = len(names), len(size), highspy.ObjSense.kMaximize
    lp.col_cost_ = cost / unit
    lp.col_lower_ = np.zeros(len(names))
    lp.col_upper_ = np.array([1.0 if symbol in ("Touch", "Reached") else highspy.kHighsInf for symbol, _ in names])
    lp.row_lower_, lp.row_upper_ = np.where(kind > 0, -np.inf, rhs), np.where(kind < 0, np.inf, rhs)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[symbol == "Touch"] for symbol, _ in names]
    return lp, names, unit
