"""Machines start one after another."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from controller.core.command import Command, Priority
from controller.core.site import Site
from controller.core.text import NO_TEXT
from tests.bench import CHILLER, CHILLER_STATUS, PUMP, PUMP_STATUS, SYSTEMS, Bench, with_system

GAP = timedelta(seconds=10)


class Staggered(Bench):
    def site(self) -> Site:
        equipment = {"plant.chiller_1": "chiller", "plant.pump_1": "pump", "garage.group_1": "lighting_group"}
        return replace(Bench.site(self), equipment=equipment, start_gap=GAP)


def bench(tmp_path: Path) -> Staggered:
    return Staggered(tmp_path, systems=with_system(SYSTEMS, "plant", permissives=()))


def running(bench: Bench) -> tuple[object, object]:
    return bench.plant.plant.value(CHILLER_STATUS), bench.plant.plant.value(PUMP_STATUS)


async def rested(bench: Bench) -> None:
    """The chiller's minimum off time is over."""
    await bench.wait(310)


def test_two_machines_that_are_wished_at_once_start_one_after_the_other(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await rested(bench)
        await bench.command(CHILLER, True)
        await bench.command(PUMP, True)
        await bench.wait(5)
        assert running(bench) == (True, False)
        assert "another machine has just started" in bench.daemon.scan.controls[PUMP].limit.en
        await bench.wait(8)
        assert running(bench) == (True, True)
        assert bench.plant.written(CHILLER).count(True) == 1, "who starts is not stopped again"
        assert False not in bench.plant.written(CHILLER)

    bench(tmp_path).run(life)


def test_what_runs_through_a_restart_waits_for_nobody(tmp_path: Path) -> None:
    here = bench(tmp_path)

    async def before(bench: Bench) -> None:
        await rested(bench)
        await bench.command(PUMP, True, 7200)
        await bench.wait(15)
        await bench.command(CHILLER, True, 7200)
        await bench.wait(15)
        assert running(bench) == (True, True)

    async def after(bench: Bench) -> None:
        await bench.wait(8)
        assert running(bench) == (True, True), "what runs waits for nobody"
        assert False not in bench.plant.written(PUMP)

    here.run(before, kill=True)
    here.plant.writes.clear()
    here.run(after)


def test_life_safety_waits_for_no_other(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await rested(bench)
        await bench.command(CHILLER, True)
        await bench.wait(2)
        control = bench.daemon.scan.controls[PUMP]
        ends = bench.clock.monotonic() + 600
        command = Command(PUMP, True, Priority.AUTOMATIC_LIFE_SAFETY, "fire", ends, NO_TEXT)
        control.array = control.array.with_command(command)
        await bench.wait(3)
        assert bench.plant.plant.value(PUMP_STATUS) is True

    bench(tmp_path).run(life)
