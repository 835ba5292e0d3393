"""People come before strategies, for a time that ends."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.event import EventKind
from controller.core.ledger import Verdict
from controller.core.sample import Scalar
from controller.core.system import Authority
from controller.runtime.operator import OperatorCommandRefused
from tests.bench import BRIGHTNESS, DEMAND, LAMP_REMOTE, PUMP, START, SYSTEMS, Bench, with_system


def test_an_operator_wins_until_the_end(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        await bench.command(BRIGHTNESS, 0.8, 600)
        await bench.wait(2)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.8
        bench.plant.lights.set(DEMAND, 0.3)
        await bench.wait(595)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.8
        await bench.wait(6)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.3

    assert Bench(tmp_path).run(life)


def test_an_operator_may_take_the_command_back(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(BRIGHTNESS, 0.8, 600)
        await bench.wait(5)
        assert await bench.daemon.relinquish(BRIGHTNESS, "operator") is True
        await bench.wait(2)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.5
        assert await bench.daemon.relinquish(BRIGHTNESS, "operator") is False

    async def after(bench: Bench) -> None:
        await bench.wait(10)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.5

    bench = Bench(tmp_path)
    bench.run(life, kill=True)
    bench.run(after)


@pytest.mark.parametrize(
    "point, value, words",
    [
        (BRIGHTNESS, 1.5, "takes 0.1 to 1"),
        (BRIGHTNESS, float("nan"), "takes 0.1 to 1"),
        (BRIGHTNESS, True, "is a number"),
        (BRIGHTNESS, "half", "is a number"),
        (PUMP, 0.5, "on or off"),
        (LAMP_REMOTE, True, "set by Tidewatt itself"),
        (DEMAND, 0.5, "not a writable point"),
    ],
)
def test_a_command_that_cannot_be_is_refused_with_the_reason(
    tmp_path: Path, point: str, value: Scalar, words: str
) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        known = next(each for each in bench.daemon.site.points if each == point)
        with pytest.raises(OperatorCommandRefused, match=words):
            await bench.command(known, value)
        with pytest.raises(OperatorCommandRefused, match="an end in the future"):
            await bench.command(BRIGHTNESS, 0.5, 0)

    assert Bench(tmp_path).run(life)


def test_a_command_survives_a_kill_with_at_most_what_was_left(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(BRIGHTNESS, 0.8, 600)
        await bench.wait(400)

    async def after(bench: Bench) -> None:
        await bench.wait(190)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.8
        await bench.wait(12)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.5

    bench = Bench(tmp_path)
    bench.run(life, kill=True)
    bench.run(after)


def test_a_command_does_not_outlast_its_end_while_we_are_dead(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(BRIGHTNESS, 0.8, 600)
        await bench.wait(10)

    async def after(bench: Bench) -> None:
        await bench.wait(10)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.5

    bench = Bench(tmp_path)
    bench.run(life, kill=True)
    bench.now += timedelta(hours=1)
    bench.run(after)


def test_a_clock_that_lost_its_date_does_not_bring_an_ended_command_back(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(BRIGHTNESS, 0.8, 60)
        await bench.wait(120)

    async def after(bench: Bench) -> None:
        await bench.wait(10)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.5

    bench = Bench(tmp_path)
    bench.run(life, kill=True)
    bench.now = START - timedelta(days=5000)
    bench.run(after)


def test_handing_a_system_back_ends_the_commands_of_its_people(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(BRIGHTNESS, 0.8, 3600)
        await bench.wait(10)
        await bench.daemon.set_authority("garage", Authority.ORIGINAL, "operator")
        await bench.wait(10)
        await bench.daemon.set_authority("garage", Authority.TIDEWATT, "operator")
        await bench.wait(10)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.5

    assert Bench(tmp_path).run(life)


# --- somebody at the panel --------------------------------------------------------------------------------------------


@pytest.mark.fault("person at the panel")
def test_what_somebody_set_at_the_panel_is_left_alone_until_the_yield_time_ends(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(BRIGHTNESS, 0.9)
        await bench.wait(890)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.9
        assert bench.daemon.writer.holdings[BRIGHTNESS].verdict is Verdict.OVERRIDDEN
        assert bench.alarms(BRIGHTNESS) == [("overridden", "active")]
        await bench.wait(20)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.5
        assert bench.alarms(BRIGHTNESS) == [("overridden", "active"), ("overridden", "cleared")]

    assert Bench(tmp_path).run(life)


@pytest.mark.parametrize("asked", [BRIGHTNESS, LAMP_REMOTE])
def test_a_person_hands_an_overridden_machine_back_by_any_of_its_points(tmp_path: Path, asked: str) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(LAMP_REMOTE, False)
        await bench.wait(100)
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        await bench.daemon.relinquish(next(each for each in (BRIGHTNESS, LAMP_REMOTE) if each == asked), "operator")
        await bench.wait(3)
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    assert Bench(tmp_path).run(life)


@pytest.mark.fault("person at the panel")
def test_nothing_of_a_machine_is_written_while_its_bit_is_overridden(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(LAMP_REMOTE, False)
        await bench.wait(3)
        bench.plant.writes.clear()
        bench.plant.lights.set(DEMAND, 0.7)
        await bench.wait(300)
        assert bench.plant.writes == []

    bench = Bench(tmp_path)
    assert bench.run(life)
    assert bench.plant.writes == [], "and letting go leaves it to whoever took it"


@pytest.mark.fault("person at the panel")
def test_an_overridden_point_is_let_go_without_a_write(tmp_path: Path) -> None:
    bench = Bench(tmp_path, systems=with_system(SYSTEMS, "garage", yield_for=timedelta(hours=1)))

    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(BRIGHTNESS, 0.9)
        await bench.wait(10)

    assert bench.run(life)
    assert bench.plant.lights.value(BRIGHTNESS) == 0.9
    assert bench.plant.lights.value(LAMP_REMOTE) is False
    assert [event.body["who"] for event in bench.events(EventKind.COMMAND, BRIGHTNESS) if "who" in event.body] == []


def test_a_command_may_come_while_what_is_left_of_another_is_stored(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.command(BRIGHTNESS, 0.8, 600)
        await asyncio.gather(bench.command(PUMP, True, 600), bench.daemon.operator_commands.save())

    async def after(bench: Bench) -> None:
        await bench.wait(2)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.8
        assert bench.plant.plant.value(PUMP) is True

    bench = Bench(tmp_path)
    bench.run(life, kill=True)
    bench.run(after)
