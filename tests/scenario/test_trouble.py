"""Links, devices and writes that fail: what the site shows, what is told, and what happens on return."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.event import EventKind
from controller.core.point import Limits, PointId
from controller.core.sample import Quality
from controller.core.site import Device, Site
from tests.bench import (
    BRIGHTNESS,
    CHILLER_STATUS,
    DEMAND,
    LAMP_REMOTE,
    LIGHTS,
    MOTION,
    PUMP,
    PUMP_REMOTE,
    START,
    Bench,
)
from tests.changed_bench import ChangedBench
from tests.scenario.test_taking_over import start_plant


def pauses(times: Sequence[float]) -> list[float]:
    return [round(later - earlier) for earlier, later in itertools.pairwise(times)]


# --- writes -----------------------------------------------------------------------------------------------------------


@pytest.mark.fault("ignored write")
@pytest.mark.parametrize("refused", [True, False])
@pytest.mark.slow
def test_a_write_without_effect_is_tried_again_ever_more_rarely_and_told_once(tmp_path: Path, refused: bool) -> None:
    bench = Bench(tmp_path)
    written: list[float] = []

    async def life(bench: Bench) -> None:
        await bench.wait(10)
        if refused:
            bench.plant.lights.refuse(BRIGHTNESS, "busy")
        else:
            bench.plant.lights.ignore(BRIGHTNESS)
        bench.plant.lights.set(DEMAND, 0.8)
        await bench.wait(3000)
        commands = bench.events(EventKind.COMMAND, BRIGHTNESS)
        written.extend(each.at.timestamp() for each in commands if each.body["value"] == 0.8)
        alarms = bench.alarms(BRIGHTNESS)
        assert alarms == [("ignored", "active")]
        bench.plant.lights.accept(BRIGHTNESS)
        bench.plant.lights.ignored.clear()
        await bench.wait(900)
        assert bench.alarms(BRIGHTNESS) == [("ignored", "active"), ("ignored", "cleared")]
        assert bench.plant.lights.value(BRIGHTNESS) == 0.8
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    assert bench.run(life)
    between = pauses(written)
    assert all(later >= earlier for earlier, later in itertools.pairwise(between))
    assert between[0] <= 20
    assert between[-1] == pytest.approx(600, abs=5)


@pytest.mark.fault("command obeyed, and the machine does not run")
def test_an_effect_that_is_missing_is_told_and_cleared(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await start_plant(bench)
        chiller = PointId("plant.chiller_1.enable_command")
        bench.plant.plant.on_write = None
        bench.plant.plant.set(CHILLER_STATUS, False)
        await bench.wait(170)
        assert bench.alarms(chiller) == []
        await bench.wait(20)
        assert bench.alarms(chiller) == [("effect missing", "active")]
        bench.plant.plant.set(CHILLER_STATUS, True)
        await bench.wait(2)
        assert bench.alarms(chiller) == [("effect missing", "active"), ("effect missing", "cleared")]
        bench.plant.plant.set(CHILLER_STATUS, False)
        await bench.wait(2)

    bench = Bench(tmp_path)
    bench.run(life)
    alarms = bench.alarms("plant.chiller_1.enable_command")
    assert alarms[2:] == [("effect missing", "active"), ("effect missing", "cleared")], "cleared by letting go, too"


# --- links and devices ------------------------------------------------------------------------------------------------


@pytest.mark.fault("total loss of a link")
def test_a_lost_link_shows_bad_samples_and_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.drop()
        await bench.wait(3)
        assert bench.daemon.scan.frozen is not None
        sample = bench.daemon.scan.frozen.samples[DEMAND]
        assert (sample.value, sample.quality) == (None, Quality.BAD)
        assert "link lost" in sample.reason
        assert bench.daemon.scan.frozen.samples[CHILLER_STATUS].is_good, "the other link goes on"
        await bench.wait(600)
        bench.plant.lights.restore()
        await bench.wait(70)
        assert bench.daemon.scan.frozen.samples[DEMAND].is_good

    bench = Bench(tmp_path)
    with caplog.at_level(logging.INFO, "controller.runtime.link"):
        assert bench.run(life)
    assert [event.body["state"] for event in bench.events(EventKind.LINK, LIGHTS)] == ["connected", "lost", "back"]
    assert len([record for record in caplog.records if "link lights is lost" in record.message]) == 1
    assert len([record for record in caplog.records if "link lights is back" in record.message]) == 1


@pytest.mark.fault("one device lost on a good link")
def test_a_lost_device_is_not_a_lost_link(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        for point in (DEMAND, MOTION, BRIGHTNESS, LAMP_REMOTE):
            bench.plant.lights.refuse(point, "no answer from unit 7")
        await bench.wait(100)
        for point in (DEMAND, MOTION, BRIGHTNESS, LAMP_REMOTE):
            bench.plant.lights.accept(point)
        await bench.wait(10)

    bench = Bench(tmp_path)
    assert bench.run(life)
    told = [event.body["state"] for event in bench.events(EventKind.LINK, "lights_gateway")]
    assert told == ["lost", "back"]
    assert [event.body["state"] for event in bench.events(EventKind.LINK, LIGHTS)] == ["connected"]


@pytest.mark.fault("every device absent at the start")
def test_a_device_that_is_absent_at_the_start_is_told_once_and_taken_when_it_comes(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.plant.lights.drop()

    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(300)
        assert bench.plant.plant.value(PUMP_REMOTE) is True, "the rest works"
        bench.plant.lights.restore()
        await bench.wait(70)
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    assert bench.run(life)
    assert [event.body["state"] for event in bench.events(EventKind.LINK, LIGHTS)] == ["lost", "back"]


@pytest.mark.fault("device reboots and loses its registers")
def test_what_the_device_dropped_while_the_link_was_away_is_taken_again(tmp_path: Path) -> None:
    """The device's own watchdog is nobody's override."""

    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True, 3600)
        await bench.wait(20)
        for far in (bench.plant.lights, bench.plant.plant):
            far.drop()
        await bench.wait(120)
        bench.plant.lights.set(LAMP_REMOTE, False)
        bench.plant.lights.set(BRIGHTNESS, 1.0)
        bench.plant.plant.set(PUMP_REMOTE, False)
        bench.plant.writes.clear()
        for far in (bench.plant.lights, bench.plant.plant):
            far.restore()
        await bench.wait(75)
        assert bench.plant.lights.value(LAMP_REMOTE) is True
        assert bench.plant.lights.value(BRIGHTNESS) == 0.5
        assert bench.plant.plant.value(PUMP_REMOTE) is True
        order = [point for point, value in bench.plant.writes if point in (BRIGHTNESS, LAMP_REMOTE) and value]
        assert order[:2] == [BRIGHTNESS, LAMP_REMOTE], "the value before the bit"

    bench = Bench(tmp_path)
    assert bench.run(life)
    for point in (LAMP_REMOTE, BRIGHTNESS, PUMP_REMOTE):
        assert bench.alarms(point) == []


@pytest.mark.fault("half-open connection: accepts, and answers nothing")
def test_a_device_that_hangs_does_not_hold_up_the_scan_nor_the_stop(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.plant.hang()
        before = bench.daemon.scan.count
        await bench.wait(100)
        assert bench.daemon.scan.count - before >= 100
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    bench = Bench(tmp_path)
    assert bench.run(life)
    assert bench.plant.lights.value(LAMP_REMOTE) is False


def test_a_gap_is_a_bad_row_in_history(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.drop()
        await bench.wait(30)
        bench.plant.lights.restore()
        await bench.wait(70)
        await bench.daemon.recorder.flush()
        samples = await bench.historian.read_samples(DEMAND, START, START + timedelta(hours=1))
        qualities = [sample.quality for sample in samples]
        assert Quality.BAD in qualities
        assert qualities[0] is qualities[-1] is Quality.GOOD

    Bench(tmp_path).run(life)


# --- urgent points ----------------------------------------------------------------------------------------------------


def test_an_urgent_point_is_scanned_within_a_tenth_of_a_second(tmp_path: Path) -> None:
    bench = _polled_every(Bench(tmp_path), timedelta(milliseconds=50), timedelta(seconds=10))

    async def life(bench: Bench) -> None:
        await bench.wait(12.3)
        assert bench.daemon.scan.frozen is not None
        scans = bench.daemon.scan.count
        bench.plant.lights.set(MOTION, True)
        await bench.wait(0.16)
        assert bench.daemon.scan.frozen.samples[MOTION].value is True
        for _ in range(100):
            bench.plant.lights.set(MOTION, not bench.plant.lights.value(MOTION))
            await bench.wait(0.05)
        assert 30 <= bench.daemon.scan.count - scans <= 55, "at most one in a tenth of a second"

    bench.run(life)


def test_urgent_points_are_polled_at_their_own_pace(tmp_path: Path) -> None:
    class TwoPaces(ChangedBench):
        def change(self, site: Site) -> Site:
            slow = timedelta(seconds=20)
            links = tuple(
                replace(link, devices=tuple(_with_pace(device, slow, MOTION) for device in link.devices))
                for link in site.links
            )
            return replace(site, links=links)

    async def life(bench: Bench) -> None:
        await bench.wait(30.5)
        assert bench.daemon.scan.frozen is not None
        bench.plant.lights.set(MOTION, True)
        bench.plant.lights.set(DEMAND, 0.9)
        await bench.wait(2)
        assert bench.daemon.scan.frozen.samples[MOTION].value is True
        assert bench.daemon.scan.frozen.samples[DEMAND].value == 0.5
        await bench.wait(10)
        assert bench.daemon.scan.frozen.samples[DEMAND].value == 0.9

    TwoPaces(tmp_path).run(life)


def _with_pace(device: Device, slow: timedelta, urgent: PointId) -> Device:
    if urgent not in device.points:
        return device
    return replace(device, poll_every=slow, urgent=(urgent,), urgent_every=timedelta(seconds=1))


def _polled_every(bench: Bench, poll: timedelta, scan: timedelta) -> Bench:
    class Quick(ChangedBench):
        def change(self, site: Site) -> Site:
            links = tuple(
                replace(link, devices=tuple(replace(device, poll_every=poll) for device in link.devices))
                for link in site.links
            )
            return replace(site, links=links, scan_every=scan)

    return Quick(bench.tmp_path)


# --- the same again ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_same_run_twice_is_the_same_to_the_bit(tmp_path: Path) -> None:
    def one(folder: Path) -> tuple[object, object]:
        folder.mkdir()
        bench = Bench(folder)

        async def life(bench: Bench) -> None:
            await start_plant(bench)
            bench.plant.lights.drop()
            await bench.wait(47)
            bench.plant.lights.restore()
            bench.plant.lights.set(DEMAND, 0.3)
            await bench.wait(100)
            bench.plant.plant.set(PUMP, False)
            bench.plant.lights.set(MOTION, True)
            await bench.wait(100)

        bench.run(life)
        return bench.plant.writes, list(bench.daemon.journal.recent)

    assert one(tmp_path / "one") == one(tmp_path / "two")


@pytest.mark.fault("link that flaps")
@pytest.mark.slow
def test_a_link_that_comes_and_goes_is_told_as_that(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def told() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.getMessage().startswith("link lights")]

    async def life(bench: Bench) -> None:
        lights = bench.plant.lights
        for _ in range(600):
            await bench.wait(5)
            lights.drop()
            await bench.wait(5)
            lights.restore()
        assert "comes and goes; told again once it was steady for 10 min" in told()[-1]
        assert len(told()) <= 10
        await bench.wait(900)
        lights.drop()
        await bench.wait(2)
        assert told()[-1].startswith("link lights is lost")
        lights.restore()
        await bench.wait(60)

    with caplog.at_level(logging.INFO):
        assert Bench(tmp_path).run(life)


@pytest.mark.slow
def test_what_somebody_set_is_left_at_the_rate_of_the_point(tmp_path: Path) -> None:
    class Rated(ChangedBench):
        def change(self, site: Site) -> Site:
            point = site.points[BRIGHTNESS]
            assert point.writable is not None
            writable = replace(point.writable, limits=Limits(maximum_rate=0.001))
            return replace(site, points={**site.points, BRIGHTNESS: replace(point, writable=writable)})

    bench = Rated(tmp_path)

    async def life(bench: Bench) -> None:
        await bench.wait(600)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.5
        bench.plant.lights.set(BRIGHTNESS, 0.95)
        await bench.wait(850)
        bench.plant.writes.clear()
        await bench.wait(100)

    bench.run(life)
    first, *_ = bench.plant.written(BRIGHTNESS)
    assert first == pytest.approx(0.949, abs=0.0015)


def test_what_was_never_written_is_not_looked_for_by_the_next_start(tmp_path: Path) -> None:
    """The link goes while a wish waits for its turn on the wire, and comes back when nobody wishes it any more."""

    async def life(bench: Bench) -> None:
        await bench.wait(10.5)
        bench.plant.plant.hang()
        await bench.wait(1)
        await bench.command(PUMP, True, 5.0)
        await bench.wait(10)
        bench.plant.plant.resume()
        await bench.wait(30)
        assert True not in bench.plant.written(PUMP)
        assert {held.point for held in await bench.daemon.store.load_held()} == {BRIGHTNESS, LAMP_REMOTE}

    assert Bench(tmp_path).run(life)
