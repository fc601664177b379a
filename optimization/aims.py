"""An integer program over some columns with another aim than value, among the plans whose total is high enough, by HiGHS.

Two questions have this form: which plan keeps most earlier actions without giving up too much (`stability.py`), and by how little a limit
must be loosened for a better plan to exist (`steps.py`).

    maximise    sum over S: aim[S] Pick[S] + weight x Total - Excess
    subject to  Total = sum over S: value[S] Pick[S] - sum over soft floors: penalty Shortfall >= least
                every HCP one set, every limit within its bound, the one named by `relaxed` within bound + Excess
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optimization.problem import PlanSettings
from optimization.restricted import Restricted

MARGIN = 4e-7  # of the largest value: a total is asked for by so much more than the solver's tolerance may take away


@dataclass(frozen=True)
class Aim:
    """least: what objective - penalty must come to, KPI units; weight: of the total beside the aim; relaxed: number of the limit that
    may be exceeded at a cost of 1 per scaled unit, None = no limit may; nodes: of branch and bound; tolerance: of the aim."""

    least: float
    weight: float = 0.0
    relaxed: int | None = None
    nodes: int = 10_000
    tolerance: float = 0.0


def best_plan(
    part: Restricted,
    penalty: np.ndarray,
    worth: np.ndarray,
    aim: Aim,
    settings: PlanSettings,
    start: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray | None:
    """Places in `part.free`, one per HCP of it, the best for the aim; None where no plan was found.

    penalty (limits): KPI units per scaled unit of a missed soft floor, inf for hard limits; worth (free): what picking a column adds to
    the aim; start: a plan to begin with, as (0/1 per free column, scaled shortfall per limit).
    """
    import highspy

    soft = np.flatnonzero(np.isfinite(penalty))
    solver = highspy.Highs()
    options = {"output_flag": False, "threads": 1, "random_seed": settings.seed % 2**31, "mip_max_nodes": aim.nodes}
    options |= {"mip_rel_gap": 0.0, "mip_abs_gap": max(aim.tolerance, 1e-9)}
    options |= {"primal_feasibility_tolerance": 1e-9, "mip_feasibility_tolerance": 1e-7}
    for name, setting in options.items():
        solver.setOptionValue(name, setting)
    solver.passModel(_program(part, soft, penalty[soft], worth, aim))
    if start is not None:
        solution = highspy.HighsSolution()
        solution.col_value = [*start[0], *start[1][soft], *([] if aim.relaxed is None else [0.0])]
        solver.setSolution(solution)
    solver.run()
    if solver.getInfo().primal_solution_status != 2:
        return None
    weight = np.array(solver.getSolution().col_value)[: len(part.free)]
    order = np.lexsort((-weight, part.owner))
    return order[np.searchsorted(part.owner[order], np.arange(part.hcp_count))]


def _program(part: Restricted, soft: np.ndarray, penalty: np.ndarray, worth: np.ndarray, aim: Aim) -> object:
    """The program as arrays: columns are the sets, a shortfall per soft floor, the excess; rows the limits, the HCPs, the total."""
    import highspy

    unit = float(np.abs(part.value).max(initial=0.0)) or 1.0
    sets, limits, hcps = len(part.free), len(part.rest), part.hcp_count
    inf = highspy.kHighsInf
    one = sparse.csc_matrix((np.ones(sets), (part.owner, np.arange(sets))), shape=(hcps, sets))
    total = sparse.csc_matrix(part.value[None, :] / unit)
    short = sparse.csc_matrix((-np.ones(len(soft)), (soft, np.arange(len(soft)))), shape=(limits, len(soft)))
    blank = sparse.csc_matrix((hcps, len(soft)))
    parts = [sparse.vstack([part.use, one, total]), sparse.vstack([short, blank, sparse.csc_matrix(-penalty[None, :] / unit)])]
    gain = [worth + aim.weight * part.value, -aim.weight * penalty]
    if aim.relaxed is not None:
        parts.append(sparse.csc_matrix(([-1.0], ([aim.relaxed], [0])), shape=(limits + hcps + 1, 1)))
        gain.append(np.array([-1.0]))
    matrix = sparse.csc_matrix(sparse.hstack(parts))
    matrix.sort_indices()
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = matrix.shape[1], matrix.shape[0]
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_ = np.concatenate(gain)
    lp.col_lower_, lp.col_upper_ = np.zeros(lp.num_col_), np.r_[np.ones(sets), np.full(lp.num_col_ - sets, inf)]
    least = (aim.least - part.constant) / unit + MARGIN
    lp.row_lower_ = np.concatenate([np.full(limits, -inf), np.ones(hcps), [least]])
    lp.row_upper_ = np.concatenate([part.rest, np.ones(hcps), [inf]])
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    whole, continuous = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    lp.integrality_ = [whole] * sets + [continuous] * (lp.num_col_ - sets)
    return lp
