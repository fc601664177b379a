"""Errors that a user can put right: the command line prints their text and no traceback."""

from __future__ import annotations


class NbaError(Exception):
    """Something the user can put right; the text says what is wrong and what to do. `exit_code` is the command's exit status."""

    exit_code = 1
