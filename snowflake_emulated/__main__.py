"""`python -m snowflake_emulated FOLDER`: run the emulated account until stopped. FOLDER gets `ready.json` (port) and `audit.jsonl`."""

from __future__ import annotations

import sys
from pathlib import Path

from snowflake_emulated.server import serve

if __name__ == "__main__":
    serve(Path(sys.argv[1]))
