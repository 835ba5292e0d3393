"""A device that tells its numbers with their words swapped, as after a change of its program: real sockets."""

from __future__ import annotations

import struct
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.event import EventKind
from controller.core.ledger import Verdict
from controller.core.sample import Quality
from tests.bench import BRIGHTNESS, DEMAND
from tests.wire.modbus_lights import ModbusLights, modbus_lights

pytestmark = [pytest.mark.wire, pytest.mark.slow]


def is_doubted(here: ModbusLights) -> bool:
    seen = here.daemon.image.present[DEMAND]
    return seen.quality is Quality.BAD and seen.reason.startswith(("implausible: ", "not a number"))


@pytest.mark.fault("swapped words on the wire")
@pytest.mark.parametrize("value", [0.5, 0.8])
async def test_a_measurement_is_no_value_and_nothing_is_made_of_it(tmp_path: Path, value: float) -> None:
    """0.5 becomes 2e-41, which is nearly the zero that is plausible here, and 0.8 becomes -1e8."""
    async with modbus_lights(tmp_path, lease=timedelta(seconds=1)) as here:
        before = here.commands()
        here.demand(value, swapped=True)
        await here.until(lambda: is_doubted(here), "it is doubted")
        await here.until(lambda: not here.is_remote, "what was wished before has ended")
        assert here.commands() == before, "nothing is made of it"
        assert here.brightness == 0.5
        here.demand(value)
        await here.until(lambda: here.owns(value), "it is believed again")


@pytest.mark.fault("swapped words on the wire")
async def test_a_read_back_is_no_override_and_is_told(tmp_path: Path) -> None:
    def swap(frame: bytes) -> bytes:
        """In what is read of the brightness; the demand is an input register."""
        if frame[7:9] != bytes([3, 4]):
            return frame
        first, second = struct.unpack(">2H", frame[9:13])
        return frame[:9] + struct.pack(">2H", second, first)

    async with modbus_lights(tmp_path) as here:
        here.demand(0.8)
        await here.until(lambda: here.owns(0.8), "the lamps follow")
        here.device.mangle = swap
        await here.until(lambda: here.verdict(BRIGHTNESS) is Verdict.IMPLAUSIBLE, "it is told")
        assert here.brightness == 0.8, "a read-back is nothing to act upon"
        here.device.mangle = None
        await here.until(lambda: here.owns(0.8), "it is believed again")
        assert here.told(EventKind.VERDICT, BRIGHTNESS, "verdict")[-2:] == ["implausible", "owned"]
        alarms = zip(
            here.told(EventKind.ALARM, BRIGHTNESS, "alarm"),
            here.told(EventKind.ALARM, BRIGHTNESS, "state"),
            strict=True,
        )
        assert [*alarms] == [("implausible", "active"), ("implausible", "cleared")]
