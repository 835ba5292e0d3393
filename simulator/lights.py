"""Lamp groups of the garage and the outdoor circuit, stepped only when something changes."""

from collections.abc import Callable
from typing import Any

from simulator.gateway import Remote
from simulator.own_controls import OwnControls
from simulator.plant.lamps import LampGroupModel, group_illuminance, group_power
from simulator.plant.pump import moved
from simulator.plant.traffic import MotionSensors, TrafficModel

_SECONDS_PER_HOUR = 3600.0


class GarageGroup:
    """Dimmable lamps with a motion sensor; brightness follows its command by a short ramp.

    is_lost: their circuit breaker is open; is_dark: there is no mains. Motion sensors have a supply of their own.
    """

    def __init__(
        self, model: LampGroupModel, traffic: TrafficModel, controls: OwnControls[Any], *, seed: int, number: int
    ) -> None:
        self._model = model
        self._controls = controls
        self._sensors = MotionSensors(seed, number, traffic)
        self.remote = Remote("brightness_command")
        self.brightness = 1.0
        self._target = 1.0
        self.is_lost = self.is_dark = False
        self.motion = False
        self.power = group_power(model, 1.0)
        self._energy = 0.0

    def integrate(self, dt: float) -> None:
        """Let dt [s] pass: count energy at the power in force, then move the brightness."""
        self._energy += self.power * dt / _SECONDS_PER_HOUR
        if self.brightness != self._target:
            self.brightness = moved(self.brightness, self._target, self._model.ramp * dt)
            self.power = group_power(self._model, self.brightness)

    def evaluate(self, epoch_s: float, weekday: int, second: float) -> float:
        """Take motion and command from now on; returns when [s of the epoch] to look again, 0 for the next step."""
        self.motion, until = self._sensors.seen(epoch_s, weekday, int(second // _SECONDS_PER_HOUR))
        wish = self._controls.brightness(weekday, second)
        self.remote.follow(wish)
        self._target = self.remote.level("brightness_command", wish)
        if self.is_lost or self.is_dark:
            self.brightness = self._target = self.power = 0.0
        elif self.power == 0.0:
            self.power = group_power(self._model, self.brightness)
        return until if self.brightness == self._target else 0.0

    def illuminance(self) -> float:
        """[lx]"""
        return group_illuminance(self._model, self.brightness)

    def energy(self, elapsed_s: float) -> float:
        """Counter [kWh] a time after the last integration."""
        return self._energy + self.power * elapsed_s / _SECONDS_PER_HOUR


class OutdoorCircuit:
    """A relay with lamps behind it; its status is taken from the voltage at the lamps. is_lost, is_dark: no supply."""

    def __init__(self, full_power: float, controls: OwnControls[Any]) -> None:
        self._full_power = full_power
        self._controls = controls
        self.remote = Remote("command")
        self.status = False
        self._on = True
        self.is_lost = self.is_dark = False
        self._energy = 0.0

    @property
    def power(self) -> float:
        """[kW]"""
        return self._full_power if self.status else 0.0

    def integrate(self, dt: float) -> None:
        """Let dt [s] pass."""
        self._energy += self.power * dt / _SECONDS_PER_HOUR

    def evaluate(self, second: float, daylight: Callable[[], float]) -> None:
        """Take the command from now on; the daylight [lx] is looked at only where it matters."""
        self._on = self._controls.outdoor(second, daylight, was_on=self._on)
        self.remote.follow(self._on)
        self.status = self.remote.switched("command", self._on) and not (self.is_lost or self.is_dark)

    def energy(self, elapsed_s: float) -> float:
        """Counter [kWh] a time after the last integration."""
        return self._energy + self.power * elapsed_s / _SECONDS_PER_HOUR
