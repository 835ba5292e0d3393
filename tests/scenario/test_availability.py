"""Equipment that is not in auto is never commanded, by nobody; what is back is taken again, safely."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.cli.explain import told as told_by_explain
from controller.core.availability import Availability
from controller.core.command import Command, Priority
from controller.core.event import EventKind
from controller.core.point import Binding, Point, PointId, PointKind, ValueType
from controller.core.sample import LOCAL_OVERRIDE, OUT_OF_SERVICE, Quality
from controller.core.site import Site
from controller.core.strategy import Mode
from controller.core.text import Text
from controller.core.units import Unit
from controller.runtime.availability import AvailabilityRefused
from controller.runtime.operator import OperatorCommandRefused
from controller.runtime.point_status import explain
from controller.runtime.status import status
from drivers.memory import MemoryAddress
from tests.bench import (
    BRIGHTNESS,
    CHILLER,
    CHILLER_REMOTE,
    CHILLER_STATUS,
    LAMP_REMOTE,
    PUMP,
    PUMP_REMOTE,
    PUMP_STATUS,
    Bench,
)

LAMPS, PUMP_1, CHILLER_1 = "garage.group_1", "plant.pump_1", "plant.chiller_1"
LOCAL = PointId("garage.group_1.local")
SELECTOR = PointId("plant.pump_1.hand_auto_status")
TRIPPED = PointId("plant.pump_1.tripped")
CHILLER_TRIPPED = PointId("plant.chiller_1.tripped")
TWO_MINUTES, SIX_MINUTES = 120.0, 360.0


@dataclass
class Selectors(Bench):
    """The bench with a selector at the lamps and the pump, and trip contacts at pump and chiller."""

    def __post_init__(self) -> None:
        super().__post_init__()
        site = self.site()
        self.plant.lights.bind(site.links[0].bindings)
        self.plant.plant.bind(site.links[1].bindings)
        self.plant.lights.set(LOCAL, False)
        self.plant.plant.set(SELECTOR, "auto")
        self.plant.plant.set(TRIPPED, False)
        self.plant.plant.set(CHILLER_TRIPPED, False)

    def site(self) -> Site:
        site = super().site()
        lights, plant = site.links
        added = {
            lights.id: (_contact(LOCAL),),
            plant.id: (
                Point(SELECTOR, PointKind.STATUS, Unit.NONE, ValueType.TEXT, states=("hand", "off", "auto")),
                _contact(TRIPPED),
                _contact(CHILLER_TRIPPED),
            ),
        }
        links = tuple(
            replace(
                link,
                devices=tuple(
                    replace(each, points=(*each.points, *(point.id for point in added[link.id])))
                    for each in link.devices
                ),
                bindings=(
                    *link.bindings,
                    *(Binding(point, link.devices[0].id, MemoryAddress()) for point in added[link.id]),
                ),
            )
            for link in site.links
        )
        points = {point.id: point for each in added.values() for point in each}
        return replace(site, links=links, points={**site.points, **points})


def _contact(id_: PointId) -> Point:
    return Point(id_, PointKind.STATUS, Unit.NONE, ValueType.BOOLEAN)


def _availability(bench: Bench, equipment: str) -> Availability:
    return bench.daemon.availabilities.standings[equipment].availability


async def _running(bench: Bench) -> None:
    """Pump and chiller run because an operator says so."""
    await bench.command(PUMP, True)
    await bench.wait(10)
    await bench.command(CHILLER, True)
    await bench.wait(400)
    assert bench.plant.plant.value(CHILLER_STATUS) is True


def test_what_stands_in_local_is_let_go_and_taken_again_once_it_stays_in_auto(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        assert bench.plant.lights.value(LAMP_REMOTE) is True
        bench.plant.lights.set(LOCAL, True)
        await bench.wait(3)
        assert _availability(bench, LAMPS) is Availability.LOCAL
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        written = len(bench.plant.writes)
        await bench.wait(600)
        assert len(bench.plant.writes) == written, "nothing is commanded meanwhile"
        bench.plant.lights.set(LOCAL, False)
        await bench.wait(20)
        bench.plant.lights.set(LOCAL, True)  # somebody still turns the switch
        await bench.wait(2)
        bench.plant.lights.set(LOCAL, False)
        await bench.wait(20)
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        await bench.wait(15)
        assert (bench.plant.lights.value(BRIGHTNESS), bench.plant.lights.value(LAMP_REMOTE)) == (0.5, True)

    assert Selectors(tmp_path).run(life)


@pytest.mark.parametrize("position", ["hand", "off"])
def test_a_selector_in_hand_or_off_refuses_the_operator_and_ends_what_was_commanded(
    tmp_path: Path, position: str
) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(10)
        bench.plant.plant.set(SELECTOR, position)
        await bench.wait(3)
        assert bench.plant.plant.value(PUMP_REMOTE) is False
        with pytest.raises(OperatorCommandRefused, match="at the machine"):
            await bench.command(PUMP, True)
        bench.plant.plant.set(SELECTOR, "auto")
        await bench.wait(TWO_MINUTES)
        assert _availability(bench, PUMP_1) is Availability.AUTO
        assert bench.plant.plant.value(PUMP_REMOTE) is False, "a forgotten command starts no machine"
        await bench.command(PUMP, True)
        await bench.wait(5)
        assert bench.plant.plant.value(PUMP_STATUS) is True

    assert Selectors(tmp_path).run(life)


def test_a_trip_lets_go_at_once_alarms_and_waits_after_the_reset(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await _running(bench)
        bench.plant.plant.set(TRIPPED, True)
        await bench.wait(3)
        assert bench.plant.plant.value(PUMP_REMOTE) is False, "its own controls decide, whatever the order of release"
        assert bench.alarms(PUMP_1) == [("tripped", "active")]
        bench.plant.plant.set(TRIPPED, False)
        await bench.wait(TWO_MINUTES)
        assert _availability(bench, PUMP_1) is Availability.TRIPPED
        await bench.wait(SIX_MINUTES)
        assert _availability(bench, PUMP_1) is Availability.AUTO
        assert bench.alarms(PUMP_1)[-1] == ("tripped", "cleared")

    Selectors(tmp_path).run(life)


@pytest.mark.slow
def test_what_trips_again_and_again_waits_for_a_person_restarts_included(tmp_path: Path) -> None:
    async def trips(bench: Bench) -> None:
        await bench.wait(5)
        for _ in range(3):
            bench.plant.plant.set(CHILLER_TRIPPED, True)
            await bench.wait(15)
            bench.plant.plant.set(CHILLER_TRIPPED, False)
            await bench.wait(SIX_MINUTES)
        await bench.wait(SIX_MINUTES)
        assert _availability(bench, CHILLER_1) is Availability.TRIPPED

    async def later(bench: Bench) -> None:
        await bench.wait(SIX_MINUTES)
        assert _availability(bench, CHILLER_1) is Availability.TRIPPED
        with pytest.raises(OperatorCommandRefused, match="try again"):
            await bench.command(CHILLER, True)
        with pytest.raises(AvailabilityRefused, match="has not tripped"):
            bench.daemon.retry(PUMP_1, "Wang")
        bench.daemon.retry(CHILLER_1, "Wang")
        await bench.wait(2)
        assert _availability(bench, CHILLER_1) is Availability.AUTO
        assert bench.events(EventKind.AVAILABILITY, CHILLER_1)[-2].body["who"] == "Wang"

    bench = Selectors(tmp_path)
    bench.run(trips, kill=True)
    bench.run(later)


@pytest.mark.parametrize(
    "quality, reason, availability",
    [
        (Quality.UNCERTAIN, OUT_OF_SERVICE, Availability.OUT_OF_SERVICE),
        (Quality.UNCERTAIN, LOCAL_OVERRIDE, Availability.LOCAL),
        (Quality.GOOD, LOCAL_OVERRIDE, Availability.LOCAL),
    ],
)
def test_what_a_device_says_against_what_is_written(
    tmp_path: Path, quality: Quality, reason: str, availability: Availability
) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(BRIGHTNESS, 0.5, quality, reason)
        await bench.wait(3)
        assert _availability(bench, LAMPS) is availability
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        bench.plant.lights.set(BRIGHTNESS, 0.5)
        await bench.wait(40)
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    assert Bench(tmp_path).run(life)


def test_silence_drops_nothing_at_once_and_starts_nothing(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(LOCAL, None, Quality.BAD, "wire broken")
        await bench.wait(55)
        assert bench.plant.lights.value(LAMP_REMOTE) is True
        await bench.wait(10)
        assert _availability(bench, LAMPS) is Availability.UNKNOWN
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        with pytest.raises(OperatorCommandRefused, match="wire broken"):
            await bench.command(BRIGHTNESS, 0.9)
        bench.plant.lights.set(LOCAL, False)
        await bench.wait(3)
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    assert Selectors(tmp_path).run(life)


def test_life_safety_is_not_kept_from_what_is_only_unknown(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        control = bench.daemon.scan.controls[BRIGHTNESS]

        def up() -> None:
            ends = bench.clock.monotonic() + 600.0
            command = Command(
                BRIGHTNESS, 1.0, Priority.AUTOMATIC_LIFE_SAFETY, "fire", ends, Text("nobody may dim", "不得调暗")
            )
            control.array = control.array.with_command(command)

        bench.plant.lights.set(LOCAL, None, Quality.BAD, "wire broken")
        await bench.wait(90)
        up()
        await bench.wait(3)
        assert (bench.plant.lights.value(BRIGHTNESS), bench.plant.lights.value(LAMP_REMOTE)) == (1.0, True)
        bench.plant.lights.set(LOCAL, True)
        await bench.wait(3)
        assert bench.plant.lights.value(LAMP_REMOTE) is False, "somebody has their hands in it"

    Selectors(tmp_path).run(life)


def test_silence_is_no_reset(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        bench.plant.plant.set(TRIPPED, True)
        await bench.wait(5)
        bench.plant.plant.set(TRIPPED, None, Quality.BAD, "wire broken")
        await bench.wait(3600)
        assert _availability(bench, PUMP_1) is Availability.TRIPPED

    Selectors(tmp_path).run(life)


def test_a_start_with_a_silent_selector_keeps_what_was_held_for_a_while(tmp_path: Path) -> None:
    async def before(bench: Bench) -> None:
        await bench.wait(10)

    async def after(bench: Bench) -> None:
        await bench.wait(20)
        assert _availability(bench, LAMPS) is Availability.UNKNOWN
        assert bench.plant.lights.value(LAMP_REMOTE) is True
        await bench.wait(60)
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    bench = Selectors(tmp_path)
    bench.run(before, kill=True)
    bench.plant.lights.set(LOCAL, None, Quality.BAD, "wire broken")
    bench.run(after)


# --- locked out by a person -------------------------------------------------------------------------------------------


def test_what_waits_for_its_turn_on_the_line_is_not_written_after_a_lock_out(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        session = next(each.session for each in bench.daemon.links if PUMP in each.points)
        assert session is not None
        async with session.lock:
            await bench.command(PUMP, True)
            await bench.wait(0.5)
            await bench.daemon.lock_out(PUMP_1, "Li", "hands in it")
            await bench.wait(0.5)
        await bench.wait(5)
        assert bench.plant.written(PUMP) == bench.plant.written(PUMP_REMOTE) == []

    assert Bench(tmp_path).run(life)


def test_a_lock_out_lets_go_refuses_everybody_and_survives_a_crash(tmp_path: Path) -> None:
    async def locks(bench: Bench) -> None:
        await bench.command(BRIGHTNESS, 0.9)
        await bench.wait(10)
        await bench.daemon.lock_out(LAMPS, "Li", "new drivers")
        await bench.wait(3)
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    async def finds(bench: Bench) -> None:
        await bench.wait(3600)
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        with pytest.raises(OperatorCommandRefused, match="locked out by Li: new drivers"):
            await bench.command(BRIGHTNESS, 0.9)
        await bench.daemon.unlock(LAMPS, "Li", "", "")
        await bench.wait(3)
        assert (bench.plant.lights.value(BRIGHTNESS), bench.plant.lights.value(LAMP_REMOTE)) == (0.5, True)

    async def again(bench: Bench) -> None:
        await bench.wait(10)
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    bench = Bench(tmp_path)
    bench.run(locks, kill=True)
    bench.run(finds, kill=True)
    assert bench.run(again)


def test_a_locked_pump_is_let_go_in_order_the_chiller_first(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await _running(bench)
        del bench.plant.writes[:]
        await bench.daemon.lock_out(PUMP_1, "Li", "seal leaks")
        await bench.wait(70)
        assert bench.plant.plant.value(PUMP_REMOTE) is True, "the chiller still runs"
        assert bench.plant.plant.value(CHILLER_REMOTE) is False
        assert "let go before plant.pump_1" in bench.daemon.scan.controls[CHILLER].limit.en
        bench.plant.plant.set(CHILLER_STATUS, False)
        await bench.wait(70)
        assert bench.plant.plant.value(PUMP_REMOTE) is False
        bench.plant.plant.set(PUMP_STATUS, True)
        await bench.wait(400)
        assert bench.plant.plant.value(CHILLER_REMOTE) is True, "it is whoever's again"
        assert bench.plant.plant.value(PUMP_REMOTE) is False

    Bench(tmp_path).run(life)


def test_each_takes_off_their_own_lock_or_says_why(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        daemon = bench.daemon
        await daemon.lock_out(LAMPS, "Li", "new drivers")
        await daemon.lock_out(LAMPS, "Wang", "cable")
        await daemon.unlock(LAMPS, "Li", "", "")
        await bench.wait(5)
        assert _availability(bench, LAMPS) is Availability.LOCKED_OUT, "Wang still works there"
        with pytest.raises(AvailabilityRefused, match="it is locked by Wang"):
            await daemon.unlock(LAMPS, "Li", "", "")
        with pytest.raises(AvailabilityRefused, match="say why"):
            await daemon.unlock(LAMPS, "Li", "Wang", "")
        await daemon.unlock(LAMPS, "Li", "Wang", "gone home, nobody is there")
        removed = bench.events(EventKind.AVAILABILITY, LAMPS)[-2].body
        assert (removed["who"], removed["lock_of"], removed["why"]) == ("Li", "Wang", "gone home, nobody is there")
        with pytest.raises(AvailabilityRefused, match="not locked out"):
            await daemon.unlock(LAMPS, "Li", "", "")
        for equipment, who, why in (("garage.group_9", "Li", "x"), (LAMPS, "", "x"), (LAMPS, "Li", "")):
            with pytest.raises(AvailabilityRefused):
                await daemon.lock_out(equipment, who, why)

    Bench(tmp_path).run(life)


def test_it_is_shown_everywhere(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.daemon.lock_out(LAMPS, "Li", "new drivers")
        await bench.wait(5)
        shown = status(bench.daemon)["unavailable"]
        assert [(each["equipment"], each["availability"]) for each in shown] == [(LAMPS, "locked_out")]  # pyright: ignore
        told = explain(bench.daemon, BRIGHTNESS)
        assert told["availability"] == {
            "availability": "locked_out",
            "reason": {"en": "locked out by Li: new drivers", "zh": "由 Li 锁定：new drivers"},
        }
        assert any("locked out by Li" in line for line in told_by_explain(told, "en"))
        assert [each.body.get("availability") for each in bench.events(EventKind.AVAILABILITY, LAMPS)] == ["locked_out"]

    Bench(tmp_path).run(life)


def test_out_of_service_by_the_site(tmp_path: Path) -> None:
    class UnderRepair(Bench):
        def site(self) -> Site:
            return replace(super().site(), out_of_service={LAMPS: "burnt down"})

    async def life(bench: Bench) -> None:
        await bench.wait(60)
        assert bench.plant.writes == []
        with pytest.raises(OperatorCommandRefused, match="burnt down"):
            await bench.command(BRIGHTNESS, 0.9)

    assert UnderRepair(tmp_path).run(life)


def test_a_shadow_goes_on_thinking(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.daemon.lock_out(LAMPS, "Li", "new drivers")
        await bench.wait(60)
        shadow = bench.daemon.scan.controls[BRIGHTNESS].shadow.winner
        assert shadow is not None
        assert shadow.value == 0.5
        assert bench.plant.writes == []

    assert Bench(tmp_path, mode=Mode.SHADOW, lease=timedelta(seconds=30)).run(life)
