"""Air handler: mixing box, filter, cooling coil and fan, in this order.

References
----------
[1] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 4 "Air handling and distribution": draw-through unit.
[2] EnergyPlus Engineering Reference, "Outdoor Air Mixer": mass and enthalpy of the mixed stream.
[3] EnergyPlus Engineering Reference, "Air System Fans": shaft power and a motor in the stream warm the air.
[4] EN 13779:2007: filters are changed at a final pressure drop.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from controller.core.physics import moist_air_enthalpy
from simulator.plant.cooling_coil import CoilOutput, CoilUnit, cool
from simulator.plant.moist_air import specific_heat, temperature_of
from simulator.plant.pump_curve import PumpCurve, PumpDuty, Unit, duty, pump_for
from simulator.plant.rc_zone import AIR_DENSITY, Stream


@dataclass(frozen=True, slots=True)
class FilterModel:
    """clean, final: pressure drop [kPa] at the design flow [kg/s], new and due; capacity: air that it filters between
    the two [kg].
    """

    flow: float
    clean: float
    final: float
    capacity: float


def filter_step(model: FilterModel, loading: float, flow: float, dt: float) -> float:
    """Loading [0..] after dt [s] with a flow [kg/s]; 1 when due, above it when forgotten."""
    return loading + flow * dt / model.capacity


def filter_resistance(model: FilterModel, loading: float) -> float:
    """k [kPa/(kg/s)^2] at a loading."""
    return (model.clean + loading * (model.final - model.clean)) / (model.flow * model.flow)


@dataclass(frozen=True, slots=True)
class AirHandlerModel:
    """fan, coil, filter; coil_resistance: with the casing [kPa/(kg/s)^2]; least_outdoor: share of outdoor air with the
    damper at its minimum [0..1].
    """

    fan: PumpCurve
    coil: CoilUnit
    filter: FilterModel
    coil_resistance: float
    least_outdoor: float


class AirHandlerInput(NamedTuple):
    """outdoor and returning air (their flows do not count); damper [0..1] from its minimum to all outdoor air;
    fan_speed [0..1]; duct: k of ducts and boxes [kPa/(kg/s)^2]; duct_static: kept up by boxes [kPa]; loading of the
    filter; water_flow [kg/s] at water_entering [degC].
    """

    outdoor: Stream
    returning: Stream
    damper: float
    fan_speed: float
    duct: float
    duct_static: float
    loading: float
    water_flow: float
    water_entering: float


class AirHandlerOutput(NamedTuple):
    """supply and mixed air; outdoor_flow [kg/s], as much leaves as exhaust; coil; fan; fan_heat: in the stream [kW]."""

    supply: Stream
    mixed: Stream
    outdoor_flow: float
    coil: CoilOutput
    fan: PumpDuty
    fan_heat: float


def fan_for(flow: float, pressure: float, efficiency: float) -> PumpCurve:
    """A fan chosen at its best point: flow [kg/s], total pressure [kPa], efficiency [0..1]; by the laws of pumps."""
    return pump_for(flow, pressure, efficiency, density=AIR_DENSITY, shut_off=1.35)


def handle(model: AirHandlerModel, seen: AirHandlerInput) -> AirHandlerOutput:
    """What the air handler supplies. Its motor stands in the stream, its converter does not [3]."""
    resistance = seen.duct + model.coil_resistance + filter_resistance(model.filter, seen.loading)
    fan = duty([Unit(model.fan, seen.fan_speed)], static=seen.duct_static, resistance=resistance).pumps[0]
    flow = fan.flow
    share = model.least_outdoor + (1.0 - model.least_outdoor) * seen.damper
    fresh, back = seen.outdoor, seen.returning
    mixture = mix(
        (
            Stream(share * flow, fresh.temperature, fresh.humidity_ratio, fresh.co2),
            Stream((1.0 - share) * flow, back.temperature, back.humidity_ratio, back.co2),
        )
    )
    coil = cool(model.coil, flow, mixture.temperature, mixture.humidity_ratio, seen.water_flow, seen.water_entering)
    heat = fan.electric - fan.converter_loss
    supply = mixture
    if flow > 0.0:
        warmed = coil.temperature + heat / (flow * specific_heat(coil.humidity_ratio))
        supply = Stream(flow, warmed, coil.humidity_ratio, mixture.co2)
    return AirHandlerOutput(supply, mixture, share * flow, coil, fan, heat)


def mix(streams: Sequence[Stream]) -> Stream:
    """Streams that join: mass, enthalpy, moisture and CO2 of all [2]; the first one's state where nothing flows."""
    flow = enthalpy = moisture = co2 = 0.0
    for stream in streams:
        flow += stream.flow
        enthalpy += stream.flow * moist_air_enthalpy(stream.temperature, stream.humidity_ratio)
        moisture += stream.flow * stream.humidity_ratio
        co2 += stream.flow * stream.co2
    if flow <= 0.0:
        return streams[0]._replace(flow=0.0)
    return Stream(flow, temperature_of(enthalpy / flow, moisture / flow), moisture / flow, co2 / flow)
