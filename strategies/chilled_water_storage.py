"""Charges a chilled-water tank in the valley hours of the tariff and serves the building from it at the peak.

After the operating modes of ASHRAE Handbook - HVAC Systems and Equipment (2020), chapter 51 "Thermal storage", as used
in published retrofits of office towers: charge at night what tomorrow's forecast is worth, stop the chiller at the
peak.

The strategy asks for the plant's mode, and follows it: where somebody stronger holds the mode, it stays `direct`.
Between modes it goes step by step, each on proof of the one before: pumps, then valve, then chiller to charge; chiller,
then pumps, then valve to discharge; and back in the reverse order. In `direct` it commands nothing: the original
controls, which know the building's hours, have the plant.

It never charges outside valley bands nor discharges outside peak bands, never opens both valves of the tank, never
commands a pump off while a valve is not proven closed, never enables the chiller without both pumps, and never guesses
a tariff, a plan, or what a silent sensor of the tank would say, never counts on a machine that is not in auto: then it
goes back to `direct`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Annotated, ClassVar, NamedTuple, TypeAlias

from annotated_types import Ge, Gt, Le

from controller.core.availability import Availability
from controller.core.sample import Scalar
from controller.core.strategy import Decision, Ladder, Member, Observation, PlanInput, Role, StrategyKind
from controller.core.text import Text
from strategies.blocks.load_shifting import Charging, StoragePlan, Store, Window, planned
from strategies.blocks.sequence import Outcome, Progress, awaited
from strategies.blocks.storage_steps import (
    CHARGE,
    CHILLER_RUNS,
    DIRECT,
    DISCHARGE,
    PROOFS,
    PUMPS_RUN,
    PUMPS_STAND,
    STEPS,
    Lasting,
    Plant,
    Proof,
    Step,
    Wait,
    mode_of,
)

Energy: TypeAlias = Annotated[float, Gt(0)]
Fraction: TypeAlias = Annotated[float, Gt(0), Le(1)]
Temperature: TypeAlias = Annotated[float, Ge(3), Le(15)]
Duration: TypeAlias = Annotated[timedelta, Ge(timedelta(seconds=30)), Le(timedelta(hours=1))]
Performance: TypeAlias = Annotated[float, Gt(0), Le(20)]

# A bus that stumbles over a few polls is no reason to change the plant's mode.
_LADDER = Ladder(hold=timedelta(seconds=60))

_CHILLER_STATUS = Role("chiller", 0, "status")
_TRIPPED = Role("chiller", 0, "tripped")
_LEAVING = Role("chiller", 0, "leaving_chilled_water_temperature")
_CHILLED_WATER_PUMP_STATUS = Role("chilled_water_pump", 0, "status")
_CONDENSER_WATER_PUMP_STATUS = Role("condenser_water_pump", 0, "status")
_CHARGE_STATUS = Role("tank", 0, "charge_valve_status")
_DISCHARGE_STATUS = Role("tank", 0, "discharge_valve_status")
_CHARGE_POSITION = Role("tank", 0, "charge_valve_position")
_DISCHARGE_POSITION = Role("tank", 0, "discharge_valve_position")
_PROOFS = (
    *(_CHILLER_STATUS, _TRIPPED, _LEAVING, _CHILLED_WATER_PUMP_STATUS, _CONDENSER_WATER_PUMP_STATUS),
    *(_CHARGE_STATUS, _DISCHARGE_STATUS, _CHARGE_POSITION, _DISCHARGE_POSITION),
)
_STORED = Role("tank", 0, "stored_energy")
_TANK = (Role("tank", 0, "lower_temperature"), Role("tank", 0, "upper_temperature"), _STORED)
_FLOW = Role("loop", 0, "chilled_water_flow")
_SUPPLY = Role("loop", 0, "chilled_water_supply_temperature")
_COOLING_LOAD = Role("loop", 0, "cooling_load")
_LOOP = (_FLOW, _SUPPLY, _COOLING_LOAD)

_ENABLE = Role("chiller", 0, "enable_command")
_SETPOINT = Role("chiller", 0, "chilled_water_temperature_setpoint")
_CHILLED_WATER_PUMP = Role("chilled_water_pump", 0, "command")
_SPEED = Role("chilled_water_pump", 0, "speed_command")
_CONDENSER_WATER_PUMP = Role("condenser_water_pump", 0, "command")
_CHARGE_VALVE = Role("tank", 0, "charge_valve_command")
_DISCHARGE_VALVE = Role("tank", 0, "discharge_valve_command")
_MODE = Role("plant", 0, "mode")
_PUMPS = frozenset({"chilled_water_pump", "condenser_water_pump"})

# A valve that shows less than this is closed, kg/s above this are drawn by the building.
_CLOSED = 0.01
_LEAST_FLOW = 0.5
# A tank whose upper sensor is this near to the charging setpoint is full [K].
_FULL_WITHIN = 1.5
# The building gets this much warmer water than the chiller makes [K]: the pump brings less than the building draws.
_SHORT_BY = 1.0
# A window too short for this is not worth two changes of mode.
_LEAST_STAY = timedelta(minutes=30)
_PAUSE_S = 1800.0
# What was asked of the plant's mode shows within a few scans; longer, and somebody stronger holds it.
_CONTESTED_S = 30.0


@dataclass(frozen=True, slots=True)
class Parameters:
    """Energies in kWh by the tank's own meter (`stored_energy`), temperatures in °C, speeds as fraction 0..1.

    capacity: of the full tank; unusable_energy: what is left when its outlet reaches discharge_end_temperature.
    reserve: share stored beyond the forecast. least_energy: less is not worth a change of mode.
    changeover: how long before the end of a band the change back begins.
    overrun: how long the pumps run on after the chiller. run_up: how long a started chiller has made cold water before
    the tank leaves the building to it.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    capacity: Energy = 1000.0
    unusable_energy: Annotated[float, Ge(0)] = 0.0
    reserve: Annotated[float, Ge(0), Le(1)] = 0.1
    least_energy: Energy = 200.0
    charging_setpoint: Temperature = 5.0
    discharge_end_temperature: Temperature = 8.0
    charging_pump_speed: Fraction = 0.7
    least_pump_speed: Fraction = 0.4
    changeover: Duration = timedelta(minutes=10)
    pump_timeout: Duration = timedelta(minutes=2)
    valve_timeout: Duration = timedelta(minutes=3)
    chiller_timeout: Duration = timedelta(minutes=20)
    overrun: Duration = timedelta(minutes=1)
    run_up: Duration = timedelta(minutes=2)
    charging_cop: Performance = 4.5
    direct_cop: Performance = 5.5
    storage_efficiency: Fraction = 0.95

    def __post_init__(self) -> None:
        if self.unusable_energy >= self.capacity:
            raise ValueError(f"unusable_energy is {self.unusable_energy:g} kWh; it must lie below capacity")
        if self.discharge_end_temperature <= self.charging_setpoint:
            raise ValueError(
                f"discharge_end_temperature is {self.discharge_end_temperature:g} °C; "
                f"it must lie above charging_setpoint, {self.charging_setpoint:g} °C"
            )
        if self.changeover <= self.valve_timeout + self.run_up:
            raise ValueError("changeover must be longer than valve_timeout and run_up together")

    @property
    def store(self) -> Store:
        """Valley kWh cost `cost_ratio` less, or they do not pay for the colder water and the losses."""
        ratio = self.charging_cop * self.storage_efficiency / self.direct_cop
        return Store(self.capacity, self.unusable_energy, self.reserve, ratio)


