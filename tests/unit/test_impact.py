"""Expected impact: worked by hand, sums exactly, shrinks and widens where little is known."""

import numpy as np
import pyarrow as pa
import pytest

from nba.learning.impact import IMPACT_SCHEMA, carry, score_impact
from nba.learning.settings import ImpactSettings, LearningInputError

SETTINGS = ImpactSettings(prior_touches=5, prior_periods=4, prior_cv=0.5, carry_over=0.5)
CATALOG = pa.table({"channel": ["email", "visit"], "expected_uplift": [2.0, 1.0], "uplift_basis": ["response", "touch"]})


def pairs_of(hcps: int, channels=("email", "visit"), level=None, periods=12, touches=5, segment="a") -> pa.Table:
    keys = [(f"h{i:03d}", channel) for i in range(hcps) for channel in channels]
    levels = [None if level is None else level(i) for i in range(hcps) for _ in channels]
    return pa.table(
        {
            "hcp_id": [hcp for hcp, _ in keys],
            "channel": [channel for _, channel in keys],
            "kpi_level": pa.array(levels, pa.float64()),
            "kpi_periods": [periods if value is not None else 0 for value in levels],
            "segment": pa.array([segment] * len(keys), pa.string()),
            "touches_long": pa.array([touches] * len(keys), pa.float64()),
        }
    )


def scores_of(pairs: pa.Table, chance) -> pa.Table:
    values = [chance(hcp, channel) for hcp, channel in zip(pairs["hcp_id"].to_pylist(), pairs["channel"].to_pylist(), strict=True)]
    return pairs.select(["hcp_id", "channel"]).append_column("engagement_probability", pa.array(values, pa.float64()))


def test_worked_example():
    pairs = pairs_of(2, level=lambda i: [1.0, 3.0][i])
    scores = scores_of(pairs, lambda hcp, channel: None if channel == "visit" else {"h000": 0.2, "h001": 0.6}[hcp])
    found = score_impact(scores, pairs, CATALOG, SETTINGS).to_pandas().set_index(["hcp_id", "channel"])
    first = found.loc[("h000", "email")]
    assert first["impact_base"] == pytest.approx(2.0 * 0.4)  # per response x mean probability of the channel
    assert first["engagement_factor"] == pytest.approx(1 + 0.5 * (0.5 - 1))  # 5 of 10 touches of evidence
    segment = (1 + 3 + 5 * 2.0) / 7
    assert first["kpi_factor"] == pytest.approx((12 * 1.0 + 4 * segment) / (16 * 2.0))
    assert found.loc[("h001", "visit"), "engagement_factor"] == 1.0
    assert found.loc[("h001", "visit"), "impact_base"] == 1.0
    assert found.loc[("h001", "visit"), "kpi_factor"] == pytest.approx((12 * 3.0 + 4 * segment) / (16 * 2.0))


def test_parts_sum_exactly_and_lie_in_the_interval():
    rng = np.random.default_rng(0)
    level, chance = rng.gamma(1, 3, 200), rng.random(200)
    pairs = pairs_of(200, level=lambda i: float(level[i]) if i % 3 else None)
    found = score_impact(scores_of(pairs, lambda hcp, _: float(chance[int(hcp[1:])])), pairs, CATALOG, SETTINGS)
    assert found.schema == IMPACT_SCHEMA
    frame = found.to_pandas()
    assert (frame["impact_base"] + frame["impact_engagement"] + frame["impact_kpi"] == frame["expected_impact"]).all()
    product = frame["impact_base"] * frame["engagement_factor"] * frame["kpi_factor"]
    np.testing.assert_allclose(frame["expected_impact"], product, rtol=1e-12)
    assert (frame["expected_impact_low"] < frame["expected_impact"]).all()
    assert (frame["expected_impact_high"] > frame["expected_impact"]).all()
    assert frame.groupby("channel")["kpi_factor"].mean().between(0.9, 1.1).all()
    assert (frame["expected_impact_long"].abs() >= frame["expected_impact"].abs()).all()


def test_order_of_rows_does_not_matter():
    rng = np.random.default_rng(1)
    level, chance = rng.gamma(1, 3, 150), rng.random(150)
    pairs = pairs_of(150, level=lambda i: float(level[i]))
    scores = scores_of(pairs, lambda hcp, _: float(chance[int(hcp[1:])]))
    shuffled = pa.array(rng.permutation(pairs.num_rows))
    whole = score_impact(scores, pairs, CATALOG, SETTINGS)
    assert score_impact(scores.take(pa.array(rng.permutation(pairs.num_rows))), pairs, CATALOG, SETTINGS).equals(whole)
    again = score_impact(scores, pairs.take(shuffled), CATALOG, SETTINGS)
    assert again.sort_by([("hcp_id", "ascending"), ("channel", "ascending")]).combine_chunks().equals(whole.combine_chunks())


