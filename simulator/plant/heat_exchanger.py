"""Plate heat exchanger between two waters, by effectiveness and number of transfer units.

References
----------
[1] F. P. Incropera et al., "Fundamentals of Heat and Mass Transfer", chapter 11.4: effectiveness of counterflow.
[2] R. K. Shah, D. P. Sekulic, "Fundamentals of Heat Exchanger Design", chapter 7: film coefficients between plates grow
    with about the 0.7th power of the flow.
[3] EnergyPlus Engineering Reference, "Heat Exchanger:FluidToFluid", counterflow.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from controller.core.physics import WATER_SPECIFIC_HEAT

_FILM_EXPONENT = 0.7  # [2]


@dataclass(frozen=True, slots=True)
class PlateModel:
    """flow: of both sides at the design [kg/s]; conductance: U A there [kW/K]; fouling: resistance besides both films
    [K/kW].
    """

    flow: float
    conductance: float
    fouling: float = 0.0


class Exchange(NamedTuple):
    """heat from the warm to the cold side [kW]; leaving temperatures [degC]."""

    heat: float
    warm_leaving: float
    cold_leaving: float


def plate_for(flow: float, approach: float, cooling_range: float) -> PlateModel:
    """Chosen for equal flows [kg/s] of which one falls by a range [K] to an approach [K] above the other's entry."""
    return PlateModel(flow, flow * WATER_SPECIFIC_HEAT * cooling_range / approach)


def conductance(model: PlateModel, warm_flow: float, cold_flow: float) -> float:
    """U A [kW/K]: both films in series, each half of the clean resistance at the design, and the fouling [2]."""
    if warm_flow <= 0.0 or cold_flow <= 0.0:
        return 0.0
    film = 0.5 / model.conductance
    warm = film * (model.flow / warm_flow) ** _FILM_EXPONENT
    cold = film * (model.flow / cold_flow) ** _FILM_EXPONENT
    return 1.0 / (warm + cold + model.fouling)


def exchange(
    model: PlateModel, warm_flow: float, warm_entering: float, cold_flow: float, cold_entering: float
) -> Exchange:
    """Equations [1]: e = (1 - exp(-N (1 - r))) / (1 - r exp(-N (1 - r))), or N / (1 + N) for r = 1; Q = e C_min
    (T_warm - T_cold). Nothing without flow on both sides.
    """
    transfer = conductance(model, warm_flow, cold_flow)
    if transfer <= 0.0:
        return Exchange(0.0, warm_entering, cold_entering)
    warm, cold = warm_flow * WATER_SPECIFIC_HEAT, cold_flow * WATER_SPECIFIC_HEAT
    least = min(warm, cold)
    heat = counterflow(transfer / least, least / max(warm, cold)) * least * (warm_entering - cold_entering)
    return Exchange(heat, warm_entering - heat / warm, cold_entering + heat / cold)


def counterflow(units: float, ratio: float) -> float:
    """Effectiveness [0..1] for a number of transfer units and a ratio of capacity rates [0..1].  Source: [1]."""
    if 1.0 - ratio < 1e-6:
        return units / (1.0 + units)
    decay = math.exp(-units * (1.0 - ratio))
    return (1.0 - decay) / (1.0 - ratio * decay)
