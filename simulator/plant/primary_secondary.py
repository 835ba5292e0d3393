"""Primary and secondary pumps with the bridge between their headers, and the branches behind header valves.

References
----------
[1] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 13 "Hydronic heating and cooling", "Compound pumping
    (primary-secondary pumping)": the common pipe has next to no resistance, so neither loop sees the other's pumps.
[2] S. T. Taylor, "Primary-only vs. primary-secondary variable flow systems", ASHRAE Journal 44(2), 2002: a check valve
    in the common pipe puts the pumps in series once the secondary wants more.
"""

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from simulator.plant.pump_curve import StationDuty, Unit, against, duty, flow_against

_HALVINGS = 40


class Loops(NamedTuple):
    """primary, secondary: what their pumps do; bridge: flow from supply to return header [kg/s], negative if the return
    water mixes into the supply.
    """

    primary: StationDuty
    secondary: StationDuty
    bridge: float


def loops(
    primary: Sequence[Unit],
    secondary: Sequence[Unit],
    *,
    primary_resistance: float,
    secondary_resistance: float,
    check_valve: bool = False,
) -> Loops:
    """Flows for two resistances [kPa/(kg/s)^2]: of chillers and their headers, of the building.

    check_valve: one in the bridge keeps return water out of the supply.  Equations: each loop by itself [1]; with the
    check valve shut one flow m through all, dp_1(m) + dp_2(m) = (k_1 + k_2) m^2 [2].

    """
    first = duty(primary, static=0.0, resistance=primary_resistance)
    second = duty(secondary, static=0.0, resistance=secondary_resistance)
    if not check_valve or second.flow <= first.flow:
        return Loops(first, second, first.flow - second.flow)
    return _in_series(primary, secondary, first, second, primary_resistance + secondary_resistance)


def split(flow: float, conductances: Sequence[float]) -> tuple[float, ...]:
    """A flow [kg/s] over branches between two headers, in proportion to their conductances; nothing where all are
    shut.
    """
    total = sum(conductances)
    return tuple([flow * each / total if total > 0.0 else 0.0 for each in conductances])


def together(conductances: Sequence[float]) -> float:
    """k [kPa/(kg/s)^2] of branches between two headers: conductances in parallel add up; infinite if all are shut."""
    total = sum(conductances)
    square = total * total  # 0 as well of what is next to nothing
    return 1.0 / square if square > 0.0 else inf


def _in_series(
    primary: Sequence[Unit], secondary: Sequence[Unit], first: StationDuty, second: StationDuty, resistance: float
) -> Loops:
    if resistance == inf:
        return Loops(first, duty(secondary, static=0.0, resistance=inf), 0.0)
    low, high = first.flow, second.flow
    for _ in range(_HALVINGS):
        flow = 0.5 * (low + high)
        raised = pressure_at(primary, flow) + pressure_at(secondary, flow)
        if raised > resistance * flow * flow:
            low = flow
        else:
            high = flow
    flow = 0.5 * (low + high)
    # The primary is pushed through: its pumps may lose pressure at this flow, as a turbine would.
    return Loops(against(primary, pressure_at(primary, flow)), against(secondary, pressure_at(secondary, flow)), 0.0)


def pressure_at(units: Sequence[Unit], flow: float) -> float:
    """Pressure between the headers [kPa] at which pumps deliver a flow [kg/s] together; negative where they are pushed;
    minus infinity without a pump that lets water through.
    """
    if not any(flow_against(unit, 0.0) > 0.0 for unit in units):
        return -inf
    high = max(unit.speed * unit.speed * unit.curve.h0 for unit in units)
    low = -1.0
    while sum([flow_against(unit, low) for unit in units]) < flow:
        low *= 4.0
    for _ in range(_HALVINGS):
        pressure = 0.5 * (low + high)
        if sum([flow_against(unit, pressure) for unit in units]) > flow:
            low = pressure
        else:
            high = pressure
    return 0.5 * (low + high)
