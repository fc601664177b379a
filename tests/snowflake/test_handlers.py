"""The handlers of the scale-out, called as Snowflake calls them: partition by partition, upper-case pandas frames in and out.

Snowpark's Local Testing (1.56.0) does not partition a vectorised table function: it hands the handler the whole input once. So it is
used with one partition here, and the partitions are made by the test.
"""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from conftest import Builds, Place

from nba.snowflake import handlers
from nba.snowflake.handlers import PLAN_OUTPUT, PlanRep, ScorePairs, function_statement, lower_table, upper_frame

CHANNELS = ("email", "rep_visit", "webinar")


@pytest.fixture
def imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a function finds its files."""
    monkeypatch.setitem(sys._xoptions, "snowflake_import_directory", str(tmp_path))
    handlers.staged_text.cache_clear()
    return tmp_path


def _pairs(reps: int = 3, hcps: int = 10) -> pd.DataFrame:
    drawn = np.random.default_rng(5)
    rows = [(f"R{rep}", f"{rep}-{hcp:02d}", channel) for rep in range(reps) for hcp in range(hcps) for channel in CHANNELS]
    frame = pd.DataFrame(rows, columns=["REP_ID", "HCP_ID", "CHANNEL"])
    frame["EXPECTED_IMPACT"] = drawn.uniform(-0.2, 1.0, len(frame)).round(3)
    frame["IS_ELIGIBLE"] = drawn.uniform(size=len(frame)) > 0.1
    frame["COST"] = frame["CHANNEL"].map({"email": 1.0, "rep_visit": 100.0, "webinar": 20.0})
    frame["REP_MINUTES"] = frame["CHANNEL"].map({"email": 0.0, "rep_visit": 30.0, "webinar": 0.0})
    return frame.assign(MAX_MINUTES=90.0, MOST_CHANNELS=2)


def _by_partition(handler: type, frame: pd.DataFrame, key: str) -> pd.DataFrame:
    """What the engine does: each partition to a handler of its own, the answers together."""
    return pd.concat([handler().end_partition(part.reset_index(drop=True)) for _, part in frame.groupby(key)], ignore_index=True)


def test_scoring_by_partitions_gives_the_scores_of_the_build(builds: Builds, beside: Place, imports: Path) -> None:
    with duckdb.connect(beside.environment["NBA_DUCKDB_PATH"], read_only=True) as connection:
        model = connection.execute("select model_json from scores.engagement_model").fetchone()[0]
        pairs = connection.execute("select * from features.feat_scoring").to_arrow_table()
        scores = connection.execute("select * from scores.score_engagement order by hcp_id, channel").to_arrow_table()
    (imports / handlers.MODEL_FILE).write_text(model)
    frame = upper_frame(pairs)
    found = _by_partition(ScorePairs, frame.assign(PART=frame["HCP_ID"].str[-1]), "PART").sort_values(
        ["HCP_ID", "CHANNEL"], ignore_index=True
    )
    pd.testing.assert_frame_equal(found, upper_frame(scores), check_dtype=False, rtol=1e-9)
    assert found["DRIVER_1_CONTRIBUTION"].notna().any()


def test_a_rep_is_planned_within_own_minutes_and_alone(imports: Path) -> None:
    (imports / handlers.PRICES_FILE).write_text(json.dumps({"cost": 0.002, "touches": {"email": 0.05}}))
    frame = _pairs()
    found = _by_partition(PlanRep, frame, "REP_ID")
    assert list(found.columns) == list(PLAN_OUTPUT)
    assert found.merge(frame, on=["HCP_ID", "CHANNEL"])["IS_ELIGIBLE"].all()
    assert (found.groupby(found["HCP_ID"].str[:1])["USED_MINUTES"].sum() <= 90).all()
    assert found.groupby("HCP_ID").size().max() <= 2
    alone = PlanRep().end_partition(frame[frame["REP_ID"] == "R1"])
    pd.testing.assert_frame_equal(alone, found[found["HCP_ID"].str.startswith("1-")].reset_index(drop=True))


def test_higher_prices_leave_less_and_the_choice_is_the_best(imports: Path) -> None:
    frame = _pairs(reps=1, hcps=4)
    free = handlers.plan_part(frame, 0.0, {})
    dear = handlers.plan_part(frame, 0.005, {})
    assert dear.merge(frame, on=["HCP_ID", "CHANNEL"])["COST"].sum() < free.merge(frame, on=["HCP_ID", "CHANNEL"])["COST"].sum()
    assert free["PRICED_VALUE"].sum() == pytest.approx(_best_by_trying(frame), rel=1e-3)


def _best_by_trying(frame: pd.DataFrame) -> float:
    """The best total value over every choice: at most two channels per HCP, at most 90 minutes."""
    import itertools

    options = []
    for _, part in frame[frame["IS_ELIGIBLE"]].groupby("HCP_ID"):
        rows = list(zip(part["EXPECTED_IMPACT"], part["REP_MINUTES"], strict=True))
        options.append(
            [(sum(v for v, _ in some), sum(m for _, m in some)) for size in range(3) for some in itertools.combinations(rows, size)]
        )
    return max(sum(v for v, _ in one) for one in itertools.product(*options) if sum(m for _, m in one) <= 90)


def test_an_empty_partition_and_one_without_eligible_pairs_give_no_rows(imports: Path) -> None:
    (imports / handlers.PRICES_FILE).write_text("{}")
    assert PlanRep().end_partition(_pairs(1).assign(IS_ELIGIBLE=False)).empty
    assert PlanRep().end_partition(_pairs(1).head(0)).empty


def test_a_missing_import_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys._xoptions, "snowflake_import_directory", raising=False)
    handlers.staged_text.cache_clear()
    with pytest.raises(FileNotFoundError, match=r"engagement_model\.json"):
        handlers.model_text()


def test_one_partition_runs_under_local_testing(imports: Path) -> None:
    from snowflake.snowpark import Session
    from snowflake.snowpark.types import DoubleType, LongType, StringType, StructField, StructType

    (imports / handlers.PRICES_FILE).write_text("{}")
    frame = _pairs(reps=1)
    session = Session.builder.config("local_testing", True).create()
    kinds = {"varchar": StringType(), "double": DoubleType(), "number(38, 0)": LongType()}
    schema = StructType([StructField(name, kinds[kind]) for name, kind in PLAN_OUTPUT.items()])
    given = session.create_dataframe(frame)
    found = given.group_by("REP_ID").apply_in_pandas(lambda part: PlanRep().end_partition(part), output_schema=schema).to_pandas()
    wanted = PlanRep().end_partition(frame)
    assert found["HCP_ID"].dropna().tolist() == wanted["HCP_ID"].tolist()
    assert found["PRICED_VALUE"].dropna().tolist() == pytest.approx(wanted["PRICED_VALUE"].tolist())


def test_the_statement_that_makes_the_function_holds_a_handler_that_runs(imports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (imports / handlers.PRICES_FILE).write_text("{}")
    place = {
        "runtime": "3.11",
        "packages": ["numpy==2.4.6"],
        "imports": ["@NBA.nba_code.packages/nba.zip", "@NBA.nba_code.packages/prices.json"],
    }
    text = function_statement("NBA.nba_code.plan_rep", PlanRep, {"HCP_ID": "varchar"}, PLAN_OUTPUT, place)
    assert "returns table (HCP_ID varchar, CHANNEL varchar, TOUCHES number(38, 0)" in text and "handler = 'PlanRep'" in text
    monkeypatch.setitem(sys.modules, "_snowflake", types.SimpleNamespace(vectorized=lambda input: lambda method: method))
    names: dict[str, type] = {"__name__": "udtf"}
    exec(compile(text.split("$$")[1], "<function>", "exec"), names)
    frame = _pairs(reps=1)
    pd.testing.assert_frame_equal(names["PlanRep"]().end_partition(frame), PlanRep().end_partition(frame))


def test_a_frame_comes_back_as_it_went(imports: Path) -> None:
    frame = _pairs(1)
    pd.testing.assert_frame_equal(upper_frame(lower_table(frame)), frame)
