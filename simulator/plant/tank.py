"""Stratified chilled-water tank: layers of equal mass, bottom first, cold water below warm.

Every function keeps the heat of the layers to rounding: what leaves one layer enters the next.

References
----------
[1] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 51 "Thermal storage", "Stratified chilled-water
    storage": thermocline, diffusers, cold water in and out at the bottom.
[2] E. M. Kleinbach, W. A. Beckman, S. A. Klein, "Performance study of one-dimensional models for stratified thermal
    storage tanks", Solar Energy 50(2), 1993, pp. 155-166: multinode model, mixing of inverted layers.
[3] B. van Leer, "Towards the ultimate conservative difference scheme V", J. Comput. Phys. 32, 1979, pp. 101-136:
    limited slopes, so that the thermocline stays as thin as in a real tank with few layers.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from controller.core.physics import WATER_SPECIFIC_HEAT, water_density

WATER_CONDUCTIVITY = 0.60e-3
"""Thermal conductivity of water [kW/(m K)] at 20 degC (IAPWS 2011: 0.598 W/(m K))."""


@dataclass(frozen=True, slots=True)
class TankModel:
    """volume [m3] of an upright cylinder with height [m]; u_value of wall and roof [kW/(m2 K)]; number of layers."""

    volume: float
    height: float
    u_value: float
    layers: int

    @property
    def layer_mass(self) -> float:
        """[kg]"""
        return self.volume * water_density(10.0) / self.layers

    @property
    def section(self) -> float:
        """Cross-section [m2]."""
        return self.volume / self.height

    def conductance(self) -> float:
        """Between neighbouring layers [kW/K]: k A / dz."""
        return WATER_CONDUCTIVITY * self.section * self.layers / self.height

    def wall_conductances(self) -> tuple[float, ...]:
        """Of each layer to the ambient air [kW/K], bottom first: wall in equal parts, roof at the top; the floor lies
        on insulated ground and counts as tight.
        """
        wall = self.u_value * 2.0 * math.sqrt(math.pi * self.section) * self.height / self.layers
        return (*(wall for _ in range(self.layers - 1)), wall + self.u_value * self.section)


def advected(layers: list[float], share: float, inlet: float, *, upward: bool) -> list[float]:
    """Layers after a mass of `share` layers [0..1] at the inlet temperature [degC] pushed its way in at one end.

    What leaves at the other end has the temperature that the last layer had before. Scheme: second order with minmod
    slopes [3]; stable and free of new extremes for share <= 1.

    """
    if not upward:
        return advected(layers[::-1], share, inlet, upward=True)[::-1]
    last = len(layers) - 1
    half = 0.5 * (1.0 - share)
    before, here = inlet, layers[0]
    entering = inlet
    moved: list[float] = []
    for index in range(last + 1):
        if index == last:
            leaving = following = here
        else:
            following = layers[index + 1]
            rise, next_rise = here - before, following - here
            if rise * next_rise <= 0.0:
                leaving = here
            else:
                leaving = here + half * (rise if abs(rise) < abs(next_rise) else next_rise)
        moved.append(here + share * (entering - leaving))
        entering, before, here = leaving, here, following
    return moved


def conducted(layers: list[float], coefficient: float) -> list[float]:
    """Layers after conduction between neighbours; coefficient = k A dt / (dz m cp) [-], stable below 0.5."""
    upward = [coefficient * (below - above) for below, above in pairwise(layers)]
    return [layer + gained - lost for layer, gained, lost in zip(layers, [0.0, *upward], [*upward, 0.0], strict=True)]


def settled(layers: list[float]) -> list[float]:
    """Layers after buoyancy mixed every warmer one that lay below a colder one [2] (pooling of adjacent violators)."""
    below = layers[0]
    for here in layers:
        if here < below:
            return _pooled(layers)
        below = here
    return layers


def stirred(layers: list[float], share: float) -> list[float]:
    """Layers that lost a share [0..1] of their distance to the mean: a broken diffuser stirs the whole tank."""
    mean = sum(layers) / len(layers)
    return [layer + share * (mean - layer) for layer in layers]


def _pooled(layers: list[float]) -> list[float]:
    pools: list[tuple[float, int]] = []  # sum of temperatures, number of layers
    for here in layers:
        total, count = here, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            lower, number = pools.pop()
            total, count = total + lower, count + number
        pools.append((total, count))
    return [total / count for total, count in pools for _ in range(count)]


def cold_content(model: TankModel, layers: list[float], reference: float) -> float:
    """Cold stored against water at a reference temperature [degC], in kWh: sum of m cp (T_ref - T) / 3600."""
    kilojoules = sum(reference - layer for layer in layers) * model.layer_mass * WATER_SPECIFIC_HEAT
    return kilojoules / 3600.0
