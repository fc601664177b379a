"""The log of what was done, by whom, on which data: appending to it, checking its chain, and getting a past plan again.

`record` appends one event from a command; builds append through the macro `record_event`.
"""

from __future__ import annotations

from nba.audit.record import record

__all__ = ["record"]
