"""The driver against servers that nobody here wrote: libmodbus over TCP and a serial line, npm's modbus-serial."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import threading
from collections.abc import Generator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.discovery import FoundDevice, FoundPoint
from controller.core.point import Binding, PointId
from controller.core.sample import Scalar
from drivers.modbus.address import ModbusAddress
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.driver import ModbusDriver
from drivers.modbus.target import SCAN
from tests.hand_clock import HandClock
from tests.site_processes import free_ports, wait_until
from tests.wire.modbus_bench import bound

pytestmark = [pytest.mark.wire, pytest.mark.system]

HERE = Path(__file__).parent
PATIENCE = timedelta(seconds=2)


@contextlib.contextmanager
def peer(*command: str | Path) -> Generator[None]:
    """A server that says "ready" and ends with its stdin."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    killer = threading.Timer(60.0, process.kill)
    killer.start()
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield
    finally:
        killer.cancel()
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def libmodbus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("gcc")
    if compiler is None or not Path("/usr/include/modbus/modbus.h").exists():
        pytest.skip("gcc and libmodbus-dev are not installed")
    program = tmp_path_factory.mktemp("libmodbus") / "modbus_server"
    command = [compiler, "-O1", "-o", str(program), str(HERE / "modbus_server.c"), "-lmodbus", "-lpthread"]
    subprocess.run(command, check=True)
    return program


def driver(connection: ModbusConnection, bindings: Sequence[Binding[ModbusAddress]]) -> ModbusDriver:
    return ModbusDriver("link", connection, bindings, HandClock())


def everything(unit: int, holding: int) -> tuple[list[Binding[ModbusAddress]], dict[PointId, Scalar | None]]:
    """A value for each way to write, and what is written."""
    wishes: list[tuple[ModbusAddress, Scalar]] = [
        (ModbusAddress(unit, "coil", 3), True),
        (ModbusAddress(unit, "coil", 9, write_multiple=True), True),
        (ModbusAddress(unit, "holding", holding, "int16", scale=0.1), 21.5),
        (ModbusAddress(unit, "holding", holding + 1, "uint16", write_multiple=True), 65535),
        (ModbusAddress(unit, "holding", holding + 2, "float32", word_order="little"), 1013.25),
        (ModbusAddress(unit, "holding", holding + 4, "uint64"), 10**6),
        (ModbusAddress(unit, "holding", holding + 8, bit=5), True),
    ]
    bindings = [bound(f"p{n}", address, flag=address.type == "bool") for n, (address, _) in enumerate(wishes)]
    return bindings, {binding.point.id: value for binding, (_, value) in zip(bindings, wishes, strict=True)}


async def writes_and_reads_back(connection: ModbusConnection, unit: int, holding: int) -> None:
    bindings, wishes = everything(unit, holding)
    async with driver(connection, bindings) as link:
        written = await link.write(wishes)
        assert {point: result.reason for point, result in written.items() if not result.accepted} == {}
        samples = await link.read(list(wishes))
        assert {point: sample.value for point, sample in samples.items()} == wishes


async def hides_nothing(connection: ModbusConnection, unit: int) -> None:
    """Registers 145 to 149 are there, 150 to 154 are not."""
    edge = [bound(f"p{n}", ModbusAddress(unit, "holding", n, "uint16")) for n in range(145, 155)]
    async with driver(connection, edge) as link:
        values = [sample.value for sample in (await link.read([binding.point.id for binding in edge])).values()]
        assert values == [145, 146, 147, 148, 149, None, None, None, None, None]


async def test_libmodbus_over_tcp(libmodbus: Path) -> None:
    port = free_ports()
    with peer(libmodbus, "tcp", str(port)):
        connection = ModbusConnection("127.0.0.1", port, PATIENCE)
        await hides_nothing(connection, 1)
        await writes_and_reads_back(connection, 1, 100)


@pytest.mark.slow
async def test_libmodbus_is_scanned(libmodbus: Path) -> None:
    port = free_ports()
    with peer(libmodbus, "tcp", str(port)):
        options = {option.name: option.default for option in SCAN.options}
        found = [each async for each in SCAN.discover(f"127.0.0.1:{port}", {**options, "registers": "0-299"})]
    assert [each.id for each in found if isinstance(each, FoundDevice)] == ["unit_1"]  # it answers for any
    points = [each for each in found if isinstance(each, FoundPoint)]
    assert [each.value for each in points if each.address["table"] == "holding"] == [
        f"{n} (0x{n:04X})" for n in range(100, 150)
    ]
    assert len([each for each in points if each.address["table"] == "discrete"]) == 32


@contextlib.contextmanager
def cable(folder: Path) -> Generator[tuple[Path, Path]]:
    """The two ends of a serial line."""
    socat = shutil.which("socat")
    if socat is None:
        pytest.skip("socat is not installed")
    near, far = folder / "near", folder / "far"
    process = subprocess.Popen([socat, f"pty,raw,echo=0,link={near}", f"pty,raw,echo=0,link={far}"])
    try:
        wait_until(lambda: near.exists() and far.exists(), "both ends of the cable")
        yield near, far
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
async def test_libmodbus_on_a_serial_line(libmodbus: Path, tmp_path: Path) -> None:
    with cable(tmp_path) as (near, far), peer(libmodbus, "rtu", far, "7"):
        connection = ModbusConnection(serial=str(near), baud_rate=115200, parity="none", timeout=PATIENCE)
        await hides_nothing(connection, 7)
        await writes_and_reads_back(connection, 7, 100)
        await a_dead_neighbour_hides_nothing(connection)


async def a_dead_neighbour_hides_nothing(connection: ModbusConnection) -> None:
    both = [bound("x", ModbusAddress(unit, "holding", 120, "uint16")) for unit in (7, 8)]
    async with driver(connection, both) as link:
        alive, dead = (await link.read([binding.point.id for binding in both])).values()
        assert {alive.value, dead.value} == {120, None}


@pytest.mark.slow
async def test_modbus_serial_of_npm() -> None:
    node = shutil.which("node")
    if node is None or not (HERE / "node" / "node_modules" / "modbus-serial").is_dir():
        pytest.skip("node or its modbus-serial is not installed; npm ci --prefix tests/wire/node")
    port = free_ports()
    with peer(node, HERE / "node" / "modbus_server.js", str(port)):
        connection = ModbusConnection("127.0.0.1", port, PATIENCE)
        await writes_and_reads_back(connection, 5, 10)
        one = [bound("x", ModbusAddress(unit, "holding", 42, "uint16")) for unit in (5, 6)]
        impatient = ModbusConnection("127.0.0.1", port, timedelta(seconds=0.5))
        async with driver(impatient, one) as link:
            samples = await link.read([binding.point.id for binding in one])
            assert {sample.value for sample in samples.values()} == {42, None}
