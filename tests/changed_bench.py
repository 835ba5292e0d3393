"""A bench whose site is changed before it is run, such as by another driver for its lamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from controller.core.point import Binding
from controller.core.ports import Clock
from controller.core.site import Site
from drivers.memory import MemoryDriver
from tests.bench import Bench


class ChangedBench(Bench):
    """A bench whose site is changed before it is run."""

    def site(self) -> Site:
        return self.change(super().site())

    def change(self, site: Site) -> Site:
        return site


def with_driver(bench: Bench, driver: type[MemoryDriver]) -> Bench:
    """The bench with this driver for its lamps."""
    far = bench.plant.lights

    def open_on(link: str, connection: Any, bindings: Sequence[Binding[Any]], clock: Clock) -> MemoryDriver:
        return driver(link, connection, bindings, clock, far)

    class WithDriver(ChangedBench):
        def change(self, site: Site) -> Site:
            lights, *others = site.links
            return replace(site, links=(replace(lights, driver=replace(lights.driver, open=open_on)), *others))

    return WithDriver(bench.tmp_path, plant=bench.plant)
