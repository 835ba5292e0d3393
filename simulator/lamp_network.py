"""Networked sensor lamps of the garage, on the engine's grid: their settings are registers, the rest they do alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf

from simulator.gateway import Value
from simulator.plant.lamps import LampGroupModel
from simulator.plant.sensor_lamps import SENSE_S, SensorLampGroup, SensorLampNetwork
from simulator.plant.traffic import MotionSensors, TrafficModel

SETTINGS: Mapping[str, str] = {
    "idle_brightness": "idle",
    "active_brightness": "active",
    "hold_time": "hold_s",
    "linked_groups": "links",
}
"""Registers, and what they set."""


class SensorLamps:
    """One group. is_lost: its circuit breaker is open; is_dark: there is no mains. Settings outlive both."""

    def __init__(self, lamps: SensorLampGroup, sensors: MotionSensors) -> None:
        self._lamps = lamps
        self._sensors = sensors
        self.is_lost = self.is_dark = False
        self.motion = False

    def setting(self, register: str) -> Value:
        return getattr(self._lamps.settings, SETTINGS[register])

    def set(self, register: str, value: Value, at: float) -> None:
        self._lamps.set(replace(self._lamps.settings, **{SETTINGS[register]: value}), at)

    def sense(self, at: float, weekday: int, hour: int) -> float:
        """Take motion and supply from now on; returns when [s of the epoch] to look again."""
        is_supplied = not (self.is_lost or self.is_dark)
        if is_supplied != self._lamps.is_supplied:
            self._lamps.integrate(at)
            self._lamps.is_supplied = is_supplied
        self.motion, until = self._sensors.seen(at, weekday, hour)
        return until

    def power(self, at: float) -> float:
        """[kW]"""
        return self._lamps.power(at)

    def energy(self, at: float) -> float:
        """Counter [kWh]."""
        return self._lamps.counted(at)

    @property
    def unchanged_until(self) -> float:
        """Until when [s of the epoch] its sensors say what they say now."""
        return self._sensors.unchanged_until


class LampNetwork:
    """All groups that hear one another. number: of the first group's sensors, among those of the garage.

    Times [s of the epoch]: due, when to look again; unchanged_until, until when looking would change nothing.
    """

    def __init__(
        self, lamps: Sequence[tuple[LampGroupModel, TrafficModel]], start_s: float, *, seed: int, number: int
    ) -> None:
        self._network = SensorLampNetwork([model for model, _ in lamps], start_s)
        self.groups = tuple(
            SensorLamps(group, MotionSensors(seed, number + index, traffic))
            for index, (group, (_, traffic)) in enumerate(zip(self._network.groups, lamps, strict=True))
        )
        self.due = self.unchanged_until = 0.0

    def evaluate(self, at: float, weekday: int, hour: int) -> None:
        """Let the sensors see."""
        self.due = self.unchanged_until = inf
        for number, group in enumerate(self.groups):
            until = group.sense(at, weekday, hour)
            if group.motion:
                self._network.motion(number, at, until)
            # Motion that goes on is told again at every look, as the lamps do among themselves.
            self.unchanged_until = min(self.unchanged_until, at + SENSE_S if group.motion else group.unchanged_until)
            self.due = min(self.due, until)
