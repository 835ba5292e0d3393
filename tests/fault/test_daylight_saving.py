"""The two days on which local time skips or repeats an hour, lived through by the whole demo building."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from controller.core.event import EventKind
from controller.core.point import PointId
from controller.core.site import Site
from controller.core.strategy import Position
from tests import virtual_demo

BERLIN, PLACE = ZoneInfo("Europe/Berlin"), Position(52.5, 13.4)
LAMP = PointId("outdoor.lighting_1.command")
HOURS = 8


def in_berlin(site: Site) -> Site:
    return replace(site, zone=BERLIN, position=PLACE, tariff=None)


@pytest.mark.slow
@pytest.mark.fault("both days of daylight saving")
@pytest.mark.parametrize("day, skips", [(date(2026, 3, 29), 1), (date(2026, 10, 25), -1)], ids=["spring", "autumn"])
def test_the_night_of_the_change(day: date, skips: int) -> None:
    """A scan each second, no strategy at fault, the lamps lit until the sun is there."""
    midnight = datetime.combine(day, datetime.min.time(), BERLIN).astimezone(UTC)
    lit: dict[datetime, object] = {}

    async def life(run: virtual_demo.Run) -> None:
        began = run.daemon.scan.count
        for _ in range(HOURS * 6):
            await run.wait(600)
            assert run.daemon.scan.frozen is not None
            image = run.daemon.scan.frozen
            lit[image.now] = image.samples[LAMP].value
            assert all(each.fault is None for each in run.daemon.strategies if not each.awaits_plan)
        # What is read back of an urgent command brings a scan forward, beside those of the grid.
        assert -5 <= run.daemon.scan.count - began - HOURS * 3600 <= 50

    run = virtual_demo.live(midnight, life, change=in_berlin)
    local = max(lit).astimezone(BERLIN)
    assert local.hour == HOURS + skips, "the day is one of those"
    # Civil dawn of that morning in Berlin is after 05:00 UTC in autumn and 04:00 UTC in spring.
    dark = [each for each in lit if timedelta(minutes=20) < each - midnight < timedelta(hours=4)]
    assert {lit[each] for each in dark} == {True}
    assert lit[max(lit)] is False
    alarms = [event for event in run.daemon.journal.recent if event.kind is EventKind.ALARM]
    assert [event.body for event in alarms if event.subject in ("garage", "outdoor")] == []
