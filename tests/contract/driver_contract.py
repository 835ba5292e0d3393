"""What every driver must do, whatever it speaks.

A driver joins by one rig: an async context manager that gives a `Bench`, which is a way to open the driver on the
points below and a hand on the far side of its link. `CHECKS` are run on each rig:

    @pytest.mark.parametrize("check", CHECKS, ids=check_name)
    async def test_my_driver(check: Check) -> None:
        await check(my_rig)

COUNT must lie where the driver reads it together with LEVEL if it reads anything together; OTHER belongs to another
device of the same link than the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol, TypeAlias

import pytest

from controller.core.errors import DeviceError
from controller.core.point import (
    NothingHappens,
    Point,
    PointId,
    PointKind,
    Range,
    ReleaseNull,
    SafeValue,
    ValueType,
    Writable,
)
from controller.core.ports import Driver, Inspects, Stepped, Subscribes
from controller.core.sample import Quality, Sample, Scalar
from controller.core.units import Unit
from tests.hand_clock import HandClock

LEVEL = PointId("contract.one_1.level")
COUNT = PointId("contract.one_1.count")
STATUS = PointId("contract.one_1.status")
SETPOINT = PointId("contract.one_1.setpoint")
COMMAND = PointId("contract.one_1.command")
OTHER = PointId("contract.two_1.level")
NOWHERE = PointId("contract.one_1.nowhere")


def _writable(low: float, high: float, *, relinquishes: bool) -> Writable:
    release = ReleaseNull() if relinquishes else SafeValue(low)
    return Writable(Range(low, high), release, NothingHappens(), readback=SETPOINT)


def contract_points(*, relinquishes: bool) -> dict[PointId, Point]:
    setpoint, command = (_writable(low, high, relinquishes=relinquishes) for low, high in ((5.0, 15.0), (0.0, 1.0)))
    points = (
        Point(LEVEL, PointKind.SENSOR, Unit.CELSIUS, plausible=Range(-50.0, 150.0)),
        Point(COUNT, PointKind.SENSOR, Unit.NONE, ValueType.INTEGER),
        Point(STATUS, PointKind.STATUS, Unit.NONE, ValueType.BOOLEAN),
        Point(SETPOINT, PointKind.SETPOINT, Unit.CELSIUS, writable=setpoint),
        Point(COMMAND, PointKind.COMMAND, Unit.NONE, ValueType.BOOLEAN, writable=command),
        Point(OTHER, PointKind.SENSOR, Unit.CELSIUS),
    )
    return {point.id: point for point in points}


# What the far side holds when a rig starts.
INITIAL: Final[Mapping[PointId, Scalar]] = {
    LEVEL: 21.5,
    COUNT: 7,
    STATUS: True,
    SETPOINT: 7.0,
    COMMAND: False,
    OTHER: -3.25,
}


class FarSide(Protocol):
    """A hand on the device."""

    def set(self, point: PointId, value: Scalar) -> None: ...

    def value(self, point: PointId) -> Scalar | None: ...

    def refuse(self, point: PointId) -> None:
        """The point can be neither read nor written."""
        ...

    def accept(self, point: PointId) -> None: ...

    def hang(self) -> None:
        """Requests arrive and are not answered."""
        ...

    def resume(self) -> None:
        """Answer again; what was asked meanwhile may be answered late."""
        ...

    async def asked(self) -> object:
        """Return once a request has arrived that is not answered because the device hangs."""
        ...

    async def drop(self) -> None:
        """The connection is lost and cannot be made again."""
        ...

    async def restore(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Bench:
    """opens: a driver that waits so many real seconds for an answer. relinquished: what SETPOINT is after it was
    relinquished; None where the protocol cannot relinquish.
    """

    opens: Callable[[float], Driver]
    far: FarSide
    clock: HandClock
    relinquished: Scalar | None = None

    def open(self) -> Driver:
        """Where every question is answered: however busy the machine is, no time-out passes."""
        return self.opens(_PATIENT)

    def open_hasty(self) -> Driver:
        """Where time-outs have to pass, and the test waits for them. Beside other work one may pass too many."""
        return self.opens(_HASTY)


Rig: TypeAlias = Callable[[], AbstractAsyncContextManager[Bench]]
Check: TypeAlias = Callable[[Rig], Awaitable[None]]

# Longer than any driver may keep a refused point or a silent device to itself (design: back-off is capped at 60 s).
_PATIENCE = 61.0
# Real seconds after which a read counts as hanging.
_BOUND = 20.0
# Real seconds for an answer. Loopback answers within milliseconds; a busy machine has held one up for half a second.
_PATIENT, _HASTY = 10.0, 0.3
_TRIES = 5
# Seconds that a stepped plant is brought forward between two looks.
_STEP = 60.0


def check_name(check: Check) -> str:
    return getattr(check, "__name__", repr(check))


def _values(samples: Mapping[PointId, Sample]) -> dict[PointId, Scalar | None]:
    return {point: sample.value for point, sample in samples.items()}


async def _read(bench: Bench, driver: Driver, points: Collection[PointId] = tuple(INITIAL)) -> Mapping[PointId, Sample]:
    async with asyncio.timeout(_BOUND):
        await _pass_time(bench, driver)
        return await driver.read(points)


async def _pass_time(bench: Bench, driver: Driver) -> None:
    """A plant whose time passes only when it is told shows what happened to it when it has come forward."""
    if isinstance(driver, Stepped):
        bench.clock.advance(_STEP)
        await driver.advance()


async def _is_lost(bench: Bench, driver: Driver) -> bool:
    """Whether the driver says that its link is lost; otherwise it must give what the far side holds."""
    try:
        samples = await _read(bench, driver)
    except DeviceError:
        return True
    assert _values(samples) == dict(INITIAL)
    return False


async def _is_lost_or_late(bench: Bench, driver: Driver) -> bool:
    """The same of a hasty driver, which may miss an answer but never takes one for another."""
    try:
        samples = await _read(bench, driver)
    except DeviceError:
        return True
    wrong = {point: sample.value for point, sample in samples.items() if sample.value not in (None, INITIAL[point])}
    assert wrong == {}
    return None in _values(samples).values()


async def _answers(bench: Bench, driver: Driver) -> bool:
    """Whether a hasty driver gives what the far side holds, be it not at the first time of asking."""
    for _ in range(_TRIES):
        with contextlib.suppress(DeviceError):
            if _values(await _read(bench, driver)) == dict(INITIAL):
                return True
        bench.clock.advance(_PATIENCE)
    return False


# --- reading ----------------------------------------------------------------------------------------------------------


async def reads_what_is_there(rig: Rig) -> None:
    async with rig() as bench, bench.open() as driver:
        bench.clock.advance(5.0)
        samples = await _read(bench, driver)
        assert _values(samples) == dict(INITIAL)
        for point, sample in samples.items():
            assert sample.quality is Quality.GOOD, point
            assert isinstance(sample.value, bool) == isinstance(INITIAL[point], bool), point
            assert sample.timestamp == bench.clock.now(), point
            assert sample.timestamp.utcoffset() == timedelta(0), point
            assert sample.received == bench.clock.monotonic(), point


async def sees_changes(rig: Rig) -> None:
    async with rig() as bench, bench.open() as driver:
        await _read(bench, driver)
        bench.far.set(LEVEL, 30.25)
        bench.far.set(STATUS, False)
        samples = await _read(bench, driver)
        assert _values(samples) == {**INITIAL, LEVEL: 30.25, STATUS: False}


async def answers_for_exactly_the_points_asked(rig: Rig) -> None:
    async with rig() as bench, bench.open() as driver:
        samples = await _read(bench, driver, [OTHER, NOWHERE, COUNT])
        assert samples.keys() == {OTHER, NOWHERE, COUNT}
        assert (samples[OTHER].value, samples[COUNT].value) == (INITIAL[OTHER], INITIAL[COUNT])
        assert samples[NOWHERE].quality is Quality.BAD
        assert await _read(bench, driver, []) == {}


async def one_bad_point_hides_no_good_one(rig: Rig) -> None:
    async with rig() as bench, bench.open() as driver:
        bench.far.refuse(COUNT)
        for _ in range(3):
            samples = await _read(bench, driver)
            assert samples[COUNT].quality is Quality.BAD
            assert samples[COUNT].value is None
            assert samples[COUNT].reason
            assert _values(samples) == {**INITIAL, COUNT: None}
        bench.far.accept(COUNT)
        bench.clock.advance(_PATIENCE)
        await _read(bench, driver)
        assert _values(await _read(bench, driver)) == dict(INITIAL)


async def doubts_what_cannot_be(rig: Rig) -> None:
    async with rig() as bench, bench.open() as driver:
        bench.far.set(LEVEL, 151.0)
        sample = (await _read(bench, driver))[LEVEL]
        assert (sample.value, sample.quality) == (None, Quality.BAD)
        assert sample.reason.startswith("implausible")
        bench.far.set(LEVEL, math.nan)
        sample = (await _read(bench, driver))[LEVEL]
        assert (sample.value, sample.quality, sample.reason) == (None, Quality.BAD, "not a number")


# --- writing ----------------------------------------------------------------------------------------------------------


async def writes_arrive_and_read_back(rig: Rig) -> None:
    async with rig() as bench, bench.open() as driver:
        results = await driver.write({SETPOINT: 9.5, COMMAND: True})
        assert [(point, result.accepted) for point, result in results.items()] == [(SETPOINT, True), (COMMAND, True)]
        await _pass_time(bench, driver)
        assert (bench.far.value(SETPOINT), bench.far.value(COMMAND)) == (9.5, True)
        samples = await _read(bench, driver, [SETPOINT, COMMAND])
        assert _values(samples) == {SETPOINT: 9.5, COMMAND: True}


async def refuses_what_may_not_be_written(rig: Rig) -> None:
    async with rig() as bench, bench.open() as driver:
        wishes: list[tuple[PointId, Scalar]] = [
            *((SETPOINT, value) for value in (4.9, 15.1, math.nan, math.inf, "warm")),
            *((COMMAND, value) for value in (2, -1, "on")),
            (LEVEL, 20.0),
            (NOWHERE, 1.0),
        ]
        for point, value in wishes:
            result = (await driver.write({point: value}))[point]
            assert not result.accepted, (point, value)
            assert result.reason, (point, value)
        assert {point: bench.far.value(point) for point in INITIAL} == dict(INITIAL)


async def one_refused_write_holds_back_no_other(rig: Rig) -> None:
    async with rig() as bench, bench.open() as driver:
        bench.far.refuse(SETPOINT)
        results = await driver.write({NOWHERE: 1, SETPOINT: 9.5, COMMAND: True})
        assert [result.accepted for result in results.values()] == [False, False, True]
        await _pass_time(bench, driver)
        assert bench.far.value(COMMAND) is True


async def relinquishes_or_says_that_it_cannot(rig: Rig) -> None:
    async with rig() as bench, bench.open() as driver:
        await driver.write({SETPOINT: 9.5})
        await _pass_time(bench, driver)
        result = (await driver.write({SETPOINT: None}))[SETPOINT]
        if bench.relinquished is None:
            assert not result.accepted
            assert result.reason
            assert bench.far.value(SETPOINT) == 9.5
        else:
            assert result.accepted
            await _pass_time(bench, driver)
            assert bench.far.value(SETPOINT) == bench.relinquished
        assert not (await driver.write({LEVEL: None}))[LEVEL].accepted


# --- trouble ----------------------------------------------------------------------------------------------------------


async def a_lost_link_is_an_error(rig: Rig) -> None:
    async with rig() as bench, bench.open_hasty() as driver:
        assert await _answers(bench, driver)
        await bench.far.drop()
        for _ in range(2):
            with pytest.raises(DeviceError):
                await _read(bench, driver)


async def a_link_lost_while_reading_is_an_error(rig: Rig) -> None:
    async with rig() as bench, bench.open_hasty() as driver:
        bench.far.hang()
        async with asyncio.timeout(_BOUND), asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(_is_lost(bench, driver))
            asked = tasks.create_task(bench.far.asked())
            # A driver in haste may give up before its question is out.
            await asyncio.wait([reading, asked], return_when=asyncio.FIRST_COMPLETED)
            asked.cancel()
            await bench.far.drop()
        assert reading.result()


async def writes_to_a_lost_link_are_answered(rig: Rig) -> None:
    async with rig() as bench, bench.open_hasty() as driver:
        await bench.far.drop()
        results = await driver.write({SETPOINT: 9.5, COMMAND: True})
        assert [(point, result.accepted) for point, result in results.items()] == [(SETPOINT, False), (COMMAND, False)]
        assert all(result.reason for result in results.values())


async def nobody_there_is_an_error(rig: Rig) -> None:
    async with rig() as bench:
        await bench.far.drop()
        with pytest.raises(DeviceError):
            async with asyncio.timeout(_BOUND), bench.open_hasty():
                pass


async def opens_again(rig: Rig) -> None:
    async with rig() as bench:
        driver = bench.open_hasty()
        for _ in range(2):
            async with driver:
                assert await _answers(bench, driver)
                await bench.far.drop()
                assert await _is_lost(bench, driver)
            await bench.far.restore()
        async with bench.open_hasty() as another:
            assert await _answers(bench, another)


async def a_silent_device_is_bounded(rig: Rig) -> None:
    async with rig() as bench:
        driver = bench.open_hasty()
        async with driver:
            bench.far.hang()
            with contextlib.suppress(DeviceError):
                samples = await _read(bench, driver)
                assert all(sample.quality is Quality.BAD for sample in samples.values())
            assert not (await driver.write({SETPOINT: 9.5}))[SETPOINT].accepted
        bench.far.resume()
        bench.clock.advance(_PATIENCE)
        # The device may have taken a write that it did not answer.
        bench.far.set(SETPOINT, INITIAL[SETPOINT])
        async with driver:
            assert await _answers(bench, driver)


async def a_late_answer_is_nobodys_answer(rig: Rig) -> None:
    async with rig() as bench:
        driver = bench.open_hasty()
        async with driver:
            assert await _answers(bench, driver)
            bench.far.hang()
            for point in (LEVEL, OTHER):
                with contextlib.suppress(DeviceError):
                    await _read(bench, driver, [point])
            bench.far.resume()
            bench.clock.advance(_PATIENCE)
            lost = [await _is_lost_or_late(bench, driver) for _ in range(3)]
            assert not all(lost) or await _is_lost(bench, driver)
        async with driver:
            assert await _answers(bench, driver)


async def cancelled_it_is_usable_or_closed(rig: Rig) -> None:
    async with rig() as bench:
        driver = bench.open()
        async with driver:
            bench.far.hang()
            async with asyncio.timeout(_BOUND), asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(_read(bench, driver, [LEVEL]))
                await bench.far.asked()
                reading.cancel()
            assert reading.cancelled()
            # The late answer must not be taken for the answer to a later question.
            bench.far.resume()
            for _ in range(3):
                await _is_lost(bench, driver)
        async with driver:
            assert not await _is_lost(bench, driver)


async def closes_twice(rig: Rig) -> None:
    async with rig() as bench:
        driver = bench.open()
        await driver.__aexit__(None, None, None)
        async with driver:
            await _read(bench, driver)
        await driver.__aexit__(None, None, None)
        with pytest.raises(DeviceError):
            await _read(bench, driver)
        assert not (await driver.write({SETPOINT: 9.5}))[SETPOINT].accepted


# --- what a driver may offer beside ---------------------------------------------------------------------------------


async def shows_the_raw_spelling(rig: Rig) -> None:
    async with rig() as bench, bench.open() as driver:
        assert isinstance(driver, Inspects)
        bench.far.set(LEVEL, 30.25)
        seen = await driver.inspect(LEVEL)
        assert (seen.sample.value, seen.sample.quality) == (30.25, Quality.GOOD)
        assert seen.raw
        bench.far.refuse(COUNT)
        for point in (COUNT, NOWHERE):
            sample = (await driver.inspect(point)).sample
            assert (sample.value, sample.quality) == (None, Quality.BAD), point
            assert sample.reason, point


async def who_listens_hears_of_the_loss(rig: Rig) -> None:
    async def listen(driver: Subscribes) -> None:
        async with aclosing(driver.changes()) as changes:
            async for _ in changes:
                pass

    async with rig() as bench, bench.open_hasty() as driver:
        assert isinstance(driver, Subscribes)
        assert await _answers(bench, driver)
        await bench.far.drop()
        with pytest.raises(DeviceError):
            async with asyncio.timeout(_BOUND):
                await listen(driver)


INSPECTING_CHECKS: tuple[Check, ...] = (shows_the_raw_spelling,)
CONNECTED_CHECKS: tuple[Check, ...] = (who_listens_hears_of_the_loss,)

CHECKS: tuple[Check, ...] = (
    reads_what_is_there,
    sees_changes,
    answers_for_exactly_the_points_asked,
    one_bad_point_hides_no_good_one,
    doubts_what_cannot_be,
    writes_arrive_and_read_back,
    refuses_what_may_not_be_written,
    one_refused_write_holds_back_no_other,
    relinquishes_or_says_that_it_cannot,
    a_lost_link_is_an_error,
    a_link_lost_while_reading_is_an_error,
    writes_to_a_lost_link_are_answered,
    nobody_there_is_an_error,
    opens_again,
    a_silent_device_is_bounded,
    a_late_answer_is_nobodys_answer,
    cancelled_it_is_usable_or_closed,
    closes_twice,
)
