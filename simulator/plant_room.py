"""The chilled water plant put together: commands, actuators, flows, temperatures and counters.

Rates (flows, heat, power) are found at an instant and held until the next one; states and counters then move by exactly
those rates. So every counter is the exact integral of the power that was read, and the heat balance closes to rounding.
"""

from math import exp, inf
from typing import Any, NamedTuple

from controller.core.physics import WATER_SPECIFIC_HEAT
from simulator.building import Building, Wants
from simulator.gateway import Remote
from simulator.original import CHILLED_WATER_SETPOINT, PUMP_OVERRUN_S, Original
from simulator.own_controls import OwnControls, PlantCommands, PlantSeen
from simulator.plant import chiller_control as control
from simulator.plant.chiller import Operation
from simulator.plant.chiller_control import ControlState, Mode
from simulator.plant.chiller_unit import ChillerUnit, UnitInputs, UnitState, respond
from simulator.plant.coil import capability, wanted_flow
from simulator.plant.hydronics import Flows, distribute, mixed
from simulator.plant.pump import heat_to_water, moved, pump_flow, pump_power, runs, wanted_speed
from simulator.plant.record import record
from simulator.plant.tank import TankInput, cold_content, filled, heat_gain, outlet, stirred
from simulator.plant.tank import step as tank_step
from simulator.plant.tower import Fan, Rejection, fan_power, reject
from simulator.plant.zone import NO_DEMAND
from simulator.site import PlantModel
from simulator.weather import Outdoor

CHARGE_VALVE, DISCHARGE_VALVE = "plant.tank_1.charge_valve_position", "plant.tank_1.discharge_valve_position"
_INITIAL_WATER = 20.0
_SECONDARY_LAG_S = 120.0
"""Time constant of the building's coil valves and the pressure control of its pump."""
_SECONDS_PER_HOUR = 3600.0


class Counters:
    """Energies since the beginning [kWh]; exact integrals of the rates in force."""

    __slots__ = (
        "chilled_water_pump",
        "chiller",
        "condenser_pump",
        "cooling_delivered",
        "evaporator",
        "fan",
        "heat_rejection",
        "loop_gain",
        "secondary_pump",
        "tank_gain",
    )

    def __init__(self) -> None:
        self.chiller = self.evaporator = self.heat_rejection = 0.0
        self.chilled_water_pump = self.condenser_pump = self.secondary_pump = self.fan = 0.0
        self.cooling_delivered = self.loop_gain = self.tank_gain = 0.0


class Temperatures(NamedTuple):
    """Of water [degC], found from the rates in force: entering and leaving evaporator and condenser, at the building,
    and returning from its coils.
    """

    entering: float = _INITIAL_WATER
    leaving: float = _INITIAL_WATER
    condenser_entering: float = _INITIAL_WATER
    condenser_leaving: float = _INITIAL_WATER
    supply: float = _INITIAL_WATER
    returning: float = _INITIAL_WATER


