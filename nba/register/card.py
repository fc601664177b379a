"""The sub-command `nba model-card`: what a version of the engagement model is, as a page for people, from what memory keeps of it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nba.errors import NbaError

LIMITS = (
    "It says how likely one touch is responded to, not what a touch changes: that is the expected impact (docs/impact.md).",
    "It learned from touches that happened. A pair that nobody would have touched is extrapolated, however sure the number looks.",
    "It ranks HCPs for planning. It is no statement about a person, and nobody is to be judged by it.",
    "It knows no race, religion, gender or age, and no patient (docs/fairness.md); reach by segment is compared in segment_parity.",
    "It ages: retraining_decisions says from which cycle on it is trained again, drift_alerts what speaks against it now.",
)
SHOWN = ("touches", "base_rate", "auc", "log_loss", "brier", "calibration_error")


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser(
        "model-card",
        help="show the card of a version of the engagement model",
        description="What it learned from, how good it is by channel, how it is calibrated, what it is not for, and who approved it; "
        "Markdown. A text in memory that was damaged or tampered with is refused.",
    )
    parser.add_argument("version", nargs="?", metavar="VERSION", help="the version, or its first letters (default: the champion)")
    parser.add_argument("--output", type=Path, metavar="FILE.md", help="write the card there instead of printing it")
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument("--vars", default="{}", help="switches of the build, as for dbt; nba_schema_prefix is read")
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def run(args: argparse.Namespace) -> int:
    """Print or write the card."""
    from nba.load.command import parse_switches
    from nba.project import find_project
    from nba.register.read import approvals_of, find_version, schema_of
    from nba.warehouse import reading

    project = find_project(args.project_dir)
    schema = schema_of(project, parse_switches(args.vars))
    with reading(args.target, project) as warehouse:
        row = find_version(warehouse, schema, args.version)
        text = card(row, approvals_of(warehouse, schema, row["model_version"]))
    if args.output is None:
        print(text)
    else:
        args.output.write_text(text, encoding="utf-8")
        print(f"Card of version {row['model_version'][:12]} in {args.output}.")
    return 0


def card(row: Mapping[str, Any], approvals: Sequence[Mapping[str, Any]]) -> str:
    """The card of a version: a row of memory.model_versions with its model_json, and its approvals. NbaError where its text is refused."""
    from nba.learning.settings import LearningInputError
    from nba.learning.versions import open_version

    try:
        model = open_version(row)
    except LearningInputError as error:
        raise NbaError(f"{error}. There is no card of it") from error
    parts = [
        f"# Engagement model {row['model_version'][:12]}",
        "",
        f"{_kind(row['model_kind'])}; {row['stage']} in the run of cycle {row['cycle_start']}: {row['stage_reason']}.",
        *_made(row, model),
        *_features(row, model),
        *_metrics([metric for metric in model.metrics if metric.get("is_chosen")]),
        *_calibration(model),
        *_duel(row),
        *("", "## What it is not for", "", *(f"- {line}" for line in LIMITS)),
        *_approval(row, approvals),
    ]
    return "\n".join(parts) + "\n"


def _kind(kind: str) -> str:
    from nba.learning.engagement import NAMES

    name = NAMES.get(kind, "No model: there was nothing to learn from")
    return name[0].upper() + name[1:]


def _made(row: Mapping[str, Any], model: Any) -> list[str]:
    facts = {
        "version": row["model_version"],
        "fitted in cycle, by run": f"{row['fitted_cycle']}, `{row['fitted_run_id']}`",
        "learned from": f"{row['trained_rows']:,} pairs touched after snapshots {row['trained_from']} to {row['trained_through']}",
        "channels with responses": ", ".join(model.recording_channels) or "none",
        "why this kind": row["choice_reason"],
        "hash of the data": f"`{row['data_hash']}`",
        "hash of the code": f"`{row['code_hash']}`",
        "hash of the model": f"`{row['model_hash']}`",
    }
    return ["", "## How it was made", "", "| | |", "|---|---|", *(f"| {name} | {_cell(value)} |" for name, value in facts.items())]


def _features(row: Mapping[str, Any], model: Any) -> list[str]:
    dropped = f" Left out, because no row had a value: {', '.join(model.encoder.dropped)}." if model.encoder.dropped else ""
    switches = json.loads(row["switches"] or "{}")
    said = ", ".join(f"{name} {value}" for name, value in sorted(switches.items()) if not isinstance(value, list) and value is not None)
    listed = ", ".join(f"`{name}`" for name in model.encoder.features) or "none"
    parameters = ", ".join(
        f"{name} {value}" for name, value in json.loads(row["parameters"] or "{}").items() if isinstance(value, int | float)
    )
    return ["", "## Features", "", f"{listed}.{dropped}", "", f"Switches: {said}.", "", f"Parameters: {parameters}."]


def _metrics(metrics: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line per channel, `all` first."""
    found: dict[str, dict[str, float]] = {}
    for metric in metrics:
        if metric["bin"] is None:
            found.setdefault(metric["channel"], {})[metric["measure"]] = metric["value"]
    heading = ["", "## How good it was on touches that it had not seen", ""]
    if not found:
        return [*heading, "Nothing was left to measure it on."]
    names = sorted(found, key=lambda name: (name != "all", name))
    lines = [f"| {_cell(name)} | " + " | ".join(_number(found[name].get(measure)) for measure in SHOWN) + " |" for name in names]
    return [*heading, f"| channel | {' | '.join(SHOWN)} |", "|---|" + "---|" * len(SHOWN), *lines]


def _calibration(model: Any) -> list[str]:
    line = model.calibration
    offsets = ", ".join(f"{name} {_number(value)}" for name, value in sorted((line.offsets or {}).items())) or "none"
    text = f"Log-odds = {_number(line.intercept)} + {_number(line.slope)} x raw score + offset of the channel ({offsets})."
    predicted, observed = (
        {
            m["bin"]: m["value"]
            for m in model.metrics
            if m.get("is_chosen") and m["channel"] == "all" and m["measure"] == f"reliability_{side}"
        }
        for side in ("predicted", "observed")
    )
    table = [f"| {_number(predicted[place])} | {_number(observed.get(place))} |" for place in sorted(predicted)]
    shown = ["", "| predicted | observed |", "|---|---|", *table] if table else []
    return ["", "## Calibration", "", text, *shown]


def _duel(row: Mapping[str, Any]) -> list[str]:
    if row["loss"] is None:
        return []
    text = f"Log loss per touch {row['loss']:.5f} against {row['champion_loss']:.5f} on {row['held_out_touches']} touches new to both."
    return ["", "## Against the champion of the time", "", text]


def _approval(row: Mapping[str, Any], approvals: Sequence[Mapping[str, Any]]) -> list[str]:
    said = [f"- {_cell(one['approved_by'])}, {one['approved_at']} UTC: {_cell(one['reason'] or 'no reason given')}" for one in approvals]
    words = {
        "not_required": "Nobody had to approve it (nba_model_approval: none).",
        "waiting": "It waits for approval: `nba approve VERSION --by NAME`.",
        "first": "Nobody has approved it: it was the first, so no other could score instead.",
        "no_alternative": "Nobody has approved it: the model before it could not score any more.",
    }
    return ["", "## Approval", "", *(said or [words.get(row["approval"] or "", "It never scored.")])]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _cell(value: Any) -> str:
    """A text in a cell of a table: it neither breaks the row nor is read as markup."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")
