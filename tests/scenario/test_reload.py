"""Another configuration while the daemon runs: what stays is neither let go nor forgotten; nothing half is taken."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.core.alarm import Behaviour, Priority, Wording
from controller.core.alarm_rule import Above, PointRule
from controller.core.errors import ConfigError, Problem
from controller.core.event import Event, EventKind
from controller.core.point import Binding, Point, PointId, PointKind, SafeValue
from controller.core.siren import Siren
from controller.core.site import Alarming, Site
from controller.core.system import Authority
from controller.core.text import Text
from controller.core.units import Unit
from controller.runtime.outbox import Messenger
from controller.runtime.reload import ALARM, Configuration, Outcome, Result
from drivers.memory import MemoryAddress
from tests.bench import (
    BRIGHTNESS,
    CHILLER,
    CHILLER_REMOTE,
    CHILLER_STATUS,
    DEMAND,
    HEARTBEAT,
    LAMP_REMOTE,
    PUMP,
    PUMP_REMOTE,
    START,
    Bench,
    with_system,
)
from tests.real_bench import RealBench
from tests.scenario.test_alarm_messages import RULE, SHIFT, Remembered

ILLUMINANCE = PointId("garage.group_1.illuminance")
BRIGHT = PointRule("bright", DEMAND, Above(0.4), Behaviour(Priority.LOW), Wording(Text("bright", "亮")))


class Folder:
    """The site's files: the next reload finds `site`, or its problems."""

    def __init__(self) -> None:
        self.site: Site | None = None
        self.problems: list[Problem] = []
        self.messenger: Messenger | None = None
        self.takes_s = 0.0

    def load(self) -> Configuration:
        threading.Event().wait(self.takes_s)
        if self.problems:
            raise ConfigError(self.problems)
        assert self.site is not None
        return Configuration(self.site, None, self.messenger)


class Here(Bench):
    """The bench, its files, and what was seen of the lamps' and the chiller's remote bits all the time."""

    def __init__(self, tmp_path: Path, **fields: Any) -> None:
        self.folder = Folder()
        super().__init__(tmp_path, load=self.folder.load, **fields)
        self.folder.site, self.folder.messenger = self.site(), self.messenger

    def edit(self, **changes: Any) -> None:
        assert self.folder.site is not None
        self.folder.site = replace(self.folder.site, digest=f"{self.folder.site.digest}+", **changes)

    async def reload(self, who: str = "Li Na", *, dry_run: bool = False) -> Outcome:
        return await self.daemon.reloads.request(who, is_dry_run=dry_run)

    def reloads(self) -> list[Event]:
        return [event for event in self.events(EventKind.CONFIGURATION, "bench") if "step" in event.body]

    def configuration_alarms(self) -> list[object]:
        return [state for alarm, state in self.alarms("bench") if alarm == ALARM]


class RealHere(Here, RealBench):
    pass


def with_slower_lease(site: Site) -> dict[str, Any]:
    return {"mounts": tuple(replace(each, lease=timedelta(seconds=90)) for each in site.mounts)}


def with_point(site: Site, point: Point) -> dict[str, Any]:
    """The site with one more point on its first link, or with this one instead of that of its name."""
    first, *others = site.links
    (device,) = first.devices
    bindings = [each for each in first.bindings if each.point.id != point.id]
    first = replace(
        first,
        bindings=(*bindings, Binding(point, device.id, MemoryAddress())),
        devices=(replace(device, points=tuple(dict.fromkeys((*device.points, point.id)))),),
    )
    return {"links": (first, *others), "points": {**site.points, point.id: point}}


def without_lamps(site: Site) -> dict[str, Any]:
    gone = (BRIGHTNESS, LAMP_REMOTE)
    first, *others = site.links
    (device,) = first.devices
    first = replace(
        first,
        bindings=tuple(each for each in first.bindings if each.point.id not in gone),
        devices=(replace(device, points=tuple(each for each in device.points if each not in gone)),),
    )
    return {
        "links": (first, *others),
        "points": {id_: point for id_, point in site.points.items() if id_ not in gone},
        "systems": tuple(each for each in site.systems if each.id != "garage"),
        "mounts": (),
    }


def lived(tmp_path: Path, life: Callable[[Here], Awaitable[None]], *, lets_go: bool = True, **fields: Any) -> Here:
    here = Here(tmp_path, **fields)
    assert here.run(lambda _: life(here)) is lets_go
    return here


