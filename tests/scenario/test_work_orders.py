"""Work orders of alarms: somebody is to do something, and says in the end what was done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller.core.alarm import Behaviour, Priority
from controller.core.event import EventKind
from controller.core.site import Alarming
from controller.runtime.alarm_status import alarms
from controller.runtime.work_orders import WorkOrderRefused, WorkOrders
from tests.bench import DEMAND, Bench
from tests.scenario.test_alarms import BRIGHT, TOO_BRIGHT, AlarmBench, bench_with

ORDERED = replace(BRIGHT, behaviour=Behaviour(Priority.HIGH, orders_work=True))


def _orders(bench: Bench) -> WorkOrders:
    return bench.daemon.work_orders


def _bright(bench: Bench, value: float) -> None:
    bench.plant.lights.set(DEMAND, value)


def _steps(bench: Bench) -> list[object]:
    told = [event.body for event in bench.events(EventKind.ALARM, DEMAND)]
    return [body["state"] for body in told if "number" in body]


def test_opened_listed_kept_over_a_crash_and_closed_once_it_is_over(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, BRIGHT)

    async def life(_: Bench) -> None:
        await bench.wait(10)
        _bright(bench, 0.9)
        await bench.wait(5)
        order = await _orders(bench).place(TOO_BRIGHT, "Li Na", "Wang: look at the sensor")
        assert order.number == 1
        with pytest.raises(WorkOrderRefused, match="has work order 1 already"):
            await _orders(bench).place(TOO_BRIGHT, "Li Na", "again")
        with pytest.raises(WorkOrderRefused, match="still active"):
            await _orders(bench).close(TOO_BRIGHT, "Wang", "sensor cleaned")

    bench.run(life, kill=True)

    async def next_life(_: Bench) -> None:
        await bench.wait(10)
        shown: Any = alarms(bench.daemon, everything=False)
        assert [(each["number"], each["text"]) for each in shown["work_orders"]] == [(1, "Wang: look at the sensor")]
        assert shown["counts"]["work_orders"] == 1
        _bright(bench, 0.5)
        await bench.wait(10)
        assert bench.states() == {}
        closed = await _orders(bench).close(TOO_BRIGHT, "Wang", "sensor cleaned")
        assert (closed.closed_by, closed.done, closed.even_so) == ("Wang", "sensor cleaned", "")
        assert _orders(bench).open == []
        assert _steps(bench) == ["work order closed"]

    bench.run(next_life, kill=True)

    async def last_life(_: Bench) -> None:
        await bench.wait(10)
        assert [each.done for each in _orders(bench).all] == ["sensor cleaned"]
        _bright(bench, 0.9)
        await bench.wait(5)
        assert (await _orders(bench).place(TOO_BRIGHT, "Li Na", "again")).number == 2, "no number is given twice"

    assert bench.run(last_life)


def test_closed_although_it_is_active_with_a_reason(tmp_path: Path) -> None:
    bench = bench_with(tmp_path, BRIGHT)

    async def life(_: Bench) -> None:
        _bright(bench, 0.9)
        await bench.wait(10)
        await _orders(bench).place(TOO_BRIGHT, "Li Na", "Wang: look at the sensor")
        closed = await _orders(bench).close("1", "Wang", "nothing found", "it is the sun")
        assert closed.even_so == "it is the sun"
        (event,) = [each for each in bench.events(EventKind.ALARM, DEMAND) if each.body["state"] == "work order closed"]
        assert (event.body["who"], event.body["done"], event.body["why"]) == ("Wang", "nothing found", "it is the sun")
        with pytest.raises(WorkOrderRefused, match="no open work order"):
            await _orders(bench).close("1", "Wang", "nothing found")

    assert bench.run(life)


def test_a_rule_orders_work_once_for_each_alarm(tmp_path: Path) -> None:
    bench = AlarmBench(tmp_path, alarms_of_site=Alarming((ORDERED,)))

    async def life(_: Bench) -> None:
        await bench.wait(10)
        _bright(bench, 0.9)
        await bench.wait(5)
        (order,) = _orders(bench).open
        assert (order.opened_by, order.text) == ("Tidewatt", "too bright")
        await _orders(bench).close(TOO_BRIGHT, "Wang", "nothing found", "it is the sun")

    bench.run(life, kill=True)

    async def next_life(_: Bench) -> None:
        await bench.wait(20)
        assert bench.states() == {TOO_BRIGHT: "unacknowledged"}
        assert _orders(bench).open == [], "the alarm is the same, and so is what was said of it"
        _bright(bench, 0.5)
        await bench.wait(10)
        _bright(bench, 0.9)
        await bench.wait(10)
        assert [each.number for each in _orders(bench).open] == [2]

    assert bench.run(next_life)
