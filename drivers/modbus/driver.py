"""One Modbus connection or serial line and the units behind it.

Trouble with a value or a unit is a BAD sample; only a lost link raises.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import TracebackType
from typing import Self

from controller.core.point import PointId
from controller.core.ports import Clock, Inspection, WriteResult
from controller.core.sample import Sample, Scalar, bad
from drivers.modbus.codec import BlockDecoder, spelt
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.exchange import Exchange, Refusal, UnitSilent
from drivers.modbus.pacing import paces
from drivers.modbus.plan import Block, ModbusBinding, single
from drivers.modbus.reading import Reader, payload
from drivers.modbus.writing import Writer


class ModbusDriver:
    def __init__(
        self, link: str, connection: ModbusConnection, bindings: Sequence[ModbusBinding], clock: Clock
    ) -> None:
        self._clock = clock
        self._bindings = {binding.point.id: binding for binding in bindings}
        units = frozenset(binding.address.unit for binding in bindings)
        found = paces(binding.address for binding in bindings)
        self._exchange = Exchange(link, connection, units, found, clock)
        self._reader = Reader(self._exchange, bindings, clock, paced=bool(found))
        self._writer = Writer(self._exchange, self._bindings)

    async def __aenter__(self) -> Self:
        self._reader.forget()
        self._writer.forget()
        await self._exchange.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exchange.close()

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        return await self._reader.read(points)

    async def write(self, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        """One after the other, in the order given."""
        return await self._writer.send(values)

    async def inspect(self, point: PointId) -> Inspection:
        """Asks for this value alone, also of a unit that rests."""
        binding = self._bindings.get(point)
        if binding is None:
            return self._nothing("no such point on this link")
        block = single(binding)
        try:
            answer = await self._exchange.ask("read", block.unit, lambda client: client.read(block))
        except UnitSilent as error:
            return self._nothing(str(error))
        data = answer if isinstance(answer, Refusal) else payload(block, answer)
        return self._nothing(data.reason) if isinstance(data, Refusal) else self._inspected(block, data)

    def _inspected(self, block: Block, data: bytes) -> Inspection:
        samples: dict[PointId, Sample] = {}
        BlockDecoder(block).decode(data, self._clock.now(), self._clock.monotonic(), samples)
        (sample,) = samples.values()
        return Inspection(sample, spelt(block, data))

    def _nothing(self, reason: str) -> Inspection:
        return Inspection(bad(reason, self._clock.now(), self._clock.monotonic()), "")