@dataclass(frozen=True, slots=True)
class State:
    """chiller_on: the chiller was running when the sequence began, and goes on. fast: the pump runs at full speed since
    the building drew more than it brought. contested: for how long [s] the plant's mode has been another than that of
    the step. missed: the proof that did not come or was lost, while `pause` [s] lasts.
    """

    progress: Progress = field(default_factory=lambda: Progress(DIRECT))
    chiller_on: bool = False
    fast: bool = False
    contested: float = 0.0
    missed: str = ""
    pause: float = 0.0


class Tank(NamedTuple):
    lower: float
    upper: float
    stored: float


class Seen(NamedTuple):
    """mode: of the plant, as arbitrated. tank: None while one of its sensors is silent. lacks: the machines that are
    not in auto, but for a tripped chiller. tripped: the chiller is, or has been and is not given back to us yet;
    was_reset: its own controls may start it at any moment. calls: the building draws water; draws_more: more than the
    pump brings.
    """

    mode: Scalar | None
    plant: Plant
    tank: Tank | None
    lacks: frozenset[str]
    tripped: bool
    was_reset: bool
    calls: bool
    draws_more: bool


# --- the strategy -----------------------------------------------------------------------------------------------------


class Wanted(NamedTuple):
    """The mode to be in, and why. asks: the one to ask for; target: kWh to charge to; until: its latest end."""

    mode: str
    why: Text
    asks: str = DIRECT
    target: float = 0.0
    until: datetime | None = None
    is_forecast: bool = True


