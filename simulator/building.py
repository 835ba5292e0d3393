"""The office: what it asks of the chilled water and of the mains, and how warm it gets."""

from typing import NamedTuple

from simulator.civil import LocalTime
from simulator.load import LoadRecord, Loads
from simulator.plant.occupancy import building_use
from simulator.plant.record import record
from simulator.plant.zone import (
    NO_DEMAND,
    Demand,
    ZoneModel,
    cooling_demand,
    electric_load,
    heat_gain,
    zone_temperature,
)
from simulator.weather import Outdoor

_RELAXATION_S = 6 * 3600.0
"""With a measured load the room has no heat balance of its own: it drifts back to its setpoint with the time constant
of its fabric, and warms by the load that is not met.
"""


class Wants(NamedTuple):
    """demand on the coils; calls: the secondary pump is wanted; electric_load [kW]."""

    demand: Demand
    calls: bool
    electric_load: float


class Building:
    """One zone. With a measured cooling load the load is that of the record; the rest stays modelled."""

    def __init__(self, model: ZoneModel, loads: Loads | None) -> None:
        self._model = model
        self._cooling: LoadRecord | None = loads.cooling if loads else None
        self._electricity: LoadRecord | None = loads.electricity if loads else None
        self.temperature = model.setpoint + 0.5 * model.proportional_band
        self._gain = 0.0

    def evaluate(self, local: LocalTime, outdoor: Outdoor) -> Wants:
        """What the building wants from now on."""
        use = building_use(local.weekday, int(local.second // 3600.0))
        electricity = (
            electric_load(self._model, use)
            if self._electricity is None
            else self._electricity.at(local.day, local.second)
        )
        if self._cooling is not None:
            load = self._cooling.at(local.day, local.second)
            self._gain = load + self._model.heat_capacity * (self._model.setpoint - self.temperature) / _RELAXATION_S
            demand = Demand(load, 0.0) if load > 0.0 else NO_DEMAND
            return Wants(demand, load > 0.0, electricity)
        self._gain = heat_gain(self._model, use, outdoor, self.temperature)
        demand = cooling_demand(self._model, use, outdoor, self.temperature)
        return record(Wants, (demand, use.air_handlers, electricity))

    def integrate(self, dt: float, sensible_cooling: float) -> None:
        """Let dt [s] pass with the gains of the last evaluation and a sensible cooling [kW]."""
        self.temperature = zone_temperature(self._model, self.temperature, self._gain, sensible_cooling, dt)
