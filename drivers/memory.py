"""Values that live in this process: virtual points of a site, and the far side of most tests.

A written value holds until the next write; relinquished, the point returns to its default, or to no value.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import TracebackType
from typing import Any, ClassVar, Final, NamedTuple, Self

from controller.core.errors import ConnectFailed, DeviceTimeout
from controller.core.point import Binding, PointId
from controller.core.ports import Clock, DriverKind, Inspection, WriteResult
from controller.core.sample import Quality, Sample, Scalar, as_number, bad
from controller.core.units import Linear
from drivers.limits import why_doubted, why_refused


@dataclass(frozen=True, slots=True)
class MemoryAddress:
    """default: the value while nobody writes."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    default: Scalar | None = None

    @property
    def can_write(self) -> bool:
        return True

    @property
    def key(self) -> tuple[object, ...]:
        """Every point has a place of its own."""
        return (id(self),)

    def converted(self, conversion: Linear) -> Self:
        """Values in memory are in the inside unit already; only the default was spelt in another."""
        number = as_number(self.default)
        if number is None or isinstance(self.default, bool) or conversion == Linear(1.0, 0.0):
            return self
        return replace(self, default=number * conversion.factor + conversion.offset)


class _Cell(NamedTuple):
    """The part of a sample that does not depend on when it is read."""

    value: Scalar | None
    quality: Quality
    reason: str


_new = tuple[Any, ...].__new__  # a day on virtual time makes millions of samples
_UNBOUND: Final = _Cell(None, Quality.BAD, "no such point on this link")


# What was written is remembered for tests; a virtual point is written for years.
WRITES_KEPT = 10_000


class MemoryFarSide:
    """The hand on the other end of the link. It outlives the connection, and so do the values."""

    def __init__(self) -> None:
        self.cells: dict[PointId, _Cell] = {}
        self._bindings: dict[PointId, Binding[MemoryAddress]] = {}
        self.writes: deque[tuple[PointId, Scalar | None]] = deque(maxlen=WRITES_KEPT)
        self.on_write: Callable[[PointId, Scalar | None], None] | None = None
        self.refused: dict[PointId, str] = {}
        self.ignored: set[PointId] = set()
        self.up = True
        self.hung = False
        self.asked = asyncio.Event()
        self._changed = asyncio.Event()

    def bind(self, bindings: Sequence[Binding[MemoryAddress]]) -> None:
        """Points that are not there yet begin with their default."""
        for binding in bindings:
            point = binding.point.id
            self._bindings[point] = binding
            if point not in self.cells:
                self.set(point, binding.address.default)

    def set(self, point: PointId, value: Scalar | None, quality: Quality = Quality.GOOD, reason: str = "") -> None:
        """The device's own doing: a new measurement, or somebody at its panel. None: it has no value."""
        binding = self._bindings.get(point)
        doubt = "" if value is None or binding is None else why_doubted(value, binding.point.plausible)
        if value is None:
            self.cells[point] = _Cell(None, Quality.BAD, reason or "no value")
        elif doubt:
            self.cells[point] = _Cell(None, Quality.BAD, doubt)
        else:
            self.cells[point] = _Cell(value, quality, reason)

    def value(self, point: PointId) -> Scalar | None:
        return self.cells[point].value

    def refuse(self, point: PointId, reason: str = "refused") -> None:
        """From now on this point can be neither read nor written."""
        self.refused[point] = reason

    def accept(self, point: PointId) -> None:
        self.refused.pop(point, None)

    def ignore(self, point: PointId) -> None:
        """From now on writes to this point are accepted and change nothing."""
        self.ignored.add(point)

    def drop(self) -> None:
        """The connection is lost and cannot be made again before `restore`."""
        self.up = False
        self._changed.set()

    def restore(self) -> None:
        self.up = True

    def hang(self) -> None:
        """Nothing is answered any more until `resume`; `asked` is set once somebody waits for an answer."""
        self.hung = True
        self.asked.clear()
        self._changed.clear()

    def resume(self) -> None:
        self.hung = False
        self._changed.set()

    async def resumed(self) -> None:
        """Return once nothing hangs, or the link is down."""
        self.asked.set()
        await self._changed.wait()

    def take(self, point: PointId, value: Scalar | None) -> None:
        """A write has arrived."""
        self.writes.append((point, value))
        if point not in self.ignored:
            binding = self._bindings.get(point)
            self.set(point, binding.address.default if value is None and binding else value)
        if self.on_write is not None:
            self.on_write(point, value)