class ChilledWaterStorage:
    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._waits = {
            Wait.PUMP: parameters.pump_timeout.total_seconds(),
            Wait.VALVE: parameters.valve_timeout.total_seconds(),
            Wait.CHILLER: parameters.chiller_timeout.total_seconds(),
        }
        self._lasting = {
            Lasting.OVERRUN: parameters.overrun.total_seconds(),
            Lasting.RUN_UP: parameters.run_up.total_seconds(),
        }
        self.inputs: Mapping[Role, Ladder] = dict.fromkeys((*_PROOFS, *_TANK, *_LOOP, _MODE), _LADDER)
        self.outputs = frozenset(
            {
                *(_ENABLE, _SETPOINT, _CHILLED_WATER_PUMP, _SPEED, _CONDENSER_WATER_PUMP),
                *(_CHARGE_VALVE, _DISCHARGE_VALVE, _MODE),
            }
        )
        self._edges_of: StoragePlan | None = None
        self._edges: Sequence[datetime] = ()
        self.plan_every = timedelta(hours=1)
        self.plan_limit = timedelta(hours=24)
        self.plan_type = StoragePlan
        self.forecasts: frozenset[Role] = frozenset({_COOLING_LOAD})

    def initial(self) -> State:
        return State()

    def plan(self, given: PlanInput) -> StoragePlan:
        """The windows of the next two days; none without a tariff."""
        if given.tariff is None:
            return StoragePlan(given.now, given.now, (), ())
        forecast, stored = given.forecasts.get(_COOLING_LOAD), given.seen.number_or_none(_STORED)
        return planned(given.now, given.tariff, forecast, self._parameters.store, stored)

    def decide(self, seen: Observation, state: State) -> Decision[State]:
        """Raises BadInput where a machine's proof is missing: without it no step can follow another."""
        plan = seen.plan.value if seen.plan else None
        if not isinstance(plan, StoragePlan) or not plan.start <= seen.now < plan.end:
            plan = None
        site, before = self._site(seen), state
        state = self._aged(state, site, seen.elapsed)
        state = self._next(state, site, self._wanted(plan, seen.now, site, state), seen.elapsed)
        state = self._in_time(state, plan, seen.now)
        wanted = self._wanted(plan, seen.now, site, state)
        # Nothing is timed any more; only the plan's windows can bring something new by themselves.
        is_steady = plan is not None and seen.elapsed > 0.0 and state == before
        steady_until = self._next_edge(plan, seen.now) if plan is not None and is_steady else None
        return Decision(state, self._requests(state, wanted), _reason(state, wanted, seen.local.tzinfo), steady_until)

    def _next_edge(self, plan: StoragePlan, now: datetime) -> datetime:
        """The next instant at which a window opens, closes, or becomes too short for something."""
        if self._edges_of is not plan:  # a plan serves for an hour, and this is asked in every scan
            self._edges_of, self._edges = plan, self._edges_in(plan)
        return next((edge for edge in self._edges if edge > now), plan.end)

    def _edges_in(self, plan: StoragePlan) -> Sequence[datetime]:
        """In order of time."""
        latest = self._parameters.changeover
        before_end = (timedelta(0), self._parameters.valve_timeout, latest, latest + _LEAST_STAY)
        windows = (*(each.window for each in plan.charging), *plan.discharging)
        edges = [window.start for window in windows]
        return sorted(edges + [window.end - margin for window in windows for margin in before_end])

    def _site(self, seen: Observation) -> Seen:
        leaving = seen.number(_LEAVING)
        calls = seen.number(_FLOW) > _LEAST_FLOW
        plant = Plant(
            chiller_runs=seen.flag(_CHILLER_STATUS),
            makes_cold=leaving <= self._parameters.discharge_end_temperature,
            chilled_water_pump_runs=seen.flag(_CHILLED_WATER_PUMP_STATUS),
            condenser_water_pump_runs=seen.flag(_CONDENSER_WATER_PUMP_STATUS),
            charge_open=seen.flag(_CHARGE_STATUS),
            discharge_open=seen.flag(_DISCHARGE_STATUS),
            valves_closed=max(seen.number(_CHARGE_POSITION), seen.number(_DISCHARGE_POSITION)) < _CLOSED,
        )
        lower, upper, stored = (seen.number_or_none(role) for role in _TANK)
        tank = None if lower is None or upper is None or stored is None else Tank(lower, upper, stored)
        draws_more = calls and plant.chiller_runs and seen.number(_SUPPLY) - leaving > _SHORT_BY
        mode = seen.samples.get(_MODE)
        has_tripped = seen.availability("chiller") is Availability.TRIPPED
        is_tripped = seen.flag(_TRIPPED)
        return Seen(
            None if mode is None else mode.value,
            plant,
            tank,
            _lacks(seen, has_tripped=has_tripped),
            is_tripped or has_tripped,
            has_tripped and not is_tripped,
            calls,
            draws_more,
        )

    def _aged(self, state: State, site: Seen, elapsed: float) -> State:
        pause = max(0.0, state.pause - elapsed)
        fast = mode_of(state.progress.step) == CHARGE and site.calls and (state.fast or site.draws_more)
        is_contested = state.progress.step in STEPS and site.mode != mode_of(state.progress.step)
        contested = state.contested + elapsed if is_contested else 0.0
        missed = state.missed if pause else ""
        if (fast, contested, missed, pause) == (state.fast, state.contested, state.missed, state.pause):
            return state
        return replace(state, fast=fast, contested=contested, missed=missed, pause=pause)

    # --- what is wanted

    def _wanted(self, plan: StoragePlan | None, now: datetime, site: Seen, state: State) -> Wanted:
        return _granted(self._worth_while(plan, now, site, state), site, state)

    def _worth_while(self, plan: StoragePlan | None, now: datetime, site: Seen, state: State) -> Wanted:
        if plan is None:
            return Wanted(DIRECT, _NO_PLAN)
        if site.lacks:
            return Wanted(DIRECT, _NOT_IN_AUTO[min(site.lacks)])
        if site.tank is None:
            return Wanted(DIRECT, _SILENT_TANK)
        present = mode_of(state.progress.step)
        if present == DIRECT and state.missed:
            return Wanted(DIRECT, _PAUSE)
        charging, discharging = plan.charging_at(now), plan.discharging_at(now)
        if charging is not None:
            return self._wants_charge(charging, now, site, site.tank, goes_on=present == CHARGE)
        if discharging is not None:
            return self._wants_discharge(discharging, now, site, site.tank, goes_on=present == DISCHARGE)
        return Wanted(DIRECT, _OUTSIDE)

    def _wants_charge(self, charging: Charging, now: datetime, site: Seen, tank: Tank, *, goes_on: bool) -> Wanted:
        limits = self._parameters
        until = charging.window.end - limits.changeover
        if site.tripped:
            return Wanted(DIRECT, _TRIPPED_CHILLER)
        is_full = tank.upper <= limits.charging_setpoint + _FULL_WITHIN
        if is_full or charging.target - tank.stored <= (0.0 if goes_on else limits.least_energy):
            return Wanted(DIRECT, _ENOUGH)
        if now >= (until if goes_on else until - _LEAST_STAY):
            return Wanted(DIRECT, _TOO_LATE)
        return Wanted(CHARGE, _VALLEY, CHARGE, charging.target, until, charging.forecast)

    def _wants_discharge(self, window: Window, now: datetime, site: Seen, tank: Tank, *, goes_on: bool) -> Wanted:
        limits = self._parameters
        until = window.end - limits.changeover
        if site.was_reset:
            return Wanted(DIRECT, _RESET_CHILLER)
        if not site.calls:
            return Wanted(DIRECT, _NO_LOAD)
        is_worth_it = goes_on or tank.stored - limits.unusable_energy >= limits.least_energy
        if tank.lower >= limits.discharge_end_temperature or not is_worth_it:
            return Wanted(DIRECT, _EMPTY)
        if now >= (until if goes_on else until - _LEAST_STAY):
            return Wanted(DIRECT, _TOO_LATE)
        return Wanted(DISCHARGE, _PEAK, DISCHARGE, until=until)

    # --- the next step

    def _next(self, state: State, site: Seen, wanted: Wanted, elapsed: float) -> State:
        """The state after at most one change of step."""
        step = STEPS.get(state.progress.step)
        if step is None:
            return state if wanted.mode == DIRECT else _begun(state, site.plant, wanted.mode)
        if step.leave and wanted.mode != step.mode:
            return _at(state, _way_back(step, site))
        lost = next((proof for proof in step.keeps if not proof.holds(site.plant)), None)
        if lost is not None:
            return _missed(state, step, lost)
        if step.awaits is None or step.within is None:
            return state
        lasting = 0.0 if step.lasting is None else self._lasting[step.lasting]
        progress, outcome = awaited(
            state.progress,
            step.awaits.holds(site.plant),
            lasting=lasting,
            within=self._waits[step.within] + lasting,
            elapsed=elapsed,
        )
        if outcome is Outcome.PROVEN:
            return _at(state, step.then)
        return _missed(state, step, step.awaits) if outcome is Outcome.TIMED_OUT else replace(state, progress=progress)

    def _in_time(self, state: State, plan: StoragePlan | None, now: datetime) -> State:
        """The state, or the step that closes where a valve could be open beyond its band, or nobody knows."""
        step = STEPS.get(state.progress.step)
        if step is None or not step.wish.opens_valve:
            return state
        window = None
        if plan is not None:
            charging = plan.charging_at(now)
            window = (charging and charging.window) if step.mode == CHARGE else plan.discharging_at(now)
        if window is not None and now < window.end - self._parameters.valve_timeout:
            return state
        return _at(state, step.otherwise) if step.awaits is None else _missed(state, step, step.awaits)

    # --- what a step commands

    def _requests(self, state: State, wanted: Wanted) -> Mapping[Role, Scalar]:
        step = STEPS.get(state.progress.step)
        if step is None:
            return {_MODE: wanted.asks}
        wish = step.wish
        requests: dict[Role, Scalar] = {
            _MODE: step.mode,
            _ENABLE: state.chiller_on if wish.chiller is None else wish.chiller,
            _CHILLED_WATER_PUMP: state.chiller_on if wish.chilled_water_pump is None else wish.chilled_water_pump,
            _SPEED: self._speed(state),
            _CONDENSER_WATER_PUMP: wish.condenser_water_pump,
            _CHARGE_VALVE: wish.charge_valve,
            _DISCHARGE_VALVE: wish.discharge_valve,
        }
        if step.mode == CHARGE and wish.chiller:
            requests[_SETPOINT] = self._parameters.charging_setpoint
        return requests

    def _speed(self, state: State) -> float:
        """Slow while the tank takes part, so that it is filled with cold water and goes on serving the building."""
        limits = self._parameters
        if mode_of(state.progress.step) == CHARGE:
            return 1.0 if state.fast else limits.charging_pump_speed
        return 1.0 if state.progress.step in ("rest_chiller", "leave_discharge") else limits.least_pump_speed


