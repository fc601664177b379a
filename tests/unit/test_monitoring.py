"""Drift: caught within one cycle where it is, quiet where it is not, at any size of the sample."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from nba.monitoring.drift import debiased_psi, drift_facts, joined
from nba.monitoring.judge import Limit, judged, severity
from nba.monitoring.profile import PROFILE_SCHEMA, profile, profile_of, profile_table

# as macros/drift_limits.sql ships them; a test below holds that
LIMITS = {"psi": Limit("psi", 0.1, 0.25, None, 100), "ks": Limit("ks", 0.125, 0.2, None, 100)}
Change = Callable[[dict[str, np.ndarray]], None]


def sample(rng: np.random.Generator, hcps: int, channels: int = 2, change: Change = lambda columns: None) -> pa.Table:
    """Pairs of HCPs with twenty features of every shape: bell, long tail, few values, categories, often unknown, and a score."""
    columns: dict[str, np.ndarray] = {}
    for place in range(4):
        columns[f"bell_{place}"] = np.repeat(rng.normal(size=hcps), channels)
        columns[f"tail_{place}"] = np.repeat(rng.lognormal(sigma=1.5, size=hcps), channels)
        columns[f"count_{place}"] = rng.poisson(np.repeat(rng.gamma(1, 1.5, hcps), channels)).astype(float)
        columns[f"kind_{place}"] = np.repeat(rng.choice(["a", "b", "c", "d", "e"], hcps, p=[0.5, 0.3, 0.15, 0.04, 0.01]), channels).astype(
            object
        )
        gaps = rng.normal(size=hcps * channels)
        gaps[rng.random(len(gaps)) < 0.4] = np.nan
        columns[f"gaps_{place}"] = gaps
    columns["score_engagement_probability"] = rng.beta(2, 5, hcps * channels)
    change(columns)
    named = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    return pa.table({"hcp_id": pa.array(np.repeat(np.arange(hcps), channels).astype(str)), **named})


def alerts(before: pa.Table, now: pa.Table) -> list[dict]:
    profiles = [(row["table_name"], row["column_name"], profile_of(row)) for row in profile_table(before).to_pylist()]
    return [row for row in judged(drift_facts(now, profiles), LIMITS) if row["severity"] in ("notice", "warn", "error")]


def share_of_cycles_with_an_alarm(hcps: int, cycles: int) -> float:
    """Share of cycles, each against the profile of another draw, in which any feature or score is an alert of severity warn or above."""
    rng = np.random.default_rng(hcps)
    alarmed = 0
    for _ in range(cycles):
        alarmed += any(row["severity"] != "notice" for row in alerts(sample(rng, hcps), sample(rng, hcps)))
    return alarmed / cycles


@pytest.mark.parametrize("hcps", [120, 1000])
def test_fewer_than_five_in_a_hundred_cycles_without_drift_raise_an_alarm(hcps: int):
    assert share_of_cycles_with_an_alarm(hcps, 200) < 0.05


@pytest.mark.long
def test_nor_does_a_large_sample():
    assert share_of_cycles_with_an_alarm(20_000, 200) < 0.05


def add(name: str, shift: float) -> Change:
    return lambda columns: columns.__setitem__(name, columns[name] + shift)


def lose(columns: dict[str, np.ndarray]) -> None:
    columns["tail_1"][: len(columns["tail_1"]) // 2] = np.nan


def rename(columns: dict[str, np.ndarray]) -> None:
    columns["kind_2"][columns["kind_2"] == "a"] = "A"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (add("bell_0", 1.0), "bell_0"),
        (add("score_engagement_probability", 0.2), "score_engagement_probability"),
        (lose, "tail_1"),
        (rename, "kind_2"),
    ],
    ids=["shifted", "score shifted", "half unknown", "a category renamed"],
)
@pytest.mark.parametrize("hcps", [300, 20_000])
def test_a_drift_is_caught_in_its_first_cycle_and_nothing_else_is(change: Change, name: str, hcps: int):
    rng = np.random.default_rng(3)
    found = alerts(sample(rng, hcps), sample(rng, hcps, change=change))
    assert {row["feature"] for row in found} == {name}
    assert "warn" in {row["severity"] for row in found}
    assert all(name in row["message"] and row["what_to_do"] for row in found)


def test_a_shift_that_does_not_matter_is_no_alarm_however_large_the_sample():
    rng = np.random.default_rng(4)
    before, now = sample(rng, 50_000, 1), sample(rng, 50_000, 1, add("bell_0", 0.1))
    profiles = [(row["table_name"], row["column_name"], profile_of(row)) for row in profile_table(before).to_pylist()]
    (psi,) = [fact for fact in drift_facts(now, profiles) if fact["feature"] == "bell_0" and fact["measure"] == "psi"]
    assert psi["sureness"] > 4  # there is no doubt that it is there
    assert psi["effect"] == pytest.approx(0.01, abs=0.003)  # the square of the shift
    assert alerts(before, now) == []


def test_a_large_effect_behind_which_too_little_stands_is_none():
    rng = np.random.default_rng(5)
    assert alerts(sample(rng, 60), sample(rng, 60, change=add("bell_0", 5.0))) == []


def test_a_column_of_one_value_per_channel_counts_channels_and_raises_no_alarm():
    """A response rate of each channel moves all pairs of the channel at once, a little every cycle."""
    rng = np.random.default_rng(8)
    channel = np.tile(np.array(["a", "b", "c", "d", "e", "f"]), 2000)

    def cycle() -> pa.Table:
        rates = dict(zip("abcdef", 0.3 + 0.02 * rng.normal(size=6), strict=True))
        hcps = np.repeat(np.arange(2000), 6).astype(str)
        return pa.table({"hcp_id": hcps, "channel": channel, "rate": [rates[name] for name in channel], "bell": rng.normal(size=12000)})

    before, now = cycle(), cycle()
    profiles = [(row["table_name"], row["column_name"], profile_of(row)) for row in profile_table(before).to_pylist()]
    found = {fact["feature"]: fact for fact in drift_facts(now, profiles) if fact["measure"] == "psi"}
    assert (found["rate"]["n"], found["bell"]["n"]) == (6, 2000)
    assert {row["severity"] for row in judged(found.values(), LIMITS) if row["feature"] == "rate"} == {"too_few"}


def test_the_debiased_index_is_nothing_on_average_without_drift_and_the_divergence_with_one():
    rng = np.random.default_rng(6)
    p = np.full(10, 0.1)
    found = [debiased_psi(rng.multinomial(200, p) / 200, rng.multinomial(200, p) / 200, 200, 200) for _ in range(2000)]
    assert np.mean(found) < 0.03 < 9 * (2 / 200)  # what is taken off
    q = np.linspace(0.05, 0.15, 10)
    truth = float(((p - q) * np.log(p / q)).sum())
    found = [debiased_psi(rng.multinomial(5000, p) / 5000, rng.multinomial(5000, q) / 5000, 5000, 5000) for _ in range(200)]
    assert np.mean(found) == pytest.approx(truth, rel=0.05)


def test_thin_bins_are_joined():
    p = np.array([0.5, 0.01, 0.01, 0.48, 0.0])
    a, b = joined(p, p, 200, ordered=True)
    assert a.sum() == pytest.approx(1) and len(a) == len(b) == 2


@pytest.mark.parametrize(
    ("effect", "n", "sureness", "expected"),
    [
        (0.3, 500, 9.0, ("warn", 0.25)),
        (0.15, 500, 9.0, ("notice", 0.1)),
        (0.3, 500, 3.9, ("ok", 0.1)),
        (0.3, 99, 9.0, ("too_few", 0.25)),
        (0.3, 500, None, ("warn", 0.25)),
        (None, 500, 9.0, ("too_few", 0.1)),
        (0.05, 500, 9.0, ("ok", 0.1)),
    ],
)
def test_effect_number_and_sureness_must_all_hold(effect, n, sureness, expected):
    assert severity({"effect": effect, "n": n, "sureness": sureness}, LIMITS["psi"]) == expected


def test_limits_that_fall_are_refused():
    with pytest.raises(ValueError, match=r"limits of 'psi' must not fall from notice to warn to error: \[0.3, 0.1\]"):
        Limit("psi", 0.3, 0.1, None)


def test_a_profile_comes_back_from_memory_and_a_damaged_one_is_said():
    rng = np.random.default_rng(7)
    table = profile_table(sample(rng, 200))
    assert table.schema.equals(PROFILE_SCHEMA)
    for row in table.to_pylist():
        assert profile_of(row).rows == row["sampled_rows"] == 400
    for changes, says in [
        ({"counts": "[1]"}, "has 1 counts for"),
        ({"bounds": "[1,"}, "cannot be read"),
        ({"counts": None}, "cannot be read"),
    ]:
        with pytest.raises(ValueError, match=f"the profile of column 'bell_0' in memory {says}"):
            profile_of({**table.to_pylist()[0], **changes})


def test_a_column_of_few_values_of_nothing_or_of_another_kind_is_no_error():
    same = pa.chunked_array([pa.array([1.0] * 300)])
    assert profile(same, 300).bounds == ()
    before = [("features", "x", profile(same, 300))]
    for now in (pa.array([None] * 300, pa.float64()), pa.nulls(300), pa.array(["a"] * 300), pa.array([1.0] * 300)):
        facts = drift_facts(pa.table({"hcp_id": [str(n) for n in range(300)], "x": now}), before)
        assert all(np.isfinite(fact["effect"]) for fact in facts)


def test_the_shipped_limits_are_those_tested_here():
    from pathlib import Path

    text = (Path(__file__).resolve().parents[2] / "macros" / "drift_limits.sql").read_text()
    assert "'psi': {'notice': 0.1, 'warn': 0.25, 'error': none, 'least_n': 100}" in text
    assert "'ks': {'notice': 0.125, 'warn': 0.2, 'error': none, 'least_n': 100}" in text
