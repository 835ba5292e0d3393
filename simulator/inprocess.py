"""The simulated site behind the driver protocol, without sockets: for virtual time.

What is wrong on the wire is what a driver would make of it: late answers take their time, a silent device has BAD
samples, and a link on which nobody answers is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from math import isfinite
from types import TracebackType
from typing import Any, Self

from controller.core.errors import ConnectFailed, DeviceTimeout
from controller.core.point import Binding, PointId, Range
from controller.core.ports import Clock, DriverKind, WriteResult
from controller.core.sample import Quality, Sample, Scalar, bad
from simulator.faults.wire import Wire
from simulator.gateway import Value
from simulator.servers.registers import with_other_words
from simulator.simulated import SimulatedSite

ANSWER_WITHIN_S = 1.0
"""Wire seconds that a device is waited for, as by the Modbus driver unless it is told otherwise."""
_CLOCK_OFF_FROM_S = 5.0
"""A device's clock that is off by more makes its samples doubtful (docs/drivers/opcua.md)."""
_NO_ANSWER = "device timeout"
_new = tuple[Any, ...].__new__  # a day on virtual time makes millions of samples


class InProcessDriver:
    """The points of one link; their ids are the building's tags. Links of one site share the building and its time."""

    def __init__(
        self,
        engine: SimulatedSite,
        link: str,
        bindings: Sequence[Binding[Any]],
        clock: Clock,
        *,
        relinquishes: bool = False,
    ) -> None:
        """relinquishes: its devices have priority arrays, whose slots can be emptied."""
        self._engine = engine
        self._slots = PrioritySlots(engine, [binding.point.id for binding in bindings]) if relinquishes else None
        self._link = link
        self._bindings = {binding.point.id: binding for binding in bindings if binding.point.id in engine.tags}
        self._clock = clock
        self._planned: dict[tuple[PointId, ...], list[tuple[PointId, Callable[[], Scalar]]]] = {}

    async def __aenter__(self) -> Self:
        await self.advance()  # while a link is away nobody else brings it the time
        self._connect("connect")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def advance(self) -> None:
        self._engine.advance(self._clock.now(), self._clock.wire_time())

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        touched = self._engine.faults.touched
        if touched and not touched.isdisjoint(self._bindings):
            return await self._read_with_faults(points)
        readings = self._readings(tuple(points))
        good = Quality.GOOD
        return {point: _new(Sample, (read(), good, "", now, monotonic)) for point, read in readings}

    def _readings(self, points: tuple[PointId, ...]) -> list[tuple[PointId, Callable[[], Scalar]]]:
        """Planned once for each set of points that is read together."""
        if points not in self._planned:
            self._planned[points] = [(point, self._engine.reading(point)) for point in points]
        return self._planned[points]

    async def write(self, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        return {point: self._write(point, value) for point, value in values.items()}

    def _write(self, point: PointId, value: Scalar | None) -> WriteResult:
        if isinstance(value, str) or (value is None and self._slots is None):
            return WriteResult(False, f"{value!r} cannot be written here")
        wire = self._engine.faults.wire(point)
        if not _answers(wire) or wire.is_refused:
            return WriteResult(False, _NO_ANSWER)
        spelt = None if value is None else self._spelt(point, value, wire)
        try:
            if self._slots is not None:
                self._slots.write(point, spelt, self._clock.wire_time())
            elif spelt is not None:
                self._engine.write(point, spelt, self._clock.wire_time())
        except (KeyError, ValueError) as error:
            return WriteResult(False, str(error))
        return WriteResult(True)

    # --- while something is wrong -------------------------------------------------------------------------------------

    async def _read_with_faults(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        self._connect("read")
        wire = self._engine.faults.wire
        patience = max((min(wire(point).delay, ANSWER_WITHIN_S) for point in points), default=0.0)
        if patience > 0.0:
            await asyncio.sleep(patience)
            await self.advance()
        now, monotonic = self._clock.now(), self._clock.monotonic()
        return {point: self._sample(point, now, monotonic) for point in points}

    def _connect(self, operation: str) -> None:
        """Raises DeviceError where nobody on the link can be reached, as a driver does."""
        wire = self._engine.faults.wire
        if any(wire(point).is_refused for point in self._bindings):
            raise ConnectFailed(self._link, operation, "connection refused")
        if self._bindings and not any(_answers(wire(point)) for point in self._bindings):
            raise DeviceTimeout(self._link, operation, "no device answers")

    def _sample(self, point: PointId, now: datetime, monotonic: float) -> Sample:
        wire = self._engine.faults.wire(point)
        if not _answers(wire):
            return bad(_NO_ANSWER, now, monotonic)
        value = self._engine.shown(point)
        if value is None:
            return bad("refused: device failure", now, monotonic)
        value = self._spelt(point, value, wire)
        if doubt := _why_doubted(value, self._bindings[point].point.plausible):
            return bad(doubt, now, monotonic)
        sample = Sample(value, Quality.GOOD, "", now + timedelta(seconds=wire.offset), monotonic)
        if abs(wire.offset) > _CLOCK_OFF_FROM_S:
            return sample.worsened(Quality.UNCERTAIN, f"device clock is off by {wire.offset:+.0f} s")
        return sample

    def _spelt(self, point: PointId, value: Value, wire: Wire) -> Value:
        return with_other_words(self._bindings[point].address, value) if wire.has_other_words else value


def _answers(wire: Wire) -> bool:
    """Whether a device answers before it is given up."""
    return not wire.is_silent and wire.delay < ANSWER_WITHIN_S


def _why_doubted(value: Value, plausible: Range | None) -> str:
    """As every driver does: what is no number, or cannot be, is no value."""
    if not isfinite(value):
        return "not a number"
    if plausible is not None and not plausible.holds(value):
        return f"implausible: {value:g} lies outside {plausible.low:g} to {plausible.high:g}"
    return ""


class PrioritySlots:
    """Our slots of the priority arrays of a link. A machine whose remote bit no point shows is taken over by commanding
    it, and given back by emptying its slots, as behind the simulator's BACnet server.
    """

    def __init__(self, engine: SimulatedSite, points: Collection[str]) -> None:
        self._engine = engine
        self._shown = frozenset(points)
        self._full: dict[str, set[str]] = {}

    def write(self, point: str, value: Value | None, wire_now: float) -> None:
        """Raises ValueError for what the device refuses."""
        machine = point.rpartition(".")[0]
        full = self._full.setdefault(machine, set())
        if value is None:
            self._engine.release(point, wire_now)
            full.discard(point)
        else:
            self._engine.write(point, value, wire_now)
            full.add(point)
        remote = f"{machine}.remote"
        if remote not in self._shown and remote in self._engine.tags:
            self._engine.write(remote, bool(full), wire_now)


def in_process(engine: SimulatedSite, like: DriverKind) -> DriverKind:
    """A driver kind that stands in for `like` on every link and reaches the simulated building."""

    def open_driver(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> InProcessDriver:
        del connection
        return InProcessDriver(engine, link, bindings, clock, relinquishes=like.relinquishes)

    return DriverKind(
        "in_process",
        like.connection,
        like.address,
        like.device_fields,
        open_driver,
        relinquishes=like.relinquishes,
        is_virtual=True,
        is_stepped=True,
    )
