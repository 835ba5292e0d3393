"""Faults of the simulated site over real sockets, and the command that begins and ends them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ModbusIOException

from controller.app import main
from controller.cli.arguments import Exit
from simulator.faults.fault import Fault, Parameters
from simulator.process import LiveSite
from tests.site_processes import site_on, wait_until
from tests.wire.test_modbus_server import ADDRESSES, CHILLED, CHILLER, live, served

pytestmark = pytest.mark.wire

POINTS = tuple(ADDRESSES)
TEMPERATURE = f"{CHILLER}.leaving_chilled_water_temperature"


def begun(site: LiveSite, kind: str, target: str = "plant_gateway", **parameters: float) -> Fault:
    said: Parameters = {**parameters}
    points = POINTS if target == "plant_gateway" else ()
    fault = Fault(kind, target, site.now.timestamp(), parameters=said, points=points)
    site.add_fault(fault)
    return fault


async def temperature(client: AsyncModbusTcpClient) -> float:
    registers = (await client.read_holding_registers(20, count=2, device_id=1)).registers
    value = client.convert_from_registers(registers, client.DATATYPE.FLOAT32)
    assert isinstance(value, float)
    return value


async def comes_to_connect(client: AsyncModbusTcpClient, *, is_wanted: bool) -> bool:
    """Whether it connects in the end; the server looks for what is wrong several times a second."""
    for _ in range(50):
        is_connected = await client.connect()
        if is_connected is is_wanted:
            return is_connected
        client.close()
        await asyncio.sleep(0.1)
    return not is_wanted


async def is_hung_up_on(client: AsyncModbusTcpClient) -> bool:
    for _ in range(50):
        if not client.connected:
            return True
        await asyncio.sleep(0.1)
    return False


async def test_what_gives_no_reading_is_an_exception_and_hides_no_neighbour() -> None:
    site = live()
    async with served(site) as client:
        for point in (TEMPERATURE, f"{CHILLER}.tripped"):
            begun(site, "dropout", point)
        assert (await client.read_holding_registers(20, count=2, device_id=1)).exception_code == ExcCodes.DEVICE_FAILURE
        assert (await client.read_discrete_inputs(17, count=1, device_id=1)).exception_code == ExcCodes.DEVICE_FAILURE
        assert (await client.read_discrete_inputs(0, count=1, device_id=1)).bits[0] is False
        assert (await client.read_holding_registers(0, count=1, device_id=1)).registers == [70]


async def test_words_come_and_are_taken_in_the_other_order() -> None:
    site = live()
    async with served(site) as client:
        right = (await client.read_holding_registers(20, count=2, device_id=1)).registers
        fault = begun(site, "word_order")
        assert (await client.read_holding_registers(20, count=2, device_id=1)).registers == right[::-1]
        # Little-endian words by its map: the other order is big.
        half = client.convert_to_registers(0.5, client.DATATYPE.FLOAT32, word_order="big")
        assert not (await client.write_registers(1, half, device_id=1)).isError()
        assert site.read(f"{CHILLED}.speed_command") == 0.5
        site.end_faults([fault])
        assert (await client.read_holding_registers(20, count=2, device_id=1)).registers == right


async def test_a_slow_device_answers_what_was_asked_and_one_that_hangs_nothing() -> None:
    site = live()
    async with served(site) as client:
        loop = asyncio.get_running_loop()
        well = await temperature(client)
        slow = begun(site, "slow", delay=0.3)
        asked = loop.time()
        assert await temperature(client) == pytest.approx(well, abs=0.5)
        assert loop.time() - asked >= 0.3
        site.end_faults([slow])
        hang = begun(site, "hang")
        impatient = AsyncModbusTcpClient("127.0.0.1", port=client.comm_params.port, timeout=0.3, retries=0)
        assert await impatient.connect()
        with pytest.raises(ModbusIOException):
            await impatient.read_coils(0, count=1, device_id=1)
        impatient.close()
        site.end_faults([hang])
        assert await temperature(client) == pytest.approx(well, abs=0.5)


async def test_a_link_that_refuses_takes_connections_again_afterwards() -> None:
    site = live()
    async with served(site) as client:
        fault = begun(site, "refuse")
        probe = AsyncModbusTcpClient("127.0.0.1", port=client.comm_params.port, timeout=0.3, retries=0)
        assert await is_hung_up_on(client)
        assert not await comes_to_connect(probe, is_wanted=False)
        site.end_faults([fault])
        assert await comes_to_connect(probe, is_wanted=True)
        assert (await probe.read_holding_registers(0, count=1, device_id=1)).registers == [70]
        probe.close()


@pytest.mark.slow
def test_a_person_lets_the_panel_say_fire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TIDEWATT_LANGUAGE", "en")
    file = tmp_path / "faults.yaml"
    file.write_text("faults:\n  - {kind: stuck, target: meter.main_1.power, value: 12.5}\n")
    with site_on(tmp_path) as here:
        here.simulator("--start=2026-07-06T10:00", f"--faults={file}")
        here.daemon()
        here.wait_for("meter.main_1.power", 12.5)
        wait_until(here.has_lamps, "the lamps are taken")

        def fault(*arguments: str) -> tuple[int, str, str]:
            code = main(["fault", str(here.site), *arguments])
            told = capsys.readouterr()
            return code, told.out, told.err

        assert fault()[1].startswith("meter.main_1.power: shows one value (stuck value=12.5) from 2026-07-06 10:00:00")
        code, out, _ = fault("fire")
        assert (code, "building.fire_alarm_panel_1: says fire (fire) from 2026-07-06 10:" in out) == (Exit.OK, True)
        wait_until(lambda: here.ask("fire")["inputs"][0]["state"] == "fire", "the daemon sees it")
        here.wait_for("garage.group_2.brightness", 1.0)
        assert (
            "drifts (drift rate=2)" in fault("drift", "meter.main_1.energy", "--for=10min", "--after=1h", "rate=2")[1]
        )
        assert [each["kind"] for each in json.loads(fault("--json")[1])["to_come"]] == ["drift"]
        code, _, err = fault("fire")
        assert (code, "has a fault 'fire' at that time" in err) == (Exit.ENVIRONMENT, True)
        assert "did you mean 'trip'" in fault("trp", "plant.chiller_1")[2]
        assert "ended" in fault("end", "fire")[1]
        wait_until(lambda: here.ask("fire")["inputs"][0]["state"] == "waiting for reset", "the panel is clear")
