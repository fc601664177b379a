"""The rules of a made-up world: the contract's columns, limits that cost something, and a plan that exists."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from scipy.optimize import linprog

from nba.simulate import simulate_world
from nba.simulate.rules import RULE_SCHEMAS
from nba.simulate.world import truth_table

Limit = tuple[str, pd.Series, float]


def _pairs(tables: dict[str, pd.DataFrame], truth: pd.DataFrame) -> pd.DataFrame:
    """HCP x channel with impact, cost and the most touches that consent, access and the rep allow."""
    keys = ["hcp_id", "territory_id", "rep_id", "rep_access"]
    pairs = truth.merge(tables["hcp_master"][keys], on="hcp_id").merge(tables["engagement_action_catalog"], on="channel")
    opted_in = set(tables["rule_consent"].query("channel == 'email' and status == 'opt_in'")["hcp_id"])
    blocked = ((pairs.rep_minutes > 0) & pairs.rep_id.isna()) | (pairs.requires_consent & ~pairs.hcp_id.isin(opted_in))
    access = pairs.rep_access.fillna("restricted")
    for rule in tables["rule_access"].itertuples():
        blocked |= (access == rule.rep_access) & (pairs.channel == rule.channel)
    return pairs.assign(most=pairs.max_touches.where(~blocked, 0))


def _limits(tables: dict[str, pd.DataFrame], pairs: pd.DataFrame) -> list[Limit]:
    """The limits that HCPs share, as (name, use per touch, limit)."""
    total, display, territory = tables["rule_budget"].max_cost
    webinar = tables["rule_channel_capacity"].iloc[0]
    is_webinar = (pairs.channel == "webinar").astype(float)
    limits: list[Limit] = [
        ("budget", pairs.unit_cost, total),
        ("display", pairs.unit_cost.where(pairs.channel == "display_ad", 0.0), display),
        ("webinar max", is_webinar, webinar.max_actions),
        ("webinar min", -is_webinar, -webinar.min_actions),
    ]
    for name in pairs.territory_id.dropna().unique():
        limits.append(("territory", pairs.unit_cost.where(pairs.territory_id == name, 0.0), territory))
    minutes = tables["rule_rep_capacity"].max_minutes.iloc[0]
    for rep in pairs.rep_id.dropna().unique():
        limits.append(("minutes", pairs.rep_minutes.where(pairs.rep_id == rep, 0.0), minutes))
    return limits


@pytest.mark.parametrize(("hcps", "grain"), [(240, "week"), (1500, "week"), (1500, "month")])
def test_limits_bind_and_a_plan_exists(hcps: int, grain: str) -> None:
    """The linear plan with the true impacts is feasible, and loosening a limit would be worth something."""
    world = simulate_world(hcps, 52, 7, grain)
    tables = {name: table.to_pandas() for name, table in world.tables().items()}
    pairs = _pairs(tables, truth_table(world.chunk(0)).to_pandas())
    shared = _limits(tables, pairs)
    codes, _ = pd.factorize(pairs.hcp_id)
    per_hcp = sp.csr_matrix((np.ones(len(pairs)), (codes, np.arange(len(pairs)))))
    uses = sp.vstack([sp.csr_matrix(np.array([use for _, use, _ in shared], dtype=float)), per_hcp]).tocsr()
    limits = [limit for _, _, limit in shared] + [2.0] * hcps
    most = pairs.most.to_numpy()
    answer = linprog(-pairs.true_impact, A_ub=uses, b_ub=limits, bounds=np.column_stack([np.zeros(len(most)), most]))
    assert answer.status == 0
    names = np.array([name for name, _, _ in shared])
    price = pd.Series(-answer.ineqlin.marginals[: len(names)]).groupby(names).max()
    for limit in ("budget", "minutes", "webinar max", "display"):
        assert price[limit] > 1e-6, limit
    by_rep = -answer.ineqlin.marginals[: len(names)][names == "minutes"]
    assert (by_rep > 1e-9).mean() > 0.15
    assert answer.x.sum() > 0.3 * hcps


@pytest.mark.parametrize(("hcps", "weeks"), [(1, 1), (10, 20), (300, 20)])
def test_every_rule_has_the_contract_columns_and_sound_values(hcps: int, weeks: int) -> None:
    world = simulate_world(hcps, weeks, 4)
    tables = world.tables()
    for name, schema in RULE_SCHEMAS.items():
        assert tables[name].schema.equals(schema), name
        assert len(set(map(str, tables[name].to_pylist()))) == len(tables[name]), f"{name} has a row twice"
    capacity = tables["rule_channel_capacity"].to_pandas()
    both = capacity.dropna(subset=["min_actions"])
    assert (both.min_actions <= both.max_actions).all()
    assert len(both) == (hcps >= 100)
    assert (tables["rule_budget"].to_pandas().max_cost > 0).all()
    assert tables["rule_holdout"].num_rows == 0
    assert set(tables["rule_coverage_floor"]["hardness"].to_pylist()) == {"soft"}
    channels = set(tables["engagement_action_catalog"]["channel"].to_pylist())
    for name in RULE_SCHEMAS:
        for column in {"channel", "last_channel", "channel_a", "channel_b"} & set(tables[name].column_names):
            assert set(tables[name][column].to_pylist()) <= channels | {None}, (name, column)


def test_windows_and_exclusions_lie_in_the_cycle() -> None:
    world = simulate_world(5000, 20, 4)
    tables = {name: table.to_pandas() for name, table in world.tables().items()}
    start, end = world.calendar.cycle_start.item(), world.calendar.cycle_end.item()
    window = tables["rule_channel_window"].iloc[0]
    assert start < window.available_from < window.available_to < end
    exclusion = tables["rule_exclusion"]
    assert 0.005 < len(exclusion) / 5000 < 0.03
    assert exclusion.channel.isna().any()
    assert exclusion.channel.notna().any()
    dated = exclusion.dropna(subset=["valid_from"])
    assert len(dated) > 0
    assert (dated.valid_from < dated.valid_to).all()
    assert (dated.valid_to >= start).all()


def test_overrides_meet_no_other_block() -> None:
    tables = {name: table.to_pandas() for name, table in simulate_world(240, 20, 4).tables().items()}
    override = tables["rule_override"]
    assert list(override.action) == ["pin", "forbid"]
    blocked = set(tables["rule_consent"].hcp_id) | set(tables["rule_exclusion"].hcp_id)
    assert not set(override.hcp_id) & blocked
    assert override.channel.iloc[0] == "display_ad"
