"""What many simulated draws of one world say of an estimator: does its interval cover the truth, is it unbiased, how wide is it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

Found = tuple[str, float | None, float | None, float | None, float]  # name, estimate, low, high, truth


@dataclass
class Replications:
    """Per estimator: errors (estimate - truth), widths, whether the interval covers the truth and whether it excludes 0."""

    errors: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    widths: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    covers: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    alarms: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))

    def add(self, found: Iterable[Found]) -> None:
        for name, estimate, low, high, truth in found:
            if estimate is None:
                continue
            self.errors[name].append(estimate - truth)
            self.widths[name].append(high - low)
            self.covers[name].append(low <= truth <= high)
            self.alarms[name].append(not low <= 0 <= high)

    def coverage(self, name: str) -> float:
        return float(np.mean(self.covers[name]))

    def false_alarms(self, name: str) -> float:
        return float(np.mean(self.alarms[name]))

    def bias_in_errors(self, name: str) -> float:
        """Mean error over its own standard error."""
        errors = self.errors[name]
        return float(np.mean(errors) / (np.std(errors, ddof=1) / len(errors) ** 0.5))

    def width(self, name: str) -> float:
        return float(np.mean(self.widths[name]))

    def spread(self, name: str) -> float:
        return float(np.std(self.errors[name]))
