"""Which mode a plant with a tank is to be in now, and why: as planned, and as far as machines and tank allow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from controller.core.text import Text
from strategies.blocks.load_shifting import Charging, StoragePlan, Window
from strategies.blocks.storage_parameters import Parameters
from strategies.blocks.storage_sequence import Seen, State, Tank
from strategies.blocks.storage_steps import CHARGE, DIRECT, DISCHARGE, mode_of

# A tank whose upper sensor is this near to the charging setpoint is full [K].
_FULL_WITHIN = 1.5
# A window too short for this is not worth two changes of mode.
LEAST_STAY = timedelta(minutes=30)
# What was asked of the plant's mode shows within a few scans; longer, and somebody stronger holds it.
_CONTESTED_S = 30.0

_NO_PLAN = Text("no plan for now", "当前无计划")
_SILENT_TANK = Text("a sensor of the tank is silent", "蓄冷水箱传感器无信号")
_OUTSIDE = Text("neither a valley to charge nor a peak to discharge", "既非可充冷的低谷也非可放冷的高峰")
# What is commanded, and so must be in auto.
NOT_IN_AUTO: Mapping[str, Text] = {
    "chiller": Text("the chiller is not in auto", "冷水机组非自动"),
    "chilled_water_pump": Text("the chilled water pump is not in auto", "冷冻水泵非自动"),
    "condenser_water_pump": Text("the condenser water pump is not in auto", "冷却水泵非自动"),
    "tank": Text("the tank is not in auto", "蓄冷水箱非自动"),
    "plant": Text("the plant is not in auto", "冷水机房非自动"),
}
_RESET_CHILLER = Text("the chiller was reset and may be started", "冷水机组已复位，可能启动")
_TRIPPED_CHILLER = Text("the chiller has tripped", "冷水机组跳闸")
_TOO_LATE = Text("the band ends too soon", "时段即将结束")
_ENOUGH = Text("the tank holds enough", "蓄冷量已足")
_NO_LOAD = Text("the building draws no water", "楼内无冷冻水流量")
_EMPTY = Text("the tank has no cold water left", "蓄冷水箱已无冷水")
_PAUSE = Text("waits half an hour before another try", "半小时后再试")
_NOT_GRANTED = {
    CHARGE: Text("charge is asked for, and the plant's mode does not follow", "已请求充冷，机房模式未跟随"),
    DISCHARGE: Text("discharge is asked for, and the plant's mode does not follow", "已请求放冷，机房模式未跟随"),
}
_VALLEY = Text("valley", "低谷")
_PEAK = Text("peak", "高峰")


class Wanted(NamedTuple):
    """The mode to be in, and why. asks: the one to ask for; target: kWh to charge to; until: its latest end."""

    mode: str
    why: Text
    asks: str = DIRECT
    target: float = 0.0
    until: datetime | None = None
    is_forecast: bool = True


def wanted_now(limits: Parameters, plan: StoragePlan | None, now: datetime, site: Seen, state: State) -> Wanted:
    return _granted(_worth_while(limits, plan, now, site, state), site, state)


def _worth_while(limits: Parameters, plan: StoragePlan | None, now: datetime, site: Seen, state: State) -> Wanted:
    if plan is None:
        return Wanted(DIRECT, _NO_PLAN)
    if site.lacks:
        return Wanted(DIRECT, NOT_IN_AUTO[min(site.lacks)])
    if site.tank is None:
        return Wanted(DIRECT, _SILENT_TANK)
    present = mode_of(state.progress.step)
    if present == DIRECT and state.missed:
        return Wanted(DIRECT, _PAUSE)
    charging, discharging = plan.charging_at(now), plan.discharging_at(now)
    if charging is not None:
        return _wants_charge(limits, charging, now, site, site.tank, goes_on=present == CHARGE)
    if discharging is not None:
        return _wants_discharge(limits, discharging, now, site, site.tank, goes_on=present == DISCHARGE)
    return Wanted(DIRECT, _OUTSIDE)


def _wants_charge(
    limits: Parameters, charging: Charging, now: datetime, site: Seen, tank: Tank, *, goes_on: bool
) -> Wanted:
    until = charging.window.end - limits.changeover
    if site.tripped:
        return Wanted(DIRECT, _TRIPPED_CHILLER)
    is_full = tank.upper <= limits.charging_setpoint + _FULL_WITHIN
    if is_full or charging.target - tank.stored <= (0.0 if goes_on else limits.least_energy):
        return Wanted(DIRECT, _ENOUGH)
    if now >= (until if goes_on else until - LEAST_STAY):
        return Wanted(DIRECT, _TOO_LATE)
    return Wanted(CHARGE, _VALLEY, CHARGE, charging.target, until, charging.forecast)


def _wants_discharge(
    limits: Parameters, window: Window, now: datetime, site: Seen, tank: Tank, *, goes_on: bool
) -> Wanted:
    until = window.end - limits.changeover
    if site.was_reset:
        return Wanted(DIRECT, _RESET_CHILLER)
    if not site.calls:
        return Wanted(DIRECT, _NO_LOAD)
    is_worth_it = goes_on or tank.stored - limits.unusable_energy >= limits.least_energy
    if tank.lower >= limits.discharge_end_temperature or not is_worth_it:
        return Wanted(DIRECT, _EMPTY)
    if now >= (until if goes_on else until - LEAST_STAY):
        return Wanted(DIRECT, _TOO_LATE)
    return Wanted(DISCHARGE, _PEAK, DISCHARGE, until=until)


def _granted(wanted: Wanted, site: Seen, state: State) -> Wanted:
    """What is wanted, as far as the plant's mode follows."""
    goes_on = mode_of(state.progress.step) == wanted.mode
    if wanted.mode == DIRECT or (state.contested < _CONTESTED_S if goes_on else site.mode == wanted.mode):
        return wanted
    return Wanted(DIRECT, _NOT_GRANTED[wanted.mode], asks=wanted.mode)
