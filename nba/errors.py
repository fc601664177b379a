"""Errors that a user can put right: the command line prints their text and no traceback."""

from __future__ import annotations


class NbaError(Exception):
    """Something the user can put right; the text says what is wrong and what to do. `exit_code` is the command's exit status."""

    exit_code = 1


def tells_full_disk(error: BaseException) -> bool:
    """Whether an error says that a disk, a quota or the largest file allowed is used up; engines only say it in words."""
    import errno

    text = str(error).lower()
    is_said = any(words in text for words in ("no space left", "file too large", "disk quota exceeded", "disk is full"))
    return is_said or (isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT))
