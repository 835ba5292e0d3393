"""Lamps of the garage, outdoors and of an office floor, stepped only when something changes."""

from collections.abc import Callable
from typing import Any

from simulator.civil import LocalTime
from simulator.gateway import Remote
from simulator.own_controls import OwnControls
from simulator.plant.desk_users import QUARTER_S, sits_there
from simulator.plant.lamps import LampGroupModel, group_illuminance, group_power
from simulator.plant.pump import moved
from simulator.plant.traffic import MotionSensors, TrafficModel

_SECONDS_PER_HOUR = 3600.0


class PowerCounter:
    """Energy [kWh] of a power that is held from one change to the next. at: of the last change [s of the epoch]."""

    __slots__ = ("_energy", "at")

    def __init__(self, start_s: float) -> None:
        self._energy = 0.0
        self.at = start_s

    def energy(self, at: float, power: float) -> float:
        """At an instant, with the power [kW] since the last change."""
        return self._energy + power * (at - self.at) / _SECONDS_PER_HOUR

    def count(self, at: float, power: float) -> None:
        """The power [kW] since the last change has been another from now on."""
        self._energy = self.energy(at, power)
        self.at = at


class DimmedLamps:
    """Dimmable lamps with a motion sensor; brightness follows its command by a short ramp.

    is_lost: their circuit breaker is open; is_dark: there is no mains. Motion sensors have a supply of their own. Times
    [s of the epoch]: due, when to look again, 0 for the next step; unchanged_until, until when looking at them would
    change nothing, whatever else is looked at.
    """

    def __init__(self, model: LampGroupModel, start_s: float) -> None:
        self._model = model
        self.remote = Remote("brightness_command")
        self.brightness: float = 1.0
        self._target: float = 1.0
        self.is_lost = self.is_dark = False
        self.motion = False
        self.power: float = group_power(model, 1.0)
        self._counter = PowerCounter(start_s)
        self.due = self.unchanged_until = 0.0

    def _follow(self, at: float, wish: float) -> bool:
        """Take the command from now on, or what the original controls wish; answers whether the lamps are there."""
        if self.brightness != self._target:
            most = self._model.ramp * (at - self._counter.at)
            self._shine(at, moved(self.brightness, self._target, most))
        self.remote.follow(wish)
        target = self.remote.level("brightness_command", wish)
        if self.is_lost or self.is_dark:
            target = 0.0
            if self.power:
                self._counter.count(at, self.power)
                self.brightness = self.power = 0.0
        elif self.power == 0.0:
            self._shine(at, self.brightness)
        if target != self._target:
            self._counter.count(at, self.power)
            self._target = target
        return self.brightness == target

    def _shine(self, at: float, brightness: float) -> None:
        """With this brightness from now on."""
        self._counter.count(at, self.power)
        self.brightness = brightness
        self.power = group_power(self._model, brightness)

    def illuminance(self) -> float:
        """Of these lamps alone [lx]."""
        return group_illuminance(self._model, self.brightness)

    def energy(self, at: float) -> float:
        """Counter [kWh] at an instant."""
        return self._counter.energy(at, self.power)


class GarageGroup(DimmedLamps):
    def __init__(self, model: LampGroupModel, traffic: TrafficModel, start_s: float, *, seed: int, number: int) -> None:
        super().__init__(model, start_s)
        self._sensors = MotionSensors(seed, number, traffic)

    def evaluate(self, epoch_s: float, weekday: int, hour: int, wish: float) -> None:
        """Take motion and command from now on; wish: brightness of the original controls [0..1]."""
        self.motion, self.due = self._sensors.seen(epoch_s, weekday, hour)
        self.unchanged_until = self._sensors.unchanged_until
        if not self._follow(epoch_s, wish):
            self.due = self.unchanged_until = 0.0


class OfficeRow(DimmedLamps):
    """Lamps over a row of desks."""

    def __init__(self, model: LampGroupModel, start_s: float, *, seed: int, number: int) -> None:
        super().__init__(model, start_s)
        self._seed, self._number = seed, number
        self._quarter: int = -1

    def evaluate(self, epoch_s: float, local: LocalTime, wish: bool) -> None:
        """As a garage's group. wish: whether the original controls have the floor lit; who sits there has it lit."""
        quarter = int(epoch_s // QUARTER_S)
        if quarter != self._quarter:
            self._quarter, self.motion = quarter, sits_there(self._seed, self._number, quarter, local)
        is_there = self._follow(epoch_s, float(wish or self.motion))
        self.due = self.unchanged_until = (quarter + 1) * QUARTER_S if is_there else 0.0


class SwitchedLamps:
    """A relay with lamps behind it; its status is taken from the voltage at the lamps. is_lost, is_dark: no supply."""

    def __init__(self, full_power: float, start_s: float) -> None:
        self._full_power = full_power
        self.remote = Remote("command")
        self.status: bool = False
        self.is_lost = self.is_dark = False
        self.power: float = 0.0
        self._counter = PowerCounter(start_s)

    def _follow(self, at: float, wish: bool) -> None:
        self.remote.follow(wish)
        status = self.remote.switched("command", wish) and not (self.is_lost or self.is_dark)
        if status != self.status:
            self._counter.count(at, self.power)
            self.status, self.power = status, self._full_power if status else 0.0

    def energy(self, at: float) -> float:
        """Counter [kWh] at an instant."""
        return self._counter.energy(at, self.power)


class OutdoorCircuit(SwitchedLamps):
    def __init__(self, full_power: float, start_s: float, controls: OwnControls[Any]) -> None:
        super().__init__(full_power, start_s)
        self._controls = controls
        self._on = True

    def evaluate(self, epoch_s: float, second: float, daylight: Callable[[], float]) -> None:
        """Take the command from now on; the daylight [lx] is looked at only where it matters."""
        self._on = self._controls.outdoor(second, daylight, was_on=self._on)
        self._follow(epoch_s, self._on)


class Facade(SwitchedLamps):
    def __init__(self, full_power: float, start_s: float, controls: OwnControls[Any]) -> None:
        super().__init__(full_power, start_s)
        self._controls = controls
        self._on = False

    def evaluate(self, epoch_s: float, second: float, daylight: Callable[[], float]) -> None:
        """As the outdoor circuit."""
        self._on = self._controls.facade(second, daylight, was_on=self._on)
        self._follow(epoch_s, self._on)


class CycleRoom(SwitchedLamps):
    """Lamps that only switch, with a motion sensor; their old controls leave them on."""

    def __init__(self, full_power: float, traffic: TrafficModel, start_s: float, *, seed: int, number: int) -> None:
        super().__init__(full_power, start_s)
        self._sensors = MotionSensors(seed, number, traffic)
        self.motion = False
        self.due = self.unchanged_until = 0.0

    def evaluate(self, epoch_s: float, weekday: int, hour: int) -> None:
        """Take motion and command from now on."""
        self.motion, self.due = self._sensors.seen(epoch_s, weekday, hour)
        self.unchanged_until = self._sensors.unchanged_until
        self._follow(epoch_s, True)
