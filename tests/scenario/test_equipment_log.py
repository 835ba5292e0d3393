"""Run hours, starts and maintenance over hours of virtual time: through gaps, kills and restarts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.core.equipment_log import EquipmentLogging, counter_point
from controller.core.event import EventKind
from controller.core.maintenance import MaintenanceTask
from controller.core.point import PointId
from controller.core.run_record import RunRecord, up_to_date
from controller.core.short_cycling import CyclingLimits
from controller.core.site import Site
from controller.core.strategy import Decision, Ladder, Observation, Role
from controller.core.text import Text
from controller.runtime.daemon import Daemon
from controller.runtime.equipment_log import MaintenanceRefused
from controller.runtime.equipment_rows import rows
from controller.runtime.store import Store
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run
from tests.bench import CHILLER_STATUS, DEMAND, PUMP_STATUS, Bench, Follow, FollowState
from tests.sweep import sweep

UNIT = "plant.chiller_1"
RUN_TIME = PointId("plant.chiller_1.run_time")
STARTS = PointId("plant.chiller_1.starts")
HOUR = 3600.0
OIL = MaintenanceTask(UNIT, "oil and filter", every_run_hours=1.5)


class AsLeastRun(Follow):
    """Leans on run hours and promises that nothing but a change matters."""

    inputs: Mapping[Role, Ladder] = {Role("desk", 0, "demand"): Ladder(), Role("unit", 0, "run_time"): Ladder()}

    def decide(self, seen: Observation, state: FollowState) -> Decision[FollowState]:
        hours = seen.number(Role("unit", 0, "run_time")) / HOUR
        reason = Text(f"{hours:.1f} h", f"{hours:.1f} 小时")
        return Decision(FollowState(state.decisions + 1), {}, reason, seen.now + timedelta(days=1))


@dataclass
class LogBench(Bench):
    logging: EquipmentLogging = field(default_factory=EquipmentLogging)
    leans: bool = False
    equipment: Mapping[str, str] = field(default_factory=lambda: {UNIT: "chiller", "plant.pump_1": "pump"})

    def site(self) -> Site:
        site = Bench.site(self)
        counters = {point.id: point for point in map(counter_point, (RUN_TIME, STARTS)) if point is not None}
        mount = site.mounts[0]
        if self.leans:
            roles = {Role("desk", 0, "demand"): DEMAND, Role("unit", 0, "run_time"): RUN_TIME}
            mount = replace(mount, strategy=AsLeastRun(), roles={**mount.roles, **roles})
        slower = timedelta(seconds=5)  # hours pass sooner
        links = [replace(link, devices=(replace(link.devices[0], poll_every=slower),)) for link in site.links]
        return replace(
            site,
            scan_every=slower,
            links=tuple(links),
            equipment=self.equipment,
            points={**site.points, **counters},
            mounts=(mount,),
            equipment_log=self.logging,
        )

    @property
    def record(self) -> RunRecord:
        each = self.daemon.equipment_log.all[UNIT]
        return up_to_date(each.record, self.daemon.image.present[each.status], self.clock.monotonic())

    @property
    def row(self) -> Mapping[str, Any]:
        (shown,) = self.shown(UNIT)["equipment"]
        return shown

    def shown(self, only: str | None = None) -> Mapping[str, Any]:
        shown: Any = rows(self.daemon, only)
        return shown

    async def switch(self, *, on: bool, seconds: float) -> None:
        self.plant.plant.set(CHILLER_STATUS, on)
        await self.wait(seconds)


@pytest.fixture
def bench(tmp_path: Path) -> LogBench:
    return LogBench(tmp_path)


@pytest.mark.slow
def test_hours_and_starts_are_counted_for_what_runs(bench: LogBench) -> None:
    async def life(_: Bench) -> None:
        await bench.wait(HOUR)
        await bench.switch(on=True, seconds=2 * HOUR)
        await bench.switch(on=False, seconds=HOUR)
        await bench.switch(on=True, seconds=HOUR)
        row = bench.row
        assert row["run_hours"] == pytest.approx(3.0, abs=0.01)
        assert row["off_hours"] == pytest.approx(2.0, abs=0.01)
        assert row["unknown_hours"] == pytest.approx(0.0, abs=0.01)
        assert (row["starts"], row["starts_last_hour"], row["is_running"]) == (2, 1, True)
        assert row["last_start"].startswith("2026-07-06T08:00:0"), "as the status told it"
        assert row["last_stop"].startswith("2026-07-06T07:00:0")
        assert [each["id"] for each in bench.shown()["equipment"]] == [UNIT, "plant.pump_1"]

    assert bench.run(life)


def test_what_ran_before_anybody_looked_has_not_started(bench: LogBench) -> None:
    bench.plant.plant.set(CHILLER_STATUS, True)

    async def life(_: Bench) -> None:
        await bench.wait(HOUR)
        assert (bench.row["starts"], bench.row["last_start"]) == (0, None)
        assert bench.row["run_hours"] == pytest.approx(1.0, abs=0.01)

    assert bench.run(life)


@pytest.mark.parametrize("runs_after", [True, False])
@pytest.mark.slow
def test_a_gap_is_unknown_and_neither_off_nor_run(bench: LogBench, runs_after: bool) -> None:
    async def life(_: Bench) -> None:
        await bench.wait(10)
        await bench.switch(on=True, seconds=HOUR)
        bench.plant.plant.drop()
        await bench.wait(HOUR)
        assert bench.row["is_running"] is None
        bench.plant.plant.restore()
        await bench.switch(on=runs_after, seconds=HOUR)
        row = bench.row
        assert row["unknown_hours"] == pytest.approx(1.0, abs=0.03)
        assert row["run_hours"] == pytest.approx(2.0 if runs_after else 1.0, abs=0.03)
        assert row["off_hours"] == pytest.approx(0.0 if runs_after else 1.0, abs=0.03)
        assert row["starts"] == 1, "seen running before and after: whether it stopped meanwhile, nobody knows"

    assert bench.run(life)


@pytest.mark.parametrize("running", sweep([0.0, 3.0, 6.0, 59.0, 61.0, HOUR + 17.0]))
def test_a_kill_costs_a_minute_at_most_and_no_start(bench: LogBench, running: float) -> None:
    async def life(_: Bench) -> None:
        await bench.wait(HOUR)
        await bench.switch(on=True, seconds=running)

    async def after(_: Bench) -> None:
        await bench.wait(90)
        assert bench.row["starts"] == 1, "also one that was not stored: it was off before and runs now"
        assert running - 62 <= bench.record.run_s - 90 <= running
        assert 600 <= bench.record.unknown_s <= 600 + 70
        total = bench.record.run_s + bench.record.off_s + bench.record.unknown_s
        assert total == pytest.approx(HOUR + running + 600 + 90, abs=10)

    bench.run(life, kill=True)
    bench.now += timedelta(minutes=10)
    assert bench.run(after)


def test_letting_go_for_a_dead_daemon_keeps_what_was_counted(bench: LogBench) -> None:
    async def life(_: Bench) -> None:
        await bench.switch(on=True, seconds=HOUR)

    bench.run(life, kill=True)
    loop = VirtualLoop()
    clock = VirtualClock(loop, bench.now)

    async def release() -> bool:
        store = Store(bench.tmp_path / "store.db", clock)
        return await Daemon(bench.site(), clock, bench.open_historian(), store).release()

    assert run(release(), loop)

    async def after(_: Bench) -> None:
        await bench.wait(5)
        assert bench.row["run_hours"] == pytest.approx(1.0, abs=0.03)

    assert bench.run(after)


def test_strategies_see_the_counters_before_their_first_decision_and_are_not_asked_every_second(
    bench: LogBench,
) -> None:
    bench.leans = True

    async def life(_: Bench) -> None:
        await bench.switch(on=True, seconds=HOUR)
        (strategy,) = bench.daemon.strategies
        assert strategy.fault is None
        assert 10 <= strategy.state.decisions - before[0] <= 14, "ten tenths of an hour, and few besides"
        before[0] = strategy.state.decisions
        assert strategy.reason.en in ("0.9 h", "1.0 h")

    async def after(_: Bench) -> None:
        await bench.wait(2)
        (strategy,) = bench.daemon.strategies
        assert strategy.reason.en in ("0.9 h", "1.0 h")

    before = [0]
    assert bench.run(life)
    assert bench.run(after)


def test_too_many_starts_are_told_until_an_hour_without(bench: LogBench) -> None:
    bench.logging = EquipmentLogging(limits={UNIT: CyclingLimits(2, timedelta(0))})

    async def life(_: Bench) -> None:
        for _number in range(3):
            assert bench.alarms(UNIT) == []
            await bench.switch(on=False, seconds=300)
            await bench.switch(on=True, seconds=300)
        assert bench.alarms(UNIT) == [("short cycling", "active")]

    async def after(_: Bench) -> None:
        await bench.wait(600)
        assert bench.alarms(UNIT) == [], "told already"
        assert bench.row["short_cycling"]["en"] == "more than 2 starts within an hour"
        (alarm,) = [each for each in bench.daemon.alarms.all if each.id.subject == UNIT]
        assert alarm.standing.is_active
        await bench.wait(HOUR)
        assert ("short cycling", "cleared") in bench.alarms(UNIT)

    assert bench.run(life)
    assert bench.run(after)


def test_one_run_that_is_too_short_is_told(bench: LogBench) -> None:
    async def life(_: Bench) -> None:
        await bench.wait(60)
        await bench.switch(on=True, seconds=700)
        await bench.switch(on=False, seconds=60)
        assert bench.alarms(UNIT) == []
        await bench.switch(on=True, seconds=500)
        await bench.switch(on=False, seconds=60)
        (event,) = bench.events(EventKind.ALARM, UNIT)
        assert event.body["reason"] == "it ran for less than 10 min"

    assert bench.run(life)


@pytest.mark.slow
def test_maintenance_becomes_overdue_by_run_hours_and_is_over_when_it_is_done(bench: LogBench) -> None:
    bench.logging = EquipmentLogging(tasks=(OIL,))

    async def life(_: Bench) -> None:
        await bench.wait(2 * HOUR)
        assert bench.row["maintenance"][0]["run_hours_left"] == 1.5, "standing still wears nothing"
        await bench.switch(on=True, seconds=2 * HOUR)
        (event,) = bench.events(EventKind.ALARM, UNIT)
        assert (event.body["alarm"], event.body["state"]) == ("maintenance overdue", "active")
        assert event.body["reason"] == "oil and filter (every 1.5 run hours)"
        assert bench.row["maintenance"][0]["is_overdue"]
        with pytest.raises(MaintenanceRefused, match="there are 'oil and filter'"):
            await bench.daemon.equipment_log.note_done(UNIT, "oil", "Li Na")
        await bench.daemon.equipment_log.note_done(UNIT, "", "Li Na")
        assert ("maintenance overdue", "cleared") in bench.alarms(UNIT)
        (done,) = bench.events(EventKind.EQUIPMENT, UNIT)
        assert done.body["reason"] == "oil and filter: done by Li Na at 2.0 run hours"

    async def after(_: Bench) -> None:
        await bench.wait(0.5 * HOUR)
        (task,) = bench.row["maintenance"]
        assert task["run_hours_left"] == pytest.approx(1.0, abs=0.05)
        assert (task["is_overdue"], task["done_by"]) == (False, "Li Na")

    bench.run(life, kill=True)
    bench.run(after)


@pytest.mark.slow
def test_maintenance_by_the_calendar_needs_no_run_hour(bench: LogBench) -> None:
    bench.logging = EquipmentLogging(tasks=(MaintenanceTask("plant.pump_1", "seals", every_days=0.1),))

    async def life(_: Bench) -> None:
        await bench.wait(2 * HOUR)
        assert bench.alarms("plant.pump_1") == []
        await bench.wait(HOUR)
        assert bench.alarms("plant.pump_1") == [("maintenance overdue", "active")]
        assert bench.plant.plant.value(PUMP_STATUS) is False

    assert bench.run(life)


def test_an_alarm_of_equipment_that_left_the_site_is_over(bench: LogBench) -> None:
    bench.logging = EquipmentLogging(limits={UNIT: CyclingLimits(2, timedelta(hours=1))})

    async def life(_: Bench) -> None:
        await bench.wait(60)
        await bench.switch(on=True, seconds=60)
        await bench.switch(on=False, seconds=70)
        assert bench.alarms(UNIT) == [("short cycling", "active")]

    async def after(_: Bench) -> None:
        await bench.wait(5)
        assert bench.alarms(UNIT) == [("short cycling", "cleared")]

    assert bench.run(life)
    bench.equipment = {}
    assert bench.run(after)
