"""The demo's twin beside the demo's daemon: what is claimed of a plant that nobody touches, and of one with storage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from controller.cli.simulate import engine_of
from controller.cli.twin import Twin
from controller.core.strategy import Mode
from tests.storage_demo import START, storage_alone
from tests.virtual_demo import Run, live


def compared(mode: Mode, lasting: timedelta) -> Mapping[str, Any]:
    seen: list[Mapping[str, Any] | None] = []

    async def life(run: Run) -> None:
        twin = Twin(engine_of(run.site, START, None, None, 0), run.site)
        for _ in range(int(lasting / timedelta(minutes=5))):
            await run.wait(300.0)
            assert run.daemon.scan.frozen is not None
            await twin.look(run.daemon.scan.frozen.samples)
        seen.append(twin.today)

    live(START, life, change=storage_alone(mode))
    assert seen[0] is not None
    return seen[0]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_the_twin_of_an_untouched_plant_is_the_plant_to_the_bit() -> None:
    today = compared(Mode.OFF, timedelta(hours=12))
    assert today["energy"]["with_us"] > 500.0
    assert [today[key]["saved"] for key in ("energy", "money", "carbon")] == [0.0, 0.0, 0.0]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_day_with_storage_saves_money_over_the_peak() -> None:
    """Cold that is only stored has saved next to nothing yet; the peak it serves has."""
    by_night = compared(Mode.AUTO, timedelta(hours=5))
    after_the_peak = compared(Mode.AUTO, timedelta(hours=13))
    assert abs(by_night["money"]["saved"]) < 0.01 * by_night["money"]["without_us"]
    assert after_the_peak["money"]["saved"] > 0.05 * after_the_peak["money"]["without_us"]
