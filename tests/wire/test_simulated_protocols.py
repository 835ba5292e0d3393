"""The simulated building behind MQTT, BACnet/IP and OPC UA, each server in a process of its own, asked by our own
drivers: values, commands, what each does when nobody commands any more, and what goes wrong on each.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from controller.core.errors import DeviceError
from controller.core.point import PointId, ValueType
from controller.core.ports import Driver
from controller.core.sample import Quality, Scalar
from tests.wire.bacnet_bench import Bench, bound
from tests.wire.mqtt_mosquitto import Mosquitto
from tests.wire.simulated_site import Simulated, comes_true, compiled, copied, sample, served, write

pytestmark = [pytest.mark.wire, pytest.mark.slow]  # OPC UA's address space takes seconds to build

WATCHDOG_S = 1.5
TOLD_WITHIN_S = 0.6
"""A server in a process of its own knows of a fault a moment later."""
DECK, RAMP, OUTDOOR = "garage.group_3", "garage.group_1", "outdoor.lighting_1"


class Case(NamedTuple):
    """take, give: what a supervisor writes to have the lamps and to give them back. command: one of those, and its
    value. remote: what the site itself says of who has them. no_reading: what a dropout is called.
    """

    link: str
    take: Mapping[str, Scalar]
    give: Mapping[str, Scalar | None]
    command: tuple[str, Scalar]
    remote: str
    reading: str
    no_reading: str


CASES = {
    "mqtt": Case(
        "lighting",
        {f"{RAMP}.brightness_command": 0.3, f"{RAMP}.remote": True},
        {f"{RAMP}.remote": False},
        (f"{RAMP}.brightness_command", 0.3),
        f"{RAMP}.remote",
        f"{RAMP}.illuminance",
        "no value (null)",
    ),
    "bacnet": Case(
        "outdoor",
        {f"{OUTDOOR}.command": True},
        {f"{OUTDOOR}.command": None},
        (f"{OUTDOOR}.command", True),
        f"{OUTDOOR}.remote",
        "outdoor.daylight_sensor_1.illuminance",
        "unreliable: no sensor",
    ),
    "opcua": Case(
        "building",
        {f"{DECK}.brightness_command": 0.3, f"{DECK}.remote": True},
        {f"{DECK}.remote": False},
        (f"{DECK}.brightness_command", 0.3),
        f"{DECK}.remote",
        "site.weather_station_1.outdoor_air_temperature",
        "BadSensorFailure",
    ),
}


@asynccontextmanager
async def building(folder: Path, case: Case) -> AsyncGenerator[Simulated]:
    async with AsyncExitStack() as stack:
        broker = 1883
        if case.link == "lighting":
            broker = (await stack.enter_async_context(Mosquitto(folder))).port
        simulated = Simulated(compiled(copied(folder, broker)), case.link, WATCHDOG_S)
        yield await stack.enter_async_context(served(simulated, in_processes=True))


@pytest.fixture(params=["bacnet", "opcua", pytest.param("mqtt", marks=pytest.mark.system)])
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


async def all_good(driver: Driver, simulated: Simulated) -> bool:
    samples = await driver.read(simulated.points)
    return all(each.quality is Quality.GOOD for each in samples.values())


async def test_values_commands_and_what_goes_wrong(tmp_path: Path, case: Case) -> None:
    """One building for all of it: OPC UA's address space takes seconds to build."""
    async with building(tmp_path, case) as simulated:
        async with simulated.driver() as driver:
            await comes_true(lambda: all_good(driver, simulated), "every value is told")
            await reads_what_the_site_is(driver, simulated)
            await has_the_lamps_while_it_says_so(driver, simulated, case)
            await sees_what_is_wrong_with_an_instrument(driver, simulated, case)
            await is_answered_late_by_what_is_slow(driver, simulated, case)
        for kind in ("hang", "refuse", "reboot"):
            fault = simulated.fault(kind)
            await comes_true(lambda: is_away(simulated), f"nothing is told after {kind}")
            simulated.end(fault)
            await comes_true(lambda: is_back(simulated), f"it is back after {kind}")
        if case is CASES["opcua"]:
            await sees_a_clock_that_is_off(simulated, case)


async def reads_what_the_site_is(driver: Driver, simulated: Simulated) -> None:
    read = await driver.read(simulated.points)
    for point in simulated.points:
        if point.rpartition(".")[2] not in ("time", "energy", "power", "illuminance", "motion"):
            assert read[point].value == pytest.approx(simulated.site.read(point), rel=0, abs=0.01), point


