"""What a user reads of a device and what the device gets, with numbers that the makers themselves print."""

from __future__ import annotations

import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from bacpypes3.primitivedata import Enumerated, Real

from controller.core.point import PointId
from controller.core.ports import Driver
from controller.core.sample import Scalar
from controller.core.site import Site
from drivers.mqtt.codec import Payload, encode
from drivers.mqtt.reading import Arrival, route_of, sample_of
from tests.hand_clock import HandClock
from tests.templates.one_device import BACNET_LOOPBACK, opened, site_of, values
from tests.wire.bacnet_device import BacnetDevice, commandable, measured
from tests.wire.modbus_device import DISCRETE, HOLDING, INPUT, ModbusDevice

NOW = HandClock().now()


@asynccontextmanager
async def modbus(name: str, device: ModbusDevice, folder: Path) -> AsyncGenerator[Driver]:
    await device.start()
    try:
        site = site_of(name, folder, {"host": "127.0.0.1", "port": device.port}, {"unit": 1})
        async with opened(site) as driver:
            yield driver
    finally:
        await device.stop()


def put(device: ModbusDevice, table: int, register: int, octets: str) -> None:
    """Octets as manuals print them."""
    data = bytes.fromhex(octets)
    device.put(1, table, register, *struct.unpack(f">{len(data) // 2}H", data))


# --- meters and weather -----------------------------------------------------------------------------------------------


@pytest.mark.wire
async def test_an_abb_a43_is_read_as_in_its_manual(tmp_path: Path) -> None:
    """A43/A44 User Manual, revision C, 9.11: the octets of its communication examples."""
    device = ModbusDevice()
    put(device, HOLDING, 0x5000, "0000 0000 000D 1290  0000 0000 0003 1209")
    put(device, HOLDING, 0x5B00, "0000 0000" * 6)
    put(device, HOLDING, 0x5B0C, "0000 0065  0000 00C9  0000 012E  0000 0086")
    put(device, HOLDING, 0x5B14, "0001 E8E4  0000 5AE2  0000 B097  0000 DD6B")
    put(
        device,
        HOLDING,
        0x5B1C,
        "0000 7541  0000 001C  FFFF D04A  0000 A4DB  0002 25C3  0000 5AE2  0000 B6DF  0001 1402",
    )
    put(device, HOLDING, 0x5B2C, "1383  0087 0000 FF6A 016F  0000 04AF FB4E  FFFF FFFF FFFF  FFF3 0409 FCAE  03CC")
    async with modbus("abb/a43", device, tmp_path) as meter:
        assert await values(meter, "meter.energy", "meter.exported_energy") == [8567.20, 2012.25]
        powers = await values(meter, "meter.power", *(f"meter.phase_{phase}_power" for phase in (1, 2, 3)))
        assert powers == pytest.approx([1.25156, 0.23266, 0.45207, 0.56683])
        assert await values(meter, *(f"meter.phase_{phase}_current" for phase in (1, 2, 3))) == [1.01, 2.01, 3.02]
        assert await values(meter, "meter.frequency", "meter.power_factor") == [49.95, 0.972]


@pytest.mark.wire
async def test_what_a_meter_cannot_measure_is_bad(tmp_path: Path) -> None:
    """A meter for one phase sends all ones for the others; none of that is a number of volts."""
    device = ModbusDevice()
    put(device, HOLDING, 0x5B00, "0000 0902" + "FFFF FFFF" * 2)
    async with modbus("abb/a43", device, tmp_path) as meter:
        voltages = [PointId(f"area.meter.phase_{phase}_voltage") for phase in (1, 2, 3)]
        samples = await meter.read(voltages)
        assert [samples[point].value for point in voltages] == [230.6, None, None]
        assert "implausible" in samples[voltages[1]].reason


@pytest.mark.wire
async def test_a_power_that_a_meter_does_not_measure_is_not_nearly_nothing(tmp_path: Path) -> None:
    """All ones in a number with a sign are -1: -0.01 W, or a power factor of -0.001."""
    device = ModbusDevice()
    put(device, HOLDING, 0x5B14, "0001 E8E4" + "FFFF FFFF" * 3)
    put(device, HOLDING, 0x5B3A, "FFFF")
    async with modbus("abb/a43", device, tmp_path) as meter:
        points = [PointId(f"area.meter.{name}") for name in ("power", "phase_2_power", "power_factor")]
        samples = await meter.read(points)
        assert [samples[point].value for point in points] == [pytest.approx(1.25156), None, None]
        assert samples[points[1]].reason == "not a number"


