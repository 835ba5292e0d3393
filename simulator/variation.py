"""The same site, a little different: what a result must survive before it is believed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypeVar

from simulator.load import LoadRecord, Loads
from simulator.plant.traffic import TrafficModel
from simulator.site import Site

T = TypeVar("T")

VARIED: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {"load": (0.7, 1.3), "traffic": (0.7, 1.3), "tank": (0.5, 1.5)}
)
"""By what each quantity is multiplied, one at a time."""


@dataclass(frozen=True, slots=True)
class Variation:
    """Factors. load: of the building, its cooling as its electricity; traffic: of the garage; tank: of its volume. The
    plant's machines stay as they are, and nobody tells the strategies.
    """

    load: float = 1.0
    traffic: float = 1.0
    tank: float = 1.0


NOMINAL = Variation()


def variations(quantities: Collection[str]) -> list[Variation]:
    """The site as it is, then one quantity at a time."""
    return [NOMINAL, *(replace(NOMINAL, **{name: by}) for name in VARIED if name in quantities for by in VARIED[name])]


def varied(site: Site, variation: Variation) -> Site:
    """A building with more load is a larger one of the same kind; a larger tank has the same height."""
    office, plant = site.office, site.plant
    return replace(
        site,
        office=replace(
            office,
            floor_area=office.floor_area * variation.load,
            conductance=office.conductance * variation.load,
            solar_aperture=office.solar_aperture * variation.load,
            heat_capacity=office.heat_capacity * variation.load,
            sensible_capacity=office.sensible_capacity * variation.load,
        ),
        garage=_busier(site.garage, variation.traffic),
        sensor_lamps=_busier(site.sensor_lamps, variation.traffic),
        cycle_room=_busier((site.cycle_room,), variation.traffic)[0],
        plant=replace(plant, tank=replace(plant.tank, volume=plant.tank.volume * variation.tank)),
    )


def _busier(lit: tuple[tuple[T, TrafficModel], ...], factor: float) -> tuple[tuple[T, TrafficModel], ...]:
    return tuple((lamps, replace(traffic, share=traffic.share * factor)) for lamps, traffic in lit)


def varied_loads(loads: Loads, variation: Variation) -> Loads:
    return Loads(_varied(loads.cooling, variation.load), _varied(loads.electricity, variation.load))


def _varied(record: LoadRecord | None, factor: float) -> LoadRecord | None:
    return record if record is None or factor == 1.0 else record.scaled(factor)
