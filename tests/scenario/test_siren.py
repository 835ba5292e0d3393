"""The site's siren: sounds while nobody has acknowledged, is silenced by people, by time and by our end."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from controller.core.alarm import Behaviour, Priority, Wording
from controller.core.alarm_rule import Above, Equals, PointRule
from controller.core.event import EventKind
from controller.core.point import DeviceTimeout, Point, PointId, PointKind, Range, SafeValue, ValueType, Writable
from controller.core.sample import Scalar
from controller.core.siren import Siren
from controller.core.site import Alarming, Site
from controller.core.system import Authority, Condition, ReleaseStep, System
from controller.core.text import Text
from controller.core.units import Unit
from controller.historian.memory import MemoryHistorian
from controller.runtime.daemon import Daemon
from controller.runtime.virtual_time import VirtualLoop, run
from tests.bench import DEMAND, LIGHT_POINTS, LIGHTS, MOTION, SYSTEMS, Bench, link_of
from tests.scenario.test_alarms import TOO_BRIGHT, AlarmBench

SIREN, BUTTON = PointId("site.siren_1.command"), PointId("site.siren_1.silence_button")
TIMEOUT = timedelta(seconds=30)
POINTS = (
    Point(
        SIREN,
        PointKind.COMMAND,
        Unit.NONE,
        ValueType.BOOLEAN,
        writable=Writable(Range(0, 1), SafeValue(False), DeviceTimeout(TIMEOUT), SIREN),
    ),
    Point(BUTTON, PointKind.STATUS, Unit.NONE, ValueType.BOOLEAN),
)
SYSTEM = System("siren", Text("Siren", "警号"), (SIREN,), (ReleaseStep((SIREN,)),), timedelta(seconds=5))
URGENT = Behaviour(Priority.URGENT, latching=True)
RULES = (
    PointRule("too_bright", DEMAND, Above(0.7, 0.1), URGENT, Wording(Text("too bright", "过亮"))),
    PointRule("moved", MOTION, Equals(True), URGENT, Wording(Text("moved", "有人"))),
    PointRule("bright", DEMAND, Above(0.6), Behaviour(Priority.HIGH), Wording(Text("bright", "亮"))),
)
ALARMING = Alarming(RULES, siren=Siren(SIREN, Priority.URGENT, timedelta(minutes=10), Condition(BUTTON, True)))


@dataclass
class SirenBench(AlarmBench):
    """The bench with a siren in a system of its own, beside the lamps."""

    alarms_of_site: Alarming = field(default_factory=lambda: ALARMING)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.plant.lights.bind(self.site().links[0].bindings)
        self.plant.lights.set(SIREN, False)
        self.plant.lights.set(BUTTON, False)

    def site(self) -> Site:
        site = super().site()
        lights = link_of(LIGHTS, self.plant.lights, (*LIGHT_POINTS, *POINTS))
        points = {**site.points, **{point.id: point for point in POINTS}}
        return replace(site, points=points, links=(lights, *site.links[1:]), systems=(*SYSTEMS, SYSTEM))

    def bright(self, value: float = 0.9) -> None:
        self.plant.lights.set(DEMAND, value)

    @property
    def sounds(self) -> Scalar | None:
        return self.plant.lights.value(SIREN)

    def silence(self) -> None:
        assert self.daemon.siren is not None
        self.daemon.siren.silence("Li Na")

    def told(self) -> list[object]:
        return [event.body["state"] for event in self.events(EventKind.ALARM, SIREN)]


def test_it_sounds_until_somebody_has_seen_the_alarm(tmp_path: Path) -> None:
    bench = SirenBench(tmp_path)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.bright(0.65)
        await bench.wait(10)
        assert bench.sounds is False, "what is less urgent calls nobody"
        bench.bright()
        await bench.wait(3)
        assert bench.sounds is True
        bench.bright(0.5)
        await bench.wait(60)
        assert bench.sounds is True, "over, and still nobody has seen it"
        await bench.people.acknowledge(TOO_BRIGHT, "Li Na")
        await bench.wait(3)
        assert bench.sounds is False
        assert bench.told() == ["sounding", "silent"]

    assert bench.run(life)


def test_silencing_acknowledges_nothing_and_the_next_alarm_is_heard(tmp_path: Path) -> None:
    bench = SirenBench(tmp_path)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.bright()
        await bench.wait(10)
        bench.silence()
        await bench.wait(3)
        assert bench.sounds is False
        assert bench.states()[TOO_BRIGHT] == "unacknowledged"
        await bench.wait(60)
        assert bench.sounds is False
        bench.plant.lights.set(MOTION, True)
        await bench.wait(3)
        assert bench.sounds is True
        bench.plant.lights.set(BUTTON, True)
        await bench.wait(3)
        assert bench.sounds is False
        bench.plant.lights.set(MOTION, False)
        await bench.people.acknowledge_all("Li Na")
        await bench.wait(5)
        bench.plant.lights.set(MOTION, True)
        await bench.wait(3)
        assert bench.sounds is True, "a button that is stuck silences nothing that comes later"
        silenced = [event.body for event in bench.events(EventKind.ALARM, SIREN) if event.body["state"] == "silenced"]
        assert [body["who"] for body in silenced] == ["Li Na", BUTTON]

    assert bench.run(life)
    assert bench.sounds is False, "it is let go with everything else"


def test_it_ends_by_itself_and_a_crash_neither_begins_it_anew_nor_ends_it(tmp_path: Path) -> None:
    bench = SirenBench(tmp_path)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.bright()
        await bench.wait(590)
        assert bench.sounds is True
        await bench.wait(20)
        assert bench.sounds is False
        assert bench.states()[TOO_BRIGHT] == "unacknowledged"

    bench.run(life, kill=True)

    async def next_life(_: Bench) -> None:
        await bench.wait(30)
        assert bench.sounds is False
        bench.plant.lights.set(MOTION, True)
        await bench.wait(10)
        assert bench.sounds is True

    bench.run(next_life, kill=True)

    async def last_life(_: Bench) -> None:
        await bench.wait(10)
        assert bench.sounds is True

    assert bench.run(last_life)
    assert bench.sounds is False


def test_under_the_original_controls_it_is_theirs(tmp_path: Path) -> None:
    bench = SirenBench(tmp_path, first_authority=Authority.ORIGINAL)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.bright()
        await bench.wait(20)
        assert bench.plant.written(SIREN) == []
        await bench.daemon.set_authority("siren", Authority.TIDEWATT, "Li Na")
        await bench.wait(5)
        assert bench.sounds is True

    assert bench.run(life)


def test_when_we_die_its_device_silences_it_and_the_next_start_sounds_it_again(tmp_path: Path) -> None:
    """The device drops what nobody tells it again within its time; that is all there is when the daemon is dead."""
    bench = SirenBench(tmp_path)
    told = _noted(bench)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.bright()
        await bench.wait(300)
        assert bench.sounds is True

    bench.run(life, kill=True)
    died = bench.now
    sounding = [at for at, value in told if value is True]
    pauses = [later - earlier for earlier, later in itertools.pairwise([*sounding, died])]
    assert max(pauses) < TIMEOUT, "while we live it does not pause"
    bench.plant.lights.set(SIREN, False)
    bench.now = sounding[-1] + TIMEOUT

    async def next_life(_: Bench) -> None:
        await bench.wait(10)
        assert bench.sounds is True, "nobody has acknowledged"

    assert bench.run(next_life)


def test_release_silences_what_a_dead_daemon_left_sounding(tmp_path: Path) -> None:
    bench = SirenBench(tmp_path)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        bench.bright()
        await bench.wait(30)

    bench.run(life, kill=True)
    assert bench.sounds is True
    told = _noted(bench)

    async def release() -> bool:
        store = bench.open_store()
        return await Daemon(bench.site(), bench.clock, MemoryHistorian(), store).release(handed_back_by="Li Na")

    loop = VirtualLoop()
    bench.clock = bench.make_clock(loop)
    assert run(release(), loop)
    assert bench.sounds is False
    assert [value for _, value in told] == [False]


def _noted(bench: SirenBench) -> list[tuple[datetime, Scalar | None]]:
    """What the siren is told from now on, and when."""
    told: list[tuple[datetime, Scalar | None]] = []
    before = bench.plant.lights.on_write
    assert before is not None

    def note(point: PointId, value: Scalar | None) -> None:
        before(point, value)
        if point == SIREN:
            told.append((bench.clock.now(), value))

    bench.plant.lights.on_write = note
    return told
