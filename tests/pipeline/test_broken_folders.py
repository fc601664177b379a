"""Folders that break the contract, loaded with the build's real checks: each violation is named with table, column, rows and examples.

Several violations share one load, because a run of dbt takes seconds.
"""

# ruff: noqa: E501 - texts that the user sees stay on one line
from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from folders import csv_text, good_tables, week, with_rows, write_folder

from nba.load.command import LoadRequest, load_folder
from nba.load.problems import LoadError
from nba.project import find_project

ROOT = find_project(Path(__file__).parent)
GOOD = good_tables()

BROKEN = {
    "hcp_master": with_rows(GOOD["hcp_master"], "003,x,T1,R1,1,1", ",x,T1,R1,1,1", "777,x,T1,R1,high,1"),
    "engagement_history": with_rows(
        GOOD["engagement_history"],
        f"999,email,{week(1)},1,0",
        f"001,fax,{week(1)},1,0",
        f"001,email,{week(2)},1,2",
        f"002,email,{week(3)},-1,-1",
        f",email,{week(3)},1,0",
        f"001,,{week(3)},1,0",
        "001,email,,1,0",
        "001,email,2025-01-07,1,0",
        f"001,email,{week(4)},,",
        "001,email,2026-01-12,1,0",
    ),
    "kpi_metrics": with_rows(
        GOOD["kpi_metrics"], f"999,{week(1)},1", f"001,{week(1)},4", "001,2025-01-09,1", f",{week(1)},1", "001,,1", f"001,{week(19)},inf"
    ),
    "engagement_action_catalog": csv_text(
        "channel,unit_cost,expected_uplift,rep_minutes,requires_consent,uplift_basis,max_touches",
        ["email,-1,0.2,0,true,reply,0", "rep_visit,100,1.5,-30,false,,1", "rep_visit,,,30,false,,1", "post,1,1,0,,response,2"],
    ),
    "current_plan": csv_text("hcp_id,channel,touches", ["001,email,-1", "999,fax,1", ",email,1"]),
    "suggestion_feedback": csv_text("recommendation_id,status", ["x,maybe"]),
    "rule_budget": csv_text("channel,territory_id,max_cost", ["fax,,100", "email,,-5", "email,T0,7", "email,T0,7", "email,T0,"]),
    "rule_channel_capacity": csv_text("channel,territory_id,min_actions,max_actions", ["email,,5,3", "rep_visit,,,"]),
    "rule_rep_capacity": csv_text("rep_id,territory_id,channel,max_minutes,max_actions", ["*,,email,10,", "R1,,,,", "R1,,,-4,"]),
    "rule_contact_limit": csv_text(
        "channel,attribute,value,max_actions,window_days", ["email,shoe_size,4,1,", "email,,,-1,", "email,,,2,0"]
    ),
    "rule_exclusion": csv_text("hcp_id,channel,valid_from,valid_to", ["001,email,2025-03-01,2025-02-01"]),
    "rule_consent": csv_text("hcp_id,channel,status", ["001,email,yes"]),
    "rule_access": csv_text("rep_access,channel", ["never,email"]),
    "rule_channel_window": csv_text("channel,territory_id,available_from,available_to", ["email,,2025-02-01,2025-01-01"]),
    "rule_min_gap": csv_text("last_channel,channel,min_days", ["fax,email,3", "email,email,-3", "email,rep_visit,"]),
    "rule_incompatible": csv_text("channel_a,channel_b", ["email,email", "email,", "email,fax"]),
    "rule_coverage_floor": csv_text(
        "territory_id,attribute,operator,value,channel,min_hcps,hardness",
        ["T0,specialty,<,x,,5,firm", "T0,specialty,=,y,,-1,soft", "T0,specialty,>=,abc,,2,"],
    ),
    "rule_holdout": csv_text(
        "arm,share,unit,redraw_cycles,resource_share",
        ["control,0.6,hco,0,", "explore,0.5,hcp,3,", "explore,1.5,rep,3,0.1", "pilot,,hcp,3,2"],
    ),
    "rule_override": csv_text("hcp_id,channel,action", ["001,email,pin", "001,email,forbid", "001,email,maybe", ",email,pin"]),
    "feature_definition": csv_text("feature_name,label", ["decile,", "decile,x"]),
}

UNREADABLE_AS_GIVEN = {
    "hcp_master": "id,specialty\n001,oncology\n",
    "rule_consent": "hcp_id,status\n001,opt_in\n",
}