def test_cold_start_takes_its_segment_and_is_wider():
    known = pairs_of(60, level=lambda i: 4.0 + (i % 5), segment="big", channels=("visit",))
    small = pairs_of(60, level=lambda i: 1.0 + 0.1 * (i % 5), segment="small", channels=("visit",))
    small = small.set_column(0, "hcp_id", pa.array([f"s{i:03d}" for i in range(60)]))
    new = pairs_of(1, segment="big", channels=("visit",), touches=0).set_column(0, "hcp_id", pa.array(["new"]))
    stranger = pairs_of(1, segment=None, channels=("visit",), touches=0).set_column(0, "hcp_id", pa.array(["stranger"]))
    pairs = pa.concat_tables([known, small, new, stranger])
    found = score_impact(scores_of(pairs, lambda *_: None), pairs, CATALOG, SETTINGS).to_pandas().set_index("hcp_id")
    overall = (6.0 + 1.2) / 2
    assert found.loc["new", "kpi_factor"] == pytest.approx((60 * 6.0 + 5 * overall) / 65 / overall)
    assert found.loc["stranger", "kpi_factor"] == pytest.approx(1.0)
    twin = found.loc["h002"]  # level 6, the mean of the segment

    def width(row):
        return (row["expected_impact_high"] - row["expected_impact_low"]) / row["expected_impact"]

    assert width(found.loc["new"]) > 1.02 * width(twin)


def test_without_kpi_or_probability_the_catalogue_stands():
    pairs = pairs_of(3)
    found = score_impact(scores_of(pairs, lambda *_: None), pairs, CATALOG, SETTINGS).to_pandas()
    assert found["expected_impact"].tolist() == [2.0, 1.0] * 3
    assert (found["impact_kpi"] == 0).all()
    assert not np.signbit(found["impact_engagement"]).any()
    zero = pairs_of(3, level=lambda i: 0.0)
    assert score_impact(scores_of(zero, lambda *_: None), zero, CATALOG, SETTINGS).to_pandas()["kpi_factor"].tolist() == [1.0] * 6


def test_negative_levels_never_turn_the_sign():
    pairs = pairs_of(4, level=lambda i: [-9.0, 5.0, 6.0, 7.0][i])
    found = score_impact(scores_of(pairs, lambda *_: None), pairs, CATALOG, ImpactSettings(prior_periods=0)).to_pandas()
    assert (found["kpi_factor"] >= 0).all()
    assert found.loc[0, "expected_impact"] == 0.0
    harmful = pa.table({"channel": ["email", "visit"], "expected_uplift": [-1.0, 1.0], "uplift_basis": ["touch", "touch"]})
    worse = score_impact(scores_of(pairs, lambda *_: None), pairs, harmful, SETTINGS).to_pandas()
    assert (worse.loc[worse["channel"] == "email", "expected_impact"] <= 0).all()


@pytest.mark.parametrize(
    ("grain", "periods", "share", "expected"),
    [
        ("week", 4, 0.5, (1 - 0.5**12) / (1 - 0.5**4)),
        ("week", 4, 0.0, 1.0),
        ("week", 4, 1.0, 3.0),
        ("month", 1, 0.5, 1.75),
        ("month", 3, 0.7, 1.0),
    ],
)
def test_long_horizon(grain: str, periods: int, share: float, expected: float):
    assert carry(ImpactSettings(grain=grain, cycle_periods=periods, carry_over=share)) == pytest.approx(expected)


def test_settings_and_catalogue_are_checked():
    row = {
        "impact_prior_touches": 2,
        "impact_prior_periods": 3,
        "impact_prior_cv": 0.4,
        "impact_carry_over": 0.6,
        "cycle_periods": 2,
        "grain": "week",
    }
    assert ImpactSettings.from_config({**row, "run_id": "x"}) == ImpactSettings(2.0, 3.0, 0.4, 0.6, 2, "week")
    with pytest.raises(LearningInputError, match="grain 'day' must be week or month"):
        ImpactSettings.from_config({**row, "grain": "day"})
    with pytest.raises(LearningInputError, match="impact_carry_over 1.5 must be between 0 and 1"):
        ImpactSettings(carry_over=1.5)
    pairs = pairs_of(1, channels=("fax",))
    with pytest.raises(LearningInputError, match="channel 'fax' of feat_scoring is not in the action catalogue"):
        score_impact(scores_of(pairs, lambda *_: None), pairs, CATALOG, SETTINGS)


def test_no_pairs():
    empty = pairs_of(0)
    assert score_impact(scores_of(empty, lambda *_: None), empty, CATALOG, SETTINGS).num_rows == 0
