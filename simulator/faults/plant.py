"""The small demo's machines, lamps and registers: what a fault may be aimed at, and does as it begins and ends."""

from __future__ import annotations

from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING

from simulator.faults.effects import Effect, Effects, lose_registers
from simulator.faults.fault import Fault
from simulator.faults.kinds import Aim, Targets, points_of
from simulator.gateway import Position
from simulator.tags import TAGS

if TYPE_CHECKING:
    from simulator.engine import Engine


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


def _cut_mains(engine: Engine, fault: Fault) -> None:
    lose_registers(engine, fault)
    engine.plant.lose_power()
    for lamps in engine.lamps.values():
        lamps.is_dark = True


def _mains_return(engine: Engine, fault: Fault) -> None:
    del fault
    engine.plant.is_dark = False
    for lamps in engine.lamps.values():
        lamps.is_dark = False


EFFECTS: Effects[Engine] = Effects(
    {
        "trip": Effect(_trip, _reset),
        "local": Effect(_turn, _turn_back),
        "valve_stuck": Effect(_stick, _free),
        "tank_mixing": Effect(_mix, _mix_no_more),
        "lamps_lost": Effect(_lose_lamps, _supply_lamps),
        "mains_dip": Effect(_cut_mains, _mains_return),
    }
)