def test_nothing_that_is_held_notices_a_reload(tmp_path: Path) -> None:
    """Lamps by a strategy, pump and chiller by a person: no release, no other value, and no scan that is missed."""

    async def life(here: Here) -> None:
        await here.command(PUMP, True)
        await here.wait(10)
        await here.command(CHILLER, True)
        await here.wait(400)
        assert here.plant.plant.value(CHILLER_STATUS) is True
        before, scans = len(here.plant.writes), here.daemon.scan.count
        holdings = dict(here.daemon.writer.holdings)
        assert {BRIGHTNESS, LAMP_REMOTE, CHILLER, CHILLER_REMOTE, PUMP, PUMP_REMOTE, HEARTBEAT} <= holdings.keys()
        here.edit(**with_slower_lease(here.daemon.site))
        assert (await here.reload()).result is Result.RELOADED
        assert here.daemon.writer.holdings == holdings
        assert {each.lease for each in here.daemon.site.mounts} == {timedelta(seconds=90)}
        await here.wait(120)
        assert here.daemon.scan.count >= scans + 120
        assert here.daemon.scan.times.longest_period < 2.0
        written = {point: value for point, value in here.plant.writes[before:] if point != HEARTBEAT}
        assert written == {LAMP_REMOTE: True}, "only what the device would have forgotten"
        beats = [value for point, value in here.plant.writes[before:] if point == HEARTBEAT]
        assert len(beats) >= 4
        assert here.daemon.writer.holdings.keys() == holdings.keys()

    lived(tmp_path, life, lets_go=False)  # a chiller that goes on under its own controls keeps its pump ours


def test_times_go_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    """What was commanded ends when it was to end; the chiller's minimum time counts from its start."""

    async def life(here: Here) -> None:
        await here.command(PUMP, True)
        await here.wait(10)
        await here.command(CHILLER, True, 420)
        await here.command(BRIGHTNESS, 0.8, 500)
        await here.wait(400)
        assert here.plant.plant.value(CHILLER_STATUS) is True
        since = here.daemon.scan.controls[CHILLER].memory.switched
        decisions = here.daemon.strategies[0].state.decisions
        here.edit(**with_slower_lease(here.daemon.site))
        await here.reload()
        assert here.daemon.scan.controls[CHILLER].memory.switched == since
        assert here.daemon.strategies[0].state.decisions >= decisions > 100
        command = here.daemon.scan.controls[BRIGHTNESS].array.winner
        assert command is not None
        assert 99.0 < command.ends - here.clock.monotonic() <= 100.0
        await here.wait(98)
        assert here.plant.lights.value(BRIGHTNESS) == 0.8
        await here.wait(5)
        assert here.plant.lights.value(BRIGHTNESS) == 0.5

    lived(tmp_path, life, lets_go=False)


def test_what_is_removed_is_let_go_before(tmp_path: Path) -> None:
    async def life(here: Here) -> None:
        await here.command(PUMP, True)
        await here.wait(10)
        assert here.plant.lights.value(LAMP_REMOTE) is True
        here.edit(**without_lamps(here.daemon.site))
        outcome = await here.reload()
        assert outcome.result is Result.RELOADED
        assert here.plant.lights.value(LAMP_REMOTE) is False
        assert "point garage.group_1.brightness_command: removed" in [each.en for each in outcome.differences]
        await here.wait(30)
        assert here.plant.plant.value(PUMP_REMOTE) is True
        assert here.plant.written(PUMP) == [True]
        assert BRIGHTNESS not in here.daemon.writer.holdings

    lived(tmp_path, life)


def test_what_cannot_be_let_go_is_not_changed(tmp_path: Path) -> None:
    async def life(here: Here) -> None:
        await here.wait(10)
        here.plant.lights.ignore(LAMP_REMOTE)
        here.edit(**without_lamps(here.daemon.site))
        outcome = await here.reload()
        assert outcome.result is Result.REFUSED
        assert "not let go within 5 s" in outcome.why.en
        assert here.daemon.site.digest == "bench"
        here.plant.lights.ignored.clear()
        await here.wait(30)
        assert here.plant.lights.value(LAMP_REMOTE) is True
        assert BRIGHTNESS in here.daemon.writer.holdings

    lived(tmp_path, life)


