"""The small demo's machines, lamps and registers: what a fault may be aimed at, and does as it begins and ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING

from simulator.faults.fault import Fault
from simulator.faults.kinds import Aim, Targets, points_of
from simulator.gateway import Position
from simulator.tags import TAGS

if TYPE_CHECKING:
    from simulator.engine import Engine

Effect = Callable[["Engine", Fault], None]

_TRIPPING = ("plant.chiller_1", "plant.chilled_water_pump_1", "plant.condenser_water_pump_1")
_LAMPS = ("garage.group_1", "garage.group_2", "garage.group_3", "outdoor.lighting_1")

TARGETS: Targets = MappingProxyType(
    {
        **points_of(TAGS),
        Aim.TRIPPING: _TRIPPING,
        Aim.SELECTOR: (*_TRIPPING, *_LAMPS),
        Aim.LAMPS: _LAMPS,
        Aim.VALVE: ("plant.tank_1.charge_valve_position", "plant.tank_1.discharge_valve_position"),
        Aim.TANK: ("plant.tank_1",),
        Aim.PANEL: ("building.fire_alarm_panel_1",),
    }
)


def touches(fault: Fault) -> bool:
    """Whether it does anything to the plant or to the registers of a gateway."""
    return fault.kind in _BEGIN


def begin(engine: Engine, fault: Fault) -> None:
    effect = _BEGIN.get(fault.kind)
    if effect is not None:
        effect(engine, fault)


def end(engine: Engine, fault: Fault) -> None:
    """The machine is mended: a person resets the trip, turns the selector back, frees the valve."""
    effect = _END.get(fault.kind)
    if effect is not None:
        effect(engine, fault)


def _trip(engine: Engine, fault: Fault) -> None:
    plant = engine.plant
    match fault.target.rpartition(".")[2]:
        case "chiller_1":
            plant.trip_chiller()
        case "chilled_water_pump_1":
            plant.chilled_water_pump_tripped = True
        case _:
            plant.condenser_pump_tripped = True


def _reset(engine: Engine, fault: Fault) -> None:
    plant = engine.plant
    match fault.target.rpartition(".")[2]:
        case "chiller_1":
            plant.reset_trip()
        case "chilled_water_pump_1":
            plant.chilled_water_pump_tripped = False
        case _:
            plant.condenser_pump_tripped = False


def _turn(engine: Engine, fault: Fault) -> None:
    engine.remotes[fault.target].position = Position(str(fault.parameter("position")))


def _turn_back(engine: Engine, fault: Fault) -> None:
    engine.remotes[fault.target].position = Position.AUTO


def _at_panel(engine: Engine, fault: Fault) -> None:
    engine.operate(fault.target, fault.value())


def _stick(engine: Engine, fault: Fault) -> None:
    plant = engine.plant
    plant.stuck_valves |= {fault.target}
    if "value" in fault.parameters:
        plant.put_valve(fault.target, float(fault.value()))


def _free(engine: Engine, fault: Fault) -> None:
    engine.plant.stuck_valves -= {fault.target}


def _mix(engine: Engine, fault: Fault) -> None:
    engine.plant.mixing_s = fault.number("within")


def _mix_no_more(engine: Engine, fault: Fault) -> None:
    del fault
    engine.plant.mixing_s = inf


def _lose_lamps(engine: Engine, fault: Fault) -> None:
    engine.lamps[fault.target].is_lost = True


def _supply_lamps(engine: Engine, fault: Fault) -> None:
    engine.lamps[fault.target].is_lost = False


def _say_fire(engine: Engine, fault: Fault) -> None:
    del fault
    engine.says_fire = True


def _say_no_fire(engine: Engine, fault: Fault) -> None:
    del fault
    engine.says_fire = False


def _lose_registers(engine: Engine, fault: Fault) -> None:
    engine.lose_registers(fault.points)


def _cut_mains(engine: Engine, fault: Fault) -> None:
    engine.lose_registers(fault.points)
    engine.plant.lose_power()
    for lamps in engine.lamps.values():
        lamps.is_dark = True


def _mains_return(engine: Engine, fault: Fault) -> None:
    del fault
    engine.plant.is_dark = False
    for lamps in engine.lamps.values():
        lamps.is_dark = False


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
