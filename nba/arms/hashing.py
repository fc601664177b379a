"""Chance from names: every number is a hash of seed, name and date, so that no order of rows, engine or machine can change a draw."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np


def hashes(names: Iterable[str], seed: int, purpose: str) -> np.ndarray:
    """uint64 per name: the first 8 bytes of SHA-256 of `seed|name|purpose`; purpose says what is drawn, for which cycle."""
    tail = f"|{purpose}".encode()
    head = f"{seed}|".encode()
    digest = b"".join(hashlib.sha256(head + name.encode() + tail).digest()[:8] for name in names)
    return np.frombuffer(digest, dtype=">u8").astype(np.uint64)


def uniforms(names: Iterable[str], seed: int, purpose: str) -> np.ndarray:
    """Numbers in [0, 1), 53 bits of the same hashes."""
    return (hashes(names, seed, purpose) >> np.uint64(11)).astype(np.float64) / float(1 << 53)
