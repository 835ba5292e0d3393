"""A plant in time behind its tags: stepped every ten seconds, under its own controls and what a supervisor has written.

Between two steps all rates are held, so that reading never moves the plant, and the same start, weather, load and
commands give the same numbers to the bit, however often `advance` is called.
"""

from collections.abc import Collection
from datetime import date, tzinfo
from math import floor, inf
from typing import Any

from simulator.chilled_water import NOBODY, CoilDemand, WaterSupply
from simulator.civil import SiteTime
from simulator.cooling_plant.commanded import commanded
from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.disturbed import mixing, placed, without_mains
from simulator.cooling_plant.original import Original
from simulator.cooling_plant.signals import Controls
from simulator.cooling_plant.state import (
    ALL_WELL,
    PlantInputs,
    PlantState,
    Trouble,
    electric_power,
    initial,
    seen,
    served,
)
from simulator.cooling_plant.step import step
from simulator.gateway import Value
from simulator.original import OFFICE_TIMER, WeekTimer
from simulator.plant.chiller_control import reset
from simulator.weather import Weather

STEP_S = 10.0
_WEATHER_S = 60.0
_ROUNDING = 1e-6


class RunningPlant:
    """epoch_s: where it begins; timer: when the controls' clock has the building in use, on holidays as on a Sunday;
    controls: the old ones where none are given.

    state: now; coils: what the building asks until the next `advance`; trouble: what is wrong with the machines;
    mixing_s: time constant with which a broken diffuser stirs the tank [s].
    """

    def __init__(
        self,
        plant: CoolingPlant,
        epoch_s: float,
        weather: Weather,
        zone: tzinfo,
        timer: WeekTimer = OFFICE_TIMER,
        controls: Controls[Any] | None = None,
        holidays: Collection[date] = (),
    ) -> None:
        self.plant = plant
        self._begin, self._steps = epoch_s, 0
        self._weather, self._local, self._timer = weather, SiteTime(zone, holidays), timer
        self._air, self._air_until = weather.at(self._local.at(epoch_s).year_hour), epoch_s
        self._panel: Controls[Any] = controls or Original(plant)
        self._decided = self._panel.initial()
        self._held: dict[str, Value] = {}
        self.trouble: Trouble = ALL_WELL
        self.mixing_s = inf
        self.state: PlantState = initial(plant)
        self.commands = self._panel.decide(
            self._decided, seen(self.state, timer=False, wet_bulb=self._air.wet_bulb), 0.0
        )[1]

    @property
    def now(self) -> float:
        """Seconds of the Unix epoch, at the last step."""
        return self._begin + self._steps * STEP_S

    @property
    def served(self) -> WaterSupply:
        """What the building's coils get now."""
        return served(self.state)

    @property
    def power(self) -> float:
        """[kW]"""
        return electric_power(self.state)

    def advance(self, to: float, coils: CoilDemand = NOBODY) -> None:
        """Let the plant run to the last step at or before `to` [s of the epoch] with what the building asks until
        then.
        """
        end = floor((to - self._begin) / STEP_S + _ROUNDING)
        if end < self._steps:
            raise ValueError(f"cannot go back from {self.now} to {to}")
        while self._steps < end:
            self._step(coils)

    def command(self, tag: str, value: Value | None) -> None:
        """Take a command from the next step on; None lets go, to the old controls."""
        if value is None:
            self._held.pop(tag, None)
        else:
            self._held[tag] = value

    def reset_trip(self, number: int) -> None:
        """A person resets a chiller's trip at the machine."""
        chillers = list(self.state.chillers)
        chillers[number] = chillers[number]._replace(control=reset(chillers[number].control))
        self.state = self.state._replace(chillers=tuple(chillers))

    def put(self, field: str, number: int, position: float) -> None:
        """Somebody moves an actuator by hand; field and number as in `Trouble`."""
        self.state = placed(self.plant, self.state, field, number, position)

    def lose_mains(self) -> None:
        """All that runs stops at once; what it does afterwards is its controls'."""
        self.state = without_mains(self.plant, self.state)

    def _step(self, coils: CoilDemand) -> None:
        local = self._local.at(self.now)
        if self.now >= self._air_until:
            self._air, self._air_until = self._weather.at(local.year_hour), self.now + _WEATHER_S
        shown = seen(self.state, timer=self._timer.is_on(local.weekday, local.second), wet_bulb=self._air.wet_bulb)
        self._decided, wished = self._panel.decide(self._decided, shown, STEP_S)
        self.commands = commanded(self.plant, wished, self._held)
        inputs = PlantInputs(self.commands, coils, self._air, self.trouble)
        self.state = step(self.plant, self.state, inputs, STEP_S)
        if self.mixing_s < inf:
            self.state = mixing(self.state, self.mixing_s, STEP_S)
        self._steps += 1
