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
    async with modbus_lights(tmp_path, settle=timedelta(seconds=10)) as here:
        here.device.lag = 0.7
        before, told = here.commands(), len(here.told(EventKind.VERDICT, BRIGHTNESS, "verdict"))
        here.demand(0.8)
        await here.until(lambda: here.verdict(BRIGHTNESS) is Verdict.PENDING, "it is written")
        assert here.brightness == 0.5
        await here.until(lambda: here.owns(0.8), "it is read back")
        assert here.told(EventKind.VERDICT, BRIGHTNESS, "verdict")[told:] == ["owned"], "never ignored"
        assert here.commands() == before + 1
        assert here.told(EventKind.ALARM, BRIGHTNESS, "alarm") == []


@pytest.mark.fault("delayed write: acknowledged, done later")
async def test_after_its_time_to_settle_it_is_told_and_recovers_by_itself(tmp_path: Path) -> None:
    """The lamps go back to their own controls meanwhile, which comes late, too."""
    async with modbus_lights(tmp_path, settle=timedelta(seconds=0.3)) as here:
        here.device.lag = 1.0
        before = here.commands()
        here.demand(0.8)
        await here.until(lambda: here.verdict(BRIGHTNESS) is Verdict.IGNORED, "it is told as ignored")
        await here.until(lambda: not here.is_remote, "the lamps are given back")
        await here.until(lambda: here.owns(0.8), "the lamps are taken again, at what they show by now")
        assert here.commands() == before + 1, "told once, and believed when it was read back"
        for point in (BRIGHTNESS, LAMP_REMOTE):
            raised = here.told(EventKind.ALARM, point, "state")
            assert raised.count("active") == raised.count("cleared"), "nothing is left to be looked into"
