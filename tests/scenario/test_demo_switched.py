"""The demo is given to Tidewatt and back ten times while its plant cools on a working day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from controller.core.event import EventKind
from controller.core.ledger import Verdict
from controller.core.point import PointId
from controller.core.sample import Scalar
from controller.core.site import Site
from controller.core.strategy import Mode
from controller.core.system import Authority
from tests.virtual_demo import Run, live

pytestmark = [pytest.mark.slow]

NOON = datetime.fromisoformat("2026-07-06T13:00+08:00")
# What an operator commands each time; lamps are the strategies'.
COMMANDS: dict[str, Scalar] = {
    "plant.condenser_water_pump_1.command": True,
    "plant.chilled_water_pump_1.command": True,
    "plant.chilled_water_pump_1.speed_command": 0.9,
    "plant.chiller_1.enable_command": True,
    "plant.chiller_1.chilled_water_temperature_setpoint": 7.0,
}
TANK_REMOTE, HEARTBEAT = PointId("plant.tank_1.remote"), PointId("plant.gateway_1.heartbeat")
CHILLER, PUMPS = "plant.chiller_1.status", ("plant.chilled_water_pump_1.status", "plant.condenser_water_pump_1.status")
ALARMING = ("ignored", "overridden", "implausible", "effect missing")


def without_plans(site: Site) -> Site:
    return replace(
        site, mounts=tuple(replace(each, mode=Mode.OFF) if each.id == "storage" else each for each in site.mounts)
    )


def value(run: Run, point: str) -> Scalar | None:
    return run.daemon.image.present[PointId(point)].value


def remotes(run: Run) -> dict[PointId, Scalar | None]:
    """What the devices show of every remote bit, as it was read last."""
    return {point: value(run, point) for point in run.site.points if point.endswith(".remote")}


async def until(run: Run, condition: Callable[[], bool], within: timedelta) -> None:
    """Looks every second; the chiller never runs without its pumps meanwhile."""
    for _ in range(int(within.total_seconds())):
        if condition():
            return
        await run.wait(1)
        assert not value(run, CHILLER) or all(value(run, pump) for pump in PUMPS)
    raise AssertionError(f"not within {within}: {run.daemon.writer.holdings}")


def is_taken(run: Run) -> bool:
    """Everything held has been read back, and every machine but the tank, which nobody commands, is ours."""
    holdings = run.daemon.writer.holdings
    owned = all(each.verdict is Verdict.OWNED for point, each in holdings.items() if point != HEARTBEAT)
    ours = all(bit is (point != TANK_REMOTE) for point, bit in remotes(run).items())
    return owned and ours and {PointId(point) for point in COMMANDS} <= holdings.keys()


def is_given_back(run: Run) -> bool:
    return not run.daemon.writer.holdings and not any(remotes(run).values())


async def switch(run: Run, authority: Authority) -> None:
    for system in run.site.systems:
        await run.daemon.set_authority(system.id, authority, "Li Na")


def test_ten_times_to_tidewatt_and_back_while_the_plant_cools() -> None:
    async def life(run: Run) -> None:
        await run.wait(900)
        assert value(run, CHILLER) is True, "its own controls cool"
        load = PointId("plant.chilled_water_loop_1.cooling_load")
        longest = max(system.release_within for system in run.site.systems)
        for _ in range(10):
            await switch(run, Authority.TIDEWATT)
            for point, wish in COMMANDS.items():
                await run.daemon.command(PointId(point), wish, timedelta(hours=1), "Li Na", "a hot day")
            await until(run, lambda: is_taken(run), timedelta(minutes=10))
            await switch(run, Authority.ORIGINAL)
            await until(run, lambda: is_given_back(run), longest)
            assert value(run, CHILLER) is True
            cooling = value(run, load)
            assert isinstance(cooling, float)
            assert cooling > 100.0, "kW"
        assert value(run, "plant.chiller_1.tripped") is False
        alarms = [each for each in run.daemon.journal.recent if each.kind is EventKind.ALARM]
        assert [each.subject for each in alarms if each.body["alarm"] in ALARMING] == []

    live(NOON, life, change=without_plans)
