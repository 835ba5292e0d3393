"""A mains dip: devices lose their registers, the daemon dies in the same instant, and all of it comes back at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.core.point import PointId
from controller.core.sample import Scalar
from controller.core.system import Authority
from tests.bench import (
    BRIGHTNESS,
    CHILLER,
    CHILLER_REMOTE,
    LAMP_REMOTE,
    PUMP,
    PUMP_REMOTE,
    PUMP_STATUS,
    Bench,
)
from tests.sweep import sweep

DIPS = (0.0, 0.5, 1.5, 3.0, 4.0, 6.5, 15.0)  # after the start: while it looks, takes, and has taken


@pytest.mark.fault("mains dip with everything restarting")
@pytest.mark.parametrize("authority", [Authority.TIDEWATT, Authority.ORIGINAL])
@pytest.mark.parametrize("first", sweep(DIPS))
def test_everything_comes_back_as_if_it_were_new(tmp_path: Path, first: float, authority: Authority) -> None:
    """Two dips, as they often come: the second one into the start after the first."""
    bench = Bench(tmp_path, first_authority=authority)
    started: list[bool] = []
    record = bench.plant.plant.on_write
    assert record is not None

    async def at_work(_: Bench) -> None:
        if authority is Authority.TIDEWATT:
            await bench.command(PUMP, True, 36_000)
            await bench.wait(30)
            await bench.command(CHILLER, True, 36_000)
        await bench.wait(30)

    async def until_the_next_dip(_: Bench) -> None:
        await bench.wait(first)

    async def for_good(_: Bench) -> None:
        bench.plant.plant.on_write = watched
        await bench.wait(700)  # the chiller's minimum time off counts from the first sight
        is_ours = authority is Authority.TIDEWATT
        assert bench.daemon.authority == dict.fromkeys(bench.daemon.authority, authority)
        assert bench.plant.lights.value(LAMP_REMOTE) is is_ours
        assert bench.plant.lights.value(BRIGHTNESS) == (0.5 if is_ours else 1.0)
        assert bench.plant.plant.value(PUMP_REMOTE) is is_ours
        assert bench.plant.plant.value(CHILLER_REMOTE) is is_ours

    def watched(point: PointId, value: Scalar | None) -> None:
        record(point, value)
        if (point, value) == (CHILLER, True):
            started.append(bench.plant.plant.value(PUMP_STATUS) is True)

    bench.run(at_work, kill=True)
    bench.plant.begin()  # every register as after a power-up
    bench.plant.writes.clear()
    bench.run(until_the_next_dip, kill=True)
    bench.plant.begin()  # every register as after a power-up
    bench.run(for_good)
    assert bench.plant.lights.value(LAMP_REMOTE) is False
    if authority is Authority.ORIGINAL:
        assert bench.plant.writes == []
    assert started == ([True] if authority is Authority.TIDEWATT else []), "once, and not without its pump"
    assert all(0.1 <= float(value) <= 1.0 for value in bench.plant.written(BRIGHTNESS) if value is not None)
