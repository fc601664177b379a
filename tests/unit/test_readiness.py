"""What a user's tables can tell: hand-made panels with known answers, and names that mean harm."""

from __future__ import annotations

import csv
import io
import math
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nba.cli import main
from nba.errors import NbaError
from nba.readiness import Readiness, assess
from nba.readiness.page import as_page
from nba.readiness.sources import from_tables
from nba.readiness.verdicts import Evidence, verdict
from nba.readiness.words import as_csv, as_text

ROOT = Path(__file__).resolve().parents[2]
HCPS, WEEKS = 120, 48


def panel(seed: int = 1, weeks: int = WEEKS, freq: str = "7D", start: str = "2025-01-06") -> dict[str, pd.DataFrame]:
    """Visits thrown like dice, emails to the upper half of the deciles only; a KPI of noise around the HCP's level."""
    draw = np.random.default_rng(seed)
    periods = pd.date_range(start, periods=weeks, freq=freq)
    ids = [f"h{number:03d}" for number in range(HCPS)]
    cells = pd.MultiIndex.from_product([ids, periods], names=["hcp_id", "period_start"]).to_frame(index=False)
    number = cells["hcp_id"].str[1:].astype(int)
    kpi = cells.assign(kpi_value=draw.poisson(1 + number % 10), known_at=cells["period_start"] + pd.Timedelta(days=17))
    visits = cells[draw.random(len(cells)) < 0.2].assign(channel="visit", touches=1, responses=None)
    emails = cells[(number % 10 >= 5) & (draw.random(len(cells)) < 0.9)].assign(channel="email", touches=1)
    emails["responses"] = draw.integers(0, 2, len(emails))
    return {
        "hcp_master": pd.DataFrame({"hcp_id": ids, "decile": [number % 10 + 1 for number in range(HCPS)], "rep_id": "r1"}),
        "engagement_history": pd.concat([visits, emails], ignore_index=True),
        "kpi_metrics": kpi,
        "engagement_action_catalog": pd.DataFrame({"channel": ["visit", "email"], "unit_cost": [100, 1], "expected_uplift": [2.0, 0.001]}),
    }


def looked_at(tables: dict[str, pd.DataFrame]) -> Readiness:
    return assess(from_tables(tables))


def value(report: Readiness, subject: str, measure: str) -> float | None:
    (found,) = [finding.value for finding in report.findings if (finding.subject, finding.measure) == (subject, measure)]
    return found


def of(report: Readiness, name: str):
    return next(channel for channel in report.channels if channel.name == name)


def test_touches_at_random_on_a_big_belief_are_a_go():
    visit = of(looked_at(panel()), "visit")
    assert visit.status == "go" and visit.evidence.overlap_share > 0.9
    assert visit.evidence.top_share == pytest.approx(0.2, abs=0.03) and visit.evidence.response_rate is None


def test_targeting_and_a_tiny_belief_are_a_no_go():
    email = of(looked_at(panel()), "email")
    assert email.status == "no-go" and "times the catalogue's" in email.reason
    assert email.evidence.overlap_share < 0.05 and email.evidence.top_share > 0.35
    assert email.evidence.response_rate == pytest.approx(0.5, abs=0.05)


