"""Suites held against facts by Great Expectations, in memory: nothing is sent anywhere and no file is left behind."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nba.gates.expecting import LEVELS, Expected, worst

if TYPE_CHECKING:
    import pandas as pd

    from nba.gates.limits import Limits
    from nba.gates.profile import Sides

COLUMNS = ("table_name", "column_name", "expectation", "family", "severity", "status", "observed", "at_least", "at_most")
COLUMNS += ("row_count", "examples", "problem", "what_to_do")
EXAMPLES = 3
NOTHING = "no expectation about it could be evaluated, so its gate says nothing"


@dataclass(frozen=True)
class Suite:
    """A boundary table, what is expected of it under the switches, and its facts (subject, item, one column a measure)."""

    table: str
    expected: Sequence[Expected]
    facts: pd.DataFrame


def suite_of(boundary_table: ModuleType, sides: Sides, limits: Limits) -> Suite:
    """The suite of one module of `expectations`."""
    expected = boundary_table.expected(limits)
    measures = list(dict.fromkeys(one.measure for one in expected))
    return Suite(boundary_table.TABLE, expected, boundary_table.facts(sides).frame(measures))


def context() -> Any:
    """Great Expectations, imported now: in memory, silent, no telemetry, no folder for pages."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    kept = DataContextConfig(store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False), analytics_enabled=False)
    made = gx.get_context(mode="ephemeral", project_config=kept)
    made.variables.progress_bars = {"globally": False, "metric_calculations": False}
    return made


def run_suites(suites: Sequence[Suite], limits: Limits, gx_context: Any | None = None) -> list[dict[str, Any]]:
    """One result (COLUMNS) for each expectation and level; a table about which nothing was evaluated gets an error of its own.

    status: met, not_met, not_evaluated (no fact: a first run, or too few HCPs) or off. Where a value is beyond the limit of an error the
    warning about it is left out.
    """
    gx_context = gx_context or context()
    source = gx_context.data_sources.add_or_update_pandas("facts")
    results = []
    for suite in suites:
        found = _results(suite, limits, source)
        statuses = {result["status"] for result in found}
        # switched off is a decision, silence is not
        if not statuses & {"met", "not_met"} and statuses != {"off"}:
            found.append(_nothing(suite.table))
        results += found
    return results


def validate(suite: Suite, runs: Sequence[tuple[Expected, str]], source: Any) -> Any:
    """The validation result of Great Expectations, one entry for each of `runs`, in their order."""
    from great_expectations.core import ExpectationSuite

    asset = source.add_dataframe_asset(f"{suite.table}_{len(source.assets)}")
    batch = asset.add_batch_definition_whole_dataframe("facts").get_batch({"dataframe": suite.facts})
    made = ExpectationSuite(name=suite.table, expectations=[one.expectation(level) for one, level in runs])
    shape = {"result_format": "COMPLETE", "unexpected_index_column_names": ["subject", "item"], "return_unexpected_index_query": False}
    return batch.validate(made, result_format=shape)


def _results(suite: Suite, limits: Limits, source: Any) -> list[dict[str, Any]]:
    planned = [(one, level) for one in suite.expected for level in LEVELS if level in one.levels]
    known = {one.measure for one, _ in planned if suite.facts[one.measure].notna().any()}
    runs = [(one, level) for one, level in planned if one.measure in known and one.level_said(level, limits) != "off"]
    answers = _answers(suite, runs, source)
    results = []
    for one, level in planned:
        said = one.level_said(level, limits)
        if (one, level) not in runs:
            results.append(_row(suite, one, level, said, "off" if said == "off" else "not_evaluated"))
            continue
        stopped = answers.get((one.measure, "error"))
        if level == "warn" and stopped is not None and not stopped.success:
            continue
        results.append(_answered(suite, one, level, said, answers.get((one.measure, level)) or answers[one.measure, "warn"]))
    return results


def _answers(suite: Suite, runs: Sequence[tuple[Expected, str]], source: Any) -> dict[tuple[str, str], Any]:
    """What Great Expectations answered by measure and level. A value within the limit of a warning is within the wider one of an error, so
    that one is only asked where the warning did not hold."""
    found: dict[tuple[str, str], Any] = {}
    narrow = [(one, level) for one, level in runs if level == "warn" or (one, "warn") not in runs]
    for asked in (narrow, None):
        if asked is None:
            failed = {measure for (measure, level), answer in found.items() if level == "warn" and not answer.success}
            asked = [(one, level) for one, level in runs if level == "error" and one.measure in failed]
        answered = validate(suite, asked, source).results if asked else []
        if len(answered) != len(asked):
            raise ValueError(f"{suite.table}: {len(asked)} expectations were asked for and {len(answered)} answered")
        found |= {(answer.expectation_config.kwargs["column"], answer.expectation_config.meta["level"]): answer for answer in answered}
    return found


def _row(suite: Suite, one: Expected, level: str, said: str, status: str, **more: Any) -> dict[str, Any]:
    low, high = one.bounds(level)
    row = dict.fromkeys(COLUMNS) | {"table_name": suite.table, "column_name": "", "expectation": one.measure, "family": one.family}
    return row | {"severity": "warn" if said == "off" else said, "status": status, "at_least": low, "at_most": high} | more


def _answered(suite: Suite, one: Expected, level: str, said: str, answer: Any) -> dict[str, Any]:
    if not answer.success and "element_count" not in answer.result:
        return _row(
            suite,
            one,
            level,
            "error",
            "not_met",
            problem=f"could not be evaluated: {_first_words(answer.exception_info)}",
            what_to_do="report it; the data may be right",
        )
    facts = suite.facts[suite.facts[one.measure].notna()]
    low, high = one.bounds(level)
    place = facts.iloc[worst(facts[one.measure], low, high)]
    observed = float(place[one.measure])
    if answer.success:
        return _row(suite, one, level, said, "met", column_name=place["subject"], observed=observed)
    outside = answer.result["unexpected_index_list"]
    named = [row for row in outside if row["item"]]
    items = [f"{row['item']} ({one.text(row[one.measure])})" for row in named] if len(outside) > 1 else [str(row["item"]) for row in named]
    columns = sorted({row["subject"] for row in outside if row["subject"]})
    problem = f"{one.says.format(observed=one.text(observed))} (limit: {one.limit_text(level)})"
    do = f"{one.do}; if it is meant, build once with nba_gate_{one.family}: {'warn' if said == 'error' else 'off'}"
    more = {"observed": observed, "row_count": len(outside) if named else None, "examples": ", ".join(items[:EXAMPLES]) or None}
    return _row(suite, one, level, said, "not_met", column_name=", ".join(columns), problem=problem, what_to_do=do, **more)


def _nothing(table: str) -> dict[str, Any]:
    told = {"table_name": table, "column_name": "", "expectation": "something_is_evaluated", "family": "volume", "severity": "error"}
    return (
        dict.fromkeys(COLUMNS)
        | told
        | {"status": "not_met", "problem": NOTHING, "what_to_do": "see that profile_inputs and profile_plan have rows for it"}
    )


def _first_words(raised: Any) -> str:
    return " ".join(str(raised).split())[:200]
