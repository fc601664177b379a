"""Tables that stay where they are, read without a load: whatever is wrong with them or with the switches is said by a gate, never by the engine.

Several violations share one run, because a run of dbt takes seconds. Only the rooms up to the gates are built.
"""

# ruff: noqa: E501 - texts that the user sees stay on one line
from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from folders import FIRST_WEEK, WEEKS, good_tables, week

from nba.load.checks import CHECKED_FOLDERS
from nba.project import find_project, read_contract

ROOT = find_project(Path(__file__).parent)
SWITCHES = {"input_schema": "raw", "nba_cycle_start": week(WEEKS)}


class House:
    """A DuckDB file with good tables in schema `raw`, and the part of the project that ends with the gates."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "nba.duckdb"
        for name in CHECKED_FOLDERS:
            shutil.copytree(ROOT / name, folder / "project" / name)
        for path in (ROOT / "dbt_project.yml", ROOT / "profiles.yml", *(ROOT / "models").glob("*.md")):
            shutil.copyfile(path, folder / "project" / path.relative_to(ROOT))

    def prepare(self, *statements: str) -> None:
        """Good tables as a warehouse holds them, every rule table empty, then changed by the statements."""
        self.file.unlink(missing_ok=True)
        with duckdb.connect(str(self.file)) as con:
            con.execute("create schema raw")
            for name, text in good_tables().items():
                (self.folder / f"{name}.csv").write_text(text)
                columns = "{'hcp_id': 'varchar'}" if "hcp_id" in text else "{}"
                con.execute(f"create table raw.{name} as select * from read_csv('{self.folder / name}.csv', types={columns})")
            for table in read_contract(ROOT).rules:
                con.execute(f"create table raw.{table.name} ({', '.join(f'{column.name} {column.data_type}' for column in table.columns)})")
            for statement in statements:
                con.execute(statement)

    def build(self, switches: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, select: Sequence[str] = ("+gate_inputs",)) -> list[str]:
        """The messages of what failed; empty when all went well."""
        from dbt.adapters.duckdb.connections import DuckDBConnectionManager
        from dbt.cli.main import dbtRunner

        project, given = str(self.folder / "project"), json.dumps({**SWITCHES, **switches})
        paths = ["--project-dir", project, "--profiles-dir", project, "--target-path", str(self.folder / "target")]
        monkeypatch.setenv("NBA_DUCKDB_PATH", str(self.file))
        try:
            outcome = dbtRunner().invoke(
                [
                    "build",
                    "--exclude-resource-type",
                    "test",
                    "--select",
                    *select,
                    "--vars",
                    given,
                    *paths,
                    "--log-path",
                    str(self.folder / "logs"),
                ]
            )
        finally:
            DuckDBConnectionManager.close_all_connections()
        if outcome.exception:
            return [str(outcome.exception)]
        return [f"{result.node.name}: {result.message}" for result in outcome.result.results if str(result.status) in ("error", "fail")]

    def refusal(self, switches: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch, gate: str) -> list[str]:
        """The numbered lines of the one gate that stopped the build."""
        messages = self.build(switches, monkeypatch)
        assert len(messages) == 1, messages
        assert messages[0].startswith(f"{gate}: Compilation Error in model {gate}")
        return re.findall(r"^ *\d+\. (.*)$", messages[0], re.MULTILINE)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House(tmp_path_factory.mktemp("own"))


def replaced(table: str, column: str, expression: str) -> str:
    return f"create or replace table raw.{table} as select * replace ({expression} as {column}) from raw.{table}"


UNREADABLE = (
    replaced("engagement_history", "touches", "interval 1 day"),
    replaced("engagement_history", "responses", "[responses]"),
    replaced("kpi_metrics", "period_start", "cast(period_start as text)"),
    replaced("kpi_metrics", "kpi_value", "{'value': kpi_value}"),
    replaced("engagement_action_catalog", "channel", "cast(channel as blob)"),
    replaced("engagement_action_catalog", "requires_consent", "'true'"),
    replaced("hcp_master", "decile", "time '10:00'"),
    'alter table raw.hcp_master add column "a""b" integer',
    "drop table raw.rule_budget",
    'alter table raw.rule_access rename to "RULE_ACCESS"',
    "alter table raw.rule_consent drop status",
)
WRONG_SWITCHES = {
    "nba_overlap": "1e999",
    "nba_gap": "",
    "nba_cycle_periods": True,
    "nba_seed": [7],
    "nba_window_short": 5,
    "nba_window_long": 5,
    "kpi_absent": "maybe",
    "nba_cycle_start": "2026-02-30",
    "hcp_attributes": ["a,b", 1, "npi"],
    "input_tables": {"kpi": "x"},
    "nba_overlapp": 0.1,
}
EXPECTED_UNREADABLE = [
    "vars.hcp_attributes holds what is no column name: 1. What to do: name columns of hcp_master; a name may not hold a comma.",
    "vars.hcp_attributes holds what is no column name: a,b. What to do: name columns of hcp_master; a name may not hold a comma.",
    "vars.hcp_attributes names npi, which identifies a person or an account. What to do: take it out of the list.",
    "vars.input_tables names an unknown input: kpi. What to do: use hcp_master, engagement_history, kpi_metrics, engagement_action_catalog, current_plan or suggestion_feedback.",
    "vars.kpi_absent is unknown: maybe. What to do: give one of zero, unknown.",
    "vars.nba_cycle_periods is not an integer: True. What to do: give an integer from 0 to 52.",
    "vars.nba_cycle_start is not a date: 2026-02-30. What to do: give a quoted ISO date such as \"2026-01-05\".",
    "vars.nba_gap is not a number: . What to do: give a number from 1e-09 to 1.",
    "vars.nba_overlap is not a number: 1e999. What to do: give a number from 0 to 0.5.",
    "vars.nba_overlapp is not a switch of this project. What to do: see the vars in dbt_project.yml for the names.",
    "vars.nba_seed is not an integer: [7]. What to do: give an integer from 0 to 2147483647.",
    "vars.nba_window_short contradicts nba_window_long: 5 is not shorter than 5. What to do: make the short window shorter than the long one.",
    "engagement_action_catalog.channel has type blob, which is not text. What to do: cast it to text in the table or in a view over it.",
    "engagement_action_catalog.requires_consent has type text, which is not boolean. What to do: cast it to boolean in the table or in a view over it.",
    "engagement_history.responses has type bigint[], which is not integer. What to do: cast it to integer in the table or in a view over it.",
    "engagement_history.touches has type interval, which is not integer. What to do: cast it to integer in the table or in a view over it.",
    "hcp_master.a\"b has a double quote in its name. What to do: rename the column in the table or in a view over it.",
    "hcp_master.decile has type time, which is not double precision. What to do: cast it to double precision in the table or in a view over it.",
    "kpi_metrics.kpi_value has type struct(\"value\" bigint), which is not double precision. What to do: cast it to double precision in the table or in a view over it.",
    "kpi_metrics.period_start has type text, which is not date. What to do: cast it to date in the table or in a view over it.",
    "rule_access is missing: there is raw.RULE_ACCESS, and case counts. What to do: rename it to raw.rule_access, or write the switches as the warehouse writes the name.",
    "rule_budget is missing: there is no table raw.rule_budget. What to do: run nba init-rules --schema raw to create the empty rule tables.",
    "rule_consent.status is missing: the table has no such column. What to do: add the column status (text): opt_in or opt_out.",
]  # fmt: skip


def test_tables_and_switches_that_cannot_be_read_are_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.prepare(*UNREADABLE)
    assert house.refusal(WRONG_SWITCHES, monkeypatch, "gate_tables") == EXPECTED_UNREADABLE


def test_places_that_are_no_mapping_and_no_schema_are_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.prepare()
    lines = house.refusal({"input_tables": ["hcp_master"], "rule_schema": "Staging"}, monkeypatch, "gate_tables")
    assert [line for line in lines if line.startswith("vars.")] == [
        "vars.input_tables is not a mapping. What to do: write {hcp_master: your_table}.",
        "vars.rule_schema contradicts the project: the build itself writes schema staging. What to do: put your own tables into another schema.",
    ]
    lines = house.refusal({"input_tables": {"hcp_master": 5}, "input_schema": 7, "rule_schema": "RAW"}, monkeypatch, "gate_tables")
    assert "vars.input_schema is no name of a schema: 7. What to do: name the schema that holds your own tables." in lines
    assert [line.split(". What")[0] for line in lines if line.startswith(("hcp_master", "rule_budget"))] == [
        "hcp_master is missing: there is no table 7.5",
        "rule_budget is missing: there is raw.rule_budget, and case counts",
    ]
    (message,) = house.build({"nba_schema_prefix": 'a"b'}, monkeypatch)
    assert 'vars.nba_schema_prefix is no beginning of schema names: a"b. What to do: give letters, digits and underscores' in message


BROKEN = (
    replaced("kpi_metrics", "period_start", "case when hcp_id = '003' then period_start + interval 5 hour else cast(period_start as timestamp) end"),
    f"insert into raw.engagement_history values ('001', 'email', '1899-12-31', 1, 0), ('001', 'email', '{FIRST_WEEK}', 3000000000, 0)",
    "insert into raw.rule_min_gap values ('email', ' ', 1)",
    "insert into raw.kpi_metrics values ('001', '2024-12-30', -1e13)",
    "alter table raw.rule_min_gap alter min_days type double",
    "insert into raw.rule_min_gap values ('email', 'email', 1.5), ('email', 'rep_visit', 3000000000)",
    "alter table raw.hcp_master add column \"it's\" integer",
    "insert into raw.rule_contact_limit (attribute, max_actions) values ('It''s', 1)",
    "insert into raw.rule_exclusion (hcp_id, channel) values ('', 'email')",
    "insert into raw.rule_override (hcp_id, channel, action) values ('001', '*', 'pin'), ('002', 'email', 'pin'), ('*', 'email', 'forbid')",
)  # fmt: skip
EXPECTED = [
    "engagement_history.period_start mixes grains: these periods do not fit the others (1 row). Examples: 1899-12-31. What to do: make all period starts of both tables weekly (7 days apart) or monthly (the 1st).",
    "engagement_history.period_start lies outside the years 1900 to 2200 (1 row). Examples: hcp_id=001 channel=email period_start=1899-12-31. What to do: correct the date, or leave the rows out.",
    "engagement_history.touches is beyond 1000000 (1 row). Examples: hcp_id=001 channel=email period_start=2025-01-06 touches=3000000000. What to do: correct it: no sum of such numbers could be relied on.",
    "kpi_metrics.kpi_value is beyond 1000000000000 (1 row). Examples: hcp_id=001 period_start=2024-12-30 00:00:00 kpi_value=-10000000000000. What to do: correct it: no sum of such numbers could be relied on.",
    "kpi_metrics.period_start is not a date: it has a time of day (20 rows). Examples: hcp_id=003 period_start=2025-01-06 05:00:00; hcp_id=003 period_start=2025-01-13 05:00:00; hcp_id=003 period_start=2025-01-20 05:00:00. What to do: give whole days, cast to date in the table or in a view over it.",
    "rule_exclusion.hcp_id is blank text, which names nothing (1 row). Examples: hcp_id= channel=email reason=null valid_from=null. What to do: fill it in, or make it null where the rule holds for all.",
    "rule_min_gap.channel is blank text, which names nothing (1 row). Examples: last_channel=email channel=  min_days=1.0. What to do: fill it in, or make it null where the rule holds for all.",
    "rule_min_gap.min_days is not a whole number (1 row). Examples: last_channel=email channel=email min_days=1.5. What to do: give a whole number.",
    "rule_min_gap.min_days is too large for a whole number (1 row). Examples: last_channel=email channel=rep_visit min_days=3000000000.0. What to do: give at most 2147483647.",
    "rule_override.action both pins and forbids the same HCP and channel on the same days (1 row). Examples: hcp_id=002 channel=email. What to do: keep one of the two decisions.",
    "rule_override.hcp_id or channel is empty or * in a pin (1 row). Examples: hcp_id=001 channel=* action=pin reason=null. What to do: a pin names one HCP and one channel.",
]  # fmt: skip


def test_values_that_the_engine_would_choke_on_are_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.prepare("alter table raw.engagement_history alter touches type bigint", *BROKEN)
    assert house.refusal({}, monkeypatch, "gate_inputs") == EXPECTED


ODD_BUT_RIGHT = (
    # a number here, a text there: ids compare as text
    "create or replace table raw.hcp_master as select cast(hcp_id as integer) as \"HCP_ID\", years as \"Order\", specialty as \"Group By\", decile from raw.hcp_master",
    *(replaced(name, "hcp_id", "cast(cast(hcp_id as integer) as text)") for name in ("engagement_history", "kpi_metrics")),
    replaced("engagement_history", "period_start", "cast(period_start as timestamp)"),
    replaced("engagement_history", "touches", "cast(touches as hugeint)"),
    "create type visit as enum ('map[]', 'x')",
    "create or replace table raw.kpi_metrics as select *, 1 as \"select\", now() as known_at, 'x'::visit as brand_id from raw.kpi_metrics",
    "alter table raw.engagement_action_catalog rename to \"Channels, all\"",
    "alter table raw.kpi_metrics rename to kpi_table",
    "create view raw.kpi_metrics as select * replace (cast(kpi_value as decimal(30, 4)) as kpi_value, period_start + interval 0 hour as known_at) from raw.kpi_table",
    "create or replace table raw.rule_consent as select hcp_id, channel, status from raw.rule_consent",
)  # fmt: skip


def test_odd_but_right_tables_are_read(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.prepare(*ODD_BUT_RIGHT)
    switches = {"input_tables": {"engagement_action_catalog": "Channels, all"}, "hcp_attributes": ["order", "Group By"]}
    assert house.build(switches, monkeypatch, ["+run_config"]) == []
    with duckdb.connect(str(house.file), read_only=True) as con:
        assert con.sql('select hcp_id, "order", territory_id from base.base_hcp_master order by 2 limit 2').fetchall() == [
            ("0", 0, None),
            ("1", 1, None),
        ]
        assert con.sql("select grain, hcp_attributes from checks.run_config").fetchall() == [("week", "order,group by")]
