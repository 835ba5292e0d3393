"""A/B days: blocks of days in which a system is its original controls' and ours by turns. Pure.

The on/off test of IPMVP and ASHRAE Guideline 14 (retrofit isolation): the baseline is measured again and again between
the days that count. A tank that is fuller at the end of a block than at its start
would make one side pay for the other's cooling: at each switch it is to hold what it held at the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from controller.core.point import PointId
from controller.core.system import Authority
from controller.core.text import Text

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class EqualTank:
    """point: what the tank holds, in kWh or as a temperature. equal_within: of the level at the first switch, in the
    point's unit (K). wait: at most so long after the time of a switch."""

    point: PointId
    equal_within: float
    wait: timedelta


@dataclass(frozen=True, slots=True)
class ABDays:
    """block: days that one side lasts. begins: local date of the first; at: local time of day of every switch."""

    systems: tuple[str, ...]
    block: int
    begins: date
    at: time
    tank: EqualTank | None = None

    @property
    def identity(self) -> str:
        """Block numbers and levels of a schedule with another one say nothing."""
        point = "" if self.tank is None else self.tank.point
        return f"{self.begins.isoformat()} {self.at:%H:%M} {self.block}d {point}".rstrip()


class Block(NamedTuple):
    """number: from 1. day: of the whole schedule, from 1. starts, ends: UTC."""

    number: int
    day: int
    starts: datetime
    ends: datetime

    @property
    def side(self) -> Authority:
        """The baseline comes first."""
        return side_of(self.number)


class Standing(NamedTuple):
    """What outlives a restart. number: of the block whose side is in force; 0: none has begun. level: of the tank at
    the first switch at which it was known, None before."""

    number: int = 0
    level: float | None = None


NOT_BEGUN = Standing()


class Switch(NamedTuple):
    """before: what stood until now. level: of the tank now, None where it is not known. is_equal: whether it holds
    what it held at the first switch; None where the site names no tank."""

    block: Block
    before: Standing
    level: float | None
    is_equal: bool | None

    @property
    def after(self) -> Standing:
        return Standing(self.block.number, self.level if self.before.level is None else self.before.level)


def side_of(number: int) -> Authority:
    return Authority.TIDEWATT if number % 2 == 0 else Authority.ORIGINAL


def block_at(schedule: ABDays, zone: ZoneInfo, now: datetime) -> Block | None:
    """The block to which an instant belongs; None before the first."""
    today = now.astimezone(zone).date()
    # Where the clock is set back over midnight, a date may come twice: the last switch that has been counts.
    last = next(day for day in (today + _DAY, today, today - _DAY) if _switch_on(schedule, zone, day) <= now)
    since = (last - schedule.begins).days
    if since < 0:
        return None
    first = schedule.begins + since // schedule.block * schedule.block * _DAY
    starts, ends = (_switch_on(schedule, zone, day) for day in (first, first + schedule.block * _DAY))
    return Block(since // schedule.block + 1, since + 1, starts, ends)


def _switch_on(schedule: ABDays, zone: ZoneInfo, day: date) -> datetime:
    """A time of day that daylight saving skips is as far into the day as it would have been; one that comes twice
    counts the first time."""
    return datetime.combine(day, schedule.at, zone).astimezone(UTC)


def waits_until(schedule: ABDays, block: Block) -> datetime:
    """When a switch is made, whatever the tank holds."""
    return block.starts if schedule.tank is None else block.starts + schedule.tank.wait


def due_switch(schedule: ABDays, standing: Standing, block: Block, now: datetime, level: float | None) -> Switch | None:
    """The switch into `block` that is to be made now; None where its side is in force, or the tank is waited for."""
    if block.number == standing.number:
        return None
    tank = schedule.tank
    if tank is None:
        return Switch(block, standing, None, None)
    if standing.level is None:
        # The first that is known is what all others are measured by; at a later switch nobody knows what it was.
        is_equal, is_worth_waiting = level is not None and standing.number == 0, level is None
    else:
        is_equal = level is not None and abs(level - standing.level) <= tank.equal_within
        is_worth_waiting = not is_equal
    if is_worth_waiting and now < waits_until(schedule, block):
        return None
    return Switch(block, standing, level, is_equal)


def in_words(schedule: ABDays, zone: ZoneInfo, standing: Standing, block: Block | None) -> Text:
    """What stands on a screen, in the site's time."""
    if block is None:
        begin = datetime.combine(schedule.begins, schedule.at)
        return Text(f"A/B days begin {begin:%Y-%m-%d %H:%M}", f"A/B 日自 {begin:%Y-%m-%d %H:%M} 开始")
    if block.number != standing.number:
        until = f"{waits_until(schedule, block).astimezone(zone):%Y-%m-%d %H:%M}"
        return Text(
            f"A/B day {block.day}: {block.side} as soon as the tank is as at the first switch, at the latest {until}",
            f"A/B 第 {block.day} 日：蓄冷罐与首次切换时相同即转 {block.side}，最迟 {until}",
        )
    until = f"{block.ends.astimezone(zone):%Y-%m-%d %H:%M}"
    return Text(f"A/B day {block.day}: {block.side} until {until}", f"A/B 第 {block.day} 日：{block.side} 至 {until}")
