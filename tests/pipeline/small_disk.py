"""Disks that fill up: a file system of a few megabytes where this account may mount one, else a limit on the size of every file."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class SmallDisk:
    """A file system in memory mounted at `folder`."""

    folder: Path

    @property
    def free(self) -> int:
        """Bytes left."""
        return shutil.disk_usage(self.folder).free

    @property
    def used(self) -> int:
        return shutil.disk_usage(self.folder).used

    def leave(self, free: int) -> None:
        """Fill it up to so many free bytes."""
        self.empty()
        with open(self.folder / "ballast", "wb") as ballast:
            while True:
                try:
                    os.posix_fallocate(ballast.fileno(), 0, max(self.free - free, 1))
                except OSError as error:
                    # others write meanwhile: less is free than a moment ago
                    if error.errno != errno.ENOSPC:
                        raise
                else:
                    return

    def empty(self) -> None:
        """Take the filling away again."""
        (self.folder / "ballast").unlink(missing_ok=True)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[SmallDisk]:
    """A disk of that size; the test is skipped where this account may not mount one."""
    folder.mkdir(exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no disk can be mounted here, which takes an administrator: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        # lazily: a server that is about to end may still be in it
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
