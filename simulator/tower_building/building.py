"""The tower building in time: high-rise and cooling plant by turns of ten seconds, under its gateways and its faults.

The plant serves what it served at the end of its last step, the coils ask by the water that they got, so neither waits
for the other, and the plant adds exactly the heat that the coils gave, one step later. What is commanded, and what goes
wrong with a machine, acts at the next step; registers show at once what was written.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.high_rise import high_rise_plant
from simulator.cooling_plant.points import Read as ReadPlant
from simulator.cooling_plant.points import points as plant_points
from simulator.cooling_plant.running import STEP_S, RunningPlant
from simulator.cooling_plant.signals import Controls as PlantControls
from simulator.faults.fault import Fault
from simulator.faults.schedule import Change, Schedule
from simulator.gateway import Value
from simulator.high_rise import points as building_points
from simulator.high_rise.building import HighRise, Served
from simulator.high_rise.controls import Controls
from simulator.high_rise.model import HighRiseModel, Sunshine
from simulator.kpi import Counted
from simulator.sun import NIGHT_ILLUMINANCE, clear_sky_illuminance, solar_elevation
from simulator.tags import Tag
from simulator.tower_building.faults import EFFECTS
from simulator.tower_building.machines import HEARTBEAT, Machines
from simulator.tower_building.points import COUNTED, DAYLIGHT, FIRE_ALARM, tags_of
from simulator.weather import Weather

_ROUNDING = 1e-6  # [s]: instants that lie on a step but for the last digits


class TowerBuilding:
    """Simulated time is aware UTC. high_rise, plant: both sides; machines: as their gateways have them. controls and
    plant_controls: of both sides' own, the old ones where none are given. faults: what goes wrong, and when; on
    holidays the building is used as on a Sunday.

    What can be wrong with it: the panel says_fire; is_dark, there is no mains; lost_lamps have no supply.
    """

    def __init__(
        self,
        start: datetime,
        weather: Weather,
        sun: Sunshine,
        *,
        model: HighRiseModel | None = None,
        plant: CoolingPlant | None = None,
        seed: int = 0,
        wire_now: float = 0.0,
        faults: Iterable[Fault] = (),
        holidays: Collection[date] = (),
        controls: Controls | None = None,
        plant_controls: PlantControls[Any] | None = None,
    ) -> None:
        if start.tzinfo is None:
            raise ValueError(f"start {start} has no time zone; expected an aware time")
        model, plant, begin = model or HighRiseModel(), plant or high_rise_plant(), start.timestamp()
        self.high_rise = HighRise(model, begin, weather, sun, seed=seed, controls=controls, holidays=holidays)
        self.plant = RunningPlant(plant, begin, weather, model.zone, controls=plant_controls, holidays=holidays)
        self._made_up = self.plant.state.basin.made_up
        self._find_points()
        self.machines = Machines(self._tags)
        self.faults = Schedule(self.tags, faults, seed)
        self.says_fire = self.is_dark = False
        self.lost_lamps: frozenset[str] = frozenset()
        self._asked, self._wire_now = begin, wire_now

    def __getstate__(self) -> dict[str, object]:
        """How to read each tag is found anew by whoever goes on with this building."""
        return {name: value for name, value in self.__dict__.items() if name not in ("_tags", "_of_plant", "_readings")}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self._find_points()

    def _find_points(self) -> None:
        found = plant_points(self.plant.plant)
        self._of_plant: Mapping[str, ReadPlant] = {name: read for name, (_, read) in found.items()}
        self._tags = tags_of(self.plant.plant)
        self._readings: dict[str, Callable[[], Value]] = {}

    # --- the interface ----------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """Simulated time, aware UTC: the last step that was reached."""
        return datetime.fromtimestamp(self.plant.now, UTC)

    @property
    def tags(self) -> Mapping[str, Tag]:
        return self._tags

    @property
    def counted(self) -> Counted:
        return COUNTED

    def advance(self, to: datetime, wire_now: float) -> None:
        """Let the building run to the last step at or before `to`. Watchdogs that expire on the way do so at their
        share of it.
        """
        end = to.timestamp()
        while self.faults.next_change <= end:
            begin = self._asked
            due = max(begin, self.faults.next_change)
            share = (due - begin) / (end - begin) if end > begin else 1.0
            self._advance(due, self._wire_now + share * (wire_now - self._wire_now))
            self._change(self.faults.take(due, self.read))
        self._advance(end, wire_now)

    def _advance(self, to: float, wire_now: float) -> None:
        if to < self.plant.now - _ROUNDING:
            raise ValueError(f"cannot go back from {self.now} to {datetime.fromtimestamp(to, UTC)}")
        begin, wire_begin = self._asked, self._wire_now
        while self.machines.deadline <= wire_now:
            deadline = self.machines.deadline
            share = (deadline - wire_begin) / (wire_now - wire_begin) if wire_now > wire_begin else 0.0
            self._run_to(begin + max(0.0, share) * (to - begin))
            self.machines.expire(deadline)
        self._run_to(to)
        self._asked, self._wire_now = max(begin, to), max(wire_begin, wire_now)

    def read(self, tag: str) -> Value:
        """The present value. Raises KeyError for a name that is no tag."""
        return self.reading(tag)()

    def shown(self, tag: str) -> Value | None:
        """What the tag's instrument shows; None where it gives no reading. Raises KeyError for no tag."""
        return self.faults.shown(tag, self.read(tag), self._asked)

    def reading(self, tag: str) -> Callable[[], Value]:
        """How to read a tag again and again. Raises KeyError for a name that is no tag."""
        known = self._readings.get(tag)
        if known is None:
            known = self._readings[tag] = self._found(tag)
        return known

    def _found(self, tag: str) -> Callable[[], Value]:
        truly = self._in_force(tag)
        machine, _, command = tag.rpartition(".")
        if not self.tags[tag].writable or machine not in self.machines.by_name:
            return truly
        register = self.machines.by_name[machine].remote.register
        return lambda: truly() if (written := register(command)) is None else written

    def _in_force(self, tag: str) -> Callable[[], Value]:
        """What machines do and instruments see, whatever stands in a register."""
        of_plant = self._of_plant.get(tag)
        if of_plant is not None:
            return partial(of_plant, self.plant)
        of_building = building_points.READ.get(tag)
        if of_building is not None:
            return partial(of_building, self.high_rise)
        if tag == FIRE_ALARM:
            return lambda: self.says_fire
        return self.daylight if tag == DAYLIGHT else self.machines.reading(tag)

    def snapshot(self) -> dict[str, Value]:
        """Every tag's present value."""
        return {name: self.read(name) for name in self.tags}

    def write(self, tag: str, value: Value, wire_now: float) -> None:
        """Write a tag as the supervisor would. Raises KeyError for no tag, ValueError for what the device refuses."""
        checked = self.tags[tag].checked(value)
        if self.machines.deadline <= wire_now:
            self.machines.expire(wire_now)
        if not self.faults.is_deaf(tag):
            self._take(tag, checked, wire_now)

    def release(self, tag: str, wire_now: float) -> None:
        """The supervisor's word is taken back (BACnet's Null): a remote bit clears, a command is nobody's."""
        machine, _, quantity = tag.rpartition(".")
        if quantity == "remote":
            self.write(tag, False, wire_now)
        elif not self.tags[tag].writable:
            raise ValueError(f"{tag} cannot be let go; it is measured")
        elif machine in self.machines.by_name and not self.faults.is_deaf(tag):
            self.machines.unwrite(machine, quantity)

    def _take(self, tag: str, checked: Value, wire_now: float) -> None:
        machine, _, quantity = tag.rpartition(".")
        if tag == HEARTBEAT:
            self.machines.beat(int(checked), wire_now)
        elif quantity == "remote":
            self.machines.set_remote(machine, bool(checked), wire_now)
        else:
            self.machines.write(machine, quantity, checked)

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
        self._take(tag, self.tags[tag].checked(value), self._wire_now)

    def lose_registers(self, points: Iterable[str]) -> None:
        """The devices behind these points have started anew: remote bits and registers are as after power-on."""
        self.machines.forget({point.rpartition(".")[0] for point in points})

    def supply(self) -> None:
        """Who has no power follows from the mains and from the circuits of lamps."""
        self.machines.supply(has_mains=not self.is_dark)
        self.high_rise.supply(self.high_rise.powers.keys() if self.is_dark else self.lost_lamps)
        self.high_rise.advance(self.plant.now, Served(self.plant.served, self.plant.power))

    def _change(self, change: Change) -> None:
        for fault in change.ended:
            EFFECTS.end(self, fault)
        for fault in change.begun:
            EFFECTS.begin(self, fault)

    # --- time -------------------------------------------------------------------------------------------------------

    def _run_to(self, to: float) -> None:
        while self.plant.now + STEP_S <= to + _ROUNDING:
            self._step()

    def _step(self) -> None:
        self._command(self.machines.changes())
        end = self.plant.now + STEP_S
        self.plant.advance(end, self.high_rise.demand)
        made_up = self.plant.state.basin.made_up
        make_up, self._made_up = (made_up - self._made_up) / STEP_S, made_up
        self.high_rise.advance(end, Served(self.plant.served, self.plant.power, make_up))

    def _command(self, changes: Mapping[str, Value | None]) -> None:
        if not changes:
            return
        of_building = {tag: value for tag, value in changes.items() if tag not in self._of_plant}
        for tag in changes.keys() - of_building.keys():
            self.plant.command(tag, changes[tag])
        if of_building:
            self.high_rise.command(of_building)

    def daylight(self) -> float:
        """Illuminance outdoors [lx]: the clear sky's light as far as the clouds let it pass."""
        model = self.high_rise.model
        elevation = solar_elevation(self.plant.now, model.latitude, model.longitude)
        return max(NIGHT_ILLUMINANCE, clear_sky_illuminance(elevation) * self.high_rise.outdoor.sky)