@dataclass(frozen=True)
class MemoryConnection:
    """timeout: seconds that a far side which hangs is waited for."""

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    timeout: float = 1.0

    @cached_property
    def far_side(self) -> MemoryFarSide:
        """Of the link, however often it is opened."""
        return MemoryFarSide()


class MemoryDriver:
    def __init__(
        self,
        link: str,
        connection: MemoryConnection,
        bindings: Sequence[Binding[MemoryAddress]],
        clock: Clock,
        far_side: MemoryFarSide | None = None,
    ) -> None:
        self._link = link
        self._connection = connection
        self._points = {binding.point.id: binding.point for binding in bindings}
        self._clock = clock
        self._connected = False
        self.far_side = far_side or connection.far_side
        self.far_side.bind(bindings)

    async def __aenter__(self) -> Self:
        await self._reach("connect")
        self._connected = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connected = False

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        far = self.far_side
        if far.hung or not (far.up and self._connected):
            await self._reach("read")
            self._check_connected("read")
        cell_of, now, monotonic = far.cells.get, self._clock.now(), self._clock.monotonic()
        when = (now, monotonic)
        samples = {point: _new(Sample, cell_of(point, _UNBOUND) + when) for point in points}
        if far.refused:
            for point in far.refused.keys() & samples.keys():
                samples[point] = bad(far.refused[point], now, monotonic)
        return samples

    async def inspect(self, point: PointId) -> Inspection:
        """Nothing is spelt here: what is raw is the value as Python has it."""
        sample = (await self.read([point]))[point]
        cell = self.far_side.cells.get(point)
        return Inspection(sample, "nothing" if cell is None or cell.value is None else repr(cell.value))

    async def write(self, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        results: dict[PointId, WriteResult] = {}
        for point, value in values.items():
            reason = await self._write_one(point, value)
            results[point] = WriteResult(not reason, reason)
        return results

    async def _write_one(self, point: PointId, value: Scalar | None) -> str:
        """Why the value was not taken; empty where it was."""
        declared = self._points.get(point)
        if declared is None:
            return _UNBOUND.reason
        if reason := why_refused(declared, value):
            return reason
        try:
            await self._reach("write")
            self._check_connected("write")
        except (ConnectFailed, DeviceTimeout) as error:
            return str(error)
        reason = self.far_side.refused.get(point, "")
        if not reason:
            self.far_side.take(point, value)
        return reason

    async def _reach(self, operation: str) -> None:
        """Return once the far side answers."""
        far = self.far_side
        if far.hung and far.up:
            try:
                async with asyncio.timeout(self._connection.timeout):
                    await far.resumed()
            except TimeoutError as error:
                raise DeviceTimeout(self._link, operation, "no answer") from error
        if not far.up:
            self._connected = False
            raise ConnectFailed(self._link, operation, "connection lost")

    def _check_connected(self, operation: str) -> None:
        if not self._connected:
            raise ConnectFailed(self._link, operation, "not connected")


def memory_kind(far_side: MemoryFarSide) -> DriverKind:
    """The memory protocol with this hand on the far side, however often the link is opened: for tests."""

    def open_on(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> MemoryDriver:
        return MemoryDriver(link, connection, bindings, clock, far_side)

    return replace(KIND, open=open_on)


def open_memory(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> MemoryDriver:
    return MemoryDriver(link, connection, bindings, clock)


KIND = DriverKind(
    name="memory",
    connection=MemoryConnection,
    address=MemoryAddress,
    device_fields=(),
    open=open_memory,
    relinquishes=True,
    is_virtual=True,
    carries_text=True,
)
