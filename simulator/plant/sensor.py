"""A sensor that lags behind what it measures.

Source: IEC 60751 (thermal response time of resistance thermometers, a type test); first order, T dy/dt = x - y, solved
exactly for an input that is held over a step.
"""

from math import exp, log1p


def lagged(reading: float, measured: float, time_constant: float, dt: float) -> float:
    """Reading after dt [s] of a sensor with a time constant [s] in what has its measured value from now on."""
    return measured + (reading - measured) * remaining(time_constant, dt)


def remaining(time_constant: float, dt: float) -> float:
    """Share [0..1] that is left after dt [s] of the distance between a sensor with a time constant [s] and what it
    measures.
    """
    return exp(-dt / time_constant) if time_constant > 0.0 else 0.0


def time_constant_of(response_time: float, share: float = 0.5) -> float:
    """Time constant [s] of a sensor that needs a response time [s] for a share [0..1] of a step, as data sheets say it
    (tau 0.5, tau 0.63, tau 0.9).
    """
    return -response_time / log1p(-share)
