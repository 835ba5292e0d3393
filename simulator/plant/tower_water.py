"""Water of a cooling tower: evaporation, drift, blow-down, make-up, and the basin that holds it.

References
----------
[1] EnergyPlus Engineering Reference, "Cooling Tower Makeup Water Usage": evaporation with saturated exit, drift,
    blow-down by the concentration ratio.
[2] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 40 "Cooling towers", "Water treatment": cycles of
    concentration; modern eliminators lose less than 0.005 % of the flow as drift.
"""

from dataclasses import dataclass
from typing import NamedTuple

from controller.core.physics import WATER_SPECIFIC_HEAT, saturation_humidity_ratio
from simulator.plant.moist_air import saturated_at
from simulator.plant.record import record
from simulator.plant.variable_speed_tower import Air

MAINS = 20.0
"""Water from the mains [degC]."""


@dataclass(frozen=True, slots=True)
class WaterModel:
    """drift: share of the water flow through the tower [0..1]; cycles: concentration of salts at which the blow-down
    holds the basin, over that of the make-up; basin: mass at its level [kg]; make_up: most through the float valve
    [kg/s]; band: change of mass between a shut and an open float valve [kg].
    """

    drift: float = 0.00005
    cycles: float = 4.0
    basin: float = 6000.0
    make_up: float = 3.0
    band: float = 300.0


class Losses(NamedTuple):
    """All in kg/s."""

    evaporation: float
    drift: float
    blow_down: float


class Basin(NamedTuple):
    """mass [kg]; temperature [degC]; made_up: water taken from the mains since the beginning [kg]."""

    mass: float
    temperature: float
    made_up: float = 0.0


class BasinInput(NamedTuple):
    """flow: returns from the tower, as much goes to the condensers [kg/s]; returning and mains: temperatures [degC];
    losses; heater [kW].
    """

    flow: float
    returning: float
    losses: Losses
    mains: float = MAINS
    heater: float = 0.0


def evaporation(heat: float, air_flow: float, air: Air) -> float:
    """Water that evaporates [kg/s] for a heat [kW] given to an air flow [kg/s dry air].

    Equations [1], saturated exit: h_out = h_in + Q / m_a; T_out from h_s(T_out) = h_out; m = m_a (w_s(T_out) - w_in).
    So the sensible part warms, or in dry hot air cools, the air. Never negative: condensed water would only dilute.

    """
    if heat <= 0.0 or air_flow <= 0.0:
        return 0.0
    leaving = saturated_at(air.enthalpy + heat / air_flow, air.wet_bulb)
    return max(0.0, air_flow * (saturation_humidity_ratio(leaving) - air.humidity_ratio))


def losses(model: WaterModel, evaporated: float, water_flow: float) -> Losses:
    """Drift D of the water flow [kg/s], and blow-down B = E / (cycles - 1) - D of the evaporation E [kg/s]: salts in
    equal salts out.  Source: [1].
    """
    drift = model.drift * max(0.0, water_flow)
    return Losses(evaporated, drift, max(0.0, evaporated / (model.cycles - 1.0) - drift))


def step(model: WaterModel, state: Basin, seen: BasinInput, dt: float) -> Basin:
    """The basin after dt [s]; mass and heat close to rounding.

    Evaporated water leaves as liquid of the returning temperature: its latent heat is part of the tower's heat, which
    has cooled the water on its way. Drift and blow-down leave the basin. The float valve opens in proportion to what
    is missing. A step must move less than the basin's mass.

    """
    held, temperature, made_up = state
    flow, returning, losing, mains, heater = seen
    lost = min(sum(losing) * dt, held)
    opening = (model.basin - held) / model.band
    filled = model.make_up * (0.0 if opening <= 0.0 else opening if opening < 1.0 else 1.0) * dt
    mass = held - lost + filled
    arrives = flow - losing.evaporation
    warmed = arrives * dt * (returning - temperature) + filled * (mains - temperature)
    if mass > 0.0:
        temperature += (warmed + heater * dt / WATER_SPECIFIC_HEAT) / mass
    return record(Basin, (mass, temperature, made_up + filled))
