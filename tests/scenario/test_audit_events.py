"""What people do and what is in force is in the event stream, also where nothing else shows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from controller.core.event import Event, EventKind, JsonValue
from controller.core.site import Site
from controller.core.strategy import Mode
from controller.core.system import Authority
from controller.runtime.daemon import Daemon
from controller.runtime.store import Store
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run
from tests.bench import BRIGHTNESS, DEMAND, PUMP, Bench

FAULT = "desk:strategy_at_fault"


class Configured(Bench):
    digest = "first"

    def site(self) -> Site:
        return replace(super().site(), digest=self.digest)


async def look(bench: Bench) -> None:
    await bench.wait(20)


def bodies(events: list[Event], *names: str) -> list[tuple[JsonValue, ...]]:
    return [tuple(event.body.get(name) for name in names) for event in events]


def test_the_configuration_in_force_and_the_one_before_and_the_modes(tmp_path: Path) -> None:
    bench = Configured(tmp_path)

    def told(kind: EventKind, subject: str, *names: str) -> list[tuple[JsonValue, ...]]:
        return bodies(bench.events(kind, subject), *names)

    bench.run(look)
    assert told(EventKind.CONFIGURATION, "bench", "in_force", "before") == [("first", None)]
    assert told(EventKind.MODE, "desk", "mode", "before") == [("auto", None)]
    bench.run(look, kill=True)
    assert told(EventKind.CONFIGURATION, "bench", "in_force", "before") == [("first", "first")]
    assert told(EventKind.MODE, "desk", "mode", "before") == []
    bench.digest, bench.mode = "second", Mode.SHADOW
    bench.run(look)
    assert told(EventKind.CONFIGURATION, "bench", "in_force", "before") == [("second", "first")]
    assert told(EventKind.MODE, "desk", "mode", "before") == [("shadow", "auto")]


def test_a_command_that_a_restart_does_not_bring_back(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(BRIGHTNESS, 0.8, 600)
        await bench.wait(5)
        await bench.daemon.store.save_authority("garage", Authority.ORIGINAL)

    bench = Bench(tmp_path)
    bench.run(life, kill=True)
    bench.run(look)
    told = bench.events(EventKind.COMMAND, BRIGHTNESS)
    (event,) = (each for each in told if each.body["step"] == "operator not restored")
    assert event.body["who"] == "operator"
    assert "original" in str(event.body["reason"])


def test_what_is_done_to_an_alarm_that_nobody_sees(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        bench.plant.lights.set(DEMAND, -1.0)
        await bench.wait(120)
        alarms = bench.daemon.alarm_actions
        await alarms.shelve(FAULT, timedelta(hours=1), "Li Na", "being looked at")
        await alarms.shelve(FAULT, timedelta(hours=2), "Wang Wu", "takes longer")
        await alarms.take_out_of_service(FAULT, "Li Na", "rebuilt")
        await alarms.unshelve(FAULT, "Li Na")
        told = [event for event in bench.events(EventKind.ALARM, "desk") if event.body.get("who")]
        assert bodies(told, "state", "who", "why") == [
            ("shelved", "Li Na", "being looked at"),
            ("shelved", "Wang Wu", "takes longer"),
            ("out of service", "Li Na", "rebuilt"),
            ("unshelved", "Li Na", ""),
        ]

    assert Bench(tmp_path).run(life)


def test_who_gives_everything_back_with_the_daemon_dead(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(20)

    async def release() -> list[Event]:
        bench.historian.reopen()
        store = Store(tmp_path / "store.db", clock)
        daemon = Daemon(bench.site(), clock, bench.historian, store)
        assert await daemon.release(handed_back_by="Li Na")
        bench.historian.reopen()
        return list(await bench.historian.read_events(began, clock.now(), [EventKind.AUTHORITY]))

    bench = Bench(tmp_path)
    bench.run(life, kill=True)
    loop = VirtualLoop()
    clock = VirtualClock(loop, bench.now)
    began = bench.now
    told = run(release(), loop)
    assert bodies(told, "before", "authority", "who") == [("tidewatt", "original", "Li Na")] * 2
    assert [event.subject for event in told] == ["garage", "plant"]
