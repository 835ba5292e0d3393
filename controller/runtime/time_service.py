"""What this machine says of its clock: the kernel knows whether a time server keeps it, whichever program asks it."""

from __future__ import annotations

import ctypes
from pathlib import Path

from controller.core.wall_clock import Synchronization

# What adjtimex(2) answers while nobody keeps the clock, and after somebody has set it by hand.
_TIME_ERROR = 5
# Larger than struct timex of any architecture; all zeros ask and change nothing.
_TIMEX_BYTES = 512
# systemd-timesyncd makes it once it has set the clock; it lies in memory and goes with the machine.
_HAS_BEEN_SET = Path("/run/systemd/timesync/synchronized")


def synchronization() -> Synchronization:
    """Linux; elsewhere nobody is known to keep the clock."""
    is_now = _kernel_state() not in (None, _TIME_ERROR)
    return Synchronization(is_now, is_now or _HAS_BEEN_SET.exists())


def _kernel_state() -> int | None:
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except AttributeError:
        return None
    state = int(adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return None if state < 0 else state
