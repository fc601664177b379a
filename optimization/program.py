"""One integer program over some of the columns, by HiGHS: the best plan found, a bound, the nodes spent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from optimization.model import compile_model, to_highs
from optimization.problem import PlanSettings
from optimization.restricted import Restricted
from optimization.sets import HcpSets, SharedLimits
from optimization.tallies import Tallies, no_tallies, tally

if TYPE_CHECKING:
    import highspy

KEEP_COUNTS = 1 << 12  # presolve's aggregator would put the sums back in place of the counts


@dataclass(frozen=True)
class Incumbent:
    """A plan found on the way: one column per HCP, its objective less penalty, and what each limit misses."""

    columns: np.ndarray
    objective: float
    penalty: float
    missing: np.ndarray

    @property
    def total(self) -> float:
        return self.objective - self.penalty


def incumbent_of(sets: HcpSets, shared: SharedLimits, columns: np.ndarray, loosening_cost: np.ndarray) -> Incumbent | None:
    """The plan made of these columns, or None where a hard limit is broken (relative tolerance 1e-6)."""
    missing = np.maximum(shared.sign * (shared.total_use(sets, columns) - shared.bound), 0.0)
    missing[missing <= 1e-6 * np.abs(shared.bound) + 1e-9] = 0.0
    soft = np.isfinite(loosening_cost)
    if np.any(missing[~soft] > 0):
        return None
    penalty = float((missing[soft] * loosening_cost[soft]).sum())
    return Incumbent(columns, float(sets.value[columns].sum()), penalty, missing)


def integer_program(
    sets: HcpSets,
    shared: SharedLimits,
    part: Restricted,
    loosening_cost: np.ndarray,
    tolerance: float,
    settings: PlanSettings,
    start: Incumbent | None,
) -> tuple[Incumbent | None, float, int]:
    """(best plan found, dual bound, nodes) of the integer program over the columns of `part`."""
    stuck = np.setdiff1d(np.arange(shared.count), np.unique(part.use.indices))
    if np.any(
        (part.rest[stuck] < -1e-9 * np.maximum(1.0, np.abs(shared.bound[stuck]) / shared.scale[stuck])) & np.isinf(loosening_cost[stuck])
    ):
        return None, -np.inf, 0
    if len(part.free) == 0:
        only = incumbent_of(sets, shared, part.settled, loosening_cost)
        return only, only.total if only else -np.inf, 0
    import highspy

    unit = float(np.abs(part.value).max()) or 1.0
    # Without values (the diagnosis of conflicts) there is no tree to shorten, and ties would fall otherwise.
    tallies = tally(sets, shared, part) if np.any(part.value) else no_tallies(shared.count, len(part.free))
    arrays = compile_model(part, loosening_cost * shared.scale, tallies)
    solver = highspy.Highs()
    options = {"output_flag": False, "threads": 1, "random_seed": settings.seed % 2**31, "mip_max_nodes": settings.node_limit}
    options |= {"mip_rel_gap": 0.0, "mip_abs_gap": max(tolerance / unit, 1e-9)}
    options |= {"primal_feasibility_tolerance": 1e-9, "mip_feasibility_tolerance": 1e-7}
    options |= {"presolve_rule_off": KEEP_COUNTS}
    for name, setting in options.items():
        solver.setOptionValue(name, setting)
    solver.passModel(to_highs(arrays, unit, part.constant))
    if start is not None:
        solver.setSolution(_warm_start(part, shared, tallies, start, arrays.names))
    solver.run()
    if solver.getModelStatus() == highspy.HighsModelStatus.kSolutionLimit and solver.getInfo().primal_solution_status != 2:
        # The node limit came before any plan did: a plan is owed, so the search goes on until the first one.
        solver.setOptionValue("mip_max_nodes", 2**31 - 1)
        solver.setOptionValue("mip_max_improving_sols", 1)
        solver.run()
    info = solver.getInfo()
    status = solver.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return None, -np.inf, max(0, int(info.mip_node_count))
    if info.primal_solution_status != 2:
        return None, float(info.mip_dual_bound) * unit, int(info.mip_node_count)
    picks = np.array(solver.getSolution().col_value)[[name == "Pick" for name, _ in arrays.names]]
    index = np.array([number for name, number in arrays.names if name == "Pick"])
    weight = np.zeros(len(part.free))
    weight[index] = picks
    taken = part.free[_argmax_per_owner(part, weight)]
    plan = incumbent_of(sets, shared, np.sort(np.concatenate([part.settled, taken])), loosening_cost)
    return plan, float(info.mip_dual_bound) * unit, int(info.mip_node_count)


def _argmax_per_owner(part: Restricted, weight: np.ndarray) -> np.ndarray:
    order = np.lexsort((-weight, part.owner))
    return order[np.searchsorted(part.owner[order], np.arange(part.hcp_count))]


def _warm_start(
    part: Restricted, shared: SharedLimits, tallies: Tallies, start: Incumbent, names: list[tuple[str, int]]
) -> highspy.HighsSolution:
    import highspy

    picks = np.isin(part.free, start.columns).astype(np.float64)
    values = {"Pick": picks, "Count": tallies.of(picks), "Shortfall": start.missing / shared.scale}
    solution = highspy.HighsSolution()
    solution.col_value = [float(values[name][i]) for name, i in names]
    return solution
