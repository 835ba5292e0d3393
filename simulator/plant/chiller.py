"""Water-cooled chiller: capacity, power and condenser heat by the EIR and the reformulated EIR model.

Both models are one here. The part-load curve is a bicubic of condenser temperature and part-load ratio, of which the
EIR model uses the terms of the ratio alone; and the condenser temperature of every curve is that of the entering water
(EIR) or of the leaving water (reformulated EIR), which depends on the heat rejected and is found by iteration.

References
----------
[1] EnergyPlus Engineering Reference, "Electric Chiller Model Based on Condenser Entering Temperature"
    (Chiller:Electric:EIR): capacity, energy input ratio, false loading below the minimum unloading ratio.
[2] EnergyPlus Input Output Reference, Chiller:Electric:EIR, example "ElectricEIRChiller DOE-2 Centrifugal/5.50COP",
    the same record as in the data set Chillers.idf: the generic centrifugal chiller of DOE-2.1E
    (curves HERM-CENT-CAP-FT, HERM-CENT-EIR-FT, HERM-CENT-EIR-FPLR).
[3] EnergyPlus Engineering Reference, "Electric Chiller Model Based on Condenser Leaving Temperature"
    (Chiller:Electric:ReformulatedEIR); M. Hydeman, K. L. Gillespie, "Tools and techniques to calibrate electric
    chiller component models", ASHRAE Transactions 108(1), 2002: why the leaving temperature describes variable
    speed better.
[4] S. Carnot's limit: heat lifted from T_l to T_c needs at least work (T_c - T_l) / T_l, temperatures in kelvin.
[5] AHRI Standard 550/590, standard rating conditions of water-cooled chillers: 0.0431 L/s of chilled and 0.0538 L/s of
    condenser water for each kW.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from math import inf
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.plant.record import record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Biquadratic: TypeAlias = tuple[float, float, float, float, float, float]
"""a + b x + c x^2 + d y + e y^2 + f x y"""

Bicubic: TypeAlias = tuple[float, float, float, float, float, float, float, float, float, float]
"""a + b x + c x^2 + d y + e y^2 + f x y + g x^3 + h y^3 + i x^2 y + j x y^2"""

QuantityT = TypeVar("QuantityT", float, "NDArray[np.float64]")
"""One value, or a whole column of them."""

KELVIN = 273.15
LEAST_LIFT = 1.0
"""[K] to which the limit of [4] holds on, so that power stays positive where the condenser is no warmer."""
_CONDENSER_TOLERANCE = 1e-6  # [K] of the leaving condenser water, found by iteration
_PASSES = 12
_LEAST_SLOPE = -0.2
"""Of what the water is off by, for a kelvin of it: about -1; nearer to 0, a secant leads astray."""
_MOST_RISES = 8.0
"""Times the temperature rise of the capacity alone: more heat than any machine of the catalogues rejects."""
_POWER_HALVINGS = 40


class CondenserSide(IntEnum):
    """Which condenser water the curves go by: ENTERING [1] or LEAVING [3]."""

    ENTERING = 0
    LEAVING = 1


@dataclass(frozen=True, slots=True)
class ChillerModel:
    """A machine as curves.

    capacity [kW] and cop [kW/kW] hold at the reference temperatures [degC], full load. Curves take leaving chilled
    water x and condenser water y [degC], valid in the two ranges given; part_load_curve takes y and the part-load
    ratio. Ratios are parts of the capacity at the temperatures. Flows [kg/s] are those of the design.
    motor_efficiency: share of the power that ends in the condenser [0..1]; the rest warms the plant room (hermetic: 1).
    """

    capacity: float
    cop: float
    capacity_curve: Biquadratic
    input_curve: Biquadratic
    part_load_curve: Bicubic
    leaving_range: tuple[float, float]
    condenser_range: tuple[float, float]
    minimum_part_load_ratio: float
    minimum_unloading_ratio: float
    leaving_reference: float
    condenser_reference: float
    evaporator_flow: float
    condenser_flow: float
    maximum_part_load_ratio: float = 1.0
    condenser_side: CondenserSide = CondenserSide.ENTERING
    motor_efficiency: float = 1.0


def in_part_load(a: float, b: float, c: float) -> Bicubic:
    """The part-load curve of the EIR model, a + b PLR + c PLR^2, as a bicubic."""
    return (a, 0.0, 0.0, b, c, 0.0, 0.0, 0.0, 0.0, 0.0)


def generic_centrifugal(capacity: float) -> ChillerModel:
    """The generic centrifugal chiller of [2] at a capacity [kW] for 6.67 degC leaving, 29.4 degC condenser water.

    Its curves are left as published, 0.3 % and 0.1 % off one at the reference point. Flows are those of [5].
    """
    return ChillerModel(
        capacity=capacity,
        cop=5.5,
        capacity_curve=(0.257896, 0.0389016, -0.00021708, 0.0468684, -0.00094284, -0.00034344),
        input_curve=(0.933884, -0.0582120, 0.00450036, 0.00243, 0.000486, -0.001215),
        part_load_curve=in_part_load(0.222903, 0.313387, 0.463710),
        leaving_range=(5.0, 10.0),
        condenser_range=(24.0, 35.0),
        minimum_part_load_ratio=0.1,
        minimum_unloading_ratio=0.2,
        leaving_reference=6.67,
        condenser_reference=29.4,
        evaporator_flow=0.0431 * capacity,
        condenser_flow=0.0538 * capacity,
    )


def biquadratic(curve: Biquadratic, x: QuantityT, y: QuantityT) -> QuantityT:
    """a + b x + c x^2 + d y + e y^2 + f x y."""
    a, b, c, d, e, f = curve
    return a + x * (b + c * x) + y * (d + e * y) + f * x * y


def bicubic(curve: Bicubic, x: QuantityT, y: QuantityT) -> QuantityT:
    """a + b x + c x^2 + d y + e y^2 + f x y + g x^3 + h y^3 + i x^2 y + j x y^2."""
    a, b, c, d, e, f, g, h, i, j = curve
    return a + x * (b + x * (c + g * x)) + y * ((d + x * (f + i * x)) + y * ((e + j * x) + h * y))


def within(value: float, limits: tuple[float, float]) -> float:
    """The value, held at the ends of the range in which a curve was fitted ([1]: curves are not extrapolated)."""
    low, high = limits
    return low if value < low else high if value > high else value


# --- at the reference point -------------------------------------------------------------------------------------------


class Factors(NamedTuple):
    """What the curves of capacity, input and part load give at the reference point and full load; 1 as defined."""

    capacity: float
    input: float
    part_load: float


def reference_factors(model: ChillerModel) -> Factors:
    """The curves at the machine's own reference point."""
    x, y = model.leaving_reference, model.condenser_reference
    return Factors(
        biquadratic(model.capacity_curve, x, y),
        biquadratic(model.input_curve, x, y),
        bicubic(model.part_load_curve, y, 1.0),
    )


