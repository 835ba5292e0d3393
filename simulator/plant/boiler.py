"""Gas boiler that condenses, and the store of hot water that it heats.

References
----------
[1] EnergyPlus Engineering Reference, "Boilers", Boiler:HotWater: fuel = heat / (nominal efficiency x curve).
[2] EnergyPlus example files, curve CondensingBoilerEff: biquadratic of part-load ratio and entering water, 0.1 to 1 and
    30 to 85 degC.
[3] EnergyPlus Engineering Reference, "Water Heaters", mixed tank: exact solution of its balance over a step.
"""

from dataclasses import dataclass
from math import exp
from typing import NamedTuple

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.plant.chiller import biquadratic

_EFFICIENCY = (1.124970374, 0.014963852, -0.02599835, 0.0, -1.40464e-6, -0.00153624)  # [2]
_WATER_LIMITS = (30.0, 85.0)  # [degC] [2]


@dataclass(frozen=True, slots=True)
class BoilerModel:
    """capacity [kW]; efficiency: nominal, on the lower heating value [0..1]; least part-load ratio of the burner;
    heating_value: lower, of the gas [kWh/m3]; auxiliary: pump and blower while it burns [kW]; purge_s: blower before
    the flame; differential: below its setpoint where it starts [K]; cut_out: leaving water [degC].
    """

    capacity: float
    efficiency: float = 0.89
    least: float = 0.2
    heating_value: float = 9.9
    auxiliary: float = 0.1
    purge_s: float = 30.0
    differential: float = 5.0
    cut_out: float = 95.0


class BoilerState(NamedTuple):
    """on_s: time since the burner was called, 0 when off; starts."""

    on_s: float = 0.0
    starts: int = 0


class BoilerInput(NamedTuple):
    """enable; setpoint of the leaving water [degC]; water: flow [kg/s], entering [degC]."""

    enable: bool
    setpoint: float
    flow: float
    entering: float


class BoilerOutput(NamedTuple):
    """heat: to the water [kW]; fuel: power of the gas [kW]; gas [m3/h]; flue: lost up the chimney, negative if it
    condenses more than the lower heating value [kW]; electric [kW]; leaving water [degC].
    """

    heat: float
    fuel: float
    gas: float
    flue: float
    electric: float
    leaving: float


def step(model: BoilerModel, state: BoilerState, seen: BoilerInput, dt: float) -> tuple[BoilerState, BoilerOutput]:
    """The boiler after dt [s]: called below its setpoint less a differential, off where even the least flame is too
    much, purged before each flame. Heat closes: fuel = heat + flue.
    """
    off = BoilerOutput(0.0, 0.0, 0.0, 0.0, 0.0, seen.entering)
    capacity_rate = seen.flow * WATER_SPECIFIC_HEAT
    wanted = capacity_rate * (seen.setpoint - seen.entering)
    least = model.least * model.capacity
    calls = seen.entering < seen.setpoint - model.differential if state.on_s == 0.0 else wanted >= least
    hottest = capacity_rate * (model.cut_out - seen.entering)
    if not seen.enable or seen.flow <= 0.0 or not calls or hottest < least:
        return BoilerState(0.0, state.starts), off
    after = BoilerState(state.on_s + dt, state.starts + (state.on_s == 0.0))
    if after.on_s <= model.purge_s:
        return after, off._replace(electric=model.auxiliary)
    heat = min(model.capacity, hottest, max(least, wanted))
    fuel = heat / efficiency(model, heat / model.capacity, seen.entering)
    leaving = seen.entering + heat / capacity_rate
    return after, BoilerOutput(heat, fuel, fuel / model.heating_value, fuel - heat, model.auxiliary, leaving)


def efficiency(model: BoilerModel, ratio: float, entering: float) -> float:
    """Heat over fuel at a part-load ratio [0..1] and entering water [degC]; may pass 1 where flue gas condenses, since
    fuel counts by its lower heating value.  Source: [1], [2].
    """
    water = min(max(entering, _WATER_LIMITS[0]), _WATER_LIMITS[1])
    return model.efficiency * biquadratic(_EFFICIENCY, max(0.1, ratio), water)


@dataclass(frozen=True, slots=True)
class StoreModel:
    """mass [kg]; conductance to its surroundings [kW/K]."""

    mass: float
    conductance: float


class StoreInput(NamedTuple):
    """Through the boiler: flow [kg/s] at a temperature [degC]; drawn: by the taps [kg/s], replaced by cold water of the
    mains [degC]; ambient [degC]; heat: brought in other ways [kW].
    """

    flow: float
    entering: float
    drawn: float
    cold: float
    ambient: float
    heat: float = 0.0


def store_step(model: StoreModel, temperature: float, seen: StoreInput, dt: float) -> tuple[float, float]:
    """Temperature [degC] of the mixed store after dt [s], and its mean over the step, at which water left and heat was
    lost.  Source: [3].

    M cp dT/dt = m cp (T_in - T) + m_d cp (T_cold - T) + UA (T_amb - T) + Q

    """
    rate = (seen.flow + seen.drawn) * WATER_SPECIFIC_HEAT + model.conductance
    capacity = model.mass * WATER_SPECIFIC_HEAT
    if rate <= 0.0:
        after = temperature + seen.heat * dt / capacity
        return after, 0.5 * (temperature + after)
    brought = (seen.flow * seen.entering + seen.drawn * seen.cold) * WATER_SPECIFIC_HEAT
    steady = (brought + model.conductance * seen.ambient + seen.heat) / rate
    after = steady + (temperature - steady) * exp(-rate * dt / capacity)
    return after, steady + (temperature - after) * capacity / (rate * dt)
