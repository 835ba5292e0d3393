"""What a chiller's curves do over their own ranges: which way power goes, and where only physics holds it up.

A catalogue's polynomials were fitted to points, not to laws. Most rise with load and with condenser temperature, some
do not everywhere; whoever builds a plant of one, or optimises it, should know which.
"""

from itertools import pairwise, product
from math import isclose
from typing import NamedTuple

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.plant.chiller import KELVIN, LEAST_LIFT, ChillerModel, CondenserSide, Operation, operate

_POINTS = 5
_SLACK = 1e-6
"""Of the power: what does not count as falling."""


class Traits(NamedTuple):
    """Whether power rises with load and with condenser temperature and falls with chilled water temperature, everywhere
    in the ranges of the curves; held_up: share of the states looked at [0..1] in which the curves ask for less power
    than Carnot's limit.
    """

    rises_with_load: bool
    rises_with_condenser: bool
    falls_with_leaving: bool
    held_up: float


def traits(model: ChillerModel) -> Traits:
    """What a grid over ranges and loads shows, as far as the machine can carry these loads there."""
    leaving = _spread(*model.leaving_range)
    condenser = _spread(*entering_range(model))
    loads = _spread(model.minimum_unloading_ratio * model.capacity, model.capacity)
    states = {
        (load, chilled, entering): operate(model, load, 1.0, chilled, entering)
        for load, chilled, entering in product(loads, leaving, condenser)
    }

    def rises(*along: tuple[float, float, float]) -> bool:
        return _rises([states[at].power for at in along if isclose(states[at].cooling, at[0], rel_tol=_SLACK)])

    return Traits(
        all(rises(*((load, x, y) for load in loads)) for x, y in product(leaving, condenser)),
        all(rises(*((load, x, y) for y in condenser)) for load, x in product(loads, leaving)),
        all(rises(*((load, x, y) for x in reversed(leaving))) for load, y in product(loads, condenser)),
        sum(_is_held_up(model, state, x, y) for (_, x, y), state in states.items()) / len(states),
    )


def entering_range(model: ChillerModel) -> tuple[float, float]:
    """Entering condenser water [degC] that the curves cover: of a machine that goes by the leaving water, a design rise
    below its range.
    """
    low, high = model.condenser_range
    if model.condenser_side is CondenserSide.ENTERING:
        return low, high
    heat = model.capacity * (1.0 + model.motor_efficiency / model.cop)
    rise = heat / (model.condenser_flow * WATER_SPECIFIC_HEAT)
    return low - model.minimum_part_load_ratio * rise, max(low, high - rise)


def _is_held_up(model: ChillerModel, state: Operation, leaving: float, condenser: float) -> bool:
    if model.condenser_side is CondenserSide.LEAVING:
        condenser += state.heat_rejection / (model.condenser_flow * WATER_SPECIFIC_HEAT)
    least = state.cooling * max(condenser - leaving, LEAST_LIFT) / (leaving + KELVIN)
    return state.power <= least * (1.0 + _SLACK)


def _spread(low: float, high: float) -> list[float]:
    return [low + (high - low) * step / (_POINTS - 1) for step in range(_POINTS)]


def _rises(values: list[float]) -> bool:
    return all(before <= after * (1.0 + _SLACK) for before, after in pairwise(values))
