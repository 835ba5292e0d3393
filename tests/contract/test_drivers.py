"""Every driver of this repository against the contract."""

from __future__ import annotations

import json
import struct
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import pytest

from controller.core.point import Binding, PointId
from controller.core.ports import DriverKind
from controller.core.sample import Scalar
from drivers._blueprint import KIND as LINE
from drivers._blueprint import LineAddress, LineConnection
from drivers.memory import MemoryAddress, MemoryConnection, MemoryFarSide, memory_kind
from drivers.modbus import KIND as MODBUS
from drivers.modbus.address import ModbusAddress
from drivers.modbus.connection import ModbusConnection
from tests.contract.bacnet_rig import bacnet
from tests.contract.boptest_rig import boptest
from tests.contract.driver_contract import (
    CHECKS,
    COMMAND,
    CONNECTED_CHECKS,
    COUNT,
    INITIAL,
    INSPECTING_CHECKS,
    LEVEL,
    OTHER,
    SETPOINT,
    STATUS,
    Bench,
    Check,
    FarSide,
    Rig,
    check_name,
    contract_points,
)
from tests.contract.mqtt_rig import mqtt
from tests.contract.opcua_rig import opcua
from tests.hand_clock import HandClock
from tests.loopback import LoopbackServer
from tests.wire.modbus_device import COILS, DISCRETE, HOLDING, INPUT, ModbusDevice, Place
from tests.wire.modbus_line import LineDevice, RtuDevice


def _bindings(addresses: dict[PointId, Any], *, relinquishes: bool) -> list[Binding[Any]]:
    points = contract_points(relinquishes=relinquishes)
    return [Binding(points[point], point.split(".")[1], address) for point, address in addresses.items()]


def _bench(
    kind: DriverKind,
    connection: Callable[[float], Any],
    addresses: dict[PointId, Any],
    far: FarSide,
    *,
    relinquished: Scalar | None,
) -> Bench:
    """connection: one that waits so many seconds for an answer."""
    bindings = _bindings(addresses, relinquishes=relinquished is not None)
    clock = HandClock()
    return Bench(lambda wait_s: kind.open("far", connection(wait_s), bindings, clock), far, clock, relinquished)


# --- memory -----------------------------------------------------------------------------------------------------------


class _MemoryHand:
    """The memory driver's own far side, with a link that could take its time."""

    def __init__(self) -> None:
        self.far = far = MemoryFarSide()
        self.set, self.value, self.refuse, self.accept = far.set, far.value, far.refuse, far.accept
        self.hang, self.resume, self.asked = far.hang, far.resume, far.asked.wait

    async def drop(self) -> None:
        self.far.drop()

    async def restore(self) -> None:
        self.far.restore()


@asynccontextmanager
async def memory() -> AsyncGenerator[Bench]:
    hand = _MemoryHand()
    addresses = {point: MemoryAddress(value) for point, value in INITIAL.items()}
    yield _bench(memory_kind(hand.far), MemoryConnection, addresses, hand, relinquished=INITIAL[SETPOINT])


# --- blueprint --------------------------------------------------------------------------------------------------------


