"""Centrifugal pumps by their head curve, alone and in parallel, on a system curve.

References
----------
[1] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 44 "Centrifugal pumps": head and efficiency curves,
    affinity laws, system curve with a static part, pumps in parallel, check valves.
[2] M. Wetter, "Fan and pump model that has a unique solution for any pressure boundary condition and speed", Building
    Simulation 2013: head and efficiency at another speed from those at full speed.
[3] EnergyPlus Engineering Reference, "Pumps", heat to the fluid: the shaft's power ends as heat in the water.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import NamedTuple

from simulator.plant.drive import DriveModel, drive_power, standard_drive
from simulator.plant.record import record

WATER_DENSITY = 1000.0
"""[kg/m3]; chilled and condenser water differ by less than 0.5 %."""
_MOST_STEPS = 60
_TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True)
class PumpCurve:
    """Pressure rise at full speed h0 - h2 m^2 [kPa] over the flow [kg/s]; efficiency [0..1]: a parabola through zero
    with its best at best_flow [kg/s]; density [kg/m3] of what it moves, so that a fan is one, too.

    A linear term would fit better, but rise near shut-off for most pumps: two flows to one pressure.
    """

    h0: float
    h2: float
    best_efficiency: float
    best_flow: float
    drive: DriveModel
    density: float = WATER_DENSITY


def pump_for(
    flow: float,
    head: float,
    efficiency: float,
    *,
    variable_speed: bool = True,
    shut_off: float = 1.25,
    density: float = WATER_DENSITY,
) -> PumpCurve:
    """A pump chosen at its best point: flow [kg/s], pressure rise [kPa], efficiency [0..1]; shut_off: pressure at no
    flow over that at the best point. Its motor has 10 % in hand.
    """
    rated = 1.1 * flow * head / density / efficiency
    drive = standard_drive(rated, variable_speed=variable_speed)
    return PumpCurve(shut_off * head, (shut_off - 1.0) * head / (flow * flow), efficiency, flow, drive, density)


class Unit(NamedTuple):
    """A pump at a speed [0..1] with a branch of its own: check valve, shut-off valves and strainer of a resistance
    [kPa/(kg/s)^2], infinite behind a shut valve. The check valve lets nothing back.
    """

    curve: PumpCurve
    speed: float
    branch: float = 0.0


class PumpDuty(NamedTuple):
    """flow [kg/s]; head: rise of the pump itself [kPa]; shaft: power that ends in what it moves [kW]; what motor and
    converter lose where they stand [kW].
    """

    flow: float
    head: float
    shaft: float
    motor_loss: float
    converter_loss: float

    @property
    def electric(self) -> float:
        """[kW]"""
        return self.shaft + self.motor_loss + self.converter_loss


STOPPED = PumpDuty(0.0, 0.0, 0.0, 0.0, 0.0)


class StationDuty(NamedTuple):
    """flow of all [kg/s]; pressure: rise between the headers [kPa]; each pump."""

    flow: float
    pressure: float
    pumps: tuple[PumpDuty, ...]

    @property
    def electric(self) -> float:
        """[kW]"""
        return sum(pump.electric for pump in self.pumps)

    @property
    def to_water(self) -> float:
        """Heat in the water [kW]: all that the shafts bring [3]."""
        return sum(pump.shaft for pump in self.pumps)


def head_at(curve: PumpCurve, flow: float, speed: float) -> float:
    """Pressure rise [kPa]: n^2 h(m / n).  Source: [1] affinity laws, [2]."""
    return speed * speed * curve.h0 - curve.h2 * flow * flow


def shaft_power(curve: PumpCurve, flow: float, speed: float) -> float:
    """Power at the shaft of a running pump [kW]: m dp / (rho eta(m / n)).

    eta = eta_best x (2 - x), x = m / (n m_best); the flow is cancelled, so that churning at no flow remains. Beyond 1.5
    of the best flow the parabola falls faster than real pumps do: the efficiency per flow there is kept.

    """
    return _shaft_power(curve, flow, speed, head_at(curve, flow, speed)) if speed > 0.0 else 0.0


def flow_against(unit: Unit, pressure: float) -> float:
    """Flow of a pump [kg/s] against a pressure between the headers [kPa]; none if it cannot open its check valve."""
    curve, speed = unit.curve, unit.speed
    reserve = speed * speed * curve.h0 - pressure
    if speed <= 0.0 or reserve <= 0.0 or unit.branch == inf:
        return 0.0
    return sqrt(reserve / (curve.h2 + unit.branch))


def duty(units: Sequence[Unit], *, static: float, resistance: float) -> StationDuty:
    """Pumps in parallel on a system that takes static + k m^2 [kPa], with k [kPa/(kg/s)^2].

    All flows fall and the system's pressure rises with the pressure between the headers, so there is one answer: at
    once for pumps that are alike, by Newton's steps within narrowing limits for others.

    """
    low = static
    high = max((unit.speed * unit.speed * unit.curve.h0 for unit in units), default=0.0)
    if resistance == inf or high <= low:
        return _at(units, high if resistance == inf else low, shut=True)
    running = [unit for unit in units if unit.speed > 0.0 and unit.branch < inf]
    if running and running.count(running[0]) == len(running):
        pressure, each = alike(running[0], len(running), static=static, resistance=resistance)
        pumps = tuple([each if unit.speed > 0.0 and unit.branch < inf else _pump(unit, 0.0) for unit in units])
        return StationDuty(each.flow * len(running), pressure, pumps)
    return _at(units, _balance(running, static, resistance, low, high), shut=False)


def alike(unit: Unit, count: int, *, static: float, resistance: float) -> tuple[float, PumpDuty]:
    """So many of one pump in parallel on such a system: pressure between the headers [kPa], and what each does.

    h0 n^2 - (h2 + branch) m^2 = static + k (count m)^2.

    """
    curve, speed, branch = unit
    shut_off = speed * speed * curve.h0
    square = max(0.0, shut_off - static) / (curve.h2 + branch + resistance * count * count)
    return shut_off - (curve.h2 + branch) * square, _pump(unit, sqrt(square))


def against(units: Sequence[Unit], pressure: float) -> StationDuty:
    """Pumps in parallel against a pressure between the headers [kPa] that somebody else holds."""
    return _at(units, pressure, shut=False)


def _balance(units: Sequence[Unit], static: float, resistance: float, low: float, high: float) -> float:
    """Pressure between the headers [kPa], between two that are too low and too high, at which the system takes what the
    pumps deliver.
    """
    pressure = 0.5 * (low + high)
    for _ in range(_MOST_STEPS):
        flows = [flow_against(unit, pressure) for unit in units]
        flow = sum(flows)
        missing = static + resistance * flow * flow - pressure
        if missing > 0.0:
            low = pressure
        else:
            high = pressure
        # dm/dp of each pump is -1 / (2 (h2 + branch) m)
        slope = sum(
            [0.5 / ((unit.curve.h2 + unit.branch) * each) for unit, each in zip(units, flows, strict=True) if each]
        )
        following = pressure + missing / (1.0 + 2.0 * resistance * flow * slope)
        if abs(following - pressure) <= _TOLERANCE * high:
            return following
        pressure = following if low < following < high else 0.5 * (low + high)
    return pressure


def _at(units: Sequence[Unit], pressure: float, *, shut: bool) -> StationDuty:
    pumps: list[PumpDuty] = []
    before, pump = None, STOPPED
    for unit in units:
        if unit != before:  # else its neighbour is alike and does the same
            pump = _pump(unit, 0.0 if shut else flow_against(unit, pressure))
            before = unit
        pumps.append(pump)
    return StationDuty(sum([pump.flow for pump in pumps]), pressure, tuple(pumps))


def _pump(unit: Unit, flow: float) -> PumpDuty:
    curve, speed, _ = unit
    if speed <= 0.0:
        return STOPPED
    head = head_at(curve, flow, speed)
    shaft = _shaft_power(curve, flow, speed, head)
    _, motor_loss, converter_loss = drive_power(curve.drive, shaft)
    return record(PumpDuty, (flow, head, shaft, motor_loss, converter_loss))


def _shaft_power(curve: PumpCurve, flow: float, speed: float, head: float) -> float:
    best_flow = speed * curve.best_flow
    relative = flow / best_flow
    per_flow = curve.best_efficiency * (2.0 - (1.5 if relative > 1.5 else relative)) / best_flow
    return head / (curve.density * per_flow) if head > 0.0 else 0.0
