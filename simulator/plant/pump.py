"""Centrifugal pumps by the affinity laws.

References
----------
[1] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 44 "Centrifugal pumps", "Affinity laws".
[2] EnergyPlus Engineering Reference, "Pump Simulation": what the shaft delivers ends as heat in the water; the motor's
    losses stay in the room.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PumpModel:
    """flow [kg/s] and power [kW, electric, drive included] at full speed; minimum_speed of the drive [0..1];
    motor_efficiency [0..1]; travel: change of speed per second [1/s].
    """

    flow: float
    power: float
    minimum_speed: float
    motor_efficiency: float
    travel: float


def pump_flow(model: PumpModel, speed: float) -> float:
    """Flow [kg/s] at a speed [0..1] in a closed circuit without static head: m = m_d n.  Source: [1]."""
    return model.flow * speed


def pump_power(model: PumpModel, speed: float) -> float:
    """Electric power [kW] at a speed [0..1] in such a circuit: P = P_d n^3.  Source: [1]."""
    return model.power * speed * speed * speed


def heat_to_water(model: PumpModel, power: float) -> float:
    """Heat that the water takes up [kW] of a pump's electric power [kW].  Source: [2]."""
    return power * model.motor_efficiency


def wanted_speed(model: PumpModel, command: bool, speed: float) -> float:
    """Speed that the drive heads for [0..1]: none without a command, never below its minimum with one."""
    return max(model.minimum_speed, min(1.0, speed)) if command else 0.0


def moved(value: float, target: float, most: float) -> float:
    """The value after moving towards a target by at most `most`."""
    if value < target:
        higher = value + most
        return higher if higher < target else target
    lower = value - most
    return lower if lower > target else target


def runs(model: PumpModel, speed: float) -> bool:
    """Proof of running: the current switch closes shortly below the drive's minimum speed."""
    return speed >= 0.9 * model.minimum_speed
