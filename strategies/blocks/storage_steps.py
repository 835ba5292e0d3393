"""The steps by which a chilled-water plant with a tank goes from one mode of storage to another, each on proof.

Modes after ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 51 "Thermal storage": direct (the chiller
serves the building), charge (it also cools the tank), discharge (the tank serves the building, the chiller rests). The
order of valves and pumps keeps an open tank from draining into the building and a chiller from losing its flow: both
valves are proven closed before a pump stops, both pumps are proven before a chiller starts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from controller.core.text import Text

DIRECT, CHARGE, DISCHARGE = "direct", "charge", "discharge"


@dataclass(frozen=True, slots=True)
class Plant:
    """What the machines prove of themselves. makes_cold: the chiller's leaving water is cold enough to serve."""

    chiller_runs: bool
    makes_cold: bool
    chilled_water_pump_runs: bool
    condenser_water_pump_runs: bool
    charge_open: bool
    discharge_open: bool
    valves_closed: bool


@dataclass(frozen=True, slots=True)
class Proof:
    name: str
    words: Text
    holds: Callable[[Plant], bool]


CONDENSER_WATER_PUMP_RUNS = Proof(
    "condenser_water_pump_runs",
    Text("the condenser water pump runs", "冷却水泵运行"),
    lambda it: it.condenser_water_pump_runs,
)
CHILLED_WATER_PUMP_RUNS = Proof(
    "chilled_water_pump_runs",
    Text("the chilled water pump runs", "冷冻水泵运行"),
    lambda it: it.chilled_water_pump_runs,
)
PUMPS_STAND = Proof(
    "pumps_stand",
    Text("both pumps stand", "两台水泵停止"),
    lambda it: not (it.chilled_water_pump_runs or it.condenser_water_pump_runs),
)
CHILLER_RUNS = Proof("chiller_runs", Text("the chiller runs", "冷水机组运行"), lambda it: it.chiller_runs)
CHILLER_STANDS = Proof("chiller_stands", Text("the chiller stands", "冷水机组停机"), lambda it: not it.chiller_runs)
CHILLER_MAKES_COLD = Proof(
    "chiller_makes_cold",
    Text("the chiller makes cold water", "冷水机组出冷水"),
    lambda it: it.chiller_runs and it.makes_cold,
)
CHARGE_VALVE_OPEN = Proof(
    "charge_valve_open", Text("the charge valve is open", "充冷阀全开"), lambda it: it.charge_open
)
DISCHARGE_VALVE_OPEN = Proof(
    "discharge_valve_open", Text("the discharge valve is open", "放冷阀全开"), lambda it: it.discharge_open
)
VALVES_CLOSED = Proof(
    "valves_closed", Text("both valves of the tank are closed", "蓄冷水箱两阀全关"), lambda it: it.valves_closed
)
PROOFS: Mapping[str, Proof] = {
    proof.name: proof
    for proof in (
        *(CONDENSER_WATER_PUMP_RUNS, CHILLED_WATER_PUMP_RUNS, PUMPS_STAND),
        *(CHILLER_RUNS, CHILLER_STANDS, CHILLER_MAKES_COLD),
        *(CHARGE_VALVE_OPEN, DISCHARGE_VALVE_OPEN, VALVES_CLOSED),
    )
}
PUMPS_RUN = (CONDENSER_WATER_PUMP_RUNS, CHILLED_WATER_PUMP_RUNS)


class Wish(NamedTuple):
    """What a step commands. None: on if it was running when the sequence began."""

    chiller: bool | None
    chilled_water_pump: bool | None
    condenser_water_pump: bool
    charge_valve: bool = False
    discharge_valve: bool = False

    @property
    def opens_valve(self) -> bool:
        return self.charge_valve or self.discharge_valve


class Wait(Enum):
    """Whose time limits a wait."""

    PUMP = "pump"
    VALVE = "valve"
    CHILLER = "chiller"


