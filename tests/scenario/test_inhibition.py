"""What is inhibited is let go, whoever wishes it, and is taken again once the inhibition is over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from controller.core.inhibition import Inhibition
from controller.core.point import PointId
from controller.core.text import Text
from controller.runtime.image import FrozenImage
from tests.bench import BRIGHTNESS, CHILLER, CHILLER_REMOTE, CHILLER_STATUS, LAMP_REMOTE, PUMP, PUMP_REMOTE, Bench

WHY = Text("somebody works on it", "有人正在检修")


@dataclass
class Inhibitor:
    points: dict[PointId, Inhibition] = field(default_factory=dict[PointId, Inhibition])

    def inhibited(self, image: FrozenImage) -> Mapping[PointId, Inhibition]:
        del image
        return dict(self.points)


def test_nobody_commands_what_is_inhibited(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        inhibitor = Inhibitor()
        bench.daemon.scan.inhibitors.append(inhibitor)
        await bench.wait(10)
        assert bench.plant.lights.value(LAMP_REMOTE) is True
        inhibitor.points[BRIGHTNESS] = Inhibition(WHY)
        await bench.wait(3)
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        assert bench.daemon.scan.controls[BRIGHTNESS].limit == WHY
        await bench.command(BRIGHTNESS, 0.9)
        await bench.wait(60)
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        assert 0.9 not in bench.plant.written(BRIGHTNESS)
        inhibitor.points.clear()
        await bench.wait(5)
        assert (bench.plant.lights.value(BRIGHTNESS), bench.plant.lights.value(LAMP_REMOTE)) == (0.9, True)

    assert Bench(tmp_path).run(life)


@pytest.mark.parametrize("at_once", [False, True])
def test_what_goes_at_once_waits_for_no_order(tmp_path: Path, *, at_once: bool) -> None:
    """A pump stays ours while the chiller runs, unless it is to go at once."""

    async def life(bench: Bench) -> None:
        inhibitor = Inhibitor()
        bench.daemon.scan.inhibitors.append(inhibitor)
        await bench.command(PUMP, True)
        await bench.wait(10)
        await bench.command(CHILLER, True)
        await bench.wait(700)
        assert bench.plant.plant.value(CHILLER_STATUS) is True
        inhibitor.points[PUMP] = Inhibition(WHY, at_once)
        await bench.wait(2)
        assert bench.plant.plant.value(CHILLER_REMOTE) is True
        assert bench.plant.plant.value(PUMP_REMOTE) is not at_once

    Bench(tmp_path).run(life)
