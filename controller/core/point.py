"""What a point means; never where it lives."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Generic, NamedTuple, NewType, TypeAlias, TypeVar

from controller.core.doubt import Doubt
from controller.core.sample import Scalar, as_number
from controller.core.units import Unit

PointId = NewType("PointId", str)

# `area.equipment_n.quantity`: lower snake case, two dots.
POINT_ID = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


def equipment_of(point: PointId) -> str:
    return point.rpartition(".")[0]


class PointKind(StrEnum):
    """Measured, proven, wished, ordered, set once. Sensor and status are read; setpoint and command may be written."""

    SENSOR = "sensor"
    STATUS = "status"
    SETPOINT = "setpoint"
    COMMAND = "command"
    PARAMETER = "parameter"


class ValueType(StrEnum):
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TEXT = "text"


class Range(NamedTuple):
    low: float
    high: float

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def nearest(self, value: float) -> float:
        return min(max(value, self.low), self.high)


EVERY_NUMBER = Range(-math.inf, math.inf)
"""Of a text, whose values its states limit."""


# --- How a written point is let go -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReleaseNull:
    """The device has a priority array of its own: write Null into our slot (ASHRAE 135, 19.2)."""


@dataclass(frozen=True, slots=True)
class RemoteBit:
    """The device follows us while `point` is true and its own controls while it is false."""

    point: PointId


@dataclass(frozen=True, slots=True)
class SafeValue:
    """Write this value and leave it there. Lights: on."""

    value: Scalar


@dataclass(frozen=True, slots=True)
class Restore:
    """Write back the value found before us, if it lies in the declared safe range; else the nearest end of it."""

    within: Range


Release: TypeAlias = ReleaseNull | RemoteBit | SafeValue | Restore


# --- What the device does by itself when we fall silent ----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeviceTimeout:
    """The device drops our remote bits unless they are written again within this time (wire time)."""

    after: timedelta


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The device drops us unless `point` keeps changing within `after` (wire time)."""

    point: PointId
    after: timedelta


@dataclass(frozen=True, slots=True)
class NothingHappens:
    """The last write stays for ever: allowed only where every value of the range is safe for ever."""


OnSilence: TypeAlias = DeviceTimeout | Heartbeat | NothingHappens


@dataclass(frozen=True, slots=True)
class Effect:
    """What the equipment must show within `within` when a written value took hold.

    With `equals_command` the effect point must come to equal the written value within `tolerance`
    (a pump's status follows its command).
    """

    point: PointId
    within: timedelta
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Per-machine limits of the guard beyond the range.

    maximum_rate: change per second, in the point's unit. minimum_on, minimum_off, starts_per_hour: for two-state
    commands. brighter_is_safe: for lamps; a change upwards is never delayed. source: the maker's sheet they stand in,
    which makes them no other limits.
    """

    maximum_rate: float | None = None
    minimum_on: timedelta = timedelta(0)
    minimum_off: timedelta = timedelta(0)
    brighter_is_safe: bool = False
    starts_per_hour: int | None = None
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Wear:
    """What a register endures that the device keeps in memory which wears with every write (EEPROM, flash).

    writes_per_day: of the site's local day. minimum_interval: from one write to the next.
    """

    writes_per_day: int | None = None
    minimum_interval: timedelta = timedelta(0)
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Writable:
    """How a point may be written, how the write is believed, and how it ends.

    readback: the point that shows what the device took (itself unless the device reports elsewhere).
    tolerance: largest difference between written and read value that still counts as the same, in the point's unit.
    settle: how long the read-back may take.
    """

    range: Range
    release: Release
    on_silence: OnSilence
    readback: PointId
    tolerance: float = 0.0
    settle: timedelta = timedelta(seconds=5)
    effect: Effect | None = None
    limits: Limits = Limits()
    wear: Wear | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """states: the values that a text may have; none for numbers and switches. doubt: when a reading that the device
    calls good is not believed."""

    id: PointId
    kind: PointKind
    unit: Unit
    type: ValueType = ValueType.NUMBER
    stale_after: timedelta = timedelta(seconds=30)
    plausible: Range | None = None
    writable: Writable | None = None
    urgent: bool = False
    cov_increment: float = 0.0
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    states: tuple[str, ...] = ()
    doubt: Doubt | None = None

    @property
    def equipment(self) -> str:
        return equipment_of(self.id)

    @property
    def quantity(self) -> str:
        return self.id.rpartition(".")[2]


AddressT = TypeVar("AddressT")


@dataclass(frozen=True, slots=True)
class Binding(Generic[AddressT]):
    """Where a point lives; the driver owns the address type. `device` groups what fails together."""

    point: Point
    device: str
    address: AddressT


def same_value(one: Scalar | None, other: Scalar | None, tolerance: float) -> bool:
    """Whether a value read equals a value written, booleans as 0 and 1, within the tolerance."""
    first, second = as_number(one), as_number(other)
    if first is None or second is None:
        return one == other
    return abs(first - second) <= tolerance + 1e-9 * abs(second)
