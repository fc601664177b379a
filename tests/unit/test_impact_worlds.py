"""The worlds of the impact benchmark: the same every time, shaped like staging's tables, and their truth is what playing them gives."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pyarrow.compute as pc
import pytest

from benchmarks.impact.panel import Pace, State, kpi_mean, move, true_impact
from benchmarks.impact.people import People
from benchmarks.impact.shapes import SHAPES, Shape
from benchmarks.impact.worlds import NAMES, ImpactWorld, build_shape, draw_world
from nba.simulate.periods import Calendar
from nba.simulate.settings import WorldSettings

COLUMNS = {
    "engagement": ["hcp_id", "channel", "period_start", "period_end", "touches", "responses", "known_from"],
    "kpi": ["hcp_id", "period_start", "period_end", "kpi_value", "market_value", "known_from", "known_until"],
}
LISTED = {"channel", "label", "channel_type", "unit_cost", "expected_uplift", "uplift_basis", "rep_minutes", "requires_consent"}


@pytest.fixture(scope="module", params=NAMES)
def world(request: pytest.FixtureRequest) -> ImpactWorld:
    return draw_world(request.param, 150, 40, 3)


def test_tables_look_like_staging(world: ImpactWorld) -> None:
    for table, columns in COLUMNS.items():
        assert world.tables[table].column_names == columns
    assert set(world.channels) >= set(world.tables["engagement"]["channel"].to_pylist())
    assert set(world.tables["catalog"].column_names) == LISTED | {"max_touches", "records_responses"}
    assert set(world.settings["attributes"]) <= set(world.tables["hcps"].column_names)
    kpi = world.tables["kpi"]
    assert pc.all(pc.less(kpi["known_from"], kpi["known_until"])).as_py()
    assert pc.all(pc.less_equal(kpi["period_end"], kpi["known_from"])).as_py()
    assert pc.max(kpi["period_start"]).as_py() < world.cycle_start
    current = kpi.filter(pc.equal(kpi["known_until"], pc.max(kpi["known_until"])))
    assert current.group_by(["hcp_id", "period_start"]).aggregate([]).num_rows == current.num_rows


def test_truth_has_every_pair_in_order(world: ImpactWorld) -> None:
    hcps = world.tables["hcps"]["hcp_id"].to_pylist()
    assert world.truth["hcp_id"].to_pylist() == [h for h in hcps for _ in world.channels]
    assert world.truth["channel"].to_pylist() == world.channels * len(hcps)
    assert np.isfinite(world.true_matrix()).all() and np.isfinite(world.true_matrix("true_impact_long")).all()


def test_shapes_are_what_they_say() -> None:
    nothing, wrong, harm = (draw_world(name, 400, 30, 5) for name in ("no_effect", "wrong_catalogue", "negative"))
    assert not nothing.true_matrix().any() and min(nothing.tables["catalog"]["expected_uplift"].to_pylist()) > 0
    ratio = np.array(wrong.tables["catalog"]["expected_uplift"].to_pylist()) / wrong.true_matrix().mean(axis=0)
    np.testing.assert_allclose(ratio[[0, 1, 3, 5]], [10, 0, 10, 0], rtol=0.02)
    assert harm.true_matrix()[:, harm.channels.index("email")].max() < 0
    assert pc.all(pc.is_null(draw_world("no_responses", 100, 20, 5).tables["engagement"]["responses"])).as_py()
    assert pc.min(draw_world("continuous", 300, 40, 5).tables["kpi"]["kpi_value"]).as_py() < 0
    assert pc.max(draw_world("monthly", 200, 78, 5).tables["engagement"]["touches"]).as_py() > 3


def test_same_arguments_same_world() -> None:
    first, again, other = (draw_world("potential", 120, 30, seed) for seed in (1, 1, 2))
    assert first.truth.equals(again.truth) and all(first.tables[name].equals(again.tables[name]) for name in first.tables)
    assert not first.truth.equals(other.truth)


def test_unknown_name_is_said() -> None:
    with pytest.raises(ValueError, match="world 'mars' must be one of base, additive"):
        draw_world("mars", 100, 30, 1)


@pytest.mark.parametrize("name", ["saturating", "no_responses", "monthly", "negative"])
def test_truth_is_what_playing_the_cycle_gives(name: str) -> None:
    """Play the cycle many times with one touch and with none from the state at cycle start; the noise of the counts left aside."""
    shape, times = SHAPES[name], 4000
    calendar = WorldSettings(10, 40, 8, shape.grain).calendar
    people, effect, panel, _ = build_shape(name, calendar, 10, 8)
    impact, _ = true_impact(shape, people, effect, panel.state, calendar)
    many = People(**{f.name: np.repeat(getattr(people, f.name), times, axis=-1) for f in dataclasses.fields(People)})
    start = State(*(np.repeat(getattr(panel.state, f.name), times, axis=-1) for f in dataclasses.fields(State)))
    for position in (0, 2):
        none, one = (_played(shape, many, np.repeat(effect, times, axis=1), start, calendar, position, touches) for touches in (0, 1))
        gains = (one - none).reshape(people.size, times)
        error = gains.std(axis=1) / np.sqrt(times)
        assert (np.abs(gains.mean(axis=1) - impact[position]) < 4.5 * error + 1e-9).all()


def _played(shape: Shape, people: People, effect: np.ndarray, start: State, calendar: Calendar, position: int, touched: int) -> np.ndarray:
    rng, responds = np.random.default_rng(5), np.random.default_rng(6)
    state, pace, total = copy.deepcopy(start), Pace.of(shape, calendar), np.zeros(people.size)
    for ahead in range(calendar.cycle_periods):
        touches = np.zeros((len(shape.channels), people.size), np.int64)
        touches[position] = touched if ahead == 0 else 0
        responses = responds.binomial(touches, people.response_chance)
        move(shape, state, pace, touches, responses, rng)
        total += kpi_mean(shape, people, effect, state, calendar, calendar.periods + ahead)
    return total
