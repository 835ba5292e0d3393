"""The simulated site behind real Modbus TCP, asked by pymodbus's client."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.constants import ExcCodes

from controller.core.point import Binding, Point, PointId, PointKind, ValueType
from controller.core.units import Unit
from drivers.modbus.address import ModbusAddress
from simulator.clock import ScaledClock
from simulator.engine import Engine
from simulator.process import LiveSite, new_nonce, serve
from simulator.servers.link import ModbusLink
from simulator.site import Site
from simulator.tags import TAGS
from simulator.weather import Weather, read_weather

pytestmark = pytest.mark.wire

ROOT = Path(__file__).resolve().parents[2]
START = datetime(2026, 7, 20, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
NONCE = new_nonce()

CHILLER, CHILLED = "plant.chiller_1", "plant.chilled_water_pump_1"
ADDRESSES: Mapping[str, ModbusAddress] = {
    f"{CHILLER}.remote": ModbusAddress(1, "coil", 0),
    f"{CHILLER}.enable_command": ModbusAddress(1, "coil", 1),
    f"{CHILLER}.status": ModbusAddress(1, "discrete", 0),
    f"{CHILLER}.tripped": ModbusAddress(1, "discrete", 17),
    f"{CHILLER}.chilled_water_temperature_setpoint": ModbusAddress(1, "holding", 0, "int16", scale=0.1),
    f"{CHILLED}.speed_command": ModbusAddress(1, "holding", 1, "float32", word_order="little"),
    f"{CHILLED}.remote": ModbusAddress(1, "holding", 3, "bool", bit=2),
    f"{CHILLED}.command": ModbusAddress(1, "holding", 3, "bool", bit=9),
    "plant.gateway_1.heartbeat": ModbusAddress(1, "holding", 10, "uint16"),
    f"{CHILLER}.leaving_chilled_water_temperature": ModbusAddress(1, "holding", 20, "float32"),
    f"{CHILLER}.power": ModbusAddress(1, "input", 0, "float32"),
    f"{CHILLER}.energy": ModbusAddress(1, "input", 2, "uint32", scale=0.01),
    f"{CHILLER}.trip_count": ModbusAddress(7, "input", 0, "uint16"),
    f"{CHILLED}.speed": ModbusAddress(1, "input", 4, "uint16", scale=0.001),
    "simulation.plant_gateway.nonce": ModbusAddress(1, "input", 100, "uint64"),
    "simulation.plant_gateway.time": ModbusAddress(1, "input", 104, "int64"),
    "plant.gateway_1.simulation_speed": ModbusAddress(1, "input", 108, "float64"),
}


def binding(name: str, address: ModbusAddress) -> Binding[ModbusAddress]:
    point = Point(PointId(name), PointKind.SENSOR, Unit.NONE, ValueType.NUMBER)
    return Binding(point, "plant", address)


@cache
def weather() -> Weather:
    site = Site()
    path = ROOT / "config/weather/hot_humid_tmy3.csv.gz"
    return read_weather(path, latitude=site.latitude, longitude=site.longitude, utc_offset_h=8.0)


def live(speed: float = 1.0) -> LiveSite:
    return LiveSite(Engine(START, weather()), ScaledClock(START, speed), NONCE)


@asynccontextmanager
async def served(site: LiveSite, *, in_processes: bool = False) -> AsyncGenerator[AsyncModbusTcpClient]:
    """A client connected to the site; the server ends by itself when the client has gone."""
    ports: dict[str, int] = {}
    listening = asyncio.Event()

    def ready(found: Mapping[str, int]) -> None:
        ports.update(found)
        listening.set()

    link = ModbusLink("plant", "127.0.0.1", 0, [binding(name, address) for name, address in ADDRESSES.items()])
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(site, [link], ready=ready, linger_s=0.3, in_processes=in_processes))
        await listening.wait()
        client = AsyncModbusTcpClient("127.0.0.1", port=ports["plant"], timeout=2)
        assert await client.connect()
        try:
            yield client
        finally:
            client.close()


async def test_reads_give_live_values_in_every_table() -> None:
    async with served(live(speed=600.0)) as client:
        kinds = client.DATATYPE
        inputs = (await client.read_input_registers(0, count=5, device_id=1)).registers
        assert client.convert_from_registers(inputs[:2], kinds.FLOAT32) == pytest.approx(0.0, abs=200.0)
        clock = (await client.read_input_registers(100, count=12, device_id=1)).registers
        assert client.convert_from_registers(clock[:4], kinds.UINT64) == NONCE
        first = client.convert_from_registers(clock[4:8], kinds.INT64)
        assert client.convert_from_registers(clock[8:], kinds.FLOAT64) == 600.0
        await asyncio.sleep(0)
        again = (await client.read_input_registers(104, count=4, device_id=1)).registers
        second = client.convert_from_registers(again, kinds.INT64)
        assert isinstance(first, int)
        assert isinstance(second, int)
        assert 0 < second - first < 600_000
        assert START.timestamp() * 1000 <= first < (START + timedelta(hours=1)).timestamp() * 1000
        assert (await client.read_holding_registers(0, count=4, device_id=1)).registers[0] == 70
        assert (await client.read_discrete_inputs(17, count=1, device_id=1)).bits[0] is False
        assert (await client.read_input_registers(0, count=1, device_id=7)).registers == [0]


async def test_writes_reach_the_site_and_are_read_back() -> None:
    site = live()
    async with served(site) as client:
        assert not (await client.write_coil(0, True, device_id=1)).isError()
        assert not (await client.write_register(0, 55, device_id=1)).isError()
        half = client.convert_to_registers(0.5, client.DATATYPE.FLOAT32, word_order="little")
        assert not (await client.write_registers(1, half, device_id=1)).isError()
        assert not (await client.write_register(3, 1 << 2 | 1 << 9, device_id=1)).isError()
        assert not (await client.write_register(10, 4711, device_id=1)).isError()
        assert not (await client.write_coils(0, [True, False], device_id=1)).isError()
        assert site.read(f"{CHILLER}.remote") is True
        assert site.read(f"{CHILLER}.enable_command") is False
        assert site.read(f"{CHILLER}.chilled_water_temperature_setpoint") == 5.5
        assert site.read(f"{CHILLED}.speed_command") == 0.5
        assert site.read(f"{CHILLED}.remote") is True
        assert site.read(f"{CHILLED}.command") is True
        assert site.read("plant.gateway_1.heartbeat") == 4711
        assert (await client.read_coils(0, count=2, device_id=1)).bits[:2] == [True, False]
        assert (await client.read_holding_registers(0, count=4, device_id=1)).registers == [55, *half, 0b10_0000_0100]


async def test_what_the_device_does_not_have_or_want_is_an_exception() -> None:
    async with served(live()) as client:
        refused = {
            ExcCodes.ILLEGAL_ADDRESS: (
                await client.read_input_registers(50, count=1, device_id=1),
                await client.read_input_registers(3, count=4, device_id=1),
                await client.read_holding_registers(200, count=1, device_id=1),
                await client.read_coils(9, count=1, device_id=1),
                await client.write_coil(9, True, device_id=1),
                await client.write_register(2, 0, device_id=1),
                await client.write_registers(0, [70, 0], device_id=1),
                await client.write_registers(20, [0, 0], device_id=1),  # measured
            ),
            ExcCodes.ILLEGAL_VALUE: (
                await client.write_register(0, 49, device_id=1),
                await client.write_registers(1, [0xFFFF, 0x7FFF], device_id=1),
            ),
            ExcCodes.GATEWAY_NO_RESPONSE: (
                await client.read_input_registers(0, count=1, device_id=9),
                await client.write_coil(0, True, device_id=9),
            ),
        }
        for code, responses in refused.items():
            assert [response.exception_code for response in responses] == [code] * len(responses)
        assert (await client.read_holding_registers(0, count=1, device_id=1)).registers == [70]


async def test_a_refused_value_in_a_block_leaves_all_of_it_as_it_was() -> None:
    site = live()
    async with served(site) as client:
        bad = client.convert_to_registers(2.0, client.DATATYPE.FLOAT32, word_order="little")
        response = await client.write_registers(0, [90, *bad], device_id=1)
        assert response.exception_code == ExcCodes.ILLEGAL_VALUE
        assert site.read(f"{CHILLER}.chilled_water_temperature_setpoint") == 7.0


async def test_binding_of_what_the_site_does_not_have_is_refused() -> None:
    link = ModbusLink("plant", "127.0.0.1", 0, [binding("plant.chiller_9.power", ADDRESSES[f"{CHILLER}.power"])])
    with pytest.raises(ValueError, match=r"has no plant\.chiller_9\.power"):
        await serve(live(), [link], ready=lambda ports: None)


async def test_a_port_in_use_is_an_os_error() -> None:
    async with served(live()) as client:
        link = ModbusLink("plant", "127.0.0.1", client.comm_params.port, [])
        with pytest.raises(OSError, match="cannot listen"):
            await serve(live(), [link], ready=lambda ports: None)


def test_clock_points_are_no_tags_of_the_site() -> None:
    site = live()
    assert f"{CHILLED}.speed" in TAGS
    assert site.tag(f"{CHILLED}.speed") is TAGS[f"{CHILLED}.speed"]
    assert site.read(f"{CHILLED}.speed") == 0.0
