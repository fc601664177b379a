"""Reasons and summaries of planned actions: ranks, sums, and texts that read well and promise nothing."""

import csv
import re
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from nba.explanation import plan_reasons, plan_summaries
from nba.explanation.wording import counted, days, directions, number, percent, value_words
from nba.impact.table import IMPACT_SCHEMA
from nba.learning.scoring import SCORE_SCHEMA

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def definitions() -> pa.Table:
    with (ROOT / "seeds" / "feature_definition_shipped.csv").open() as lines:
        rows = [{**row, "label": row["label"].replace("{short}", "4").replace("{long}", "12")} for row in csv.DictReader(lines)]
    return pa.Table.from_pylist([*rows, {"feature_name": "years_in_practice", "label": None, "description": None, "unit": None}])


def score(hcp: str, channel: str, chance: float | None, drivers: list[tuple[str, str, float]]) -> dict:
    row = {"hcp_id": hcp, "channel": channel, "model_version": "v", "engagement_probability": chance}
    for k, (name, value, contribution) in enumerate(drivers, start=1):
        row |= {f"driver_{k}": name, f"driver_{k}_value": value, f"driver_{k}_contribution": contribution}
    return row


SCORES = pa.Table.from_pylist(
    [
        score(
            "h1",
            "email",
            0.343,
            [("channel", "email", 1.5), ("response_rate_long", "0.45", 0.9), ("days_since_touch", "1", -0.4), ("decile", "7", 0.1)],
        ),
        score("h1", "visit", None, []),
        score("h2", "email", 0.002, [("years_in_practice", "12", -0.3), ("has_rep", "0", -0.2), ("specialty", "unknown", 0.001)]),
        score("h9", "email", 0.5, [("decile", "1", 1.0)]),
    ],
    schema=SCORE_SCHEMA,
)


def impact(hcp: str, channel: str, numbers: list[float], drivers: list[tuple[str, str | None, float]], other: float, status: str) -> dict:
    names = ("expected_impact", "expected_impact_low", "expected_impact_high", "expected_impact_long", "impact_base")
    row = {"hcp_id": hcp, "channel": channel, **dict(zip(names, numbers, strict=True)), "impact_other": other, "impact_status": status}
    for k, (name, value, contribution) in enumerate(drivers, start=1):
        row |= {f"impact_driver_{k}": name, f"impact_driver_{k}_value": value, f"impact_driver_{k}_contribution": contribution}
    return row


THIN = "not_enough_information"
IMPACT = pa.Table.from_pylist(
    [
        impact("h1", "email", [1.2, 0.4, 2.1, 1.3, 0.8], [("kpi_mean_long", "3.1", 0.3), ("decile", None, -0.1)], 0.2, "estimated"),
        impact("h1", "visit", [1.0, -0.5, 2.5, 1.1, 0.55], [("specialty", "Cardiology", 0.45)], 0.0, THIN),
        impact("h2", "email", [0.034, 0.0, 0.1, 0.04, 0.034], [], 0.0, "placebo_failed"),
        impact("h9", "email", [1.0, 0.5, 1.5, 1.0, 1.0], [], 0.0, "estimated"),
    ],
    schema=IMPACT_SCHEMA,
)
ACTIONS = pa.table(
    {
        "hcp_id": ["h2", "h1", "h1"],
        "channel": ["email", "visit", "email"],
        "touches": [1, 2, 1],
        "earliest_date": [date(2026, 1, 5), date(2025, 12, 29), date(2026, 1, 5)],
        "latest_date": [date(2026, 1, 5), date(2026, 1, 25), date(2026, 2, 1)],
    }
)
CATALOG = pa.table({"channel": ["email", "visit"], "label": ["E-mail", None]})


def test_reasons_rank_within_what_they_explain(definitions: pa.Table):
    rows = plan_reasons(ACTIONS, SCORES, IMPACT, definitions).to_pylist()
    keys = [(row["hcp_id"], row["channel"], row["explains"], row["driver_rank"]) for row in rows]
    email = [("h1", "email", "impact", k) for k in (1, 2, 3, 4)] + [("h1", "email", "engagement", k) for k in (1, 2, 3, 4)]
    visit = [("h1", "visit", "impact", k) for k in (1, 2)]
    other = [("h2", "email", "impact", 1)] + [("h2", "email", "engagement", k) for k in (1, 2, 3)]
    assert keys == email + visit + other
    assert [row["feature_name"] for row in rows[:4]] == ["channel_effect", "kpi_mean_long", "decile", "other_drivers"]
    assert [row["feature_value"] for row in rows[:4]] == ["0.8", "3.1", "unknown", "0.2"]
    assert sum(row["contribution"] for row in rows[:4]) == pytest.approx(1.2)
    assert {row["contribution_unit"] for row in rows[:4]} == {"KPI units"}
    assert rows[5] | {"contribution": 0} == {
        "hcp_id": "h1",
        "channel": "email",
        "explains": "engagement",
        "driver_rank": 2,
        "feature_name": "response_rate_long",
        "label": "response rate on this channel over the last 12 periods",
        "feature_value": "0.45",
        "contribution": 0,
        "contribution_unit": "log-odds",
    }
    assert next(row["label"] for row in rows if row["feature_name"] == "years_in_practice") == "years_in_practice"


