"""All lamps of the site that the supervisor can reach, stepped together; the rest of the building's light is part of
its load (simulator/building.py).
"""

from collections.abc import Callable
from typing import Any

from simulator.civil import LocalTime
from simulator.gateway import Remote, Value
from simulator.lamp_network import LampNetwork, SensorLamps
from simulator.lights import CycleRoom, DimmedLamps, Facade, GarageGroup, OfficeRow, OutdoorCircuit, SwitchedLamps
from simulator.own_controls import OwnControls
from simulator.plant.desk_daylight import daylight_factor, desk_daylight
from simulator.plant.desk_users import WallSwitch
from simulator.site import Site

LOOK_EVERY_S = 60.0
"""Lamps are looked at at least so often; their controls go by whole minutes of the clock."""
_SECONDS_PER_HOUR = 3600.0
_CYCLE_ROOM, _OUTDOOR, _FACADE = "garage.lighting_1", "outdoor.lighting_1", "outdoor.lighting_2"


class Lighting:
    """By equipment: dimmed, switched, and sensing for themselves. controls: of the site's own; the cycle room stays lit
    and sensor lamps as they were shipped, whoever has the rest.
    """

    def __init__(self, site: Site, start_s: float, seed: int, controls: OwnControls[Any]) -> None:
        groups = [
            GarageGroup(model, traffic, start_s, seed=seed, number=number)
            for number, (model, traffic) in enumerate(site.garage, start=1)
        ]
        sensors = len(groups) + 1
        self._groups = groups
        self.cycle_room = CycleRoom(*site.cycle_room, start_s, seed=seed, number=sensors)
        self._network = LampNetwork(site.sensor_lamps, start_s, seed=seed, number=sensors + 1)
        office = site.lit_office
        self._rows = [OfficeRow(office.lamps, start_s, seed=seed, number=row) for row in range(1, len(office.rows) + 1)]
        self._factors = tuple([daylight_factor(office.room, distance) for distance in office.rows])
        self.wall_switch = WallSwitch(seed)
        self._outdoor, self._facade = (
            OutdoorCircuit(site.outdoor_power, start_s, controls),
            Facade(site.facade_power, start_s, controls),
        )
        self.dimmed: dict[str, DimmedLamps] = {
            **{f"garage.group_{number}": group for number, group in enumerate(groups, start=1)},
            **{f"office.row_{number}": row for number, row in enumerate(self._rows, start=1)},
        }
        self.switched: dict[str, SwitchedLamps] = {
            _CYCLE_ROOM: self.cycle_room,
            _OUTDOOR: self._outdoor,
            _FACADE: self._facade,
        }
        self.sensing: dict[str, SensorLamps] = {
            f"garage.sensor_lamps_{number}": lamps for number, lamps in enumerate(self._network.groups, start=1)
        }
        self._counted = (*self.dimmed.values(), *self.switched.values())
        self._controls = controls
        self._wishes = (0.0, False)  # of the controls: brightness of the garage, whether the office is lit
        self._minute_ends = 0.0
        self._looked_at: float | None = None  # what goes by clock and sky alone; None to look again

    @property
    def rows(self) -> int:
        """Of the office floor."""
        return len(self._rows)

    @property
    def remotes(self) -> dict[str, Remote]:
        """Sensor lamps have none: their settings are in force whoever wrote them."""
        return {name: lamps.remote for name, lamps in (self.dimmed | self.switched).items()}

    @property
    def lamps(self) -> dict[str, DimmedLamps | SwitchedLamps | SensorLamps]:
        return self.dimmed | self.switched | self.sensing

    def set(self, machine: str, register: str, value: Value, at: float) -> None:
        """A setting of sensor lamps."""
        self.sensing[machine].set(register, value, at)
        self._network.unchanged_until = 0.0

    def touch(self, machine: str) -> None:
        """What this one is to do may be another by now."""
        if machine in self.dimmed:
            self.dimmed[machine].unchanged_until = 0.0
        elif machine == _CYCLE_ROOM:
            self.cycle_room.unchanged_until = 0.0
        else:
            self._looked_at = None

    def touch_all(self) -> None:
        """Anything may be different by now."""
        self._touch_lamps()
        self._network.unchanged_until = 0.0
        self._looked_at = None

    def _touch_lamps(self) -> None:
        for lamps in (*self._groups, *self._rows, self.cycle_room):
            lamps.unchanged_until = 0.0

    def evaluate(self, epoch_s: float, local: LocalTime, daylight: Callable[[], float]) -> float:
        """Take motion, commands and the sky's light [lx] from now on; returns when [s of the epoch] to look again, 0
        for the next step.
        """
        _, weekday, second, _ = local
        hour = int(second // _SECONDS_PER_HOUR)
        if epoch_s >= self._minute_ends:
            self._minute_ends = epoch_s - second % LOOK_EVERY_S + LOOK_EVERY_S
            wishes = (self._controls.brightness(weekday, second), self._controls.office(weekday, second))
            if wishes != self._wishes:
                self._wishes = wishes
                self._touch_lamps()
        self._look_at_changed(epoch_s, local, hour)
        if epoch_s != self._looked_at:
            self._looked_at = epoch_s
            self.wall_switch.evaluate(local)
            self._outdoor.evaluate(epoch_s, second, daylight)
            self._facade.evaluate(epoch_s, second, daylight)
        if epoch_s >= self._network.unchanged_until:
            self._network.evaluate(epoch_s, weekday, hour)
        return min(
            self._minute_ends,
            self._network.due,
            self.cycle_room.due,
            *[group.due for group in self._groups],
            *[row.due for row in self._rows],
        )

    def _look_at_changed(self, epoch_s: float, local: LocalTime, hour: int) -> None:
        """Only at what was touched, has motion to tell, or is on its way to another brightness."""
        brightness, is_office_lit = self._wishes
        for group in self._groups:
            if epoch_s >= group.unchanged_until:
                group.evaluate(epoch_s, local.weekday, hour, brightness)
        for row in self._rows:
            if epoch_s >= row.unchanged_until:
                row.evaluate(epoch_s, local, is_office_lit)
        if epoch_s >= self.cycle_room.unchanged_until:
            self.cycle_room.evaluate(epoch_s, local.weekday, hour)

    def at_desks(self, row: int, daylight: float) -> float:
        """Light at a row's desks [lx], of its lamps and of the sky. row: from 0, next to the window; daylight: on level
        ground outdoors [lx].
        """
        return desk_daylight(self._factors, daylight)[row] + self._rows[row].illuminance()

    def power(self, at: float) -> float:
        """[kW]"""
        return sum([lamps.power for lamps in self._counted]) + sum([lamps.power(at) for lamps in self.sensing.values()])

    def energy(self, at: float) -> float:
        """Counter [kWh] of all lamps together."""
        counted = sum([lamps.energy(at) for lamps in self._counted])
        return counted + sum([lamps.energy(at) for lamps in self.sensing.values()])
