"""The OPC UA driver on the bench of the contract suite: a server of ours, asked in every poll."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, NamedTuple

from asyncua.ua import VariantType

from controller.core.point import Binding, PointId
from controller.core.ports import Driver
from controller.core.sample import Scalar
from drivers.opcua import KIND
from drivers.opcua.address import OpcuaAddress, OpcuaConnection
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
from tests.wire.opcua_device import Cell, OpcuaDevice


class _Spelling(NamedTuple):
    """How the server keeps a value: its type, and what the value is multiplied with there."""

    type: VariantType
    scale: float = 1.0


_SPELLINGS: Final = {
    LEVEL: _Spelling(VariantType.Double),
    COUNT: _Spelling(VariantType.UInt16),
    STATUS: _Spelling(VariantType.Boolean),
    SETPOINT: _Spelling(VariantType.Int16, 10),
    COMMAND: _Spelling(VariantType.Boolean),
    OTHER: _Spelling(VariantType.Float),
}


class _Hand:
    def __init__(self, device: OpcuaDevice) -> None:
        self._device = device
        self.hang, self.resume, self.asked = device.hang, device.resume, device.asked.wait
        self.drop, self.restore = device.stop, device.start

    def set(self, point: PointId, value: Scalar) -> None:
        type, scale = _SPELLINGS[point]
        assert not isinstance(value, str)
        raw = value if scale == 1 else round(value * scale)
        self._device.cells[_node(point)] = Cell(raw, type, source=self._device.now())

    def value(self, point: PointId) -> Scalar | None:
        scale = _SPELLINGS[point].scale
        value = self._device.cells[_node(point)].value
        return value if scale == 1 else value / scale

    def refuse(self, point: PointId) -> None:
        self._device.cells[_node(point)].refused = "BadNotReadable"

    def accept(self, point: PointId) -> None:
        self._device.cells[_node(point)].refused = ""


def _node(point: PointId) -> str:
    return f"ns=2;s={point}"


def _address(point: PointId) -> OpcuaAddress:
    return OpcuaAddress(_node(point), scale=1 / _SPELLINGS[point].scale, subscribe=False)


@asynccontextmanager
async def opcua() -> AsyncGenerator[Bench]:
    clock = HandClock()
    device = OpcuaDevice(clock.now)
    hand = _Hand(device)
    for point, value in INITIAL.items():
        hand.set(point, value)
    await device.start()
    try:
        points = contract_points(relinquishes=False)
        bindings = [Binding(points[point], point.split(".")[1], _address(point)) for point in INITIAL]

        def opens(wait_s: float) -> Driver:
            return KIND.open("far", OpcuaConnection(device.url, timeout=timedelta(seconds=wait_s)), bindings, clock)

        yield Bench(opens, hand, clock)
    finally:
        await device.stop()
