"""What keeps dying stays away from the plant until a person has looked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from controller.core.inhibition import Inhibition
from controller.core.point import PointId
from controller.core.system import Authority
from controller.runtime.authorities import AuthorityRefused
from controller.runtime.daemon import Daemon
from controller.runtime.image import FrozenImage
from controller.runtime.store import Store
from controller.runtime.virtual_time import VirtualClock, VirtualLoop, run
from tests.bench import LAMP_REMOTE, Bench, Life


def lives(seconds: float) -> Life:
    async def life(bench: Bench) -> None:
        await bench.wait(seconds)

    return life


async def latched(bench: Bench) -> None:
    await bench.wait(20)
    assert set(bench.daemon.authority.values()) == {Authority.ORIGINAL}
    assert bench.plant.lights.value(LAMP_REMOTE) is False
    assert bench.daemon.writer.holdings == {}, "what the dead run held is let go"
    assert ("latched at original", "active") in bench.alarms("bench")
    with pytest.raises(AuthorityRefused, match="until a person resets"):
        await bench.daemon.set_authority("garage", Authority.TIDEWATT, "li.na")
    with pytest.raises(AuthorityRefused, match="until a person resets"):
        await bench.daemon.set_authority("garage", Authority.COMMISSIONING, "li.na", timedelta(hours=1))


async def ours(bench: Bench) -> None:
    await bench.wait(20)
    assert bench.plant.lights.value(LAMP_REMOTE) is True


def test_three_deaths_within_an_hour_leave_the_plant_to_its_own_controls(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for _ in range(3):
        bench.run(ours, kill=True)
    assert bench.run(latched)
    assert bench.run(latched), "a clean restart is no reset"

    async def reset(bench: Bench) -> None:
        await bench.wait(5)
        assert await bench.daemon.reset_latch("li.na")
        assert ("latched at original", "cleared") in bench.alarms("bench")
        await bench.wait(20)
        assert bench.plant.lights.value(LAMP_REMOTE) is False, "nobody has handed it over"
        await bench.daemon.set_authority("garage", Authority.TIDEWATT, "li.na")
        await bench.wait(5)
        assert bench.plant.lights.value(LAMP_REMOTE) is True

    assert bench.run(reset)
    assert bench.run(ours)
    bench.run(ours, kill=True)
    assert bench.run(ours), "the count began anew"


@pytest.mark.slow
def test_deaths_that_lie_far_apart_do_not_count_together(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for _ in range(3):
        bench.run(lives(1900), kill=True)
    assert bench.run(ours)


def test_a_wall_clock_that_jumps_between_deaths_hides_none(tmp_path: Path) -> None:
    """A box without a clock of its own wakes up in 1970."""
    bench = Bench(tmp_path)
    for years in (0, -40, 40):
        bench.now += timedelta(days=365 * years)
        bench.run(lives(100), kill=True)
    assert bench.run(latched)


def test_an_end_that_was_asked_for_is_none(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for _ in range(4):
        assert bench.run(ours)
    assert bench.run(ours)


class Broken:
    """Fails once, as a bug in the shell would; letting go still works."""

    def __init__(self) -> None:
        self._has_failed = False

    def inhibited(self, image: FrozenImage) -> Mapping[PointId, Inhibition]:
        del image
        if not self._has_failed:
            self._has_failed = True
            raise ZeroDivisionError("a bug of the shell")
        return {}


def test_a_bug_that_lets_everything_go_counts(tmp_path: Path) -> None:
    async def breaks(bench: Bench) -> None:
        await ours(bench)
        bench.daemon.scan.inhibitors.append(Broken())
        await bench.wait(60)

    bench = Bench(tmp_path)
    for _ in range(3):
        with pytest.raises(ExceptionGroup, match="unhandled"):
            bench.run(breaks)
        assert bench.plant.lights.value(LAMP_REMOTE) is False
    assert bench.run(latched)


def test_letting_go_for_the_dead_hides_no_death(tmp_path: Path) -> None:
    """The service manager calls it after every crash."""
    bench = Bench(tmp_path)
    for _ in range(3):
        bench.run(ours, kill=True)
        loop = VirtualLoop()
        clock = VirtualClock(loop, bench.now)
        daemon = Daemon(bench.site(), clock, bench.historian, Store(tmp_path / "store.db", clock))
        assert run(daemon.release(), loop)
        assert bench.plant.lights.value(LAMP_REMOTE) is False
    assert bench.run(latched)
