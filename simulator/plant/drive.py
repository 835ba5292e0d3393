"""Electric motor and frequency converter between the mains and a shaft: what they lose, and where that heat goes.

References
----------
[1] EnergyPlus Engineering Reference, "Air System Fans", component model (Fan:ComponentModel): motor and VFD efficiency
    as rectangular hyperbolas; tables "Motor Normalized Efficiency Curve Coefficients" (from DOE MotorMaster+, 2003) and
    "VFD Efficiency Curve Coefficients" (from DOE Motor Tip Sheet 11, 2008).
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from simulator.plant.record import record

Hyperbola = tuple[float, float, float]
"""eta(x) = a x / (b + x) + c x of a load x [0..1]."""

_HORSEPOWER = 0.7457  # [kW]
# Rated output [hp]: efficiency at its best, normalized efficiency over the output; four poles.  [1]
_MOTORS: tuple[tuple[float, float, Hyperbola], ...] = (
    (1.0, 0.7787, (1.092165, 0.082060, -0.007200)),
    (5.0, 0.8400, (1.223684, 0.084670, -0.135186)),
    (10.0, 0.8745, (1.146258, 0.045766, -0.110367)),
    (25.0, 0.8991, (1.137209, 0.050236, -0.089150)),
    (50.0, 0.9129, (1.088803, 0.029753, -0.064058)),
    (75.0, 0.9259, (1.077140, 0.029005, -0.049350)),
    (100.0, 0.9499, (1.035294, 0.012948, -0.024708)),
    (125.0, 0.9527, (1.030968, 0.010696, -0.023514)),
)
# Rated output [hp]: efficiency over the motor's share of its full input.  [1]
_CONVERTERS: tuple[tuple[float, Hyperbola], ...] = (
    (3.0, (0.978856, 0.034247, -0.007862)),
    (5.0, (0.977485, 0.028413, -0.002733)),
    (10.0, (0.978715, 0.022227, 0.001941)),
    (20.0, (0.984973, 0.017545, -0.000475)),
    (30.0, (0.987405, 0.015536, -0.005937)),
    (50.0, (0.987910, 0.018376, -0.001692)),
    (60.0, (0.971904, 0.014537, 0.011849)),
    (75.0, (0.991874, 0.017897, -0.001301)),
    (100.0, (0.982384, 0.012598, 0.001405)),
    (200.0, (0.984476, 0.009828, -0.004560)),
)


@dataclass(frozen=True, slots=True)
class DriveModel:
    """rated: shaft power of the motor [kW]; best: its highest efficiency [0..1]; motor: normalized efficiency over the
    share of the rated power; converter: efficiency over the share of the motor's full input, None on the mains.
    full_input of the motor [kW] follows from these.
    """

    rated: float
    best: float
    motor: Hyperbola
    converter: Hyperbola | None
    full_input: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "full_input", _input(self.motor, 1.0) * self.rated / self.best)


class DrivePower(NamedTuple):
    """electric: drawn from the mains; motor_loss, converter_loss: heat of both; all [kW]. The rest is at the shaft."""

    electric: float
    motor_loss: float
    converter_loss: float


AT_REST = DrivePower(0.0, 0.0, 0.0)
"""Switched off."""


def standard_drive(rated: float, *, variable_speed: bool) -> DriveModel:
    """A motor of a rated shaft power [kW], with the curves of the next larger one in the tables [1]."""
    best, motor = next((row[1:] for row in _MOTORS if row[0] * _HORSEPOWER >= rated), _MOTORS[-1][1:])
    converter = next((row[1] for row in _CONVERTERS if row[0] * _HORSEPOWER >= rated), _CONVERTERS[-1][1])
    return DriveModel(rated, best, motor, converter if variable_speed else None)


def drive_power(model: DriveModel, shaft: float) -> DrivePower:
    """What a running drive draws for a shaft power [kW].

    Equations [1]: P_motor = P_shaft / eta_motor(P_shaft / P_rated), P = P_motor / eta_vfd(P_motor / P_motor,rated).
    Written with the load cancelled, P = P_rated / (a / (b + x) + c), so that the losses of an idle motor remain.

    """
    motor = _input(model.motor, shaft / model.rated) * model.rated / model.best
    if model.converter is None:
        return DrivePower(motor, motor - shaft, 0.0)
    full = model.full_input
    electric = _input(model.converter, motor / full) * full
    return record(DrivePower, (electric, motor - shaft, electric - motor))


def _input(curve: Hyperbola, load: float) -> float:
    """load / eta(load), as a share of the rated output."""
    a, b, c = curve
    return 1.0 / (a / (b + load) + c)
