"""From what a server says to samples: when it was true, and whether the server's clock may be believed.

A server tells when a value last changed at its source. An old time therefore says nothing against the clock: a setpoint
may stand for a month. What does: a time ahead of ours; a change that is said to be older than the moment at which the
server still held the value before; and the server's own time of day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from controller.core.point import Binding, PointId
from controller.core.ports import Clock
from controller.core.sample import Quality, Sample
from drivers.opcua.address import OpcuaAddress
from drivers.opcua.codec import decode

if TYPE_CHECKING:
    from asyncua import ua

OpcuaBinding: TypeAlias = Binding[OpcuaAddress]

# Further off, and nobody knows when a value was true.
_TOLERATED: Final = timedelta(seconds=5)


class Sampling:
    """What is remembered of a connection to tell new values from old ones and true times from false."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed: dict[PointId, datetime | None] = {}
        self._offset = timedelta(0)

    def compare_clocks(self, server: datetime | None, ours: datetime) -> None:
        """Note how far the server's time of day is from ours; None where it tells none."""
        self._offset = timedelta(0) if server is None else server - ours

    def sample(self, binding: OpcuaBinding, data: ua.DataValue, known_at: datetime | None) -> Sample:
        """known_at: when the value before this one was last known to be true, on our clock; None at first sight."""
        point = binding.point.id
        reading = decode(data, binding.address, binding.point)
        now, monotonic = self._clock.now(), self._clock.monotonic()
        source = reading.source_time
        is_change = point in self._changed and self._changed[point] != source
        self._changed[point] = source
        offset = _offset(source, now, known_at if is_change else None) or self._offset
        trusted = abs(offset) <= _TOLERATED
        # What the server holds now is true now; only a change can say that it was true before.
        timestamp = source if source is not None and is_change and trusted else now
        sample = Sample(reading.value, reading.quality, reading.reason, timestamp, monotonic)
        return sample if trusted else sample.worsened(Quality.UNCERTAIN, f"device clock is off by {_seconds(offset)}")


def _offset(source: datetime | None, now: datetime, known_at: datetime | None) -> timedelta:
    """How far the time of a value shows its clock to be off; zero where it shows nothing."""
    if source is None:
        return timedelta(0)
    if source - now > _TOLERATED:
        return source - now
    if known_at is not None and known_at - source > _TOLERATED:
        return source - now
    return timedelta(0)


def _seconds(offset: timedelta) -> str:
    return f"{offset.total_seconds():+.0f} s"
