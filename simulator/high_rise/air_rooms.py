"""The rooms of a storey, and what their air gains in which way: the terms of its balances."""

from collections.abc import Sequence
from typing import NamedTuple

from controller.core.physics import WATER_SPECIFIC_HEAT, moist_air_enthalpy
from simulator.high_rise.air_floors import FloorZone
from simulator.plant import rc_zone
from simulator.plant.air_handler import AirHandlerOutput
from simulator.plant.occupancy import AREA_PER_PERSON, LIGHTING_DENSITY, PLUG_DENSITY, Use
from simulator.plant.rc_zone import MOISTURE_PER_PERSON, SENSIBLE_PER_PERSON, Stream, ZoneInput, ZoneState

_KEPT_LEAKAGE = 0.25
"""Share of the leakage that is left while the air handlers keep the building under pressure (see air_floors.py)."""
VAPOUR_HEAT, _VAPOUR_SPECIFIC_HEAT = 2501.0, 1.86  # as in moist_air_enthalpy


class Around(NamedTuple):
    """outdoor air (its flow does not count); facades: irradiance on each [kW/m2]; use of the building."""

    outdoor: Stream
    facades: Sequence[float]
    use: Use


class Terms(NamedTuple):
    """Heat [kW] that the air of all storeys gains, mean of a step: people and what they breathe out, lights and plugs,
    sun, envelope, infiltration, outdoor air less what it displaces, fans; coils: given to the water, and condensate:
    carried off, both negative. Their sum is what rooms and their moisture have stored.
    """

    people: float = 0.0
    equipment: float = 0.0
    sun: float = 0.0
    envelope: float = 0.0
    infiltration: float = 0.0
    outdoor_air: float = 0.0
    fans: float = 0.0
    coils: float = 0.0
    condensate: float = 0.0


class Moisture(NamedTuple):
    """Moisture that the air of all storeys gains [kg/s], mean of a step; their sum is what the rooms have stored."""

    people: float = 0.0
    infiltration: float = 0.0
    outdoor_air: float = 0.0
    condensate: float = 0.0


class Rooms(NamedTuple):
    """Rooms of a storey after a step; what they gained but for the air handler's part; enthalpy [kW] and moisture
    [kg/s] of the air that left them for the air handler, mean of the step.
    """

    states: tuple[ZoneState, ...]
    terms: Terms
    moisture: Moisture
    left: float
    left_moisture: float


def rooms_after(
    zones: Sequence[FloorZone],
    states: Sequence[ZoneState],
    around: Around,
    flows: Sequence[float],
    supply: Stream | None,
    dt: float,
) -> Rooms:
    """Rooms after dt [s] with their supply air [kg/s]."""
    outdoor, use = around.outdoor, around.use
    kept = 1.0 if supply is None else _KEPT_LEAKAGE
    blown = supply or outdoor
    density = LIGHTING_DENSITY * use.lights + PLUG_DENSITY * use.plugs
    after: list[ZoneState] = []
    people = equipment = sun = envelope = leaked = leaked_moisture = breathed = left = left_moisture = 0.0
    outdoor_enthalpy = moist_air_enthalpy(outdoor.temperature, outdoor.humidity_ratio)
    for each, state, flow in zip(zones, states, flows, strict=True):
        zone, leak = each.zone, kept * each.leakage
        persons, inner = use.people * zone.floor / AREA_PER_PERSON, density * zone.floor
        shine = 0.0 if each.facade is None else each.aperture * around.facades[each.facade]
        given = ZoneInput(
            outdoor.temperature,
            Stream(flow, blown.temperature, blown.humidity_ratio, blown.co2),
            Stream(leak, outdoor.temperature, outdoor.humidity_ratio, outdoor.co2),
            persons,
            shine,
            inner,
        )
        following, gained = rc_zone.step(zone, state, given, dt)
        after.append(following)
        air, vapour = 0.5 * (state.air + following.air), persons * MOISTURE_PER_PERSON
        brought = flow + leak
        if brought > 0.0:
            gain = zone.air_mass * (following.humidity_ratio - state.humidity_ratio) / dt
            ratio = (flow * blown.humidity_ratio + leak * outdoor.humidity_ratio + vapour - gain) / brought
            enthalpy = moist_air_enthalpy(air, ratio)
            left, left_moisture = left + flow * enthalpy, left_moisture + flow * ratio
            leaked += leak * (outdoor_enthalpy - enthalpy)
            leaked_moisture += leak * (outdoor.humidity_ratio - ratio)
        people += persons * SENSIBLE_PER_PERSON + vapour * (VAPOUR_HEAT + _VAPOUR_SPECIFIC_HEAT * air)
        breathed += vapour
        equipment += inner
        sun += shine
        envelope += gained.envelope
    terms = Terms(people, equipment, sun, envelope, leaked)
    return Rooms(tuple(after), terms, Moisture(breathed, leaked_moisture), left, left_moisture)


def with_handler(rooms: Rooms, outdoor: Stream, returning: Stream, done: AirHandlerOutput) -> tuple[Terms, Moisture]:
    """With the air handler's part. Outdoors goes what left the rooms and did not come back."""
    terms, moisture, coil = rooms.terms, rooms.moisture, done.coil
    fresh, back = done.outdoor_flow, done.supply.flow - done.outdoor_flow
    brought = fresh * moist_air_enthalpy(outdoor.temperature, outdoor.humidity_ratio)
    drawn_back = back * moist_air_enthalpy(returning.temperature, returning.humidity_ratio)
    heat = Terms(
        terms.people,
        terms.equipment,
        terms.sun,
        terms.envelope,
        terms.infiltration,
        brought + drawn_back - rooms.left,
        done.fan_heat,
        -coil.heat,
        -coil.condensate * WATER_SPECIFIC_HEAT * coil.drip,
    )
    exchanged = fresh * outdoor.humidity_ratio + back * returning.humidity_ratio - rooms.left_moisture
    return heat, Moisture(moisture.people, moisture.infiltration, exchanged, -coil.condensate)
