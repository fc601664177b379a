"""Which labelled rows a model learns from, is chosen on and is measured on: by time, never across one snapshot if that can be helped."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np

TRAIN, VALIDATION, TEST = 0, 1, 2


@dataclass(frozen=True)
class Split:
    """part (rows,): TRAIN, VALIDATION or TEST. how: one sentence for the model's record."""

    part: np.ndarray
    how: str


def hcp_share(hcp: np.ndarray, seed: int) -> np.ndarray:
    """A number in [0, 1) per row that depends on the HCP and the seed only."""
    names, group = np.unique(hcp, return_inverse=True)
    return np.array([crc32(f"{seed}:{name}".encode()) / 2**32 for name in names])[group] if len(names) else np.zeros(0)


def split_rows(snapshot: np.ndarray, hcp: np.ndarray, seed: int) -> Split:
    """Split by snapshot: the last sixth (at least one) tests, the third before it (at least one) validates, the rest trains.

    Validation is the larger of the two because it chooses and calibrates; the deployed model learns from all of them again. With two
    snapshots the later one is shared between validation and test, with one everything is, by a hash of the HCP.
    """
    dates, number = np.unique(snapshot, return_inverse=True)
    part = np.full(len(snapshot), TRAIN, dtype=np.int8)
    if len(dates) >= 3:
        last, before = max(1, len(dates) // 6), max(1, len(dates) // 3)
        first = len(dates) - last - before
        part[number >= first] = VALIDATION
        part[number >= first + before] = TEST
        return Split(
            part, f"trained on the first {first} of {len(dates)} snapshots, chosen on the next {before}, measured on the last {last}"
        )
    share = hcp_share(hcp, seed)
    if len(dates) == 2:
        part[number == 1] = np.where(share[number == 1] < 0.5, VALIDATION, TEST)
        return Split(part, "two snapshots only: trained on the first, chosen and measured on halves of the HCPs in the second")
    part[share >= 0.6] = VALIDATION
    part[share >= 0.8] = TEST
    return Split(part, "one snapshot only: trained on 60%, chosen on 20%, measured on 20% of the HCPs, by a hash of the HCP")
