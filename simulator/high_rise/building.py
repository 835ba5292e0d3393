"""The high-rise in time: looked at every two and a half minutes, its air side every five where nothing moves, and all
of it whenever somebody commands something; the air side, too, when its water is no longer what it was.

Between two looks all rates are held, so that every counter is the exact integral of the power that was read. Whoever
runs it tells what its cooling plant serves and takes. The same seed, start, plant and commands give the same numbers to
the bit.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple

from simulator.chilled_water import CoilDemand, WaterSupply
from simulator.civil import LocalTime, SiteTime
from simulator.gateway import Value
from simulator.high_rise import air_side, electric_side, services
from simulator.high_rise.air_controls import FloorCommands, Reset
from simulator.high_rise.air_side import AirSideInput, AirSideOutput, FloorState
from simulator.high_rise.computer_rooms import UnitCommands
from simulator.high_rise.controls import Controls
from simulator.high_rise.hot_water import HotWaterCommands
from simulator.high_rise.inputs import Given, air_input, services_input
from simulator.high_rise.lighting import LightingCommands, is_dark
from simulator.high_rise.model import HighRiseModel, Sunshine
from simulator.high_rise.names import HANDLERS, LIGHTS, PLUGS
from simulator.high_rise.original import Original
from simulator.high_rise.part import Part
from simulator.high_rise.services import ServicesInput, ServicesOutput, ServicesState
from simulator.plant import demand_meter, garage_traffic
from simulator.plant.demand_meter import MeterState
from simulator.plant.inclined import at_hour
from simulator.plant.occupancy import building_use
from simulator.weather import Weather

PERIOD_S, _SETTLED_S, _AIR_AT_REST_S = 150.0, 300.0, 900.0
"""Parts of the 15 min of a demand period. Steps of 20 s take the same cold within a hundredth, which a test holds."""
_SOONEST_S, _OTHER_TEMPERATURE, _OTHER_FLOW = 30.0, 0.5, 0.1
"""Water counts as other than it was from so many kelvin or that share of its flow on [s, K, 0..1]."""
_AIR_MACHINES = frozenset((*HANDLERS, LIGHTS, PLUGS))
_AIR = "air."
"""What the points of the air side begin with."""
_HOUR = 3600.0


class Served(NamedTuple):
    """By the cooling plant: water; its electric power [kW] and its make-up [kg/s]."""

    water: WaterSupply
    power: float = 0.0
    make_up: float = 0.0


class Counters:
    """Until the last look: energy of each machine [kWh], heat given to chilled water [kWh], gas [m3], water [kg]."""

    __slots__ = ("cooling", "energy", "gas", "water")

    def __init__(self) -> None:
        self.energy: dict[str, float] = {}
        self.cooling = self.gas = self.water = 0.0


class HighRise:
    """Everything but the cooling plant. epoch_s: where it begins; controls: its own, the old ones where none are given;
    on holidays it is used as on a Sunday.

    floors and rest: states at the last look, with air and services, what is done until the next one; powers: of each
    machine, positive when consumed [kW]; main: the meter that demand is billed by, plant included; unsupplied: machines
    whose circuit breaker is open; stuck: kinds of storeys whose coils' valves do not move.
    """

    def __init__(
        self,
        model: HighRiseModel,
        epoch_s: float,
        weather: Weather,
        sun: Sunshine,
        *,
        seed: int = 0,
        controls: Controls | None = None,
        holidays: Collection[date] = (),
    ) -> None:
        self.model, self._weather, self._sun, self._seed = model, weather, sun, seed
        self._local = SiteTime(model.zone, holidays)
        self._controls = controls or Original(model.lighting_clock())
        self._resets = (Reset(),) * len(model.floors)
        self._controlled = epoch_s
        self._held: dict[str, Value] = {}
        self.unsupplied: frozenset[str] = frozenset()
        self.stuck: frozenset[int] = frozenset()
        self._air: Part[tuple[FloorState, ...], AirSideInput, AirSideOutput] = Part(
            partial(air_side.step, model.floors), air_side.resting(model.floors)
        )
        self._rest: Part[ServicesState, ServicesInput, ServicesOutput] = Part(
            partial(services.step, model), services.resting(model)
        )
        self._floors_before: Sequence[FloorState] = self.floors
        self._commanded_before: Sequence[FloorCommands] = ()
        self.powers: dict[str, float] = {}
        self._own_power = self._unmetered = 0.0
        self._metered = epoch_s
        self.main = MeterState()
        self.counters = Counters()
        self._served = Served(WaterSupply(0.0, 12.0, 0.0))
        self._now = epoch_s
        self._traffic_hour: int = -1
        self._car_day: int = -1
        self._look_at_air()
        self._look_at_rest()

    # --- the interface ----------------------------------------------------------------------------------------------

    @property
    def now(self) -> float:
        """Seconds of the Unix epoch."""
        return self._now

    @property
    def demand(self) -> CoilDemand:
        return self.air.demand

    def advance(self, to: float, served: Served) -> None:
        """Let time pass until `to` [s of the epoch] with what the plant serves and takes until then."""
        if to < self._now:
            raise ValueError(f"cannot go back from {self._now} to {to}")
        self._served = served
        while (due := min(self._air.due, self._rest.due)) <= to:
            self._pass(due)
            self._meter()
            if self._air.due == due:
                self._finish_air()
                self._look_at_air()
            if self._rest.due == due:
                self._finish_rest()
                self._look_at_rest()
        self._pass(to)
        if self._now - self._air.at >= _SOONEST_S and self._is_other(served.water):
            self._meter()
            self._finish_air()
            self._look_at_air()

    def command(self, commands: Mapping[str, Value | None]) -> None:
        """Take commands from now on, by tag; None lets go, to the old controls."""
        for tag, value in commands.items():
            if value is None:
                self._held.pop(tag, None)
            else:
                self._held[tag] = value
        is_of_air = {tag.startswith(_AIR) for tag in commands}
        self._look_again(air=True in is_of_air, rest=False in is_of_air)

    def supply(self, unsupplied: Iterable[str]) -> None:
        """These machines have no power from now on, all others have."""
        self.unsupplied = frozenset(unsupplied)
        self._look_again(air=True, rest=True)

    def stick(self, kind: int, position: float | None) -> None:
        """The valves of these storeys' coils do not move any more; somebody puts them to a position [0..1] before."""
        self._meter()
        self._finish_air()
        if position is not None:
            floors = list(self.floors)
            floors[kind] = floors[kind]._replace(valve=position)
            self._air.state = tuple(floors)
        self.stuck |= {kind}
        self._look_at_air()

    def free(self, kind: int) -> None:
        """They move again."""
        self.stuck -= {kind}
        self._look_again(air=True, rest=False)

    def _look_again(self, *, air: bool, rest: bool) -> None:
        """Something has changed for these parts."""
        self._meter()
        if air:
            self._finish_air()
            self._look_at_air()
        if rest:
            self._finish_rest()
            self._look_at_rest()

    # What is the case now.

    @property
    def floors(self) -> Sequence[FloorState]:
        return self._air.state

    @property
    def air(self) -> AirSideOutput:
        return self._air.done

    @property
    def rest(self) -> ServicesState:
        return self._rest.state

    @property
    def services(self) -> ServicesOutput:
        return self._rest.done

    # What holds, whoever wanted it.

    @property
    def air_commands(self) -> Sequence[FloorCommands]:
        return self._air.seen.commands

    @property
    def unit_commands(self) -> Sequence[Sequence[UnitCommands]]:
        return self._rest.seen.units

    @property
    def boiler_commands(self) -> HotWaterCommands:
        return self._rest.seen.boiler

    @property
    def lamp_commands(self) -> LightingCommands:
        return self._rest.seen.lamps

    @property
    def battery_command(self) -> float:
        """[kW]"""
        return self._rest.seen.electric.battery

    @property
    def charger_limits(self) -> Sequence[float]:
        """[A]"""
        given = self._rest.seen.electric.limits
        if given is not None:
            return given
        return electric_side.first_come_first_served(self.model.electric, self.rest.electric.cars)

    @property
    def water(self) -> WaterSupply:
        """As the plant serves it now."""
        return self._served.water

    # Counters and meters.

    def power(self) -> float:
        """Everything electrical but the cooling plant [kW]."""
        return self._own_power

    def site_power(self) -> float:
        """At the main meter [kW]."""
        return self._own_power + self._served.power

    def site_energy(self) -> float:
        """Counter of the main meter [kWh], up to now."""
        return self.main.energy * self.model.main.ratio + self._unmetered / _HOUR

    def energy(self, machine: str) -> float:
        """Counter of a machine [kWh], up to now."""
        since = self._now - (self._air.at if machine in _AIR_MACHINES else self._rest.at)
        return self.counters.energy.get(machine, 0.0) + self.powers[machine] * since / _HOUR

    def cooling_energy(self) -> float:
        """Heat that the coils have given to the chilled water [kWh], up to now."""
        return self.counters.cooling + self.demand.heat * (self._now - self._air.at) / _HOUR

    def gas_volume(self) -> float:
        """[m3], up to now."""
        return self.counters.gas + self.services.hot_water.boiler.gas * (self._now - self._rest.at) / _HOUR

    def water_mass(self) -> float:
        """From the mains, the plant's make-up included [kg], up to now."""
        return self.counters.water + self.services.hot_water.cold * (self._now - self._rest.at)

    def is_seen(self, deck: int) -> bool:
        """Whether the motion sensors of a deck see somebody now."""
        return garage_traffic.is_seen(self._motion[deck], self._now)

    # --- time -------------------------------------------------------------------------------------------------------

    def _pass(self, to: float) -> None:
        """Let the main meter and the plant's make-up run on; all else moves when it is looked at."""
        dt = to - self._now
        self._unmetered += (self._own_power + self._served.power) * dt
        self.counters.water += self._served.make_up * dt
        self._now = to

    def _meter(self) -> None:
        """Bring the main meter to now: a demand period ends at a look, so that means from look to look are exact."""
        dt = self._now - self._metered
        if dt > 0.0:
            power = self._unmetered / dt
            self.main = demand_meter.step(self.model.main, self.main, power, self._metered, dt)
            self._metered, self._unmetered = self._now, 0.0

    def _look_at_air(self) -> None:
        local = self._local.at(self._now)
        self.outdoor = self._weather.at(local.year_hour)
        self.use = building_use(local.weekday, int(local.second // _HOUR))
        if PLUGS in self.unsupplied:
            self.use = self.use._replace(lights=0.0, plugs=0.0)
        facades = [at_hour(facade, local.year_hour) / 1000.0 for facade in self._sun.facades]
        seen = air_input(self._own(local), self.outdoor, self.use, facades, self._served.water, self._held)
        self._air.look(self._now, seen, self._air_period(seen))
        for name, floor, output in zip(HANDLERS, self.model.floors, self.air.floors, strict=True):
            self.powers[name] = floor.count * output.electric
        self.powers[LIGHTS], self.powers[PLUGS] = self.air.lights, self.air.plugs
        self._cut()
        self._own_power = sum(self.powers.values())

    def _cut(self) -> None:
        for machine in self.unsupplied & self.powers.keys():
            self.powers[machine] = 0.0

    def _own(self, local: LocalTime) -> list[FloorCommands]:
        """What the building's own controls want of the air handlers."""
        passed, self._controlled = self._now - self._controlled, self._now
        decided = [
            self._controls.air(reset, floor, state, local, passed)
            for reset, floor, state in zip(self._resets, self.model.floors, self.floors, strict=True)
        ]
        self._resets = tuple([reset for reset, _ in decided])
        own = [each for _, each in decided]
        for kind in self.stuck:
            own[kind] = own[kind]._replace(valve_stuck=True)
        return own

    def _air_period(self, seen: AirSideInput) -> float:
        if not any([each.fan for each in seen.commands]) and not any([floor.valve > 0.0 for floor in self.floors]):
            return _AIR_AT_REST_S
        known, self._commanded_before = self._commanded_before, seen.commands
        settled = seen.commands == known and air_side.is_settled(self._floors_before, self.floors)
        return _SETTLED_S if settled else PERIOD_S

    def _is_other(self, water: WaterSupply) -> bool:
        """Whether the water is no longer what the air side has seen last."""
        known = self._air.seen.water
        other_flow = abs(water.flow - known.flow) > _OTHER_FLOW * max(water.flow, known.flow)
        return other_flow or abs(water.temperature - known.temperature) > _OTHER_TEMPERATURE

    def _finish_air(self) -> None:
        hours = (self._now - self._air.at) / _HOUR
        for machine in _AIR_MACHINES:
            self._count(machine, hours)
        self.counters.cooling += self.demand.heat * hours
        self._floors_before = self.floors
        self._air.finish(self._now)

    def _look_at_rest(self) -> None:
        local = self._local.at(self._now)
        self._draw(local)
        sun = at_hour(self._sun.photovoltaics, local.year_hour)
        dark = is_dark(self._now, self.model.latitude, self.model.longitude)
        given = Given(local, self.outdoor.temperature, self.use.people, sun, self._cars, dark)
        seen = services_input(self.model, self._controls, given, self.rest.electric.cars, self._held)
        self._rest.look(self._now, seen, PERIOD_S)
        self._service_powers = services.powers(self.services)
        self.powers |= self._service_powers
        self._cut()
        self._own_power = sum(self.powers.values())

    def _finish_rest(self) -> None:
        dt = self._now - self._rest.at
        hours, water = dt / _HOUR, self.services.hot_water
        for machine in self._service_powers:
            self._count(machine, hours)
        self.counters.gas += water.boiler.gas * hours
        self.counters.water += water.cold * dt
        self._rest.finish(self._now)

    def _count(self, machine: str, hours: float) -> None:
        self.counters.energy[machine] = self.counters.energy.get(machine, 0.0) + self.powers[machine] * hours

    def _draw(self, local: LocalTime) -> None:
        """Cars of the day and traffic of the hour."""
        if local.day != self._car_day:
            self._car_day = local.day
            points = self.model.electric.points
            self._cars = electric_side.day_of_cars(self._seed, local.day, local.weekday, points)
        hour = int(self._now // _HOUR)
        if hour != self._traffic_hour:
            traffic = self.model.lighting.traffic
            before = self._local.at(self._now - _HOUR)
            begun = [
                *garage_traffic.passages(traffic, self._seed, hour - 1, before.weekday, int(before.second // _HOUR)),
                *garage_traffic.passages(traffic, self._seed, hour, local.weekday, int(local.second // _HOUR)),
            ]
            self._motion = garage_traffic.motion(begun, traffic)
            self._traffic_hour = hour