@pytest.mark.wire
async def test_a_thies_wsc11_is_read_as_in_its_manual(tmp_path: Path) -> None:
    """Instructions for Use 021774/07/14, page 20: 255 = 25.5 °C, 355 = 35.5 %, 101 = 10.1 m/s ..."""
    device = ModbusDevice()
    for register, raw in ((30001, 101), (30401, 255), (30601, 355), (30605, 115), (30801, 105000)):
        device.put(1, INPUT, register, raw >> 16, raw & 0xFFFF)
    async with modbus("thies/wsc11", device, tmp_path) as station:
        found = await values(
            station,
            "weather.outdoor_air_temperature",
            "weather.outdoor_air_relative_humidity",
            "weather.outdoor_air_dewpoint_temperature",
            "weather.wind_speed",
            "weather.air_pressure",
        )
        assert found == pytest.approx([25.5, 0.355, 11.5, 10.1, 105.0])


@pytest.mark.wire
async def test_a_vaisala_wxt530_without_a_sun_sensor_says_nothing_of_the_sun(tmp_path: Path) -> None:
    """WXT530 Series User Guide M211840EN-G: tenths, and 32767 for what is not there."""
    device = ModbusDevice()
    for register, raw in ((0x0A, 623), (0x1B, 32767), (0x1F, 0x10000 - 52), (0x23, 0x10000 - 114)):
        device.put(1, INPUT, register, raw)
    async with modbus("vaisala/wxt530", device, tmp_path) as station:
        names = "outdoor_air_temperature", "outdoor_air_relative_humidity", "outdoor_air_dewpoint_temperature"
        found = await values(station, *(f"weather.{name}" for name in names))
        assert found == pytest.approx([-5.2, 0.623, -11.4])
        assert await values(station, "weather.solar_irradiance") == [None]


@pytest.mark.wire
async def test_an_em340_sends_the_lower_half_of_a_number_first(tmp_path: Path) -> None:
    device = ModbusDevice()
    put(device, INPUT, 0x28, "A0BB FFFF")  # -24389 tenths of a watt: the building feeds into the grid
    put(device, INPUT, 0x34, "0001 0001")
    async with modbus("carlo_gavazzi/em340", device, tmp_path) as meter:
        assert await values(meter, "meter.power", "meter.energy") == pytest.approx([-2.4389, 6553.7])


# Powers: register, and what it counts to a kW. Energy: register, spelling, and what it counts to a kWh.
FLOAT_METERS = [
    ("eastron/sdm72d-m", INPUT, {"power": (52, 1000)}, (72, ">f", 1)),
    ("generic/three_phase_meter", INPUT, {"phase_1_power": (12, 1000), "power": (52, 1000)}, (72, ">f", 1)),
    ("janitza/umg96-pa", HOLDING, {"phase_3_power": (19024, 1000), "power": (19026, 1000)}, (19068, ">f", 1000)),
    ("siemens/pac3200", HOLDING, {"phase_1_power": (25, 1000), "power": (65, 1000)}, (801, ">d", 1000)),
    ("schneider/iem3155", HOLDING, {"phase_3_power": (3057, 1), "power": (3059, 1)}, (3203, ">q", 1000)),
]


@pytest.mark.wire
@pytest.mark.parametrize("name, table, powers, energy", FLOAT_METERS, ids=[each[0] for each in FLOAT_METERS])
async def test_meters_of_every_spelling_say_kilowatts_and_kilowatt_hours(
    name: str, table: int, powers: dict[str, tuple[int, int]], energy: tuple[int, str, int], tmp_path: Path
) -> None:
    device = ModbusDevice()
    for kilowatts, (register, factor) in enumerate(powers.values(), start=2):
        put(device, table, register, struct.pack(">f", kilowatts * factor).hex())
    register, spelling, factor = energy
    put(device, table, register, struct.pack(spelling, 8567 * factor).hex())
    async with modbus(name, device, tmp_path) as meter:
        found = await values(meter, *(f"meter.{power}" for power in powers), "meter.energy")
        assert found == pytest.approx([*range(2, 2 + len(powers)), 8567])


