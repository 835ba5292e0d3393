"""Whatever ends a measurement of silence, nothing is left held."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from controller.core.commissioning import Status
from controller.core.site import Site
from controller.core.system import Authority
from controller.runtime.silence_measurement import Measurement, Phase
from drivers.memory import MemoryConnection
from tests.bench import BRIGHTNESS, CHILLER_STATUS, HEARTBEAT, LAMP_REMOTE, PUMP_REMOTE, Bench
from tests.real_bench import RealBench
from tests.scenario.silence_bench import (
    GARAGE,
    GATEWAY,
    LAMPS,
    PLANT,
    begin,
    commissioned,
    over,
    real,
    status_of,
    watched,
)
from tests.scenario.test_taking_over import start_plant


async def in_the_middle(bench: Bench) -> Measurement:
    await commissioned(bench)
    measurement = begin(bench, LAMPS)
    await bench.wait(12)
    assert measurement.phase is Phase.SILENT
    assert bench.daemon.writer.is_silent(LAMP_REMOTE)
    return measurement


async def aborted(bench: Bench, measurement: Measurement, words: str) -> None:
    await over(bench, measurement)
    assert measurement.phase is Phase.ABORTED
    assert words in measurement.note.en
    assert measurement.record is None
    assert status_of(bench, LAMPS) is Status.OPEN
    assert not bench.daemon.writer.is_silent(LAMP_REMOTE)
    await bench.wait(5)
    assert bench.daemon.writer.holdings == {}


def test_it_is_stopped(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        measurement = await in_the_middle(bench)
        bench.daemon.silence.stop()
        await aborted(bench, measurement, "stopped")
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    assert real(tmp_path).run(watched(test))


def test_handing_the_system_back_ends_it(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        measurement = await in_the_middle(bench)
        await bench.daemon.set_authority(GARAGE, Authority.ORIGINAL, "Wang Wei")
        assert not bench.daemon.writer.is_silent(LAMP_REMOTE), "at once"
        await aborted(bench, measurement, "somebody else")
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    assert real(tmp_path).run(watched(test))


def test_another_system_that_changes_hands_does_not(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        measurement = await in_the_middle(bench)
        await commissioned(bench, PLANT)
        await bench.daemon.set_authority(PLANT, Authority.ORIGINAL, "Wang Wei")
        await over(bench, measurement)
        assert measurement.phase is Phase.DONE
        assert status_of(bench, LAMPS) is Status.PASSED

    assert real(tmp_path).run(watched(test))


def test_who_takes_the_command_away_ends_it(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        measurement = await in_the_middle(bench)
        await bench.daemon.relinquish(BRIGHTNESS, "Wang Wei")
        await aborted(bench, measurement, "somebody else")

    assert real(tmp_path).run(watched(test))


def test_a_lost_link_ends_it(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        measurement = await in_the_middle(bench)
        bench.plant.lights.drop()
        await over(bench, measurement)
        assert measurement.phase is Phase.ABORTED
        assert status_of(bench, LAMPS) is Status.OPEN
        bench.plant.lights.restore()
        await bench.wait(90)
        assert bench.daemon.writer.holdings == {}

    assert real(tmp_path).run(watched(test))


def test_waiting_for_the_turn_on_a_busy_line_does_not_end_it(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        measurement = await in_the_middle(bench)
        session = bench.daemon.links[0].session
        assert session is not None
        async with session.lock:
            await bench.wait(12)
        await over(bench, measurement)
        assert measurement.phase is Phase.DONE, measurement.note.en
        assert status_of(bench, LAMPS) is Status.PASSED

    assert real(tmp_path).run(watched(test))


class PatientLink(RealBench):
    """The driver waits longer than the measurement does, and polls seldom come between its looks."""

    def site(self) -> Site:
        site = super().site()
        lights, plant = site.links
        (device,) = lights.devices
        seldom = replace(device, poll_every=timedelta(seconds=20))
        lights = replace(lights, devices=(seldom,), connection=MemoryConnection(timeout=50.0))
        return replace(site, links=(lights, plant))


def test_a_device_that_says_nothing_ends_it_in_words(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await commissioned(bench)
        measurement = begin(bench, LAMPS)
        while measurement.phase is not Phase.SILENT:
            await bench.wait(1)
        bench.plant.lights.hang()
        await over(bench, measurement)
        assert measurement.phase is Phase.ABORTED
        assert measurement.note.en == "the device cannot be watched: lights: read: no answer within 10 s"
        bench.plant.lights.resume()

    PatientLink(tmp_path, first_authority=Authority.ORIGINAL).run(watched(test))


def test_the_end_of_the_daemon_in_the_middle_leaves_nothing_held(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await in_the_middle(bench)

    bench = real(tmp_path)
    assert bench.run(watched(test))
    assert bench.plant.lights.value(LAMP_REMOTE) is False


def test_a_running_plant_is_let_go_in_order_even_in_the_middle(tmp_path: Path) -> None:
    """The heartbeat goes on at once, so that the pumps are not dropped before the chiller has stopped."""

    async def test(bench: Bench) -> None:
        await commissioned(bench, PLANT)
        await start_plant(bench)
        begin(bench, GATEWAY)
        await bench.wait(20)
        await bench.daemon.set_authority(PLANT, Authority.ORIGINAL, "Wang Wei")
        await bench.wait(5)
        bench.plant.writes.clear()
        await bench.wait(200)
        assert len(bench.plant.written(HEARTBEAT)) >= 6
        assert bench.plant.plant.value(PUMP_REMOTE) is True
        bench.plant.plant.set(CHILLER_STATUS, False)
        await bench.wait(70)
        assert bench.daemon.writer.holdings == {}

    async def life(bench: Bench) -> None:
        await bench.wait(3)
        await test(bench)

    assert real(tmp_path).run(life)


def test_a_kill_in_the_middle_leaves_the_rest_to_the_next_start(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        await in_the_middle(bench)

    async def after(bench: Bench) -> None:
        await bench.wait(10)
        assert bench.daemon.writer.holdings == {}
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    bench = real(tmp_path)
    bench.run(watched(test), kill=True)
    bench.plant.lights.on_write = None
    assert bench.run(after)