def _lacks(seen: Observation, *, has_tripped: bool) -> frozenset[str]:
    """The machines that nobody commands now; without one of them no step can follow another."""
    lacking = {member for member in _NOT_IN_AUTO if not seen.is_available(member)}
    return frozenset(lacking - {"chiller"} if has_tripped else lacking)


def _granted(wanted: Wanted, site: Seen, state: State) -> Wanted:
    """What is wanted, as far as the plant's mode follows."""
    goes_on = mode_of(state.progress.step) == wanted.mode
    if wanted.mode == DIRECT or (state.contested < _CONTESTED_S if goes_on else site.mode == wanted.mode):
        return wanted
    return Wanted(DIRECT, _NOT_GRANTED[wanted.mode], asks=wanted.mode)


def _begun(state: State, plant: Plant, mode: str) -> State:
    """The first step towards a mode."""
    chiller_on = all(proof.holds(plant) for proof in (*PUMPS_RUN, CHILLER_RUNS))
    first = "stop_pumps" if PUMPS_STAND.holds(plant) else "rest_chiller"
    return replace(_at(state, "start_condenser_water_pump" if mode == CHARGE else first), chiller_on=chiller_on)


def _way_back(step: Step, site: Seen) -> str:
    """Where to go once the mode of the step is not wanted any more."""
    has_pumps = _PUMPS.isdisjoint(site.lacks) and all(proof.holds(site.plant) for proof in PUMPS_RUN)
    # A chiller that is not ours to stop, or that the building needs, goes on; but never without its pumps.
    goes_on = site.plant.chiller_runs and (site.calls or "chiller" in site.lacks)
    if step.leave == "stop_chiller" and has_pumps and goes_on:
        return "leave_tank"
    is_served = site.was_reset or not (site.tripped or site.lacks)
    if step.leave == "restart_condenser_water_pump" and not (is_served and site.calls):
        return "close_discharge_valve"
    return step.leave