# --- machines ---------------------------------------------------------------------------------------------------------


@pytest.mark.wire
async def test_a_chiller_behind_a_trane_gateway_is_read_in_its_own_degrees(tmp_path: Path) -> None:
    """BAS-SVX08D-E4, page 56: temperature = data / 10 - 45."""
    gateway = ModbusDevice()
    gateway.put(1, DISCRETE, 1, 1)
    gateway.put(1, INPUT, 1, 515, 0, 0, 518, 571, 750, 799)
    async with modbus("trane/pic_rthd", gateway, tmp_path) as chiller:
        water = ("leaving_chilled", "entering_chilled", "entering_condenser", "leaving_condenser")
        names = ["chilled_water_temperature_setpoint", *(f"{each}_water_temperature" for each in water)]
        found = await values(chiller, "chiller.status", *(f"chiller.{name}" for name in names))
        assert found == pytest.approx([True, 6.5, 6.8, 12.1, 30.0, 34.9])


@pytest.mark.wire
async def test_a_pump_drive_gets_its_control_word(tmp_path: Path) -> None:
    """VACON manuals show 1 (run) and 5000 (50.00 %) written at 2000 and 2002; bit 8 asks for fieldbus control."""
    device = ModbusDevice()
    device.put(1, HOLDING, 2000, 0, 0, 0)
    device.put(1, HOLDING, 2100, 0x0003, 0, 4980)
    async with modbus("generic/pump_drive", device, tmp_path) as drive:
        await drive.write({PointId("area.pump.speed_command"): 0.5, PointId("area.pump.command"): True})
        assert device.words(1, HOLDING, 2000, 3) == (0x0001, 0, 5000)
        await drive.write({PointId("area.pump.remote"): True})
        assert device.words(1, HOLDING, 2000) == (0x0101,)
        assert await values(drive, "pump.status", "pump.tripped", "pump.speed") == [True, False, 0.498]

        await drive.write({PointId("area.pump.remote"): False})
        assert device.words(1, HOLDING, 2000) == (0x0001,)  # the drive no longer looks at its run bit


@pytest.mark.wire
async def test_a_lighting_gateway_is_told_whole_percents_on_modbus(tmp_path: Path) -> None:
    gateway = ModbusDevice()
    gateway.put(1, HOLDING, 0, 100)
    gateway.put(1, DISCRETE, 0, 1)
    gateway.put(1, INPUT, 0, 40, 82, 0, 612, 0, 124)
    async with modbus("generic/lighting_gateway_modbus", gateway, tmp_path) as lamps:
        names = "brightness", "illuminance", "power", "energy", "motion"
        found = await values(lamps, *(f"lamps.{name}" for name in names))
        assert found == pytest.approx([0.4, 82, 0.612, 124, True])
        await lamps.write({PointId("area.lamps.brightness_command"): 0.333})
        assert gateway.words(1, HOLDING, 0) == (33,)


@pytest.mark.wire
async def test_an_air_handler_is_told_and_let_go(tmp_path: Path) -> None:
    unit = BacnetDevice(1)
    unit.objects |= {
        ("analog-input", 5): measured(Real(240.0)),
        ("analog-input", 6): measured(Real(55.0)),
        ("analog-value", 2): commandable(Real(300.0)),
        ("binary-value", 1): commandable(Enumerated(0)),
    }
    await unit.start()
    setpoint, fan = (
        PointId(f"area.air_handler.{name}") for name in ("duct_static_pressure_setpoint", "supply_fan_command")
    )
    try:
        site = site_of("generic/air_handler_bacnet", tmp_path, BACNET_LOOPBACK, {"device": unit.address})
        async with opened(site) as driver:
            measurements = "air_handler.duct_static_pressure", "air_handler.return_air_relative_humidity"
            assert await values(driver, *measurements) == pytest.approx([0.24, 0.55])

            await driver.write({setpoint: 0.25, fan: True})
            assert unit.objects["analog-value", 2].value() == 250.0
            assert unit.objects["binary-value", 1].value() == 1

            await driver.write({setpoint: None, fan: None})
            assert unit.objects["analog-value", 2].value() == 300.0
            assert unit.objects["binary-value", 1].value() == 0
    finally:
        await unit.stop()


# --- MQTT -------------------------------------------------------------------------------------------------------------


