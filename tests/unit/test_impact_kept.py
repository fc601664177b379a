"""An impact model is learned again exactly when something that it is learned from changed."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from nba.impact import ImpactSettings
from nba.impact.estimate import fit_known, read_known
from nba.impact.kept import kept_model

START = date(2026, 1, 5)
SETTINGS = ImpactSettings(cycle_start=START, cycle_periods=2)
HCPS, WEEKS = 30, 12


@pytest.fixture
def tables() -> dict[str, pa.Table]:
    rng = np.random.default_rng(1)
    weeks = [START - timedelta(weeks=WEEKS - k) for k in range(WEEKS)]
    hcps, starts = [f"h{k}" for k in range(HCPS) for _ in weeks], weeks * HCPS
    known, ever = [start + timedelta(days=7) for start in starts], [date(9999, 12, 31)] * len(starts)
    values, touches = rng.gamma(2.0, size=len(starts)), pa.array(rng.integers(1, 3, len(starts)), pa.int32())
    kpi = {"hcp_id": hcps, "period_start": starts, "kpi_value": values, "known_from": known, "known_until": ever}
    history = {"hcp_id": hcps, "channel": ["email"] * len(starts), "period_start": starts, "touches": touches}
    return {
        "hcps": pa.table({"hcp_id": [f"h{k}" for k in range(HCPS)], "specialty": ["a", "b"] * (HCPS // 2), "decile": [5.0] * HCPS}),
        "kpi": pa.table(kpi),
        "engagement": pa.table({**history, "responses": touches, "known_from": known}),
        "catalog": pa.table({"channel": ["email"], "expected_uplift": [0.2], "uplift_basis": ["touch"]}),
    }


def changed(table: pa.Table, column: str, row: int, value: object) -> pa.Table:
    values = table[column].to_pylist()
    values[row] = value
    return table.set_column(table.column_names.index(column), column, pa.array(values, table[column].type))


def test_the_same_again_is_known_again(tables: dict[str, pa.Table]) -> None:
    known, learned = read_known(tables, SETTINGS)
    model = fit_known(known, SETTINGS)
    record = {"model_version": model.version, "model_json": model.to_json(), "learned_from": learned}
    shuffled = {**tables, "kpi": tables["kpi"].take(np.random.default_rng(0).permutation(tables["kpi"].num_rows))}
    assert read_known(shuffled, SETTINGS)[1] == learned
    found = kept_model([{**record, "learned_from": "other"}, record], learned)
    assert found is not None and found.to_json() == model.to_json()
    assert kept_model([{**record, "model_json": record["model_json"].replace("email", "e-mail")}], learned) is None
    assert kept_model([], learned) is None


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [("kpi", "kpi_value", 7.5), ("engagement", "touches", 9), ("engagement", "responses", 0), ("hcps", "specialty", "b")],
)
def test_one_cell_is_enough_to_learn_again(tables: dict[str, pa.Table], table: str, column: str, value: object) -> None:
    other = {**tables, table: changed(tables[table], column, 0, value)}
    assert read_known(other, SETTINGS)[1] != read_known(tables, SETTINGS)[1]


def test_so_are_a_switch_and_the_catalogue(tables: dict[str, pa.Table]) -> None:
    learned = read_known(tables, SETTINGS)[1]
    assert read_known(tables, replace(SETTINGS, prior_cv=0.6))[1] != learned
    catalog = changed(tables["catalog"], "expected_uplift", 0, 0.3)
    assert read_known({**tables, "catalog": catalog}, SETTINGS)[1] != learned