def _at(state: State, step: str) -> State:
    return replace(state, progress=Progress(step))


def _missed(state: State, step: Step, proof: Proof) -> State:
    return replace(_at(state, step.otherwise), missed=proof.name, pause=_PAUSE_S)


# --- the sentence -----------------------------------------------------------------------------------------------------

_NO_PLAN = Text("no plan for now", "当前无计划")
_SILENT_TANK = Text("a sensor of the tank is silent", "蓄冷水箱传感器无信号")
_OUTSIDE = Text("neither a valley to charge nor a peak to discharge", "既非可充冷的低谷也非可放冷的高峰")
# What is commanded, and so must be in auto.
_NOT_IN_AUTO: Mapping[str, Text] = {
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
_MODES = {CHARGE: Text("charge", "充冷"), DISCHARGE: Text("discharge", "放冷")}


def _reason(state: State, wanted: Wanted, zone: tzinfo | None) -> Text:
    return _sentence(state.progress.step, state.missed, wanted, zone)


# A pure function of few different arguments, asked again every scan: remembering its answers changes nothing but time.
@lru_cache(maxsize=256)
def _sentence(name: str, missed: str, wanted: Wanted, zone: tzinfo | None) -> Text:
    told = _told(name, wanted, zone)
    if not missed:
        return told
    proof = PROOFS[missed].words
    return Text(f"{told.en}; it was not proven that {proof.en}", f"{told.zh}；未能证实：{proof.zh}")


def _told(name: str, wanted: Wanted, zone: tzinfo | None) -> Text:
    step = STEPS.get(name)
    if step is None:
        en, zh = wanted.why
        return Text(f"direct, under the original controls: {en}", f"直供，由原控制运行：{zh}")
    mode = _MODES[step.mode]
    if step.awaits is not None:
        way, way_zh = ("to", "转入") if step.leave else ("back from", "退出")
        en, zh = step.awaits.words
        return Text(f"{way} {mode.en}: waits until {en}", f"{way_zh}{mode.zh}：等待{zh}")
    until = "" if wanted.until is None else wanted.until.astimezone(zone).strftime("%H:%M")
    if step.mode == DISCHARGE:
        return Text(f"discharge until {until} at the latest", f"放冷，最迟至 {until}")
    by, by_zh = ("as forecast", "按预测") if wanted.is_forecast else ("full, without a forecast", "无预测，充满")
    return Text(
        f"charge to {wanted.target:.0f} kWh ({by}), until {until} at the latest",
        f"充冷至 {wanted.target:.0f} kWh（{by_zh}），最迟至 {until}",
    )


def _build(parameters: Parameters, counts: Mapping[str, int]) -> ChilledWaterStorage:
    del counts
    return ChilledWaterStorage(parameters)


KIND = StrategyKind(
    name="chilled_water_storage",
    title=Text("Chilled-water storage", "水蓄冷"),
    members={
        "chiller": Member("chiller"),
        "chilled_water_pump": Member("pump"),
        "condenser_water_pump": Member("pump"),
        "tank": Member("thermal_storage_tank"),
        "loop": Member("chilled_water_loop"),
        "plant": Member("chilled_water_plant"),
    },
    parameters=Parameters,
    state=State,
    state_version=1,
    build=_build,
    leans_on_wall_clock=True,
)
