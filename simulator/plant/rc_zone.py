"""A zone with thermal mass, moisture, carbon dioxide and people: five resistances, two capacities.

Nodes: outdoor and supply air, room air, inner surfaces, mass of the building. Beside the standard's one capacity (the
mass) the room air with furniture has its own, so that a room controller sees minutes and not hours.

References
----------
[1] ISO 13790:2008, 7.2.2 and annex C (simple hourly method): conductances, parts of the gains that reach air, surfaces
    and mass; table 12: heat capacity and effective mass area by class of building.
[2] ISO 52016-1:2017, table B.17: heat capacity of air and furniture, 10 kJ/(m2 K) of floor.
[3] ASHRAE Standard 62.1-2016, informative appendix D: V dC/dt = G N + Q (C_s - C); G = 0.0052 L/s a person at 1.2 met.
[4] ASHRAE Handbook - Fundamentals (2017), chapter 18, table 1: 75 W sensible, 55 W latent a person at office work.
"""

from dataclasses import dataclass, field
from math import exp
from typing import NamedTuple

from simulator.plant.moist_air import specific_heat

AIR_DENSITY = 1.2  # [kg/m3]
SENSIBLE_PER_PERSON = 0.075  # [kW] [4]
MOISTURE_PER_PERSON = 0.055 / 2501.0  # [kg/s] [4], latent heat over that of evaporation
CO2_PER_PERSON = 5.2e-6  # [m3/s] [3]

_SURFACE_TO_AIR = 3.45e-3  # h_is [kW/(m2 K)], [1] 7.2.2.2
_MASS_TO_SURFACE = 9.1e-3  # h_ms [kW/(m2 K)], [1] 12.2.2
_SURFACE_PER_FLOOR = 4.5  # A_tot / A_f, [1] 7.2.2.2
_AIR_CAPACITY = 10.0  # [kJ/(m2 K)] [2]


class Paths(NamedTuple):
    """Conductances between the nodes with the surfaces, which have no capacity, eliminated [kW/K]: of outdoors and
    mass, outdoors and air, air and mass, outdoors and mass by the surfaces; all: that meet at the surfaces.

    to_air, to_mass, to_outdoors: where a gain of the surfaces goes; mass_share, glass_share, surface_share: of the
    gains that do not reach the air, in the mass, out through the windows, in the surfaces [0..1], [1] annex C.2.
    """

    outer: float
    air_out: float
    air_mass: float
    mass_out: float
    all: float
    to_air: float
    to_mass: float
    to_outdoors: float
    mass_share: float
    glass_share: float
    surface_share: float


