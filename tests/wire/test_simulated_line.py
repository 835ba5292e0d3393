"""The simulated meter on a serial line that is a pseudo terminal: our driver, and mbpoll, which nobody here wrote."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from controller.core.errors import DeviceError
from controller.core.sample import Quality
from simulator.servers.modbus_line import check_sum
from tests.wire.simulated_site import Simulated, comes_true, compiled, copied, sample, served

pytestmark = pytest.mark.wire

POWER = "meter.main_1.power"


def test_the_check_sum_is_that_of_the_standard() -> None:
    assert check_sum(b"\x02\x07") == b"\x41\x12"  # the example of MODBUS over Serial Line V1.02, 6.2.2


async def test_the_driver_reads_the_meter_over_the_line_and_again_after_the_adapter_was_pulled(tmp_path: Path) -> None:
    simulated = Simulated(compiled(copied(tmp_path)), "meters")
    async with served(simulated):
        async with simulated.driver() as driver:
            got = await sample(driver, POWER)
            assert (got.quality, got.value) == (Quality.GOOD, pytest.approx(simulated.site.read(POWER), rel=0.05))
            simulated.fault("dropout", POWER)
            assert (await sample(driver, POWER)).quality is Quality.BAD
        pulled = simulated.fault("refuse", "meters")
        await comes_true(lambda: opens(simulated, wanted=False), "the adapter is gone")
        simulated.end(pulled)
        await comes_true(lambda: opens(simulated, wanted=True), "the adapter is back")


async def opens(simulated: Simulated, *, wanted: bool) -> bool:
    try:
        async with simulated.driver():
            return wanted
    except DeviceError:
        return not wanted


@pytest.mark.system
@pytest.mark.slow
async def test_mbpoll_reads_the_meter(tmp_path: Path) -> None:
    program = shutil.which("mbpoll")
    if program is None:
        pytest.skip("mbpoll is not installed")
    simulated = Simulated(compiled(copied(tmp_path)), "meters")
    async with served(simulated):
        line = ["-m", "rtu", "-b", "19200", "-P", "none", "-a", "1", "-0", "-1", "-t", "4:hex", "-r", "0", "-c", "2"]
        process = await asyncio.create_subprocess_exec(
            program, *line, str(tmp_path / "meters"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        out, _ = await asyncio.wait_for(process.communicate(), 20)
        assert process.returncode == 0, out
        registers = [line.split()[-1] for line in out.decode().splitlines() if line.startswith("[")]
        octets = b"".join(int(each, 16).to_bytes(2, "little") for each in registers)  # the meter swaps its bytes
        watts = int.from_bytes(octets, "big", signed=True)
        assert watts / 1000 == pytest.approx(simulated.site.read(POWER), rel=0.05)