def told(site: Site, topic: str, message: str) -> dict[str, Scalar | None]:
    """What the points of a device say after one message; those of which it says nothing are left out."""
    arrival = Arrival("", NOW, 0.0)
    found = {
        binding.point.id.partition(".")[2]: sample_of(route_of(binding), Payload(message.encode()), arrival)
        for binding in site.links[0].bindings
        if binding.address.at(binding.address.state_topic) == topic
    }
    return {name: sample.value for name, sample in found.items() if sample is not None}


def command(site: Site, point: str, value: Scalar) -> tuple[str, str]:
    binding = next(each for each in site.links[0].bindings if each.point.id == f"area.{point}")
    return binding.address.at(binding.address.command_topic), encode(value, binding).decode()


def test_a_tasmota_relay_speaks_and_hears_its_own_words(tmp_path: Path) -> None:
    site = site_of("tasmota/relay", tmp_path, address={"topic": "garage_1"})
    energy = '{"Time": "2022-01-11T21:57:38", "ENERGY": {"Total": 3.705, "Today": 0.026, "Power": 5, "Voltage": 233}}'
    assert told(site, "tele/garage_1/SENSOR", energy) == {"lamps.power": 0.005, "lamps.energy": 3.705}
    assert told(site, "stat/garage_1/POWER", "ON") == {"lamps.command": True}
    assert told(site, "stat/garage_1/RESULT", '{"POWER": "ON"}') == {}
    assert told(site, "stat/garage_1/RESULT", '{"Var1": "17"}') == {"relay.heartbeat": 17}
    assert command(site, "lamps.command", False) == ("cmnd/garage_1/POWER", "OFF")
    assert command(site, "relay.heartbeat", 17) == ("cmnd/garage_1/Var1", "17")


def test_a_zigbee2mqtt_relay_speaks_and_hears_its_own_words(tmp_path: Path) -> None:
    site = site_of("zigbee2mqtt/relay", tmp_path, address={"topic": "zigbee2mqtt/garage"})
    message = '{"state": "OFF", "power": 0, "energy": 12.4, "linkquality": 105}'
    assert told(site, "zigbee2mqtt/garage", message) == {"lamps.command": False, "lamps.power": 0, "lamps.energy": 12.4}
    assert command(site, "lamps.command", True) == ("zigbee2mqtt/garage/set", '{"state": "ON"}')
    assert command(site, "automation.heartbeat", 3) == ("tidewatt/zigbee2mqtt/garage/heartbeat", "3")


def test_a_lighting_gateway_is_told_whole_percents(tmp_path: Path) -> None:
    site = site_of("generic/lighting_gateway_mqtt", tmp_path, address={"topic": "lights/garage"})
    message = '{"setpoint": 40, "brightness": 39.6, "motion": true, "illuminance": 82, "power": 612}'
    assert told(site, "lights/garage/state", message) == {
        "lamps.brightness_command": 0.4,
        "lamps.brightness": pytest.approx(0.396),
        "lamps.motion": True,
        "lamps.illuminance": 82,
        "lamps.power": pytest.approx(0.612),
    }
    assert command(site, "lamps.brightness_command", 0.333) == ("lights/garage/set", '{"setpoint": 33}')


def test_a_motion_sensor_that_went_quiet_is_not_believed(tmp_path: Path) -> None:
    site = site_of("zigbee2mqtt/motion_sensor", tmp_path, address={"topic": "zigbee2mqtt/ramp"})
    motion = site.points[PointId("area.sensor.motion")]
    assert told(site, "zigbee2mqtt/ramp", '{"occupancy": true, "battery": 100}') == {"sensor.motion": True}
    assert motion.stale_after.total_seconds() <= 70 * 60


def test_a_weather_station_tells_what_it_has(tmp_path: Path) -> None:
    site = site_of("generic/weather_station_mqtt", tmp_path, address={"topic": "weather/roof"})
    message = '{"temperature": 31.5, "humidity": 62, "pressure": 1009.3, "wind_speed": 3.2, "irradiance": 641}'
    assert told(site, "weather/roof", message) == {
        "weather.outdoor_air_temperature": 31.5,
        "weather.outdoor_air_relative_humidity": pytest.approx(0.62),
        "weather.air_pressure": pytest.approx(100.93),
        "weather.wind_speed": 3.2,
        "weather.solar_irradiance": 641,
    }
