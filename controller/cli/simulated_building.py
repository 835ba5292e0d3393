"""Which simulated building serves a site."""

from __future__ import annotations

from controller.core.errors import EnvironmentProblem
from controller.core.site import Site
from simulator.buildings import SimulatedBuilding, building_with


def building_of(site: Site) -> SimulatedBuilding:
    """The one that has the points of all its links. Raises EnvironmentProblem where there is none."""
    points = [
        point for link in site.links if not link.driver.is_virtual for device in link.devices for point in device.points
    ]
    try:
        return building_with(points)
    except ValueError as error:
        raise EnvironmentProblem(f"{error}; name points as in config/sites") from error