EXPECTED = [
    "hcp_master.decile is not a number (1 row). Examples: 'high' (row 24). What to do: write it like 1234.5, or leave the cell empty where unknown.",
    "engagement_history.period_start starts after today (2026-01-05) (1 row). Examples: '2026-01-12' (row 811). What to do: leave out periods that have not begun, or correct the date.",
    "kpi_metrics.kpi_value is NaN or infinite (1 row). Examples: 'inf' (row 407). What to do: give a number, or leave the cell empty where unknown.",
    "current_plan.channel names channels that engagement_action_catalog lacks (1 row). Examples: fax. What to do: add them to the catalogue, or correct the name.",
    "current_plan.hcp_id has no value (1 row). Examples: hcp_id=null channel=email. What to do: fill it in, or leave the rows out.",
    "current_plan.hcp_id names HCPs that hcp_master lacks (1 row). Examples: 999. What to do: add them to hcp_master, or leave the rows out.",
    "current_plan.touches is negative (1 row). Examples: hcp_id=001 channel=email touches=-1. What to do: give a value >= 0.",
    "engagement_action_catalog.channel is not unique: these values have several rows each (1 row). Examples: rep_visit. What to do: keep one row per channel.",
    "engagement_action_catalog.expected_uplift has no value (1 row). Examples: channel=rep_visit. What to do: fill it in, or leave the rows out.",
    "engagement_action_catalog.max_touches is below 1 (1 row). Examples: channel=email max_touches=0. What to do: give a value >= 1.",
    "engagement_action_catalog.rep_minutes is negative (1 row). Examples: channel=rep_visit rep_minutes=-30.0. What to do: give a value >= 0.",
    "engagement_action_catalog.unit_cost has no value (1 row). Examples: channel=rep_visit. What to do: fill it in, or leave the rows out.",
    "engagement_action_catalog.unit_cost is negative (1 row). Examples: channel=email unit_cost=-1.0. What to do: give a value >= 0.",
    "engagement_action_catalog.uplift_basis is response for channels without recorded responses (1 row). Examples: post. What to do: set it to touch, or load the responses.",
    "engagement_action_catalog.uplift_basis is neither touch nor response (1 row). Examples: channel=email uplift_basis=reply. What to do: give touch (the default) or response.",
    "engagement_history.channel has no value (1 row). Examples: hcp_id=001 channel=null period_start=2025-01-27. What to do: fill it in, or leave the rows out.",
    "engagement_history.channel names channels that engagement_action_catalog lacks (1 row). Examples: fax. What to do: add them to the catalogue, or correct the name.",
    "engagement_history.hcp_id has no value (1 row). Examples: hcp_id=null channel=email period_start=2025-01-27. What to do: fill it in, or leave the rows out.",
    "engagement_history.hcp_id names HCPs that hcp_master lacks (1 row). Examples: 999. What to do: add them to hcp_master, or set unknown_hcp: drop.",
    "engagement_history.period_start mixes grains: these periods do not fit the others (1 row). Examples: 2025-01-07. What to do: make all period starts of both tables weekly (7 days apart) or monthly (the 1st).",
    "engagement_history.period_start has no value (1 row). Examples: hcp_id=001 channel=email period_start=null. What to do: fill it in, or leave the rows out.",
    "engagement_history.responses exceeds touches (1 row). Examples: hcp_id=001 channel=email period_start=2025-01-20 touches=1 responses=2. What to do: a response answers a touch: correct one of the two.",
    "engagement_history.responses is negative (1 row). Examples: hcp_id=002 channel=email period_start=2025-01-27 responses=-1. What to do: give a value >= 0.",
    "engagement_history.touches has no value (1 row). Examples: hcp_id=001 channel=email period_start=2025-02-03. What to do: fill it in, or leave the rows out.",
    "engagement_history.touches is negative (1 row). Examples: hcp_id=002 channel=email period_start=2025-01-27 touches=-1. What to do: give a value >= 0.",
    "feature_definition.feature_name is not unique (1 row). Examples: decile. What to do: keep one row per feature.",
    "feature_definition.feature_name or label is empty (1 row). Examples: feature_name=decile label=null. What to do: give both.",
    "hcp_master.hcp_id is not unique: these values have several rows each (1 row). Examples: 003. What to do: keep one row per hcp_id.",
    "hcp_master.hcp_id has no value (1 row). Examples: hcp_id=null. What to do: fill it in, or leave the rows out.",
    "kpi_metrics.hcp_id has no value (1 row). Examples: hcp_id=null period_start=2025-01-13. What to do: fill it in, or leave the rows out.",
    "kpi_metrics.hcp_id names HCPs that hcp_master lacks (1 row). Examples: 999. What to do: add them to hcp_master, or set unknown_hcp: drop.",
    "kpi_metrics.known_at does not tell versions apart: several rows of one HCP and period have the same known_at, or none (2 rows). Examples: hcp_id=001 period_start=2025-01-13; hcp_id=001 period_start=2025-05-19. What to do: keep one row per HCP and period, or give each restatement its own known_at.",
    "kpi_metrics.period_start mixes grains: these periods do not fit the others (1 row). Examples: 2025-01-09. What to do: make all period starts of both tables weekly (7 days apart) or monthly (the 1st).",
    "kpi_metrics.period_start has no value (1 row). Examples: hcp_id=001 period_start=null. What to do: fill it in, or leave the rows out.",
    "rule_access.rep_access is none of open, restricted, no_see, * (1 row). Examples: rep_access=never channel=email. What to do: use one of these words.",
    "rule_budget has exact duplicates (1 row). Examples: channel=email territory_id=T0 max_cost=7.0. What to do: keep one of the equal rows.",
    "rule_budget.channel names channels that engagement_action_catalog lacks (1 row). Examples: channel=fax territory_id=null max_cost=100.0. What to do: correct the name, leave it empty for all channels, or add the channel to the catalogue.",
    "rule_budget.max_cost is below 0 (1 row). Examples: channel=email territory_id=null max_cost=-5.0. What to do: give a number from 0 on.",
    "rule_budget.max_cost has no value, so the row limits nothing (1 row). Examples: channel=email territory_id=T0 max_cost=null. What to do: fill in the limit or leave the row out.",
    "rule_channel_capacity.max_actions and min_actions are both empty, so the row limits nothing (1 row). Examples: channel=rep_visit territory_id=null. What to do: fill in one of the two or leave the row out.",
    "rule_channel_capacity.min_actions is above max_actions (1 row). Examples: channel=email territory_id=null min_actions=5.0 max_actions=3.0. What to do: lower min_actions or raise max_actions.",
    "rule_channel_window.available_from lies after available_to (1 row). Examples: channel=email territory_id=null available_from=2025-02-01 available_to=2025-01-01. What to do: swap or correct the two dates.",
    "rule_consent.status is none of opt_in, opt_out (1 row). Examples: hcp_id=001 channel=email status=yes captured_at=null. What to do: use one of these words.",
    "rule_contact_limit.attribute names columns that hcp_master lacks (1 row). Examples: channel=email attribute=shoe_size value=4 max_actions=1.0. What to do: correct the name or add the column.",
    "rule_contact_limit.max_actions is below 0 (1 row). Examples: channel=email attribute=null value=null max_actions=-1.0. What to do: give a number from 0 on.",
    "rule_contact_limit.window_days is below 1 (1 row). Examples: channel=email attribute=null value=null max_actions=2.0. What to do: give a number from 1 on.",
    "rule_coverage_floor.hardness is none of soft, hard (1 row). Examples: territory_id=T0 attribute=specialty operator=< value=x. What to do: use one of these words.",
    "rule_coverage_floor.min_hcps is below 0 (1 row). Examples: territory_id=T0 attribute=specialty operator== value=y. What to do: give a number from 0 on.",
    "rule_coverage_floor.operator is none of =, >=, in (1 row). Examples: territory_id=T0 attribute=specialty operator=< value=x. What to do: use one of these words.",
    "rule_coverage_floor.value is not a number, which >= needs (1 row). Examples: territory_id=T0 attribute=specialty operator=>= value=abc. What to do: give a number, or use = or in.",
    "rule_exclusion.valid_from lies after valid_to (1 row). Examples: hcp_id=001 channel=email reason=null valid_from=2025-03-01. What to do: swap or correct the two dates.",
    "rule_holdout.arm has several rows (1 row). Examples: arm=explore. What to do: keep one row for each arm.",
    "rule_holdout.arm is none of control, explore (1 row). Examples: arm=pilot share=null unit=hcp redraw_cycles=3. What to do: use one of these words.",
    "rule_holdout.redraw_cycles differs between the arms, which are drawn together (empty means 6) (1 row). Examples: fewest=0 most=3. What to do: give both arms the same number.",
    "rule_holdout.redraw_cycles is below 1 (1 row). Examples: arm=control share=0.6 unit=hco redraw_cycles=0. What to do: give the cycles for which a draw is kept, 1 or more.",
    "rule_holdout.resource_share is above 1, or empty for the arm explore (2 rows). Examples: arm=explore share=0.5 unit=hcp redraw_cycles=3 resource_share=null; arm=pilot share=null unit=hcp redraw_cycles=3 resource_share=2.0. What to do: give the share of every limit that exploring may use, from 0 to 1.",
    "rule_holdout.share of all arms together is above 1 (1 row). Examples: shares=2.6. What to do: lower the shares: who is neither control nor explores is planned for.",
    "rule_holdout.share is empty or above 1 (2 rows). Examples: arm=explore share=1.5 unit=rep redraw_cycles=3; arm=pilot share=null unit=hcp redraw_cycles=3. What to do: give a share of the units, from 0 to 1.",
    "rule_holdout.unit differs between the arms, which are drawn together (1 row). Examples: one=hco other=rep. What to do: give both arms the same unit.",
    "rule_holdout.unit is none of hcp, hco, territory (1 row). Examples: arm=explore share=1.5 unit=rep redraw_cycles=3. What to do: use one of these words.",
    "rule_incompatible.channel_a or channel_b is empty (1 row). Examples: channel_a=email channel_b=null. What to do: name both channels.",
    "rule_incompatible.channel_b equals channel_a: a channel cannot exclude itself (1 row). Examples: channel_a=email channel_b=email. What to do: name two different channels, or use rule_contact_limit.",
    "rule_incompatible.channel_b names channels that engagement_action_catalog lacks (1 row). Examples: channel_a=email channel_b=fax. What to do: correct the name, leave it empty for all channels, or add the channel to the catalogue.",
    "rule_min_gap.last_channel names channels that engagement_action_catalog lacks (1 row). Examples: last_channel=fax channel=email min_days=3. What to do: correct the name, leave it empty for all channels, or add the channel to the catalogue.",
    "rule_min_gap.min_days is below 0 (1 row). Examples: last_channel=email channel=email min_days=-3. What to do: give a number from 0 on.",
    "rule_min_gap.min_days has no value, so the row limits nothing (1 row). Examples: last_channel=email channel=rep_visit min_days=null. What to do: fill in the limit or leave the row out.",
    "rule_override.action both pins and forbids the same HCP and channel on the same days (1 row). Examples: hcp_id=001 channel=email. What to do: keep one of the two decisions.",
    "rule_override.action is none of pin, forbid (1 row). Examples: hcp_id=001 channel=email action=maybe reason=null. What to do: use one of these words.",
    "rule_override.hcp_id or channel is empty or * in a pin (1 row). Examples: hcp_id=null channel=email action=pin reason=null. What to do: a pin names one HCP and one channel.",
    "rule_rep_capacity.max_minutes is below 0 (1 row). Examples: rep_id=R1 territory_id=null channel=null max_minutes=-4.0. What to do: give a number from 0 on.",
    "rule_rep_capacity.max_minutes limits minutes of channels that all have 0 rep_minutes (1 row). Examples: rep_id=* territory_id=null channel=email max_minutes=10.0. What to do: fill in rep_minutes in the catalogue, or use max_actions.",
    "rule_rep_capacity.max_minutes and max_actions are both empty, so the row limits nothing (1 row). Examples: rep_id=R1 territory_id=null channel=null. What to do: fill in one of the two or leave the row out.",
    "suggestion_feedback.status is none of accepted, dismissed, executed, expired (1 row). Examples: maybe. What to do: use one of the four words.",
]  # fmt: skip

