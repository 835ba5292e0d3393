"""Water-cooled centrifugal chiller: capacity and power by the EIR model.

References
----------
[1] EnergyPlus Engineering Reference, "Electric Chiller Model Based on Condenser Entering Temperature"
    (Chiller:Electric:EIR): capacity, energy input ratio, false loading below the minimum unloading ratio.
[2] EnergyPlus Input Output Reference, Chiller:Electric:EIR, example "ElectricEIRChiller DOE-2 Centrifugal/5.50COP",
    the same record as in the data set Chillers.idf: the generic centrifugal chiller of DOE-2.1E
    (curves HERM-CENT-CAP-FT, HERM-CENT-EIR-FT, HERM-CENT-EIR-FPLR).
"""

from dataclasses import dataclass
from typing import NamedTuple

Biquadratic = tuple[float, float, float, float, float, float]
"""a + b x + c x^2 + d y + e y^2 + f x y"""


@dataclass(frozen=True, slots=True)
class ChillerModel:
    """capacity [kW] and cop [kW/kW] at the reference temperatures; curves over leaving chilled water x and entering
    condenser water y [degC], valid in the two ranges given; ratios are parts of the capacity at the temperatures.
    """

    capacity: float
    cop: float
    capacity_curve: Biquadratic
    input_curve: Biquadratic
    part_load_curve: tuple[float, float, float]
    leaving_range: tuple[float, float]
    condenser_range: tuple[float, float]
    minimum_part_load_ratio: float
    minimum_unloading_ratio: float


def generic_centrifugal(capacity: float) -> ChillerModel:
    """The generic centrifugal chiller of [2] at a capacity [kW] for 6.67 degC leaving, 29.4 degC condenser water."""
    return ChillerModel(
        capacity=capacity,
        cop=5.5,
        capacity_curve=(0.257896, 0.0389016, -0.00021708, 0.0468684, -0.00094284, -0.00034344),
        input_curve=(0.933884, -0.0582120, 0.00450036, 0.00243, 0.000486, -0.001215),
        part_load_curve=(0.222903, 0.313387, 0.463710),
        leaving_range=(5.0, 10.0),
        condenser_range=(24.0, 35.0),
        minimum_part_load_ratio=0.1,
        minimum_unloading_ratio=0.2,
    )


def biquadratic(curve: Biquadratic, x: float, y: float) -> float:
    """a + b x + c x^2 + d y + e y^2 + f x y."""
    a, b, c, d, e, f = curve
    return a + x * (b + c * x) + y * (d + e * y) + f * x * y


def within(value: float, limits: tuple[float, float]) -> float:
    """The value, held at the ends of the range in which a curve was fitted ([1]: curves are not extrapolated)."""
    low, high = limits
    return low if value < low else high if value > high else value


class Operation(NamedTuple):
    """cooling: heat taken from the evaporator [kW]; power: compressor [kW]; heat_rejection: condenser [kW]."""

    cooling: float
    power: float
    heat_rejection: float


STOPPED = Operation(0.0, 0.0, 0.0)


def operate(model: ChillerModel, wanted: float, limit: float, leaving: float, condenser_entering: float) -> Operation:
    """A running chiller at a wanted cooling rate [kW].

    Parameters: limit, share of the capacity that the run-up allows [0..1]; leaving chilled water and entering condenser
    water [degC].  Equations [1]:
        Q_avail = Q_ref capFT(x, y)
        P = Q_avail EIR_ref EIRFT(x, y) EIRFPLR(max(PLR, minimum unloading ratio))
        Q_cond = Q_evap + P        (hermetic motor: all of the power goes into the condenser)
    Cooling never falls below the minimum part-load ratio; between it and the minimum unloading ratio hot gas loads the
    compressor falsely, so that power stays.

    """
    x = within(leaving, model.leaving_range)
    y = within(condenser_entering, model.condenser_range)
    available = model.capacity * biquadratic(model.capacity_curve, x, y)
    cooling = max(model.minimum_part_load_ratio * available, min(wanted, limit * available))
    ratio = max(cooling / available, model.minimum_unloading_ratio)
    a, b, c = model.part_load_curve
    power = available / model.cop * biquadratic(model.input_curve, x, y) * (a + ratio * (b + c * ratio))
    return Operation(cooling, power, cooling + power)
