"""Made-up worlds with a known truth: the contract's input files, and beside them what one touch would really bring."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nba.simulate.world import World, simulate_world
    from nba.simulate.writing import write_world

__all__ = ["World", "simulate_world", "write_world"]

_HOMES = {"World": "nba.simulate.world", "simulate_world": "nba.simulate.world", "write_world": "nba.simulate.writing"}


def __getattr__(name: str) -> Any:
    # The command line imports this package on every call: numpy and pyarrow load only when a world is asked for.
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
