"""How much a feature says of a denied column: known answers, chance, and what the table makes of types."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from nba.fairness.proxies import FEW, class_codes, correlation_ratio, cramers_v, feature_proxies


def found(frame):
    return {(row["feature_name"], row["denied_column"]): row for row in feature_proxies(frame).to_pylist()}


def test_a_copy_says_everything_and_a_constant_nothing():
    codes = np.repeat(np.arange(4), 50)
    assert cramers_v(codes, codes) == pytest.approx(1.0)
    assert correlation_ratio(codes.astype(float), codes) == pytest.approx(1.0)
    assert cramers_v(codes, np.zeros(200)) is None
    assert correlation_ratio(np.ones(200), codes) is None


def test_a_two_by_two_table_has_its_textbook_value():
    """40, 10 against 10, 40: phi is 0.6; the correction takes off what chance alone shows."""
    left = np.repeat([0, 0, 1, 1], [40, 10, 10, 40])
    right = np.repeat([0, 1, 0, 1], [40, 10, 10, 40])
    square, most = 0.36 - 1 / 99, 2 - 1 / 99 - 1
    assert cramers_v(left, right) == pytest.approx(np.sqrt(square / most))


def test_chance_stays_below_any_threshold_in_small_and_large_samples():
    """The plain measures of many classes over few HCPs are far from 0; an alarm must not come of it, nor of a large sample."""
    rng = np.random.default_rng(7)
    for hcps in (200, 1_000, 5_000):
        texts, numbers = [], []
        for _ in range(200):
            denied = rng.integers(0, 6, hcps)
            texts.append(cramers_v(rng.integers(0, 8, hcps), denied))
            numbers.append(correlation_ratio(rng.normal(size=hcps), denied))
        assert max(texts) < 0.4 and max(numbers) < 0.4
        assert np.mean(texts) < 0.1 and np.mean(numbers) < 0.1


def test_a_planted_proxy_is_found_and_its_neighbours_are_not():
    rng = np.random.default_rng(11)
    hcps = 400
    born = rng.integers(1950, 1995, hcps)
    gender = rng.choice(["f", "m"], hcps)
    frame = pd.DataFrame(
        {
            "hcp_id": [f"h{n}" for n in range(hcps)],
            "denied__birth_year": born,
            "denied__gender": gender,
            "denied__dob": [date(int(year), 1, 1) + timedelta(days=n % 300) for n, year in enumerate(born)],
            "feature__years_in_practice": 2026 - born - 28 + rng.normal(0, 3, hcps),
            "feature__specialty": np.where((gender == "f") ^ (rng.random(hcps) < 0.1), "gynaecology", "urology"),
            "feature__decile": rng.integers(1, 11, hcps).astype(float),
            "feature__practice_type": rng.choice(["solo", "group"], hcps),
        }
    )
    rows = found(frame)
    assert {key for key, row in rows.items() if row["association"] >= 0.4} == {
        ("years_in_practice", "birth_year"),
        ("years_in_practice", "dob"),
        ("specialty", "gender"),
    }
    assert rows["specialty", "gender"]["measure"] == "cramers_v"
    assert rows["years_in_practice", "birth_year"]["measure"] == "correlation_ratio"
    assert feature_proxies(frame.sample(frac=1, random_state=3)).equals(feature_proxies(frame))


def test_unknown_values_are_left_out_and_rare_ones_are_one_class():
    frame = pd.DataFrame(
        {"denied__nationality": ["a"] * 40 + ["b"] * 40 + [None] * 20, "feature__decile": [1.0] * 40 + [None] * 40 + [2.0] * 20}
    )
    row = found(frame)["decile", "nationality"]
    assert row["hcps"] == 40 and row["association"] is None
    codes = class_codes(pd.Series(["a"] * FEW + ["b"] * (FEW - 1) + ["c"] + [None]))
    assert len(set(codes[:FEW])) == 1 and set(codes[FEW:-1]) == {codes[-2]} and codes[-1] == -1
    assert len(set(class_codes(pd.Series(np.arange(1000.0))))) == 10


def test_no_denied_column_gives_no_row():
    empty = feature_proxies(pd.DataFrame({"hcp_id": []}))
    assert empty.num_rows == 0
    assert empty.column_names == ["feature_name", "denied_column", "measure", "association", "hcps"]
