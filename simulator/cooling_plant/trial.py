"""A plant with its controls and a load through days of weather: what it used, month by month."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol, TypeVar
from zoneinfo import ZoneInfo

from simulator.building import Building
from simulator.chilled_water import CoilDemand, WaterSupply
from simulator.civil import LocalTime, SiteTime
from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.signals import Controls
from simulator.cooling_plant.state import PlantInputs, PlantState, initial, seen, served
from simulator.cooling_plant.step import step
from simulator.cooling_plant.zone_load import ZoneLoad
from simulator.original import OFFICE_TIMER
from simulator.plant.coil import CoilModel
from simulator.plant.zone import ZoneModel
from simulator.site import OFFICE
from simulator.weather import Outdoor, Weather

S = TypeVar("S")
_WEATHER_S = 60.0


class Load(Protocol):
    """The building's side of the seam."""

    def ask(self, water: WaterSupply, local: LocalTime, outdoor: Outdoor, dt: float) -> CoilDemand:
        """What the coils ask after dt [s]."""
        ...


class Instant(NamedTuple):
    """The plant at an instant, and the inputs under which it came there."""

    at: datetime
    local: LocalTime
    inputs: PlantInputs
    state: PlantState


def office_load(plant: CoolingPlant, floor_area: float) -> ZoneLoad:
    """The demonstration's office, scaled to a floor area [m2], behind coils that fit the plant's mains."""
    scale = floor_area / OFFICE.floor_area
    zone = ZoneModel(
        floor_area,
        OFFICE.conductance * scale,
        OFFICE.solar_aperture * scale,
        OFFICE.heat_capacity * scale,
        OFFICE.setpoint,
        OFFICE.proportional_band,
        OFFICE.sensible_capacity * scale,
    )
    coil = CoilModel(
        effectiveness=0.30, air_temperature=24.5, flow=plant.design_flow, least_flow=0.05 * plant.design_flow
    )
    return ZoneLoad(Building(zone, None), coil, plant.design_flow / plant.design_pressure**0.5)


def run(
    plant: CoolingPlant,
    controls: Controls[S],
    load: Load,
    weather: Weather,
    start: datetime,
    duration: timedelta,
    *,
    zone: ZoneInfo,
    step_s: float = 10.0,
) -> Iterator[Instant]:
    """Every step of a run from a plant at rest."""
    site_time = SiteTime(zone)
    state, decided = initial(plant), controls.initial()
    begin = start.timestamp()
    air, air_until = weather.at(site_time.at(begin).year_hour), begin
    for number in range(round(duration.total_seconds() / step_s)):
        epoch = begin + number * step_s
        local = site_time.at(epoch)
        if epoch >= air_until:
            air, air_until = weather.at(local.year_hour), epoch + _WEATHER_S
        coils = load.ask(served(state), local, air, step_s)
        shown = seen(state, timer=OFFICE_TIMER.is_on(local.weekday, local.second), wet_bulb=air.wet_bulb)
        decided, commands = controls.decide(decided, shown, step_s)
        inputs = PlantInputs(commands, coils, air)
        state = step(plant, state, inputs, step_s)
        yield Instant(datetime.fromtimestamp(epoch + step_s, UTC), local, inputs, state)
