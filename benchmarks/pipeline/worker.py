"""One row of the benchmark in a fresh process on one core.

    python -m benchmarks.pipeline.worker FILE TASK FOLDER HCPS WEEKS SEED ROWS PEER_SECONDS CORES

Writes what it found as JSON into FILE.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from benchmarks.pipeline.tasks import TASKS, Job


def main(arguments: list[str]) -> None:
    file, task, folder = Path(arguments[0]), arguments[1], Path(arguments[2])
    hcps, weeks, seed, rows = (int(text) for text in arguments[3:7])
    keep_to_cores(int(arguments[8]))
    folder.mkdir(parents=True, exist_ok=True)
    found = TASKS[task].function(Job(folder, hcps, weeks, seed, rows, float(arguments[7])))
    file.write_text(json.dumps(found))


def keep_to_cores(cores: int) -> None:
    """The last so many cores: every engine then takes as many threads as that, whatever its switch is called."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])


if __name__ == "__main__":
    main(sys.argv[1:])
