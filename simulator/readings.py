"""Where each tag's value comes from. Counters are read up to the instant: what was counted plus the rate in force
since.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from simulator.gateway import Position, Remote, Value
from simulator.plant.chiller_control import Mode
from simulator.plant.tank import at_height
from simulator.plant.tower import Fan
from simulator.plant_room import PlantRoom

Readings: TypeAlias = dict[str, Callable[[], Value]]
_SECONDS_PER_HOUR = 3600.0
_SENSOR_HEIGHTS = {"lower": 0.1, "middle": 0.5, "upper": 0.9}
"""Of the tank's three sensors, as shares of its height."""


def plant_readings(plant: PlantRoom, since: Callable[[], float]) -> Readings:
    """Tags of the plant; since: seconds since its counters were brought up to date."""
    return _chiller(plant, since) | _pumps(plant, since) | _tank(plant, since) | _loop(plant, since)


def remote_readings(name: str, remote: Remote, *commands: str) -> Readings:
    readings: Readings = {f"{name}.remote": lambda: remote.active}
    return readings | {f"{name}.{command}": partial(remote.value, command) for command in commands}


def _is_in_auto(remote: Remote) -> Callable[[], Value]:
    """The selector's contact that is closed in auto."""
    return lambda: remote.position is Position.AUTO


def is_not_in_auto(remote: Remote) -> Callable[[], Value]:
    return lambda: remote.position is not Position.AUTO


def _chiller(plant: PlantRoom, since: Callable[[], float]) -> Readings:
    name, count = "plant.chiller_1", plant.counters
    readings = remote_readings(name, plant.chiller_remote, "enable_command", "chilled_water_temperature_setpoint")
    return readings | {
        f"{name}.status": lambda: plant.chiller_runs,
        f"{name}.tripped": lambda: plant.chiller.mode is Mode.TRIPPED,
        f"{name}.auto_status": _is_in_auto(plant.chiller_remote),
        f"{name}.trip_count": lambda: plant.chiller.trips,
        f"{name}.leaving_chilled_water_temperature": lambda: plant.temperatures.leaving,
        f"{name}.entering_chilled_water_temperature": lambda: plant.temperatures.entering,
        f"{name}.leaving_condenser_water_temperature": lambda: plant.temperatures.condenser_leaving,
        f"{name}.entering_condenser_water_temperature": lambda: plant.temperatures.condenser_entering,
        f"{name}.power": lambda: plant.operation.power,
        f"{name}.energy": lambda: count.chiller + plant.operation.power * since() / _SECONDS_PER_HOUR,
        f"{name}.cooling_energy": lambda: count.evaporator + plant.operation.cooling * since() / _SECONDS_PER_HOUR,
        f"{name}.heat_rejection_energy": lambda: (
            count.heat_rejection + plant.operation.heat_rejection * since() / _SECONDS_PER_HOUR
        ),
    }


def _pumps(plant: PlantRoom, since: Callable[[], float]) -> Readings:
    count = plant.counters
    chilled, condenser = "plant.chilled_water_pump_1", "plant.condenser_water_pump_1"
    secondary, tower = "plant.secondary_pump_1", "plant.cooling_tower_1"
    return {
        **remote_readings(chilled, plant.chilled_water_pump_remote, "command", "speed_command"),
        f"{chilled}.status": plant.chilled_water_pump_runs,
        f"{chilled}.tripped": lambda: plant.chilled_water_pump_tripped,
        f"{chilled}.auto_status": _is_in_auto(plant.chilled_water_pump_remote),
        f"{chilled}.speed": lambda: plant.chilled_water_speed,
        f"{chilled}.power": lambda: plant.chilled_water_power,
        f"{chilled}.energy": lambda: count.chilled_water_pump + plant.chilled_water_power * since() / _SECONDS_PER_HOUR,
        **remote_readings(condenser, plant.condenser_pump_remote, "command"),
        f"{condenser}.status": plant.condenser_pump_runs,
        f"{condenser}.tripped": lambda: plant.condenser_pump_tripped,
        f"{condenser}.auto_status": _is_in_auto(plant.condenser_pump_remote),
        f"{condenser}.power": lambda: plant.condenser_power,
        f"{condenser}.energy": lambda: count.condenser_pump + plant.condenser_power * since() / _SECONDS_PER_HOUR,
        f"{secondary}.status": plant.secondary_pump_runs,
        f"{secondary}.speed": lambda: plant.secondary_speed,
        f"{secondary}.power": lambda: plant.secondary_power,
        f"{secondary}.energy": lambda: count.secondary_pump + plant.secondary_power * since() / _SECONDS_PER_HOUR,
        f"{tower}.fan_status": lambda: plant.fan is not Fan.OFF,
        f"{tower}.power": lambda: plant.fan_power,
        f"{tower}.energy": lambda: count.fan + plant.fan_power * since() / _SECONDS_PER_HOUR,
    }


def _tank(plant: PlantRoom, since: Callable[[], float]) -> Readings:
    name = "plant.tank_1"
    readings = remote_readings(name, plant.tank_remote, "charge_valve_command", "discharge_valve_command")
    for place, height in _SENSOR_HEIGHTS.items():
        readings[f"{name}.{place}_temperature"] = lambda height=height: at_height(plant.tank, height)
    return readings | {
        f"{name}.charge_valve_status": lambda: plant.charge_valve == 1.0,
        f"{name}.discharge_valve_status": lambda: plant.discharge_valve == 1.0,
        f"{name}.charge_valve_position": lambda: plant.charge_valve,
        f"{name}.discharge_valve_position": lambda: plant.discharge_valve,
        f"{name}.stored_energy": lambda: plant.stored_energy() + plant.storing() * since() / _SECONDS_PER_HOUR,
        f"{name}.heat_gain_energy": lambda: plant.counters.tank_gain + plant.tank_gain * since() / _SECONDS_PER_HOUR,
    }


def _loop(plant: PlantRoom, since: Callable[[], float]) -> Readings:
    name, count = "plant.chilled_water_loop_1", plant.counters
    return {
        f"{name}.chilled_water_supply_temperature": lambda: plant.temperatures.supply,
        f"{name}.chilled_water_return_temperature": lambda: plant.temperatures.returning,
        f"{name}.chilled_water_flow": lambda: plant.flows.secondary,
        f"{name}.cooling_load": lambda: plant.cooling_load,
        f"{name}.cooling_energy": lambda: count.cooling_delivered + plant.cooling_load * since() / _SECONDS_PER_HOUR,
        f"{name}.heat_gain_energy": lambda: count.loop_gain + plant.loop_gain * since() / _SECONDS_PER_HOUR,
        f"{name}.stored_energy": lambda: plant.header_energy() + plant.header_storing() * since() / _SECONDS_PER_HOUR,
    }
