"""Expected impact: the panel read right, effects found where they are and not where they are not, drivers that sum, the same to the bit."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from benchmarks.impact.worlds import draw_world
from nba.impact import ImpactModel, ImpactSettings, diagnostics_table, estimate_impact, score_impact
from nba.impact.checks import PLACEBO_SHARE, placebo_fit
from nba.impact.controls import doses
from nba.impact.estimate import Known, _learning
from nba.impact.form import Form, Modifiers
from nba.impact.history import fading_mean, stock
from nba.impact.panel import read_panel
from nba.impact.scoring import norms
from nba.impact.table import DRIVERS, IMPACT_SCHEMA
from nba.learning.settings import LearningInputError

START = date(2026, 1, 5)
SETTINGS = ImpactSettings(cycle_start=START, cycle_periods=2)
EVER = date(9999, 12, 31)


def week(back: int) -> date:
    return START - timedelta(weeks=back)


def tables_of(
    touches: list[tuple], kpi: list[tuple], hcps=("h1", "h2"), channels=("email", "visit"), uplift=(0.2, 1.0)
) -> dict[str, pa.Table]:
    """touches: hcp, channel, weeks back, touches, responses, known_from. kpi: hcp, weeks back, value, known_from, known_until."""
    names = ["hcp_id", "channel", "period_start", "touches", "responses", "known_from"]
    kinds = [pa.string(), pa.string(), pa.date32(), pa.int32(), pa.int32(), pa.date32()]
    seen = [(h, c, week(b), t, r, k) for h, c, b, t, r, k in touches]
    values = [(h, week(b), v, k, u) for h, b, v, k, u in kpi]
    kpi_names, kpi_kinds = (
        ["hcp_id", "period_start", "kpi_value", "known_from", "known_until"],
        [pa.string(), pa.date32(), pa.float64(), pa.date32(), pa.date32()],
    )
    return {
        "hcps": pa.table({"hcp_id": list(hcps), "specialty": ["a"] * len(hcps), "decile": [5.0] * len(hcps), "rep_id": ["r"] * len(hcps)}),
        "engagement": pa.table([pa.array([row[k] for row in seen], kinds[k]) for k in range(6)], names=names),
        "kpi": pa.table([pa.array([row[k] for row in values], kpi_kinds[k]) for k in range(5)], names=kpi_names),
        "catalog": pa.table({"channel": list(channels), "expected_uplift": list(uplift), "uplift_basis": ["touch"] * len(channels)}),
    }


def test_the_panel_knows_what_was_known():
    touches = [("h1", "visit", 2, 1, 1, week(1)), ("h1", "visit", 2, 2, None, week(1)), ("h2", "email", 1, 1, 0, START + timedelta(days=1))]
    kpi = [
        ("h1", 4, 3.0, week(3), week(1)),
        ("h1", 4, 5.0, week(1), EVER),  # restated
        ("h1", 3, None, week(2), EVER),
        ("h2", 2, 7.0, week(1), EVER),
        ("h2", 1, 9.0, START + timedelta(days=1), EVER),
    ]
    panel = read_panel(tables_of(touches, kpi), SETTINGS)
    assert panel.channels == ["email", "visit"] and panel.periods == 4
    assert panel.touches[0, 2].tolist() == [0, 3] and panel.answered[0, 2].tolist() == [0, 1] and panel.responses[0, 2].tolist() == [0, 1]
    assert panel.touches[1].sum() == 0 and panel.touch_through == 2
    np.testing.assert_array_equal(panel.kpi[0], [5.0, np.nan, 0.0, np.nan])  # null unknown, absent zero, the last one not delivered
    np.testing.assert_array_equal(panel.kpi[1], [np.nan, np.nan, 7.0, np.nan])  # nothing before its first row
    assert panel.kpi_through == 2 and panel.known_through.tolist() == [-1, 0, 1, 2, 2]
    unknown = read_panel(tables_of(touches, kpi), replace(SETTINGS, kpi_absent="unknown"))
    np.testing.assert_array_equal(unknown.kpi[0], [5.0, np.nan, np.nan, np.nan])


def test_memories_by_hand():
    mean, weight = fading_mean(np.array([[2.0, np.nan, 6.0]], np.float32), 0.5)
    np.testing.assert_allclose(mean, [[0, 2, 2, (2 * 0.25 + 6) / 1.25]])
    np.testing.assert_allclose(weight, [[0, 1, 0.5, 1.25]])
    np.testing.assert_allclose(stock(np.array([[[2], [0], [4]]], np.uint8), 0.5)[0, :, 0], [0, 2, 1, 4.5])
    np.testing.assert_allclose(doses(np.array([[0], [1], [2]]), (np.log(2), "own"))[:, 0], [0, 1, 1.5])
    np.testing.assert_allclose(doses(np.array([[1, 0], [1, 2]]), (np.log(2), "all")), [[1, 0], [1.75 / 3, 3.5 / 3]])


@pytest.fixture(scope="module")
def world():
    return draw_world("additive", hcps=700, weeks=60, seed=4)


def settings_of(world) -> ImpactSettings:
    start = world.cycle_start.astype(object) if hasattr(world.cycle_start, "astype") else world.cycle_start
    return ImpactSettings(cycle_start=start, attributes=tuple(world.settings["attributes"]))


@pytest.fixture(scope="module")
def result(world):
    return estimate_impact(world.tables, settings_of(world))


def truth_of(world) -> dict[str, float]:
    return dict(zip(world.channels, world.true_matrix().mean(axis=0), strict=True))


def test_drivers_sum_to_the_impact_and_the_interval_holds_it(result):
    scores = result.scores
    assert scores.schema == IMPACT_SCHEMA
    parts = [scores[f"impact_driver_{k}_contribution"].fill_null(0.0).to_numpy() for k in range(1, DRIVERS + 1)]
    total = scores["impact_base"].to_numpy() + sum(parts) + scores["impact_other"].to_numpy()
    np.testing.assert_allclose(total, scores["expected_impact"].to_numpy(), atol=1e-12)
    assert (scores["expected_impact_low"].to_numpy() < scores["expected_impact"].to_numpy()).all()
    assert (scores["expected_impact_high"].to_numpy() > scores["expected_impact"].to_numpy()).all()
    assert all((np.diff(np.abs(np.stack(parts)), axis=0) <= 1e-15).all(axis=0))  # the largest first


def test_known_effects_lie_in_the_intervals(world, result):
    found = diagnostics_table(result.model).to_pandas().query("measure == 'effect'").set_index("channel")
    truth = truth_of(world)
    inside = [found.loc[c, "low"] <= value <= found.loc[c, "high"] for c, value in truth.items()]
    assert sum(inside) >= len(inside) - 2, (found, truth)
    visit = found.loc["rep_visit"]
    assert visit["status"] == "effective" and 0.6 < visit["value"] / truth["rep_visit"] < 1.6
    low, high, true = (
        result.scores["expected_impact_low"].to_numpy(),
        result.scores["expected_impact_high"].to_numpy(),
        _true(world, result),
    )
    assert 0.75 < ((low <= true) & (true <= high)).mean() < 0.99


def _true(world, result) -> np.ndarray:
    keys = {(h, c): v for h, c, v in zip(*(world.truth[n].to_pylist() for n in ("hcp_id", "channel", "true_impact")), strict=True)}
    return np.array([keys[key] for key in zip(result.scores["hcp_id"].to_pylist(), result.scores["channel"].to_pylist(), strict=True)])


def test_the_order_of_rows_and_a_stored_model_change_nothing(world, result):
    rng = np.random.default_rng(3)
    mixed = {name: table.take(pa.array(rng.permutation(table.num_rows))) for name, table in world.tables.items()}
    again = estimate_impact(mixed, settings_of(world))
    assert again.scores.equals(result.scores)
    assert again.model.to_json() == result.model.to_json()
    stored = ImpactModel.from_json(result.model.to_json())
    assert score_impact(stored, world.tables, settings_of(world)).equals(result.scores)
    assert stored.version == result.model.version


def test_a_model_of_other_channels_is_refused(world, result):
    catalog = world.tables["catalog"].slice(1)
    with pytest.raises(LearningInputError, match="other channels or attributes"):
        score_impact(result.model, {**world.tables, "catalog": catalog}, settings_of(world))
    with pytest.raises(LearningInputError, match="kind 'x'"):
        ImpactModel.from_json('{"kind": "x"}')


@pytest.mark.parametrize(("factor", "most"), [(10.0, 2.0), (0.0, 1.7)])
def test_a_catalogue_far_off_is_contradicted(world, factor, most):
    catalog = world.tables["catalog"]
    place = catalog.column_names.index("expected_uplift")
    wrong = catalog.set_column(place, "expected_uplift", pa.array(catalog["expected_uplift"].to_numpy() * factor))
    found = estimate_impact({**world.tables, "catalog": wrong}, settings_of(world)).diagnostics.to_pandas().query("measure == 'effect'")
    ratio = found.set_index("channel")["value"]["rep_visit"] / truth_of(world)["rep_visit"]
    assert 0.5 < ratio < most


def test_without_an_effect_none_is_called_effective():
    world = draw_world("no_effect", hcps=900, weeks=60, seed=6)
    found = estimate_impact(world.tables, settings_of(world))
    assert set(found.diagnostics.to_pandas().query("measure == 'effect'")["status"]) == {"not_shown"}
    catalogue = sum(world.tables["catalog"]["expected_uplift"].to_pylist()) * 900
    assert np.maximum(found.scores["expected_impact"].to_numpy(), 0).sum() < 0.5 * catalogue


def test_the_next_touch_after_five_is_worth_less_than_the_first(world):
    """The same HCP twice, once touched five times in the last weeks."""
    settings = settings_of(world)
    tables = dict(world.tables)
    keep = tables["hcps"]["hcp_id"][0].as_py()
    mine = pa.compute.equal(tables["engagement"]["hcp_id"], keep)
    last = tables["engagement"]["period_start"].to_pandas().max()
    extra = pa.Table.from_pylist(
        [{"hcp_id": keep, "channel": "rep_visit", "period_start": last, "touches": 5, "responses": 0, "known_from": settings.cycle_start}]
    )
    quiet = tables["engagement"].filter(pa.compute.invert(mine))
    busy = pa.concat_tables([quiet, extra.select([c for c in quiet.column_names if c in extra.column_names])], promote_options="permissive")
    model = estimate_impact(tables, settings).model

    def impact(engagement: pa.Table) -> float:
        found = score_impact(model, {**tables, "engagement": engagement}, settings).to_pandas().set_index(["hcp_id", "channel"])
        return float(found.loc[(keep, "rep_visit"), "expected_impact"])

    calm = impact(quiet)
    assert abs(impact(busy)) < abs(calm)


def test_the_placebo_fires_where_touches_follow_the_kpi_unexplained():
    """On touches less their mean, as a naive regression has them, it must fail; on their innovations it holds."""
    world = draw_world("rep_persistent", hcps=900, weeks=60, seed=2)
    settings = settings_of(world)
    known = Known.of(world.tables, settings)
    modifiers = Modifiers(known.panel, known.who, known.levels, settings)
    learning = _learning(known.panel, known.who, settings, known.levels, modifiers)
    learning.residuals()
    form = Form("kpi", 0.5, 0.85, 0.07, "all")
    norm = norms(known.panel, modifiers, form)
    visit = known.panel.channels.index("rep_visit")
    held, raw = placebo_fit(learning, form, norm), placebo_fit(learning, form, norm, raw=True)
    effect = truth_of(world)["rep_visit"]
    assert raw.theta[visit] > max(PLACEBO_SHARE * effect, 1.645 * raw.error[visit])
    assert abs(held.theta[visit]) < 0.5 * raw.theta[visit]


def test_a_channel_never_used_keeps_the_catalogue(world):
    catalog = pa.concat_tables([world.tables["catalog"], world.tables["catalog"].slice(0, 1).set_column(0, "channel", pa.array(["fax"]))])
    found = estimate_impact({**world.tables, "catalog": catalog}, settings_of(world))
    fax = found.diagnostics.to_pandas().query("channel == 'fax'").set_index("measure")
    assert fax.loc["status", "status"] == "no_touches"
    assert fax.loc["effect", "value"] == pytest.approx(catalog["expected_uplift"][0].as_py(), rel=0.05)


@pytest.mark.parametrize("missing", ["engagement", "kpi"])
def test_without_history_the_catalogue_speaks(world, missing):
    tables = {**world.tables, missing: world.tables[missing].slice(0, 0)}
    found = estimate_impact(tables, settings_of(world))
    base = dict(zip(found.scores["channel"].to_pylist(), found.scores["impact_base"].to_pylist(), strict=True))
    for channel, uplift in zip(*(world.tables["catalog"][n].to_pylist() for n in ("channel", "expected_uplift")), strict=True):
        assert base[channel] == pytest.approx(uplift)
    assert set(found.scores["impact_status"].to_pylist()) == {"no_touches"}


def test_few_hcps_and_few_periods_do_not_break():
    kpi = [(f"h{i:02d}", b, float(i % 3), week(b - 1), EVER) for i in range(12) for b in range(1, 7)]
    touches = [(f"h{i:02d}", "visit", b, 1, None, week(b - 1)) for i in range(12) for b in range(1, 7) if (i + b) % 3 == 0]
    tables = tables_of(touches, kpi, hcps=[f"h{i:02d}" for i in range(12)])
    scores = estimate_impact(tables, SETTINGS).scores
    assert scores.num_rows == 24 and np.isfinite(scores["expected_impact"].to_numpy()).all()


def test_settings_are_checked():
    row = {
        "cycle_start": START,
        "grain": "month",
        "cycle_periods": 1,
        "impact_prior_cv": 0.4,
        "impact_hcps": 50,
        "hcp_attributes": "a,b",
        "run_id": "x",
    }
    found = ImpactSettings.from_config(row)
    assert (found.prior_cv, found.estimation_hcps, found.attributes, found.long_periods) == (0.4, 50, ("a", "b"), 3)
    with pytest.raises(LearningInputError, match="grain 'day' must be week or month"):
        ImpactSettings.from_config({**row, "grain": "day"})
    with pytest.raises(LearningInputError, match="impact_carry_over 1.5 must be between 0 and 1"):
        ImpactSettings(cycle_start=START, carry_over=1.5)
