"""The plant's points: their tags, where each one's value comes from, and what may be written.

Units are the house's inside ones. A command shows what holds: what was written, else what the old controls want.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from simulator.cooling_plant.accounts import Accounts
from simulator.cooling_plant.commanded import TANK, numbered
from simulator.cooling_plant.design import CoolingPlant
from simulator.cooling_plant.flows import Flows
from simulator.cooling_plant.running import RunningPlant
from simulator.cooling_plant.signals import Shares, at_rest
from simulator.cooling_plant.state import PlantState, electric_power, stored_cold
from simulator.gateway import Value
from simulator.plant.chiller_control import Mode
from simulator.plant.tank import at_height
from simulator.tags import Tag

Read: TypeAlias = Callable[[RunningPlant], Value]
Point: TypeAlias = tuple[Tag, Read]
_LOOP, _CONDENSER_LOOP = "plant.chilled_water_loop_1", "plant.condenser_water_loop_1"
_SENSOR_HEIGHTS = {"lower": 0.1, "middle": 0.5, "upper": 0.9}


def points(plant: CoolingPlant) -> Mapping[str, Point]:
    """Every point of a plant by its tag."""
    found: list[Point] = []
    rest = at_rest(plant)
    for number, name in enumerate(numbered("chiller", len(plant.chillers))):
        found += _chiller(name, number)
    for kind, group in PUMPS.items():
        speeds: Shares = getattr(rest, group)
        for number, name in enumerate(numbered(kind, len(speeds))):
            found += _pump(name, group, number, variable=group in ("secondary", "transfer"))
    for number, name in enumerate(numbered("cooling_tower", plant.cells)):
        found += _tower(name, number)
    for kind, group in VALVES.items():
        positions: Shares = getattr(rest, group)
        for number, name in enumerate(numbered(kind, len(positions))):
            found += _valve(name, group, number)
    if plant.storage is not None:
        found += _tank()
    found += [*_loops(), *_meters()]
    return MappingProxyType({tag.name: (tag, read) for tag, read in found})


PUMPS: Mapping[str, str] = {
    "chilled_water_pump": "primary",
    "secondary_pump": "secondary",
    "condenser_water_pump": "condenser",
    "transfer_pump": "transfer",
}
"""Kinds of pumps, with their field of `Actuators`."""
VALVES: Mapping[str, str] = {
    "chilled_water_valve": "chilled_valves",
    "condenser_water_valve": "condenser_valves",
    "cooling_tower_valve": "cell_valves",
}
"""Kinds of valves with a position, likewise."""
_WATERS: Mapping[str, Callable[[PlantState, int], float]] = {
    "entering_chilled_water": lambda state, number: state.chillers[number].entering,
    "leaving_chilled_water": lambda state, number: state.chillers[number].leaving,
    "entering_condenser_water": lambda state, _: state.rates.condenser_entering,
    "leaving_condenser_water": lambda state, number: state.chillers[number].condenser_leaving,
    "saturated_condensing": lambda state, number: state.chillers[number].condensing,
}
_METERS: Mapping[str, tuple[Callable[[Accounts], float], Callable[[RunningPlant], float]]] = {
    "meter.chillers_1": (lambda count: count.chillers, lambda site: site.state.rates.power),
    "meter.chilled_water_pumps_1": (lambda count: count.primary, lambda site: _flows(site).primary.electric),
    "meter.secondary_pumps_1": (lambda count: count.secondary, lambda site: _flows(site).mains.electric),
    "meter.condenser_water_pumps_1": (lambda count: count.condenser, lambda site: _flows(site).condenser.electric),
    "meter.transfer_pumps_1": (lambda count: count.transfer, lambda site: _flows(site).storage.electric),
    "meter.cooling_towers_1": (lambda count: count.fans, lambda site: site.state.rates.fans.electric),
    "meter.cooling_plant_1": (lambda count: count.electricity, lambda site: electric_power(site.state)),
}


def _flows(site: RunningPlant) -> Flows:
    return site.state.rates.flows


def _sensor(name: str, unit: str, read: Callable[[RunningPlant], float]) -> Point:
    return Tag(name, float, unit), read


def _status(name: str, read: Callable[[RunningPlant], bool]) -> Point:
    return Tag(name, bool), read


def _switch(name: str, read: Callable[[RunningPlant], bool]) -> Point:
    return Tag(name, bool, writable=True), read


def _command(name: str, unit: str, low: float, high: float, read: Callable[[RunningPlant], float]) -> Point:
    return Tag(name, float, unit, writable=True, low=low, high=high), read


def _chiller(name: str, number: int) -> Iterator[Point]:
    yield _switch(f"{name}.enable_command", lambda site: site.commands.enable[number])
    yield _command(
        f"{name}.chilled_water_temperature_setpoint", "degC", 5.0, 15.0, lambda site: site.commands.setpoints[number]
    )
    yield _status(f"{name}.status", lambda site: site.state.chillers[number].control.mode is Mode.RUNNING)
    yield _status(f"{name}.tripped", lambda site: site.state.chillers[number].control.mode is Mode.TRIPPED)
    yield Tag(f"{name}.trip_count", int), lambda site: site.state.chillers[number].control.trips
    for water, read in _WATERS.items():
        yield _sensor(f"{name}.{water}_temperature", "degC", lambda site, read=read: read(site.state, number))
    yield _sensor(f"{name}.power", "kW", lambda site: site.state.chillers[number].operation.power)
    yield _sensor(f"{name}.energy", "kWh", lambda site: site.state.meters[number].energy)
    yield _sensor(f"{name}.cooling_energy", "kWh", lambda site: site.state.meters[number].cooling)
    yield _sensor(f"{name}.heat_rejection_energy", "kWh", lambda site: site.state.meters[number].rejection)


def _pump(name: str, group: str, number: int, *, variable: bool) -> Iterator[Point]:
    yield _switch(f"{name}.command", lambda site: _wanted(site, group, number) > 0.0)
    yield _status(f"{name}.status", lambda site: _at(site, group, number) > 0.0)
    yield _status(f"{name}.tripped", lambda site: (group, number) in site.trouble.tripped)
    if variable:
        yield _command(f"{name}.speed_command", "1", 0.0, 1.0, lambda site: _wanted(site, group, number))
        yield _sensor(f"{name}.speed", "1", lambda site: _at(site, group, number))


def _tower(name: str, number: int) -> Iterator[Point]:
    yield _command(f"{name}.fan_speed_command", "1", 0.0, 1.0, lambda site: _wanted(site, "fans", number))
    yield _sensor(f"{name}.fan_speed", "1", lambda site: _at(site, "fans", number))
    yield _status(f"{name}.fan_status", lambda site: _at(site, "fans", number) > 0.0)
    yield _status(f"{name}.tripped", lambda site: ("fans", number) in site.trouble.tripped)


def _valve(name: str, group: str, number: int) -> Iterator[Point]:
    yield _command(f"{name}.position_command", "1", 0.0, 1.0, lambda site: _wanted(site, group, number))
    yield _sensor(f"{name}.position", "1", lambda site: _at(site, group, number))


def _tank() -> Iterator[Point]:
    for number, way in enumerate(("charge", "discharge")):
        yield _switch(f"{TANK}.{way}_valve_command", lambda site, number=number: _wanted(site, "storage", number) > 0.0)
        yield _status(f"{TANK}.{way}_valve_status", lambda site, number=number: _at(site, "storage", number) == 1.0)
        yield _sensor(f"{TANK}.{way}_valve_position", "1", lambda site, number=number: _at(site, "storage", number))
    for place, height in _SENSOR_HEIGHTS.items():
        yield _sensor(f"{TANK}.{place}_temperature", "degC", lambda site, height=height: _layer(site, height))
    yield _sensor(f"{TANK}.stored_energy", "kWh", lambda site: stored_cold(site.plant, site.state))
    yield _sensor(f"{TANK}.heat_gain_energy", "kWh", lambda site: site.state.accounts.tank_gain)


def _loops() -> Iterator[Point]:
    yield _sensor(f"{_LOOP}.chilled_water_supply_temperature", "degC", lambda site: site.state.sensors.supply)
    yield _sensor(f"{_LOOP}.chilled_water_return_temperature", "degC", lambda site: site.state.sensors.returning)
    yield _sensor(f"{_LOOP}.chilled_water_flow", "kg/s", lambda site: _flows(site).mains.flow)
    yield _sensor(f"{_LOOP}.differential_pressure", "kPa", lambda site: _flows(site).mains.pressure)
    yield _sensor(f"{_LOOP}.cooling_load", "kW", lambda site: site.state.rates.coils)
    yield _sensor(f"{_LOOP}.cooling_energy", "kWh", lambda site: site.state.accounts.coils)
    yield _sensor(
        f"{_CONDENSER_LOOP}.condenser_water_supply_temperature",
        "degC",
        lambda site: site.state.sensors.condenser_supply,
    )
    yield _sensor(
        f"{_CONDENSER_LOOP}.condenser_water_return_temperature",
        "degC",
        lambda site: site.state.sensors.condenser_return,
    )
    yield _sensor("meter.make_up_water_1.volume", "m3", lambda site: site.state.basin.made_up / 1000.0)


def _meters() -> Iterator[Point]:
    for name, (energy, power) in _METERS.items():
        yield _sensor(f"{name}.power", "kW", power)
        yield _sensor(f"{name}.energy", "kWh", lambda site, energy=energy: energy(site.state.accounts))


def _wanted(site: RunningPlant, group: str, number: int) -> float:
    shares: Shares = getattr(site.commands.actuators, group)
    return shares[number]


def _at(site: RunningPlant, group: str, number: int) -> float:
    shares: Shares = getattr(site.state.actuators, group)
    return shares[number]


def _layer(site: RunningPlant, height: float) -> float:
    return at_height(site.state.tank, height) if site.state.tank is not None else site.plant.initial_water