EXPECTED_SHAPES = [
    "hcp_master.hcp_id is missing: the table has no such column. What to do: add the column hcp_id (text): HCP identifier, always text.",
    "kpi_metrics.period_start has type boolean, which is not date. What to do: cast it to date in the table or in a view over it.",
    "rule_consent.channel is missing: the table has no such column. What to do: add the column channel (text): Channel; null = all together, * = each separately.",
    "vars.nba_overlapp is not a switch of this project. What to do: see the vars in dbt_project.yml for the names.",
    "vars.unknown_hcp is unknown: maybe. What to do: give one of error, drop.",
]  # fmt: skip

EXPECTED_LATE = [
    "engagement_history.channel names channels that engagement_action_catalog lacks (400 rows). Examples: email. What to do: add them to the catalogue, or correct the name.",
    "kpi_metrics.brand_id has several values, and only one brand can be planned at a time (2 rows). Examples: A; B. What to do: load one brand.",
    "kpi_metrics.period_start ends more periods before engagement than nba_kpi_lag_periods allows (1 row). Examples: KPI ends 2025-03-10, engagement ends 2025-05-19. What to do: load the newer KPI periods, or raise nba_kpi_lag_periods if the KPI really is that late.",
    "vars.hcp_attributes names a column that hcp_master lacks: shoe_size. What to do: correct the name or add the column.",
]  # fmt: skip


