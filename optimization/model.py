"""The allocation as a readable Pyomo model over sets of touches, and its way into HiGHS as arrays.

Sets are upper case, parameters lower case, variables Camel. The model is compiled once (about 12 us a column) instead of being
walked through a solver interface (about 50 us).
"""

from __future__ import annotations

import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from optimization.restricted import Restricted
from optimization.tallies import Tallies

if TYPE_CHECKING:
    import highspy
    import pyomo.environ as pyo


@dataclass(frozen=True)
class ModelArrays:
    """maximise cost x, lower <= matrix x <= upper, x of `names` order; `names` are the model's variables as (symbol, index)."""

    cost: np.ndarray
    matrix: object
    lower: np.ndarray
    upper: np.ndarray
    names: list[tuple[str, int]]


def build_model(part: Restricted, loosening_cost: np.ndarray, tallies: Tallies) -> pyo.ConcreteModel:
    """The set model over the free columns of `part`.

    loosening_cost (limits): price of one scaled unit of shortfall, inf = the limit is hard; tallies: whole counts that some limits
    are written in (`tallies.py`), none for the model in its plainest form.
    A hard limit that no free column uses has no constraint here; the caller has seen that it holds.
    """
    import pyomo.environ as pyo
    from pyomo.core.expr.numeric_expr import LinearExpression

    model = pyo.ConcreteModel()
    model.HCPS = pyo.RangeSet(0, part.hcp_count - 1)
    model.SETS = pyo.RangeSet(0, len(part.free) - 1)
    soft = np.flatnonzero(np.isfinite(loosening_cost)).tolist()
    model.LIMITS = pyo.Set(initialize=sorted({*np.unique(part.use.indices).tolist(), *soft}), ordered=True)
    model.SOFT = pyo.Set(initialize=soft, ordered=True)
    model.Pick = pyo.Var(model.SETS, domain=pyo.Binary)
    model.COUNTS = pyo.RangeSet(0, tallies.count - 1)
    model.Shortfall = pyo.Var(model.SOFT, domain=pyo.NonNegativeReals)
    model.Count = pyo.Var(model.COUNTS, domain=pyo.NonNegativeIntegers)
    pick, count = [model.Pick[j] for j in model.SETS], [model.Count[k] for k in model.COUNTS]
    value, cost = part.value.tolist(), loosening_cost.tolist()
    rows, adds, nests, weight = part.use.tocsr(), tallies.adds, tallies.nests, tallies.weight
    first = np.searchsorted(part.owner, np.arange(part.hcp_count + 1))

    def one_set(model: pyo.ConcreteModel, h: int):
        """Every HCP gets exactly one of its sets; for an HCP without pins the empty set is one of them.

        sum over S in SETS of h: Pick[S] = 1

        | symbol | meaning | unit |
        |---|---|---|
        | Pick[S] | 1 if the set is the HCP's plan | 0/1 |
        """
        mine = pick[first[h] : first[h + 1]]
        return (1, LinearExpression(constant=0, linear_coefs=[1.0] * len(mine), linear_vars=mine), 1)

    def within_limit(model: pyo.ConcreteModel, limit: int):
        """What the chosen sets use of a limit stays within what settled HCPs leave of it; a soft floor may be missed.

        sum over S: use[l, S] Pick[S] - Shortfall[l] <= rest[l]          (a minimum is the same row with its sign turned)
        or, where the limit is counted, sum over k in COUNTS: weight[l, k] Count[k] in place of the sum over S.

        | symbol | meaning | unit |
        |---|---|---|
        | use[l, S] | use of limit l by set S, over the limit's largest coefficient | 1 |
        | weight[l, k] | use of limit l by one of count k, over the same | 1 |
        | rest[l] | limit less the use of settled HCPs, over the same | 1 |
        | Shortfall[l] | how far a soft floor is missed, over the same | 1 |
        """
        counted = tallies.counted[limit]
        terms, variables = _entries(weight if counted else rows, limit, count if counted else pick)
        if limit in model.SOFT:
            terms, variables = [*terms, -1.0], [*variables, model.Shortfall[limit]]
        return (None, LinearExpression(constant=0, linear_coefs=terms, linear_vars=variables), float(part.rest[limit]))

    def whole_count(model: pyo.ConcreteModel, k: int):
        """Every count is the number of touches it counts: among the sets picked for an atom, among atoms for a sum.

        sum over S: adds[k, S] Pick[S] + sum over j: nests[k, j] Count[j] - Count[k] = 0

        | symbol | meaning | unit |
        |---|---|---|
        | adds[k, S] | touches (or HCPs) of atom k in set S | touches |
        | nests[k, j] | 1 if sum k holds atom j | 0/1 |
        | Count[k] | how many there are in the plan | touches |
        """
        (terms, sets), (ones, atoms) = _entries(adds, k, pick), _entries(nests, k, count)
        return (0, LinearExpression(constant=0, linear_coefs=[*terms, *ones, -1.0], linear_vars=[*sets, *atoms, count[k]]), 0)

    def total(model: pyo.ConcreteModel):
        """Value of the plan less the penalty of missed floors.

        maximise sum over S: value[S] Pick[S] - sum over l in SOFT: penalty[l] Shortfall[l]

        | symbol | meaning | unit |
        |---|---|---|
        | value[S] | V(S), overlap included | KPI |
        | penalty[l] | KPI per unit of Shortfall[l] | KPI |
        """
        terms = value + [-cost[limit] for limit in soft]
        return LinearExpression(constant=0, linear_coefs=terms, linear_vars=pick + [model.Shortfall[limit] for limit in soft])

    model.OneSet = pyo.Constraint(model.HCPS, rule=one_set)
    model.WithinLimit = pyo.Constraint(model.LIMITS, rule=within_limit)
    model.WholeCount = pyo.Constraint(model.COUNTS, rule=whole_count)
    model.Total = pyo.Objective(rule=total, sense=pyo.maximize)
    return model


