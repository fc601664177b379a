"""The draw into arms: exact shares, balance over strata, known probabilities, kept for its cycles, blind to what must not matter."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from nba.arms.draw import COLUMNS, UNITS, ArmsError, Cycle, Design, cold_shares, design_of, draw_arms

TYPES = {"unit_id": pa.string(), "arm": pa.string(), "arm_probability": pa.float64(), "stratum": pa.string()}
PRIOR = pa.schema(TYPES | {"drawn_cycle": pa.date32(), "draw_design": pa.string(), "cycle_start": pa.date32()})
NOTHING = PRIOR.empty_table()
HALF = Design(control=0.1, explore=0.15)


def cycle(day=date(2026, 1, 5), seed=7):
    return Cycle(day, "week", 4, seed)


def hcps(count=200, cold=(), pinned=(), territories=3, first=0):
    """HCPs over territories and deciles; every fifth has no organisation, the others are four to one."""
    numbers = range(first, first + count)
    return pa.table(
        {
            "hcp_id": [f"H{n:05d}" for n in numbers],
            "territory_id": [f"T{n % territories}" if n % 41 else None for n in numbers],
            "decile": pa.array([float(n % 7 + 1) if n % 29 else None for n in numbers], pa.float64()),
            "hco_id": pa.array([f"O{n // 4}" if n % 5 else None for n in numbers], pa.string()),
            "is_cold": [n in cold for n in numbers],
            "is_pinned": [n in pinned for n in numbers],
        }
    )


def arms_of(table):
    return dict(zip(table["hcp_id"].to_pylist(), table["arm"].to_pylist(), strict=True))


def as_prior(table, day):
    """What a published run of that cycle leaves behind, one row per unit."""
    rows = {row["unit_id"]: {name: row[name] for name in PRIOR.names if name != "cycle_start"} for row in table.to_pylist()}
    return pa.Table.from_pylist([row | {"cycle_start": day} for row in rows.values() if row["draw_design"] != "pinned"], PRIOR)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("count", [7, 60, 401])
def test_shares_are_met_as_well_as_whole_hcps_allow_in_all_and_in_every_stratum(seed, count):
    table = draw_arms(hcps(count), NOTHING, HALF, cycle(seed=seed)).to_pandas()
    for arm, share in (("control", 0.1), ("explore", 0.15), ("plan", 0.75)):
        assert abs((table["arm"] == arm).sum() - share * count) < 1
        for _, group in table.groupby("stratum"):
            assert abs((group["arm"] == arm).sum() - share * len(group)) < 1
        assert set(table.loc[table["arm"] == arm, "arm_probability"].round(12)) <= {share}


@pytest.mark.parametrize("unit", UNITS)
def test_over_many_seeds_every_hcp_is_in_an_arm_as_often_as_its_probability_says(unit):
    design, world, draws = Design(0.1, 0.15, unit, cold_share=0.3), hcps(60, cold=(3, 17), pinned=(5,), territories=5), 1500
    hits = {arm: np.zeros(60) for arm in ("control", "explore")}
    said = {arm: np.zeros(60) for arm in hits}
    for seed in range(draws):
        table = draw_arms(world, NOTHING, design, cycle(seed=seed))
        arm, chance = np.array(table["arm"].to_pylist()), table["arm_probability"].to_numpy()
        for name in hits:
            hits[name] += arm == name
            said[name][arm == name] = chance[arm == name]
    assert hits["control"][5] == hits["explore"][5] == 0  # a pin wins over the draw
    for name in hits:
        expected, drawn = said[name], np.arange(60) != 5
        assert np.all(expected[drawn] > 0)
        spread = np.sqrt(expected * (1 - expected) / draws)
        assert np.all(np.abs(hits[name] / draws - expected)[drawn] < 4.5 * spread[drawn])


def test_exploration_is_aimed_at_hcps_without_history_with_a_known_probability():
    world = hcps(200, cold=(3, 17, 150))
    table = draw_arms(world, NOTHING, Design(0.1, 0.1, cold_share=0.1), cycle()).to_pandas()
    first, others = cold_shares(Design(0.1, 0.1, cold_share=0.1), 200, 3)
    assert (first, others) == (pytest.approx(0.1 * 20 / 3), pytest.approx((20 - 2) / 197))
    cold = table["hcp_id"].isin(["H00003", "H00017", "H00150"])
    assert (table.loc[cold, "arm"] == "explore").sum() in (1, 2, 3)
    assert set(table.loc[cold & (table["arm"] == "explore"), "arm_probability"]) == {first}
    assert set(table.loc[~cold & (table["arm"] == "explore"), "arm_probability"]) == {others}
    assert table.loc[cold, "stratum"].str.endswith("|new").all()
    assert not table.loc[~cold, "stratum"].str.endswith("|new").any()
    assert set(table.loc[table["arm"] == "control", "arm_probability"]) == {0.1}


def test_where_many_have_no_history_nothing_needs_aiming():
    assert cold_shares(Design(0.1, 0.1, cold_share=0.2), 100, 20) == (0.1, 0.1)
    assert cold_shares(Design(0.1, 0.1, cold_share=0.2), 100, 0) == (0.1, 0.1)
    assert cold_shares(Design(0.5, 0.5, cold_share=1.0), 100, 1) == (0.5, pytest.approx(49.5 / 99))


def test_order_of_rows_and_other_columns_do_not_matter():
    world = hcps(150)
    shuffled = world.take(pa.array(np.random.default_rng(0).permutation(150)))
    assert draw_arms(shuffled, NOTHING, HALF, cycle()) == draw_arms(world, NOTHING, HALF, cycle())


def test_another_seed_or_cycle_is_another_draw():
    base = arms_of(draw_arms(hcps(), NOTHING, HALF, cycle()))
    assert arms_of(draw_arms(hcps(), NOTHING, HALF, cycle(seed=8))) != base
    assert arms_of(draw_arms(hcps(), NOTHING, HALF, cycle(date(2026, 2, 2)))) != base


def test_arms_stay_for_their_cycles_while_hcps_come_and_go_and_are_drawn_again_after():
    first_day, next_day, last_day = date(2026, 1, 5), date(2026, 2, 2), date(2026, 6, 22)
    first = draw_arms(hcps(), NOTHING, HALF, cycle(first_day))
    prior = as_prior(first, first_day)
    grown = draw_arms(hcps(260, first=20), prior, HALF, cycle(next_day))
    before, after = arms_of(first), arms_of(grown)
    assert all(after[name] == before[name] for name in set(before) & set(after))
    new = [arm for name, arm in after.items() if name not in before]
    assert len(new) == 80
    assert abs(new.count("control") - 8) < 1
    assert abs(new.count("explore") - 12) < 1
    dates = dict(zip(grown["hcp_id"].to_pylist(), grown["drawn_cycle"].to_pylist(), strict=True))
    assert {dates[name] == first_day for name in before if name in dates} == {True}
    assert {dates[name] for name in after if name not in before} == {next_day}
    again = draw_arms(hcps(), prior, HALF, cycle(last_day))  # six cycles of four weeks later
    assert set(again["drawn_cycle"].to_pylist()) == {last_day}
    assert arms_of(again) != before
    assert arms_of(draw_arms(hcps(), prior, HALF, cycle(date(2026, 5, 25)))) == before


def test_another_design_is_drawn_at_once():
    prior = as_prior(draw_arms(hcps(), NOTHING, HALF, cycle()), date(2026, 1, 5))
    later = draw_arms(hcps(), prior, Design(0.2, 0.15), cycle(date(2026, 2, 2)))
    assert arms_of(later) == arms_of(draw_arms(hcps(), NOTHING, Design(0.2, 0.15), cycle(date(2026, 2, 2))))
    assert later["arm"].to_pylist().count("control") == 40


def test_an_hcp_whose_pin_is_gone_goes_back_to_the_arm_of_its_unit():
    world = hcps(40)
    first = draw_arms(world, NOTHING, HALF, cycle())
    held = first["hcp_id"][first["arm"].to_pylist().index("control")].as_py()
    pinned = draw_arms(hcps(40, pinned=(int(held[1:]),)), as_prior(first, date(2026, 1, 5)), HALF, cycle(date(2026, 2, 2)))
    row = next(row for row in pinned.to_pylist() if row["hcp_id"] == held)
    assert (row["arm"], row["arm_probability"], row["draw_design"]) == ("plan", 1.0, "pinned")
    back = draw_arms(world, as_prior(first, date(2026, 1, 5)), HALF, cycle(date(2026, 3, 2)))
    assert arms_of(back)[held] == "control"


@pytest.mark.parametrize(("unit", "prefix"), [("hco", ("hco:", "hcp:")), ("territory", ("territory:",))])
def test_whole_units_are_in_one_arm(unit, prefix):
    table = draw_arms(hcps(400, territories=20), NOTHING, Design(0.2, 0.2, unit), cycle()).to_pandas()
    assert table["unit_id"].str.startswith(prefix).all()
    assert (table.groupby("unit_id")["arm"].nunique() == 1).all()
    assert (table.groupby("unit_id")["stratum"].nunique() == 1).all()
    units = table.drop_duplicates("unit_id")
    assert abs((units["arm"] == "control").sum() - 0.2 * len(units)) < 1
    members = table.groupby("unit_id").size()
    assert (members[members.index.str.startswith("hcp:")] == 1).all()
    assert members.max() > 1


def test_months_are_counted_as_months():
    month = Cycle(date(2026, 7, 1), "month", 2, 1)
    assert month.keeps(date(2026, 1, 1), 4)
    assert not month.keeps(date(2026, 1, 1), 3)
    assert not month.keeps(date(2026, 8, 1), 3)


def test_without_rules_everybody_is_planned_for_with_certainty():
    design = design_of(pa.table({"arm": pa.array([], pa.string())}), 0.2)
    table = draw_arms(hcps(30), NOTHING, design, cycle())
    assert table.column_names == list(COLUMNS)
    assert set(table["arm"].to_pylist()) == {"plan"}
    assert set(table["arm_probability"].to_pylist()) == {1.0}
    assert set(table["draw_design"].to_pylist()) == {"none"}
    assert table["unit_id"].to_pylist() == table["hcp_id"].to_pylist()
    assert table["stratum"].to_pylist()[:2] == ["unassigned|unknown", "T1|2"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"control": 0.6, "explore": 0.5}, "share: control 0.6 and explore 0.5 are more than 1 together"),
        ({"control": 1.2}, "control 1.2 must be in [0, 1]"),
        ({"unit": "rep"}, "unit 'rep' must be one of hcp, hco, territory"),
        ({"redraw_cycles": 0}, "redraw_cycles 0 must be >= 1"),
    ],
)
def test_designs_that_cannot_be_drawn(arguments, message):
    with pytest.raises(ArmsError) as caught:
        Design(**arguments)
    assert str(caught.value) == message


def test_rules_of_two_units_are_refused():
    one = {"share": 0.1, "redraw_cycles": 6}
    rows = [one | {"arm": "control", "unit": "hcp"}, one | {"arm": "explore", "unit": "hco"}]
    with pytest.raises(ArmsError) as caught:
        design_of(pa.Table.from_pylist(rows), 0.2)
    assert str(caught.value) == "unit: must be the same for control and explore"