def test_files_that_are_wrong_change_nothing_and_are_told(tmp_path: Path) -> None:
    async def life(here: Here) -> None:
        await here.wait(10)
        wrong = Problem(Path("site.yaml"), 5, "the zone does not exist", "write Asia/Shanghai")
        here.folder.problems.append(wrong)
        outcome = await here.reload()
        assert (outcome.result, outcome.problems) == (Result.REFUSED, (wrong,))
        await here.wait(30)
        assert here.daemon.site.digest == "bench"
        assert here.plant.lights.value(BRIGHTNESS) == 0.5
        assert here.configuration_alarms() == ["active"]
        (event,) = here.reloads()
        assert (event.body["step"], event.body["who"]) == ("refused", "Li Na")
        here.folder.problems.clear()
        assert (await here.reload()).result is Result.UNCHANGED
        assert here.configuration_alarms() == ["active", "cleared"]

    lived(tmp_path, life)


def test_a_dry_run_only_tells(tmp_path: Path) -> None:
    async def life(here: Here) -> None:
        await here.wait(10)
        here.edit(**with_slower_lease(here.daemon.site))
        outcome = await here.reload(dry_run=True)
        assert outcome.result is Result.DIFFERENT
        assert [tuple(each) for each in outcome.differences] == [
            ("strategy desk: lease 60s -> 90s", "策略 desk：lease 60s -> 90s")
        ]
        here.folder.problems.append(Problem(Path("site.yaml"), 5, "wrong", "right"))
        assert (await here.reload(dry_run=True)).result is Result.REFUSED
        assert here.daemon.site.digest == "bench"
        assert here.configuration_alarms() == []

    lived(tmp_path, life)


def test_events_say_who_changed_what_and_which_configuration_was_in_force(tmp_path: Path) -> None:
    async def life(here: Here) -> None:
        await here.wait(10)
        here.edit(**with_slower_lease(here.daemon.site))
        await here.reload("Wang Wei")
        (event,) = here.reloads()
        assert (event.body["step"], event.body["who"]) == ("reloaded", "Wang Wei")
        assert (event.body["before"], event.body["after"]) == ("bench", "bench+")
        assert event.body["difference"] == ["strategy desk: lease 60s -> 90s"]
        here.plant.lights.set(DEMAND, 0.7)
        await here.wait(5)
        assert here.events(EventKind.COMMAND, BRIGHTNESS)[0].body["configuration"] == "bench"
        assert here.events(EventKind.COMMAND, BRIGHTNESS)[-1].body["configuration"] == "bench+"

    lived(tmp_path, life)


def test_a_new_point_is_read_and_recorded(tmp_path: Path) -> None:
    async def life(here: Here) -> None:
        await here.wait(10)
        here.edit(**with_point(here.daemon.site, Point(ILLUMINANCE, PointKind.SENSOR, Unit.LUX)))
        assert (await here.reload()).result is Result.RELOADED
        here.plant.lights.set(ILLUMINANCE, 140.0)
        await here.wait(3)
        assert here.daemon.image.present[ILLUMINANCE].value == 140.0
        await here.wait(3)
        recorded = await here.historian.read_samples(ILLUMINANCE, START, here.clock.now())
        assert 140.0 in [sample.value for sample in recorded]

    lived(tmp_path, life)


def test_alarms_keep_what_people_did_to_them(tmp_path: Path) -> None:
    async def life(here: Here) -> None:
        here.edit(alarms=Alarming((BRIGHT,)))
        await here.reload()
        await here.wait(3)
        name = f"{DEMAND}:bright"
        await here.daemon.alarm_actions.shelve(name, timedelta(seconds=60), "Li Na", "it is known")
        here.edit(**with_slower_lease(here.daemon.site))
        await here.reload()
        (alarm,) = [each for each in here.daemon.alarms.all if str(each.id) == name]
        assert (alarm.state.value, alarm.who) == ("shelved", "Li Na")
        await here.wait(65)
        assert alarm.state.value == "unacknowledged"
        here.edit(alarms=Alarming())
        await here.reload()
        assert [each for each in here.daemon.alarms.all if str(each.id) == name] == []
        assert (await here.daemon.store.load_alarm_standings()) == [] or await _is_forgotten(here)

    lived(tmp_path, life)


