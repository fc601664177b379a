"""What a made-up world claims about itself is really in it, and its truth is what its own structure does."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pandas as pd
import pytest

from nba.simulate import simulate_world
from nba.simulate.channels import CHANNEL_NAMES, CHANNELS
from nba.simulate.population import Population
from nba.simulate.structure import Pace, State, add_shock, add_touches, draw_responses, kpi_mean, response_chance
from nba.simulate.truth import true_impact
from nba.simulate.world import Chunk, World, truth_table


@pytest.fixture(scope="module")
def world() -> World:
    return simulate_world(4000, 104, 21)


@pytest.fixture(scope="module")
def chunk(world: World) -> Chunk:
    return world.chunk(0)


@pytest.fixture(scope="module")
def frames(world: World) -> dict[str, pd.DataFrame]:
    return {name: table.to_pandas() for name, table in world.tables().items()}


def _repeat(population: Population, state: State, times: int) -> tuple[Population, State]:
    people = {f.name: np.repeat(getattr(population, f.name), times, axis=-1) for f in dataclasses.fields(Population)}
    carried = {f.name: np.repeat(getattr(state, f.name), times, axis=-1) for f in dataclasses.fields(State)}
    return Population(**people), State(**carried)


@pytest.mark.parametrize("grain", ["week", "month"])
@pytest.mark.parametrize("position", range(len(CHANNELS)))
def test_truth_is_what_playing_the_cycle_gives(grain: str, position: int) -> None:
    """Play the horizon many times, with one touch and with none, from the state at cycle start; Poisson noise aside."""
    small = simulate_world(12, 60, 31, grain)
    chunk = small.chunk(0)
    times, calendar, pace = 20_000, small.calendar, Pace.of(small.calendar)
    population, start = _repeat(chunk.population, chunk.panel.state, times)
    sums: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    for touched in (0, 1):
        rng, state, total = np.random.default_rng(5), copy.deepcopy(start), np.zeros(population.size)
        for ahead in range(calendar.long_periods):
            touches = np.zeros((len(CHANNELS), population.size), np.int64)
            touches[position] = touched if ahead == 0 else 0
            responses = np.zeros_like(touches)
            if touches.any():
                responses = draw_responses(touches, response_chance(population, state.tired * pace.tired_decay), np.random.default_rng(6))
            add_touches(population, state, pace, touches, responses)
            add_shock(state, pace, rng)
            total += kpi_mean(population, state, calendar, calendar.periods + ahead)
            if ahead + 1 == calendar.cycle_periods:
                sums[touched] = (total.copy(), total)
    for horizon, truth in ((0, chunk.truth.impact), (1, chunk.truth.impact_long)):
        gain = (sums[1][horizon] - sums[0][horizon]).reshape(-1, times)
        error = gain.std(axis=1) / np.sqrt(times)
        np.testing.assert_array_less(np.abs(gain.mean(axis=1) - truth[position]), 5 * error + 2e-4 * np.abs(truth[position]) + 1e-6)


def test_truth_table_is_one_row_per_hcp_and_channel(world: World, chunk: Chunk) -> None:
    table = truth_table(chunk).to_pandas()
    assert len(table) == 4000 * 6
    assert not table.duplicated(["hcp_id", "channel"]).any()
    row = table[(table.hcp_id == "H0000003") & (table.channel == "email")].iloc[0]
    assert row.true_impact == chunk.truth.impact[CHANNEL_NAMES.index("email"), 2]
    assert row.true_impact_long == chunk.truth.impact_long[CHANNEL_NAMES.index("email"), 2]
    assert table["true_probability"].between(0, 1).all()


def test_catalogue_is_near_the_truth_but_not_the_truth(frames: dict[str, pd.DataFrame], chunk: Chunk) -> None:
    catalog = frames["engagement_action_catalog"].set_index("channel")
    ratio = catalog.loc[list(CHANNEL_NAMES), "expected_uplift"].to_numpy() / chunk.truth.impact.mean(axis=1)
    assert ((ratio > 0.7) & (ratio < 1.4)).all()
    assert (np.abs(ratio - 1) > 0.05).all()
    assert list(catalog.index) == list(CHANNEL_NAMES)
    assert catalog.loc["rep_visit", "rep_minutes"] > 0
    assert catalog.loc["email", "requires_consent"]


def test_touches_wear_off_and_saturate(chunk: Chunk, world: World) -> None:
    """Carry-over, saturation and fatigue: a touch works on after the cycle, and less where much was done before."""
    truth = chunk.truth
    positive = truth.impact > 0
    assert (truth.impact_long[positive] > truth.impact[positive]).all()
    fresh = State(
        stock=np.zeros_like(chunk.panel.state.stock),
        tired=np.zeros_like(chunk.panel.state.tired),
        shock=chunk.panel.state.shock,
        recent=chunk.panel.state.recent,
    )
    rested = true_impact(chunk.population, fresh, world.calendar)
    tired_only = true_impact(chunk.population, dataclasses.replace(fresh, tired=chunk.panel.state.tired), world.calendar)
    stocked_only = true_impact(chunk.population, dataclasses.replace(fresh, stock=chunk.panel.state.stock), world.calendar)
    visit = CHANNEL_NAMES.index("rep_visit")
    busy = chunk.panel.state.tired > np.quantile(chunk.panel.state.tired, 0.9)
    assert stocked_only.impact[visit, busy].sum() < 0.9 * rested.impact[visit, busy].sum()
    assert tired_only.impact[visit, busy].sum() < 0.7 * rested.impact[visit, busy].sum()
    assert (tired_only.response_probability[:, busy] < rested.response_probability[:, busy]).all()


def test_some_are_put_off_by_digital_contact(chunk: Chunk) -> None:
    share = (chunk.truth.impact < 0).mean(axis=1)
    for position, channel in enumerate(CHANNELS):
        assert (0.01 < share[position] < 0.1) == (channel.digital > 0)


def test_reps_call_on_high_prescribers_and_on_those_that_grow(frames: dict[str, pd.DataFrame], chunk: Chunk) -> None:
    visits = chunk.panel.touches[:, :, CHANNEL_NAMES.index("rep_visit")].astype(float)
    served = (chunk.population.rep >= 0) & (chunk.population.first_period == 0) & (chunk.population.access == 0)
    level = np.log(chunk.panel.market.mean(axis=1) + 0.1)
    assert np.corrcoef(visits.sum(axis=1)[served], level[served])[0, 1] > 0.4
    kpi = chunk.panel.kpi.astype(float)
    grown = kpi[:, 60:72].sum(axis=1) - kpi[:, 10:60].sum(axis=1) * 12 / 50
    more = visits[:, 75:85].sum(axis=1) - visits[:, 10:60].sum(axis=1) / 5
    assert np.corrcoef(grown[served], more[served])[0, 1] > 0.05


def test_what_is_shown_explains_a_part_of_affinity(frames: dict[str, pd.DataFrame], chunk: Chunk) -> None:
    master = frames["hcp_master"]
    affinity = chunk.population.response_logit[CHANNEL_NAMES.index("email")]
    assert 0.3 < np.corrcoef(master["digital_affinity"], affinity)[0, 1] < 0.9
    assert np.corrcoef(master["years_in_practice"], affinity)[0, 1] < -0.1
    assert master["digital_affinity"].between(0, 1).all()
    visit = chunk.truth.impact[0]
    assert visit[(master["rep_access"] == "no_see").to_numpy()].mean() < 0.5 * visit[(master["rep_access"] == "open").to_numpy()].mean()


def test_volume_is_skewed_and_deciles_follow_it(frames: dict[str, pd.DataFrame], chunk: Chunk) -> None:
    level = chunk.panel.market[:, 52:].mean(axis=1)
    decile = frames["hcp_master"]["decile"]
    by_decile = pd.Series(level).groupby(decile.to_numpy()).mean()
    assert by_decile.is_monotonic_increasing
    assert by_decile.iloc[-1] > 6 * by_decile.iloc[0]
    assert level.mean() > 1.3 * np.median(level)
    assert (decile.value_counts(normalize=True).between(0.06, 0.16)).all()


def test_kpi_moves_with_the_season_and_by_trend(world: World, chunk: Chunk) -> None:
    seasons = [world.calendar.season(t) for t in range(52)]
    assert max(seasons) > 1.1
    assert min(seasons) < 0.9
    trend = chunk.population.trend * 52
    assert 0.1 < trend.std() < 0.2
    early, late = (chunk.panel.kpi[:, s].sum(axis=1).astype(float) for s in (slice(0, 52), slice(52, 104)))
    there = chunk.population.first_period == 0
    rising = there & (trend > 0.15)
    falling = there & (trend < -0.1)
    assert late[rising].sum() / early[rising].sum() > 1.1 * late[falling].sum() / early[falling].sum()


def test_data_comes_late_and_is_restated(frames: dict[str, pd.DataFrame], world: World) -> None:
    kpi, engagement = frames["kpi_metrics"], frames["engagement_history"]
    days = (pd.to_datetime(kpi["known_at"]) - pd.to_datetime(kpi["period_start"])).dt.days - 7
    assert days.min() >= 14
    assert days.quantile(0.9) <= 42
    cells = kpi.sort_values("known_at").groupby(["hcp_id", "period_start"])["kpi_value"]
    restated = cells.agg(["size", "first", "last"]).query("size > 1")
    assert 0.005 < len(restated) / cells.ngroups < 0.05
    assert (restated["last"] > restated["first"]).mean() > 0.95
    assert (kpi["known_at"] > world.calendar.cycle_start.item()).any()
    assert 0.001 < kpi["kpi_value"].isna().mean() < 0.01
    wait = (pd.to_datetime(engagement["known_at"]) - pd.to_datetime(engagement["period_start"])).dt.days - 7
    assert (wait == 0).mean() > 0.5
    assert (wait >= 14).mean() > 0.02
    assert engagement.duplicated(["hcp_id", "channel", "period_start"]).any()


def test_increments_add_up_to_what_happened(frames: dict[str, pd.DataFrame], chunk: Chunk, world: World) -> None:
    engagement = frames["engagement_history"]
    early = engagement[pd.to_datetime(engagement["period_start"]) < pd.Timestamp(world.calendar.starts[90])]
    by_channel = early.groupby("channel")["touches"].sum()
    np.testing.assert_array_equal(by_channel[list(CHANNEL_NAMES)], chunk.panel.touches[:, :90].sum(axis=(0, 1)))


def test_new_hcps_have_no_history_and_moved_ones_are_marked(frames: dict[str, pd.DataFrame], chunk: Chunk, world: World) -> None:
    master = frames["hcp_master"]
    silent = ~master["hcp_id"].isin(frames["kpi_metrics"]["hcp_id"]) & ~master["hcp_id"].isin(frames["engagement_history"]["hcp_id"])
    assert 0.02 < silent.mean() < 0.045
    assert (silent.to_numpy() == (chunk.population.first_period == world.calendar.periods)).all()
    starts = pd.to_datetime(frames["kpi_metrics"]["period_start"])
    first = starts.groupby(frames["kpi_metrics"]["hcp_id"]).min()
    assert 0.02 < (first > pd.Timestamp(world.calendar.starts[0])).mean() < 0.08
    moved = master["aligned_since"].notna()
    assert 0.03 < moved.mean() < 0.07
    territory = world.field.territory
    population = chunk.population
    changed = territory[population.earlier_rep[moved.to_numpy()]] != territory[population.rep[moved.to_numpy()]]
    assert changed.mean() > 0.8


def test_one_channel_records_no_responses_and_others_lack_some(frames: dict[str, pd.DataFrame]) -> None:
    missing = frames["engagement_history"].groupby("channel")["responses"].apply(lambda r: r.isna().mean())
    assert missing["display_ad"] == 1.0
    assert (missing.drop("display_ad").between(0.015, 0.05)).all()


def test_consent_has_its_odd_cases(frames: dict[str, pd.DataFrame], world: World) -> None:
    consent = frames["rule_consent"]
    start = world.calendar.cycle_start.item()
    email = consent[consent["channel"] == "email"]
    assert set(consent["status"]) == {"opt_in", "opt_out"}
    assert email.duplicated("hcp_id").any()
    expires = email["expires_at"].dropna()
    assert (expires < start).any()
    assert ((expires > start) & (expires < world.calendar.cycle_end.item())).any()
    assert set(consent["channel"]) == {"email", "phone_call", "webinar"}
    assert (consent["captured_at"] < pd.Timestamp(start)).all()
    latest = email.sort_values("captured_at").groupby("hcp_id").tail(1).set_index("hcp_id")["status"]
    assert 0.6 < (latest == "opt_in").sum() / 4000 < 0.75
    never = frames["engagement_history"].query("channel == 'email'")["hcp_id"]
    assert latest.reindex(never.unique()).eq("opt_in").all()
