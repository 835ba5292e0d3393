"""Cooling tower of several cells with fans of variable speed, by the YorkCalc correlation.

References
----------
[1] EnergyPlus Engineering Reference, "Variable Speed Cooling Towers": range and approach at part load; with the fan
    off a share of the full capacity is left; "Cooling towers with multiple cells"; bypass that keeps the leaving water
    above its low limit; basin heater.
[2] ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 40 "Cooling towers": fan power with the cube of the
    speed; winter operation, bypass to the basin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.plant.drive import AT_REST, DriveModel, DrivePower, drive_power, standard_drive
from simulator.plant.record import record
from simulator.plant.york_calc import liquid_to_gas_of, range_of


@dataclass(frozen=True, slots=True)
class CellModel:
    """One cell. water_flow and air_flow (dry air) [kg/s]: where the correlation's ratio is 1; fan_power: at the shaft
    at full speed [kW]; minimum_speed of the fan's converter [0..1]; free_convection: share of the full capacity with
    the fan off [0..1]; low_limit: leaving water below which the bypass opens [degC].
    """

    water_flow: float
    air_flow: float
    fan_power: float
    drive: DriveModel
    minimum_speed: float = 0.2
    free_convection: float = 0.125
    low_limit: float = 4.0


def rated_cell(
    water_flow: float, air_flow: float, fan_power: float, *, wet_bulb: float, cooling_range: float, approach: float
) -> CellModel:
    """A cell known by its nameplate: water [kg/s] cooled by a range [K] to an approach [K] at a wet bulb [degC], with
    the fan's full air [kg/s] and shaft power [kW]. Its reference flow is what makes the correlation say the same [1].
    """
    ratio = liquid_to_gas_of(cooling_range, approach, wet_bulb)
    return CellModel(water_flow / ratio, air_flow, fan_power, standard_drive(fan_power, variable_speed=True))


class Air(NamedTuple):
    """Outdoor air: wet_bulb [degC]; enthalpy [kJ/kg dry air]; humidity_ratio [kg/kg dry air]."""

    wet_bulb: float
    enthalpy: float
    humidity_ratio: float


class TowerOutput(NamedTuple):
    """heat: given to the air [kW]; leaving: water to the basin, bypass included [degC]; air_flow: through all cells,
    with what moves by itself [kg/s]; bypass: share of the water past the fill [0..1]; fans: of all cells.
    """

    heat: float
    leaving: float
    air_flow: float
    bypass: float
    fans: DrivePower


def tower(
    model: CellModel,
    speeds: Sequence[float | None],
    water_flow: float,
    entering: float,
    air: Air,
    fans: DrivePower | None = None,
) -> TowerOutput:
    """Heat that cells give off which share a water flow [kg/s] entering at a temperature [degC] evenly.

    speeds: of each cell's fan [0..1]; None where the cell's water valve is shut. Below its minimum a fan stands. fans:
    their power at these speeds, where it is known.
    Equations [1]: R + approach(R, wet bulb, (m / m_ref) / n) = T_in - T_wb, T_out = T_in - R; with the fan off
    T_in - T_out is the share `free_convection` of what full speed would give. Air of 26.7 degC wet bulb is the end of
    the fit: beyond, the approach of 26.7 degC is kept. Water below the wet bulb is warmed.

    """
    fans = fan_power(model, speeds) if fans is None else fans
    open_cells = len(speeds) - speeds.count(None)
    if water_flow <= 0.0 or open_cells == 0:
        return TowerOutput(0.0, entering, 0.0, 0.0, fans)
    share, wet_bulb = water_flow / open_cells / model.water_flow, air.wet_bulb
    excess = entering - wet_bulb
    before, one, air_share = None, 0.0, 0.0
    cooled = moving = 0.0
    for each in speeds:
        if each is None:
            continue
        if each != before:  # else its neighbour turns as fast and cools as much
            speed = 0.0 if each < model.minimum_speed else min(1.0, each)
            one = _cell_range(model, speed, share, excess, wet_bulb)
            air_share = speed if speed > model.free_convection else model.free_convection
            before = each
        cooled += one
        moving += air_share
    fall = cooled / open_cells
    bypass = _bypass(model, entering, fall)
    fall *= 1.0 - bypass
    heat = water_flow * WATER_SPECIFIC_HEAT * fall
    return record(TowerOutput, (heat, entering - fall, moving * model.air_flow, bypass, fans))


def fan_power(model: CellModel, speeds: Sequence[float | None]) -> DrivePower:
    """Of all fans that turn: P_shaft = P_full n^3 [2], with the losses of motor and converter."""
    electric = motor = converter = 0.0
    before, power = None, AT_REST
    for each in speeds:
        if each is None or each < model.minimum_speed:
            continue
        if each != before:  # else its neighbour turns as fast
            power = drive_power(model.drive, model.fan_power * min(1.0, each) ** 3)
            before = each
        electric += power.electric
        motor += power.motor_loss
        converter += power.converter_loss
    return DrivePower(electric, motor, converter) if electric else AT_REST


def basin_heater_power(*, capacity: float, setpoint: float, outdoor: float, water_flows: bool) -> float:
    """Heater [kW] of a basin that stands still in the frost: P = capacity [kW/K] (T_set - T_outdoor).  Source: [1]."""
    return 0.0 if water_flows else capacity * max(0.0, setpoint - outdoor)


def _cell_range(model: CellModel, speed: float, share: float, excess: float, wet_bulb: float) -> float:
    """Fall of temperature of the water through one cell [K]: the fan's, or what moves by itself if that is more."""
    full = range_of(excess, wet_bulb, share)
    free = model.free_convection * full
    if speed == 0.0:
        return free
    forced = full if speed == 1.0 else range_of(excess, wet_bulb, share / speed)
    if excess >= 0.0:
        return forced if forced > free else free
    return forced if forced < free else free


def _bypass(model: CellModel, entering: float, fall: float) -> float:
    """Share of the water past the fill, so that what leaves stays above the low limit as far as it can."""
    if fall <= 0.0 or entering - fall >= model.low_limit:
        return 0.0
    return min(1.0, max(0.0, 1.0 - (entering - model.low_limit) / fall))
