"""A driver can write only what is ours: no mistake above it reaches a device that its original controls have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from controller.core.point import Binding
from controller.core.ports import Clock, Driver
from controller.core.site import Link, Site
from controller.core.system import Authority
from tests.bench import BRIGHTNESS, CHILLER, LAMP_REMOTE, LIGHTS, PLANT, Bench


class Watched(Bench):
    """Notes what each driver may write whenever it is opened."""

    def site(self) -> Site:
        site = super().site()
        return replace(site, links=tuple(self._watched(link) for link in site.links))

    def _watched(self, link: Link) -> Link:
        def open_driver(name: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> Driver:
            writable = {str(binding.point.id) for binding in bindings if binding.point.writable is not None}
            self.opened.append((name, writable))
            return link.driver.open(name, connection, bindings, clock)

        return replace(link, driver=replace(link.driver, open=open_driver))

    def __post_init__(self) -> None:
        self.opened: list[tuple[str, set[str]]] = []
        super().__post_init__()

    def rights(self, link: str) -> set[str]:
        """What the driver that is open now may write."""
        return [points for name, points in self.opened if name == link][-1]


def test_under_original_controls_no_driver_can_write(tmp_path: Path) -> None:
    bench = Watched(tmp_path, first_authority=Authority.ORIGINAL)

    async def life(bench: Bench) -> None:
        await bench.wait(30)

    bench.run(life)
    assert bench.rights(LIGHTS) == set()
    assert bench.rights(PLANT) == set()


def test_taking_over_gives_the_right_and_handing_back_takes_it(tmp_path: Path) -> None:
    bench = Watched(tmp_path, first_authority=Authority.ORIGINAL)
    seen: list[set[str]] = []

    async def life(_: Bench) -> None:
        await bench.wait(5)
        await bench.daemon.set_authority("garage", Authority.TIDEWATT, "test")
        await bench.wait(5)
        seen.append(bench.rights(LIGHTS))
        assert bench.plant.lights.value(LAMP_REMOTE) is True
        await bench.daemon.set_authority("garage", Authority.ORIGINAL, "test")
        await bench.wait(20)
        seen.append(bench.rights(LIGHTS))
        assert bench.plant.lights.value(LAMP_REMOTE) is False

    bench.run(life)
    assert seen == [{BRIGHTNESS, LAMP_REMOTE}, set()]


def test_the_right_is_for_one_system_not_for_its_neighbours(tmp_path: Path) -> None:
    bench = Watched(tmp_path, first_authority=Authority.ORIGINAL)

    async def life(_: Bench) -> None:
        await bench.daemon.set_authority("plant", Authority.TIDEWATT, "test")
        await bench.wait(5)

    bench.run(life)
    assert CHILLER in bench.rights(PLANT)
    assert bench.rights(LIGHTS) == set()
