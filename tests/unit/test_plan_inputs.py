"""What the planner is given: the same tables from pandas, Arrow and DuckDB, and only the history that was known."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from nba.plan_inputs import as_frame, in_key_order, planner_tables, touch_days
from optimization.build import build_problem
from optimization.problem import PlanSettings

START = date(2026, 1, 5)
HISTORY = [
    ("h1", "mail", date(2025, 12, 29), 1, date(2025, 12, 29)),
    ("h1", "mail", date(2025, 12, 29), 2, date(2026, 1, 5)),
    ("h1", "mail", date(2026, 1, 5), 4, date(2026, 1, 6)),  # known too late
    ("h2", "mail", date(2025, 12, 29), 0, date(2025, 12, 29)),  # no touch
    ("h2", "visit", date(2025, 11, 3), 1, date(2025, 11, 3)),
]
ENGAGEMENT = pd.DataFrame(HISTORY, columns=["hcp_id", "channel", "period_end", "touches", "known_from"])


def makes(frame: pd.DataFrame) -> dict:
    """The frame in every make in which a table may come."""
    connection = duckdb.connect()
    connection.register("frame", pa.Table.from_pandas(frame, preserve_index=False))
    connection.execute("create table made as from frame")
    return {"pandas": frame, "arrow": pa.Table.from_pandas(frame, preserve_index=False), "duckdb": connection.table("made")}


@pytest.mark.parametrize("make", ["pandas", "arrow", "duckdb"])
def test_touch_days_hold_only_what_was_known(make):
    rows = touch_days(makes(ENGAGEMENT)[make], START).to_pydict()
    assert [*zip(*rows.values(), strict=True)] == [
        ("h1", "mail", date(2025, 12, 28), 1),
        ("h1", "mail", date(2025, 12, 28), 2),
        ("h2", "visit", date(2025, 11, 2), 1),
    ]
    empty = touch_days(makes(ENGAGEMENT.iloc[:0])["pandas"], START)
    assert (empty.column_names, len(empty)) == (["hcp_id", "channel", "touch_date", "touches"], 0)


@pytest.mark.parametrize("make", ["pandas", "arrow", "duckdb"])
@pytest.mark.parametrize(("reach", "rows"), [(0, 0), (7, 0), (8, 2), (63, 2), (64, 3)])
def test_touches_that_no_rule_can_see_are_left_out(make, reach, rows):
    assert len(touch_days(makes(ENGAGEMENT)[make], START, reach)) == rows  # 28 December is eight days before the cycle, 2 November 64


def test_tables_come_as_pandas_arrow_or_duckdb():
    for table in makes(pd.DataFrame({"hcp_id": ["001"], "n": [1]})).values():
        assert as_frame(table).to_numpy().tolist() == [["001", 1]]


class Elsewhere:
    """A data frame of another engine, of which only `to_pandas` is known."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.to_pandas = lambda: frame


def test_other_engines_come_through_pandas():
    assert told(problem_of({name: Elsewhere(table) for name, table in staged().items()})) == told(problem_of(staged()))


def test_small_tables_come_in_the_order_of_their_keys():
    frame = pd.DataFrame({"channel": ["b", None, "a"], "n": [1, 2, 3]})
    assert in_key_order(frame, ("hcp_id", "channel"))["n"].tolist() == [3, 1, 2]  # null last
    assert in_key_order(frame, ("hcp_id",)) is frame


