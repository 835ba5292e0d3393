"""From what a server says to samples: when it was true, and whether the clocks behind it may be believed.

A server tells when a value last changed at its source. An old time therefore says nothing against the clock: a setpoint
may stand for a month. What does: a time ahead of ours; a change that is said to be older than the moment at which the
server still held the value before; and the server's own time of day. What the server confirms later is true then, by
our clock, whenever the change was.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

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
_NONE: Final = timedelta(0)


class Judged(NamedTuple):
    """A value as it came. sample: as if every clock were right. source: the time of its last change, where anybody says
    so. offset: how far that shows its clock to be off."""

    sample: Sample
    source: datetime | None
    offset: timedelta


class Sampling:
    """What is remembered of a connection to tell new values from old ones and true times from false."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed: dict[PointId, datetime | None] = {}
        self._offset = _NONE
        self._server_is_right = True

    def compare_clocks(self, server: datetime | None) -> None:
        """Note how far the server's time of day is from ours; None where it tells none."""
        self._offset = _NONE if server is None else server - self._clock.now()
        self._server_is_right = not _is_off(self._offset)

    def judge(self, binding: OpcuaBinding, data: ua.DataValue, known_at: datetime | None) -> Judged:
        """known_at: when the value before this one was last known to be true, on our clock; None at first sight."""
        point = binding.point.id
        reading = decode(data, binding.address, binding.point)
        now, source = self._clock.now(), reading.source_time
        is_change = point in self._changed and self._changed[point] != source
        self._changed[point] = source
        offset = _shown_by(source, now, known_at if is_change else None)
        # What the server holds now is true now; only a change can say that it was true before.
        is_dated = is_change and self._server_is_right and not _is_off(offset)
        timestamp = source if source is not None and is_dated else now
        sample = Sample(reading.value, reading.quality, reading.reason, timestamp, self._clock.monotonic())
        return Judged(sample, source, offset)

    def fresh(self, judged: Judged) -> Sample:
        """The sample when it has just come."""
        return self._doubted(judged.sample, judged.offset)

    def standing(self, judged: Judged, now: datetime, monotonic: float) -> Sample:
        """The sample when the server has stood behind it since, without a change; for every point in every poll."""
        (value, quality, reason, timestamp, _), source, _ = judged
        sample = Sample(value, quality, reason, timestamp if timestamp > now else now, monotonic)
        if self._server_is_right and (source is None or source <= now):
            return sample
        return self._doubted(sample, _shown_by(source, now, None))

    def _doubted(self, sample: Sample, shown: timedelta) -> Sample:
        offset = shown if _is_off(shown) else self._offset
        if not _is_off(offset):
            return sample
        return sample.worsened(Quality.UNCERTAIN, f"device clock is off by {offset.total_seconds():+.0f} s")


def _shown_by(source: datetime | None, now: datetime, known_at: datetime | None) -> timedelta:
    """How far the time of a value shows its clock to be off; zero where it shows nothing."""
    if source is None:
        return _NONE
    is_behind = known_at is not None and _is_off(known_at - source) and source < known_at
    return source - now if is_behind or source - now > _TOLERATED else _NONE


def _is_off(offset: timedelta) -> bool:
    return abs(offset) > _TOLERATED
