"""A zone with thermal mass, moisture, carbon dioxide and people: five resistances, two capacities.

Nodes: outdoor and supply air, room air, inner surfaces, mass of the building. Beside the standard's one capacity (the
mass) the room air with furniture has its own, so that a room controller sees minutes and not hours.

References
----------
[1] ISO 13790:2008, 7.2.2 and annex C (simple hourly method): conductances, parts of the gains that reach air, surfaces
    and mass; table 12: heat capacity and effective mass area by class of building.
[2] ISO 52016-1:2017, table B.17: heat capacity of air and furniture, 10 kJ/(m2 K) of floor.
[3] ASHRAE Standard 62.1-2019, informative appendix on CO2: V dC/dt = G N + Q (C_s - C); G = 0.0052 L/s a person at
    1.2 met.
[4] ASHRAE Handbook - Fundamentals (2017), chapter 18, table 1: 75 W sensible, 55 W latent a person at office work.
"""

from dataclasses import dataclass
from math import exp
from typing import NamedTuple

AIR_SPECIFIC_HEAT = 1.02
"""Of moist room air [kJ/(kg K)]: 1.006 + 1.86 w at w = 0.0075."""
AIR_DENSITY = 1.2  # [kg/m3]
SENSIBLE_PER_PERSON = 0.075  # [kW] [4]
MOISTURE_PER_PERSON = 0.055 / 2501.0  # [kg/s] [4], latent heat over that of evaporation
CO2_PER_PERSON = 5.2e-6  # [m3/s] [3]

_SURFACE_TO_AIR = 3.45e-3  # h_is [kW/(m2 K)], [1] 7.2.2.2
_MASS_TO_SURFACE = 9.1e-3  # h_ms [kW/(m2 K)], [1] 12.2.2
_SURFACE_PER_FLOOR = 4.5  # A_tot / A_f, [1] 7.2.2.2
_AIR_CAPACITY = 10.0  # [kJ/(m2 K)] [2]


@dataclass(frozen=True, slots=True)
class RcZone:
    """floor and height [m2, m]; opaque, glazing: conductances to the outdoor air [kW/K]; mass_capacity [kJ/K] and
    mass_area [m2]: table 12 of [1]; air_capacity [kJ/K] with furniture.
    """

    floor: float
    height: float
    opaque: float
    glazing: float
    mass_capacity: float
    mass_area: float
    air_capacity: float

    @property
    def surface(self) -> float:
        """[m2]"""
        return _SURFACE_PER_FLOOR * self.floor

    @property
    def air_mass(self) -> float:
        """[kg]"""
        return self.floor * self.height * AIR_DENSITY


def medium_zone(floor: float, *, height: float = 3.0, opaque: float, glazing: float) -> RcZone:
    """A zone of a building of class "medium" [1]: 165 kJ/(K m2) of floor, effective mass area 2.5 of floor."""
    return RcZone(floor, height, opaque, glazing, 165.0 * floor, 2.5 * floor, _AIR_CAPACITY * floor)


class ZoneState(NamedTuple):
    """air, mass [degC]; humidity_ratio [kg/kg]; co2 [ppm]."""

    air: float
    mass: float
    humidity_ratio: float = 0.010
    co2: float = 420.0


class Stream(NamedTuple):
    """Air that enters and displaces as much: flow [kg/s], temperature [degC], humidity_ratio [kg/kg], co2 [ppm]."""

    flow: float
    temperature: float
    humidity_ratio: float
    co2: float


class ZoneInput(NamedTuple):
    """outdoor [degC]; supply and infiltration; people; solar: through windows [kW]; equipment: lights and plugs [kW];
    plant: sensible heat brought straight to the air, negative when it cools [kW].
    """

    outdoor: float
    supply: Stream
    infiltration: Stream
    people: float
    solar: float
    equipment: float
    plant: float = 0.0


class ZoneFlows(NamedTuple):
    """Mean heat over a step [kW], positive into the zone: ventilation (supply and infiltration), envelope, gains
    (people, sun, equipment, plant). Their sum is what air and mass have stored.
    """

    ventilation: float
    envelope: float
    gains: float


