"""The simulated site in time: a fixed grid of steps, looked at only where something happens.

Between two looks all rates are held, so skipping the steps between changes nothing, and reading never moves the site.
The same seed, start and writes give the same numbers to the bit, however often `advance` is called.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from math import ceil, floor
from typing import Any

from simulator.building import Building
from simulator.civil import LocalTime, SiteTime
from simulator.faults.fault import Fault
from simulator.faults.plant import EFFECTS
from simulator.faults.schedule import Change, Schedule
from simulator.gateway import Gateway, HeartbeatGateway, Remote, TimeoutGateway, Value
from simulator.kpi import DEMO, Counted
from simulator.lighting import LOOK_EVERY_S, Lighting
from simulator.lighting_readings import lighting_readings
from simulator.load import Loads
from simulator.original import ALWAYS_ON, OFFICE_TIMER, Original
from simulator.own_controls import OwnControls
from simulator.plant_room import PlantRoom
from simulator.readings import plant_readings
from simulator.site import Site
from simulator.sun import NIGHT_ILLUMINANCE, clear_sky_illuminance, solar_elevation
from simulator.tags import TAGS, Tag
from simulator.weather import Weather

PLANT_PERIOD_S = 10.0
"""The plant is looked at this often while nothing moves, and at every step while something does."""
SKY_PERIOD_S = 10.0
"""The sky is looked at this often: at dusk its light changes by 1 % in that time."""
_SECONDS_PER_HOUR = 3600.0
_ROUNDING = 1e-6  # of a step: instants that lie on the grid but for the last digits


class Engine:
    """The site behind its tags. Simulated time is aware UTC; wire time is real seconds and only drives watchdogs.

    controls: of the site's own, the old ones where none are given; with a measured cooling load they call for cooling
    round the clock, as the recorded plant did. faults: what goes wrong, and when. holidays: days on which the building
    is used as on a Sunday.
    """

    def __init__(
        self,
        start: datetime,
        weather: Weather,
        *,
        site: Site | None = None,
        loads: Loads | None = None,
        step_s: float = 1.0,
        seed: int = 0,
        wire_now: float = 0.0,
        faults: Iterable[Fault] = (),
        holidays: Collection[date] = (),
        controls: OwnControls[Any] | None = None,
    ) -> None:
        if start.tzinfo is None:
            raise ValueError(f"start {start} has no time zone; expected an aware time")
        if not 0.0 < step_s <= LOOK_EVERY_S:
            raise ValueError(f"step of {step_s} s; expected more than 0 and at most {LOOK_EVERY_S:.0f} s")
        self.site = site or Site()
        self._start = start.astimezone(UTC)
        self._start_epoch = start.timestamp()
        self._step_s = step_s
        self._weather = weather
        self._local = SiteTime(self.site.zone, holidays)
        self._timer = ALWAYS_ON if loads is not None and loads.cooling is not None else OFFICE_TIMER
        self._building = Building(self.site.office, loads)
        controls = controls or Original()
        self.plant = PlantRoom(self.site.plant, self._building, controls)
        self.lighting = Lighting(self.site, self._start_epoch, seed, controls)
        self._wire_now = wire_now
        self._sky_seen, self._daylight = -1.0, NIGHT_ILLUMINANCE
        self.faults = Schedule(TAGS, faults, seed)
        self.says_fire = False
        self._open_gateways()
        # grid: index now, of the last look at the plant, and of the next at plant and lights
        self._index = self._plant_at = 0
        self._now_s = self._start_epoch  # [s of the epoch]
        self._known_local = (0, self._local.at(self._start_epoch))
        self._plant_period = max(1, round(PLANT_PERIOD_S / step_s))
        self._outdoor_air = weather.at(0.0)
        self._base_energy = 0.0
        self._evaluate_plant()
        self._evaluate_lights()
        self._readings = self._all_readings()

    def __getstate__(self) -> dict[str, object]:
        """How to read each tag is found anew by whoever goes on with this engine."""
        return {name: value for name, value in self.__dict__.items() if name != "_readings"}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._readings = self._all_readings()

    # --- the interface ----------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """Simulated time, aware UTC: the last step that was reached."""
        return self._start + timedelta(seconds=self._index * self._step_s)

    @property
    def tags(self) -> Mapping[str, Tag]:
        return TAGS

    @property
    def counted(self) -> Counted:
        return DEMO

    def advance(self, to: datetime, wire_now: float) -> None:
        """Let the site run to the last step at or before `to`. Watchdogs that expire on the way do so at their share of
        it.
        """
        end = to.timestamp()
        while self.faults.next_change <= end:
            begin = self._epoch()
            due = max(begin, self.faults.next_change)
            share = (due - begin) / (end - begin) if end > begin else 1.0
            self._advance(due, self._wire_now + share * (wire_now - self._wire_now))
            self._change(self.faults.take(due, self.read))
        self._advance(end, wire_now)

    def _advance(self, to: float, wire_now: float) -> None:
        end = floor((to - self._start_epoch) / self._step_s + _ROUNDING)
        if end < self._index:
            raise ValueError(f"cannot go back from {self.now} to {datetime.fromtimestamp(to, UTC)}")
        if end == self._index and wire_now < self._deadline:
            self._wire_now = max(self._wire_now, wire_now)
            return  # who came before us has brought the time along
        begin, wire_begin = self._index, self._wire_now
        while self._has_expired(wire_now):
            deadline = self._deadline
            share = (deadline - wire_begin) / (wire_now - wire_begin) if wire_now > wire_begin else 0.0
            self._run_to(max(self._index, begin + floor(max(0.0, share) * (end - begin))))
            self._expire(deadline)
        self._run_to(end)
        self._wire_now = max(self._wire_now, wire_now)

    def read(self, tag: str) -> Value:
        """The present value. Raises KeyError for a name that is no tag."""
        return self._readings[tag]()

    def shown(self, tag: str) -> Value | None:
        """What the tag's instrument shows; None where it gives no reading. Raises KeyError for no tag."""
        return self.faults.shown(tag, self._readings[tag](), self._epoch())

    def reading(self, tag: str) -> Callable[[], Value]:
        """How to read a tag again and again. Raises KeyError for a name that is no tag."""
        return self._readings[tag]

    def snapshot(self) -> dict[str, Value]:
        """Every tag's present value."""
        return {name: reading() for name, reading in self._readings.items()}

    def write(self, tag: str, value: Value, wire_now: float) -> None:
        """Write a tag as the supervisor would. Raises KeyError for no tag, ValueError for what the device refuses."""
        checked = TAGS[tag].checked(value)
        if self._has_expired(wire_now):
            self._expire(wire_now)
        if not self.faults.is_deaf(tag):
            self._take(tag, checked, wire_now)

    def release(self, tag: str, wire_now: float) -> None:
        """The supervisor's word is taken back (BACnet's Null): a remote bit clears, a command is nobody's."""
        machine, _, quantity = tag.rpartition(".")
        if quantity == "remote":
            self.write(tag, False, wire_now)
        elif machine in self.remotes and not self.faults.is_deaf(tag):
            self.remotes[machine].unwrite(quantity)
            self.lighting.touch(machine)

    def _take(self, tag: str, checked: Value, wire_now: float) -> None:
        machine, _, quantity = tag.rpartition(".")
        if quantity == "heartbeat":
            self._plant_gateway.beat(int(checked), wire_now)
        elif machine in self.lighting.sensing:
            self.lighting.set(machine, quantity, checked, self._now_s)
        elif self._gateway_of[machine] is self._plant_gateway:
            self._integrate_plant()
            self._command(machine, quantity, checked, wire_now)
            self._evaluate_plant()
        else:
            self._command(machine, quantity, checked, wire_now)
            self.lighting.touch(machine)
            self._evaluate_lights()

    def _command(self, machine: str, quantity: str, value: Value, wire_now: float) -> None:
        remote = self.remotes[machine]
        if quantity != "remote":
            remote.write(quantity, value)
            return
        is_renewed = value and remote.active
        if value:
            self._gateway_of[machine].take(remote, wire_now)
        else:
            remote.give_back()
        if not is_renewed:
            self._deadline = self._next_deadline()

    def reset_trip(self) -> None:
        """A person resets the chiller's trip at the machine; no supervisor can."""
        self._integrate_plant()
        self.plant.reset_trip()
        self._evaluate_all()

    # --- what goes wrong ----------------------------------------------------------------------------------------------

    def add_fault(self, fault: Fault) -> None:
        """From its time on, at once where that is past."""
        self.faults.add(fault)
        self.advance(self.now, self._wire_now)

    def end_faults(self, faults: Iterable[Fault]) -> None:
        """What is wrong is mended now, what was to come does not."""
        self._change(self.faults.end(faults))

    def operate(self, tag: str, value: Value) -> None:
        """A person at the panel sets a register, as the supervisor would."""
        self._take(tag, TAGS[tag].checked(value), self._wire_now)

    def lose_registers(self, points: Iterable[str]) -> None:
        """The devices behind these points have started anew: remote bits and registers are as after power-on."""
        for machine in {point.rpartition(".")[0] for point in points}:
            if machine in self.remotes:
                self.remotes[machine].forget()
            elif machine == "plant.gateway_1":
                self._plant_gateway.forget()
        self._deadline = self._next_deadline()

    def _change(self, change: Change) -> None:
        """What is wrong with an instrument or a wire leaves the plant alone, to the bit."""
        ended, begun = change
        if not any(EFFECTS.touch(fault) for fault in (*ended, *begun)):
            return
        self._integrate_plant()
        for fault in ended:
            EFFECTS.end(self, fault)
        for fault in begun:
            EFFECTS.begin(self, fault)
        self._evaluate_all()

    # --- gateways ---------------------------------------------------------------------------------------------------

    def _open_gateways(self) -> None:
        plant = self.plant
        plant_remotes = {
            "plant.chiller_1": plant.chiller_remote,
            "plant.chilled_water_pump_1": plant.chilled_water_pump_remote,
            "plant.condenser_water_pump_1": plant.condenser_pump_remote,
            "plant.tank_1": plant.tank_remote,
        }
        lighting_remotes = self.lighting.remotes
        self.remotes: dict[str, Remote] = plant_remotes | lighting_remotes
        self.lamps = self.lighting.lamps
        self._plant_gateway = HeartbeatGateway(self.site.plant_watchdog_s, *plant_remotes.values())
        lighting = TimeoutGateway(self.site.lighting_timeout_s, *lighting_remotes.values())
        self._gateways: tuple[Gateway, ...] = (self._plant_gateway, lighting)
        self._gateway_of: dict[str, Gateway] = dict.fromkeys(plant_remotes, self._plant_gateway)
        self._gateway_of |= dict.fromkeys(lighting_remotes, lighting)
        self._deadline = self._next_deadline()

    def _next_deadline(self) -> float:
        """Wire time at which a watchdog expires if nobody writes."""
        return min([gateway.deadline() for gateway in self._gateways])

    def _has_expired(self, wire_now: float) -> bool:
        """Whether a watchdog has. Heartbeats and renewed remote bits only put it off, so that the known deadline may be
        too early and is found again only once it is reached.
        """
        if self._deadline <= wire_now:
            self._deadline = self._next_deadline()
        return self._deadline <= wire_now

    def _expire(self, wire_now: float) -> None:
        self._integrate_plant()
        for gateway in self._gateways:
            gateway.expire(wire_now)
        self._deadline = self._next_deadline()
        self._evaluate_all()

    # --- time -------------------------------------------------------------------------------------------------------

    def _run_to(self, end: int) -> None:
        while True:
            due = min(self._plant_due, self._lights_due)
            if due > end:
                self._come_to(end)
                return
            self._come_to(due)
            if self._plant_due == due:
                self._integrate_plant()
                self._evaluate_plant()
            if self._lights_due == due:
                self._evaluate_lights()

    def _evaluate_all(self) -> None:
        """After something else than time and a command has changed the site."""
        self.lighting.touch_all()
        self._evaluate_plant()
        self._evaluate_lights()

    def _come_to(self, index: int) -> None:
        self._index = index
        self._now_s = self._start_epoch + index * self._step_s

    def _integrate_plant(self) -> None:
        dt = (self._index - self._plant_at) * self._step_s
        self._plant_at = self._index
        self._base_energy += self.plant.wants.electric_load * dt / _SECONDS_PER_HOUR
        self.plant.integrate(dt)

    def _evaluate_plant(self) -> None:
        local = self._local_time()
        self._outdoor_air = self._weather.at(local.year_hour)
        wants = self._building.evaluate(local, self._outdoor_air)
        if self.plant.is_dark:
            wants = wants._replace(electric_load=0.0)
        self.plant.evaluate(wants, self._outdoor_air, timer=self._timer.is_on(local.weekday, local.second))
        period = self._plant_period
        self._plant_due = self._index + (period if period == 1 or not self.plant.is_moving() else 1)

    def _evaluate_lights(self) -> None:
        until = self.lighting.evaluate(self._now_s, self._local_time(), self.daylight)
        due = ceil((until - self._start_epoch) / self._step_s - _ROUNDING)
        self._lights_due = max(self._index + 1, due)

    def _epoch(self) -> float:
        return self._now_s

    def _local_time(self) -> LocalTime:
        if self._known_local[0] != self._index:
            self._known_local = (self._index, self._local.at(self._now_s))
        return self._known_local[1]

    # --- readings ---------------------------------------------------------------------------------------------------

    def daylight(self) -> float:
        """Illuminance at the daylight sensor [lx]: the clear sky's light as far as the clouds let it pass."""
        epoch = self._now_s // SKY_PERIOD_S * SKY_PERIOD_S
        if epoch != self._sky_seen:
            elevation = solar_elevation(epoch, self.site.latitude, self.site.longitude)
            sky = self._weather.sky_at(self._local.at(epoch).year_hour)
            self._sky_seen, self._daylight = epoch, max(NIGHT_ILLUMINANCE, clear_sky_illuminance(elevation) * sky)
        return self._daylight

    def power(self) -> float:
        """Everything electrical on the site [kW]."""
        return self.plant.power() + self.plant.wants.electric_load + self.lighting.power(self._now_s)

    def energy(self) -> float:
        """The main meter's counter [kWh]: the sum of all counters, so that it balances to rounding."""
        rest = (self.plant.power() + self.plant.wants.electric_load) * self._since_plant() / _SECONDS_PER_HOUR
        return self.plant.energy() + self._base_energy + rest + self.lighting.energy(self._now_s)

    def _since_plant(self) -> float:
        return (self._index - self._plant_at) * self._step_s

    def _all_readings(self) -> dict[str, Callable[[], Value]]:
        own: dict[str, Callable[[], Value]] = {
            "plant.gateway_1.heartbeat": lambda: self._plant_gateway.heartbeat,
            "building.zone_1.air_temperature": lambda: self._building.temperature,
            "building.fire_alarm_panel_1.fire_alarm": lambda: self.says_fire,
            "outdoor.daylight_sensor_1.illuminance": self.daylight,
            "meter.main_1.power": self.power,
            "meter.main_1.energy": self.energy,
            "site.weather_station_1.outdoor_air_temperature": lambda: self._outdoor_air.temperature,
            "site.weather_station_1.outdoor_air_relative_humidity": lambda: self._outdoor_air.relative_humidity,
        }
        found = (
            plant_readings(self.plant, self._since_plant)
            | lighting_readings(self.lighting, self._epoch, self.daylight)
            | own
        )
        return {name: found[name] for name in TAGS}
