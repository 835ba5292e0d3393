"""Equipment classes and the quantities that each may have.

A role names a quantity of a member that a strategy was bound to; a template's points are checked against this table.
Words follow Brick 1.3 and ASHRAE Guideline 36; see docs/nomenclature.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from controller.core.point import PointKind, ValueType
from controller.core.units import Unit

UNCLASSIFIED = "unclassified"


class Quantity(NamedTuple):
    """states: the values that a text may have."""

    kind: PointKind
    unit: Unit
    type: ValueType = ValueType.NUMBER
    states: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EquipmentClass:
    """is_open: it has no quantities of its own; every point says itself what it is. runs_by: the quantity that tells
    whether it runs."""

    name: str
    quantities: Mapping[str, Quantity]
    is_open: bool = False
    runs_by: str | None = None


def _status(kind: PointKind = PointKind.STATUS) -> Quantity:
    return Quantity(kind, Unit.NONE, ValueType.BOOLEAN)


def _sensor(unit: Unit) -> Quantity:
    return Quantity(PointKind.SENSOR, unit)


def _command(unit: Unit) -> Quantity:
    return Quantity(PointKind.COMMAND, unit)


_ON_OFF = _status(PointKind.COMMAND)
_STATUS = _status()
_POWER = _sensor(Unit.KILOWATT)
_ENERGY = _sensor(Unit.KILOWATT_HOUR)
_TEMPERATURE = _sensor(Unit.CELSIUS)
_LUX = _sensor(Unit.LUX)
_FRACTION = _sensor(Unit.FRACTION)
_VOLUME = _sensor(Unit.CUBIC_METRE)
_FLOW = _sensor(Unit.KILOGRAM_PER_SECOND)
_PPM = _sensor(Unit.PARTS_PER_MILLION)
_SETPOINT = Quantity(PointKind.SETPOINT, Unit.CELSIUS)
# Operating modes of cool storage (ASHRAE Handbook - HVAC Systems and Equipment, ch. 51); direct is live-load chilling.
_STORAGE_MODE = Quantity(PointKind.COMMAND, Unit.NONE, ValueType.TEXT, ("direct", "charge", "discharge"))
# The bit by which a machine follows us; handled by the shell, never by a strategy.
_REMOTE = {"remote": _ON_OFF}
# A machine's own meters; where it has none, the equipment log counts.
_COUNTERS = {"run_time": _sensor(Unit.SECOND), "starts": Quantity(PointKind.SENSOR, Unit.NONE, ValueType.INTEGER)}
# By which equipment tells whether it follows anybody but the person at it; Brick's Hand_Auto_Status, and as one contact
# of either sense. Read by the shell: core/availability.py.
_SELECTOR = {
    "local": _STATUS,
    "auto_status": _STATUS,
    "hand_auto_status": Quantity(PointKind.STATUS, Unit.NONE, ValueType.TEXT, ("hand", "off", "auto")),
}


def _class(name: str, **quantities: Quantity) -> EquipmentClass:
    return EquipmentClass(name, MappingProxyType(quantities))


def _running_class(name: str, runs_by: str, **quantities: Quantity) -> EquipmentClass:
    return EquipmentClass(name, MappingProxyType({**quantities, **_COUNTERS}), runs_by=runs_by)


_CLASSES = (
    _running_class(
        "chiller",
        "status",
        enable_command=_ON_OFF,
        status=_STATUS,
        tripped=_STATUS,
        chilled_water_temperature_setpoint=_SETPOINT,
        leaving_chilled_water_temperature=_TEMPERATURE,
        entering_chilled_water_temperature=_TEMPERATURE,
        leaving_condenser_water_temperature=_TEMPERATURE,
        entering_condenser_water_temperature=_TEMPERATURE,
        saturated_condensing_temperature=_TEMPERATURE,
        power=_POWER,
        energy=_ENERGY,
        cooling_energy=_ENERGY,
        heat_rejection_energy=_ENERGY,
        **_SELECTOR,
        **_REMOTE,
    ),
    _running_class(
        "pump",
        "status",
        command=_ON_OFF,
        speed_command=_command(Unit.FRACTION),
        status=_STATUS,
        tripped=_STATUS,
        speed=_FRACTION,
        power=_POWER,
        energy=_ENERGY,
        **_SELECTOR,
        **_REMOTE,
    ),
    _running_class(
        "fan",
        "status",
        command=_ON_OFF,
        speed_command=_command(Unit.FRACTION),
        status=_STATUS,
        tripped=_STATUS,
        speed=_FRACTION,
        power=_POWER,
        energy=_ENERGY,
        **_SELECTOR,
        **_REMOTE,
    ),
    _class("damper", position_command=_command(Unit.FRACTION), position=_FRACTION, **_SELECTOR, **_REMOTE),
    _class("valve", position_command=_command(Unit.FRACTION), position=_FRACTION, **_SELECTOR, **_REMOTE),
    _running_class(
        "cooling_tower",
        "fan_status",
        fan_speed_command=_command(Unit.FRACTION),
        fan_speed=_FRACTION,
        fan_status=_STATUS,
        tripped=_STATUS,
        power=_POWER,
        energy=_ENERGY,
        **_SELECTOR,
        **_REMOTE,
    ),
    _class(
        "thermal_storage_tank",
        charge_valve_command=_ON_OFF,
        discharge_valve_command=_ON_OFF,
        charge_valve_status=_STATUS,
        discharge_valve_status=_STATUS,
        charge_valve_position=_FRACTION,
        discharge_valve_position=_FRACTION,
        upper_temperature=_TEMPERATURE,
        middle_temperature=_TEMPERATURE,
        lower_temperature=_TEMPERATURE,
        stored_energy=_ENERGY,
        heat_gain_energy=_ENERGY,
        **_SELECTOR,
        **_REMOTE,
    ),
    _class(
        "chilled_water_loop",
        chilled_water_supply_temperature=_TEMPERATURE,
        chilled_water_return_temperature=_TEMPERATURE,
        chilled_water_flow=_FLOW,
        differential_pressure=_sensor(Unit.KILOPASCAL),
        cooling_load=_POWER,
        cooling_energy=_ENERGY,
        heat_gain_energy=_ENERGY,
        stored_energy=_ENERGY,
    ),
    _class(
        "condenser_water_loop",
        condenser_water_supply_temperature=_TEMPERATURE,
        condenser_water_return_temperature=_TEMPERATURE,
    ),
    _class("chilled_water_plant", mode=_STORAGE_MODE),
    _class(
        "zone",
        air_temperature=_TEMPERATURE,
        air_temperature_setpoint=_SETPOINT,
        carbon_dioxide=_PPM,
        damper_position=_FRACTION,
        **_SELECTOR,
        **_REMOTE,
    ),
    # After the points of a multiple-zone VAV air handler in Guideline 36-2021, section 4.
    _running_class(
        "air_handler",
        "supply_fan_status",
        supply_fan_command=_ON_OFF,
        supply_fan_speed_command=_command(Unit.FRACTION),
        supply_fan_status=_STATUS,
        supply_fan_speed=_FRACTION,
        return_fan_status=_STATUS,
        return_fan_speed=_FRACTION,
        supply_air_temperature=_TEMPERATURE,
        supply_air_temperature_setpoint=_SETPOINT,
        outdoor_air_temperature=_TEMPERATURE,
        mixed_air_temperature=_TEMPERATURE,
        return_air_temperature=_TEMPERATURE,
        return_air_relative_humidity=_FRACTION,
        return_air_carbon_dioxide=_PPM,
        duct_static_pressure=_sensor(Unit.KILOPASCAL),
        duct_static_pressure_setpoint=Quantity(PointKind.SETPOINT, Unit.KILOPASCAL),
        outdoor_air_damper_command=_command(Unit.FRACTION),
        outdoor_air_damper_position=_FRACTION,
        cooling_valve_command=_command(Unit.FRACTION),
        cooling_valve_position=_FRACTION,
        heating_valve_command=_command(Unit.FRACTION),
        heating_valve_position=_FRACTION,
        filter_alarm=_STATUS,
        freeze_alarm=_STATUS,
        tripped=_STATUS,
        power=_POWER,
        energy=_ENERGY,
        **_SELECTOR,
        **_REMOTE,
    ),
    _running_class(
        "split_unit",
        "status",
        enable_command=_ON_OFF,
        status=_STATUS,
        tripped=_STATUS,
        power=_POWER,
        energy=_ENERGY,
        **_SELECTOR,
        **_REMOTE,
    ),
    _running_class(
        "boiler",
        "status",
        enable_command=_ON_OFF,
        leaving_hot_water_temperature_setpoint=_SETPOINT,
        status=_STATUS,
        tripped=_STATUS,
        leaving_hot_water_temperature=_TEMPERATURE,
        power=_POWER,
        energy=_ENERGY,
        **_SELECTOR,
        **_REMOTE,
    ),
    _class("hot_water_tank", temperature=_TEMPERATURE),
    # Positive power is taken from the mains: a battery that discharges and photovoltaics that yield are negative.
    _class(
        "battery",
        power_command=_command(Unit.KILOWATT),
        content=_ENERGY,
        power=_POWER,
        energy=_ENERGY,
        **_SELECTOR,
        **_REMOTE,
    ),
    _class("photovoltaics", power=_POWER, exported_energy=_ENERGY),
    # A charging point for one car; what it offers is told to the car by the control pilot (IEC 61851-1, annex A).
    _class(
        "charger",
        current_limit=_command(Unit.AMPERE),
        connected=_STATUS,
        charging=_STATUS,
        power=_POWER,
        energy=_ENERGY,
        **_SELECTOR,
        **_REMOTE,
    ),
    _class(
        "lighting_group",
        brightness_command=_command(Unit.FRACTION),
        brightness=_FRACTION,
        motion=_STATUS,
        illuminance=_LUX,
        power=_POWER,
        energy=_ENERGY,
        **_SELECTOR,
        **_REMOTE,
    ),
    _running_class(
        "lighting_circuit",
        "status",
        command=_ON_OFF,
        status=_STATUS,
        motion=_STATUS,
        tripped=_STATUS,
        power=_POWER,
        energy=_ENERGY,
        **_SELECTOR,
        **_REMOTE,
    ),
    # Lamps that see motion themselves and light up with us dead: only their settings are ours. linked_groups: a bit for
    # each group of the same network that lights up with this one, the first group being the lowest bit.
    _class(
        "sensor_lamp_group",
        idle_brightness=Quantity(PointKind.SETPOINT, Unit.FRACTION),
        active_brightness=Quantity(PointKind.SETPOINT, Unit.FRACTION),
        hold_time=Quantity(PointKind.SETPOINT, Unit.SECOND),
        linked_groups=Quantity(PointKind.SETPOINT, Unit.NONE, ValueType.INTEGER),
        brightness=_FRACTION,
        motion=_STATUS,
        illuminance=_LUX,
        power=_POWER,
        energy=_ENERGY,
        **_SELECTOR,
    ),
    # Counts who passes, at a barrier or over a lane; its count only grows.
    _class("traffic_counter", entries=Quantity(PointKind.SENSOR, Unit.NONE, ValueType.INTEGER)),
    # Evacuation lighting and signs (GB 51309; emergency lighting of NFPA 101, 7.9) have nothing that may be written.
    _class("evacuation_lighting", status=_STATUS, tripped=_STATUS, power=_POWER, energy=_ENERGY),
    # Alarm and trouble signal of a fire alarm control unit (NFPA 72, GB 50116).
    _class("fire_alarm_panel", fire_alarm=_STATUS, trouble=_STATUS),
    # Sounds for alarms; silence_button is the push button beside it.
    _class("siren", command=_ON_OFF, status=_STATUS, silence_button=_STATUS),
    _class("daylight_sensor", illuminance=_LUX),
    # Beside a door: the brightness that somebody wishes, and the button of who stays after hours.
    _class("wall_switch", brightness_wish=_FRACTION, stay_button=_STATUS),
    _class(
        "electric_meter",
        power=_POWER,
        **{f"phase_{phase}_power": _POWER for phase in (1, 2, 3)},
        **{f"phase_{phase}_voltage": _sensor(Unit.VOLT) for phase in (1, 2, 3)},
        **{f"phase_{phase}_current": _sensor(Unit.AMPERE) for phase in (1, 2, 3)},
        frequency=_sensor(Unit.HERTZ),
        power_factor=_sensor(Unit.NONE),
        energy=_ENERGY,
        exported_energy=_ENERGY,
        # Of the supplier's demand periods: the mean of the present one, and the largest of the month.
        demand=_POWER,
        maximum_demand=_POWER,
    ),
    _class("gas_meter", volume=_VOLUME),
    _class("water_meter", volume=_VOLUME),
    _class(
        "cooling_meter",
        chilled_water_supply_temperature=_TEMPERATURE,
        chilled_water_return_temperature=_TEMPERATURE,
        chilled_water_flow=_FLOW,
        cooling_load=_POWER,
        cooling_energy=_ENERGY,
    ),
    _class(
        "weather_station",
        outdoor_air_temperature=_TEMPERATURE,
        outdoor_air_relative_humidity=_FRACTION,
        outdoor_air_dewpoint_temperature=_TEMPERATURE,
        air_pressure=_sensor(Unit.KILOPASCAL),
        wind_speed=_sensor(Unit.METRE_PER_SECOND),
        solar_irradiance=_sensor(Unit.WATT_PER_SQUARE_METRE),
        illuminance=_LUX,
    ),
    # Where people at the site say who has a system: a key switch, or a word.
    _class(
        "control_panel",
        original_selected=_STATUS,
        authority=Quantity(PointKind.STATUS, Unit.NONE, ValueType.TEXT, ("original", "tidewatt")),
    ),
    _class("gateway", heartbeat=Quantity(PointKind.COMMAND, Unit.NONE, ValueType.INTEGER)),
    # What somebody found on a network or in a point list and nobody has assigned yet. No strategy can be bound to it.
    EquipmentClass(UNCLASSIFIED, MappingProxyType({}), is_open=True),
)

EQUIPMENT: Mapping[str, EquipmentClass] = MappingProxyType({each.name: each for each in _CLASSES})
