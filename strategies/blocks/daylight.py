"""What a daylight sensor says of the sky, and whether it can be believed.

Three ways in which such sensors lie: they see our own lamps, they stand still, or their register is full (65,535).
Whatever they say then counts as silence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from controller.core.text import Text
from strategies.blocks.hysteresis import below
from strategies.blocks.timers import Delayed, delayed

FULL_REGISTER = 65535.0
"""[lx]: what a register of 16 bits shows when there is no sensor behind it, or more light than it can tell."""

# Real daylight is never the same to the bit for so long; the night sky may be.
STUCK_AFTER = timedelta(hours=1)
_STUCK_ABOVE = 100.0
# A lamp is seen by a sensor if the light jumps with its switching: the sky takes minutes for as much.
_JUMP_WITHIN = 20.0
_LEAST_JUMP = 5.0
_JUMP_SHARE = 0.3

_FULL = Text("daylight sensor at 65535 lx, not used", "日光传感器为 65535 lx，不采用")
_STUCK = Text("daylight sensor stuck, not used", "日光传感器卡死，不采用")
_SEES_LAMPS = Text("daylight sensor sees our own lamps, not used", "日光传感器受自身灯光影响，不采用")


@dataclass(frozen=True, slots=True)
class Watch:
    """After a switching of our own. before: what was shown then [lx]; left: seconds in which a jump would be ours."""

    before: float
    on: bool
    left: float


@dataclass(frozen=True, slots=True)
class Daylight:
    """dark, light: what the sensor says of the sky, with its delays; both False in between.

    shown, since: its last reading [lx], and since when it has been that. sees_lamps: it jumped with our last switching.
    """

    dark: Delayed = field(default_factory=Delayed)
    light: Delayed = field(default_factory=Delayed)
    shown: float | None = None
    since: datetime | None = None
    watch: Watch | None = None
    sees_lamps: bool = False


class Reading(NamedTuple):
    """illuminance: None where nothing can be believed; trouble: why, None where the sensor is merely silent."""

    illuminance: float | None
    trouble: Text | None = None


@dataclass(frozen=True, slots=True)
class SkyLimits:
    """dark, bright [lx]; delays [s]."""

    dark: float
    bright: float
    dark_delay: float
    bright_delay: float


def watched(was: Daylight, illuminance: float | None, now: datetime, elapsed: float) -> Daylight:
    """The sensor's own state after a reading, before anything is believed of it."""
    shown = illuminance if illuminance is not None and math.isfinite(illuminance) and illuminance >= 0.0 else None
    if shown != was.shown or (was.since is not None and was.since > now):
        was = replace(was, shown=shown, since=now)
    watch = was.watch
    if watch is None or shown is None:
        return was
    left = watch.left - elapsed
    if left < 0.0:
        return replace(was, watch=None, sees_lamps=False)
    jump = shown - watch.before if watch.on else watch.before - shown
    if jump > max(_LEAST_JUMP, _JUMP_SHARE * watch.before):
        return replace(was, watch=None, sees_lamps=True)
    return replace(was, watch=replace(watch, left=left))


def believed(sensor: Daylight, now: datetime) -> Reading:
    if sensor.shown is None:
        return Reading(None)
    if sensor.shown == FULL_REGISTER:
        return Reading(None, _FULL)
    if sensor.sees_lamps:
        return Reading(None, _SEES_LAMPS)
    if sensor.since is not None and sensor.shown > _STUCK_ABOVE and now - sensor.since >= STUCK_AFTER:
        return Reading(None, _STUCK)
    return Reading(sensor.shown)


def stuck_at(sensor: Daylight) -> datetime | None:
    """When the reading will count as stuck if it stays; None where it may stay."""
    may_stick = sensor.shown is not None and sensor.shown > _STUCK_ABOVE and sensor.shown != FULL_REGISTER
    return sensor.since + STUCK_AFTER if may_stick and sensor.since is not None else None


def switched(sensor: Daylight, *, on: bool) -> Daylight:
    """The lamps are commanded on or off now: from here on a jump is watched for."""
    if sensor.shown is None or sensor.shown == FULL_REGISTER:
        return sensor
    return replace(sensor, watch=Watch(sensor.shown, on, _JUMP_WITHIN))


def judged(sensor: Daylight, illuminance: float, limits: SkyLimits, elapsed: float) -> Daylight:
    """Dark by two limits, light by the upper one; each only once it has lasted: headlights and clouds pass by."""
    dark = delayed(
        sensor.dark,
        below(illuminance, limit=limits.dark, release=limits.bright, was=sensor.dark.value),
        on_after=limits.dark_delay,
        off_after=limits.bright_delay,
        elapsed=elapsed,
    )
    light = delayed(
        sensor.light,
        illuminance > limits.bright,
        on_after=limits.bright_delay,
        off_after=limits.dark_delay,
        elapsed=elapsed,
    )
    if dark is sensor.dark and light is sensor.light:
        return sensor
    return replace(sensor, dark=dark, light=light)