def test_the_siren_and_work_orders_go_on(tmp_path: Path) -> None:
    async def life(here: Here) -> None:
        alarming = Alarming((BRIGHT,), siren=Siren(PUMP, Priority.LOW, timedelta(minutes=10)))
        here.edit(alarms=alarming)
        await here.reload()
        await here.wait(5)
        assert here.plant.plant.value(PUMP) is True
        await here.daemon.work_orders.place(f"{DEMAND}:bright", "Li Na", "Wang: look")
        here.edit(**with_slower_lease(here.daemon.site))
        await here.reload()
        await here.wait(60)
        assert here.plant.written(PUMP) == [True], "it sounded on"
        assert [order.text for order in here.daemon.work_orders.open] == ["Wang: look"]
        assert here.daemon.siren is not None
        here.daemon.siren.silence("Li Na")
        await here.wait(5)
        here.edit(has_free_running_clock=True)
        await here.reload()
        await here.wait(5)
        assert here.daemon.scan.controls[PUMP].array.winner is None, "silenced is silenced"

    lived(tmp_path, life)


def test_people_are_told_once_and_the_ladder_goes_on(tmp_path: Path) -> None:
    told = Remembered()

    async def life(here: Here) -> None:
        here.edit(alarms=Alarming((RULE,), (), (SHIFT,)))
        await here.reload()
        here.plant.lights.set(DEMAND, 0.9)
        await here.wait(60)
        assert [whom for _, whom, _ in told.arrived] == ["shift"]
        here.edit(**with_slower_lease(here.daemon.site))
        await here.reload()
        await here.wait(800)
        assert [whom for _, whom, _ in told.arrived] == ["shift"]
        await here.wait(60)
        assert [whom for _, whom, _ in told.arrived] == ["shift", "manager"], "a quarter of an hour after the alarm"
        told.is_away = True
        here.plant.lights.set(DEMAND, 0.3)
        await here.wait(1)
        here.edit(**with_slower_lease(here.daemon.site))
        await here.reload()
        told.is_away = False
        await here.wait(60)
        assert sorted(whom for _, whom, _ in told.arrived) == ["manager", "manager", "shift", "shift"], (
            "and that it is over"
        )

    lived(tmp_path, life, messenger=told)


def test_who_stops_the_daemon_does_not_wait_for_a_reload(tmp_path: Path) -> None:
    async def life(here: Here) -> None:
        await here.wait(10)
        here.edit(**with_slower_lease(here.daemon.site))
        here.folder.takes_s = 0.3
        here.daemon.reloads.request("Li Na")
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    here = lived(tmp_path, life)
    assert here.plant.lights.value(LAMP_REMOTE) is False
    assert here.daemon.site.digest == "bench"


async def _is_forgotten(here: Here) -> bool:
    await here.wait(3)
    return (await here.daemon.store.load_alarm_standings()) == []


def test_a_commissioning_ends_when_it_was_to_end(tmp_path: Path) -> None:
    async def life(here: Here) -> None:
        await here.wait(10)
        await here.daemon.set_authority("garage", Authority.COMMISSIONING, "Li Na", timedelta(minutes=10))
        await here.wait(300)
        here.edit(**with_slower_lease(here.daemon.site))
        await here.reload()
        assert here.daemon.authority["garage"] is Authority.COMMISSIONING
        await here.wait(290)
        assert here.daemon.authority["garage"] is Authority.COMMISSIONING
        await here.wait(15)
        assert here.daemon.authority["garage"] is Authority.ORIGINAL

    lived(tmp_path, life)


def test_a_real_system_is_not_taken_further_than_it_was_tested(tmp_path: Path) -> None:
    """A release that may take longer would have to be tried first: the change waits until the garage is handed back."""

    async def life(here: RealHere) -> None:
        await here.wait(10)
        assert here.daemon.authority["garage"] is Authority.TIDEWATT
        slower = with_system(here.daemon.site.systems, "garage", release_within=timedelta(seconds=9))
        here.edit(systems=slower)
        outcome = await here.reload()
        assert outcome.result is Result.REFUSED
        assert "tidewatt authority SITE SYSTEM original" in outcome.why.en
        assert here.daemon.authority["garage"] is Authority.TIDEWATT
        await here.daemon.set_authority("garage", Authority.ORIGINAL, "Li Na")
        await here.wait(10)
        assert (await here.reload()).result is Result.RELOADED
        assert here.daemon.authority == {"garage": Authority.ORIGINAL, "plant": Authority.TIDEWATT}

    here = RealHere(tmp_path)
    here.pass_everything()
    assert here.run(lambda _: life(here))