async def has_the_lamps_while_it_says_so(driver: Driver, simulated: Simulated, case: Case) -> None:
    site, (point, value) = simulated.site, case.command
    assert await write(driver, case.take) == [(True, "")] * len(case.take)

    async def taken() -> bool:
        return site.read(case.remote) is True and (await sample(driver, point)).value == value

    await comes_true(taken, "the site follows, and what is read back is what was written")
    assert site.read(point) == value
    loop = asyncio.get_running_loop()
    longer_than_the_watchdog = loop.time() + WATCHDOG_S + 0.3
    while loop.time() < longer_than_the_watchdog:
        await write(driver, case.take)
        await asyncio.sleep(0.2)
        assert site.read(case.remote) is True
    await comes_true(lambda: left(simulated, case), "nobody said anything: the original controls have it back")

    await write(driver, case.take)
    await comes_true(taken, "it is taken again")
    assert await write(driver, case.give) == [(True, "")]
    await comes_true(lambda: left(simulated, case), "it is given back")


async def sees_what_is_wrong_with_an_instrument(driver: Driver, simulated: Simulated, case: Case) -> None:
    dropout = simulated.fault("dropout", case.reading)

    async def is_missed() -> bool:
        got = await sample(driver, case.reading)
        return (got.quality, got.reason) == (Quality.BAD, case.no_reading)

    await comes_true(is_missed, "an instrument without a reading")
    simulated.end(dropout)
    await comes_true(lambda: all_good(driver, simulated), "it is mended")
    point, value = case.command
    before = simulated.site.read(point)
    deaf = simulated.fault("ignored_write", point)
    await write(driver, {point: value})
    await write(driver, case.give)
    assert simulated.site.read(point) == before != value
    simulated.end(deaf)


async def is_answered_late_by_what_is_slow(driver: Driver, simulated: Simulated, case: Case) -> None:
    loop = asyncio.get_running_loop()
    slow = simulated.fault("slow", delay=0.3)
    await asyncio.sleep(TOLD_WITHIN_S)
    said = loop.time()
    await write(driver, case.take)

    async def taken() -> bool:
        return simulated.site.read(case.remote) is True

    await comes_true(taken, "what was said arrives")
    assert loop.time() - said >= 0.3
    simulated.end(slow)
    await write(driver, case.give)


async def sees_a_clock_that_is_off(simulated: Simulated, case: Case) -> None:
    simulated.fault("clock_offset", offset=-300.0)
    async with simulated.driver() as driver:

        async def is_doubted() -> bool:
            got = await sample(driver, case.reading)
            return (got.quality, "clock is off" in got.reason) == (Quality.UNCERTAIN, True)

        await comes_true(is_doubted, "its clock is doubted")


async def left(simulated: Simulated, case: Case) -> bool:
    return simulated.site.read(case.remote) is False


async def is_away(simulated: Simulated) -> bool:
    """Whether a link that is opened now tells nothing good."""
    try:
        async with simulated.driver() as driver:
            samples = await driver.read(simulated.points)
    except DeviceError:
        return True
    return not any(each.quality is Quality.GOOD for each in samples.values())


async def is_back(simulated: Simulated) -> bool:
    try:
        async with simulated.driver() as driver:
            return await all_good(driver, simulated)
    except DeviceError:
        return False


async def test_a_gateway_tells_changes_and_empties_its_slots_when_its_watchdog_runs_out(tmp_path: Path) -> None:
    case = CASES["bacnet"]
    async with building(tmp_path, case) as simulated, simulated.driver() as driver:
        assert await write(driver, case.take) == [(True, "")]
        place = next(each.address.device for each in simulated.link.bindings)
        slot = bound("slot", "binary-output,1", place, property="priority-array", index=10)
        bench = Bench([slot, bound("status", "binary-input,1", place, ValueType.BOOLEAN, cov=True)])
        status = PointId("a.device_1.status")
        async with bench.driver, aclosing(bench.driver.changes()) as changes:
            assert await bench.values() == [1.0, True]
            assert (await anext(changes))[status].value is True
            await comes_true(lambda: left(simulated, case), "its watchdog runs out")

            async def is_empty() -> bool:
                return (await bench.samples())["slot"].reason == "null"

            await comes_true(is_empty, "nothing holds the lamps any more")
            assert (await anext(changes))[status].value is False, "told, not asked for"