class PlantRoom:
    """Chiller, pumps, tower, tank, headers and coils, with controls of their own: the old ones where none are given.

    `integrate` lets time pass, `evaluate` finds the rates that follow. What can be wrong with it: a pump's motor
    protection has tripped; valves do not move; the tank mixes with a time constant of mixing_s; is_dark, there is no
    mains.
    """

    def __init__(self, model: PlantModel, building: Building, controls: OwnControls[Any] | None = None) -> None:
        self._model = model
        self._building = building
        self._controls: OwnControls[Any] = controls or Original()
        self._decided = self._controls.initial()
        self._undecided_s = 0.0  # time since they decided last
        self.chiller_remote = Remote("enable_command", "chilled_water_temperature_setpoint")
        self.chilled_water_pump_remote = Remote("command", "speed_command")
        self.condenser_pump_remote = Remote("command")
        self.tank_remote = Remote("charge_valve_command", "discharge_valve_command")
        # states
        self._unit = ChillerUnit(model.chiller, proof_flow=model.proof_flow)
        self._unit_state = UnitState()
        self._overrun_s = 0.0
        self.chilled_water_speed = self.condenser_speed = self.secondary_speed = 0.0
        self._secondary_flow = 0.0
        self.chilled_water_pump_tripped = self.condenser_pump_tripped = False
        self.stuck_valves: frozenset[str] = frozenset()
        self.mixing_s = inf
        self.is_dark = False
        self.charge_valve = self.discharge_valve = 0.0
        self.tank = filled(model.tank, model.initial_tank)
        self._supply_header = self._return_header = self._basin = _INITIAL_WATER
        self.fan = Fan.OFF
        # commands in force
        self._enable = self._chilled_water_command = self._condenser_command = self._secondary_command = False
        self._chilled_water_target = 0.0
        self._charge_command = self._discharge_command = False
        self._setpoint = CHILLED_WATER_SETPOINT
        # rates in force
        self.flows = Flows(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        self.temperatures = Temperatures()
        self.cooling_load = 0.0
        self._sensible_cooling = 0.0
        self.wants = Wants(NO_DEMAND, False, 0.0)
        self._ambient = _INITIAL_WATER
        self._rejection = Rejection(0.0, _INITIAL_WATER)
        self._tank_inlet = _INITIAL_WATER
        self._coil_heat = 0.0
        self._pumps_at = (-1.0, -1.0, -1.0)  # speeds and flow for which the pumps' rates were found
        self._water_heat = (0.0, 0.0, 0.0)  # of chilled water, condenser water and secondary pump [kW]
        self.chilled_water_power = self.condenser_power = self.secondary_power = self.fan_power = 0.0
        self.loop_gain = self.tank_gain = 0.0
        self.counters = Counters()

    # --- what can be read -------------------------------------------------------------------------------------------

    @property
    def chiller(self) -> ControlState:
        return self._unit_state.control

    @property
    def operation(self) -> Operation:
        return self._unit_state.operation

    @property
    def chiller_runs(self) -> bool:
        return self.chiller.mode is Mode.RUNNING

    def chilled_water_pump_runs(self) -> bool:
        return runs(self._model.chilled_water_pump, self.chilled_water_speed)

    def condenser_pump_runs(self) -> bool:
        return runs(self._model.condenser_water_pump, self.condenser_speed)

    def secondary_pump_runs(self) -> bool:
        return runs(self._model.secondary_pump, self.secondary_speed)

    def stored_energy(self) -> float:
        """Cold in the tank [kWh] against water at the design return temperature."""
        return cold_content(self._model.tank, self.tank, self._model.design_return)

    def storing(self) -> float:
        """Rate at which the tank's content grows [kW]: what the headers bring less the gain through its wall."""
        return self._brought_to_tank() - self.tank_gain

    def header_storing(self) -> float:
        """Rate at which the content of the headers grows [kW]."""
        return self.operation.cooling - self.cooling_load - self.loop_gain - self._brought_to_tank()

    def _brought_to_tank(self) -> float:
        upward = self.flows.charge - self.flows.discharge
        return abs(upward) * (outlet(self.tank, upward) - self._tank_inlet) * WATER_SPECIFIC_HEAT

    def header_energy(self) -> float:
        """Cold in the two headers [kWh] against water at the design return temperature."""
        below = 2.0 * self._model.design_return - self._supply_header - self._return_header
        return below * self._model.header_mass * WATER_SPECIFIC_HEAT / _SECONDS_PER_HOUR

    def power(self) -> float:
        """All electric power of the plant [kW]."""
        pumps = self.chilled_water_power + self.condenser_power + self.secondary_power
        return self.operation.power + pumps + self.fan_power

    def energy(self) -> float:
        """All electric energy of the plant until the last change of rates [kWh]."""
        count = self.counters
        pumps = count.chilled_water_pump + count.condenser_pump + count.secondary_pump
        return count.chiller + pumps + count.fan

    def is_moving(self) -> bool:
        """Whether something is on its way that wants the smallest step."""
        return (
            self.chiller.mode is Mode.PROVING
            or self.chilled_water_speed != self._chilled_water_target
            or self.condenser_speed != float(self._condenser_command)
            or (self.charge_valve != float(self._charge_command) and CHARGE_VALVE not in self.stuck_valves)
            or (self.discharge_valve != float(self._discharge_command) and DISCHARGE_VALVE not in self.stuck_valves)
        )

    def put_valve(self, valve: str, position: float) -> None:
        """A valve comes to stand there [0..1]."""
        if valve == CHARGE_VALVE:
            self.charge_valve = position
        else:
            self.discharge_valve = position

    def lose_power(self) -> None:
        """Until `is_dark` ends nothing has any: motors stop at once, valves stay where they are."""
        self.is_dark = True
        self.chilled_water_speed = self.condenser_speed = 0.0
        self._secondary_flow = 0.0

    def trip_chiller(self) -> None:
        """Its safety chain opens."""
        tripped = control.tripped(self.chiller, control.Trip.SAFETY_CHAIN)
        self._unit_state = self._unit_state._replace(control=tripped)

    def reset_trip(self) -> None:
        """A person resets the chiller's trip at the machine."""
        self._unit_state = self._unit_state._replace(control=control.reset(self.chiller))

    # --- time -------------------------------------------------------------------------------------------------------

    def integrate(self, dt: float) -> None:
        """Let dt [s] pass with the rates in force."""
        if dt <= 0.0:
            return
        self._undecided_s += dt
        self._count(dt / _SECONDS_PER_HOUR)
        self._building.integrate(dt, self._sensible_cooling)
        self._warm_headers(dt)
        self._exchange_tank(dt)
        self._basin += (
            (self.operation.heat_rejection + self._water_heat[1] - self._rejection.heat)
            * dt
            / (self._model.basin_mass * WATER_SPECIFIC_HEAT)
        )
        self._move(dt)

    def evaluate(self, wants: Wants, outdoor: Outdoor, *, timer: bool) -> None:
        """Find commands and rates from now on."""
        self.wants = wants
        self._ambient = outdoor.temperature
        self._command(timer)
        self._find_rates(outdoor)

    def _count(self, hours: float) -> None:
        count, operation = self.counters, self.operation
        count.chiller += operation.power * hours
        count.evaporator += operation.cooling * hours
        count.heat_rejection += operation.heat_rejection * hours
        count.chilled_water_pump += self.chilled_water_power * hours
        count.condenser_pump += self.condenser_power * hours
        count.secondary_pump += self.secondary_power * hours
        count.fan += self.fan_power * hours
        count.cooling_delivered += self.cooling_load * hours
        count.loop_gain += self.loop_gain * hours
        count.tank_gain += self.tank_gain * hours

    def _warm_headers(self, dt: float) -> None:
        model, flows, at = self._model, self.flows, self.temperatures
        per_kilojoule = dt / (model.header_mass * WATER_SPECIFIC_HEAT)
        supply, back = self._supply_header, self._return_header
        gain = model.header_conductance
        self._supply_header += per_kilojoule * (
            flows.primary * WATER_SPECIFIC_HEAT * (at.leaving - supply) + gain * (self._ambient - supply)
        )
        self._return_header += per_kilojoule * (
            flows.secondary * WATER_SPECIFIC_HEAT * (at.returning - back) + gain * (self._ambient - back)
        )

    def _exchange_tank(self, dt: float) -> None:
        upward = self.flows.charge - self.flows.discharge
        seen = record(TankInput, (upward, self._tank_inlet, self._ambient))
        self.tank = tank_step(self._model.tank, self.tank, seen, dt)
        if self.mixing_s < inf:
            self.tank = stirred(self.tank, 1.0 - exp(-dt / self.mixing_s))

    def _move(self, dt: float) -> None:
        model = self._model
        state = self._unit_state
        self._unit_state = record(UnitState, (control.aged(state.control, dt), *state[1:]))
        self._overrun_s = max(0.0, self._overrun_s - dt)
        self.chilled_water_speed = moved(
            self.chilled_water_speed, self._chilled_water_target, model.chilled_water_pump.travel * dt
        )
        self.condenser_speed = moved(
            self.condenser_speed, float(self._condenser_command), model.condenser_water_pump.travel * dt
        )
        stroke = dt / model.valve_travel_s
        if CHARGE_VALVE not in self.stuck_valves:
            self.charge_valve = moved(self.charge_valve, float(self._charge_command), stroke)
        if DISCHARGE_VALVE not in self.stuck_valves:
            self.discharge_valve = moved(self.discharge_valve, float(self._discharge_command), stroke)
        self._move_secondary(dt)

    def _move_secondary(self, dt: float) -> None:
        wants, coil = self.wants, self._model.coil
        target = 0.0
        if wants.calls and not self.is_dark:
            target = wanted_flow(coil, wants.demand.sensible + wants.demand.other, self.temperatures.supply)
        self._secondary_flow += (target - self._secondary_flow) * min(1.0, dt / _SECONDARY_LAG_S)
        if not wants.calls and self._secondary_flow < coil.least_flow:
            self._secondary_flow = 0.0

    # --- commands ---------------------------------------------------------------------------------------------------

    def _command(self, timer: bool) -> None:
        if self._unit_state.control.mode in control.NEEDS_FLOW:
            self._overrun_s = PUMP_OVERRUN_S
        self._decided, wishes = self._controls.plant(self._decided, self._seen(timer), self._undecided_s)
        self._undecided_s = 0.0
        self._follow(wishes)
        chiller, pump = self.chiller_remote, self.chilled_water_pump_remote
        self._enable = chiller.switched("enable_command", wishes.chiller) and not self.is_dark
        self._setpoint = wishes.setpoint
        if chiller.is_followed:
            self._setpoint = float(chiller.value("chilled_water_temperature_setpoint"))
        wanted = pump.switched("command", wishes.chilled_water_pump)
        self._chilled_water_command = wanted and not (self.chilled_water_pump_tripped or self.is_dark)
        self._chilled_water_target = wanted_speed(
            self._model.chilled_water_pump,
            self._chilled_water_command,
            float(pump.value("speed_command")) if pump.is_followed else wishes.speed,
        )
        condenser, tank = self.condenser_pump_remote, self.tank_remote
        wanted = condenser.switched("command", wishes.condenser_pump)
        self._condenser_command = wanted and not (self.condenser_pump_tripped or self.is_dark)
        self._charge_command = tank.is_followed and bool(tank.value("charge_valve_command"))
        self._discharge_command = tank.is_followed and bool(tank.value("discharge_valve_command"))
        self.fan = wishes.fan

    def _seen(self, timer: bool) -> PlantSeen:
        """What the panels of the plant's own controls show."""
        model, flows = self._model, self.flows
        coil = model.coil
        unit = self._unit_state
        return record(
            PlantSeen,
            (
                timer,
                unit.control.mode in control.NEEDS_FLOW,
                self._overrun_s > 0.0,
                self.condenser_pump_runs(),
                self.chilled_water_pump_runs(),
                self.fan,
                self._basin,
                self.temperatures.condenser_leaving,
                (self._secondary_flow - coil.least_flow) / (coil.flow - coil.least_flow),
                (flows.primary - flows.secondary) / model.chilled_water_pump.flow,
                unit.operation.cooling / model.chiller.capacity,
            ),
        )

    def _follow(self, wishes: PlantCommands) -> None:
        """Registers of machines in local follow the plant's own controls, so that taking over changes nothing."""
        self.chiller_remote.follow(wishes.chiller, wishes.setpoint)
        self.chilled_water_pump_remote.follow(wishes.chilled_water_pump, wishes.speed)
        self.condenser_pump_remote.follow(wishes.condenser_pump)
        self.tank_remote.follow(False, False)

    # --- rates ------------------------------------------------------------------------------------------------------

    def _find_rates(self, outdoor: Outdoor) -> None:
        model = self._model
        speeds = (self.chilled_water_speed, self.condenser_speed, self._secondary_flow)
        if speeds != self._pumps_at:
            self._pumps_at = speeds
            self._find_pumps()
        primary = pump_flow(model.chilled_water_pump, self.chilled_water_speed)
        self.flows = flows = distribute(primary, self._secondary_flow, self.charge_valve, self.discharge_valve)
        supply_header, return_header = self._supply_header, self._return_header
        self._tank_inlet = supply_header if flows.charge > 0.0 else return_header
        entering = self._entering(flows)
        condenser_flow = pump_flow(model.condenser_water_pump, self.condenser_speed)
        condenser_entering = self._basin + _rise(self._water_heat[1], condenser_flow)
        inputs = record(
            UnitInputs,
            (self._enable, self._setpoint, entering, flows.primary, condenser_entering, condenser_flow, inf),
        )
        self._unit_state = unit = respond(self._unit, self._unit_state, inputs)
        leaving, condenser_leaving = unit.leaving, unit.condenser_leaving
        supply, returning = self._building_water(flows, self.tank.layers[0], supply_header, return_header)
        self.temperatures = record(
            Temperatures, (entering, leaving, condenser_entering, condenser_leaving, supply, returning)
        )
        self.fan_power = fan_power(model.tower, self.fan)
        self._rejection = reject(model.tower, self.fan, condenser_flow, condenser_leaving, outdoor.enthalpy)
        headers = model.header_conductance * (2.0 * self._ambient - supply_header - return_header)
        reversed_cooling = min(0.0, self._coil_heat)
        self.loop_gain = headers + self._water_heat[0] + self._water_heat[2] + reversed_cooling
        self.tank_gain = heat_gain(model.tank, self.tank, self._ambient)

    def _find_pumps(self) -> None:
        model = self._model
        self.secondary_speed = self._secondary_flow / model.secondary_pump.flow
        self.chilled_water_power = pump_power(model.chilled_water_pump, self.chilled_water_speed)
        self.condenser_power = pump_power(model.condenser_water_pump, self.condenser_speed)
        self.secondary_power = pump_power(model.secondary_pump, self.secondary_speed)
        self._water_heat = (
            heat_to_water(model.chilled_water_pump, self.chilled_water_power),
            heat_to_water(model.condenser_water_pump, self.condenser_power),
            heat_to_water(model.secondary_pump, self.secondary_power),
        )

    def _entering(self, flows: Flows) -> float:
        """Water that enters the evaporator [degC], behind the primary pump."""
        entering = mixed(
            (min(flows.primary, flows.secondary), self._return_header),
            (flows.charge, self.tank.layers[-1]),
            (flows.forward, self._supply_header),
            otherwise=self._supply_header,
        )
        return entering + _rise(self._water_heat[0], flows.primary)

    def _building_water(
        self, flows: Flows, bottom: float, supply_header: float, return_header: float
    ) -> tuple[float, float]:
        """Water at the building's coils and behind them [degC]; finds the cooling load."""
        supply = mixed(
            (min(flows.primary, flows.secondary), supply_header),
            (flows.discharge, bottom),
            (flows.backward, return_header),
            otherwise=supply_header,
        )
        supply += _rise(self._water_heat[2], flows.secondary)
        demand = self.wants.demand
        wanted = demand.sensible + demand.other
        heat = min(wanted, capability(self._model.coil, flows.secondary, supply)) if self.wants.calls else 0.0
        self._coil_heat = heat
        self.cooling_load = max(0.0, heat)
        self._sensible_cooling = heat * demand.sensible / wanted if wanted > 0.0 else heat
        return supply, supply + _rise(heat, flows.secondary) if flows.secondary > 0.0 else return_header


def _rise(heat: float, flow: float) -> float:
    """Temperature rise [K] of a flow [kg/s] that takes up heat [kW]; none without flow."""
    return heat / (flow * WATER_SPECIFIC_HEAT) if flow > 0.0 else 0.0
