"""YorkCalc: how far a mechanical-draught cooling tower cools its water, as a polynomial fitted to a maker's towers.

References
----------
[1] EnergyPlus Engineering Reference, "Variable Speed Cooling Towers" (CoolingTower:VariableSpeed, model YorkCalc):
    approach as a polynomial of second degree in wet bulb, range and liquid-to-gas ratio; limits of the fit; input that
    lies outside is set to the limit.
[2] Lawrence Berkeley National Laboratory, Modelica Buildings Library,
    Fluid.HeatExchangers.CoolingTowers.Correlations.yorkCalc: the same coefficients.
"""

from functools import lru_cache
from math import sqrt

WET_BULB_LIMITS = (-34.4, 26.7)  # [degC] [1]
RANGE_LIMITS = (1.1, 22.2)  # [K] [1]
LIQUID_TO_GAS_LIMITS = (0.75, 8.0)
"""Water by air flow, each as a share of the design's. [1] gives water 0.75 to 1.25 and a ratio of at most 8."""

_Quadratic = tuple[float, float, float]
# Rows: powers 0, 1, 2 of the range; columns: powers of the wet bulb. One table a power of the liquid-to-gas ratio.  [1]
_TERMS: tuple[tuple[_Quadratic, _Quadratic, _Quadratic], ...] = (
    (
        (-0.359741205, -0.055053608, 0.0023850432),
        (0.173926877, -0.0248473764, 0.00048430224),
        (-0.005589849456, 0.0005770079712, -0.00001342427256),
    ),
    (
        (2.84765801111111, -0.121765149, 0.0014599242),
        (1.680428651, -0.0166920786, -0.0007190532),
        (-0.025485194448, 0.0000487491696, 0.00002719234152),
    ),
    (
        (-0.0653766255555556, -0.002278167, 0.0002500254),
        (-0.0910565458, 0.00318176316, 0.000038621772),
        (-0.0034285382352, 0.00000856589904, -0.000001516821552),
    ),
)


def approach(cooling_range: float, wet_bulb: float, liquid_to_gas: float) -> float:
    """Leaving water less wet bulb [K] for a range [K], wet bulb [degC] and liquid-to-gas ratio [-].  Source: [1]."""
    a, b, c = _in_range(wet_bulb, liquid_to_gas)
    return a + cooling_range * (b + c * cooling_range)


def range_of(excess: float, wet_bulb: float, liquid_to_gas: float) -> float:
    """Range [K] of water that enters `excess` [K] above the wet bulb [degC]: R + approach(R) = excess.

    The approach is a quadratic in the range, so R is known without iteration. Beyond the limits of the range it grows
    in proportion to the excess, as from the nearest limit; so no water below the wet bulb is cooled, and a trickle of
    heat finds its way.
    """
    a, slope, c, at_least, most, at_most = _excess(wet_bulb, liquid_to_gas)
    if excess <= at_least:
        return RANGE_LIMITS[0] * excess / at_least
    if excess >= at_most:
        return most * excess / at_most
    rest = excess - a
    return 2.0 * rest / (slope + sqrt(max(0.0, slope * slope + 4.0 * c * rest)))


def liquid_to_gas_of(design_range: float, design_approach: float, design_wet_bulb: float) -> float:
    """Liquid-to-gas ratio [-] at which the correlation has a given approach [K]; what a tower of that design is worth.

    The approach grows with the ratio, so halving finds it; a design beyond the limits gets the nearest of them.
    """
    low, high = LIQUID_TO_GAS_LIMITS
    wet_bulb = min(max(design_wet_bulb, WET_BULB_LIMITS[0]), WET_BULB_LIMITS[1])
    for _ in range(40):
        middle = 0.5 * (low + high)
        if approach(design_range, wet_bulb, middle) < design_approach:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@lru_cache(maxsize=256)
def _excess(wet_bulb: float, liquid_to_gas: float) -> tuple[float, float, float, float, float, float]:
    """The excess of the entering water over the wet bulb, within the limits of the fit, as a + b R + c R^2 of the range
    R [K]: a, b, c, the excess at the least range, the most range and the excess there. Air and flows change more seldom
    than the water, so that it is asked for again and again.
    """
    wet_bulb = min(max(wet_bulb, WET_BULB_LIMITS[0]), WET_BULB_LIMITS[1])
    ratio = min(max(liquid_to_gas, LIQUID_TO_GAS_LIMITS[0]), LIQUID_TO_GAS_LIMITS[1])
    a, b, c = _in_range(wet_bulb, ratio)
    least, most = RANGE_LIMITS
    if c < 0.0:  # the excess falls again beyond this range: the end of the fit, though it lies inside the limits
        most = min(most, -0.5 * (1.0 + b) / c)
    at_least, at_most = least + a + least * (b + c * least), most + a + most * (b + c * most)
    return a, 1.0 + b, c, at_least, most, at_most


def _in_range(wet_bulb: float, liquid_to_gas: float) -> _Quadratic:
    """The approach as a + b R + c R^2 of the range R."""
    (a, d, g), (b, e, h), (c, f, i) = _at_wet_bulb(wet_bulb)
    return (
        a + liquid_to_gas * (b + c * liquid_to_gas),
        d + liquid_to_gas * (e + f * liquid_to_gas),
        g + liquid_to_gas * (h + i * liquid_to_gas),
    )


@lru_cache(maxsize=256)
def _at_wet_bulb(wet_bulb: float) -> tuple[_Quadratic, _Quadratic, _Quadratic]:
    """For each power of the liquid-to-gas ratio the coefficients of the powers of the range. The air changes more
    seldom than the water, so that they are asked for again and again.
    """
    first, second, third = (
        (
            terms[0][0] + wet_bulb * (terms[0][1] + wet_bulb * terms[0][2]),
            terms[1][0] + wet_bulb * (terms[1][1] + wet_bulb * terms[1][2]),
            terms[2][0] + wet_bulb * (terms[2][1] + wet_bulb * terms[2][2]),
        )
        for terms in _TERMS
    )
    return first, second, third