def test_what_is_given_to_us_while_a_reload_waits_is_not_taken_along_untested(tmp_path: Path) -> None:
    async def life(here: RealHere) -> None:
        await here.daemon.set_authority("garage", Authority.ORIGINAL, "Li Na")
        await here.command(PUMP, True)
        await here.wait(10)
        here.plant.plant.ignore(PUMP_REMOTE)
        pump = here.daemon.site.points[PUMP]
        assert pump.writable is not None
        changed = replace(pump, writable=replace(pump.writable, release=SafeValue(False)))
        here.edit(
            points={**here.daemon.site.points, PUMP: changed},
            systems=with_system(
                with_system(here.daemon.site.systems, "garage", release_within=timedelta(seconds=9)),
                "plant",
                release_within=timedelta(minutes=9),
            ),
        )
        await here.daemon.set_authority("plant", Authority.COMMISSIONING, "Li Na", timedelta(hours=1))
        await here.command(PUMP, True)
        answer = here.daemon.reloads.request("Li Na")
        await here.wait(5)
        assert not answer.done()
        await here.daemon.set_authority("garage", Authority.TIDEWATT, "Li Na")
        here.plant.plant.ignored.clear()
        outcome = await answer
        assert outcome.result is Result.REFUSED
        assert "system garage was given to Tidewatt meanwhile" in outcome.why.en

    here = RealHere(tmp_path)
    here.pass_everything()
    assert here.run(lambda _: life(here))


def test_a_store_that_cannot_be_read_leaves_the_present_configuration_at_work(tmp_path: Path) -> None:
    async def life(here: Here) -> None:
        await here.wait(10)
        with sqlite3.connect(tmp_path / "store.db") as database:
            for table in ("plan", "calendar"):
                database.execute(f"DROP TABLE {table}")
        database.close()
        before = len(here.plant.writes)
        here.edit(**with_slower_lease(here.daemon.site))
        outcome = await here.reload()
        assert outcome.result is Result.REFUSED
        assert here.configuration_alarms() == ["active"]
        await here.wait(60)
        assert here.daemon.site.digest == "bench"
        assert dict(here.plant.writes[before:]) == {LAMP_REMOTE: True}
        here.plant.lights.set(DEMAND, 0.9)
        await here.wait(3)
        assert here.plant.lights.value(BRIGHTNESS) == 0.9

    lived(tmp_path, life)


def test_a_request_is_never_half_done_when_the_configuration_changes(tmp_path: Path) -> None:
    """An operator's command that is being stored comes with us; the disk that hangs refuses the reload."""

    async def life(here: Here) -> None:
        await here.wait(10)
        here.edit(**with_slower_lease(here.daemon.site))
        async with here.daemon.gate.passing():
            assert (await here.reload()).result is Result.REFUSED
        assert (await here.reload()).result is Result.RELOADED

    lived(tmp_path, life)


@pytest.mark.slow
def test_a_hundred_reloads_under_load_disturb_nothing(tmp_path: Path) -> None:
    async def life(here: Here) -> None:
        await here.wait(10)
        before = len(here.plant.writes)
        for number in range(100):
            here.edit(scan_every=timedelta(seconds=1 if number % 2 else 2))
            here.plant.lights.set(DEMAND, 0.3 + number / 200)
            assert (await here.reload()).result is Result.RELOADED
            await here.wait(2.7)
            assert abs(float(here.plant.lights.value(BRIGHTNESS) or 0) - (0.3 + number / 200)) < 1e-9
        assert all(value is True for point, value in here.plant.writes[before:] if point == LAMP_REMOTE)
        assert here.alarms(BRIGHTNESS) == []

    lived(tmp_path, life)


def test_who_is_locked_out_stays_so_and_what_the_files_take_out_of_service_is_let_go(tmp_path: Path) -> None:
    async def life(here: Here) -> None:
        await here.command(PUMP, True)
        await here.wait(10)
        assert here.plant.lights.value(LAMP_REMOTE) is True
        await here.daemon.lock_out("plant.chiller_1", "Wang", "tubes")
        here.edit(out_of_service={"garage.group_1": "burnt down"})
        outcome = await here.reload()
        assert outcome.result is Result.RELOADED
        assert any("burnt down" in each.en for each in outcome.differences)
        await here.wait(3)
        assert here.plant.lights.value(LAMP_REMOTE) is False
        assert here.plant.plant.value(PUMP_REMOTE) is True
        assert set(here.daemon.availabilities.unavailable) == {"plant.chiller_1", "garage.group_1"}
        here.edit(out_of_service={})
        await here.reload()
        await here.wait(3)
        assert here.plant.lights.value(LAMP_REMOTE) is True
        assert set(here.daemon.availabilities.unavailable) == {"plant.chiller_1"}

    lived(tmp_path, life)
