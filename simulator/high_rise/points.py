"""The high-rise's points: their tags, where each one's value comes from, and what may be written.

Units are the house's inside ones. A point that may be written shows what holds: what was written, else what the old
controls want.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from controller.core.physics import WATER_SPECIFIC_HEAT, saturation_humidity_ratio
from simulator.gateway import Value
from simulator.high_rise.building import HighRise
from simulator.high_rise.names import (
    BATTERY,
    BOILER,
    CHARGERS,
    COLD,
    COMPUTERS,
    DECKS,
    FACADE,
    GAS,
    HANDLERS,
    LIGHTS,
    MAIN,
    OUTDOOR,
    PHOTOVOLTAICS,
    PLUGS,
    ROOMS,
    STORE,
    UNITS,
    WATER,
    WEATHER_STATION,
    ZONES,
)
from simulator.plant.ev_charger import Connection
from simulator.tags import Tag

Read: TypeAlias = Callable[[HighRise], Value]
Point: TypeAlias = tuple[Tag, Read]
_FILTER_DUE = 1.0


def _float(name: str, unit: str, read: Callable[[HighRise], float]) -> Point:
    return Tag(name, float, unit), read


def _bool(name: str, read: Callable[[HighRise], bool]) -> Point:
    return Tag(name, bool), read


def _switch(name: str, read: Callable[[HighRise], bool]) -> Point:
    return Tag(name, bool, writable=True), read


def _command(name: str, unit: str, low: float, high: float, read: Callable[[HighRise], float]) -> Point:
    return Tag(name, float, unit, writable=True, low=low, high=high), read


def _electric(machine: str) -> Iterator[Point]:
    yield _float(f"{machine}.power", "kW", lambda site: site.powers[machine])
    yield _float(f"{machine}.energy", "kWh", lambda site: site.energy(machine))


def _handler(name: str, kind: int) -> Iterator[Point]:
    """Of storeys alike: what one of them measures; electricity is that of all."""
    yield _switch(f"{name}.supply_fan_command", lambda site: site.air_commands[kind].fan)
    yield _command(f"{name}.supply_fan_speed_command", "1", 0.0, 1.0, lambda site: site.air.floors[kind].fan_speed)
    yield _command(
        f"{name}.supply_air_temperature_setpoint", "degC", 10.0, 22.0, lambda site: site.air_commands[kind].supply_air
    )
    yield _command(
        f"{name}.duct_static_pressure_setpoint", "kPa", 0.05, 0.5, lambda site: site.air_commands[kind].duct_pressure
    )
    yield _command(
        f"{name}.outdoor_air_damper_command", "1", 0.0, 1.0, lambda site: site.air_commands[kind].outdoor_damper
    )
    yield _bool(f"{name}.supply_fan_status", lambda site: site.air.floors[kind].handler is not None)
    yield _float(f"{name}.supply_fan_speed", "1", lambda site: site.air.floors[kind].fan_speed)
    yield _float(f"{name}.duct_static_pressure", "kPa", lambda site: site.air.floors[kind].duct_pressure)
    yield _float(
        f"{name}.outdoor_air_damper_position",
        "1",
        lambda site: site.air_commands[kind].outdoor_damper if site.air.floors[kind].handler else 0.0,
    )
    yield _float(f"{name}.cooling_valve_position", "1", lambda site: site.floors[kind].valve)
    yield _float(f"{name}.supply_air_temperature", "degC", lambda site: _supply(site, kind))
    yield _float(f"{name}.mixed_air_temperature", "degC", lambda site: _mixed(site, kind))
    yield _float(f"{name}.return_air_temperature", "degC", lambda site: site.air.floors[kind].returning.temperature)
    yield _float(f"{name}.return_air_relative_humidity", "1", lambda site: _return_humidity(site, kind))
    yield _float(f"{name}.return_air_carbon_dioxide", "ppm", lambda site: site.air.floors[kind].returning.co2)
    yield _bool(f"{name}.filter_alarm", lambda site: site.floors[kind].loading >= _FILTER_DUE)
    yield from _electric(name)


def _supply(site: HighRise, kind: int) -> float:
    """At rest the sensor hangs in air that comes back."""
    output = site.air.floors[kind]
    return output.handler.supply.temperature if output.handler else output.returning.temperature


def _mixed(site: HighRise, kind: int) -> float:
    output = site.air.floors[kind]
    return output.handler.mixed.temperature if output.handler else output.returning.temperature


def _return_humidity(site: HighRise, kind: int) -> float:
    """Humidity ratio over that of saturated air: within 0.01 of the relative humidity of rooms."""
    air = site.air.floors[kind].returning
    return min(1.0, air.humidity_ratio / saturation_humidity_ratio(air.temperature))


def _zone(name: str, kind: int, index: int) -> Iterator[Point]:
    yield _float(f"{name}.air_temperature", "degC", lambda site: site.floors[kind].zones[index].air)
    yield _command(
        f"{name}.air_temperature_setpoint", "degC", 16.0, 32.0, lambda site: site.air_commands[kind].room[index]
    )
    yield _float(f"{name}.carbon_dioxide", "ppm", lambda site: site.floors[kind].zones[index].co2)
    yield _float(f"{name}.damper_position", "1", lambda site: site.floors[kind].openings[index])


def _split_unit(name: str, room: int, index: int) -> Iterator[Point]:
    yield _switch(f"{name}.enable_command", lambda site: site.unit_commands[room][index].enable)
    yield _bool(f"{name}.status", lambda site: site.rest.rooms[room].units[index].compressor)
    yield Tag(f"{name}.starts", int), lambda site: site.rest.rooms[room].units[index].starts
    yield from _electric(name)


def _charger(name: str, index: int) -> Iterator[Point]:
    yield _command(f"{name}.current_limit", "A", 0.0, 32.0, lambda site: site.charger_limits[index])
    yield _bool(f"{name}.connected", lambda site: site.services.electric.points[index].connection is not Connection.A)
    yield _bool(f"{name}.charging", lambda site: site.services.electric.points[index].connection is Connection.C)
    yield from _electric(name)


def _battery() -> Iterator[Point]:
    yield _command(f"{BATTERY}.power_command", "kW", -200.0, 200.0, lambda site: site.battery_command)
    yield _float(f"{BATTERY}.content", "kWh", lambda site: site.rest.electric.content)
    yield from _electric(BATTERY)


def _boiler() -> Iterator[Point]:
    yield _switch(f"{BOILER}.enable_command", lambda site: site.boiler_commands.enable)
    yield _command(
        f"{BOILER}.leaving_hot_water_temperature_setpoint",
        "degC",
        40.0,
        80.0,
        lambda site: site.boiler_commands.setpoint,
    )
    yield _bool(f"{BOILER}.status", lambda site: site.services.hot_water.boiler.heat > 0.0)
    yield _float(f"{BOILER}.leaving_hot_water_temperature", "degC", lambda site: site.services.hot_water.boiler.leaving)
    yield Tag(f"{BOILER}.starts", int), lambda site: site.rest.hot_water.boiler.starts
    yield _float(f"{STORE}.temperature", "degC", lambda site: site.rest.hot_water.store)
    yield from _electric(BOILER)


def _deck(name: str, index: int) -> Iterator[Point]:
    yield _command(f"{name}.brightness_command", "1", 0.0, 1.0, lambda site: site.lamp_commands.brightness[index])
    yield _float(f"{name}.brightness", "1", lambda site: _if_supplied(site, name, site.lamp_commands.brightness[index]))
    yield _bool(f"{name}.motion", lambda site: site.is_seen(index))
    yield _float(
        f"{name}.illuminance", "lx", lambda site: _if_supplied(site, name, site.services.lamps.illuminance[index])
    )
    yield from _electric(name)


def _circuit(name: str, is_on: Callable[[HighRise], bool]) -> Iterator[Point]:
    yield _switch(f"{name}.command", is_on)
    yield _bool(f"{name}.status", lambda site: is_on(site) and name not in site.unsupplied)
    yield from _electric(name)


def _if_supplied(site: HighRise, name: str, value: float) -> float:
    return 0.0 if name in site.unsupplied else value


def _meters() -> Iterator[Point]:
    yield _float(f"{MAIN}.power", "kW", HighRise.site_power)
    yield _float(f"{MAIN}.energy", "kWh", HighRise.site_energy)
    yield _float(f"{MAIN}.demand", "kW", lambda site: site.main.demand)
    yield _float(f"{MAIN}.maximum_demand", "kW", lambda site: site.main.largest)
    yield _float(f"{GAS}.volume", "m3", HighRise.gas_volume)
    yield _float(f"{WATER}.volume", "m3", lambda site: site.water_mass() / 1000.0)
    yield _float(f"{COLD}.chilled_water_flow", "kg/s", lambda site: site.water.flow)
    yield _float(f"{COLD}.chilled_water_supply_temperature", "degC", lambda site: site.water.temperature)
    yield _float(f"{COLD}.chilled_water_return_temperature", "degC", _return_temperature)
    yield _float(f"{COLD}.cooling_load", "kW", lambda site: site.demand.heat)
    yield _float(f"{COLD}.cooling_energy", "kWh", HighRise.cooling_energy)
    for machine in (LIGHTS, PLUGS, *COMPUTERS):
        yield from _electric(machine)
    yield _float(f"{PHOTOVOLTAICS}.power", "kW", lambda site: site.powers[PHOTOVOLTAICS])
    yield _float(f"{PHOTOVOLTAICS}.exported_energy", "kWh", lambda site: -site.energy(PHOTOVOLTAICS))
    yield _float(f"{WEATHER_STATION}.outdoor_air_temperature", "degC", lambda site: site.outdoor.temperature)
    yield _float(f"{WEATHER_STATION}.outdoor_air_relative_humidity", "1", lambda site: site.outdoor.relative_humidity)
    yield _float(f"{WEATHER_STATION}.solar_irradiance", "W/m2", lambda site: site.outdoor.irradiance)


def _return_temperature(site: HighRise) -> float:
    """Of the chilled water; where none flows that of the supply."""
    flow = site.water.flow
    return site.water.temperature + (site.demand.heat / (flow * WATER_SPECIFIC_HEAT) if flow > 0.0 else 0.0)


def _all() -> Iterator[Point]:
    for kind, (handler, zones) in enumerate(zip(HANDLERS, ZONES, strict=True)):
        yield from _handler(handler, kind)
        for index, zone in enumerate(zones):
            yield from _zone(zone, kind, index)
    for room, name in enumerate(ROOMS):
        yield _float(f"{name}.air_temperature", "degC", lambda site, room=room: site.rest.rooms[room].zone.air)
    for number, name in enumerate(UNITS):
        yield from _split_unit(name, number // 2, number % 2)
    for index, name in enumerate(CHARGERS):
        yield from _charger(name, index)
    yield from _battery()
    yield from _boiler()
    for index, name in enumerate(DECKS):
        yield from _deck(name, index)
    yield from _circuit(OUTDOOR, lambda site: site.lamp_commands.outdoor)
    yield from _circuit(FACADE, lambda site: site.lamp_commands.facade)
    yield from _meters()


_POINTS = tuple(_all())
TAGS: Mapping[str, Tag] = MappingProxyType({tag.name: tag for tag, _ in _POINTS})
READ: Mapping[str, Read] = MappingProxyType({tag.name: read for tag, read in _POINTS})
