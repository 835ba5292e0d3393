"""Lamps that see motion themselves by a microwave sensor in each, networked by radio: they need nobody above them.

A group lights up on its own motion and, a radio message later, on that of the groups linked to it; it stays lit for its
hold time after the last motion. Settings live in the lamps: a lost gateway changes nothing.

Source for the behaviour: the settings that data sheets of such tubes offer (idle level, active level, hold time, group
links); the delays are assumptions, chosen at the slow end of what those sheets promise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.plant.lamps import LampGroupModel, group_illuminance, group_power

SENSE_S = 0.3
"""From somebody's first step in the beam to the lamp's own output [s]."""
RADIO_S = 0.5
"""From one lamp's motion to the lamps of a linked group [s]."""
_SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class SensorLampSettings:
    """idle, active: brightness [0..1]; hold_s: after the last motion [s]; links: a bit for each group that follows."""

    idle: float = 0.3
    active: float = 1.0
    hold_s: float = 60.0
    links: int = 0


class SensorLampGroup:
    """One group: lit until an instant [s of the epoch]; energy [kWh] is counted up to the last look.

    is_supplied: whether there is any mains; energy has to be counted up to a change.
    """

    def __init__(self, model: LampGroupModel, start_s: float) -> None:
        self._model = model
        self.settings = SensorLampSettings()
        self.is_supplied = True
        self._looked = start_s
        self._lit_from = self._lit_until = start_s
        self.energy = 0.0

    def set(self, settings: SensorLampSettings, at: float) -> None:
        """New settings hold from now on; a group that is lit stays lit for as long as it would have been."""
        self.integrate(at)
        self.settings = settings

    def light(self, begin: float, end: float) -> None:
        """Motion, its own or a linked group's, reaches the lamps from begin to end; begins must not go back."""
        self.integrate(begin)
        if begin > self._lit_until:
            self._lit_from = begin
        self._lit_until = max(self._lit_until, end + self.settings.hold_s)

    def brightness(self, at: float) -> float:
        """At an instant that is not before the last motion began."""
        if not self.is_supplied:
            return 0.0
        if at >= self._lit_until or at < self._lit_from:
            return self.settings.idle
        return min(self.settings.active, self.settings.idle + self._model.ramp * (at - self._lit_from))

    def illuminance(self, at: float) -> float:
        """[lx]"""
        return group_illuminance(self._model, self.brightness(at))

    def power(self, at: float) -> float:
        """[kW]; the short rise takes as much as being fully lit."""
        if not self.is_supplied:
            return 0.0
        settings = self.settings
        return group_power(self._model, settings.active if at < self._lit_until else settings.idle)

    def counted(self, at: float) -> float:
        """Energy [kWh] up to an instant after the last look."""
        if at <= self._looked or not self.is_supplied:
            return self.energy
        lit = max(0.0, min(at, self._lit_until) - self._looked)
        dark = at - self._looked - lit
        lit_power = group_power(self._model, self.settings.active)
        return self.energy + (lit * lit_power + dark * group_power(self._model, self.settings.idle)) / _SECONDS_PER_HOUR

    def integrate(self, at: float) -> None:
        """Count energy up to an instant."""
        if at > self._looked:
            self.energy = self.counted(at)
            self._looked = at


class SensorLampNetwork:
    """Groups that hear one another: bit n of a group's links is group n, from 0."""

    def __init__(self, models: Sequence[LampGroupModel], start_s: float) -> None:
        self.groups = [SensorLampGroup(model, start_s) for model in models]

    def motion(self, group: int, begin: float, end: float) -> None:
        """Somebody moves in a group from begin to end [s of the epoch]; begins must not go back."""
        here = self.groups[group]
        here.light(begin + SENSE_S, end)
        for number, other in enumerate(self.groups):
            if number != group and here.settings.links >> number & 1:
                other.light(begin + SENSE_S + RADIO_S, end)
