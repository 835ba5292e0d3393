"""The BOPTEST driver on the contract's points: a server of the same API, whose case is a handful of cells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from controller.core.point import Binding, PointId
from controller.core.ports import Driver
from controller.core.sample import Scalar
from drivers.boptest import KIND
from drivers.boptest.address import BoptestAddress, BoptestConnection
from tests.boptest_case import Listed
from tests.boptest_server import BoptestServer
from tests.contract.driver_contract import (
    COMMAND,
    COUNT,
    INITIAL,
    LEVEL,
    OTHER,
    SETPOINT,
    STATUS,
    Bench,
    contract_points,
)
from tests.hand_clock import HandClock

_TEMPERATURES: Final = (LEVEL, SETPOINT, OTHER)
_INPUTS: Final = (SETPOINT, COMMAND)


def _name(point: PointId) -> str:
    return point.replace(".", "_") + ("_u" if point in _INPUTS else "_y")


class _Cells:
    """Every value is what a hand put there, but for inputs that are told otherwise."""

    name = "cells"

    def __init__(self) -> None:
        units = {point: "degC" if point in _TEMPERATURES else "1" for point in INITIAL}
        self.measurements = {_name(each): Listed(units[each]) for each in (LEVEL, COUNT, STATUS, OTHER)}
        self.inputs = {_name(SETPOINT): Listed("degC", -5.0, 50.0), _name(COMMAND): Listed("1", 0.0, 1.0)}
        self.forecasts: dict[str, Listed] = {}
        self.put = {_name(point): float(value) for point, value in INITIAL.items()}
        self.told: Mapping[str, float] = {}

    def begin(self) -> None:
        self.told = {}

    def step(self, time: float, seconds: float, told: Mapping[str, float]) -> None:
        self.told = dict(told)

    def value(self, name: str) -> float:
        return self.told.get(name, self.put[name])

    def forecast(self, name: str, time: float) -> float:
        raise AssertionError(name)

    def kpis(self) -> dict[str, float | None]:
        return {}


class _Hand:
    def __init__(self, server: BoptestServer, cells: _Cells) -> None:
        self._server, self._cells = server, cells
        self._listed = {**cells.measurements, **cells.inputs}
        self.resume = server.resume
        self._asked = asyncio.Event()
        loop = asyncio.get_running_loop()
        server.asked = lambda: loop.call_soon_threadsafe(self._asked.set) and None

    def set(self, point: PointId, value: Scalar) -> None:
        name = _name(point)
        self._cells.put[name] = float(value)
        self._server.told.pop(name, None)
        self._cells.told = {key: each for key, each in self._cells.told.items() if key != name}

    def value(self, point: PointId) -> Scalar | None:
        raw = self._cells.value(_name(point))
        return bool(raw) if isinstance(INITIAL[point], bool) else raw

    def refuse(self, point: PointId) -> None:
        for listed in (self._cells.measurements, self._cells.inputs):
            listed.pop(_name(point), None)

    def accept(self, point: PointId) -> None:
        name = _name(point)
        (self._cells.inputs if point in _INPUTS else self._cells.measurements)[name] = self._listed[name]

    def hang(self) -> None:
        self._asked.clear()
        self._server.hang()

    async def asked(self) -> object:
        return await self._asked.wait()

    async def drop(self) -> None:
        self._server.stop()

    async def restore(self) -> None:
        self._server.start()


@asynccontextmanager
async def boptest() -> AsyncGenerator[Bench]:
    cells, clock = _Cells(), HandClock()
    points = contract_points(relinquishes=True)
    addresses = {
        point: BoptestAddress(input=_name(point)) if point in _INPUTS else BoptestAddress(measurement=_name(point))
        for point in INITIAL
    }
    bindings = [Binding(points[point], point.split(".")[1], address) for point, address in addresses.items()]
    with BoptestServer(cells) as server:

        def opens(wait_s: float) -> Driver:
            return KIND.open("far", BoptestConnection(server.url, timeout=timedelta(seconds=wait_s)), bindings, clock)

        yield Bench(opens, _Hand(server, cells), clock, relinquished=INITIAL[SETPOINT])