@dataclass(frozen=True, slots=True)
class RcZone:
    """floor and height [m2, m]; opaque, glazing: conductances to the outdoor air [kW/K]; mass_capacity [kJ/K] and
    mass_area [m2]: table 12 of [1]; air_capacity [kJ/K] with furniture. paths and air_mass [kg] follow from
    these.
    """

    floor: float
    height: float
    opaque: float
    glazing: float
    mass_capacity: float
    mass_area: float
    air_capacity: float
    paths: Paths = field(init=False, repr=False, compare=False)
    air_mass: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "paths", _paths(self))
        object.__setattr__(self, "air_mass", self.floor * self.height * AIR_DENSITY)

    @property
    def surface(self) -> float:
        """[m2]"""
        return _SURFACE_PER_FLOOR * self.floor


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
    solved with the mean temperatures of the step (as [1], equations C.4 and C.9), so that they close at any step. Air
    that enters has the specific heat of its own moisture, so that heat and moisture together keep the enthalpy.

    """
    outdoor, supply, infiltration, people, solar, equipment, plant = seen
    flow, temperature, ratio, _ = supply
    leak, leak_temperature, leak_ratio, _ = infiltration
    outer, air_out, air_mass, mass_out, meeting, to_air, to_mass, to_outdoors, *shares = model.paths
    mass_share, glass_share, surface_share = shares
    was_air, was_mass, was_ratio, was_co2 = state
    by_supply, by_leak = flow * specific_heat(ratio), leak * specific_heat(leak_ratio)
    ventilation = by_supply + by_leak
    entering = by_supply * temperature + by_leak * leak_temperature
    inner = people * SENSIBLE_PER_PERSON + equipment
    air_gain, rest = 0.5 * inner + plant, 0.5 * inner + solar
    surface_gain = surface_share * rest
    known_air = entering + air_out * outdoor + air_gain + surface_gain * to_air
    known_mass = (outer + mass_out) * outdoor + mass_share * rest + surface_gain * to_mass
    out_of_air, out_of_mass = ventilation + air_out + air_mass, outer + mass_out + air_mass
    # Mean temperatures: 2 C (T_mean - T_begin) / dt = known - out T_mean + coupling.
    stiff_air, stiff_mass = 2.0 * model.air_capacity / dt, 2.0 * model.mass_capacity / dt
    a, d = stiff_air + out_of_air, stiff_mass + out_of_mass
    right_air, right_mass = stiff_air * was_air + known_air, stiff_mass * was_mass + known_mass
    determinant = a * d - air_mass * air_mass
    air = (right_air * d + air_mass * right_mass) / determinant
    mass = (right_mass * a + air_mass * right_air) / determinant
    surface = to_air * air + to_mass * mass + to_outdoors * outdoor + surface_gain / meeting
    after_ratio, after_co2 = _diluted(model.air_mass, (was_ratio, was_co2), supply, infiltration, people, dt)
    flows = ZoneFlows(
        entering - ventilation * air,
        # The standard lets the share of the windows escape through them.
        outer * (outdoor - mass) + model.glazing * (outdoor - surface) - glass_share * rest,
        inner + solar + plant,
    )
    return ZoneState(2.0 * air - was_air, 2.0 * mass - was_mass, after_ratio, after_co2), flows


def stored(model: RcZone, state: ZoneState) -> float:
    """Heat [kJ] in air and mass above 0 degC."""
    return model.air_capacity * state.air + model.mass_capacity * state.mass


def _paths(model: RcZone) -> Paths:
    to_air, to_mass = _SURFACE_TO_AIR * model.surface, _MASS_TO_SURFACE * model.mass_area
    outer = 1.0 / (1.0 / model.opaque - 1.0 / to_mass) if 0.0 < model.opaque < to_mass else model.opaque
    total = to_air + to_mass + model.glazing
    mass_share = model.mass_area / model.surface
    glass_share = model.glazing / (_MASS_TO_SURFACE * model.surface)
    return Paths(
        outer,
        to_air * model.glazing / total,
        to_air * to_mass / total,
        to_mass * model.glazing / total,
        total,
        to_air / total,
        to_mass / total,
        model.glazing / total,
        mass_share,
        glass_share,
        1.0 - mass_share - glass_share,
    )


def _diluted(
    air: float, begin: tuple[float, float], supply: Stream, leak: Stream, people: float, dt: float
) -> tuple[float, float]:
    """Humidity ratio and CO2 [ppm] of a mass of well-mixed air [kg] after dt [s], from what they were at the beginning:
    M dx/dt = arriving - m x, solved exactly.  Source: [3].
    """
    (ratio, co2), flow, leaked = begin, supply.flow, leak.flow
    moisture = flow * supply.humidity_ratio + leaked * leak.humidity_ratio + people * MOISTURE_PER_PERSON
    carbon = flow * supply.co2 + leaked * leak.co2 + people * CO2_PER_PERSON * AIR_DENSITY * 1e6
    brought = flow + leaked
    if brought <= 0.0:
        return ratio + moisture * dt / air, co2 + carbon * dt / air
    left = exp(-brought * dt / air)
    steady_ratio, steady_co2 = moisture / brought, carbon / brought
    return steady_ratio + (ratio - steady_ratio) * left, steady_co2 + (co2 - steady_co2) * left
