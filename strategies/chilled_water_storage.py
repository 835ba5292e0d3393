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
from datetime import datetime, timedelta

from controller.core.availability import Availability
from controller.core.sample import Scalar
from controller.core.strategy import Decision, Ladder, Member, Observation, PlanInput, Role, StrategyKind
from controller.core.text import Text
from strategies.blocks.load_shifting import StoragePlan, planned
from strategies.blocks.storage_parameters import Parameters
from strategies.blocks.storage_sentence import storage_sentence
from strategies.blocks.storage_sequence import Seen, State, Tank, Times, aged, in_time, stepped
from strategies.blocks.storage_steps import CHARGE, STEPS, Lasting, Plant, Wait, mode_of
from strategies.blocks.storage_wanted import LEAST_STAY, NOT_IN_AUTO, Wanted, wanted_now

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

# A valve that shows less than this is closed, kg/s above this are drawn by the building.
_CLOSED = 0.01
_LEAST_FLOW = 0.5
# The building gets this much warmer water than the chiller makes [K]: the pump brings less than the building draws.
_SHORT_BY = 1.0


class ChilledWaterStorage:
    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._times = Times(
            within={
                Wait.PUMP: parameters.pump_timeout.total_seconds(),
                Wait.VALVE: parameters.valve_timeout.total_seconds(),
                Wait.CHILLER: parameters.chiller_timeout.total_seconds(),
            },
            lasting={
                Lasting.OVERRUN: parameters.overrun.total_seconds(),
                Lasting.RUN_UP: parameters.run_up.total_seconds(),
            },
        )
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
        limits, site, before = self._parameters, self._site(seen), state
        state = aged(state, site, seen.elapsed)
        wanted = wanted_now(limits, plan, seen.now, site, state)
        after = stepped(state, site, wanted.mode, self._times, seen.elapsed)
        after = in_time(after, plan, seen.now, limits.valve_timeout)
        if after is not state:
            state, wanted = after, wanted_now(limits, plan, seen.now, site, after)
        # Nothing is timed any more; only the plan's windows can bring something new by themselves.
        is_steady = plan is not None and seen.elapsed > 0.0 and state == before
        steady_until = self._next_edge(plan, seen.now) if plan is not None and is_steady else None
        reason = storage_sentence(state.progress.step, state.missed, wanted, seen.local.tzinfo)
        return Decision(state, self._requests(state, wanted), reason, steady_until)

    def _next_edge(self, plan: StoragePlan, now: datetime) -> datetime:
        """The next instant at which a window opens, closes, or becomes too short for something."""
        if self._edges_of is not plan:  # a plan serves for an hour, and this is asked in every scan
            self._edges_of, self._edges = plan, self._edges_in(plan)
        return next((edge for edge in self._edges if edge > now), plan.end)

    def _edges_in(self, plan: StoragePlan) -> Sequence[datetime]:
        """In order of time."""
        latest = self._parameters.changeover
        before_end = (timedelta(0), self._parameters.valve_timeout, latest, latest + LEAST_STAY)
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
        lower, upper, stored = [seen.number_or_none(role) for role in _TANK]
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
    if not seen.unavailable:
        return frozenset()
    lacking = {member for member in NOT_IN_AUTO if not seen.is_available(member)}
    return frozenset(lacking - {"chiller"} if has_tripped else lacking)


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
