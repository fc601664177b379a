"""The sub-command `nba whatif`: solve another case of the last build beside the live plan. It writes nothing to the warehouse."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nba.errors import NbaError
from nba.plain_text import one_line

MOST_POINTS = 1000


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Declare the sub-command."""
    parser = subparsers.add_parser(
        "whatif",
        help="compare other limits, forced or forbidden pairs, or the field's own plan with the live plan",
        description="Solve another case of the last build and show it beside the live plan. Nothing is written to the warehouse. "
        "AMOUNT is 500, +500, -500, +10%% or -10%% (with a minus write --budget=-10%%).",
    )
    parser.add_argument("--budget", metavar="AMOUNT", help="total budget, for example 50000 or +10%%")
    parser.add_argument("--limit", action="append", default=[], metavar="LIMIT_ID=AMOUNT", help="a limit of constraint_prices")
    parser.add_argument(
        "--set", action="append", default=[], dest="rules", metavar="RULE:COLUMN=VALUE:...:BOUND=AMOUNT",
        help="limits of a rule table in its own words, for example rule_budget:channel=email:max_cost=+10%%; null = empty in the table",
    )  # fmt: skip
    parser.add_argument(
        "--floor", action="append", default=[], dest="floors", metavar="COLUMN=VALUE:...:min_hcps=AMOUNT",
        help="coverage floors, for example territory_id=T0001:min_hcps=20:hardness=hard",
    )  # fmt: skip
    pair = {"nargs": 2, "action": "append", "default": [], "metavar": ("HCP", "CHANNEL")}
    parser.add_argument("--force", **pair, help="put this pair into the plan, and say what it would have to be worth")
    parser.add_argument("--forbid", **pair, help="keep this pair out of the plan")
    parser.add_argument("--scenario", type=Path, metavar="FILE.yml", help="a scenario file; options are added to it")
    parser.add_argument(
        "--curve", nargs="?", const="", metavar="LIMIT_ID", help="bounds at many values of a limit (default: the total budget)"
    )
    parser.add_argument("--points", type=int, default=50, help="values on the curve (default: 50)")
    parser.add_argument(
        "--between", nargs=2, type=float, metavar=("LOW", "HIGH"), help="ends of the curve (default: half to one and a half times today's)"
    )
    parser.add_argument("--plans", type=int, default=0, help="solve a plan at so many points of the curve (default: none)")
    parser.add_argument("--current-plan", action="store_true", help="show the field's own plan (table current_plan) beside ours")
    parser.add_argument("--gap", type=float, help="relative gap of thresholds (default: as exact as the size allows)")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="also write tables, the scenario and the picture of the curve")
    parser.add_argument("--target", help="target of profiles.yml (default: the profile's own)")
    parser.add_argument("--vars", default="{}", help="switches of the build, as for dbt; nba_schema_prefix is read")
    parser.add_argument("--project-dir", type=Path, help="folder of the dbt project (default: the working directory or above)")


def run(args: argparse.Namespace) -> int:
    """Answer what the command line asks; the answer goes to stdout, progress to stderr."""
    from nba.whatif.session import Session
    from optimization.prices import LimitsConflict
    from optimization.problem import PlanInputError
    from optimization.scenario import ScenarioError

    try:
        _check(args)
        for line in Session(args, progress).answer():
            print(one_line(line))
    except (ScenarioError, PlanInputError) as error:
        raise NbaError(str(error)) from error
    except LimitsConflict as error:
        raise NbaError(f"{error}: the last build has no plan, see plan.plan_conflicts") from error
    return 0


def _check(args: argparse.Namespace) -> None:
    asked = (args.budget, args.limit, args.rules, args.floors, args.force, args.forbid, args.scenario, args.current_plan)
    if not any(asked) and args.curve is None:
        raise NbaError("nothing is asked: give --budget, --limit, --set, --floor, --force, --forbid, --scenario, --curve or --current-plan")
    _check_words(args)
    if not 2 <= args.points <= MOST_POINTS:
        raise NbaError(f"--points {args.points} must lie between 2 and {MOST_POINTS}")
    if not 0 <= args.plans <= args.points:
        raise NbaError(f"--plans {args.plans} must lie between 0 and --points {args.points}")
    if args.between and not 0 <= args.between[0] < args.between[1]:
        raise NbaError(f"--between {args.between[0]:g} {args.between[1]:g} must be two rising numbers >= 0")
    if args.gap is not None and not 0 < args.gap < 1:
        raise NbaError(f"--gap {args.gap:g} must lie between 0 and 1")


def _check_words(args: argparse.Namespace) -> None:
    """Amounts and columns that cannot be read are said before the build is read."""
    from nba.whatif.scenario_text import amount_of, floor_changes, limit_change, read_scenario, rule_changes

    if args.budget is not None:
        amount_of(args.budget, "--budget")
    for texts, read in ((args.limit, limit_change), (args.rules, rule_changes), (args.floors, floor_changes)):
        for text in texts:
            read(text)
    if args.scenario is not None:
        read_scenario(args.scenario)


def progress(line: str) -> None:
    """One line of progress, on stderr: stdout holds the answer."""
    print(line, file=sys.stderr, flush=True)
