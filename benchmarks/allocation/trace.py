"""What a run in progress is known to have found: a plan worth so much, a bound so low, at a second of its own clock.

Events go to a file line by line, so that a run that is killed at its limit still has a history.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

GAPS = (1e-2, 1e-3, 1e-4)


class Trace:
    """Events of one run: seconds since `start()`, then plan (best found) and bound in KPI units, each None where not known."""

    def __init__(self, path: Path) -> None:
        self._file: IO[str] = path.open("w")
        self._began = time.perf_counter()
        self._lock = threading.Lock()

    def start(self) -> None:
        self._began = time.perf_counter()
        self.event("start")

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began

    def event(self, what: str, plan: float | None = None, bound: float | None = None, seconds: float | None = None) -> None:
        """One line; seconds: when it happened, where that is known better than now."""
        at = self.seconds if seconds is None else seconds
        with self._lock:
            self._file.write(json.dumps({"seconds": round(at, 4), "what": what, "plan": plan, "bound": bound}) + "\n")
            self._file.flush()


def read_events(path: Path) -> list[dict]:
    """Events of a trace file; a last line cut off by a kill is dropped."""
    events = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            events.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return events


def seconds_to_gaps(events: list[dict]) -> dict[str, float | None]:
    """For each of `GAPS` the first second at which the best bound and the best plan so far were that close; None = never."""
    events = sorted(events, key=lambda event: event["seconds"])
    plan, bound, reached = float("-inf"), float("inf"), dict.fromkeys((f"{gap:g}" for gap in GAPS), None)
    for event in events:
        plan = max(plan, event["plan"] if event["plan"] is not None else plan)
        bound = min(bound, event["bound"] if event["bound"] is not None else bound)
        if plan == float("-inf") or bound == float("inf"):
            continue
        gap = max(0.0, bound - plan) / max(abs(plan), 1e-9)
        for wanted in GAPS:
            if gap <= wanted * (1 + 1e-9) and reached[f"{wanted:g}"] is None:
                reached[f"{wanted:g}"] = event["seconds"]
    return reached


class LogTail:
    """Reads a solver's log file while it grows and hands (plan, bound) of every line that tells them to the trace."""

    def __init__(self, path: Path, parse: Callable[[str], tuple[float | None, float | None] | None], trace: Trace) -> None:
        self._path, self._parse, self._trace = path, parse, trace
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> LogTail:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _follow(self) -> None:
        rest, place = "", 0
        while True:
            last = self._done.wait(0.05)
            if self._path.exists():
                with self._path.open(errors="replace") as log:
                    log.seek(place)
                    rest += log.read()
                    place = log.tell()
                *lines, rest = rest.split("\n")
                for line in lines:
                    found = self._parse(line)
                    if found is not None:
                        self._trace.event("log", *found)
            if last:
                return


_HIGHS = re.compile(r"^ ?[A-Za-z]? +\d+ +\d+ +\d+ +[\d.]+% +(\S+) +(\S+) +\S+ ")
_CBC_FOUND = re.compile(r"Integer solution of (\S+) found")
_CBC_NODES = re.compile(r"(?:(\S+) best solution, best possible|best objective (\S+) \(best possible) ([-+.\de]+)")
_OURS = re.compile(r"([-+.\de]+) of at most ([-+.\de]+)")
_OURS_BOUND = re.compile(r"bound ([-+.\de]+)")


def highs_line(sign: float = 1.0) -> Callable[[str], tuple[float | None, float | None] | None]:
    """Parser of a HiGHS MIP log; sign -1 where the layer above turned the objective round."""

    def parse(line: str) -> tuple[float | None, float | None] | None:
        match = _HIGHS.match(line)
        if match is None:
            return None
        bound, plan = (_number(text) for text in match.groups())
        return (None if plan is None else sign * plan, None if bound is None else sign * bound)

    return parse


def cbc_line(line: str) -> tuple[float | None, float | None] | None:
    """Parser of a CBC log of a maximisation written as a minimisation of the negative."""
    if (match := _CBC_FOUND.search(line)) is not None:
        plan = _number(match.group(1))
        return None if plan is None else (-plan, None)
    if (match := _CBC_NODES.search(line)) is not None:
        plan, bound = _number(match.group(1) or match.group(2)), _number(match.group(3))
        return (None if plan is None else -plan, None if bound is None else -bound)
    return None


def ours_line(line: str) -> tuple[float | None, float | None] | None:
    """Parser of our progress lines: `PLAN of at most BOUND`, else `bound BOUND`."""
    if (match := _OURS.search(line)) is not None:
        return _number(match.group(1)), _number(match.group(2))
    if (match := _OURS_BOUND.search(line)) is not None:
        return None, _number(match.group(1))
    return None


def _number(text: str) -> float | None:
    """A finite number, None for infinities, solver placeholders of 1e20 and more, and anything else."""
    try:
        number = float(text.strip(",;()"))
    except ValueError:
        return None
    return number if abs(number) < 1e20 else None
