"""The guard: what of a wish may reach the equipment now, and which limit acted.

Order of limits (design.md section 5): range and interlocks (permissives, mutual exclusion) always apply. Rate, minimum
times, starts per hour and what spares a wearing register never delay life safety and critical equipment (levels 1 to
5), letting go, or lights going up. A permissive blocks *our start*, an unknown one too; for running equipment a lost
signal hands the unit back, and only a proven "no" stops it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from controller.core.command import Command
from controller.core.exclusion import Rival
from controller.core.point import Limits, Point, ValueType, Writable, same_value
from controller.core.sample import Sample, Scalar, as_number
from controller.core.system import Permissive
from controller.core.text import NO_TEXT, Text, by_sheet

HOUR_S = 3600.0
MOST_STARTS_PER_HOUR = 60


class GuardMemory(NamedTuple):
    """What stands on the equipment's side: its value, when it was that (for the rate), when it last switched.

    Times are monotonic. The first sight counts as a switch, so that a restart never shortens a minimum time. ran:
    whether it ran when it was last known, perhaps before a restart. starts: of the last hour, whoever started it.
    """

    value: Scalar | None
    at: float
    switched: float
    ran: bool = False
    starts: tuple[float, ...] = ()


UNKNOWN = GuardMemory(None, -math.inf, -math.inf)


class Allowed(NamedTuple):
    """The value that may be written; None hands the point back. `limit` says what acted, NO_TEXT if nothing did.

    between: where a whole number stands on its way to the next, for `remember`. is_spared: the register is not to be
    written, not even once more, and nothing is to be remembered: what it may change by grows until it is written.
    """

    value: Scalar | None
    limit: Text = NO_TEXT
    between: float | None = None
    is_spared: bool = False


def remember(memory: GuardMemory, value: Scalar | None, monotonic: float) -> GuardMemory:
    """The memory after the equipment's value is `value`, written by us or seen while we do not hold the point."""
    if value is None:
        return memory
    unchanged = memory.value is not None and bool(memory.value) == bool(value)
    switched = memory.switched if unchanged else monotonic
    runs = bool(value)
    starts = (*_of_last_hour(memory.starts, monotonic), monotonic) if runs and not memory.ran else memory.starts
    return GuardMemory(value, monotonic, switched, runs, starts[-MOST_STARTS_PER_HOUR:])


class Register(NamedTuple):
    """A register that wears. written: what we hold it at; None where we do not. held_back: why it is not to be written
    now."""

    written: Scalar | None
    held_back: Text | None


def guard(
    command: Command,
    point: Point,
    memory: GuardMemory,
    permissives: Sequence[tuple[Permissive, Sample]],
    monotonic: float,
    rival: Rival | None = None,
    register: Register | None = None,
) -> Allowed:
    """Pure. `permissives` are those of this point, each with the sample that its condition looks at.

    rival: what it may not be on together with, if that stands against it. register: if the point's register wears.
    """
    allowed = _within_range(command.value, point)
    if permissives and allowed.value:
        forbidden = _forbidden(memory, permissives)
        if forbidden is not None:
            return forbidden
    if rival is not None and allowed.value:
        if memory.value is None and not rival.stops:
            return Allowed(None, rival.reason)
        allowed = Allowed(False, rival.reason)
        if rival.at_once:
            return allowed
    writable = point.writable
    if allowed.value is None or command.priority.is_protective or writable is None:
        return allowed
    if _goes_towards_light(allowed.value, memory, writable.limits):
        return allowed
    limited = _in_time(allowed, point, memory, writable.limits, monotonic)
    if register is not None:
        limited = _spared(limited, register, writable)
    return _back_in_range(limited, writable)


def _in_time(allowed: Allowed, point: Point, memory: GuardMemory, limits: Limits, monotonic: float) -> Allowed:
    if point.type is ValueType.BOOLEAN:
        limited = _after_minimum_time(allowed, memory, limits, monotonic)
        return _not_too_often(limited, memory, limits, monotonic)
    limited = _at_limited_rate(allowed, memory, limits, monotonic)
    return _whole(limited, wished=allowed.value) if point.type is ValueType.INTEGER else limited


def _within_range(value: Scalar, point: Point) -> Allowed:
    if point.states and value not in point.states:
        return Allowed(None, Text(f"handed back: no state is called {value}", f"交还原控制: 没有名为 {value} 的状态"))
    number = as_number(value)
    if number is None or point.writable is None or (isinstance(value, bool) and point.type is ValueType.BOOLEAN):
        return Allowed(value)
    if math.isnan(number):
        return Allowed(None, Text("handed back: the wish is not a number", "交还原控制: 请求值不是数字"))
    nearest = point.writable.range.nearest(number)
    if nearest == number:
        return Allowed(value)
    return Allowed(nearest, Text(f"limited to {nearest:g} by the range of the point", f"受该点量程限制为 {nearest:g}"))


