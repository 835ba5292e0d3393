"""From files to a running tower building."""

from dataclasses import replace

from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.guideline_36 import guideline_36
from simulator.cooling_plant.high_rise import high_rise_plant
from simulator.high_rise.competent import Competent
from simulator.high_rise.model import HighRiseModel, sunshine
from simulator.opening import Opening, outdoors, standard_offset_h
from simulator.own_controls import Baseline
from simulator.sizes import Sizes
from simulator.tower_building.building import TowerBuilding
from simulator.variation import NOMINAL, Variation


def open_tower_building(opening: Opening) -> tuple[TowerBuilding, list[str]]:
    """The building, and notes for the person who started it. Its steps are always those of ten seconds.

    Raises ValueError with what would be right for weather that cannot be read and for what this building does not take.
    Loads pvlib and takes seconds, for each weather but once.
    """
    if opening.load_file is not None:
        raise ValueError(
            f"{opening.load_file}: the tower building reckons its own load from weather and use; leave the load out"
        )
    plant = varied_plant(high_rise_plant(), opening.variation, opening.sizes)
    offset = standard_offset_h(opening.zone, opening.start)
    model = HighRiseModel(opening.latitude, opening.longitude, offset, opening.zone)
    weather = outdoors(opening.weather, latitude=opening.latitude, longitude=opening.longitude, utc_offset_h=offset)
    is_competent = opening.baseline is Baseline.COMPETENT
    building = TowerBuilding(
        opening.start,
        weather,
        sunshine(model, weather),
        model=varied(model, opening.variation),
        plant=plant,
        seed=opening.seed,
        faults=opening.faults,
        holidays=opening.holidays,
        controls=Competent() if is_competent else None,
        plant_controls=guideline_36(plant) if is_competent else None,
    )
    return building, [f"weather: {weather.source}"]


def varied(model: HighRiseModel, variation: Variation) -> HighRiseModel:
    """A building with more load is a larger one of the same kind: it has more storeys, and the same plant."""
    if variation == NOMINAL:
        return model
    lighting = model.lighting
    traffic = replace(lighting.traffic, cars=lighting.traffic.cars * variation.traffic)
    return replace(
        model,
        floors=tuple([replace(floor, count=floor.count * variation.load) for floor in model.floors]),
        lighting=replace(lighting, traffic=traffic),
    )


def varied_plant(plant: CoolingPlant, variation: Variation, sizes: Sizes | None) -> CoolingPlant:
    """The plant with a tank of another size. Raises ValueError for other pumps: each of its pumps has a size of its
    own.
    """
    sizes = sizes or Sizes()
    if sizes.pumps:
        raise ValueError(f"the tower building's pumps are what they are; leave out {', '.join(sorted(sizes.pumps))}")
    storage = plant.storage
    if storage is None or (sizes == Sizes() and variation.tank == 1.0):
        return plant
    volume = (sizes.tank_volume or storage.tank.volume) * variation.tank
    tank = replace(storage.tank, volume=volume, height=sizes.tank_height or storage.tank.height)
    return replace(plant, storage=replace(storage, tank=tank))
