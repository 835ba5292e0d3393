"""A gateway that repeats its last value for ever: what leans on it lets go, as if the sensor were silent."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.doubt import Doubt
from controller.core.site import Site
from tests.bench import DEMAND, LAMP_REMOTE, Bench


class Doubting(Bench):
    def site(self) -> Site:
        site = super().site()
        doubt = Doubt(timedelta(minutes=5), plausible_rate=0.05)
        return replace(site, points={**site.points, DEMAND: replace(site.points[DEMAND], doubt=doubt)})


@pytest.mark.fault("frozen value")
def test_a_frozen_value_is_not_acted_on(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(295)
        assert bench.plant.lights.value(LAMP_REMOTE) is True
        await bench.wait(70)  # five minutes, and the lease of what was wished until then
        assert bench.plant.lights.value(LAMP_REMOTE) is False
        assert bench.daemon.scan.frozen is not None
        assert bench.daemon.scan.frozen.samples[DEMAND].reason.startswith("frozen")
        bench.plant.lights.set(DEMAND, 0.51)
        await bench.wait(5)
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    assert Doubting(tmp_path).run(life)


@pytest.mark.fault("spike")
def test_a_spike_moves_no_lamp(tmp_path: Path) -> None:
    async def life(bench: Bench) -> None:
        await bench.wait(10.5)
        before = list(bench.plant.writes)
        bench.plant.lights.set(DEMAND, 0.95)
        await bench.wait(1)
        bench.plant.lights.set(DEMAND, 0.5)
        await bench.wait(5)
        lamps = [write for write in bench.plant.writes[len(before) :] if write[1] == 0.95]
        assert lamps == []

    assert Doubting(tmp_path).run(life)