def _back_in_range(limited: Allowed, writable: Writable) -> Allowed:
    """What stands outside the range is brought to its edge at once; only from there on it takes its time."""
    number = as_number(limited.value)
    if number is None or writable.range.holds(number):
        return limited
    return limited._replace(value=writable.range.nearest(number), between=None, is_spared=False)


def _forbidden(memory: GuardMemory, permissives: Sequence[tuple[Permissive, Sample]]) -> Allowed | None:
    """What interlocks leave of the wish to run; None if all of them permit it. A proven "no" outweighs an unknown."""
    missing = [(each.condition, sample) for each, sample in permissives if not each.condition.holds(sample)]
    for condition, sample in missing:
        if sample.is_good:
            return Allowed(
                False,
                Text(
                    f"stopped or not started: {condition.point} is {sample.value}, needs {condition.value}",
                    f"停止或不启动: {condition.point} 为 {sample.value}, 需为 {condition.value}",
                ),
            )
    if not missing:
        return None
    unknown = missing[0][0].point
    if memory.value is None:
        # It may run by its own controls: off would stop it.
        return Allowed(None, Text(f"not taken: {unknown} is not known", f"不接管: {unknown} 状态未知"))
    if memory.value:
        return Allowed(None, Text(f"handed back: {unknown} is not known", f"交还原控制: {unknown} 状态未知"))
    return Allowed(False, Text(f"not started: {unknown} is not known", f"不启动: {unknown} 状态未知"))


def _goes_towards_light(value: Scalar, memory: GuardMemory, limits: Limits) -> bool:
    new, old = as_number(value), as_number(memory.value)
    return limits.brighter_is_safe and new is not None and (old is None or new >= old)


def _after_minimum_time(allowed: Allowed, memory: GuardMemory, limits: Limits, monotonic: float) -> Allowed:
    if memory.value is None or same_value(allowed.value, memory.value, 0.0):
        return allowed
    minimum = limits.minimum_on if memory.value else limits.minimum_off
    remaining = memory.switched + minimum.total_seconds() - monotonic
    if remaining <= 0:
        return allowed
    state, state_zh = ("on", "运行") if memory.value else ("off", "停机")
    return Allowed(
        memory.value,
        by_sheet(
            Text(
                f"kept {state} for another {remaining:.0f} s by its minimum {state} time",
                f"受最短{state_zh}时间限制, 再保持 {remaining:.0f} 秒",
            ),
            limits.source,
        ),
    )


def _of_last_hour(starts: Sequence[float], monotonic: float) -> tuple[float, ...]:
    return tuple(each for each in starts if monotonic - each < HOUR_S)


def _not_too_often(allowed: Allowed, memory: GuardMemory, limits: Limits, monotonic: float) -> Allowed:
    """What is not seen at all is neither started nor stopped: it is left to its own controls."""
    most = limits.starts_per_hour
    if most is None or memory.value or not allowed.value:
        return allowed
    starts = _of_last_hour(memory.starts, monotonic)
    if len(starts) < most:
        return allowed
    remaining = starts[-most] + HOUR_S - monotonic
    return Allowed(
        None if memory.value is None else False,
        by_sheet(
            Text(
                f"kept off for another {remaining:.0f} s: {len(starts)} starts in the last hour, {most} are allowed",
                f"再保持停机 {remaining:.0f} 秒: 最近一小时已启动 {len(starts)} 次, 允许 {most} 次",
            ),
            limits.source,
        ),
    )


def _at_limited_rate(allowed: Allowed, memory: GuardMemory, limits: Limits, monotonic: float) -> Allowed:
    wished, present = as_number(allowed.value), as_number(memory.value)
    if limits.maximum_rate is None or wished is None or present is None:
        return allowed
    step = limits.maximum_rate * max(0.0, monotonic - memory.at)
    if abs(wished - present) <= step:
        return allowed
    value = present + math.copysign(step, wished - present)
    return Allowed(
        value,
        by_sheet(
            Text(
                f"on its way to {wished:g} at {limits.maximum_rate:g} per second",
                f"以每秒 {limits.maximum_rate:g} 的速率趋向 {wished:g}",
            ),
            limits.source,
        ),
    )


def _whole(limited: Allowed, wished: Scalar | None) -> Allowed:
    """A whole number is written once its rate has reached it, not before."""
    value, target = as_number(limited.value), as_number(wished)
    if value is None or target is None or limited.limit is NO_TEXT:
        return limited
    return limited._replace(value=math.floor(value) if target > value else math.ceil(value), between=value)


def _spared(allowed: Allowed, register: Register, writable: Writable) -> Allowed:
    """A difference that counts as none is not worth a write; what is not ours yet is not taken for the time being."""
    written = register.written
    if written is not None and allowed.value is not None and same_value(allowed.value, written, writable.tolerance):
        return Allowed(written, allowed.limit, is_spared=register.held_back is not None or allowed.value != written)
    if register.held_back is None or allowed.value is None:
        return allowed
    return Allowed(written, register.held_back, is_spared=True)
