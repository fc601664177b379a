"""The command `nba`: one parser, sub-commands that import their work only when they run.

Exit status: 0 done, 1 an error the user can put right, 2 a wrong command line, 3 an unexpected error.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from nba.errors import NbaError, tells_full_disk
from nba.plain_text import lines, one_line

# name of the sub-command -> module with add_parser(subparsers) and run(args); import of these modules must stay light
COMMANDS = {
    "load": "nba.load.command",
    "init-rules": "nba.rules_setup",
    "simulate": "nba.simulate.cli",
    "rollback": "nba.rollback",
    "approve": "nba.register.approve",
    "model-card": "nba.register.card",
    "whatif": "nba.whatif.command",
    "diff": "nba.diff.command",
    "measure": "nba.measurement.command",
    "export": "nba.export",
    "roles": "nba.roles",
    "plan": "nba.client_plan",
    "readiness": "nba.readiness.command",
    "verify": "nba.audit.verify",
    "replay": "nba.audit.replay",
    "quality": "nba.gates.command",
    "snowflake": "nba.snowflake.command",
}
LOG_NAME = "nba.log"
AFTER_FULL_DISK = "What was under way is undone, and the warehouse is as it was. What to do: make room there and run again."


def build_parser() -> argparse.ArgumentParser:
    """The parser of all sub-commands; each names its `run` in the default `run_command`."""
    purpose = "Load inputs, set up rules, simulate data, roll back, ask what if, compare runs, show what past plans brought."
    parser = argparse.ArgumentParser(prog="nba", description=purpose)
    parser.add_argument("--debug", action="store_true", help="print the traceback of an unexpected error")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module_name in COMMANDS.items():
        module = importlib.import_module(module_name)
        module.add_parser(subparsers)
        subparsers.choices[name].set_defaults(run_command=module.run)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command and return its exit status (see the module's docstring)."""
    given = list(sys.argv[1:] if argv is None else argv)
    # --debug is welcome on either side of the sub-command
    args = build_parser().parse_args([word for word in given if word != "--debug"])
    args.debug = "--debug" in given
    return run_safely(args.run_command, args)


def run_safely(run: Callable[[argparse.Namespace], int | None], args: argparse.Namespace) -> int:
    """Call `run(args)` and turn every error into a message on stderr and an exit status."""
    try:
        return int(run(args) or 0)
    except NbaError as error:
        print(lines(f"nba {args.command}: {error}"), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"nba {args.command}: interrupted; nothing was written after the last message above.", file=sys.stderr)
        return 130
    except Exception as error:
        if args.debug:
            traceback.print_exc()
        text = one_line(" ".join(str(error).split())) or "no message"
        if tells_full_disk(error):
            print(f"nba {args.command}: the disk is full: {text}. {AFTER_FULL_DISK}", file=sys.stderr)
            return 1
        print(f"nba {args.command}: unexpected {type(error).__name__}: {text}. Log: {_write_log()}", file=sys.stderr)
        return 3


def _write_log() -> Path | str:
    """Append the current traceback to logs/nba.log of the working directory, or of the temp directory where that cannot be written."""
    for folder in (Path.cwd() / "logs", Path(tempfile.gettempdir())):
        path = folder / LOG_NAME
        try:
            folder.mkdir(exist_ok=True)
            with open(path, "a", encoding="utf-8") as log:
                log.write(f"nba {' '.join(sys.argv[1:])} (process {os.getpid()})\n{traceback.format_exc()}\n")
        except OSError:
            continue
        return path
    return "could not be written; run again with --debug"
