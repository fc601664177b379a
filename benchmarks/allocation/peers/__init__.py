"""One file per family of peers. A peer is a function `(job) -> Answer`; `PEERS` says where it lives and how far it is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from benchmarks.allocation.linear import LinearModel
    from benchmarks.allocation.trace import Trace
    from optimization.problem import Problem


@dataclass(frozen=True)
class Answer:
    """touches over all pairs (None = no plan found); bound in KPI units as the peer itself proves it (None = proves none); said: its own
    words on how it ended."""

    touches: np.ndarray | None
    bound: float | None
    said: str


@dataclass
class Job:
    """What a peer gets: the problem, its linear model ready made, a gap and so many seconds from the start of its building.

    The peer calls `built()` when its model stands and `solved()` when the solver is back; reading back is what follows.
    """

    problem: Problem
    model: LinearModel | None
    gap: float
    limit: float
    trace: Trace
    folder: Path
    seconds: dict[str, float] = field(default_factory=dict)

    def built(self) -> None:
        self.seconds["build"] = self.trace.seconds
        self.trace.event("built")

    def solved(self) -> None:
        self.seconds["solve"] = self.trace.seconds - self.seconds["build"]
        self.trace.event("solved")

    @property
    def left(self) -> float:
        """Seconds until the limit, at least one."""
        return max(1.0, self.limit - self.trace.seconds)


@dataclass(frozen=True)
class Peer:
    """How a peer is called and how far it is taken.

    home: module and function; words: for the table; most_hcps: larger instances are not tried, and recorded as such; loads: imports
    paid before the clock starts; warm: function called before the clock starts (compiles kernels); linear: it starts from the linear
    model; floor_counts: the only kind of floor that it can state, None = any.
    """

    home: str
    words: str
    most_hcps: int = 1_000_000
    loads: tuple[str, ...] = ()
    warm: str | None = None
    linear: bool = True
    floor_counts: str | None = None

    @property
    def function(self) -> Callable[[Job], Answer]:
        return _found(self.home)

    def prepare(self) -> None:
        """Everything that is paid before the clock starts."""
        from importlib import import_module

        for name in self.loads:
            import_module(name)
        if self.warm is not None:
            _found(self.warm)()


def _found(home: str) -> Callable:
    from importlib import import_module

    module, name = home.split(":")
    return getattr(import_module(f"benchmarks.allocation.peers.{module}"), name)


PYOMO = ("highspy", "pyomo.environ")
PEERS: dict[str, Peer] = {
    "ours": Peer("ours:solve_problem", "this project, its code compiled beforehand", warm="ours:warm", linear=False),
    "ours_cold": Peer("ours:solve_problem", "this project, nothing imported or compiled yet", linear=False),
    "ours_allocate": Peer("ours:allocate_rows", "optimization.allocate on plain rows", 200_000, warm="ours:warm", floor_counts="touches"),
    "highs_arrays": Peer("highs:arrays", "HiGHS MILP from arrays", 200_000, ("highspy",)),
    "lp_restricted": Peer("highs:lp_restricted", "HiGHS LP, then restricted MILPs", 200_000, ("highspy",)),
    "lp_rounding": Peer("rounding:lp_rounding", "HiGHS LP, fractions dropped", 200_000, ("highspy",), "rounding:warm"),
    "pyomo_expert": Peer(
        "modelling:pyomo_expert", "Pyomo compiled to arrays, HiGHS", 200_000, (*PYOMO, "pyomo.repn.plugins.standard_form")
    ),
    "pyomo_naive": Peer("modelling:pyomo_naive", "Pyomo, persistent HiGHS", 50_000, (*PYOMO, "pyomo.contrib.solver.solvers.highs")),
    "pulp_highs": Peer("modelling:pulp_highs", "PuLP, HiGHS", 50_000, ("highspy", "pulp")),
    "pulp_cbc": Peer("modelling:pulp_cbc", "PuLP, CBC", 50_000, ("pulp",)),
    "linopy": Peer("modelling:linopy_highs", "linopy, HiGHS", 50_000, ("highspy", "linopy")),
    "cp_sat": Peer("ortools:cp_sat", "OR-Tools CP-SAT, values scaled", 200_000, ("ortools.sat.python.cp_model",)),
    "pdlp": Peer("ortools:pdlp_rounding", "OR-Tools PDLP, rounded", loads=("ortools.pdlp.python.pdlp",), warm="rounding:warm"),
    "greedy": Peer("rounding:greedy", "greedy by value per share of limits", warm="rounding:warm"),
}
