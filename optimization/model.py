"""The allocation as a readable Pyomo model over sets of touches, and its way into HiGHS as arrays.

Sets are upper case, parameters lower case, variables Camel. The model is compiled once (about 12 us a column) instead of being
walked through a solver interface (about 50 us).
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from optimization.covers import Cover
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


def build_model(part: Restricted, loosening_cost: np.ndarray, tallies: Tallies, covers: Sequence[Cover] = ()) -> pyo.ConcreteModel:
    """The set model over the free columns of `part`.

    loosening_cost (limits): price of one scaled unit of shortfall, inf = the limit is hard; tallies: whole counts that some limits
    are written in (`tallies.py`), none for the model in its plainest form; covers: columns that may not all come together (`covers.py`).
    A hard limit that no free column uses has no constraint here; the caller has seen that it holds.
    """
    import pyomo.environ as pyo

    model = pyo.ConcreteModel()
    soft = np.flatnonzero(np.isfinite(loosening_cost)).tolist()
    model.HCPS = pyo.RangeSet(0, part.hcp_count - 1)
    model.SETS = pyo.RangeSet(0, len(part.free) - 1)
    model.LIMITS = pyo.Set(initialize=sorted({*np.unique(part.use.indices).tolist(), *soft}), ordered=True)
    model.SOFT = pyo.Set(initialize=soft, ordered=True)
    model.COUNTS = pyo.RangeSet(0, tallies.count - 1)
    model.COVERS = pyo.RangeSet(0, len(covers) - 1)
    model.Pick = pyo.Var(model.SETS, domain=pyo.Binary)
    model.Shortfall = pyo.Var(model.SOFT, domain=pyo.NonNegativeReals)
    model.Count = pyo.Var(model.COUNTS, domain=pyo.NonNegativeIntegers)
    pick, count = [model.Pick[j] for j in model.SETS], [model.Count[k] for k in model.COUNTS]
    _one_set(model, part, pick)
    _within_limit(model, part, tallies, pick, count)
    _whole_count(model, tallies, pick, count)
    _covered(model, covers, pick)
    _total(model, part, loosening_cost, pick)
    return model


def _one_set(model: pyo.ConcreteModel, part: Restricted, pick: list) -> None:
    """Every HCP gets exactly one of its sets; for an HCP without pins the empty set is one of them.

    sum over S in SETS of h: Pick[S] = 1

    | symbol | meaning | unit |
    |---|---|---|
    | Pick[S] | 1 if the set is the HCP's plan | 0/1 |
    """
    import pyomo.environ as pyo

    first = np.searchsorted(part.owner, np.arange(part.hcp_count + 1))

    def rule(model: pyo.ConcreteModel, h: int):
        mine = pick[first[h] : first[h + 1]]
        return (1, _linear([1.0] * len(mine), mine), 1)

    model.OneSet = pyo.Constraint(model.HCPS, rule=rule)


def _within_limit(model: pyo.ConcreteModel, part: Restricted, tallies: Tallies, pick: list, count: list) -> None:
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
    import pyomo.environ as pyo

    rows = part.use.tocsr()

    def rule(model: pyo.ConcreteModel, limit: int):
        counted = tallies.counted[limit]
        terms, variables = _entries(tallies.weight if counted else rows, limit, count if counted else pick)
        if limit in model.SOFT:
            terms, variables = [*terms, -1.0], [*variables, model.Shortfall[limit]]
        return (None, _linear(terms, variables), float(part.rest[limit]))

    model.WithinLimit = pyo.Constraint(model.LIMITS, rule=rule)


def _whole_count(model: pyo.ConcreteModel, tallies: Tallies, pick: list, count: list) -> None:
    """Every count is the number of touches it counts: among the sets picked for an atom, among atoms for a sum.

    sum over S: adds[k, S] Pick[S] + sum over j: nests[k, j] Count[j] - Count[k] = 0

    | symbol | meaning | unit |
    |---|---|---|
    | adds[k, S] | touches (or HCPs) of atom k in set S | touches |
    | nests[k, j] | 1 if sum k holds atom j | 0/1 |
    | Count[k] | how many there are in the plan | touches |
    """
    import pyomo.environ as pyo

    def rule(model: pyo.ConcreteModel, k: int):
        (terms, sets), (ones, atoms) = _entries(tallies.adds, k, pick), _entries(tallies.nests, k, count)
        return (0, _linear([*terms, *ones, -1.0], [*sets, *atoms, count[k]]), 0)

    model.WholeCount = pyo.Constraint(model.COUNTS, rule=rule)


def _covered(model: pyo.ConcreteModel, covers: Sequence[Cover], pick: list) -> None:
    """Of sets that break a limit together, not all: what the limit's own row says, in whole numbers.

    sum over S in COVERS[k]: Pick[S] <= most[k]

    | symbol | meaning | unit |
    |---|---|---|
    | most[k] | how many of the sets can come together | sets |
    """
    import pyomo.environ as pyo

    def rule(model: pyo.ConcreteModel, k: int):
        mine = [pick[j] for j in covers[k].members.tolist()]
        return (None, _linear([1.0] * len(mine), mine), covers[k].most)

    model.Covered = pyo.Constraint(model.COVERS, rule=rule)


def _total(model: pyo.ConcreteModel, part: Restricted, loosening_cost: np.ndarray, pick: list) -> None:
    """Value of the plan less the penalty of missed floors.

    maximise sum over S: value[S] Pick[S] - sum over l in SOFT: penalty[l] Shortfall[l]

    | symbol | meaning | unit |
    |---|---|---|
    | value[S] | V(S), overlap included | KPI |
    | penalty[l] | KPI per unit of Shortfall[l] | KPI |
    """
    import pyomo.environ as pyo

    soft = list(model.SOFT)
    terms = part.value.tolist() + [-float(loosening_cost[limit]) for limit in soft]
    model.Total = pyo.Objective(expr=_linear(terms, pick + [model.Shortfall[limit] for limit in soft]), sense=pyo.maximize)


def _linear(terms: list[float], variables: list):
    """The sum of terms x variables, without a tree of expressions."""
    from pyomo.core.expr.numeric_expr import LinearExpression

    return LinearExpression(constant=0, linear_coefs=terms, linear_vars=variables)


def _entries(matrix: sparse.csr_matrix, row: int, variables: list) -> tuple[list[float], list]:
    """(coefficients, variables) of one row."""
    a, b = matrix.indptr[row], matrix.indptr[row + 1]
    return matrix.data[a:b].tolist(), [variables[j] for j in matrix.indices[a:b]]


def compile_model(part: Restricted, loosening_cost: np.ndarray, tallies: Tallies, covers: Sequence[Cover] = ()) -> ModelArrays:
    """Build the model and turn it into arrays; garbage collection rests meanwhile, it would walk every expression again and again."""
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

    collecting = gc.isenabled()
    gc.disable()
    try:
        model = build_model(part, loosening_cost, tallies, covers)
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
