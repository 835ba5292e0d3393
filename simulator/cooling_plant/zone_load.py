"""A load for a plant while no air side is at hand: the building as one zone, its coils as one."""

from dataclasses import dataclass
from math import sqrt

from simulator.building import Building
from simulator.chilled_water import NOBODY, CoilDemand, WaterSupply
from simulator.civil import LocalTime
from simulator.plant.coil import CoilModel, capability, wanted_flow
from simulator.weather import Outdoor

_VALVE_LAG_S = 120.0
"""Time constant of the coils' valves behind their room controllers [s]."""
_NEARLY_OPEN = 0.9
_PERIOD_S = 60.0
_CHANGE = 0.05
"""Of the design flow."""
_COILS = 24
"""Air handlers that the one coil stands for: so many requests when it is wholly open."""


@dataclass(slots=True)
class ZoneLoad:
    """A building and its coils of an open conductance [kg/(s kPa^0.5)]; looked at once a minute, and when the flow
    that it is served changes.
    """

    building: Building
    coil: CoilModel
    open_conductance: float
    _conductance: float = 0.0
    _sensible: float = 0.0
    _passed: float = 0.0
    _flow: float = 0.0
    _asks: CoilDemand = NOBODY

    def ask(self, water: WaterSupply, local: LocalTime, outdoor: Outdoor, dt: float) -> CoilDemand:
        """What the coils ask after dt [s], served with this water; moves the building."""
        self._passed += dt
        if self._passed >= _PERIOD_S or abs(water.flow - self._flow) > _CHANGE * self.coil.flow:
            self._asks = self._look(water, local, outdoor, self._passed)
            self._passed, self._flow = 0.0, water.flow
        return self._asks

    def _look(self, water: WaterSupply, local: LocalTime, outdoor: Outdoor, dt: float) -> CoilDemand:
        self.building.integrate(dt, self._sensible)
        wants = self.building.evaluate(local, outdoor)
        wanted = wants.demand.sensible + wants.demand.other
        heat = min(wanted, capability(self.coil, water.flow, water.temperature)) if wants.calls else 0.0
        self._sensible = heat * wants.demand.sensible / wanted if wanted > 0.0 else heat
        target = self._opening(wanted, water) if wants.calls else 0.0
        self._conductance += (target - self._conductance) * min(1.0, dt / _VALVE_LAG_S)
        opening = self._conductance / self.open_conductance
        requests = round(_COILS * max(0.0, opening - _NEARLY_OPEN) / (1.0 - _NEARLY_OPEN))
        calls = wants.calls and wanted > 0.0
        return CoilDemand(self._conductance, heat, requests if calls else 0, calls)

    def _opening(self, wanted: float, water: WaterSupply) -> float:
        """Conductance at which the valves pass the flow that the coils want, as far as they open."""
        if water.pressure <= 0.0:
            return self.open_conductance
        return min(self.open_conductance, wanted_flow(self.coil, wanted, water.temperature) / sqrt(water.pressure))
