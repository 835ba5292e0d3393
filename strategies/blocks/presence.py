"""Whether somebody is in a group, by its motion sensor: with a hold time, and never trusting a sensor that is stuck.

A sensor that shows motion for ever lights its group for ever, which is safe. One that never shows any is found by its
neighbours: whoever passes there so many times without ever being seen here shows that this sensor sees nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from controller.core.sample import Sample
from controller.core.text import Text
from strategies.blocks.timers import off_delay

HOLD_TIME = Text("hold time after motion", "移动后的保持时间")
MOTION = Text("motion", "有人移动")
MOTION_SILENT = Text("motion sensor silent, taken as occupied", "移动传感器无信号，按有人处理")
MOTION_STUCK = Text("motion sensor stuck, taken as occupied", "移动传感器卡死，按有人处理")


class Presence(NamedTuple):
    """hold: seconds for which the group counts as occupied. why: None where nobody is there. begins: motion is seen
    that was not there before.
    """

    hold: float
    why: Text | None
    begins: bool = False


NOBODY = Presence(0.0, None)


@dataclass(frozen=True, slots=True)
class PresenceRule:
    """hold_time [s]. stuck_after: so many motions beside a sensor that shows none; None where nothing tells.

    witnesses: the groups beside it.
    """

    hold_time: float
    stuck_after: int | None
    witnesses: frozenset[int]

    def presence(self, sample: Sample | None, hold: float, missed: int, elapsed: float) -> Presence:
        """hold, missed: what was known before."""
        motion = sample is None or sample.value is None or bool(sample.value)
        is_stuck = not motion and self.stuck_after is not None and missed >= self.stuck_after
        left = off_delay(hold, motion or is_stuck, self.hold_time, elapsed)
        if is_stuck:
            return Presence(left, MOTION_STUCK)
        if not motion:
            return Presence(left, HOLD_TIME if left else None)
        if sample is None or not sample.is_good:
            return Presence(left, MOTION_SILENT)
        return Presence(left, MOTION, begins=hold < self.hold_time)

    def missed(self, was: int, presence: Presence, begun: frozenset[int]) -> int:
        """Motions that have begun beside this sensor since it last showed one of its own."""
        if presence.why is MOTION or self.stuck_after is None:
            return 0
        return min(was + len(begun & self.witnesses), self.stuck_after) if begun else was


def presence_rule(
    hold_time: float, stuck_after: int | None, ordinal: int, beside: frozenset[int], groups: int
) -> PresenceRule:
    """Where nobody says what lies beside a group, all others are its witnesses, and it takes so many times more."""
    witnesses = beside or frozenset(range(groups)) - {ordinal}
    if stuck_after is None or not witnesses:
        return PresenceRule(hold_time, None, witnesses)
    return PresenceRule(hold_time, stuck_after * (1 if beside else len(witnesses)), witnesses)


def begun(presences: Sequence[Presence]) -> frozenset[int]:
    """The groups in which motion begins now."""
    return frozenset([ordinal for ordinal, presence in enumerate(presences) if presence.begins])