def normalised(model: ChillerModel) -> ChillerModel:
    """The machine with each curve divided by its value at the reference point, so that capacity and cop mean there
    what they say. Shapes stay: every ratio between two states of the machine but its size is as published.

    Raises ValueError where a curve is not positive at its own reference point.
    """
    capacity, power, part_load = found = reference_factors(model)
    if min(found) <= 0.0:
        raise ValueError(f"curves of {capacity:.3g}, {power:.3g}, {part_load:.3g} at the reference point; expected 1")
    a, b, c, d, e, f, g, h, i, j = [coefficient / part_load for coefficient in model.part_load_curve]
    return replace(
        model,
        capacity_curve=_divided(model.capacity_curve, capacity),
        input_curve=_divided(model.input_curve, power),
        part_load_curve=(a, b, c, d, e, f, g, h, i, j),
    )


def scaled(model: ChillerModel, capacity: float, cop: float | None = None) -> ChillerModel:
    """The same curves for a machine of another capacity [kW] and, where given, another COP at the reference point.
    Flows go with the capacity.
    """
    share = capacity / model.capacity
    return replace(
        model,
        capacity=capacity,
        cop=model.cop if cop is None else cop,
        evaporator_flow=model.evaporator_flow * share,
        condenser_flow=model.condenser_flow * share,
    )


def _divided(curve: Biquadratic, by: float) -> Biquadratic:
    a, b, c, d, e, f = curve
    return (a / by, b / by, c / by, d / by, e / by, f / by)


# --- in operation -----------------------------------------------------------------------------------------------------


class Operation(NamedTuple):
    """cooling: heat taken from the evaporator [kW]; power: compressor [kW]; heat_rejection: condenser [kW]."""

    cooling: float
    power: float
    heat_rejection: float


STOPPED = Operation(0.0, 0.0, 0.0)