def test_summaries_read_as_written_here(definitions: pa.Table):
    found = {
        (row["hcp_id"], row["channel"]): row["summary"] for row in plan_summaries(ACTIONS, SCORES, IMPACT, CATALOG, definitions).to_pylist()
    }
    assert found == {
        ("h1", "email"): "E-mail: expected impact about 1.2 KPI units over the cycle (0.4 to 2.1). "
        "The mean KPI per period over the last 12 periods (3.1 KPI units) raises this; the prescribing decile (not known) lowers it. "
        "About 34% likely to get a response. The response rate on this channel over the last 12 periods (45%) "
        "and the prescribing decile (7) raise this; the time since the last touch on this channel (1 day) lowers it. "
        "Do it between 5 Jan and 1 Feb 2026.",
        ("h1", "visit"): "Visit, 2 touches: expected impact of one touch about 1 KPI unit over the cycle (-0.5 to 2.5). "
        "The specialty (Cardiology) raises this. Too little history to measure this channel: the number leans on the action catalogue. "
        "Do it between 29 Dec 2025 and 25 Jan 2026.",
        ("h2", "email"): "E-mail: expected impact about 0.034 KPI units over the cycle (0 to 0.1). "
        "This is what one touch on this channel brings on average. The history of this channel cannot be trusted to show cause: "
        "the number is pulled to the action catalogue. Less than 1% likely to get a response. "
        "The years_in_practice (12) and the assigned rep (no) lower this. Do it on 5 Jan 2026.",
    }


def test_no_text_promises(definitions: pa.Table):
    texts = plan_summaries(ACTIONS, SCORES, IMPACT, CATALOG, definitions)["summary"].to_pylist()
    words = definitions["label"].to_pylist() + definitions["description"].to_pylist()
    for text in texts + [word for word in words if word]:
        assert not re.search(r"\b(will|guarantee\w*|certain\w*|ensure\w*|promise\w*|always)\b", text), text


def test_shipped_definitions_cover_the_drivers_of_the_impact(definitions: pa.Table):
    names = definitions["feature_name"].to_pylist()
    assert len(names) == len(set(names))
    assert {"channel_effect", "other_drivers"} <= set(names)
    assert all(label is None or not label.endswith(".") for label in definitions["label"].to_pylist())


def test_no_actions(definitions: pa.Table):
    none = ACTIONS.slice(0, 0)
    assert plan_reasons(none, SCORES, IMPACT, definitions).num_rows == 0
    assert plan_summaries(none, SCORES, IMPACT, CATALOG, definitions).num_rows == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1, "1"), (1.04, "1"), (0.034, "0.034"), (-2.46, "-2.5"), (12.34, "12.3"), (120.4, "120"), (15000, "15,000"), (0.996, "1")],
)
def test_number(value: float, text: str):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        ("0.45", "rate", "45%"),
        ("1", "touches", "1 touch"),
        ("2", "touches", "2 touches"),
        ("1", "responses", "1 response"),
        ("80", "days", "80 days"),
        ("1", "yes/no", "yes"),
        ("0", "yes/no", "no"),
        ("cardiology", "category", "cardiology"),
        ("007", "category", "007"),
        ("1.83", "factor", "1.8 times"),
        ("unknown", "rate", "not known"),
        ("3.5", None, "3.5"),
        ("1", "HCPs", "1 HCP"),
    ],
)
def test_value_words(value: str, unit: str | None, text: str):
    assert value_words(value, unit) == text


def test_sentences():
    assert percent(0.999) == "more than 99%"
    assert counted(-1, "KPI units") == "-1 KPI unit"
    assert days(date(2026, 1, 5), date(2026, 1, 5)) == "on 5 Jan 2026"
    assert directions([], []) == ""
    assert directions([], ["the a (1)"]) == "The a (1) lowers this."
    assert directions(["x", "y", "z"], []) == "X, y and z raise this."
