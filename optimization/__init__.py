"""The allocation problem: its rules, prices, plan, proof and diagnosis. Knows no dbt and no warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optimization.allocation import Allocation, allocate
    from optimization.problem import PlanInputError, PlanSettings
    from optimization.result import PlanResult, plan

__all__ = ["Allocation", "PlanInputError", "PlanResult", "PlanSettings", "allocate", "plan"]

_HOMES = {"plan": "optimization.result", "PlanResult": "optimization.result"}
_HOMES |= {"allocate": "optimization.allocation", "Allocation": "optimization.allocation"}
_HOMES |= {"PlanSettings": "optimization.problem", "PlanInputError": "optimization.problem"}


def __getattr__(name: str) -> Any:
    """Public names are imported on first use: numpy and pandas load then, solvers only inside a solve."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
