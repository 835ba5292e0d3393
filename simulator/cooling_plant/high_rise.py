"""The cooling plant of the high-rise: 60,000 m2 of offices in a hot-humid city, twenty years old.

Sizes fit one another, after no real building. 88 W/m2 of cooling installed; 7/12 degC and 32/37 degC, as such plants
are designed in southern China. Heads carry the margin that consultants added then; heat exchangers are as fouled as
after years of open towers. The large machines are the generic centrifugal of DOE-2, the small one a centrifugal with
variable speed (`simulator/chillers.csv`); drives, pumps, cells and valves are those of `simulator.plant`.

The tank stands open beside the building, its water below the top of the building: what enters it is throttled from 500
kPa, and what leaves it is lifted to them again. Its diffusers are slots for a Froude number of about one.
"""

from dataclasses import replace
from functools import cache

from simulator.chillers import read_chillers
from simulator.cooling_plant.design import Branch, Chiller, CoolingPlant, FreeCooling, PumpStation, Storage
from simulator.plant.chiller import ChillerModel, scaled
from simulator.plant.chiller_control import SPARED
from simulator.plant.chiller_unit import ChillerUnit
from simulator.plant.heat_exchanger import plate_for
from simulator.plant.pump_curve import pump_for
from simulator.plant.tank import Diffuser, TankModel
from simulator.plant.tower_water import WaterModel
from simulator.plant.valve import ValveModel, conductance_of
from simulator.plant.variable_speed_tower import rated_cell

FLOOR_AREA = 60_000.0
"""[m2]"""
_LARGE_KW, _LARGE_COP = 2110.0, 5.0
_SMALL_KW = 1055.0
_COOLING_RANGE = 5.0  # [K] of chilled and of condenser water
_WATER = 4.19  # [kJ/(kg K)]
_EVAPORATOR_KPA, _CONDENSER_KPA, _VALVE_KPA = 80.0, 70.0, 10.0
_PLATE_KPA = 60.0
_TRAVEL_S = 60.0
_EVAPORATOR_APPROACH, _CONDENSER_APPROACH = 2.5, 4.0  # [K] fouled; 1.5 when clean
_BUILDING_FLOW, _COIL_KPA = 252.0, 60.0
_TANK_KPA = 500.0
_TANK_FLOW = 130.0


@cache
def high_rise_plant() -> CoolingPlant:
    """The plant; the table of machines is read once."""
    machines = read_chillers()
    large = _sized(machines["DOE-2 centrifugal"].model, _LARGE_KW, _LARGE_COP)
    one_large = _chiller(large)
    small = _sized(machines["Trane CVHE centrifugal with variable speed"].model, _SMALL_KW, None)
    flow = 2.0 * large.evaporator_flow + small.evaporator_flow
    heat = 2.0 * large.condenser_flow + small.condenser_flow
    return CoolingPlant(
        chillers=(one_large, one_large, _chiller(small)),
        primary=PumpStation(
            tuple([pump_for(each, 200.0, 0.70, variable_speed=False) for each in _flows(large, small, False)]),
            50.0 / flow**2,
            travel=1.0,
        ),
        secondary=PumpStation((pump_for(_BUILDING_FLOW / 3.0, 300.0, 0.72),) * 3, 140.0 / _BUILDING_FLOW**2),
        condenser=PumpStation(
            tuple([pump_for(each, 280.0, 0.70, variable_speed=False) for each in _flows(large, small, True)]),
            60.0 / heat**2,
            static=35.0,
            travel=1.0,
        ),
        cell=rated_cell(heat / 3.0, 85.0, 18.5, wet_bulb=26.7, cooling_range=_COOLING_RANGE, approach=4.3),
        cells=3,
        cell_valve=_valve(heat / 3.0),
        basin=WaterModel(basin=25_000.0, make_up=8.0, band=1000.0),
        header_mass=30_000.0,
        header_conductance=0.6,
        design_flow=_BUILDING_FLOW,
        design_pressure=_COIL_KPA,
        free_cooling=FreeCooling(
            plate_for(large.evaporator_flow, 1.5, _COOLING_RANGE),
            Branch(conductance_of(large.evaporator_flow, _PLATE_KPA), _valve(large.evaporator_flow)),
            Branch(conductance_of(large.condenser_flow, _PLATE_KPA), _valve(large.condenser_flow)),
        ),
        storage=Storage(
            TankModel(volume=2400.0, height=16.0, u_value=0.3e-3, layers=20, diffuser=Diffuser(12.0, 0.3, 4.5)),
            PumpStation(
                (pump_for(_TANK_FLOW / 2.0, _TANK_KPA + 80.0, 0.75),) * 2, 60.0 / _TANK_FLOW**2, static=_TANK_KPA
            ),
            _valve(_TANK_FLOW),
            _valve(_TANK_FLOW, 0.8 * _TANK_KPA),
            initial=14.0,
        ),
    )


def _sized(model: ChillerModel, capacity: float, cop: float | None) -> ChillerModel:
    machine = scaled(model, capacity, cop)
    per_range = 1.0 / (_WATER * _COOLING_RANGE)
    return replace(
        machine,
        evaporator_flow=capacity * per_range,
        condenser_flow=capacity * (1.0 + 1.0 / machine.cop) * per_range,
    )


def _flows(large: ChillerModel, small: ChillerModel, condenser: bool) -> tuple[float, float, float]:
    if condenser:
        return large.condenser_flow, large.condenser_flow, small.condenser_flow
    return large.evaporator_flow, large.evaporator_flow, small.evaporator_flow


def _chiller(machine: ChillerModel) -> Chiller:
    return Chiller(
        ChillerUnit(machine, SPARED, _EVAPORATOR_APPROACH, _CONDENSER_APPROACH),
        Branch(conductance_of(machine.evaporator_flow, _EVAPORATOR_KPA), _valve(machine.evaporator_flow)),
        Branch(conductance_of(machine.condenser_flow, _CONDENSER_KPA), _valve(machine.condenser_flow)),
    )


def _valve(flow: float, pressure: float = _VALVE_KPA) -> ValveModel:
    """A motor valve that loses a pressure [kPa] at a flow [kg/s] when open: kv in m3/h at 100 kPa."""
    return ValveModel(kv=3.6 * flow * (100.0 / pressure) ** 0.5, travel_s=_TRAVEL_S)
