"""Plans of random worlds against every rule as read from the raw rows: the plan of the reference and of the solver break none, and one
change to a plan is refused by the checker exactly when it breaks a rule."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from rules_read_aloud import RULES, broken_rules

from optimization.build import build_problem
from optimization.checker import check_plan
from optimization.prices import LimitsConflict
from optimization.problem import PlanSettings
from optimization.reference import NoPlan, reference_solve
from optimization.solve import solve

START, DAYS = date(2026, 1, 5), 8
CYCLE = (START, START + timedelta(days=DAYS))
SETTINGS = PlanSettings(*CYCLE, overlap=0.1, gap=1e-9, floor_penalty=2.0)
HCPS, CHANNELS = list("abcde"), ["call", "email", "visit", "web"]
# How likely each rule table has rows.
SHARES = {"rule_budget": 0.8, "rule_channel_capacity": 0.6, "rule_rep_capacity": 0.7, "rule_contact_limit": 0.7, "rule_exclusion": 0.5}
SHARES |= {"rule_consent": 0.6, "rule_access": 0.3, "rule_channel_window": 0.4, "rule_min_gap": 0.6, "rule_incompatible": 0.4}
SHARES |= {"rule_coverage_floor": 0.5, "rule_override": 0.4}


class World:
    """Random tables: five HCPs, four channels, a few rows of every rule."""

    def __init__(self, seed, most=3):
        self.rng = rng = np.random.default_rng(seed)
        timed = zip(CHANNELS, (20.0, 0.0, 45.0, 0.0), strict=True)
        self.tables = {
            "hcps": [self.hcp(name) for name in HCPS],
            "catalog": [self.channel(channel, minutes, most) for channel, minutes in timed],
            "touch_days": [
                {"hcp_id": hcp, "channel": channel, "touch_date": self.day(-12, 0), "touches": int(rng.integers(0, 3))}
                for hcp in HCPS
                for channel in CHANNELS
                if rng.random() < 0.3
            ],
            "prior_actions": [{"hcp_id": hcp, "channel": "web", "latest_date": self.day(-5, 0)} for hcp in HCPS if rng.random() < 0.1],
        }
        for table, share in SHARES.items():
            count = int(rng.integers(1, 4)) if rng.random() < share else 0
            self.tables[table] = [self.rule_row(table) for _ in range(count)]
        told = rng.permutation(40)
        self.tables["rule_consent"] += [{"hcp_id": h, "channel": "email", "status": "opt_in", "expires_at": None} for h in HCPS[:4]]
        for place, row in enumerate(self.tables["rule_consent"]):
            row["captured_at"] = START - timedelta(days=1 + int(told[place]))

    def hcp(self, name):
        return {
            "hcp_id": name,
            "territory_id": self.one("N", "N", "S", None),
            "rep_id": self.one("R1", "R2", "R1", None),
            "rep_access": self.one("open", "restricted", "no_see"),
            "specialty": self.one("onco", "cardio", None),
        }

    def channel(self, channel, minutes, most):
        row = {"channel": channel, "unit_cost": float(self.rng.integers(0, 9)), "rep_minutes": minutes}
        return row | {"requires_consent": channel == "email", "max_touches": int(self.rng.integers(1, most + 1))}

    def rule_row(self, table):
        """A random row of a rule table."""
        one, number = self.one, lambda low, high: int(self.rng.integers(low, high))
        channel, hcp, place = one(*CHANNELS), one(*HCPS), one(None, "N", "S", "*")
        some, who = one(None, channel, "*"), {"attribute": one(None, "specialty"), "value": one("onco", "cardio")}
        rows = {
            "rule_budget": {"channel": some, "territory_id": place, "max_cost": float(number(5, 40))},
            "rule_channel_capacity": {"channel": one(None, channel), "territory_id": place}
            | {"min_actions": one(None, None, None, 1), "max_actions": one(None, number(2, 9))},
            "rule_rep_capacity": {"rep_id": one(None, "R1", "R2", "*"), "territory_id": one(None, None, "N", "*")}
            | {"channel": one(None, None, "call"), "max_minutes": float(number(30, 200)), "max_actions": one(None, number(1, 6))},
            "rule_contact_limit": {"channel": some, **who, "max_actions": number(1, 6), "window_days": one(None, number(2, 15))},
            "rule_exclusion": {"hcp_id": hcp, "channel": one(None, channel), **self.span("valid_from", "valid_to")},
            "rule_consent": {"hcp_id": hcp, "channel": one(None, "email", channel)}
            | {"status": one("opt_in", "opt_in", "opt_out"), "expires_at": one(None, self.day(1))},
            "rule_access": {"rep_access": one("restricted", "no_see"), "channel": channel},
            "rule_channel_window": {"channel": channel, "territory_id": one(None, None, "N")} | self.span("available_from", "available_to"),
            "rule_min_gap": {"last_channel": one(None, channel, "web"), "channel": one(None, "call", *CHANNELS), "min_days": number(1, 7)},
            "rule_incompatible": {"channel_a": channel, "channel_b": one(*CHANNELS)},
            "rule_coverage_floor": {"territory_id": place, **who, "operator": "=", "channel": one(None, "*", channel)}
            | {"min_hcps": number(1, 4), "hardness": one("soft", "soft", "hard")},
            "rule_override": {"hcp_id": hcp, "channel": channel, "action": one("pin", "forbid", "forbid", "forbid")}
            | self.span("valid_from", "valid_to"),
        }
        return rows[table]

    def one(self, *choices):
        return choices[int(self.rng.integers(len(choices)))]

    def day(self, first=-4, last=DAYS + 3):
        return START + timedelta(days=int(self.rng.integers(first, last)))

    def span(self, first, last):
        begins, ends = sorted([self.day(), self.day()])
        return {first: self.one(begins, begins, None), last: self.one(ends, ends, None)}

    def problem(self):
        frames = {name: pd.DataFrame(rows).astype(object) for name, rows in self.tables.items() if rows}
        pairs = pd.DataFrame([(hcp, channel) for hcp in HCPS for channel in CHANNELS], columns=["hcp_id", "channel"])
        frames["scores"] = pairs.assign(expected_impact=np.round(self.rng.gamma(2.0, 1.0, len(pairs)) - 0.4, 3))
        return build_problem(frames, SETTINGS)

    def broken(self, problem, touches):
        """The rules that a plan breaks, as read aloud."""
        width, plan = len(problem.channels), {}
        for pair in np.flatnonzero(touches).tolist():
            first, last = (START + timedelta(days=int(days[pair])) for days in (problem.earliest, problem.latest))
            plan[problem.hcp_ids[pair // width], problem.channels[pair % width]] = (int(touches[pair]), first, last)
        return broken_rules(self.tables, CYCLE, plan)


@pytest.mark.parametrize("seeds", [range(first, first + 25) for first in range(0, 100, 25)], ids=str)
def test_a_plan_breaks_no_rule(seeds):
    planned = 0
    for seed in seeds:
        world = World(seed)
        problem = world.problem()
        try:
            best = reference_solve(problem)
        except NoPlan:
            with pytest.raises(LimitsConflict):
                solve(problem)
            continue
        solution = solve(problem)
        assert world.broken(problem, best.touches) == set(), f"seed {seed}"
        assert world.broken(problem, solution.touches) == set(), f"seed {seed}"
        assert solution.objective - solution.penalty == pytest.approx(best.objective - best.penalty, rel=1e-7, abs=1e-7), f"seed {seed}"
        planned += bool(best.touches.any())
    assert planned >= 10


@pytest.mark.parametrize("seeds", [range(first, first + 25) for first in range(1_000, 1_100, 25)], ids=str)
def test_one_touch_more_or_less_is_refused_exactly_when_it_breaks_a_rule(seeds):
    """Around the reference's plan, over pairs that have an eligible day (the run of an ineligible pair says nothing)."""
    allowed = refused = 0
    for seed in seeds:
        world = World(seed)
        problem = world.problem()
        try:
            touches = reference_solve(problem).touches
        except NoPlan:
            continue
        for pair in np.flatnonzero(problem.eligible).tolist():
            for step in (-1, 1):
                changed = touches.copy()
                changed[pair] += step
                if changed[pair] < 0:
                    continue
                named, read = check_plan(problem, changed), world.broken(problem, changed)
                assert bool(named) == bool(read), f"seed {seed}, pair {pair} by {step}: checker {named}, read aloud {read}"
                allowed, refused = allowed + (not named), refused + bool(named)
    assert allowed >= 25 and refused >= 25


def test_the_worlds_put_every_rule_to_work():
    """Each rule, taken away, lets some plan break it: a rule that never bites would prove nothing."""
    bitten = Counter()
    for seed in range(25):
        world = World(seed)
        whole = world.tables
        for table in SHARES:
            if not whole[table]:
                continue
            world = World(seed)
            rest = [row for row in whole[table] if row["status"] == "opt_in"] if table == "rule_consent" else []
            world.tables = whole | {table: rest}
            problem = world.problem()
            try:
                touches = reference_solve(problem).touches
            except NoPlan:
                continue
            world.tables = whole
            bitten[table] += bool(world.broken(problem, touches))
    assert {table: bitten[table] for table in SHARES if bitten[table] < 1} == {}
    assert len(RULES) == 15
