"""How like a real plant a model is: fitted on the first half of a log, scored on the second.

Beside a model stand a constant COP and a quadratic in the load, fitted on the same half.

References
----------
[1] ASHRAE Guideline 14-2014: CV(RMSE) and NMBE (here bias), both over the mean measured power; n in the
    denominators, because nothing was fitted on what is scored.
"""

from collections.abc import Callable, Sequence
from math import sqrt
from typing import NamedTuple, TypeAlias

import numpy as np

from simulator.plant.chiller import ChillerModel, operate

LEAST_LOAD = 0.1
"""Share of the largest load of the first half below which a reading says more about starts and sensors."""

_FEWEST = 96


class Reading(NamedTuple):
    """One interval of a plant: loads of its machines in a fixed order, 0 of what stands [kW]; power of all chillers
    [kW]; leaving chilled and entering condenser water [degC].
    """

    loads: tuple[float, ...]
    power: float
    leaving: float
    condenser_entering: float

    @property
    def load(self) -> float:
        """Of all machines [kW]."""
        return sum(self.loads)


Predict: TypeAlias = Callable[[Reading], float]
"""Power of all chillers [kW]; may look at everything of a reading but its power."""


class Halves(NamedTuple):
    """Readings to fit on and to score on, in order of time, and how many were left out for a load too small."""

    fitted: Sequence[Reading]
    scored: Sequence[Reading]
    excluded: int


def halves(readings: Sequence[Reading]) -> Halves:
    """A log cut in the middle of its running time.

    Raises ValueError where too little is left to fit two numbers and a curve.
    """
    largest = max((reading.load for reading in readings[: len(readings) // 2]), default=0.0)
    running = [reading for reading in readings if reading.load >= LEAST_LOAD * largest and reading.power > 0.0]
    if len(running) < _FEWEST:
        raise ValueError(f"{len(running)} readings with load and power; expected at least {_FEWEST}")
    middle = len(running) // 2
    return Halves(running[:middle], running[middle:], len(readings) - len(running))


class Score(NamedTuple):
    """cv_rmse, bias: shares of the mean measured power [1]; a positive bias predicts too much."""

    cv_rmse: float
    bias: float


def score(predict: Predict, readings: Sequence[Reading]) -> Score:
    """How well a prediction meets the readings."""
    off = [predict(reading) - reading.power for reading in readings]
    mean = sum(reading.power for reading in readings) / len(readings)
    return Score(sqrt(sum(each * each for each in off) / len(off)) / mean, sum(off) / len(off) / mean)


class Responses(NamedTuple):
    """Change of the COP for a kelvin of entering condenser water [1/K] and for a kilowatt of load [1/kW]."""

    condenser: float
    load: float


def responses(power: Predict, readings: Sequence[Reading]) -> Responses:
    """Slopes of the COP over the readings, both at once by least squares."""
    inputs = np.array([(1.0, reading.condenser_entering, reading.load) for reading in readings])
    cops = np.array([reading.load / power(reading) for reading in readings])
    _, condenser, load = np.linalg.lstsq(inputs, cops, rcond=None)[0].tolist()
    return Responses(condenser, load)


# --- what predicts ----------------------------------------------------------------------------------------------------


def measured(reading: Reading) -> float:
    """What the log says itself."""
    return reading.power


def constant_cop(readings: Sequence[Reading]) -> Predict:
    """The one COP that leaves the least squares of power."""
    per_kilowatt = _per_kilowatt(readings)
    return lambda reading: per_kilowatt * reading.load


def constant_cops(*alone: Sequence[Reading]) -> Predict:
    """The same for each machine, from readings in which it runs alone."""
    per_kilowatt = [_per_kilowatt(readings) for readings in alone]
    return lambda reading: sum(each * load for each, load in zip(per_kilowatt, reading.loads, strict=True))


def _per_kilowatt(readings: Sequence[Reading]) -> float:
    squares = sum(reading.load * reading.load for reading in readings)
    return sum(reading.load * reading.power for reading in readings) / squares


def quadratic_in_load(readings: Sequence[Reading]) -> Predict:
    """Power as a + b load + c load^2, least squares."""
    loads = np.array([reading.load for reading in readings])
    c, b, a = np.polyfit(loads, np.array([reading.power for reading in readings]), 2).tolist()
    return lambda reading: a + reading.load * (b + c * reading.load)


def plant(*models: ChillerModel) -> Predict:
    """What the simulator's machines take for the same loads and waters; one model stands for all machines of a kind."""

    def power(reading: Reading) -> float:
        of = models * len(reading.loads) if len(models) == 1 else models
        return sum(
            operate(model, load, 1.0, reading.leaving, reading.condenser_entering).power
            for model, load in zip(of, reading.loads, strict=True)
            if load > 0.0
        )

    return power
