"""Whether the wall clock may be believed: by those who go by the calendar, the sun or the tariff. Pure.

A box without a battery wakes up in another year; somebody sets the clock by an hour. Once right, a clock stays right
while it runs on: a quartz takes months to be off by a minute, so a time server that is away for days makes no doubt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from controller.core.text import Text

# No copy of this program ran before.
RELEASED = datetime(2026, 1, 1, tzinfo=UTC)
# A time server that corrects a quartz moves it by less.
JUMP_S = 60.0
# A clock that nobody else keeps is believed again this long after it was set.
SETTLE_S = 600.0

NEVER_SET = Text("no time server has set the clock since the machine started", "机器启动后尚未与时间服务器同步")


class Synchronization(NamedTuple):
    """What the machine says of its clock. is_now: a time server keeps it; was: one has set it since the start."""

    is_now: bool
    was: bool


@dataclass(frozen=True, slots=True)
class WallClock:
    """One look. offset: wall time less monotonic time, s, which only a clock that is set changes. set_at: when the
    last such jump was seen, monotonic."""

    offset: float
    doubt: Text | None
    set_at: float = -math.inf


def looked_at(
    before: WallClock | None,
    now: datetime,
    monotonic: float,
    latest_known: datetime,
    synchronization: Synchronization,
    *,
    is_free_running: bool,
) -> WallClock:
    """The clock after another look. latest_known: a time that is certainly over; is_free_running: no time server."""
    offset = now.timestamp() - monotonic
    jump = 0.0 if before is None else offset - before.offset
    was_set = abs(jump) > JUMP_S
    set_at = monotonic if was_set else -math.inf if before is None else before.set_at
    doubt: Text | None
    if synchronization.is_now or (before is not None and before.doubt is None and not was_set):
        doubt = None
    elif now < max(latest_known, RELEASED) - timedelta(seconds=JUMP_S):
        doubt = _too_early(max(latest_known, RELEASED))
    elif was_set:
        doubt = _was_set(jump)
    elif before is None:
        doubt = None if is_free_running or synchronization.was else NEVER_SET
    elif is_free_running and monotonic - set_at >= SETTLE_S:
        doubt = None
    else:
        doubt = before.doubt
    if before is None and doubt is not None:
        set_at = math.inf  # as it is now it will never be right
    return WallClock(offset, doubt, set_at)


def _too_early(latest: datetime) -> Text:
    day = f"{latest:%Y-%m-%d %H:%M} UTC"
    return Text(f"the clock is behind {day}, which is over", f"时钟早于已过去的 {day}")


def _was_set(jump: float) -> Text:
    return Text(f"the clock was set by {jump:+.0f} s", f"时钟被调整 {jump:+.0f} 秒")