class _LineDevice(LoopbackServer):
    """The device that the blueprint's driver speaks to."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: dict[str, Scalar] = {}
        self.initial: dict[str, Scalar] = {}
        self.refused: set[str] = set()

    def receive(self, buffer: bytearray, reply: Callable[[bytes], None]) -> None:
        while b"\n" in buffer:
            line, _, rest = bytes(buffer).partition(b"\n")
            buffer[:] = rest
            reply(self._serve(*line.decode().split(" ", 2)).encode() + b"\n")

    def _serve(self, verb: str, cell: str, value: str = "") -> str:
        if cell in self.refused or cell not in self.cells:
            return "! no such cell"
        if verb == "set":
            self.cells[cell] = json.loads(value)
        elif verb == "free":
            self.cells[cell] = self.initial[cell]
        return f"= {json.dumps(self.cells[cell])}"


class _LineHand:
    def __init__(self, device: _LineDevice) -> None:
        self._device = device
        self.hang, self.resume, self.asked = device.hang, device.resume, device.asked.wait
        self.drop, self.restore = device.stop, device.start

    def set(self, point: PointId, value: Scalar) -> None:
        self._device.cells[_cell_name(point)] = value

    def value(self, point: PointId) -> Scalar | None:
        return self._device.cells[_cell_name(point)]

    def refuse(self, point: PointId) -> None:
        self._device.refused.add(_cell_name(point))

    def accept(self, point: PointId) -> None:
        self._device.refused.discard(_cell_name(point))


def _cell_name(point: PointId) -> str:
    return point.replace(".", "_")


@asynccontextmanager
async def blueprint() -> AsyncGenerator[Bench]:
    device = _LineDevice()
    device.initial = {_cell_name(point): value for point, value in INITIAL.items()}
    device.cells = dict(device.initial)
    await device.start()
    try:
        addresses = {point: LineAddress(_cell_name(point)) for point in INITIAL}
        yield _bench(
            LINE,
            partial(LineConnection, "127.0.0.1", device.port),
            addresses,
            _LineHand(device),
            relinquished=INITIAL[SETPOINT],
        )
    finally:
        await device.stop()


# --- Modbus -----------------------------------------------------------------------------------------------------------


class _Spelling(NamedTuple):
    """Where the far side keeps a value and how: as struct spells it, times `scale`."""

    place: Place
    letter: str
    scale: float = 1.0


_SPELLINGS: Final = {
    LEVEL: _Spelling(Place(1, INPUT, 0), "f"),
    COUNT: _Spelling(Place(1, INPUT, 2), "H"),
    STATUS: _Spelling(Place(1, DISCRETE, 3), "bit"),
    SETPOINT: _Spelling(Place(1, HOLDING, 100), "h", 10),
    COMMAND: _Spelling(Place(1, COILS, 5), "bit"),
    OTHER: _Spelling(Place(2, INPUT, 0), "f"),
}
_ADDRESSES: Final[dict[PointId, Any]] = {
    LEVEL: ModbusAddress(1, "input", 0, "float32"),
    COUNT: ModbusAddress(1, "input", 2, "uint16"),
    STATUS: ModbusAddress(1, "discrete", 3),
    SETPOINT: ModbusAddress(1, "holding", 100, "int16", scale=0.1),
    COMMAND: ModbusAddress(1, "coil", 5),
    OTHER: ModbusAddress(2, "input", 0, "float32"),
}


class _ModbusHand:
    def __init__(self, device: ModbusDevice) -> None:
        self._device = device
        self.hang, self.resume, self.asked = device.hang, device.resume, device.asked.wait
        self.drop, self.restore = device.stop, device.start

    def set(self, point: PointId, value: Scalar) -> None:
        place, letter, scale = _SPELLINGS[point]
        assert not isinstance(value, str)
        if letter == "bit":
            self._device.put(*place, int(value))
            return
        packed = struct.pack(">" + letter, value * scale if letter == "f" else round(value * scale))
        self._device.put(*place, *struct.unpack(f">{len(packed) // 2}H", packed))

    def value(self, point: PointId) -> Scalar | None:
        place, letter, scale = _SPELLINGS[point]
        if letter == "bit":
            return bool(self._device.words(*place)[0])
        size = struct.calcsize(">" + letter) // 2
        (raw,) = struct.unpack(">" + letter, struct.pack(f">{size}H", *self._device.words(*place, size)))
        return raw / scale

    def refuse(self, point: PointId) -> None:
        self._device.refused[_SPELLINGS[point].place] = 2

    def accept(self, point: PointId) -> None:
        del self._device.refused[_SPELLINGS[point].place]


@asynccontextmanager
async def _modbus(device: ModbusDevice, **said: Any) -> AsyncGenerator[Bench]:
    hand = _ModbusHand(device)
    for point, value in INITIAL.items():
        hand.set(point, value)
    await device.start()
    try:
        network = {} if "serial" in said else {"host": "127.0.0.1", "port": device.port}

        def connection(wait_s: float) -> ModbusConnection:
            return ModbusConnection(timeout=timedelta(seconds=wait_s), **network, **said)

        yield _bench(MODBUS, connection, _ADDRESSES, hand, relinquished=None)
    finally:
        await device.stop()


def modbus() -> AbstractAsyncContextManager[Bench]:
    return _modbus(ModbusDevice())


def modbus_rtu_over_tcp() -> AbstractAsyncContextManager[Bench]:
    return _modbus(RtuDevice(), framing="rtu_over_tcp")


@asynccontextmanager
async def modbus_rtu() -> AsyncGenerator[Bench]:
    with TemporaryDirectory() as folder:
        device = LineDevice(Path(folder) / "ttyUSB0")
        async with _modbus(device, serial=str(device.path), baud_rate=115200, parity="none") as bench:
            yield bench


HERE = (memory, blueprint)
ON_THE_WIRE = (modbus, bacnet, mqtt, opcua, boptest)
# The same codec under other frames.
SERIAL = (modbus_rtu_over_tcp, modbus_rtu)
RIGS = (
    *HERE,
    *(pytest.param(rig, marks=pytest.mark.wire) for rig in ON_THE_WIRE),
    *(pytest.param(rig, marks=[pytest.mark.wire, pytest.mark.slow]) for rig in SERIAL),
)


@pytest.mark.parametrize("check", CHECKS, ids=check_name)
@pytest.mark.parametrize("rig", RIGS)
async def test_driver(rig: Rig, check: Check) -> None:
    await check(rig)


INSPECTING = (bacnet, mqtt, opcua)
# BACnet/IP has no connection that could be lost: there, who reads notices first.
CONNECTED = (mqtt, opcua)


@pytest.mark.parametrize("check", INSPECTING_CHECKS, ids=check_name)
@pytest.mark.parametrize("rig", [memory, *(pytest.param(rig, marks=pytest.mark.wire) for rig in INSPECTING)])
async def test_a_driver_that_shows_what_the_wire_has(rig: Rig, check: Check) -> None:
    await check(rig)


@pytest.mark.wire
@pytest.mark.parametrize("check", CONNECTED_CHECKS, ids=check_name)
@pytest.mark.parametrize("rig", CONNECTED)
async def test_a_driver_that_is_told_over_a_connection(rig: Rig, check: Check) -> None:
    await check(rig)
