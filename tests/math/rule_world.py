"""A world of four HCPs and three channels for rule tests: each test adds the rows of one rule and looks at one answer."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from optimization.build import build_problem, pair_blocks
from optimization.problem import Limit, PlanSettings, Problem

START = date(2026, 1, 5)
DAYS = 28
SETTINGS = PlanSettings(cycle_start=START, cycle_end=START + timedelta(days=DAYS))

# a: territory N, rep R1; b: N, R2; c: S, R3; d: nobody's.
HCPS = pd.DataFrame(
    {
        "hcp_id": ["a", "b", "c", "d"],
        "territory_id": ["N", "N", "S", None],
        "rep_id": ["R1", "R2", "R3", None],
        "rep_access": ["open", "no_see", "restricted", "open"],
        "specialty": ["onco", "cardio", "onco", None],
        "decile": [9.0, 4.0, None, 10.0],
    }
)
CATALOG = pd.DataFrame(
    {
        "channel": ["email", "call", "web"],
        "label": ["E-mail", "Rep visit", None],
        "unit_cost": [1.0, 100.0, 0.0],
        "rep_minutes": [None, 30.0, None],
        "requires_consent": [True, False, False],
    }
)
OPTED_IN = pd.DataFrame({"hcp_id": ["a", "b", "c", "d"], "channel": "email", "status": "opt_in", "captured_at": "2025-01-01"})


def world(**tables) -> dict[str, pd.DataFrame]:
    """The tables, with e-mail opted in for everyone unless `rule_consent` is given; rows may be lists of dicts."""
    hcps = frame(tables.pop("hcps", HCPS))
    catalog = frame(tables.pop("catalog", CATALOG))
    scores = hcps[["hcp_id"]].merge(catalog[["channel"]], how="cross").assign(expected_impact=1.0)
    ready = {"hcps": hcps, "catalog": catalog, "scores": scores, "rule_consent": OPTED_IN}
    return ready | {name: frame(rows) for name, rows in tables.items()}


def frame(rows) -> pd.DataFrame:
    return rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(rows)


def problem_of(**tables) -> Problem:
    return build_problem(world(**tables), SETTINGS)


def place(problem: Problem, pair: str) -> int:
    """Pair number of `hcp.channel`."""
    hcp, channel = pair.split(".")
    return list(problem.hcp_ids).index(hcp) * len(problem.channels) + problem.channels.index(channel)


def names(problem: Problem, pairs) -> list[str]:
    width = len(problem.channels)
    return sorted(f"{problem.hcp_ids[pair // width]}.{problem.channels[pair % width]}" for pair in pairs)


def run(problem: Problem, pair: str) -> tuple[int, int] | None:
    """First and last eligible day, None where not eligible."""
    number = place(problem, pair)
    return (int(problem.earliest[number]), int(problem.latest[number])) if problem.eligible[number] else None


def details(problem: Problem, pair: str) -> dict[str, str]:
    rows = pair_blocks(problem)
    return dict(rows[rows["pair"] == place(problem, pair)][["rule", "detail"]].itertuples(index=False))


def counted(problem: Problem, limit: Limit) -> dict[str, float]:
    """Use per touch of every eligible pair that a limit counts, by `hcp.channel`."""
    pairs, use = limit.entries(len(problem.channels))
    return {names(problem, [pair])[0]: each for pair, each in zip(pairs, use, strict=True) if problem.eligible[pair]}


def limit_named(problem: Problem, label: str) -> Limit:
    found = [limit for limit in problem.limits if limit.label == label]
    assert len(found) == 1, [limit.label for limit in problem.limits]
    return found[0]


def cap_rows(problem: Problem) -> dict[str, list[tuple[list[str], int]]]:
    """Every cap by label: its groups as (pairs, upper)."""
    return {
        cap.label: [(names(problem, cap.pairs[cap.group == group]), int(upper)) for group, upper in enumerate(cap.upper)]
        for cap in problem.caps
    }


def together(problem: Problem) -> list[tuple[str, ...]]:
    """Every set of pairs that may not be planned together."""
    return sorted(tuple(names(problem, members)) for row in problem.exclusive for members in row.members)
