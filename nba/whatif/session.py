"""One call of `nba whatif`: the last build is read once, and every answer starts from the live plan."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nba.errors import NbaError
from nba.whatif import files

if TYPE_CHECKING:
    from nba.whatif.live import Live
    from optimization.problem import Problem
    from optimization.scenario import Scenario
    from optimization.scenario_curve import Curve
    from optimization.scenario_field import FieldPlan
    from optimization.solve import Solution

EXACT_PAIRS = 20_000  # up to so many pairs a threshold is solved to the end, beyond to a tenth of the run's gap
EXACT_GAP = 1e-12
STAY_PAIRS = 60_000  # up to so many pairs actions of equal worth are not swapped


class Session:
    """`args`: the command line; `say` gets lines of progress."""

    def __init__(self, args: argparse.Namespace, say: Callable[[str], None]) -> None:
        self.args, self.say = args, say
        self.written: list[str] = []
        self.field_table: Any = None
        self.live: Live = self._timed("read the last build", self._read)
        self.scenario = self._scenario()
        self._check_names()
        self.base, self.notes = self._timed("the plan of today", self._baseline)

    def answer(self) -> list[str]:
        """All lines of the answer; files are written on the way."""
        lines = [f"Compared with {self.live.name}: {len(self.live.problem.hcp_ids)} HCPs, {len(self.live.problem.channels)} channels."]
        if self.live.published not in (None, self.live.run_id):
            lines.append(f"Note: published is run {self.live.published}; its tables are not the ones that are staged now.")
        lines += [f"Note: {note}." for note in self.notes]
        scenario, problem, base = self.scenario, self.live.problem, self.base
        if not scenario.is_empty:
            found, problem, base = self._case(scenario)
            lines += found
        if self.args.curve is not None:
            lines += self._curve(problem, base)
        if self.args.current_plan:
            lines += self._field(problem, base, self.live.name if scenario.is_empty else "our plan of the scenario")
        if self.args.out is not None:
            self._write_scenario(scenario)
            lines += ["", f"Written to {self.args.out}: {', '.join(self.written)}."]
        return lines

    def _read(self) -> Live:
        from nba.load.command import parse_switches
        from nba.project import find_project
        from nba.warehouse import reading
        from nba.whatif.live import read_current_plan, read_live, schema_prefix

        project = find_project(self.args.project_dir)
        prefix = schema_prefix(project, parse_switches(self.args.vars))
        with reading(self.args.target, project) as warehouse:
            live = read_live(warehouse, prefix)
            self.field_table = read_current_plan(warehouse, prefix) if self.args.current_plan else None
        return live

    def _baseline(self) -> tuple[Solution, list[str]]:
        from nba.whatif.live import baseline

        return baseline(self.live, self.say)

    def _scenario(self) -> Scenario:
        from nba.whatif.scenario_text import file_scenario, option_scenario, read_scenario, together

        args, problem = self.args, self.live.problem
        given = option_scenario(problem, args.budget, args.limit, args.rules, args.floors, args.force, args.forbid)
        if args.scenario is None:
            return given
        return together(file_scenario(problem, read_scenario(args.scenario), args.scenario), given)

    def _check_names(self) -> None:
        """Names that the build does not have are said before anything is solved."""
        from optimization.scenario import apply

        after = apply(self.live.problem, self.scenario)
        if self.args.curve is not None:
            curve_limit(after, self.args.curve)

    def _case(self, scenario: Scenario) -> tuple[list[str], Problem, Solution]:
        """Lines of the scenario beside the live plan, its problem and its plan."""
        from nba.whatif.report import comparison_lines, scenario_lines, threshold_lines
        from optimization.prices import LimitsConflict
        from optimization.scenario import apply, pair_of
        from optimization.scenario_compare import compare
        from optimization.scenario_forced import forced_threshold
        from optimization.solve import solve

        live = self.live.problem
        settled = replace(live, settings=replace(live.settings, floor_penalty=self.base.floor_penalty))
        after = apply(settled, scenario)
        lines = ["", *scenario_lines(live, scenario, after)]
        try:
            other = self._timed("the plan of the scenario", lambda: solve(after, self.say, self.base))
        except LimitsConflict:
            raise NbaError("\n".join(conflict_lines(after))) from None
        if live.pair_count <= STAY_PAIRS:
            other = self._timed("staying with the live plan", lambda: self._stayed(after, other))
        found = compare(settled, self.base, after, other)
        lines += comparison_lines(found, other)
        free = apply(settled, replace(scenario, forced=()))
        gap = self.args.gap or (EXACT_GAP if live.pair_count <= EXACT_PAIRS else live.settings.gap / 10)
        without = None
        for hcp, channel in scenario.forced:
            pair, name = pair_of(free, hcp, channel), f"the threshold of {hcp} by {channel}"
            threshold = self._timed(name, lambda pair=pair, plan=without: forced_threshold(free, pair, gap, plan, self.say))
            lines, without = lines + threshold_lines(free, threshold), threshold.free
        self._write(lambda folder: files.write_comparison(folder, found))
        return lines, after, other

    def _stayed(self, after: Problem, other: Solution) -> Solution:
        """Of the plans worth as much within the run's gap the one that moves fewest live actions: what moves then moves for a reason."""
        from optimization.stability import stay

        tolerant = replace(after, settings=replace(after.settings, stability_share=after.settings.gap))
        return stay(tolerant, other, self.base.touches, self.say).solution

    def _curve(self, problem: Problem, base: Solution) -> list[str]:
        import numpy as np

        from nba.whatif.report import curve_lines
        from optimization.scenario_curve import budget_curve

        limit = curve_limit(problem, self.args.curve)
        present = problem.limits[limit].bound
        if self.args.between:
            bounds = np.linspace(*self.args.between, self.args.points)
        else:
            bounds = np.linspace(0.5 * present, 1.5 * present if present > 0 else 1.0, self.args.points + 1)[1:]
        plans = np.unique(np.linspace(0, len(bounds) - 1, self.args.plans).round().astype(int)).tolist() if self.args.plans else []
        curve: Curve = self._timed("the curve", lambda: budget_curve(problem, base, limit, bounds, plans, say=self.say))
        self._write(lambda folder: files.write_curve(folder, problem, curve))
        return curve_lines(problem, curve)

    def _field(self, problem: Problem, base: Solution, name: str) -> list[str]:
        from nba.whatif.report import field_lines
        from optimization.scenario_field import best_part, current_plan

        settled = replace(problem, settings=replace(problem.settings, floor_penalty=self.base.floor_penalty))
        plan: FieldPlan = current_plan(settled, self.field_table)
        part = self._timed("the best part of the field's plan", lambda: best_part(settled, plan, base, self.say))
        self._write(lambda folder: files.write_field(folder, plan))
        return field_lines(plan, part, base, name)

    def _write_scenario(self, scenario: Scenario) -> None:
        facts = {"run_id": self.live.run_id, "cycle_start": self.live.cycle_start, "published_run_id": self.live.published}
        self._write(lambda folder: files.write_scenario(folder, scenario, facts))

    def _write(self, write: Callable[[Path], list[str]]) -> None:
        if self.args.out is not None:
            self.written += write(files.open_folder(self.args.out))

    def _timed(self, what: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        found = work()
        self.say(f"{what}: {time.perf_counter() - began:.2f} s")
        return found


def curve_limit(problem: Problem, wanted: str) -> int:
    """Number of the limit that the curve is about: the one named by its id, or the total budget."""
    from nba.whatif.scenario_text import TOTAL_BUDGET
    from optimization.scenario import ScenarioError, matching

    if wanted:
        return matching(problem.limits, {"limit_id": wanted})[0]
    try:
        return matching(problem.limits, TOTAL_BUDGET)[0]
    except ScenarioError:
        raise NbaError("--curve: this run has no total budget; name a limit_id of published.constraint_prices, or add --budget") from None


def conflict_lines(problem: Problem) -> list[str]:
    """Which limits of the scenario cannot hold together, and the smallest loosening."""
    from nba.whatif.report import clipped
    from optimization.conflicts import diagnose

    lines = ["no plan keeps the limits of this scenario:"]
    for row in diagnose(problem).itertuples():
        lines.append(f"  {row.problem}; {row.what_to_do}")
    return clipped(lines, "conflicts")
