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

COUNTED_AT_ONCE = 1000  # free columns up to which a program is written in counts from the start
PLAIN_NODES = 20  # nodes after which a larger one is
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
    """(best plan found, dual bound, nodes) of the integer program over the columns of `part`.

    Small programs are written in counts (`tallies.py`) at once; on large ones counts make the root slow and most need no tree, so they
    are tried plainly first. Without values (the diagnosis of conflicts) there is no tree to shorten.
    """
    stuck = np.setdiff1d(np.arange(shared.count), np.unique(part.use.indices))
    if np.any(
        (part.rest[stuck] < -1e-9 * np.maximum(1.0, np.abs(shared.bound[stuck]) / shared.scale[stuck])) & np.isinf(loosening_cost[stuck])
    ):
        return None, -np.inf, 0
    if len(part.free) == 0:
        only = incumbent_of(sets, shared, part.settled, loosening_cost)
        return only, only.total if only else -np.inf, 0
    plain = no_tallies(shared.count, len(part.free))
    tallies = tally(sets, shared, part) if np.any(part.value) else plain
    program = _Program(sets, shared, part, loosening_cost, tolerance, settings.seed)
    if tallies.count == 0:
        return program.run(plain, settings.node_limit, start)
    if len(part.free) <= COUNTED_AT_ONCE:
        return program.run(tallies, settings.node_limit, start)
    first, bound, nodes = program.run(plain, min(PLAIN_NODES, settings.node_limit), start)
    if first is None or bound - first.total <= 1.01 * tolerance or nodes >= settings.node_limit:
        return first, bound, nodes
    best = max((x for x in (start, first) if x is not None), key=lambda x: x.total)
    found, dual, more = program.run(tallies, settings.node_limit - nodes, best)
    better = first if found is None or first.total > found.total else found
    return better, min(bound, dual) if found is not None else bound, nodes + more


@dataclass(frozen=True)
class _Program:
    """What does not change between the ways to write the program; tolerance: KPI units that may stay unproven."""

    sets: HcpSets
    shared: SharedLimits
    part: Restricted
    loosening_cost: np.ndarray
    tolerance: float
    seed: int

    def run(self, tallies: Tallies, node_limit: int, start: Incumbent | None) -> tuple[Incumbent | None, float, int]:
        """(best plan found, dual bound, nodes)."""
        import highspy

        unit = float(np.abs(self.part.value).max()) or 1.0
        arrays = compile_model(self.part, self.loosening_cost * self.shared.scale, tallies)
        solver = highspy.Highs()
        options = {"output_flag": False, "threads": 1, "random_seed": self.seed % 2**31, "mip_max_nodes": node_limit}
        options |= {"mip_rel_gap": 0.0, "mip_abs_gap": max(self.tolerance / unit, 1e-9)}
        options |= {"primal_feasibility_tolerance": 1e-9, "mip_feasibility_tolerance": 1e-7}
        options |= {"presolve_rule_off": KEEP_COUNTS} if tallies.count else {}
        for name, setting in options.items():
            solver.setOptionValue(name, setting)
        solver.passModel(to_highs(arrays, unit, self.part.constant))
        if start is not None:
            solver.setSolution(_warm_start(self.part, self.shared, tallies, start, arrays.names))
        solver.run()
        if solver.getModelStatus() == highspy.HighsModelStatus.kSolutionLimit and solver.getInfo().primal_solution_status != 2:
            # The node limit came before any plan did: a plan is owed, so the search goes on until the first one.
            solver.setOptionValue("mip_max_nodes", 2**31 - 1)
            solver.setOptionValue("mip_max_improving_sols", 1)
            solver.run()
        info, nodes = solver.getInfo(), max(0, int(solver.getInfo().mip_node_count))
        if solver.getModelStatus() in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
            return None, -np.inf, nodes
        if info.primal_solution_status != 2:
            return None, float(info.mip_dual_bound) * unit, nodes
        return self._plan(np.array(solver.getSolution().col_value), arrays.names), float(info.mip_dual_bound) * unit, nodes

    def _plan(self, values: np.ndarray, names: list[tuple[str, int]]) -> Incumbent | None:
        weight = np.zeros(len(self.part.free))
        weight[[number for name, number in names if name == "Pick"]] = values[[name == "Pick" for name, _ in names]]
        taken = self.part.free[_argmax_per_owner(self.part, weight)]
        return incumbent_of(self.sets, self.shared, np.sort(np.concatenate([self.part.settled, taken])), self.loosening_cost)


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
