"""`nba simulate`: write a made-up world to a folder."""

from __future__ import annotations

import argparse
import sys
from typing import Any


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add `simulate` to the commands of `nba`; the parser carries `run`."""
    text = "write a made-up world with a known truth, ready for nba load"
    parser: argparse.ArgumentParser = subparsers.add_parser("simulate", help=text, description=text)
    parser.add_argument("--hcps", type=int, required=True, help="number of HCPs")
    parser.add_argument("--weeks", type=int, required=True, help="weeks of history; with --grain month, weeks / 4.345 months")
    parser.add_argument("--seed", type=int, required=True, help="the same seed gives the same files")
    parser.add_argument("--out", required=True, help="folder to write, new or empty")
    parser.add_argument("--grain", choices=("week", "month"), default="week", help="period of the history (default week)")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv", help="format of the files (default csv)")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Write the world and print what to do next; 1 with one clear line on bad input."""
    from nba.simulate.world import simulate_world
    from nba.simulate.writing import write_world

    try:
        world = simulate_world(args.hcps, args.weeks, args.seed, args.grain)
        write_world(world, args.out, args.format, progress=_show)
    except (ValueError, OSError) as error:
        print(f"nba simulate: {error}", file=sys.stderr)
        return 1
    start = world.calendar.cycle_start
    print(f"Wrote {args.hcps} HCPs, {world.calendar.periods} {args.grain}s, to {args.out} (the truth is in {args.out}/truth).")
    print(f"Suggested nba_cycle_start: {start}")
    print("Next:")
    print(f"  nba load {args.out}")
    print(f"  dbt build --vars '{{input_schema: raw, nba_cycle_start: \"{start}\"}}'")
    return 0


def _show(done: int, total: int) -> None:
    end = "\n" if done == total else ""
    print(f"\rsimulated {done} of {total} HCPs", end=end, file=sys.stderr, flush=True)
