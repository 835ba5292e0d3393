"""What a fault does to the tower building's machines, lamps and registers as it begins and as it ends."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from simulator.cooling_plant.commanded import numbered
from simulator.faults.effects import Effect, Effects, lose_registers
from simulator.faults.fault import Fault
from simulator.gateway import Position
from simulator.high_rise.names import HANDLERS
from simulator.tower_building.points import COIL_VALVES, motor, valve

if TYPE_CHECKING:
    from simulator.tower_building.building import TowerBuilding


def _trip(building: TowerBuilding, fault: Fault) -> None:
    plant, machine = building.plant, fault.target
    chillers = numbered("chiller", len(plant.plant.chillers))
    if machine in HANDLERS:
        building.machines.by_name[machine].has_tripped = True
        building.machines.touch(machine)
    elif machine in chillers:
        plant.trouble = plant.trouble._replace(open_chains=plant.trouble.open_chains | {chillers.index(machine)})
    else:
        plant.trouble = plant.trouble._replace(tripped=plant.trouble.tripped | {motor(machine)})


def _reset(building: TowerBuilding, fault: Fault) -> None:
    plant, machine = building.plant, fault.target
    chillers = numbered("chiller", len(plant.plant.chillers))
    if machine in HANDLERS:
        building.machines.by_name[machine].has_tripped = False
        building.machines.touch(machine)
    elif machine in chillers:
        number = chillers.index(machine)
        plant.trouble = plant.trouble._replace(open_chains=plant.trouble.open_chains - {number})
        plant.reset_trip(number)
    else:
        plant.trouble = plant.trouble._replace(tripped=plant.trouble.tripped - {motor(machine)})


def _turn(building: TowerBuilding, fault: Fault) -> None:
    _put_selector(building, fault.target, Position(str(fault.parameter("position"))))


def _turn_back(building: TowerBuilding, fault: Fault) -> None:
    _put_selector(building, fault.target, Position.AUTO)


def _put_selector(building: TowerBuilding, machine: str, position: Position) -> None:
    building.machines.by_name[machine].remote.position = position
    building.machines.touch(machine)


def _stick(building: TowerBuilding, fault: Fault) -> None:
    position = float(fault.value()) if "value" in fault.parameters else None
    if fault.target in COIL_VALVES:
        building.high_rise.stick(COIL_VALVES.index(fault.target), position)
        return
    plant, stuck = building.plant, valve(fault.target)
    plant.trouble = plant.trouble._replace(stuck=plant.trouble.stuck | {stuck})
    if position is not None:
        plant.put(*stuck, position)


def _free(building: TowerBuilding, fault: Fault) -> None:
    if fault.target in COIL_VALVES:
        building.high_rise.free(COIL_VALVES.index(fault.target))
        return
    plant = building.plant
    plant.trouble = plant.trouble._replace(stuck=plant.trouble.stuck - {valve(fault.target)})


def _mix(building: TowerBuilding, fault: Fault) -> None:
    building.plant.mixing_s = fault.number("within")


def _mix_no_more(building: TowerBuilding, fault: Fault) -> None:
    del fault
    building.plant.mixing_s = inf


def _lose_lamps(building: TowerBuilding, fault: Fault) -> None:
    building.lost_lamps |= {fault.target}
    building.supply()


def _supply_lamps(building: TowerBuilding, fault: Fault) -> None:
    building.lost_lamps -= {fault.target}
    building.supply()


def _cut_mains(building: TowerBuilding, fault: Fault) -> None:
    lose_registers(building, fault)
    building.is_dark = True
    building.plant.lose_mains()
    building.supply()


def _mains_return(building: TowerBuilding, fault: Fault) -> None:
    del fault
    building.is_dark = False
    building.supply()


EFFECTS: Effects[TowerBuilding] = Effects(
    {
        "trip": Effect(_trip, _reset),
        "local": Effect(_turn, _turn_back),
        "valve_stuck": Effect(_stick, _free),
        "tank_mixing": Effect(_mix, _mix_no_more),
        "lamps_lost": Effect(_lose_lamps, _supply_lamps),
        "mains_dip": Effect(_cut_mains, _mains_return),
    }
)
