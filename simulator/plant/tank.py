"""Stratified chilled-water tank: layers bottom first, cold water below warm, moved past each other as parcels.

Water is pushed up or down as a whole, so a thermocline travels without being smeared by the arithmetic, however small
the steps and however often the direction turns: the parcels between the ends keep their water and only the reckoning of
their height moves. What widens it is in the model: mixing at the inlet, conduction, gain through the wall. Every
function keeps the heat of the layers to rounding: what leaves one enters the next.

References
----------
[1] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 51 "Thermal storage", "Stratified chilled-water
    storage": thermocline, diffusers, cold water in and out at the bottom, inlet Froude number of at most 1 to 2.
[2] E. M. Kleinbach, W. A. Beckman, S. A. Klein, "Performance study of one-dimensional models for stratified thermal
    storage tanks", Solar Energy 50(2), 1993, pp. 155-166: plug-flow model of parcels, mixing of inverted layers.
[3] N. Nakahara, K. Sagara, M. Tsujimoto, "Water thermal storage tank: part 2 - mixing model and storage estimation for
    temperature-stratified tanks", ASHRAE Transactions 94(2), 1988: a completely mixed region at the inlet, piston flow
    with conduction beyond it.
[4] J. Yoo, M. W. Wildin, C. R. Truman, "Initial formation of a thermocline in stratified thermal storage tanks", ASHRAE
    Transactions 92(2A), 1986: densimetric Froude number of the inlet.
[5] N. Tran, J. F. Kreider, P. Brothers, "Field measurement of chilled water storage thermal performance", ASHRAE
    Transactions 95(1), 1989: figure of merit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import add, lt, sub
from typing import NamedTuple

from controller.core.physics import WATER_SPECIFIC_HEAT, water_density
from simulator.plant.record import record

WATER_CONDUCTIVITY = 0.60e-3
"""Thermal conductivity of water [kW/(m K)] at 20 degC (IAPWS 2011: 0.598 W/(m K))."""
_GRAVITY = 9.81
_DENSITY = water_density(10.0)  # [kg/m3]
_LARGEST_PUSH = 0.5
"""Of a layer at a time, so that what leaves has one temperature."""


@dataclass(frozen=True, slots=True)
class Diffuser:
    """length of the slot [m], its height above the floor or below the surface [m], and depth of the water [m] that it
    mixes at a Froude number of 1.
    """

    length: float
    height: float
    mixing_depth: float


@dataclass(frozen=True, slots=True)
class TankModel:
    """volume [m3] of an upright cylinder with height [m]; u_value of wall and roof [kW/(m2 K)]; number of layers (three
    or more); diffuser, alike at both ends, None for one that mixes no more than a layer.

    From these follow layer_mass [kg], section [m2], and conductances [kW/K]: between neighbouring layers (k A / dz), of
    one whole layer through the wall, and through the roof. The floor lies on insulated ground and counts as tight.
    """

    volume: float
    height: float
    u_value: float
    layers: int
    diffuser: Diffuser | None = None
    layer_mass: float = field(init=False, repr=False, compare=False)
    section: float = field(init=False, repr=False, compare=False)
    between: float = field(init=False, repr=False, compare=False)
    wall: float = field(init=False, repr=False, compare=False)
    roof: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        section = self.volume / self.height
        found = {
            "layer_mass": self.volume * _DENSITY / self.layers,
            "section": section,
            "between": WATER_CONDUCTIVITY * section * self.layers / self.height,
            "wall": self.u_value * 2.0 * math.sqrt(math.pi * section) * self.height / self.layers,
            "roof": self.u_value * section,
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)


class TankState(NamedTuple):
    """layers: temperatures [degC], bottom first; shift: what the lowest holds beyond one layer's mass, and the highest
    short of it, in layers [-0.5..0.5]. All others hold one.
    """

    layers: tuple[float, ...]
    shift: float = 0.0


class TankInput(NamedTuple):
    """upward: enters at the bottom and leaves at the top [kg/s], negative the other way; inlet and ambient [degC]."""

    upward: float
    inlet: float
    ambient: float


def filled(model: TankModel, temperature: float) -> TankState:
    """The tank full of water of one temperature [degC]."""
    return TankState((temperature,) * model.layers)


def outlet(state: TankState, upward: float) -> float:
    """Temperature [degC] of what leaves now."""
    return state.layers[-1] if upward > 0.0 else state.layers[0]


def step(model: TankModel, state: TankState, seen: TankInput, dt: float) -> TankState:
    """The tank after dt [s]: pushed, mixed at the inlet [3], warmed through its wall, conducted and settled."""
    per_kilojoule = dt / (model.layer_mass * WATER_SPECIFIC_HEAT)
    # The gain is that of the temperatures at the beginning, as `heat_gain` tells it.
    wall, ambient = model.wall * per_kilojoule, seen.ambient
    before, shift = state
    lowest, highest = wall * (ambient - before[0]) * (1.0 + shift), wall * (ambient - before[-1]) * (1.0 - shift)
    highest += model.roof * per_kilojoule * (ambient - before[-1])
    if seen.upward == 0.0:
        layers, warmed = before, [layer + wall * (ambient - layer) for layer in before]
    else:
        layers, shift = _flow(model, state, seen, dt)
        warmed = [layer + wall * (ambient - was) for layer, was in zip(layers, before, strict=True)]
    warmed[0] = layers[0] + lowest / (1.0 + shift)
    warmed[-1] = layers[-1] + highest / (1.0 - shift)
    return settled(conducted(record(TankState, (tuple(warmed), shift)), model.between * per_kilojoule))


def pushed(state: TankState, share: float, inlet: float) -> TankState:
    """The tank after `share` layers [-0.5..0.5] of water of a temperature [degC] entered at the bottom, or, negative,
    at the top. What leaves at the other end has the temperature of that end before.

    An end that has grown to one layer and a half gives one off to the others; the opposite end takes one in and mixes.

    """
    if share < 0.0:
        turned = pushed(TankState(state.layers[::-1], -state.shift), -share, inlet)
        return TankState(turned.layers[::-1], -turned.shift)
    layers, shift = state.layers, state.shift
    bottom = (layers[0] * (1.0 + shift) + inlet * share) / (1.0 + shift + share)
    shift += share
    if shift <= 0.5:
        return TankState((bottom, *layers[1:]), shift)
    left = 1.0 - shift  # of the highest layer
    top = (layers[-1] * left + layers[-2]) / (left + 1.0)
    return TankState((bottom, bottom, *layers[1:-2], top), shift - 1.0)


def mixed_at_inlet(state: TankState, count: int, *, at_bottom: bool) -> TankState:
    """The tank after its `count` layers next to the inlet have mixed.  Source: [3]."""
    if count < 2:
        return state
    if not at_bottom:
        turned = mixed_at_inlet(TankState(state.layers[::-1], -state.shift), count, at_bottom=True)
        return TankState(turned.layers[::-1], -turned.shift)
    layers, shift = state
    total = layers[0] * (1.0 + shift) + sum(layers[1:count])
    return TankState((*((total / (count + shift),) * count), *layers[count:]), shift)


def conducted(state: TankState, coefficient: float) -> TankState:
    """Layers after conduction between neighbours; coefficient = k A dt / (dz m cp) [-], stable below 0.25."""
    layers, shift = state
    lowest, here, highest = layers[0], layers[1], layers[-1]
    # The middles of an end and its neighbour are further apart the more the end holds.
    gained = coefficient * (lowest - here) / (1.0 + 0.5 * shift)
    to_highest = coefficient * (layers[-2] - highest) / (1.0 - 0.5 * shift)
    inner = layers[1:-1]
    # From each layer to the one above it; twenty layers at every step are reckoned as a whole.
    up = [gained, *[coefficient * difference for difference in map(sub, inner, inner[1:])], to_highest]
    middle = map(sub, map(add, inner, up), up[1:])
    after = (lowest - gained / (1.0 + shift), *middle, highest + to_highest / (1.0 - shift))
    return record(TankState, (after, shift))


def settled(state: TankState) -> TankState:
    """Layers after buoyancy mixed every warmer one that lay below a colder one [2] (pooling of adjacent violators)."""
    layers = state.layers
    return _pooled(state) if any(map(lt, layers[1:], layers)) else state


def stirred(state: TankState, share: float) -> TankState:
    """Layers that lost a share [0..1] of their distance to the mean: a broken diffuser stirs the whole tank."""
    layers, shift = state
    mean = (sum(layers) + shift * (layers[0] - layers[-1])) / len(layers)
    return TankState(tuple([layer + share * (mean - layer) for layer in layers]), shift)


def froude(diffuser: Diffuser, flow: float, inlet: float, ambient: float) -> float:
    """Densimetric Froude number [-] of a flow [kg/s] of inlet water among tank water [degC]; infinite without a
    difference of density.

    Fr = q / sqrt(g h^3 |rho_i - rho_a| / rho_a), q = m / (rho L).  Source: [1], [4].

    """
    around = water_density(ambient)
    lift = abs(water_density(inlet) - around) / around
    if lift <= 0.0:
        return math.inf
    return abs(flow) / (around * diffuser.length) / math.sqrt(_GRAVITY * diffuser.height**3 * lift)


def heat_gain(model: TankModel, state: TankState, ambient: float) -> float:
    """Through wall and roof [kW] at an ambient temperature [degC]."""
    layers, shift = state
    below = len(layers) * ambient - sum(layers) - shift * (layers[0] - layers[-1])
    return model.wall * below + model.roof * (ambient - layers[-1])


def cold_content(model: TankModel, state: TankState, reference: float) -> float:
    """Cold stored against water at a reference temperature [degC], in kWh: sum of m cp (T_ref - T) / 3600."""
    below = sum([reference - layer for layer in state.layers])
    below += state.shift * (state.layers[-1] - state.layers[0])
    return below * model.layer_mass * WATER_SPECIFIC_HEAT / 3600.0


def figure_of_merit(model: TankModel, discharged: float, returned: float, supplied: float) -> float:
    """Cold discharged [kWh] with one tank volume, over what it would be without mixing and gain [5]: M cp (T_r - T_s),
    for water returned by the building and water supplied by the chiller [degC].
    """
    return discharged * 3600.0 / (model.layer_mass * model.layers * WATER_SPECIFIC_HEAT * (returned - supplied))


def at_height(state: TankState, height: float) -> float:
    """Temperature [degC] of the layer at a share of the tank's height [0..1]."""
    count = len(state.layers)
    index = math.floor(height * count - state.shift)
    return state.layers[max(0, min(count - 1, index))]


