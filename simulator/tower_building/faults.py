"""What a fault does to the tower building's machines, lamps and registers as it begins and as it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from typing import TYPE_CHECKING

from simulator.cooling_plant.commanded import numbered
from simulator.faults.fault import Fault
from simulator.gateway import Position
from simulator.high_rise.names import HANDLERS
from simulator.tower_building.points import COIL_VALVES, motor, valve

if TYPE_CHECKING:
    from simulator.tower_building.building import TowerBuilding

Effect = Callable[["TowerBuilding", Fault], None]


def begin(building: TowerBuilding, fault: Fault) -> None:
    effect = _BEGIN.get(fault.kind)
    if effect is not None:
        effect(building, fault)


def end(building: TowerBuilding, fault: Fault) -> None:
    """The machine is mended: a person resets the trip, turns the selector back, frees the valve."""
    effect = _END.get(fault.kind)
    if effect is not None:
        effect(building, fault)


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


def _at_panel(building: TowerBuilding, fault: Fault) -> None:
    building.operate(fault.target, fault.value())


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


def _say_fire(building: TowerBuilding, fault: Fault) -> None:
    del fault
    building.says_fire = True


def _say_no_fire(building: TowerBuilding, fault: Fault) -> None:
    del fault
    building.says_fire = False


def _lose_registers(building: TowerBuilding, fault: Fault) -> None:
    building.lose_registers(fault.points)


def _cut_mains(building: TowerBuilding, fault: Fault) -> None:
    building.lose_registers(fault.points)
    building.is_dark = True
    building.plant.lose_mains()
    building.supply()


def _mains_return(building: TowerBuilding, fault: Fault) -> None:
    del fault
    building.is_dark = False
    building.supply()


_BEGIN: Mapping[str, Effect] = {
    "trip": _trip,
    "local": _turn,
    "panel": _at_panel,
    "valve_stuck": _stick,
    "tank_mixing": _mix,
    "lamps_lost": _lose_lamps,
    "fire": _say_fire,
    "reboot": _lose_registers,
    "mains_dip": _cut_mains,
}
_END: Mapping[str, Effect] = {
    "trip": _reset,
    "local": _turn_back,
    "valve_stuck": _free,
    "tank_mixing": _mix_no_more,
    "lamps_lost": _supply_lamps,
    "fire": _say_no_fire,
    "mains_dip": _mains_return,
}
