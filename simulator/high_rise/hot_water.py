"""Hot and cold water of the high-rise: a gas boiler, its store, and what people draw.

References
----------
[1] GB 50015-2019 (water supply), quotas: offices use 5 to 10 L of water of 60 degC a person and day, 30 to 50 L of
    water in all.
[2] The same: hot water leaves its heater at 55 to 60 degC, in hospitals at 60 to 65, where nothing else keeps
    legionella away.
"""

from dataclasses import dataclass
from math import cos, pi
from typing import NamedTuple

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.plant import boiler
from simulator.plant.boiler import BoilerInput, BoilerModel, BoilerOutput, BoilerState, StoreInput, StoreModel
from simulator.plant.occupancy import AREA_PER_PERSON

HOT_PER_PERSON, COLD_PER_PERSON = 8.0, 32.0  # [kg/day] [1]
_PERSON_HOURS = 9.3
"""Hours that a person's draw is spread over: the sum of a working day's shares of people in plant/occupancy.py."""
_ROOM = 28.0  # [degC], plant room of the boiler
_COLD_MEAN, _COLD_SWING, _COLDEST_HOUR = 22.0, 6.0, 32.0 * 24.0
_YEAR_H = 8760.0


@dataclass(frozen=True, slots=True)
class HotWaterModel:
    """boiler; store; flow through the boiler, whose pump always runs [kg/s], with its power [kW]."""

    boiler: BoilerModel
    store: StoreModel
    flow: float
    pump: float


BOILER_ROOM = HotWaterModel(BoilerModel(200.0), StoreModel(8000.0, 0.06), flow=3.2, pump=0.75)
"""The store's conductance stands for the circulation in the building, too: 2 kW at 60 degC."""


class HotWaterState(NamedTuple):
    """boiler; store [degC]."""

    boiler: BoilerState = BoilerState()
    store: float = 62.0


class HotWaterCommands(NamedTuple):
    """enable of the boiler; setpoint of its leaving water [degC]."""

    enable: bool
    setpoint: float


class HotWaterOutput(NamedTuple):
    """boiler; drawn: hot water [kg/s]; cold: water from the mains, for the store and otherwise [kg/s]; mains [degC];
    delivered: heat in the water that was drawn, and lost: to the room [kW]; electric [kW].
    """

    boiler: BoilerOutput
    drawn: float
    cold: float
    mains: float
    delivered: float
    lost: float
    electric: float


def mains_temperature(year_hour: float) -> float:
    """Cold water [degC] at an hour of the year: about the year's mean of the air, a swing that lags a month behind."""
    return _COLD_MEAN - _COLD_SWING * cos(2.0 * pi * (year_hour - _COLDEST_HOUR) / _YEAR_H)


def step(
    model: HotWaterModel,
    state: HotWaterState,
    commands: HotWaterCommands,
    people: float,
    mains: float,
    dt: float,
) -> tuple[HotWaterState, HotWaterOutput]:
    """Boiler and store after dt [s] with a number of people in the building and water of the mains [degC]. Heat closes:
    boiler = delivered + lost + what the store has gained.
    """
    drawn = people * HOT_PER_PERSON / (_PERSON_HOURS * 3600.0)
    asked = BoilerInput(commands.enable, commands.setpoint, model.flow, state.store)
    burner, made = boiler.step(model.boiler, state.boiler, asked, dt)
    store, mean = boiler.store_step(model.store, state.store, StoreInput(0.0, 0.0, drawn, mains, _ROOM, made.heat), dt)
    delivered = drawn * WATER_SPECIFIC_HEAT * (mean - mains)
    lost = model.store.conductance * (mean - _ROOM)
    cold = drawn + people * COLD_PER_PERSON / (_PERSON_HOURS * 3600.0)
    output = HotWaterOutput(made, drawn, cold, mains, delivered, lost, made.electric + model.pump)
    return HotWaterState(burner, store), output


def people_of(area: float, share: float) -> float:
    """People on a floor area [m2] of which a share [0..1] is there."""
    return share * area / AREA_PER_PERSON
