"""Drivers with defects, and drivers that behave as client libraries do: the site goes on, or lets go, all the same."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from controller.core.errors import ConnectFailed, DeviceRefused, DeviceTimeout
from controller.core.ledger import Verdict
from controller.core.point import PointId
from controller.core.ports import WriteResult
from controller.core.sample import Sample, Scalar
from controller.core.site import Site
from drivers.memory import MemoryDriver
from tests.bench import (
    BRIGHTNESS,
    DEMAND,
    LAMP_REMOTE,
    LIGHTS,
    MOTION,
    PUMP,
    PUMP_REMOTE,
    Bench,
)
from tests.changed_bench import ChangedBench, with_driver


class _Defective(MemoryDriver):
    """Raises what no driver may raise once its far side asks for it."""

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        if self.far_side.value(DEMAND) == 0.77:
            if self.far_side.value(MOTION) is False:
                self.far_side.set(DEMAND, 0.5)  # once
            raise ZeroDivisionError("a defect in a driver")
        return await super().read(points)


@pytest.mark.fault("defect of our own (exit code 1)")
@pytest.mark.parametrize("lasting", [False, True])
def test_a_defect_lets_everything_go_and_is_raised(
    tmp_path: Path, lasting: bool, caplog: pytest.LogCaptureFixture
) -> None:
    bench = with_driver(Bench(tmp_path), _Defective)

    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(20)
        bench.plant.lights.set(MOTION, lasting)
        bench.plant.lights.set(DEMAND, 0.77)
        await bench.wait(900)

    with pytest.raises(ExceptionGroup) as raised:
        bench.run(life)
    assert [str(error) for error in raised.value.exceptions] == ["a defect in a driver"]
    assert bench.plant.plant.value(PUMP_REMOTE) is False, "the other link lets go whatever happens to this one"
    if not lasting:
        assert bench.plant.lights.value(LAMP_REMOTE) is False
    assert lasting is any("failed while letting go" in record.message for record in caplog.records)


class _Hasty(MemoryDriver):
    """Turns being cancelled into a lost connection, as client libraries do."""

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        try:
            return await super().read(points)
        except asyncio.CancelledError:
            raise ConnectFailed("lights", "read", "connection closed") from None


class _Stubborn(MemoryDriver):
    """Neither connects nor closes by itself while its far side hangs."""

    async def __aenter__(self) -> Self:
        if self.far_side.hung:
            await asyncio.Event().wait()
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.far_side.hung:
            await asyncio.Event().wait()


def test_a_driver_that_hides_being_cancelled_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    bench = with_driver(Bench(tmp_path), _Hasty)

    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.hang()
        await bench.plant.lights.asked.wait()  # in the middle of a read

    began = bench.now
    bench.run(life)
    assert bench.now - began < timedelta(minutes=12)


@pytest.mark.fault("driver that never returns")
def test_a_driver_that_never_connects_nor_closes_is_given_up_and_tried_again(tmp_path: Path) -> None:
    bench = with_driver(Bench(tmp_path), _Stubborn)

    async def life(bench: Bench) -> None:
        await bench.command(PUMP, True)
        await bench.wait(10)
        bench.plant.lights.hang()
        await bench.wait(300)
        assert bench.plant.plant.value(PUMP_REMOTE) is True
        bench.plant.lights.resume()
        await bench.wait(130)
        assert bench.daemon.scan.frozen is not None
        assert bench.daemon.scan.frozen.samples[DEMAND].is_good
        bench.plant.lights.hang()

    bench.run(life)
    assert bench.plant.plant.value(PUMP_REMOTE) is False
    assert LAMP_REMOTE in bench.daemon.writer.holdings, "nobody can tell"


class _Cut(MemoryDriver):
    """Loses the link between the bytes of 80 % and their answer, once."""

    async def write(self, values: Mapping[PointId, Scalar | None]) -> Mapping[PointId, WriteResult]:
        results = await super().write(values)
        if values.get(BRIGHTNESS) == 0.8 and self.far_side.value(MOTION) is False:
            self.far_side.set(MOTION, True)
            self.far_side.drop()
            raise ConnectFailed("lights", "write", "connection reset")
        return results


@pytest.mark.fault("delayed write: the answer is lost")
def test_bytes_whose_answer_was_lost_are_ours_all_the_same(tmp_path: Path) -> None:
    bench = with_driver(Bench(tmp_path), _Cut)

    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(DEMAND, 0.8)
        await bench.wait(5)
        assert not bench.daemon.links[0].is_up
        bench.plant.lights.restore()
        await bench.wait(75)
        holding = bench.daemon.writer.holdings[BRIGHTNESS]
        assert (holding.verdict, holding.value, holding.before) == (Verdict.OWNED, 0.8, 1.0)

    assert bench.run(life)
    assert bench.alarms(BRIGHTNESS) == []


_opened: list[MemoryDriver] = []


class _Mute(MemoryDriver):
    """Accepts every connection and answers nothing while there is motion."""

    async def __aenter__(self) -> Self:
        _opened.append(self)
        return await super().__aenter__()

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        if self.far_side.value(MOTION):
            raise DeviceTimeout("lights", "read", "no answer")
        return await super().read(points)


@pytest.mark.fault("half-open connection: accepts, and answers nothing")
def test_a_device_that_connects_and_says_nothing_is_asked_ever_more_rarely(tmp_path: Path) -> None:
    bench = with_driver(Bench(tmp_path), _Mute)

    async def life(bench: Bench) -> None:
        await bench.wait(10)
        _opened.clear()
        bench.plant.lights.set(MOTION, True)
        await bench.wait(600)
        assert 10 <= len(_opened) <= 20
        bench.plant.lights.set(MOTION, False)
        await bench.wait(70)
        assert bench.daemon.links[0].is_up
        bench.plant.lights.set(MOTION, True)
        await bench.wait(1.5)
        assert not bench.daemon.links[0].is_up
        bench.plant.lights.set(MOTION, False)
        await bench.wait(2)
        assert bench.daemon.links[0].is_up, "an answer starts the pauses anew"

    assert bench.run(life)


class _Guarded(MemoryDriver):
    """Wants a password that we do not have while there is motion."""

    async def __aenter__(self) -> Self:
        _opened.append(self)
        if self.far_side.value(MOTION):
            raise DeviceRefused("lights", "connect", "wrong password")
        return await super().__aenter__()


@pytest.mark.slow
def test_a_link_that_refuses_us_is_told_once_and_left_alone_until_somebody_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench = with_driver(Bench(tmp_path), _Guarded)

    async def life(bench: Bench) -> None:
        await bench.wait(10)
        bench.plant.lights.set(MOTION, True)
        bench.plant.lights.drop()
        await bench.wait(1.5)
        bench.plant.lights.restore()
        _opened.clear()
        await bench.wait(7200)
        assert len(_opened) == 1, "one try after the link was lost, and none in two hours"
        assert bench.alarms(LIGHTS) == [("link refused", "active")]
        assert sum(record.name == "controller.runtime.link" for record in caplog.records) == 4
        assert bench.daemon.image.present[BRIGHTNESS].reason == "link lost: wrong password"

        bench.daemon.retry(LIGHTS, "li.na")
        await bench.wait(1)
        assert len(_opened) == 2
        assert bench.alarms(LIGHTS) == [("link refused", "active")], "told once, however often it is tried"
        bench.plant.lights.set(MOTION, False)
        bench.daemon.retry(LIGHTS, "li.na")
        await bench.wait(1)
        assert bench.daemon.links[0].is_up
        assert bench.alarms(LIGHTS) == [("link refused", "active"), ("link refused", "cleared")]

    with caplog.at_level(logging.INFO):
        assert bench.run(life)


def test_a_link_that_refuses_us_while_we_let_go_is_tried_again(tmp_path: Path) -> None:
    class RefusingOnce(MemoryDriver):
        async def __aenter__(self) -> Self:
            _opened.append(self)
            if len(_opened) == 2:
                raise DeviceRefused("lights", "connect", "not authorized")
            return await super().__aenter__()

    async def life(bench: Bench) -> None:
        await bench.wait(10)
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    _opened.clear()
    assert with_driver(Bench(tmp_path), RefusingOnce).run(life)
    assert len(_opened) == 3, "at work, refused, and let go"


def test_a_word_while_a_link_is_being_tried_counts(tmp_path: Path) -> None:
    class SlowGuard(_Guarded):
        async def __aenter__(self) -> Self:
            await asyncio.sleep(5.0)
            return await super().__aenter__()

    bench = with_driver(Bench(tmp_path), SlowGuard)

    async def life(bench: Bench) -> None:
        bench.plant.lights.set(MOTION, True)
        await bench.wait(3)
        bench.daemon.retry(LIGHTS, "li.na")
        await bench.wait(4)
        bench.plant.lights.set(MOTION, False)
        await bench.wait(6)
        assert bench.daemon.links[0].is_up

    assert bench.run(life)


class _Overtaken(MemoryDriver):
    """Answers a poll with what it was told before, although it has been told something newer meanwhile."""

    told: Sample | None = None

    async def read(self, points: Collection[PointId]) -> Mapping[PointId, Sample]:
        known = self.told
        if known is not None and len(points) > 1:
            await asyncio.sleep(3.0)
        return {**await super().read(points), **({} if known is None or MOTION not in points else {MOTION: known})}

    async def changes(self) -> AsyncGenerator[Mapping[PointId, Sample]]:
        while True:
            self.far_side.asked.clear()
            await self.far_side.asked.wait()
            samples = await super().read([MOTION])
            self.told = samples[MOTION]
            yield samples


def test_what_was_told_is_not_overwritten_by_what_was_asked_before(tmp_path: Path) -> None:
    bench = with_driver(Bench(tmp_path), _Overtaken)
    seen: set[Scalar | None] = set()

    async def life(bench: Bench) -> None:
        lights = bench.plant.lights
        await bench.wait(5.5)
        lights.set(MOTION, False)
        lights.asked.set()
        await bench.wait(1)
        lights.set(MOTION, True)
        lights.asked.set()
        for _ in range(40):
            await bench.wait(0.1)
            seen.add(bench.daemon.image.present[MOTION].value)

    assert bench.run(life)
    assert seen == {True}


class _Telling(MemoryDriver):
    """Tells motion by itself, between two polls."""

    async def changes(self) -> AsyncGenerator[Mapping[PointId, Sample]]:
        while self.far_side.value(DEMAND) != 0.9:
            self.far_side.asked.clear()
            await self.far_side.asked.wait()
            yield await super().read([MOTION])
        raise ConnectFailed("lights", "listen", "connection reset")


def test_what_a_device_tells_by_itself_is_seen_at_once(tmp_path: Path) -> None:
    class SlowPolls(ChangedBench):
        def change(self, site: Site) -> Site:
            lights, *others = with_driver(bench, _Telling).site().links
            device = replace(lights.devices[0], poll_every=timedelta(seconds=20))
            return replace(site, links=(replace(lights, devices=(device,)), *others))

    bench = Bench(tmp_path)

    async def life(bench: Bench) -> None:
        await bench.wait(5.3)
        bench.plant.lights.set(MOTION, True)
        bench.plant.lights.asked.set()
        await bench.wait(0.2)
        assert bench.daemon.scan.frozen is not None
        assert bench.daemon.scan.frozen.samples[MOTION].value is True, "an early scan, long before the next poll"
        bench.plant.lights.set(DEMAND, 0.9)
        bench.plant.lights.asked.set()
        await bench.wait(0.2)
        assert not bench.daemon.links[0].is_up, "who listens notices the loss first"
        bench.plant.lights.set(DEMAND, 0.5)

    assert SlowPolls(tmp_path, plant=bench.plant).run(life)