def operate(
    model: ChillerModel,
    wanted: float,
    limit: float,
    leaving: float,
    condenser_entering: float,
    *,
    condenser_flow: float | None = None,
    power_limit: float = inf,
) -> Operation:
    """A running chiller at a wanted cooling rate [kW].

    Parameters: limit, share of the capacity that the run-up allows [0..1]; leaving chilled water and entering condenser
    water [degC]; condenser_flow [kg/s], the design's where none is given; power_limit, beyond which the machine unloads
    [kW]. Equations [1], [3] with y the condenser water on the model's side:
        Q_avail = Q_ref capFT(x, y)
        P = Q_avail EIR_ref EIRFT(x, y) EIRFPLR(y, max(PLR, minimum unloading ratio))
        Q_cond = Q_evap + P motor_efficiency
        T_leaving = T_entering + Q_cond / (m cp)
    Cooling never falls below the minimum part-load ratio, whatever the limits; between it and the minimum unloading
    ratio hot gas loads the compressor falsely, so that power stays. Power is never less than [4] allows: polynomials of
    several catalogue machines fall below, some below zero, in corners of their own ranges where no data were.

    """
    asked = (wanted, limit, power_limit)
    if model.condenser_side is CondenserSide.ENTERING:
        return _at(model, asked, leaving, condenser_entering)
    flow = model.condenser_flow if condenser_flow is None else condenser_flow
    if flow <= 0.0:
        return _at(model, asked, leaving, model.condenser_range[1])
    return _at_leaving(model, asked, leaving, condenser_entering, flow * WATER_SPECIFIC_HEAT)


_Asked: TypeAlias = tuple[float, float, float]
"""wanted, limit and power_limit of `operate`."""


def _at_leaving(model: ChillerModel, asked: _Asked, leaving: float, entering: float, capacity_rate: float) -> Operation:
    """The operation whose own heat brings the condenser water to the temperature at which it was found.

    By secants: a kelvin of leaving water changes the heat by some per cent, so that three or four do. Curves so broken
    that they do not are halved: with no heat at all the water leaves as it enters, and no machine rejects heat without
    end.
    """
    condenser = entering + model.capacity / capacity_rate
    before, off_before = entering, 0.0
    for _ in range(_PASSES):
        operation = _at(model, asked, leaving, condenser)
        off = entering + operation.heat_rejection / capacity_rate - condenser
        if abs(off) < _CONDENSER_TOLERANCE:
            return operation
        slope = (off - off_before) / (condenser - before) if off_before else -1.0
        before, off_before = condenser, off
        condenser += off if slope > _LEAST_SLOPE else -off / slope
    low, high = entering, entering + _MOST_RISES * model.capacity / capacity_rate
    while high - low > _CONDENSER_TOLERANCE:
        condenser = 0.5 * (low + high)
        if entering + _at(model, asked, leaving, condenser).heat_rejection / capacity_rate > condenser:
            low = condenser
        else:
            high = condenser
    return _at(model, asked, leaving, low)


def _at(model: ChillerModel, asked: _Asked, leaving: float, condenser: float) -> Operation:
    wanted, limit, power_limit = asked
    x = within(leaving, model.leaving_range)
    y = within(condenser, model.condenser_range)
    available = model.capacity * biquadratic(model.capacity_curve, x, y)
    lift = condenser - leaving
    least_work = (lift if lift > LEAST_LIFT else LEAST_LIFT) / (leaving + KELVIN)
    at = (available, available / model.cop * biquadratic(model.input_curve, x, y), least_work, y)
    least = model.minimum_part_load_ratio * available
    most = limit * model.maximum_part_load_ratio * available
    cooling = max(least, wanted if wanted < most else most)
    power = _power(model, at, cooling)
    if power > power_limit:
        cooling = _unloaded(model, at, least, cooling, power_limit)
        power = _power(model, at, cooling)
    return record(Operation, (cooling, power, cooling + model.motor_efficiency * power))


_Limits: TypeAlias = tuple[float, float, float, float]
"""What a machine has between two waters: capacity and power at full load [kW], least work for a heat [kW/kW] [4], and
the condenser water within the range of the curves [degC].
"""


def _power(model: ChillerModel, at: _Limits, cooling: float) -> float:
    """Power [kW] for a cooling rate [kW]."""
    available, full_power, least_work, condenser = at
    ratio, least_ratio = cooling / available, model.minimum_unloading_ratio
    power = full_power * bicubic(model.part_load_curve, condenser, ratio if ratio > least_ratio else least_ratio)
    carnot = cooling * least_work
    return power if power > carnot else carnot


def _unloaded(model: ChillerModel, at: _Limits, least: float, most: float, power_limit: float) -> float:
    """Cooling rate [kW], between two, that a power limit [kW] leaves; found by halving."""
    for _ in range(_POWER_HALVINGS):
        cooling = 0.5 * (least + most)
        if _power(model, at, cooling) > power_limit:
            most = cooling
        else:
            least = cooling
    return least
