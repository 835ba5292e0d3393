"""The quantities of the simulated site that can be read or written: their names are its point ids, their units the
inside ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, isfinite
from types import MappingProxyType

from simulator.gateway import Value


@dataclass(frozen=True, slots=True)
class Tag:
    """kind: bool, int or float; unit as in the house's inside units; low and high: what may be written."""

    name: str
    kind: type[bool] | type[int] | type[float]
    unit: str = ""
    writable: bool = False
    low: float = -inf
    high: float = inf

    def checked(self, value: Value) -> Value:
        """The value as the tag keeps it. Raises ValueError for what the device would refuse."""
        if not self.writable:
            raise ValueError(f"{self.name} cannot be written; it is measured")
        if self.kind is bool:
            if not isinstance(value, bool):
                raise ValueError(f"{self.name}: {value!r} is no switch position; expected true or false")
            return value
        if isinstance(value, bool) or (self.kind is int and not isinstance(value, int)):
            raise ValueError(f"{self.name}: {value!r} has the wrong type; expected {self.kind.__name__}")
        if not isfinite(value) or not self.low <= value <= self.high:
            unit = f" {self.unit}" if self.unit not in ("", "1") else ""
            raise ValueError(f"{self.name}: {value!r} is out of range; expected {self.low:g} to {self.high:g}{unit}")
        return value if self.kind is int else float(value)


def _switch(name: str) -> Tag:
    return Tag(name, bool, writable=True)


def _statuses(*names: str) -> list[Tag]:
    return [Tag(name, bool) for name in names]


def _sensors(unit: str, *names: str) -> list[Tag]:
    return [Tag(name, float, unit) for name in names]


def _electric(*machines: str) -> list[Tag]:
    return [
        tag for each in machines for tag in (Tag(f"{each}.power", float, "kW"), Tag(f"{each}.energy", float, "kWh"))
    ]


def _chiller(name: str) -> list[Tag]:
    return [
        _switch(f"{name}.remote"),
        _switch(f"{name}.enable_command"),
        Tag(f"{name}.chilled_water_temperature_setpoint", float, "degC", writable=True, low=5.0, high=15.0),
        *_statuses(f"{name}.status", f"{name}.tripped", f"{name}.auto_status"),
        Tag(f"{name}.trip_count", int),
        *_sensors(
            "degC",
            *(
                f"{name}.{end}_{water}_temperature"
                for end in ("leaving", "entering")
                for water in ("chilled_water", "condenser_water")
            ),
        ),
        *_sensors("kWh", f"{name}.cooling_energy", f"{name}.heat_rejection_energy"),
        *_electric(name),
    ]


def _tank(name: str) -> list[Tag]:
    return [
        _switch(f"{name}.remote"),
        *(_switch(f"{name}.{valve}_valve_command") for valve in ("charge", "discharge")),
        *_statuses(*(f"{name}.{valve}_valve_status" for valve in ("charge", "discharge"))),
        *_sensors("1", *(f"{name}.{valve}_valve_position" for valve in ("charge", "discharge"))),
        *_sensors("degC", *(f"{name}.{height}_temperature" for height in ("upper", "middle", "lower"))),
        *_sensors("kWh", f"{name}.stored_energy", f"{name}.heat_gain_energy"),
    ]


def _loop(name: str) -> list[Tag]:
    return [
        *_sensors("degC", f"{name}.chilled_water_supply_temperature", f"{name}.chilled_water_return_temperature"),
        *_sensors("kg/s", f"{name}.chilled_water_flow"),
        *_sensors("kW", f"{name}.cooling_load"),
        *_sensors("kWh", f"{name}.cooling_energy", f"{name}.heat_gain_energy", f"{name}.stored_energy"),
    ]


def _pump(name: str, *, variable: bool) -> list[Tag]:
    statuses = _statuses(f"{name}.status", f"{name}.tripped", f"{name}.auto_status")
    speed = [
        Tag(f"{name}.speed_command", float, "1", writable=True, low=0.0, high=1.0),
        *_sensors("1", f"{name}.speed"),
    ]
    return [
        _switch(f"{name}.remote"),
        _switch(f"{name}.command"),
        *statuses,
        *(speed if variable else ()),
        *_electric(name),
    ]


def _group(name: str) -> list[Tag]:
    return [
        _switch(f"{name}.remote"),
        Tag(f"{name}.brightness_command", float, "1", writable=True, low=0.0, high=1.0),
        *_sensors("1", f"{name}.brightness"),
        *_statuses(f"{name}.motion", f"{name}.local"),
        *_sensors("lx", f"{name}.illuminance"),
        *_electric(name),
    ]


def _circuit(name: str) -> list[Tag]:
    return [
        _switch(f"{name}.remote"),
        _switch(f"{name}.command"),
        *_statuses(f"{name}.status", f"{name}.local"),
        *_electric(name),
    ]


def _sensor_lamps(name: str) -> list[Tag]:
    return [
        Tag(f"{name}.idle_brightness", float, "1", writable=True, low=0.05, high=1.0),
        Tag(f"{name}.active_brightness", float, "1", writable=True, low=0.3, high=1.0),
        Tag(f"{name}.hold_time", float, "s", writable=True, low=10.0, high=600.0),
        Tag(f"{name}.linked_groups", int, writable=True, low=0, high=65535),
        *_statuses(f"{name}.motion"),
        *_electric(name),
    ]


def _all_tags() -> list[Tag]:
    return [
        *_chiller("plant.chiller_1"),
        *_pump("plant.chilled_water_pump_1", variable=True),
        *_pump("plant.condenser_water_pump_1", variable=False),
        *_tank("plant.tank_1"),
        *_loop("plant.chilled_water_loop_1"),
        *_statuses("plant.secondary_pump_1.status", "plant.cooling_tower_1.fan_status"),
        *_sensors("1", "plant.secondary_pump_1.speed"),
        *_electric("plant.secondary_pump_1", "plant.cooling_tower_1"),
        Tag("plant.gateway_1.heartbeat", int, writable=True, low=0, high=65535),
        *_sensors("degC", "building.zone_1.air_temperature"),
        *_statuses("building.fire_alarm_panel_1.fire_alarm"),
        *(tag for number in (1, 2, 3) for tag in _group(f"garage.group_{number}")),
        *_circuit("garage.lighting_1"),
        *_statuses("garage.lighting_1.motion"),
        *(tag for number in (1, 2) for tag in _sensor_lamps(f"garage.sensor_lamps_{number}")),
        *(tag for number in (1, 2) for tag in _circuit(f"outdoor.lighting_{number}")),
        *_sensors("lx", "outdoor.daylight_sensor_1.illuminance"),
        *(tag for number in (1, 2, 3) for tag in _group(f"office.row_{number}")),
        *_sensors("1", "office.wall_switch_1.brightness_wish"),
        *_statuses("office.wall_switch_1.stay_button"),
        *_electric("meter.main_1"),
        *_sensors("degC", "site.weather_station_1.outdoor_air_temperature"),
        *_sensors("1", "site.weather_station_1.outdoor_air_relative_humidity"),
    ]


TAGS: Mapping[str, Tag] = MappingProxyType({tag.name: tag for tag in _all_tags()})
