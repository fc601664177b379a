"""Folders made wrong by a generator, through `nba load` and, where they load, checks, staging and features, some through the whole build:
each goes through, or stops with one of our messages and leaves the warehouse as it was, to the byte. Never a traceback, never an
engine's words.

`make test` takes a dozen through the load; `make test-long` takes `FOLDERS` to the features and `WHOLE` to the end, and prints the counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from mutated_folders import ALL_CHANGES, Plan, drawn_plans
from mutated_runs import Mill, Outcome

FEW, FOLDERS, WHOLE = 12, 320, 24
# one folder in so many has the data tests of its rooms as well; in the whole build all have
TESTED = 5


@pytest.fixture(scope="module")
def mill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mill]:
    folder = tmp_path_factory.mktemp("mill")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NBA_DUCKDB_PATH", str(folder / "nba.duckdb"))
        patch.delenv("DBT_PROFILES_DIR", raising=False)
        yield Mill(folder)


def report(outcomes: dict[Plan, Outcome], whole: dict[Plan, Outcome]) -> str:
    """The counts that the note of a release quotes."""
    first, last = (Counter(outcome.how for outcome in found.values()) for found in (outcomes, whole))
    loaded = first["stopped"] + first["through"]
    lines = [
        f"mutated folders: {len(outcomes)}; refused by the load: {first['refused']}; loaded: {loaded}, of which stopped by a gate: "
        f"{first['stopped']} and through to the features: {first['through']}; tracebacks or engines' words: {first['defect']}",
        f"whole builds: {len(whole)}; published: {last['through']}; stopped by a gate: {last['stopped']}; "
        f"tracebacks or engines' words: {last['defect']}",
    ]
    return "\n".join(lines)


def defects(outcomes: dict[Plan, Outcome]) -> list[str]:
    return [f"{plan}\n{outcome.says}" for plan, outcome in outcomes.items() if outcome.how == "defect"]


def test_the_generator_repeats_itself_and_leaves_no_change_out() -> None:
    plans = drawn_plans(FOLDERS)
    assert plans == drawn_plans(FOLDERS)
    assert len({str(plan) for plan in plans}) == FOLDERS
    assert {plan.mutations[0].what for plan in plans} == set(ALL_CHANGES)


def test_a_dozen_mutated_folders_are_loaded_or_refused_in_words(mill: Mill, tmp_path: Path) -> None:
    plans = drawn_plans(FOLDERS)
    few = plans[4 :: len(plans) // FEW][:FEW]
    outcomes = {}
    for number, plan in enumerate(few):
        outcomes[plan] = mill.load(plan.folder().write(tmp_path / str(number) / "given"))
    assert defects(outcomes) == []
    assert {"refused", "through"} <= {outcome.how for outcome in outcomes.values()}


@pytest.mark.long
def test_hundreds_of_mutated_folders_go_through_or_stop_in_words(mill: Mill, capsys: pytest.CaptureFixture[str]) -> None:
    plans = drawn_plans(FOLDERS)
    outcomes = {plan: mill.run(plan, "build" if number % TESTED == 0 else "run") for number, plan in enumerate(plans)}
    built = [plan for plan, outcome in outcomes.items() if outcome.how == "through"]
    # spread over all kinds of changes
    whole = {plan: mill.run(plan, "whole") for plan in built[:: max(1, len(built) // WHOLE)][:WHOLE]}
    with capsys.disabled():
        print(f"\n{report(outcomes, whole)}")
    assert defects(outcomes) == []
    assert defects(whole) == []
    assert len(outcomes) >= 300 and len(whole) >= 20
    assert min(Counter(outcome.how for outcome in outcomes.values())[how] for how in ("refused", "through")) > 30
