"""The BACnet driver's rig: two devices on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from bacpypes3.primitivedata import Enumerated, Real, Unsigned

from controller.core.point import Binding, PointId
from controller.core.ports import Driver
from controller.core.sample import Scalar
from drivers.bacnet import KIND
from drivers.bacnet.address import BacnetAddress, BacnetConnection
from tests.contract.driver_contract import (
    COMMAND,
    COUNT,
    INITIAL,
    LEVEL,
    OTHER,
    SETPOINT,
    STATUS,
    Bench,
    contract_points,
)
from tests.hand_clock import HandClock
from tests.wire.bacnet_device import BacnetDevice, Place, commandable, measured

_PLACES: Final[dict[PointId, Place]] = {
    LEVEL: ("analog-input", 0),
    COUNT: ("multi-state-input", 1),
    STATUS: ("binary-input", 3),
    SETPOINT: ("analog-output", 100),
    COMMAND: ("binary-output", 5),
    OTHER: ("analog-input", 0),
}


class _Hand:
    def __init__(self, one: BacnetDevice, two: BacnetDevice) -> None:
        self._devices = (one, two)
        self.asked = one.asked.wait

    def _object(self, point: PointId) -> tuple[BacnetDevice, Place]:
        return self._devices[point == OTHER], _PLACES[point]

    def set(self, point: PointId, value: Scalar) -> None:
        device, place = self._object(point)
        device.put(place, int(value) if isinstance(value, bool) else value)

    def value(self, point: PointId) -> Scalar | None:
        device, place = self._object(point)
        value = device.objects[place].value()
        return bool(value) if isinstance(INITIAL[point], bool) else type(INITIAL[point])(value)

    def refuse(self, point: PointId) -> None:
        device, place = self._object(point)
        device.objects[place].refused = ("property", "read-access-denied")

    def accept(self, point: PointId) -> None:
        device, place = self._object(point)
        device.objects[place].refused = None

    def hang(self) -> None:
        for device in self._devices:
            device.hang()

    def resume(self) -> None:
        for device in self._devices:
            device.resume()

    async def drop(self) -> None:
        for device in self._devices:
            await device.stop()

    async def restore(self) -> None:
        for device in self._devices:
            await device.start()


@asynccontextmanager
async def bacnet() -> AsyncGenerator[Bench]:
    one, two = BacnetDevice(1), BacnetDevice(2)
    one.objects |= {
        _PLACES[LEVEL]: measured(Real(21.5)),
        _PLACES[COUNT]: measured(Unsigned(7)),
        _PLACES[STATUS]: measured(Enumerated(1)),
        _PLACES[SETPOINT]: commandable(Real(7.0)),
        _PLACES[COMMAND]: commandable(Enumerated(0)),
    }
    two.objects[_PLACES[OTHER]] = measured(Real(-3.25))
    await asyncio.gather(one.start(), two.start())
    try:
        clock = HandClock()
        points = contract_points(relinquishes=True)
        bindings: list[Binding[Any]] = [
            Binding(points[point], point.split(".")[1], _address(point, two if point == OTHER else one))
            for point in INITIAL
        ]

        def opens(wait_s: float) -> Driver:
            connection = BacnetConnection("127.0.0.1/32", 0, timeout=timedelta(seconds=wait_s))
            return KIND.open("far", connection, bindings, clock)

        yield Bench(opens, _Hand(one, two), clock, relinquished=INITIAL[SETPOINT])
    finally:
        await asyncio.gather(one.stop(), two.stop())


def _address(point: PointId, device: BacnetDevice) -> BacnetAddress:
    type, instance = _PLACES[point]
    return BacnetAddress(f"{type},{instance}", device.address)