def _flow(model: TankModel, state: TankState, seen: TankInput, dt: float) -> TankState:
    share = seen.upward * dt / model.layer_mass
    pushes = max(1, math.ceil(abs(share) / _LARGEST_PUSH))
    for _ in range(pushes):
        count = _mixed_layers(model, state, seen)
        state = mixed_at_inlet(pushed(state, share / pushes, seen.inlet), count, at_bottom=seen.upward > 0.0)
    return state


def _mixed_layers(model: TankModel, state: TankState, seen: TankInput) -> int:
    """Layers that the inlet mixes: the depth grows with its Froude number [3][4], up to half the tank.

    What holds the mixing down is the difference of density to the water that is pushed out [1], so the outlet's is
    taken. Water that enters warm at the bottom, or cold at the top, is left to `settled`.
    """
    diffuser = model.diffuser
    if diffuser is None or diffuser.mixing_depth == 0.0:
        return 1
    number = froude(diffuser, seen.upward, seen.inlet, outlet(state, seen.upward))
    depth = min(diffuser.mixing_depth * number, 0.5 * model.height)
    return max(1, round(depth * model.layers / model.height))


def _pooled(state: TankState) -> TankState:
    masses: Sequence[float] = (1.0 + state.shift, *(1.0,) * (len(state.layers) - 2), 1.0 - state.shift)
    pools: list[tuple[float, float, int]] = []  # heat, mass, number of layers
    for here, weight in zip(state.layers, masses, strict=True):
        heat, mass, count = here * weight, weight, 1
        while pools and pools[-1][0] / pools[-1][1] > heat / mass:
            lower, lighter, number = pools.pop()
            heat, mass, count = heat + lower, mass + lighter, count + number
        pools.append((heat, mass, count))
    return TankState(tuple([heat / mass for heat, mass, count in pools for _ in range(count)]), state.shift)
