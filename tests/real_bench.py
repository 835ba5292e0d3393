"""The bench as a real site: the same far side, but on a wire, so that nothing of it is excused from being tested."""

from __future__ import annotations

from dataclasses import replace

from controller.core.commissioning import Result
from controller.core.site import Link, Site
from controller.runtime.commissioning import Commissioning
from tests.bench import START, Bench


class RealBench(Bench):
    def site(self) -> Site:
        site = super().site()
        return replace(site, links=tuple(on_a_wire(link) for link in site.links))

    def pass_everything(self, *but: str) -> None:
        """Every test of the site has passed, but for those."""
        commissioning = Commissioning(self.site())
        for item in commissioning.items.values():
            if item.id not in but:
                commissioning.record(item, Result.PASSED, "Li Na", "", "", START)


def on_a_wire(link: Link) -> Link:
    return replace(link, driver=replace(link.driver, is_virtual=False))
