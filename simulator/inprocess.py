"""The simulated site behind the driver protocol, without sockets: for virtual time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from controller.core.point import Binding, PointId
from controller.core.ports import Clock, DriverKind, WriteResult
from controller.core.sample import Quality, Sample, Scalar
from simulator.engine import Engine

_new = tuple[Any, ...].__new__  # a day on virtual time makes millions of samples


class InProcessDriver:
    """The points of one link; their ids are the engine's tags. Links of one site share the engine and its time."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._planned: dict[tuple[PointId, ...], list[tuple[PointId, Callable[[], Scalar]]]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    async def advance(self) -> None:
        self._engine.advance(self._clock.now(), self._clock.wire_time())

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        now, monotonic = self._clock.now(), self._clock.monotonic()
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
        if value is None or isinstance(value, str):
            return WriteResult(False, f"{value!r} cannot be written here")
        try:
            self._engine.write(point, value, self._clock.wire_time())
        except (KeyError, ValueError) as error:
            return WriteResult(False, str(error))
        return WriteResult(True)


def in_process(engine: Engine, like: DriverKind) -> DriverKind:
    """A driver kind that stands in for `like` on every link and reaches the engine."""

    def open_driver(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> InProcessDriver:
        del link, connection, bindings
        return InProcessDriver(engine, clock)

    return DriverKind(
        "in_process",
        like.connection,
        like.address,
        like.device_fields,
        open_driver,
        is_virtual=True,
        is_stepped=True,
    )