class Lasting(Enum):
    """OVERRUN: pumps run on after their chiller. RUN_UP: a chiller that has just started cannot serve alone yet."""

    OVERRUN = "overrun"
    RUN_UP = "run-up"


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    awaits: the proof before the next, None where the step stays; within: how long it may take; lasting: how long it
    must last. then: what follows on proof; otherwise: after the time-out, or once a proof that it keeps is lost.
    leave: where to go once the mode is not wanted any more; "" where the step is on its way back.
    """

    mode: str
    wish: Wish
    awaits: Proof | None
    within: Wait | None
    then: str
    otherwise: str
    leave: str = ""
    keeps: tuple[Proof, ...] = ()
    lasting: Lasting | None = None


STEPS: Mapping[str, Step] = {
    # To charge: condenser water pump, chilled water pump, valve, chiller.
    "start_condenser_water_pump": Step(
        CHARGE,
        Wish(None, None, True),
        CONDENSER_WATER_PUMP_RUNS,
        Wait.PUMP,
        then="start_chilled_water_pump",
        otherwise=DIRECT,
        leave=DIRECT,
    ),
    "start_chilled_water_pump": Step(
        CHARGE,
        Wish(None, True, True),
        CHILLED_WATER_PUMP_RUNS,
        Wait.PUMP,
        then="open_charge_valve",
        otherwise=DIRECT,
        leave=DIRECT,
        keeps=(CONDENSER_WATER_PUMP_RUNS,),
    ),
    "open_charge_valve": Step(
        CHARGE,
        Wish(None, True, True, charge_valve=True),
        CHARGE_VALVE_OPEN,
        Wait.VALVE,
        then="start_chiller",
        otherwise="close_charge_valve",
        leave="stop_chiller",
        keeps=PUMPS_RUN,
    ),
    "start_chiller": Step(
        CHARGE,
        Wish(True, True, True, charge_valve=True),
        CHILLER_RUNS,
        Wait.CHILLER,
        then="charging",
        otherwise="close_charge_valve",
        leave="stop_chiller",
        keeps=(*PUMPS_RUN, CHARGE_VALVE_OPEN),
    ),
    "charging": Step(
        CHARGE,
        Wish(True, True, True, charge_valve=True),
        awaits=None,
        within=None,
        then="",
        otherwise="close_charge_valve",
        leave="stop_chiller",
        keeps=(*PUMPS_RUN, CHARGE_VALVE_OPEN, CHILLER_RUNS),
    ),
    # From charging, where the building draws no water: chiller, valve, and the pumps after their overrun.
    "stop_chiller": Step(
        CHARGE,
        Wish(False, True, True, charge_valve=True),
        CHILLER_STANDS,
        Wait.CHILLER,
        then="close_charge_valve",
        otherwise="close_charge_valve",
    ),
    "close_charge_valve": Step(
        CHARGE, Wish(False, True, True), VALVES_CLOSED, Wait.VALVE, then="overrun", otherwise=DIRECT
    ),
    "overrun": Step(
        CHARGE,
        Wish(False, True, True),
        CHILLER_STANDS,
        Wait.CHILLER,
        then=DIRECT,
        otherwise=DIRECT,
        lasting=Lasting.OVERRUN,
    ),
    # From charging, where the building draws water: only the valve; the chiller goes on under the original controls.
    "leave_tank": Step(CHARGE, Wish(True, True, True), VALVES_CLOSED, Wait.VALVE, then=DIRECT, otherwise=DIRECT),
    # To discharge: chiller, pumps after their overrun, valve.
    "rest_chiller": Step(
        DISCHARGE,
        Wish(False, True, True),
        CHILLER_STANDS,
        Wait.CHILLER,
        then="stop_pumps",
        otherwise=DIRECT,
        leave=DIRECT,
        keeps=(VALVES_CLOSED,),
        lasting=Lasting.OVERRUN,
    ),
    "stop_pumps": Step(
        DISCHARGE,
        Wish(False, False, False),
        PUMPS_STAND,
        Wait.PUMP,
        then="open_discharge_valve",
        otherwise=DIRECT,
        leave=DIRECT,
        keeps=(VALVES_CLOSED, CHILLER_STANDS),
    ),
    "open_discharge_valve": Step(
        DISCHARGE,
        Wish(False, False, False, discharge_valve=True),
        DISCHARGE_VALVE_OPEN,
        Wait.VALVE,
        then="discharging",
        otherwise="close_discharge_valve",
        leave="close_discharge_valve",
        keeps=(PUMPS_STAND,),
    ),
    "discharging": Step(
        DISCHARGE,
        Wish(False, False, False, discharge_valve=True),
        awaits=None,
        within=None,
        then="",
        otherwise="close_discharge_valve",
        leave="restart_condenser_water_pump",
        keeps=(PUMPS_STAND, DISCHARGE_VALVE_OPEN),
    ),
    # From discharging, where the building draws water: the tank serves it until the chiller does.
    "restart_condenser_water_pump": Step(
        DISCHARGE,
        Wish(False, False, True, discharge_valve=True),
        CONDENSER_WATER_PUMP_RUNS,
        Wait.PUMP,
        then="restart_chilled_water_pump",
        otherwise="leave_discharge",
    ),
    "restart_chilled_water_pump": Step(
        DISCHARGE,
        Wish(False, True, True, discharge_valve=True),
        CHILLED_WATER_PUMP_RUNS,
        Wait.PUMP,
        then="restart_chiller",
        otherwise="leave_discharge",
    ),
    "restart_chiller": Step(
        DISCHARGE,
        Wish(True, True, True, discharge_valve=True),
        CHILLER_MAKES_COLD,
        Wait.CHILLER,
        then="leave_discharge",
        otherwise="leave_discharge",
        lasting=Lasting.RUN_UP,
    ),
    "leave_discharge": Step(
        DISCHARGE, Wish(True, True, True), VALVES_CLOSED, Wait.VALVE, then=DIRECT, otherwise=DIRECT
    ),
    # From discharging, where nothing draws water or nothing else could serve it.
    "close_discharge_valve": Step(
        DISCHARGE, Wish(False, False, False), VALVES_CLOSED, Wait.VALVE, then=DIRECT, otherwise=DIRECT
    ),
}


def mode_of(step: str) -> str:
    """The mode of a step; direct where it is none."""
    return STEPS[step].mode if step in STEPS else DIRECT