class Warehouse:
    """A DuckDB file with a good load and a published plan in it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "nba.duckdb"

    def load(self, name: str, tables: dict[str, str], change: Callable[[Path], None] | None = None, **options: object) -> list[str]:
        folder = write_folder(self.folder / name, tables)
        if change:
            change(folder)
        lines: list[str] = []
        load_folder(LoadRequest(folder=folder, project_dir=ROOT, today=date(2026, 1, 5), **options), lines.append)
        return lines

    def refused(self, name: str, tables: dict[str, str], change: Callable[[Path], None] | None = None, **options: object) -> list[str]:
        """The lines of the refusal, without their numbers; the file must not have changed by a byte."""
        before = hashlib.sha256(self.file.read_bytes()).hexdigest()
        with pytest.raises(LoadError) as raised:
            self.load(name, tables, change, **options)
        assert hashlib.sha256(self.file.read_bytes()).hexdigest() == before
        assert not self.file.with_name("nba.duckdb.wal").exists()
        heading, *lines = str(raised.value).splitlines()
        assert heading == f"the folder was refused ({len(lines)} {'problem' if len(lines) == 1 else 'problems'}). Nothing was written."
        assert [line.split(". ")[0] for line in lines] == [str(number) for number in range(1, len(lines) + 1)]
        return [line.split(". ", 1)[1] for line in lines]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = Warehouse(tmp_path_factory.mktemp("warehouse"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NBA_DUCKDB_PATH", str(warehouse.file))
        patch.delenv("DBT_PROFILES_DIR", raising=False)
        warehouse.first_lines = warehouse.load("good", GOOD)
        with duckdb.connect(str(warehouse.file)) as con:
            con.execute("create schema published; create table published.recommendations as select 1 as priority")
        yield warehouse


def test_good_folder_is_loaded_and_its_checks_leave_no_trace(warehouse: Warehouse) -> None:
    assert warehouse.first_lines[-1] == f"dbt build --vars '{{input_schema: raw, nba_cycle_start: \"{week(20)}\"}}'"
    assert "rule_consent is empty, so nobody opted in: nobody may be contacted on email." in warehouse.first_lines
    with duckdb.connect(str(warehouse.file), read_only=True) as con:
        assert con.sql("select hcp_id, years, decile from raw.hcp_master order by 1 limit 2").fetchall() == [
            ("000", 0, 1.0),
            ("001", 1, 2.0),
        ]
        assert con.sql("select count(*), sum(touches) from raw.engagement_history").fetchall() == [(800, 800)]
        assert con.sql(
            "select distinct schema_name from duckdb_schemas() where not internal and database_name = current_database() order by 1"
        ).fetchall() == [
            ("published",),
            ("raw",),
        ]


def test_every_broken_row_is_named(warehouse: Warehouse) -> None:
    assert warehouse.refused("broken", BROKEN) == EXPECTED


def test_missing_columns_wrong_types_and_wrong_switches_are_named(warehouse: Warehouse) -> None:
    def typed(folder: Path) -> None:
        pq.write_table(pa.table({"hcp_id": ["001"], "period_start": [True], "kpi_value": [1.0]}), folder / "kpi_metrics.parquet")

    tables = {**{name: text for name, text in GOOD.items() if name != "kpi_metrics"}, **UNREADABLE_AS_GIVEN}
    assert warehouse.refused("shapes", tables, typed, switches={"unknown_hcp": "maybe", "nba_overlapp": 0.1}) == EXPECTED_SHAPES


def test_late_kpi_and_two_brands_are_named_against_kept_tables(warehouse: Warehouse) -> None:
    early = csv_text("hcp_id,period_start,kpi_value,brand_id", [f"001,{week(number)},1,{'AB'[number % 2]}" for number in range(10)])
    catalog = csv_text("channel,unit_cost,expected_uplift", ["rep_visit,100,1.5"])
    switches = {"hcp_attributes": ["years", "shoe_size"]}
    assert (
        warehouse.refused("late", {"kpi_metrics": early, "engagement_action_catalog": catalog}, partial=True, switches=switches)
        == EXPECTED_LATE
    )
