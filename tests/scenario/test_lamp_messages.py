"""The daemon sends the day's lamp times by its calendar, and its alarms tell who has not answered."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from controller.core.alarm import AlarmId, AlarmState
from controller.core.errors import EnvironmentProblem
from controller.core.event import EventKind
from controller.core.lamp_messages import LampMessages
from controller.core.ports import Clock
from controller.core.site import Site
from controller.core.system import Authority
from controller.runtime.daemon import Daemon
from controller.runtime.reload import Configuration, Result
from controller.runtime.workers import InThisProcess
from controller.sunclock.daily import TASKS, DailyMessages
from controller.sunclock.robot import Content
from controller.sunclock.tasks import Tasks
from tests.bench import Bench
from tests.changed_bench import ChangedBench

MINUTE = 60.0
LIST, CHIEF = "https://robot.example.org/list", "https://robot.example.org/chief"
NOT_SENT, NOT_CONFIRMED = "lamp times not sent", "lamp times not confirmed"


@dataclass
class Robots:
    """What each address has taken, and when. broken: why it takes nothing; most: so many and no more."""

    taken: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    tries: list[datetime] = field(default_factory=list[datetime])
    broken: str = ""
    most: int = 1000

    def of(self, address: str, clock: Clock) -> _Robot:
        return _Robot(self, address, clock)

    def to(self, address: str) -> list[str]:
        return [said for each, said in self.taken if each == address]


@dataclass
class _Robot:
    robots: Robots
    address: str
    clock: Clock

    def prepare(self) -> None:
        """Nothing to load."""

    async def deliver(self, contents: Sequence[Content]) -> None:
        self.robots.tries.append(self.clock.now())
        if self.robots.broken or len(self.robots.taken) >= self.robots.most:
            raise EnvironmentProblem(self.robots.broken or "gone")
        self.robots.taken += [
            (self.address, each["markdown" if "markdown" in each else "text"]["content"]) for each in contents
        ]


@dataclass
class LampBench(ChangedBench):
    """Scanned once a minute: nothing here is about control."""

    robots: Robots = field(default_factory=Robots)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    at: time = time(12, 5)
    answers: str = "https://lamps.example.org"
    lines: Sequence[str] = ("East,31.2,121.5,Asia/Shanghai", "West,43.8,87.6,Asia/Shanghai")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.first_authority = Authority.ORIGINAL
        self.workers = InThisProcess()
        self.beside = self._beside
        (self.tmp_path / "state").mkdir(exist_ok=True)
        lines = "".join(f"{line}\n" for line in self.lines)
        (self.tmp_path / "places.csv").write_text(f"name,latitude,longitude,time_zone\n{lines}")

    def _beside(self, daemon: Daemon) -> Coroutine[Any, Any, None]:
        return DailyMessages(daemon, self.robots.of).run()

    def change(self, site: Site) -> Site:
        slow = timedelta(minutes=1)
        messages = LampMessages(
            self.tmp_path / "places.csv",
            self.at,
            LIST,
            30.0,
            has_pictures=False,
            answers=self.answers,
            answer_within=timedelta(minutes=10),
            escalate_to=CHIEF if self.answers else "",
        )
        links = [
            replace(each, devices=tuple(replace(one, poll_every=slow) for one in each.devices)) for each in site.links
        ]
        return replace(site, zone=self.zone, scan_every=slow, links=tuple(links), lamp_messages=messages)

    @property
    def tasks(self) -> Tasks:
        return Tasks(self.tmp_path / TASKS, make=False)

    def alarm(self, subject: str, name: str) -> AlarmState | None:
        known = self.daemon.alarms.get(AlarmId(subject, name))
        return None if known is None else known.state

    def live(self, *, kill: bool = False) -> Callable[[Callable[[], Coroutine[Any, Any, None]]], None]:
        def lived(life: Callable[[], Coroutine[Any, Any, None]]) -> None:
            async def with_bench(_: Bench) -> None:
                await life()

            self.run(with_bench, kill=kill)

        return lived


def test_sent_at_its_time_once_and_again_tomorrow(tmp_path: Path) -> None:
    here = LampBench(tmp_path, answers="")

    @here.live()
    async def _() -> None:
        await here.wait(4 * MINUTE)
        assert here.robots.taken == []
        await here.wait(6 * MINUTE)
        (said,) = here.robots.to(LIST)
        assert "2026-07-06" in said
        assert "East" in said
        assert here.robots.tries == [datetime(2026, 7, 6, 4, 5, tzinfo=UTC)]
        (event,) = here.events(EventKind.DAEMON, "sun clock")
        assert (event.body["date"], event.body["messages"]) == ("2026-07-06", 1)

    here.now += timedelta(hours=23, minutes=51)

    @here.live()
    async def _() -> None:
        await here.wait(3 * MINUTE)
        assert len(here.robots.taken) == 1
        await here.wait(2 * MINUTE)
        assert here.robots.tries[1:] == [datetime(2026, 7, 7, 4, 5, tzinfo=UTC)]
        assert "2026-07-07" in here.robots.taken[1][1]


@pytest.mark.slow
def test_a_kill_between_two_messages_repeats_none_and_leaves_none_out(tmp_path: Path) -> None:
    lines = [f"Estate number {nth},31.{nth:02d},121.5,Asia/Shanghai" for nth in range(40)]
    here = LampBench(tmp_path, lines=lines, answers="", robots=Robots(most=1))

    @here.live(kill=True)
    async def _() -> None:
        await here.wait(6 * MINUTE)
        assert len(here.robots.taken) == 1

    here.robots.most = 1000
    here.live()(lambda: here.wait(2 * MINUTE))
    one, other = here.robots.to(LIST)
    named = [line.split(":")[0] for said in (one, other) for line in said.splitlines() if line.startswith(">")]
    assert named == [f"> Estate number {nth}" for nth in range(40)]


@pytest.mark.slow
def test_downtime_over_its_time_is_made_up_for_on_the_same_day(tmp_path: Path) -> None:
    here = LampBench(tmp_path, answers="")
    here.live()(lambda: here.wait(MINUTE))
    here.now += timedelta(hours=5)
    here.live()(lambda: here.wait(MINUTE))
    assert len(here.robots.taken) == 1
    here.now += timedelta(days=3)
    here.live()(lambda: here.wait(MINUTE))
    assert ["2026-07-09" in said for said in here.robots.to(LIST)] == [False, True]


@pytest.mark.slow
def test_a_robot_that_is_down_is_tried_ever_more_seldom_with_an_alarm_and_the_control_goes_on(tmp_path: Path) -> None:
    here = LampBench(tmp_path, answers="", robots=Robots(broken="not reached"))

    @here.live()
    async def _() -> None:
        await here.wait(5 * MINUTE + 1)
        scans = here.daemon.scan.count
        assert here.alarm("bench", NOT_SENT) is AlarmState.UNACKNOWLEDGED
        await here.wait(140 * MINUTE)
        apart = [(later - earlier).total_seconds() / 60 for earlier, later in pairwise(here.robots.tries)]
        assert apart == [5, 10, 20, 40, 60]
        assert here.daemon.scan.count - scans == 140
        here.robots.broken = ""
        await here.wait(60 * MINUTE)
        assert here.alarm("bench", NOT_SENT) is None
        assert len(here.robots.taken) == 1


@pytest.mark.slow
def test_lines_that_are_wrong_are_an_alarm_and_the_rest_is_sent(tmp_path: Path) -> None:
    here = LampBench(tmp_path, answers="", lines=("East,31.2,121.5,Asia/Shanghai", "West,143.8,87.6,Asia/Shanghai"))

    @here.live()
    async def _() -> None:
        await here.wait(6 * MINUTE)
        assert "East" in here.robots.taken[0][1]
        known = here.daemon.alarms.get(AlarmId("bench", NOT_SENT))
        assert known is not None
        assert f"{tmp_path}/places.csv:3: latitude 143.8" in known.cause.en


def test_who_has_not_answered_is_an_alarm_until_they_do_and_is_told_to_somebody_else_once(tmp_path: Path) -> None:
    here = LampBench(tmp_path)
    here.load = lambda: Configuration(replace(here.site(), digest="another", name="bench"))

    @here.live()
    async def _() -> None:
        await here.wait(6 * MINUTE)
        east = here.tasks.undone()[0]
        assert f"https://lamps.example.org/done/{east.word}" in here.robots.to(LIST)[0]
        here.tasks.answer(east.word, here.clock.now(), "Li")
        await here.wait(12 * MINUTE)
        assert here.alarm("East", NOT_CONFIRMED) is None
        assert here.alarm("West", NOT_CONFIRMED) is AlarmState.UNACKNOWLEDGED
        (said,) = here.robots.to(CHIEF)
        assert ("West" in said, "East" in said) == (True, False)
        await here.daemon.alarm_actions.acknowledge("West:lamp_times_not_confirmed", "Wang")
        outcome = await here.daemon.reloads.request("Wang")
        assert outcome.result is Result.RELOADED
        await here.wait(2 * MINUTE)
        assert here.alarm("West", NOT_CONFIRMED) is AlarmState.ACKNOWLEDGED

    @here.live()
    async def _() -> None:
        await here.wait(2 * MINUTE)
        assert here.alarm("West", NOT_CONFIRMED) is AlarmState.ACKNOWLEDGED
        (west,) = here.tasks.undone()
        here.tasks.answer(west.word, here.clock.now(), "Chen")
        await here.wait(61)
        assert here.alarm("West", NOT_CONFIRMED) is None
        assert len(here.robots.to(CHIEF)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("day, shown", [(date(2026, 3, 29), "03:30"), (date(2026, 10, 25), "02:30")], ids=str)
def test_both_days_of_daylight_saving_get_their_times_once(tmp_path: Path, day: date, shown: str) -> None:
    """Over the hour that is skipped, and over the one that comes twice."""
    berlin = ZoneInfo("Europe/Berlin")
    here = LampBench(tmp_path, zone=berlin, at=time(2, 30), answers="")
    here.now = datetime.combine(day, time(1, 50), berlin).astimezone(UTC)
    here.live()(lambda: here.wait(110 * MINUTE))
    assert [moment.astimezone(berlin).strftime("%H:%M") for moment in here.robots.tries] == [shown]
    assert f"{day}" in here.robots.to(LIST)[0]