def step(model: RcZone, state: ZoneState, seen: ZoneInput, dt: float) -> tuple[ZoneState, ZoneFlows]:
    """The zone after dt [s], and the mean flows of the step.

    Two balances, with the surfaces between them without capacity [1]:
        C_a dT_a/dt = H_ve (T_ve - T_a) + H_is (T_s - T_a) + F_ia
        C_m dT_m/dt = H_em (T_out - T_m) + H_ms (T_s - T_m) + F_m
        H_is (T_a - T_s) + H_ms (T_m - T_s) + H_w (T_out - T_s) + F_st = 0
    solved with the mean temperatures of the step (as [1], equations C.4 and C.9), so that they close at any step.

    """
    to_air, to_mass = _SURFACE_TO_AIR * model.surface, _MASS_TO_SURFACE * model.mass_area
    outer = 1.0 / (1.0 / model.opaque - 1.0 / to_mass) if 0.0 < model.opaque < to_mass else model.opaque
    brought = seen.supply.flow + seen.infiltration.flow
    ventilation = brought * AIR_SPECIFIC_HEAT
    entering = seen.supply.flow * seen.supply.temperature + seen.infiltration.flow * seen.infiltration.temperature
    people = seen.people * SENSIBLE_PER_PERSON
    inner = people + seen.equipment
    air_gain, rest = 0.5 * inner + seen.plant, 0.5 * inner + seen.solar
    mass_share = model.mass_area / model.surface
    glass_share = model.glazing / (_MASS_TO_SURFACE * model.surface)
    mass_gain, surface_gain = mass_share * rest, (1.0 - mass_share - glass_share) * rest
    # The standard lets the share of the windows escape through them.
    escaped = glass_share * rest
    # Surfaces eliminated: what they pass between air, mass and outdoors.
    total = to_air + to_mass + model.glazing
    air_mass, air_out, mass_out = (
        to_air * to_mass / total,
        to_air * model.glazing / total,
        to_mass * model.glazing / total,
    )
    known_air = entering * AIR_SPECIFIC_HEAT + air_out * seen.outdoor + air_gain + surface_gain * to_air / total
    known_mass = (outer + mass_out) * seen.outdoor + mass_gain + surface_gain * to_mass / total
    out_of_air, out_of_mass = ventilation + air_out + air_mass, outer + mass_out + air_mass
    # Mean temperatures: 2 C (T_mean - T_begin) / dt = known - out T_mean + coupling.
    stiff_air, stiff_mass = 2.0 * model.air_capacity / dt, 2.0 * model.mass_capacity / dt
    a, d = stiff_air + out_of_air, stiff_mass + out_of_mass
    right_air, right_mass = stiff_air * state.air + known_air, stiff_mass * state.mass + known_mass
    determinant = a * d - air_mass * air_mass
    air = (right_air * d + air_mass * right_mass) / determinant
    mass = (right_mass * a + air_mass * right_air) / determinant
    surface = (to_air * air + to_mass * mass + model.glazing * seen.outdoor + surface_gain) / total
    after = ZoneState(
        2.0 * air - state.air,
        2.0 * mass - state.mass,
        _diluted(state.humidity_ratio, model.air_mass, brought, _arriving_moisture(seen), dt),
        _diluted(state.co2, model.air_mass, brought, _arriving_co2(seen), dt),
    )
    flows = ZoneFlows(
        entering * AIR_SPECIFIC_HEAT - ventilation * air,
        outer * (seen.outdoor - mass) + model.glazing * (seen.outdoor - surface) - escaped,
        inner + seen.solar + seen.plant,
    )
    return after, flows


def stored(model: RcZone, state: ZoneState) -> float:
    """Heat [kJ] in air and mass above 0 degC."""
    return model.air_capacity * state.air + model.mass_capacity * state.mass


def _arriving_moisture(seen: ZoneInput) -> float:
    """Water vapour that arrives [kg/s]."""
    carried = seen.supply.flow * seen.supply.humidity_ratio + seen.infiltration.flow * seen.infiltration.humidity_ratio
    return carried + seen.people * MOISTURE_PER_PERSON


def _arriving_co2(seen: ZoneInput) -> float:
    """Carbon dioxide that arrives [ppm kg/s of air]."""
    carried = seen.supply.flow * seen.supply.co2 + seen.infiltration.flow * seen.infiltration.co2
    return carried + seen.people * CO2_PER_PERSON * AIR_DENSITY * 1e6


def _diluted(begin: float, mass: float, flow: float, arriving: float, dt: float) -> float:
    """Content of well-mixed air after dt [s]: M dx/dt = arriving - m x, solved exactly.  Source: [3]."""
    if flow <= 0.0:
        return begin + arriving * dt / mass
    steady = arriving / flow
    return steady + (begin - steady) * exp(-flow * dt / mass)
