"""Sizes of a plant that is like the demonstration's and not the same: its tank, and its pumps by their head curves.

References
----------
[1] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 44 "Centrifugal pumps": power of a pump, m dp / (rho
    eta).
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from simulator.plant.pump import PumpModel
from simulator.plant.pump_curve import WATER_DENSITY
from simulator.site import PlantModel

Pump: TypeAlias = Literal["chilled_water_pump", "condenser_water_pump", "secondary_pump"]
PUMPS: tuple[Pump, ...] = ("chilled_water_pump", "condenser_water_pump", "secondary_pump")


@dataclass(frozen=True, slots=True)
class PumpSize:
    """flow in its circuit at full speed [kg/s]; curve: (flow [kg/s], head [kPa]) at full speed, by rising flow;
    efficiency of pump, motor and drive there [0..1].
    """

    flow: float
    curve: tuple[tuple[float, float], ...]
    efficiency: float

    @property
    def power(self) -> float:
        """Electric, at full speed [kW].  Source: [1]."""
        return self.flow * self.head / WATER_DENSITY / self.efficiency

    @property
    def head(self) -> float:
        """On the curve [kPa], which has to reach as far as the flow."""
        after = max(1, bisect_left([flow for flow, _ in self.curve], self.flow))
        (low, head), (high, less) = self.curve[after - 1 : after + 1]
        return head + (less - head) * (self.flow - low) / (high - low)


@dataclass(frozen=True, slots=True)
class Sizes:
    """None and what is not there: as at the demonstration. tank_volume [m3], tank_height [m]."""

    tank_volume: float | None = None
    tank_height: float | None = None
    pumps: Mapping[Pump, PumpSize] = field(default_factory=dict["Pump", "PumpSize"])


def sized(plant: PlantModel, sizes: Sizes) -> PlantModel:
    tank = plant.tank
    tank = replace(tank, volume=sizes.tank_volume or tank.volume, height=sizes.tank_height or tank.height)
    chilled = _sized(plant.chilled_water_pump, sizes.pumps.get("chilled_water_pump"))
    condenser = _sized(plant.condenser_water_pump, sizes.pumps.get("condenser_water_pump"))
    return replace(
        plant,
        tank=tank,
        chiller=replace(plant.chiller, evaporator_flow=chilled.flow, condenser_flow=condenser.flow),
        chilled_water_pump=chilled,
        condenser_water_pump=condenser,
        secondary_pump=_sized(plant.secondary_pump, sizes.pumps.get("secondary_pump")),
    )


def _sized(model: PumpModel, size: PumpSize | None) -> PumpModel:
    return model if size is None else replace(model, flow=size.flow, power=size.power)
