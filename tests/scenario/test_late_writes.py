"""A wish that reaches its device late is told, by how much, and only then."""

from __future__ import annotations

from pathlib import Path

import pytest

from controller.core.event import EventKind
from tests.bench import BRIGHTNESS, DEMAND, Bench


def late(bench: Bench) -> list[object]:
    events = [event for event in bench.daemon.journal.recent if event.kind is EventKind.DAEMON]
    return [event.body["after_s"] for event in events if event.body["state"] == "write late"]


def test_a_write_in_time_is_not_told(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        bench.plant.lights.set(DEMAND, 0.8)
        await bench.wait(10)
        assert bench.plant.written(BRIGHTNESS)[-1] == 0.8
        assert late(bench) == []

    Bench(tmp_path).run(life)


@pytest.mark.fault("delayed write: the link is away")
def test_a_write_that_a_lost_link_holds_up_is_told_with_its_delay(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(5)
        await bench.command(BRIGHTNESS, 0.9)
        bench.plant.lights.drop()
        await bench.wait(20)
        bench.plant.lights.restore()
        await bench.wait(70)
        assert bench.plant.lights.value(BRIGHTNESS) == 0.9
        assert len(late(bench)) == 1
        (after,) = late(bench)
        assert isinstance(after, float)
        assert 20 <= after <= 90

    Bench(tmp_path).run(life)
