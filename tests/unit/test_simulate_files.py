"""The files of a made-up world: same seed same bytes, contract rules hold, both formats and both grains."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pytest

from nba.simulate import World, simulate_world, write_world
from nba.simulate import cli as simulate_cli
from nba.simulate.rules import RULE_SCHEMAS
from nba.simulate.sample import write_seeds
from nba.simulate.settings import CHUNK_HCPS

SEEDS = Path(__file__).parents[2] / "seeds"
INPUTS = ["hcp_master", "engagement_history", "kpi_metrics", "engagement_action_catalog", "current_plan"]
WORLDS = [(240, 78, 7, "week"), (300, 60, 5, "month"), (1, 30, 3, "week"), (10, 104, 4, "month"), (1, 1, 0, "week"), (10, 1, 1, "month")]


def _frames(world: World) -> dict[str, pd.DataFrame]:
    return {name: table.to_pandas() for name, table in world.tables().items()}


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_same_seed_same_bytes_and_another_seed_differs(tmp_path: Path, format: str) -> None:
    for name, seed in (("a", 11), ("b", 11), ("c", 12)):
        write_world(simulate_world(120, 30, seed), tmp_path / name, format)
    first, again, other = (_bytes(tmp_path / name) for name in "abc")
    assert first == again
    assert first.keys() == other.keys()
    for table in ("hcp_master", "engagement_history", "kpi_metrics", "current_plan", "rule_consent", "truth/true_impact"):
        assert first[f"{table}.{format}"] != other[f"{table}.{format}"], table


def test_folder_holds_every_table_and_the_truth_apart(tmp_path: Path) -> None:
    write_world(simulate_world(50, 20, 1), tmp_path / "w", "csv")
    names = {f"{t}.csv" for t in [*INPUTS, *RULE_SCHEMAS]}
    assert {p.name for p in (tmp_path / "w").iterdir()} == names | {"truth"}
    assert {p.name for p in (tmp_path / "w" / "truth").iterdir()} == {"true_impact.csv", "world.json"}
    described = json.loads((tmp_path / "w" / "truth" / "world.json").read_text())
    assert (described["hcps"], described["weeks"], described["seed"], described["grain"]) == (50, 20, 1, "week")
    assert described["nba_cycle_start"] == "2026-01-05"
    assert (tmp_path / "w" / "rule_holdout.csv").read_text().replace('"', "") == "arm,share,unit,redraw_cycles,resource_share\n"


@pytest.mark.parametrize("grain", ["week", "month"])
def test_csv_and_parquet_hold_the_same_data(tmp_path: Path, grain: str) -> None:
    world = simulate_world(150, 40, 2, grain)
    for format in ("csv", "parquet"):
        write_world(world, tmp_path / format, format)
    in_memory = world.tables()
    for name in [*INPUTS, *RULE_SCHEMAS, "truth/true_impact"]:
        stored = pq.read_table(tmp_path / "parquet" / f"{name}.parquet")
        types = dict(zip(stored.schema.names, stored.schema.types, strict=True))
        options = pcsv.ConvertOptions(column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False)
        text = pcsv.read_csv(tmp_path / "csv" / f"{name}.csv", convert_options=options)
        assert text.equals(stored), name
        if name in in_memory:
            assert stored.to_pylist() == in_memory[name].to_pylist(), name


@pytest.mark.parametrize(("hcps", "weeks", "seed", "grain"), WORLDS)
def test_histories_keep_the_contract(hcps: int, weeks: int, seed: int, grain: str) -> None:
    world = simulate_world(hcps, weeks, seed, grain)
    tables = _frames(world)
    start, extract = world.calendar.cycle_start.item(), world.calendar.extract_date.item()
    assert len(tables["hcp_master"]) == hcps
    assert tables["hcp_master"]["hcp_id"].is_unique
    engagement, kpi = tables["engagement_history"], tables["kpi_metrics"]
    for frame in (engagement, kpi):
        assert set(frame["hcp_id"]) <= set(tables["hcp_master"]["hcp_id"])
        for day, known in zip(frame["period_start"], frame["known_at"], strict=True):
            assert day < start
            end = day + dt.timedelta(days=7) if grain == "week" else (day + dt.timedelta(days=31)).replace(day=1)
            assert end <= known <= extract
            assert day.weekday() == 0 if grain == "week" else day.day == 1
    assert (engagement["touches"] > 0).all()
    assert ((engagement["responses"] >= 0) & (engagement["responses"] <= engagement["touches"]))[engagement["responses"].notna()].all()
    # Increments of a cell and restatements of a cell differ in the day on which they were known.
    assert not engagement.duplicated(["hcp_id", "channel", "period_start", "known_at"]).any()
    assert not kpi.duplicated(["hcp_id", "period_start", "known_at"]).any()
    known = kpi[kpi["kpi_value"].notna()]
    assert ((known["kpi_value"] >= 0) & (known["kpi_value"] <= known["market_value"])).all()
    assert start < dt.date(2026, 11, 22)


@pytest.mark.parametrize(("grain", "tolerated"), [("week", 6), ("month", 2)])
@pytest.mark.parametrize("seed", range(8))
def test_kpi_is_never_later_than_the_default_lag(grain: str, tolerated: int, seed: int) -> None:
    """Replaying any past cycle start must find KPI at most six weeks, or two months, behind engagement."""
    world = simulate_world(10, 104, seed, grain)
    starts, first_known = world.calendar.starts, world.deliveries[:, 0]
    assert ((first_known - starts[1:]).astype(int) >= 14).all()
    assert ((first_known - starts[1:]).astype(int) <= 42).all()
    assert (first_known[1:] >= first_known[:-1]).all()
    for cut in range(8, world.calendar.periods + 1):
        behind = cut - int((first_known <= starts[cut]).sum())
        assert 1 <= behind <= tolerated


def test_months_follow_from_weeks() -> None:
    world = simulate_world(5, 104, 1, "month")
    assert world.calendar.periods == 24
    assert str(world.calendar.starts[0]) == "2024-01-01"
    assert str(world.calendar.cycle_end) == "2026-02-01"
    assert str(simulate_world(5, 104, 1).calendar.cycle_end) == "2026-02-02"


def test_master_has_the_contract_columns_and_text_ids() -> None:
    master = simulate_world(2000, 20, 3).tables()["hcp_master"].to_pandas()
    recognised = "hcp_id npi full_name specialty practice_type hco_id territory_id rep_id decile rep_access crm_account_id"
    assert list(master.columns)[:11] == recognised.split()
    assert master["npi"].iloc[0] == "0000000001"
    assert set(master["rep_access"].dropna()) == {"open", "restricted", "no_see"}
    assert master["rep_access"].isna().any()
    assert master["rep_id"].isna().mean() == pytest.approx(0.035, abs=0.02)
    assert master["hco_id"].value_counts().max() > 3
    assert (master.groupby("hco_id")["territory_id"].nunique() <= 1).all()
    assert (master.dropna(subset=["rep_id"]).groupby("rep_id")["territory_id"].nunique() == 1).all()
    reps = master.groupby("territory_id")["rep_id"].nunique()
    assert reps.max() > 1
    assert sorted(master["decile"].dropna().unique()) == list(range(1, 11))


def test_chunks_are_the_world() -> None:
    """Chunks follow on each other: own ids, own practices, own random streams."""
    world = simulate_world(CHUNK_HCPS + 40, 3, 9)
    chunks = list(world.chunks())
    assert [c.population.size for c in chunks] == [CHUNK_HCPS, 40]
    ids = world.tables()["hcp_master"]["hcp_id"].to_pylist()
    assert len(set(ids)) == CHUNK_HCPS + 40
    assert ids[-1] == "H0020040"
    shared = set(chunks[0].tables["hcp_master"]["hco_id"].to_pylist()) & set(chunks[1].tables["hcp_master"]["hco_id"].to_pylist())
    assert not shared
    assert (chunks[0].population.volume_z[:40] != chunks[1].population.volume_z).all()


def test_committed_seeds_are_what_the_code_makes(tmp_path: Path) -> None:
    write_seeds(tmp_path)
    made = _bytes(tmp_path)
    assert len(made) == 7 + 13
    for name, content in made.items():
        assert (SEEDS / name).read_bytes() == content, f"seeds/{name} differs: run nba.simulate.sample.write_seeds('seeds')"
    assert sum(len(c) for c in made.values()) < 4_000_000
    rules_committed = {p.name for p in SEEDS.glob("rule_*.csv")}
    assert rules_committed == {n for n in made if n.startswith("rule_")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 10, 1), "hcps is 0, it must lie between 1 and 9999999"),
        ((10, 0, 1), "weeks is 0, it must lie between 1 and 1040"),
        ((10, 10, -1), "seed is -1, it must lie between 0 and 9223372036854775807"),
        ((10, 10, 1, "day"), "grain is 'day', it must be one of: week, month"),
        ((10.5, 10, 1), "hcps is 10.5, it must be a whole number"),
    ],
)
def test_bad_settings_are_named(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError) as error:
        simulate_world(*arguments)
    assert str(error.value) == message


def test_writing_refuses_what_is_there_and_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = simulate_world(5, 5, 1)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "kept.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty: name a new folder"):
        write_world(world, tmp_path / "full")
    with pytest.raises(ValueError, match="format is 'xlsx', it must be one of: csv, parquet"):
        write_world(world, tmp_path / "new", "xlsx")
    monkeypatch.setattr("nba.simulate.writing.truth_table", lambda chunk: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_world(world, tmp_path / "new")
    assert [p.name for p in tmp_path.iterdir()] == ["full"]


def _parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    simulate_cli.add_parser(parser.add_subparsers())
    return parser.parse_args(["simulate", *words])


def test_command_writes_and_says_what_is_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--hcps", "10", "--weeks", "52", "--seed", "1", "--grain", "month", "--format", "parquet", "--out", str(tmp_path / "w")]
    args = _parse(*words)
    assert args.run(args) == 0
    printed = capsys.readouterr()
    assert "Suggested nba_cycle_start: 2026-01-01\n" in printed.out
    assert f"  nba load {tmp_path / 'w'}\n" in printed.out
    assert """dbt build --vars '{input_schema: raw, nba_cycle_start: "2026-01-01"}'""" in printed.out
    assert "simulated 10 of 10 HCPs" in printed.err
    assert (tmp_path / "w" / "kpi_metrics.parquet").exists()
    assert args.run(args) == 1
    assert capsys.readouterr().err == f"nba simulate: {tmp_path / 'w'} is already there and not empty: name a new folder\n"


def test_command_names_bad_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = _parse("--hcps", "0", "--weeks", "52", "--seed", "1", "--out", str(tmp_path / "w"))
    assert args.run(args) == 1
    assert capsys.readouterr().err == "nba simulate: hcps is 0, it must lie between 1 and 9999999\n"


def test_command_line_module_is_light() -> None:
    code = "import sys, nba.simulate.cli; print([m for m in ('numpy', 'pandas', 'pyarrow') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
