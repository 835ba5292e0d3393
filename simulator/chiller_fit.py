"""Which catalogue machine a log's chillers are most like: a curve of many and two numbers, capacity and COP.

The search works on whole columns of a log; what is found is an ordinary model for `simulator.plant.chiller.operate`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.chillers import CatalogueChiller
from simulator.likeness import Reading
from simulator.plant.chiller import KELVIN, LEAST_LIFT, ChillerModel, CondenserSide, bicubic, biquadratic, scaled

Array: TypeAlias = NDArray[np.float64]

_CAPACITIES = np.geomspace(0.7, 3.2, 13)
"""Tried first, as shares of the largest load of one machine; the best is then refined."""
_SEARCHED = 1000
"""Readings that the first search looks at, evenly over the log; the refinement looks at all."""
_REFINEMENTS, _REFINED_CURVES = 8, 5
_GOLDEN = 0.618033988749895
_FIRST_COP = 5.0
_CONDENSER_PASSES = 4
_COP_PASSES = {CondenserSide.ENTERING: 1, CondenserSide.LEAVING: 2}


@dataclass(frozen=True, slots=True)
class Fit:
    """The catalogue machine whose curves were taken, and the model with capacity and COP fitted."""

    chiller: CatalogueChiller
    model: ChillerModel


def fit(readings: Sequence[Reading], catalogue: Iterable[CatalogueChiller]) -> tuple[Fit, ...]:
    """The machines of a catalogue that leave the least squares of power, best first; all machines of the log are taken
    to be of one kind.
    """
    log = _columns(readings)
    thinned = _columns(readings[:: max(1, len(readings) // _SEARCHED)])
    largest = float(log.loads.max())
    tried = sorted((_best_of(chiller, largest, thinned) for chiller in catalogue), key=_error)
    refined = sorted((_refined(each.chiller, each.capacity, log) for each in tried[:_REFINED_CURVES]), key=_error)
    return tuple(Fit(each.chiller, scaled(each.chiller.model, each.capacity, each.cop)) for each in refined)


def alone(readings: Iterable[Reading], machine: int) -> list[Reading]:
    """Readings in which one machine runs alone, with its load only."""
    return [
        reading._replace(loads=(reading.loads[machine],))
        for reading in readings
        if reading.loads[machine] > 0.0 and reading.load == reading.loads[machine]
    ]


def powers(model: ChillerModel, loads: Array, leaving: Array, condenser_entering: Array) -> Array:
    """`operate` for whole columns: power [kW] of one machine at loads [kW], waters [degC] and its design flow."""
    x = np.clip(leaving, *model.leaving_range)
    if model.condenser_side is CondenserSide.ENTERING:
        return _operated(model, loads, leaving, x, condenser_entering)[1]
    capacity_rate = model.condenser_flow * WATER_SPECIFIC_HEAT
    cooling, power = loads, loads / model.cop
    for _ in range(_CONDENSER_PASSES):
        condenser = condenser_entering + (cooling + model.motor_efficiency * power) / capacity_rate
        cooling, power = _operated(model, loads, leaving, x, condenser)
    return power


class _Log(NamedTuple):
    """Readings as columns, one row a running machine; of: the reading that a row belongs to."""

    loads: Array
    leaving: Array
    condenser_entering: Array
    of: NDArray[np.intp]
    power: Array


class _Candidate(NamedTuple):
    error: float
    capacity: float
    cop: float
    chiller: CatalogueChiller


def _error(candidate: _Candidate) -> float:
    return candidate.error


def _columns(readings: Sequence[Reading]) -> _Log:
    rows = [
        (load, reading.leaving, reading.condenser_entering, index)
        for index, reading in enumerate(readings)
        for load in reading.loads
        if load > 0.0
    ]
    loads, leaving, entering, of = (np.array(column) for column in zip(*rows, strict=True))
    return _Log(loads, leaving, entering, of.astype(np.intp), np.array([reading.power for reading in readings]))


def _best_of(chiller: CatalogueChiller, largest: float, log: _Log) -> _Candidate:
    tried = [(*_fitted_cop(chiller.model, share * largest, log), share) for share in _CAPACITIES.tolist()]
    error, cop, share = min(tried)
    return _Candidate(error, share * largest, cop, chiller)


def _refined(chiller: CatalogueChiller, capacity: float, log: _Log) -> _Candidate:
    """The best capacity within one step of the first search, by golden section."""
    ratio = float(_CAPACITIES[1] / _CAPACITIES[0])
    low, high = capacity / ratio, capacity * ratio
    for _ in range(_REFINEMENTS):
        inner = (high - (high - low) * _GOLDEN, low + (high - low) * _GOLDEN)
        lower, upper = (_fitted_cop(chiller.model, each, log)[0] for each in inner)
        low, high = (low, inner[1]) if lower < upper else (inner[0], high)
    capacity = 0.5 * (low + high)
    error, cop = _fitted_cop(chiller.model, capacity, log)
    return _Candidate(error, capacity, cop, chiller)


def _fitted_cop(model: ChillerModel, capacity: float, log: _Log) -> tuple[float, float]:
    """Squares left [kW^2] and the COP that leaves least of them, for curves at a capacity [kW].

    Power goes with the inverse of the COP: exactly, where curves take the entering condenser water; nearly, where the
    leaving water warms with the power.
    """
    cop = _FIRST_COP
    for _ in range(_COP_PASSES[model.condenser_side]):
        predicted = _predicted(scaled(model, capacity, cop), log)
        cop *= float(predicted @ predicted / (predicted @ log.power))
    off = _predicted(scaled(model, capacity, cop), log) - log.power
    return float(off @ off), cop


def _predicted(model: ChillerModel, log: _Log) -> Array:
    rows = powers(model, log.loads, log.leaving, log.condenser_entering)
    predicted: Array = np.zeros(len(log.power))
    np.add.at(predicted, log.of, rows)
    return predicted


def _operated(model: ChillerModel, loads: Array, leaving: Array, x: Array, condenser: Array) -> tuple[Array, Array]:
    """Cooling and power [kW] with the condenser water of the model's side [degC]."""
    y = np.clip(condenser, *model.condenser_range)
    available = model.capacity * biquadratic(model.capacity_curve, x, y)
    low, high = model.minimum_part_load_ratio * available, model.maximum_part_load_ratio * available
    cooling = np.maximum(low, np.minimum(loads, high))
    ratio = np.maximum(cooling / available, model.minimum_unloading_ratio)
    power = available / model.cop * biquadratic(model.input_curve, x, y) * bicubic(model.part_load_curve, y, ratio)
    least_work = np.maximum(condenser - leaving, LEAST_LIFT) / (leaving + KELVIN)
    return cooling, np.maximum(power, cooling * least_work)
