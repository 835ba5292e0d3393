"""A device that acknowledges a write at once and does it later: real sockets."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.event import EventKind
from controller.core.ledger import Verdict
from tests.bench import BRIGHTNESS, LAMP_REMOTE
from tests.wire.modbus_lights import modbus_lights

pytestmark = [pytest.mark.wire, pytest.mark.slow]


@pytest.mark.fault("delayed write: acknowledged, done later")
async def test_within_its_time_to_settle_it_is_waited_for(tmp_path: Path) -> None:
    async with modbus_lights(tmp_path, settle=timedelta(minutes=1)) as here:
        before, told = here.commands(), len(here.told(EventKind.VERDICT, BRIGHTNESS, "verdict"))
        here.device.is_late = True
        here.demand(0.8)
        await here.until(lambda: here.commands() == before + 1, "it is written")
        scans = here.daemon.scan.count
        await here.until(lambda: here.daemon.scan.count > scans + 5, "it has been read again and again")
        assert (here.verdict(BRIGHTNESS), here.brightness) == (Verdict.PENDING, 0.5)
        here.device.carry_out()
        await here.until(lambda: here.owns(0.8), "it is read back")
        here.device.is_late = False
        assert here.told(EventKind.VERDICT, BRIGHTNESS, "verdict")[told:] == ["owned"], "never ignored"
        assert here.commands() == before + 1
        assert here.told(EventKind.ALARM, BRIGHTNESS, "alarm") == []


@pytest.mark.fault("delayed write: acknowledged, done later")
async def test_after_its_time_to_settle_it_is_told_and_recovers_by_itself(tmp_path: Path) -> None:
    """The lamps are given back meanwhile, which is done as late, and our own late doing is nobody's override."""
    async with modbus_lights(tmp_path, settle=timedelta(seconds=0.3)) as here:
        here.device.is_late = True
        here.demand(0.8)
        await here.until(lambda: here.verdict(BRIGHTNESS) is Verdict.IGNORED, "it is told as ignored")
        await here.until(lambda: LAMP_REMOTE not in here.daemon.writer.holdings or here.gives_back, "and given back")
        assert here.is_remote
        here.device.carry_out()
        here.device.is_late = False
        assert not here.is_remote
        await here.until(lambda: here.owns(0.8), "the lamps are taken again, at what they show by now")
        for point in (BRIGHTNESS, LAMP_REMOTE):
            states = here.told(EventKind.ALARM, point, "state")
            assert states.count("active") == states.count("cleared"), "nothing is left to be looked into"
