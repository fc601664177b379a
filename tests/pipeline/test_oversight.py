"""One small world with names and sensitive columns in it: what is denied, what is compared, what decisions cost, and what leaks."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace

import duckdb
import numpy as np
import pytest
from folders import csv_text, good_tables, write_folder

from nba.cli import main

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("Zelda Quisling", "Ottokar Vandergelt")
PLANTED = ("Quisling", "Vandergelt", "1999000", "planted.example")
HCPS = 60
SWITCHES = {
    "input_schema": "raw",
    "nba_cycle_start": "2025-05-26",
    "hcp_attributes": ["years"],
    "nba_fairness_segments": ["specialty", "hcp_gender"],
    "nba_fairness_min_hcps": 10,
    "nba_proxy_min_hcps": 30,
    "nba_suppress_days": 60,
}
LEFT_BEHIND = ["run", "--quiet", "--select", "parity_segments", "check_parity", "gate_parity"]
PLANNED = (
    "base_rule_coverage_floor stg_rule_coverage_floor plan_solution plan_conflicts gate_plan plan_actions plan_run plan_pairs plan_blocks"
)
ANSWERED = "base_suggestion_feedback stg_suggestion_feedback stg_suggestion_answers stg_suppressions plan_solution plan_conflicts gate_plan"
ANSWERED += " plan_overrides plan_actions plan_blocks fct_override_costs"
PLANNED += " explain_plan summarise_plan fct_recommendations fct_hcp_channel_scores fct_assignments parity_segments"


def tables() -> dict[str, str]:
    """Women have half the KPI of men, and an attribute says how old somebody is."""
    made = good_tables(HCPS)
    rng = np.random.default_rng(5)
    gender = ["f" if n % 3 == 0 else "m" for n in range(HCPS)]
    born = rng.integers(1950, 1995, HCPS)
    made["hcp_master"] = csv_text(
        "hcp_id,npi,full_name,work_email,HCP_Gender,birth_year,years,specialty,territory_id,rep_id,decile",
        [
            f'{n:03d},1999000{n:03d},"{NAMES[n % 2]} {n}",hcp{n}@planted.example,{gender[n]},{born[n]},{2025 - born[n] - 27},'
            f"{('oncology', 'cardiology')[n % 2]},T{n % 2},R{n % 2},{n % 10 + 1}"
            for n in range(HCPS)
        ],
    )
    rows = list(csv.reader(io.StringIO(made["kpi_metrics"])))
    kpi = [f"{hcp},{week},{float(value) * (0.2 if gender[int(hcp)] == 'f' else 1)}" for hcp, week, value in rows[1:]]
    made["kpi_metrics"] = csv_text("hcp_id,period_start,kpi_value", kpi)
    made["rule_budget"] = csv_text("channel,territory_id,max_cost", [",,1500"])
    made["rule_consent"] = csv_text("hcp_id,channel,status,captured_at", [f"{n:03d},email,opt_in,2025-01-02" for n in range(0, HCPS, 4)])
    made["rule_override"] = csv_text(
        "hcp_id,channel,action,reason,valid_from,valid_to,created_by",
        [
            "000,rep_visit,pin,launch,,,brand.manager",
            "004,email,forbid,pause,,,district.manager",
            "008,email,forbid,old,,2025-01-01,nobody",
        ],
    )
    return made


@pytest.fixture(scope="module")
def built(run_dbt, tmp_path_factory: pytest.TempPathFactory):
    """The world loaded and built once; `said` is everything that was printed, `folder` holds all files that dbt wrote."""
    import contextlib

    folder = tmp_path_factory.mktemp("oversight")
    db_path, said = folder / "world.duckdb", io.StringIO()
    patch = pytest.MonkeyPatch()
    patch.setenv("NBA_DUCKDB_PATH", str(db_path))
    patch.chdir(folder)
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        assert main(["load", str(write_folder(folder / "given", tables())), "--project-dir", str(ROOT)]) == 0, said.getvalue()
        run_dbt(["build", "--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"], db_path, SWITCHES)
    yield SimpleNamespace(db_path=db_path, said=said.getvalue(), folder=folder, run_dbt=run_dbt)
    patch.undo()


def rows(db_path: Path, query: str) -> list[dict]:
    with duckdb.connect(str(db_path), read_only=True) as connection:
        return connection.sql(query).to_arrow_table().to_pylist()


def test_a_feature_that_stands_in_for_a_denied_column_is_named(built):
    found = {(row["feature_name"], row["denied_column"]): row for row in rows(built.db_path, "select * from memory.feature_proxies")}
    assert found["years", "birth_year"]["status"] == "warn"
    assert {denied for _, denied in found} == {"birth_year", "hcp_gender"}
    assert "the feature years says much of birth_year, which may never be a feature" in built.said
    features = rows(built.db_path, "select feature_name from staging.stg_feature_definition")
    assert not {"birth_year", "hcp_gender", "npi", "full_name", "work_email"} & {row["feature_name"] for row in features}


def test_segments_are_compared_and_decisions_are_priced(built):
    parity = {(row["segment"], row["value"]): row for row in rows(built.db_path, "select * from memory.segment_parity")}
    women = parity["hcp_gender", "f"]
    assert women["status"] == "warn" and women["hcps"] == 20
    assert women["value_ratio"] < 0.8 < parity["hcp_gender", "m"]["value_ratio"]
    assert women["remedy"].startswith("add to rule_coverage_floor: attribute hcp_gender, operator =, value f, channel *, min_hcps ")
    assert "hcp_gender f (reach" in built.said
    costs = {(row["hcp_id"], row["action"]): row for row in rows(built.db_path, "select * from memory.override_costs")}
    assert set(costs) == {("000", "pin"), ("004", "forbid")}
    assert all(row["cost"] >= 0 and row["hcps"] == 1 for row in costs.values())
    # of an HCP whose only standing decision is the forbid, the cost is what the plan's own numbers say
    short = rows(built.db_path, "select channel from memory.pair_blocks where hcp_id = '004' and rule = 'override'")
    assert short == [{"channel": "email"}]
    assert "Overrides in force: 2" in built.said


@pytest.mark.long
def test_below_the_second_share_nothing_is_published(built):
    # the plan as it was built: tests below plan again
    result = built.run_dbt(LEFT_BEHIND, built.db_path, SWITCHES | {"nba_fairness_warn": 0.99, "nba_fairness_error": 0.99}, check=False)
    (message,) = [one.message for one in result.result if one.status == "error"]
    assert "The plan treats segments of HCPs too differently" in message
    assert "hcp_master.hcp_gender is f for HCPs whom the plan treats too differently" in message
    assert "What to do: add to rule_coverage_floor: attribute hcp_gender" in message


def test_the_floor_that_is_proposed_lifts_the_segment(built):
    query = (
        "select reach_ratio, value_ratio, hcps_reached, floor_hcps from checks.parity_segments where segment = 'hcp_gender' and value = 'f'"
    )
    (before,) = rows(built.db_path, query)
    with duckdb.connect(str(built.db_path)) as connection:
        columns = "attribute, operator, value, channel, min_hcps, hardness"
        connection.execute(
            f"insert into raw.rule_coverage_floor ({columns}) values ('hcp_gender', '=', 'f', '*', ?, 'hard')", [before["floor_hcps"]]
        )
    built.run_dbt(["run", "--quiet", "--select", PLANNED], built.db_path, SWITCHES)
    (after,) = rows(built.db_path, query)
    assert after["hcps_reached"] >= before["floor_hcps"] > before["hcps_reached"]
    assert after["reach_ratio"] > before["reach_ratio"] and after["value_ratio"] >= before["value_ratio"]


def test_a_dismissed_suggestion_is_not_made_again_and_priced(built):
    planned = rows(
        built.db_path, "select recommendation_id, hcp_id, channel from memory.recommendations where hcp_id <> '000' order by priority"
    )
    first, second = planned[:2]
    with duckdb.connect(str(built.db_path)) as connection:
        connection.execute(
            'create table raw.suggestion_feedback (recommendation_id text, status text, reason text, "at" timestamp, "by" text)'
        )
        for row, status in ((first, "dismissed"), (second, "accepted")):
            answer = [row["recommendation_id"], status, "Bad timing", "R1"]
            connection.execute("insert into raw.suggestion_feedback values (?, ?, ?, timestamp '2025-05-20 10:00:00', ?)", answer)
    built.run_dbt(["run", "--quiet", "--select", ANSWERED], built.db_path, SWITCHES)
    assert not rows(
        built.db_path, f"select 1 as one from plan.plan_actions where hcp_id = '{first['hcp_id']}' and channel = '{first['channel']}'"
    )
    (block,) = rows(
        built.db_path, f"select rule, detail from plan.plan_blocks where hcp_id = '{first['hcp_id']}' and channel = '{first['channel']}'"
    )
    assert block == {"rule": "override", "detail": "dismissed by R1 (Bad timing): not suggested again up to 2025-07-19"}
    (cost,) = rows(built.db_path, "select * from marts.fct_override_costs where source = 'suppression'")
    assert (cost["hcp_id"], cost["channel"], cost["action"], cost["created_by"]) == (first["hcp_id"], first["channel"], "suppress", "R1")
    assert cost["cost"] > 0


def test_no_name_number_or_address_leaves_the_tables_of_hcps(built):
    """Planted in every HCP, they are in the inputs and in the dimension of HCPs; not in what is printed, logged, documented or learned."""
    assert not [word for word in PLANTED if word in built.said]
    folders = [built.folder, *built.folder.parent.glob("dbt*")]
    written = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix not in (".duckdb", ".wal")]
    texts = {path: path.read_bytes() for path in written if "given" not in path.parts}
    assert any(path.name == "dbt.log" for path in texts) and any(path.name == "manifest.json" for path in texts)
    assert {path.name for path, text in texts.items() for word in PLANTED if word.encode() in text} == set()
    homes = set()
    with duckdb.connect(str(built.db_path), read_only=True) as connection:
        names = connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() where data_type = 'VARCHAR' and not internal"
        ).fetchall()
        for schema, table, column in names:
            condition = " or ".join(f"contains(\"{column}\", '{word}')" for word in PLANTED)
            if connection.execute(f'select count(*) from "{schema}"."{table}" where {condition}').fetchone()[0]:
                homes.add(f"{schema}.{table}.{column}")
    assert {home for home in homes if not home.startswith(("raw.", "base.", "staging.", "kept."))} == {
        f"{relation}.{column}" for relation in ("marts.dim_hcps", "memory.hcps") for column in ("npi", "full_name")
    }


def test_sensitive_columns_are_refused_as_features_and_patients_altogether(built, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    given = tables()
    lines = given["kpi_metrics"].splitlines()
    given["kpi_metrics"] = csv_text(lines[0] + ",patient_id", [f"{line},p{number}" for number, line in enumerate(lines[1:])])
    given["rule_contact_limit"] = csv_text("channel,attribute,value,max_actions", ["email,hcp_gender,f,0"])
    switches = json.dumps({"hcp_attributes": ["HCP_Gender", "years", "work_email"]})
    capsys.readouterr()
    assert main(["load", str(write_folder(tmp_path / "patients", given)), "--project-dir", str(ROOT), "--vars", switches]) != 0
    said = capsys.readouterr()
    assert "kpi_metrics.patient_id looks like data of single patients, which may never enter" in said.out + said.err
    assert "vars.hcp_attributes names HCP_Gender, which may be gender and may never be a feature" in said.out + said.err
    assert "vars.hcp_attributes names work_email, which may be direct identifier and may never be a feature" in said.out + said.err
    assert rows(built.db_path, "select 1 as one from duckdb_columns() where column_name = 'patient_id'") == []