def test_the_detectable_effect_is_that_of_a_two_way_regression():
    """The same number from dummies for HCPs and cycles, fitted by least squares."""
    tables = panel()
    found = of(looked_at(tables), "visit").evidence.detectable
    order = {start: place // 4 for place, start in enumerate(sorted(tables["kpi_metrics"]["period_start"].unique()))}
    kpi = tables["kpi_metrics"].assign(cycle=lambda rows: rows["period_start"].map(order)).groupby(["hcp_id", "cycle"])["kpi_value"].sum()
    touches = tables["engagement_history"].query("channel == 'visit'").assign(cycle=lambda rows: rows["period_start"].map(order))
    touched = touches.groupby(["hcp_id", "cycle"])["touches"].sum().reindex(kpi.index, fill_value=0)
    dummies = pd.get_dummies(kpi.index.to_frame(index=False).astype(str), dtype=float).to_numpy()
    parts = [
        column - dummies @ np.linalg.lstsq(dummies, column, rcond=None)[0] for column in (kpi.to_numpy(float), touched.to_numpy(float))
    ]
    freedom, variation = len(kpi) - HCPS - WEEKS // 4 + 1, (parts[1] ** 2).sum()
    plain = math.sqrt((parts[0] ** 2).sum() / freedom / variation)
    by_hcp = math.sqrt((pd.Series(parts[0] * parts[1], kpi.index).groupby("hcp_id").sum() ** 2).sum()) / variation
    assert found == pytest.approx(2.8016 * max(plain, by_hcp), rel=1e-6)


def test_a_kpi_that_drifts_hides_more():
    """The same spread from cycle to cycle, but in steps that last, and visits that come in campaigns."""
    tables = panel()
    plain = of(looked_at(tables), "visit").evidence.detectable
    kpi, weeks = tables["kpi_metrics"], WEEKS // 2
    late = kpi["period_start"] >= sorted(kpi["period_start"].unique())[weeks]
    step = np.random.default_rng(2).choice([-1, 1], HCPS)[kpi["hcp_id"].str[1:].astype(int)]
    tables["kpi_metrics"] = kpi.assign(kpi_value=kpi["kpi_value"] + 4 * (1 + step * np.where(late, 1, -1)))
    visits = tables["engagement_history"]
    chosen = (visits["channel"] == "visit") & (
        (visits["period_start"] >= sorted(kpi["period_start"].unique())[weeks]) == (visits["hcp_id"].str[1:].astype(int) % 2 == 0)
    )
    tables["engagement_history"] = visits[chosen | (visits["channel"] != "visit")]
    assert of(looked_at(tables), "visit").evidence.detectable > 2 * plain


def test_the_newest_periods_are_left_out_while_they_come_in():
    tables = panel()
    starts = sorted(tables["kpi_metrics"]["period_start"].unique())
    late = tables["kpi_metrics"]["period_start"].isin(starts[-2:]) & (tables["kpi_metrics"]["hcp_id"] > "h050")
    tables["kpi_metrics"] = tables["kpi_metrics"][~late]
    assert value(looked_at(tables), "kpi_metrics", "open_periods") == 2 and value(looked_at(panel()), "kpi_metrics", "open_periods") == 0


def test_an_effect_of_that_size_is_found_four_times_of_five():
    """The promise itself, on worlds whose touches bring just the detectable effect."""
    draw, cells, hits = np.random.default_rng(4), (100, 10), 0
    for _ in range(300):
        touches, noise = draw.poisson(0.5, cells).astype(float), draw.normal(0, 2, cells)
        rest = touches - touches.mean(1, keepdims=True) - touches.mean(0) + touches.mean()
        effect = 2.8016 * 2 / math.sqrt((rest**2).sum())
        kpi = noise + effect * touches
        out = kpi - kpi.mean(1, keepdims=True) - kpi.mean(0) + kpi.mean()
        slope = (rest * out).sum() / (rest**2).sum()
        error = math.sqrt(((out - slope * rest) ** 2).sum() / (99 * 9 - 1) / (rest**2).sum())
        hits += abs(slope / error) > 1.96
    assert 0.72 < hits / 300 < 0.88


def test_tables_and_time_are_told():
    tables = panel()
    stranger = tables["engagement_history"].head(1).assign(hcp_id="stranger")
    tables["engagement_history"] = pd.concat([tables["engagement_history"], stranger], ignore_index=True)
    starts = sorted(tables["kpi_metrics"]["period_start"].unique())
    tables["kpi_metrics"] = tables["kpi_metrics"][~tables["kpi_metrics"]["period_start"].isin([starts[5], *starts[-3:]])]
    report = looked_at(tables)
    assert value(report, "engagement_history", "match_share") == pytest.approx(120 / 121)
    assert value(report, "kpi_metrics", "match_share") == 1.0 and value(report, "rule_consent", "match_share") is None
    assert value(report, "kpi_metrics", "missing_periods") == 1 and value(report, "kpi_metrics", "lag") == 3
    assert value(report, "kpi_metrics", "known_at_share") == 1.0 and value(report, "kpi_metrics", "delay_95") == 10
    assert value(report, "engagement_history", "known_at_share") == 0.0


def test_a_channel_without_touches_and_one_that_the_catalogue_lacks():
    tables = panel()
    tables["engagement_history"]["channel"] = tables["engagement_history"]["channel"].replace("email", "fax")
    report = looked_at(tables)
    assert (of(report, "email").status, of(report, "fax").status) == ("no-go", "no-go")
    assert "nobody was touched" in of(report, "email").reason and "not in the catalogue" in of(report, "fax").reason


def test_nothing_was_ever_done():
    tables = panel()
    tables["engagement_history"] = tables["engagement_history"].head(0)
    report = looked_at(tables)
    assert not report.is_go and {channel.status for channel in report.channels} == {"no-go"}
    assert "has no period" in as_text(report) and value(report, "5%", "detectable_lift") > 0


def test_without_responses_an_uplift_per_response_says_nothing():
    tables = panel()
    tables["engagement_action_catalog"]["uplift_basis"] = "response"
    visit = of(looked_at(tables), "visit")
    assert visit.status == "weak" and "no positive uplift" in visit.reason and visit.evidence.answered_share == 0.0
    assert of(looked_at(tables), "email").evidence.uplift == pytest.approx(0.0005, rel=0.1)


def test_months_are_their_own_cycles():
    report = looked_at(panel(weeks=24, freq="MS", start="2024-01-01"))
    assert report.grain == "month" and of(report, "visit").evidence.cycles == 24
    assert value(report, "kpi_metrics", "missing_periods") == 0


def test_mixed_periods_are_named_and_nothing_is_estimated():
    tables = panel()
    tables["kpi_metrics"].loc[3, "period_start"] += pd.Timedelta(days=2)
    report = looked_at(tables)
    assert report.grain == "mixed" and {channel.status for channel in report.channels} == {"no-go"}
    assert "no single grain" in of(report, "visit").reason


def test_an_unknown_kpi_is_no_zero():
    tables = panel()
    plain = looked_at(tables)
    tables["kpi_metrics"] = tables["kpi_metrics"].astype({"kpi_value": float})
    tables["kpi_metrics"].loc[tables["kpi_metrics"]["hcp_id"] < "h060", "kpi_value"] = np.nan
    half = looked_at(tables)
    assert value(half, "kpi_metrics", "unknown_share") == 0.5
    # the same noise from half of the HCPs: the square root of two
    assert of(half, "visit").evidence.detectable / of(plain, "visit").evidence.detectable == pytest.approx(math.sqrt(2), rel=0.12)
    tables["kpi_metrics"]["kpi_value"] = np.nan
    assert "unknown" in of(looked_at(tables), "visit").reason


def test_a_control_arm_of_twice_the_size_shows_less():
    report = looked_at(panel())
    small, large = value(report, "5%", "detectable_lift"), value(report, "10%", "detectable_lift")
    assert small / large == pytest.approx(math.sqrt((1 / 6 + 1 / 114) / (1 / 12 + 1 / 108)))


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [name for name, _ in attrs if name in ("src", "href") or name.startswith("on")]


def test_names_that_mean_harm_are_only_names():
    tables = panel()
    evil = "<script>alert(1)</script>'; drop table cells; --\x1b[2J"
    for name in ("engagement_history", "engagement_action_catalog"):
        tables[name]["channel"] = tables[name]["channel"].replace({"visit": evil, "email": "=1+1"})
    report = looked_at(tables)
    assert of(report, evil).status == "go"
    page = Tags()
    page.feed(as_page(report))
    assert not page.tags & {"script", "img", "link"} and page.links == [] and "&lt;script&gt;" in as_page(report)
    assert "\x1b" not in as_text(report) and "\x1b" not in as_page(report)
    rows = list(csv.DictReader(io.StringIO(as_csv(report))))
    assert {row["subject"] for row in rows if row["section"] == "channel"} == {evil, "'=1+1"}


def test_a_catalogue_that_expects_nothing_or_harm_breaks_no_picture():
    tables = panel()
    tables["engagement_action_catalog"]["expected_uplift"] = [0.0, -1.0]
    report = looked_at(tables)
    assert (
        {channel.status for channel in report.channels} == {"weak"} and 'width="-' not in as_page(report) and "nan" not in as_page(report)
    )


def test_the_report_is_the_same_again_whatever_the_order_of_rows():
    tables = panel()
    shuffled = {name: frame.sample(frac=1, random_state=3) for name, frame in tables.items()}
    first, second = looked_at(tables), looked_at(shuffled)
    assert as_page(first) == as_page(second) and as_text(first) == as_text(second)


@pytest.mark.parametrize(
    ("facts", "status", "word"),
    [
        ({"hcps": 5}, "weak", "only 5 HCPs"),
        ({"overlap_share": 0.1}, "weak", "nearly settled"),
        ({"overlap_share": 0.4}, "weak", "40%"),
        ({"cycles": 3.0}, "weak", "3 cycles"),
        ({"detectable": 0.3}, "weak", "1.5 times"),
        ({"detectable": None}, "no-go", "do not vary"),
        ({}, "go", "catalogue expects 0.2"),
    ],
)
def test_each_verdict_says_why(facts, status, word):
    good = {"is_listed": True, "touches": 900.0, "hcps": 300, "uplift": 0.2, "overlap_share": 0.9, "detectable": 0.1, "cycles": 15.0}
    found = verdict(Evidence(**{**good, **facts}), "week")
    assert found[0] == status and word in found[1]


def test_a_folder_is_looked_at_without_loading(tmp_path, capsys):
    for name, frame in panel().items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False) if name != "kpi_metrics" else frame.to_parquet(tmp_path / f"{name}.parquet")
    page, table = tmp_path / "out" / "page.html", tmp_path / "out" / "table.csv"
    given = ["readiness", "--folder", str(tmp_path), "--page", str(page), "--csv", str(table), "--project-dir", str(ROOT)]
    assert main(given) == 0
    shown = capsys.readouterr().out
    assert "visit" in shown and "go" in shown and page.read_text("utf-8").startswith("<!doctype html>")
    assert table.read_text("utf-8").splitlines()[0] == "section,subject,measure,value,unit,status,text"
    (tmp_path / "engagement_action_catalog.csv").unlink()
    assert main(given) == 1
    assert "engagement_action_catalog is missing" in capsys.readouterr().err


def test_a_loaded_schema_is_read_through_the_warehouse(tmp_path, monkeypatch, capsys):
    import duckdb

    tables = panel()
    with duckdb.connect(str(tmp_path / "nba.duckdb")) as connection:
        connection.execute("create schema raw")
        for name, frame in tables.items():
            connection.register("given", frame)
            connection.execute(f"create table raw.{name} as select * from given")
            connection.unregister("given")
    monkeypatch.setenv("NBA_DUCKDB_PATH", str(tmp_path / "nba.duckdb"))
    assert main(["readiness", "--project-dir", str(ROOT), "--target", "duckdb"]) == 0
    assert capsys.readouterr().out.rstrip("\n") == as_text(looked_at(tables))
    assert main(["readiness", "--project-dir", str(ROOT), "--vars", "{input_schema: elsewhere}"]) == 1


def test_a_missing_column_is_named():
    tables = panel()
    with pytest.raises(NbaError, match=r"kpi_metrics lacks the column\(s\) kpi_value"):
        from_tables({**tables, "kpi_metrics": tables["kpi_metrics"].drop(columns="kpi_value")})
