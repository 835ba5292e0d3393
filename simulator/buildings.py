"""The simulated buildings that there are, and which of them serves a site: the one that has its points."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import cache
from typing import NamedTuple, TypeAlias

from simulator.faults.kinds import Targets
from simulator.faults.plant import TARGETS
from simulator.opening import Opening, open_engine
from simulator.simulated import SimulatedSite
from simulator.site import Site
from simulator.sizes import sized
from simulator.tags import TAGS, Tag

_NAMED = 3
"""So many missing points are named."""

Opened: TypeAlias = tuple[SimulatedSite, list[str]]
"""A building, and notes for the person who started it."""


class SimulatedBuilding(NamedTuple):
    """name: in a sentence; targets: what faults may be aimed at. open raises ValueError for what it cannot be fed with,
    and OSError.
    """

    name: str
    tags: Mapping[str, Tag]
    targets: Targets
    open: Callable[[Opening], Opened]


def building_with(points: Collection[str]) -> SimulatedBuilding:
    """The first that has all of them. Raises ValueError that names what is missing in the nearest."""
    found: list[tuple[SimulatedBuilding, list[str]]] = []
    for offered in _OFFERED:
        building = offered()
        missing = sorted({point for point in points if point not in building.tags})
        if not missing:
            return building
        found.append((building, missing))
    nearest, missing = min(found, key=lambda each: len(each[1]))
    others = f" and {len(missing) - _NAMED} others" if len(missing) > _NAMED else ""
    raise ValueError(
        f"no simulated building has all points of this site; the nearest, {nearest.name}, has no "
        f"{', '.join(missing[:_NAMED])}{others}"
    )


def _small_demo() -> SimulatedBuilding:
    return SimulatedBuilding("the small demo", TAGS, TARGETS, _open_small_demo)


def _open_small_demo(opening: Opening) -> Opened:
    place = Site(latitude=opening.latitude, longitude=opening.longitude, zone=opening.zone)
    if opening.sizes is not None:
        place = replace(place, plant=sized(place.plant, opening.sizes))
    return open_engine(
        opening.start,
        opening.weather,
        load_file=opening.load_file,
        site=place,
        variation=opening.variation,
        step_s=opening.step_s,
        seed=opening.seed,
        faults=opening.faults,
        holidays=opening.holidays,
        baseline=opening.baseline,
    )


@cache
def _tower_building() -> SimulatedBuilding:
    """Not loaded for a site that the small demo serves."""
    from simulator.tower_building import opening, points

    return SimulatedBuilding("the tower building", points.tags(), points.targets(), opening.open_tower_building)


_OFFERED: tuple[Callable[[], SimulatedBuilding], ...] = (_small_demo, _tower_building)
