"""Flows of a primary-secondary chilled water plant with a stratified tank in the decoupler.

The primary pump drives the chiller, the building's secondary pump draws what its coils want, and the decoupler between
the two headers carries the difference: through the tank as far as a valve is open, else through the bypass pipe beside
it. The charge valve has a check valve towards the tank's bottom, the discharge valve one out of it; so whichever valves
are open, the direction is that of the surplus, and every combination has exactly one answer.

Source: ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 13 "Hydronic heating and cooling", "Compound
pumping (primary-secondary pumping)"; chapter 51 "Thermal storage", chilled-water storage.
"""

from typing import NamedTuple

from simulator.plant.record import record


class Flows(NamedTuple):
    """All in kg/s and never negative. primary: through the chiller; secondary: through the building; charge: into the
    tank's bottom, as much leaves its top; discharge: the other way; forward: bypass from supply to return; backward:
    bypass from return to supply.

    Always: primary + discharge + backward = secondary + charge + forward.

    """

    primary: float
    secondary: float
    charge: float
    discharge: float
    forward: float
    backward: float


def distribute(primary: float, secondary: float, charge_valve: float, discharge_valve: float) -> Flows:
    """Flows for both pumps' flows [kg/s] and the two valves' positions [0..1]: a valve passes its share of the
    difference.
    """
    surplus = primary - secondary
    if surplus >= 0.0:
        charge = surplus * charge_valve
        return record(Flows, (primary, secondary, charge, 0.0, surplus - charge, 0.0))
    discharge = -surplus * discharge_valve
    return record(Flows, (primary, secondary, 0.0, discharge, 0.0, -surplus - discharge))


def mixed(*streams: tuple[float, float], otherwise: float) -> float:
    """Temperature [degC] of streams (flow [kg/s], temperature [degC]) that join; `otherwise` where nothing flows."""
    flow = heat = 0.0
    for part, temperature in streams:
        flow += part
        heat += part * temperature
    return heat / flow if flow > 0.0 else otherwise
