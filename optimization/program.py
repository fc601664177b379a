"""One integer program over some of the columns, by HiGHS: the best plan found, a bound, the nodes spent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from optimization.covers import Cover, broken, cover_of, far_apart, loose, narrow
from optimization.model import compile_model, to_highs
from optimization.problem import PlanSettings
from optimization.restricted import Restricted
from optimization.sets import HcpSets
from optimization.shared import SharedLimits
from optimization.tallies import Tallies, no_tallies, tally

COUNTED_AT_ONCE = 1000  # free columns up to which a program is written in counts from the start
PLAIN_NODES = 20  # nodes after which a larger one is
OBJECTIVE = 1000.0  # largest value in the solver: it cuts off what is better by less than its tolerance of rows
MOST_CUTS = 60  # rounds of cutting off plans that only the solver's tolerance allows
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
    missing[missing <= 1e-6 * np.abs(shared.bound) + 1e-9 * np.minimum(1.0, shared.scale)] = 0.0
    soft = np.isfinite(loosening_cost)
    if np.any(missing[~soft] > 0):
        return None
    penalty = float((missing[soft] * loosening_cost[soft]).sum())
    return Incumbent(columns, float(sets.value_of(columns).sum()), penalty, missing)


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
    program = _Program(sets, shared, part, loosening_cost, tolerance, settings.seed)
    plain = no_tallies(shared.count, len(part.free))
    tallies = tally(sets, shared, part) if np.any(part.value) else plain
    if tallies.count == 0 or len(part.free) <= COUNTED_AT_ONCE:
        return program.solve(tallies, settings.node_limit, start)
    first, bound, nodes = program.solve(plain, min(PLAIN_NODES, settings.node_limit), start)
    if first is None or bound - first.total <= 1.01 * tolerance or nodes >= settings.node_limit:
        return first, bound, nodes
    better = start if start is not None and start.total >= first.total else first
    found, dual, more = program.solve(tallies, settings.node_limit - nodes, better)
    best = first if found is None or first.total > found.total else found
    return best, min(bound, dual) if found is not None else bound, nodes + more


@dataclass(frozen=True)
class _Program:
    """One integer program, to be solved in one form or another."""

    sets: HcpSets
    shared: SharedLimits
    part: Restricted
    loosening_cost: np.ndarray
    tolerance: float
    seed: int

    def solve(self, tallies: Tallies, node_limit: int, start: Incumbent | None) -> tuple[Incumbent | None, float, int]:
        """(best plan found, bound, nodes). The bound holds for every plan within the limits, also where floats reach their end: plans that
        the solver lets pass and the limits do not are cut off. A plan beyond them, but within the contract's tolerance, is
        returned only where none was found that keeps them."""
        form, hard = loose(self.part, tallies) if far_apart(self.part) else (self.part, tallies), np.isinf(self.loosening_cost)
        covers: list[Cover] = []
        spare, bound, spent = None, np.inf, 0
        for _ in range(MOST_CUTS):
            found, dual, nodes = self._run(*form, max(1, node_limit - spent), start, covers)
            bound, spent = min(bound, dual), spent + nodes
            if found is None:
                return spare, bound, spent
            over, plan = broken(self.part, found, hard), self._plan(found)
            if len(over) == 0:
                return plan, bound, spent
            spare = plan if spare is None or (plan is not None and plan.total > spare.total) else spare
            cuts = [cover_of(self.part, limit, found) for limit in over.tolist()]
            if any(cut is None for cut in cuts):
                return spare, bound, spent
            covers += [cut for cut in cuts if cut is not None]
        found, _, nodes = self._run(narrow(self.part), tallies, node_limit, start, covers)
        plan = None if found is None else self._plan(found)
        return spare if plan is None else plan, bound, spent + nodes

    def _run(
        self, part: Restricted, tallies: Tallies, node_limit: int, start: Incumbent | None, covers: list[Cover]
    ) -> tuple[np.ndarray | None, float, int]:
        picks = None if start is None else np.isin(part.free, start.columns).astype(np.float64)
        missing = None if start is None else start.missing / self.shared.scale
        cost = self.loosening_cost * self.shared.scale
        fine = far_apart(self.part)
        return run_model(part, cost, tallies, self.tolerance, node_limit, self.seed, picks, missing, covers=covers, fine=fine)

    def _plan(self, found: np.ndarray) -> Incumbent | None:
        columns = np.sort(np.concatenate([self.part.settled, self.part.free[found]]))
        return incumbent_of(self.sets, self.shared, columns, self.loosening_cost)


def run_model(
    part: Restricted,
    loosening_cost: np.ndarray,
    tallies: Tallies,
    tolerance: float,
    node_limit: int,
    seed: int,
    picks: np.ndarray | None = None,
    missing: np.ndarray | None = None,
    presolve: bool = True,
    covers: Sequence[Cover] = (),
    fine: bool = False,
) -> tuple[np.ndarray | None, float, int]:
    """(free columns picked, one per HCP; dual bound; nodes) of the set model by HiGHS; None where no plan was found.

    loosening_cost: per scaled unit; tolerance: KPI units that may stay unproven; picks, missing: a plan to start from (0/1 per free
    column, scaled shortfall per limit); presolve: worth its time unless much is open and little is asked; covers: cuts; fine: rows are held
    as closely as the solver can.
    """
    import highspy

    unit = (float(np.abs(part.value).max(initial=0.0)) or 1.0) / OBJECTIVE
    arrays = compile_model(part, loosening_cost, tallies, covers)
    solver = highspy.Highs()
    options = {"output_flag": False, "threads": 1, "random_seed": seed % 2**31, "mip_max_nodes": node_limit}
    options |= {"mip_rel_gap": 0.0, "mip_abs_gap": max(tolerance / unit, 1e-9)}
    options |= {
        "primal_feasibility_tolerance": 1e-9,
        "mip_feasibility_tolerance": 1e-9 if fine else 1e-7,
    }
    options |= {"presolve_rule_off": KEEP_COUNTS} if tallies.count else {}
    options |= {} if presolve else {"presolve": "off"}
    for name, setting in options.items():
        solver.setOptionValue(name, setting)
    solver.passModel(to_highs(arrays, unit, part.constant))
    if picks is not None:
        known = {"Pick": picks, "Count": tallies.of(picks), "Shortfall": np.zeros(len(part.rest)) if missing is None else missing}
        solution = highspy.HighsSolution()
        solution.col_value = [float(known[name][i]) for name, i in arrays.names]
        solver.setSolution(solution)
    solver.run()
    if solver.getModelStatus() == highspy.HighsModelStatus.kSolutionLimit and solver.getInfo().primal_solution_status != 2:
        # The node limit came before any plan did: a plan is owed, so the search goes on until the first one.
        solver.setOptionValue("mip_max_nodes", 2**31 - 1)
        solver.setOptionValue("mip_max_improving_sols", 1)
        solver.run()
    info, nodes = solver.getInfo(), max(0, int(solver.getInfo().mip_node_count))
    if solver.getModelStatus() in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return None, -np.inf, nodes
    bound = float(info.mip_dual_bound) * unit
    if info.primal_solution_status != 2:
        return None, bound, nodes
    values, weight = np.array(solver.getSolution().col_value), np.zeros(len(part.free))
    is_pick = np.array([name == "Pick" for name, _ in arrays.names])
    weight[[number for name, number in arrays.names if name == "Pick"]] = values[is_pick]
    order = np.lexsort((-weight, part.owner))
    return order[np.searchsorted(part.owner[order], np.arange(part.hcp_count))], bound, nodes