def staged(rng: np.random.Generator | None = None) -> dict[str, pd.DataFrame]:
    """Staged tables of five HCPs under every rule that has many rows; with a generator their rows are shuffled."""
    ids, channels = ["001", "10", "2", "a", "é"], ["call", "mail"]
    tables = {
        "stg_hcp_master": pd.DataFrame(
            {"hcp_id": ids, "full_name": ids, "territory_id": ["N", "N", "S", " ", "S"], "rep_id": ["R2", "R1", "R1", None, "R2"]}
            | {"rep_access": ["open", "no_see", "open", "open", "restricted"], "decile": [9.0, 8.0, None, 3.0, 9.0]}
        ),
        "stg_catalog": pd.DataFrame(
            {"channel": channels, "label": ["Call", None], "unit_cost": [30.0, 1.0], "rep_minutes": [20.0, 0.0]}
            | {"requires_consent": [False, True], "max_touches": [2, 3]}
        ),
        "score_impact": pd.DataFrame(
            [(hcp, channel, len(hcp) + place / 7) for hcp in ids for place, channel in enumerate(channels)],
            columns=["hcp_id", "channel", "expected_impact"],
        ).assign(expected_impact_low=0.0),
        "stg_engagement": ENGAGEMENT.assign(hcp_id=["001", "10", "10", "a", "2"], channel=["mail", "mail", "call", "call", "call"]),
        "stg_prior_actions": pd.DataFrame({"hcp_id": ["é"], "channel": ["call"], "latest_date": [date(2026, 1, 3)]}),
        "stg_rule_consent": pd.DataFrame(
            [(hcp, channel, "opt_in", datetime(2025, 1, 1, 8), None) for hcp in ids for channel in channels]
            + [("10", "mail", "opt_in", datetime(2025, 1, 1, 8), date(2026, 1, 20)), ("zz", "mail", "opt_in", datetime(2025, 1, 1), None)]
            + [("2", "call", "opt_out", datetime(2025, 6, 1), None), ("aa", None, "opt_in", datetime(2025, 1, 1), None)],
            columns=["hcp_id", "channel", "status", "captured_at", "expires_at"],
        ),
        "stg_rule_exclusion": pd.DataFrame(
            [
                ("001", None, "b", date(2026, 1, 5), date(2026, 1, 9)),
                ("001", None, "a", date(2026, 1, 5), date(2026, 1, 9)),
                ("a", "call", "away", None, None),
                ("a", "call", "abroad", None, None),
            ],
            columns=["hcp_id", "channel", "reason", "valid_from", "valid_to"],
        ),
        "stg_rule_min_gap": pd.DataFrame({"last_channel": [None], "channel": ["call"], "min_days": [10]}),
        "stg_rule_contact_limit": pd.DataFrame(
            {"channel": ["mail", None], "attribute": [None, "decile"], "value": [None, "9"], "max_actions": [3, 2]}
            | {"window_days": [20, None]}
        ),
        "stg_rule_rep_capacity": pd.DataFrame({"rep_id": ["*"], "territory_id": [None], "channel": [None], "max_minutes": [60.0]}),
        "stg_rule_budget": pd.DataFrame({"channel": [None], "territory_id": ["*"], "max_cost": [50.0]}),
    }
    if rng is not None:
        tables = {name: table.iloc[rng.permutation(len(table))].reset_index(drop=True) for name, table in tables.items()}
    return tables


def problem_of(tables: dict) -> object:
    return build_problem(planner_tables(tables, START), PlanSettings(START, date(2026, 2, 2)))


def told(problem) -> dict:
    """Everything that a problem says, as plain values."""
    from optimization.eligibility import pair_blocks

    parts = {
        name: getattr(problem, name) for name in ("hcp_ids", "territory", "rep", "value", "eligible", "earliest", "latest", "blocked_by")
    }
    return {name: part.tolist() for name, part in parts.items()} | {
        "names": (problem.channels, problem.territory_names, problem.rep_names, problem.most_touches.tolist(), problem.warnings),
        "blocks": pair_blocks(problem).astype(str).to_numpy().tolist(),
        "limits": [(x.limit_id, x.label, x.bound, x.hcps.tolist(), x.use.tolist()) for x in problem.limits],
        "caps": [(cap.label, cap.pairs.tolist(), cap.group.tolist(), cap.upper.tolist()) for cap in problem.caps],
        "exclusive": [(row.label, row.members.tolist(), row.least) for row in problem.exclusive],
    }


def test_the_problem_is_the_same_from_pandas_arrow_and_duckdb_in_any_order_of_rows():
    expected = told(problem_of(staged()))
    assert expected["hcp_ids"] == ["001", "10", "2", "a", "é"]
    assert expected["names"][1] == ["N", "S"]
    assert (expected["territory"], expected["rep"]) == ([0, 0, 1, -1, 1], [1, 0, 0, -1, 1])
    assert len(expected["caps"]) >= 2
    assert {row[1] for row in expected["blocks"]} >= {"exclusion", "consent", "no_rep"}
    rng = np.random.default_rng(1)
    for _ in range(5):
        shuffled = staged(rng)
        for make in ("pandas", "arrow", "duckdb"):
            assert told(problem_of({name: makes(table)[make] for name, table in shuffled.items()})) == expected, make


def test_only_the_columns_that_rules_name_are_read():
    tables = planner_tables(staged(), START)
    assert list(tables["hcps"].columns) == ["hcp_id", "territory_id", "rep_id", "rep_access", "decile"]
    assert list(tables["scores"].columns) == ["hcp_id", "channel", "expected_impact"]
