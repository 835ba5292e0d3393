"""What a plant is made of: number and kind of its machines, and the resistances between them. Data only.

The layout is one: chillers (and perhaps a plate heat exchanger for free cooling) between two chilled-water headers,
each behind a header valve; primary pumps on the return header; the building behind secondary pumps; a bridge without
resistance between the headers; storage beside the bridge. On the other side the same machines between two
condenser-water headers, behind header valves, with condenser pumps that lift to the cells of the towers and one
basin.

Source: ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 13 "Hydronic heating and cooling" and chapter 51
"Thermal storage": headered pumps, primary-secondary, open tank behind pressure-sustaining valves.
"""

from dataclasses import dataclass, field

from simulator.plant.chiller_unit import ChillerUnit
from simulator.plant.heat_exchanger import PlateModel
from simulator.plant.pump_curve import PumpCurve
from simulator.plant.tank import TankModel
from simulator.plant.tower_water import WaterModel
from simulator.plant.valve import ValveModel
from simulator.plant.variable_speed_tower import CellModel


@dataclass(frozen=True, slots=True)
class Branch:
    """One side of a machine between two headers. conductance: of the machine itself [kg/(s kPa^0.5)]; valve: its header
    valve.
    """

    conductance: float
    valve: ValveModel


@dataclass(frozen=True, slots=True)
class Chiller:
    """A chiller with its evaporator and its condenser branch."""

    unit: ChillerUnit
    evaporator: Branch
    condenser: Branch


@dataclass(frozen=True, slots=True)
class FreeCooling:
    """A plate heat exchanger beside the chillers: chilled water on its warm side, condenser water on its cold one."""

    plate: PlateModel
    chilled: Branch
    condenser: Branch


@dataclass(frozen=True, slots=True)
class PumpStation:
    """Pumps in parallel on a resistance [kPa/(kg/s)^2] that they share, against a static lift [kPa]; travel: change of
    speed per second [1/s]. are_alike follows from the pumps.
    """

    pumps: tuple[PumpCurve, ...]
    resistance: float
    static: float = 0.0
    travel: float = 0.1
    are_alike: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "are_alike", self.pumps.count(self.pumps[0]) == len(self.pumps))


@dataclass(frozen=True, slots=True)
class Storage:
    """An open stratified tank that stands below the top of the system.

    transfer: pumps, alike, that lift the tank's water into the system (static: the pressure that the system has there);
    isolation: one of the two valves that choose the direction; sustaining: the pressure-sustaining valve through which
    water leaves for the tank, losing that pressure; initial: water in the tank at the beginning [degC].
    """

    tank: TankModel
    transfer: PumpStation
    isolation: ValveModel
    sustaining: ValveModel
    initial: float


@dataclass(frozen=True, slots=True)
class CoolingPlant:
    """header_mass: water in the supply and in the return header, mains and risers included [kg]; header_conductance:
    of each to its surroundings [kW/K]; cell and number of cells; cell_valve at each; fan_travel: change of fan speed
    per second [1/s]; design_flow of the building's mains [kg/s] and design_pressure across its coils then [kPa];
    sensor_s: time constant of temperature sensors in their wells [s]; design_return: water temperature at which the
    tank counts as empty [degC]; initial_water [degC].

    From these follow evaporators and condensers: the branches between each pair of headers, the chillers' and then the
    exchanger's; and the capacity of all chillers at their reference points [kW].
    """

    chillers: tuple[Chiller, ...]
    primary: PumpStation
    secondary: PumpStation
    condenser: PumpStation
    cell: CellModel
    cells: int
    cell_valve: ValveModel
    basin: WaterModel
    header_mass: float
    header_conductance: float
    design_flow: float
    design_pressure: float
    free_cooling: FreeCooling | None = None
    storage: Storage | None = None
    fan_travel: float = 1.0 / 30.0
    sensor_s: float = 30.0
    design_return: float = 12.0
    initial_water: float = 20.0
    evaporators: tuple[Branch, ...] = field(init=False, repr=False, compare=False)
    condensers: tuple[Branch, ...] = field(init=False, repr=False, compare=False)
    capacity: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        free = () if self.free_cooling is None else (self.free_cooling,)
        machines = self.chillers
        found = {
            "evaporators": (*[each.evaporator for each in machines], *[each.chilled for each in free]),
            "condensers": (*[each.condenser for each in machines], *[each.condenser for each in free]),
            "capacity": sum([each.unit.machine.capacity for each in machines]),
        }
        for name, value in found.items():
            object.__setattr__(self, name, value)

    @property
    def branches(self) -> int:
        """Machines between the headers: the chillers, then the exchanger."""
        return len(self.evaporators)