def _entries(matrix: sparse.csr_matrix, row: int, variables: list) -> tuple[list[float], list]:
    """(coefficients, variables) of one row."""
    a, b = matrix.indptr[row], matrix.indptr[row + 1]
    return matrix.data[a:b].tolist(), [variables[j] for j in matrix.indices[a:b]]


def compile_model(part: Restricted, loosening_cost: np.ndarray, tallies: Tallies) -> ModelArrays:
    """Build the model and turn it into arrays; garbage collection rests meanwhile, it would walk every expression again and again."""
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

    collecting = gc.isenabled()
    gc.disable()
    try:
        model = build_model(part, loosening_cost, tallies)
        form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    finally:
        if collecting:
            gc.enable()
    kind = np.array([row.bound_type for row in form.rows])
    rhs = np.asarray(form.rhs, dtype=np.float64)
    lower, upper = np.where(kind > 0, -np.inf, rhs), np.where(kind < 0, np.inf, rhs)
    names = [(variable.parent_component().local_name, variable.index()) for variable in form.columns]
    return ModelArrays(form.c.toarray().ravel(), form.A.tocsc(), lower, upper, names)


def to_highs(arrays: ModelArrays, unit: float, constant: float, integer: bool = True) -> highspy.HighsLp:
    """The arrays as a HiGHS model; the objective is divided by `unit`."""
    import highspy

    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(arrays.cost), len(arrays.lower)
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.offset_ = arrays.cost / unit, constant / unit
    picks = np.array([name == "Pick" for name, _ in arrays.names], dtype=bool)
    lp.col_lower_, lp.col_upper_ = np.zeros(len(picks)), np.where(picks, 1.0, highspy.kHighsInf)  # counts are bound by their rows
    lp.row_lower_, lp.row_upper_ = arrays.lower, arrays.upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = arrays.matrix.indptr, arrays.matrix.indices, arrays.matrix.data
    if integer:
        kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
        lp.integrality_ = [kinds[name != "Shortfall"] for name, _ in arrays.names]
    return lp
