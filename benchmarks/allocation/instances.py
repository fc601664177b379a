"""The instances of the benchmark by name, as problems.

`rep_time` and `budget`, each also as `_pairs` (rep minutes drawn per HCP) and `_touches` (floors count actions, so that plain rows
over pairs say everything); `sample`: the planning problem of the shipped sample.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.allocation.families import FAMILIES, draw_case
from benchmarks.allocation.problems import problem_of
from optimization.problem import Problem

VARIANTS = ("", "_pairs", "_touches")
NAMES = (*(family + variant for family in FAMILIES for variant in VARIANTS), "sample")


def instance(name: str, hcps: int, seed: int, gap: float, sample: Path | None = None) -> Problem:
    """The problem of that name with overlap 0. sample: the DuckDB file of a build of the sample, for `sample` only."""
    if name == "sample":
        from benchmarks.allocation.sample import sample_problem

        if sample is None:
            raise ValueError("sample: the file of a build is needed")
        problem = sample_problem(sample)
        return replace(problem, settings=replace(problem.settings, overlap=0.0, gap=gap))
    family, variant = next((family, name.removeprefix(family)) for family in FAMILIES if name.startswith(family))
    case = draw_case(family, hcps, seed, minutes_by_pair=variant == "_pairs", floor_counts="touches" if variant == "_touches" else "hcps")
    return problem_of(case, gap)


def floor_counts(name: str) -> str:
    """What the floors of an instance count."""
    return "touches" if name.endswith("_touches") else "hcps"
